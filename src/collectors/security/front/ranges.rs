//! Ranges of addresses: how much of the internet a list of them lets in.

use std::net::{IpAddr, Ipv4Addr};

/// Addresses from one to another, both among them; IPv4 and IPv6 each have a line of numbers of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    is_v6: bool,
    first: u128,
    last: u128,
}

/// Who is nobody's visitor: what no router of the internet carries (RFC 6890).
const RESERVED: [&str; 10] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// From how many addresses on a list is no list any more: a 256th of the internet. A CDN's networks are a tenth of that.
const OPEN_V4: u128 = 1 << 24;
const OPEN_V6: u128 = 1 << 112;

/// The most rules of one list.
pub(super) const RULES: usize = 4_000;

impl Range {
    /// `10.0.0.0/8`, `2001:db8::/32`, a single address, or `a-b` as `geo` has it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (number(first.parse().ok()?), number(last.parse().ok()?));
            return (first.0 == last.0 && first.1 <= last.1).then_some(Self {
                is_v6: first.0,
                first: first.1,
                last: last.1,
            });
        }
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let (is_v6, number) = number(address.parse().ok()?);
        let bits: u32 = if is_v6 { 128 } else { 32 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= bits)?,
            None => bits,
        };
        let all = if is_v6 { u128::MAX } else { u128::from(u32::MAX) };
        let hosts = all.checked_shr(prefix).unwrap_or(0);
        Some(Self { is_v6, first: number & !hosts, last: number | hosts })
    }

    /// Whether an address lies in it.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        let (is_v6, number) = number(address);
        is_v6 == self.is_v6 && (self.first..=self.last).contains(&number)
    }

    /// How many addresses it has, less one.
    pub(super) fn size(self) -> u128 {
        self.last - self.first
    }

    /// Its first address.
    pub(super) fn start(self) -> IpAddr {
        if self.is_v6 {
            IpAddr::V6(self.first.into())
        } else {
            IpAddr::V4(Ipv4Addr::from(u32::try_from(self.first).unwrap_or_default()))
        }
    }
}

fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (false, u128::from(address.to_bits())),
        IpAddr::V6(address) => (true, address.to_bits()),
    }
}

/// Whether strangers are let in by rules of which the first that fits decides; whom none fits is let in.
pub(super) fn lets_strangers_in(rules: &[(bool, Range)], has_v6: bool) -> bool {
    admitted(rules, false) >= OPEN_V4 || has_v6 && admitted(rules, true) >= OPEN_V6
}

/// Whether most of the internet lies in these.
pub(super) fn is_everybody(ranges: &[Range]) -> bool {
    let rules: Vec<_> = ranges.iter().map(|range| (true, *range)).collect();
    [false, true].into_iter().any(|is_v6| {
        let all = admitted(&[], is_v6);
        let denied = [rules.as_slice(), &everything(is_v6).map(|range| (false, range)).collect::<Vec<_>>()].concat();
        admitted(&denied, is_v6) >= all / 2
    })
}

fn everything(is_v6: bool) -> impl Iterator<Item = Range> {
    Range::parse(if is_v6 { "::/0" } else { "0.0.0.0/0" }).into_iter()
}

/// How many addresses of the public internet the rules let in.
fn admitted(rules: &[(bool, Range)], is_v6: bool) -> u128 {
    let mut all: Vec<(bool, Range)> = Vec::new();
    if !is_v6 {
        all.extend(RESERVED.iter().filter_map(|text| Some((false, Range::parse(text)?))));
    }
    all.extend(rules.iter().filter(|(_, range)| range.is_v6 == is_v6));
    // 2000::/3 is all that is given out of IPv6.
    let (first, last) = if is_v6 { (0x2 << 124, (0x4 << 124) - 1) } else { (0, u128::from(u32::MAX)) };
    let ends = all.iter().flat_map(|(_, range)| [range.first, range.last.saturating_add(1)]);
    let mut starts: Vec<u128> = ends.filter(|start| (first..=last).contains(start)).chain([first]).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut sum = 0_u128;
    for (at, start) in starts.iter().enumerate() {
        let end = starts.get(at + 1).map_or(last, |next| next - 1);
        let decides = all.iter().find(|(_, range)| (range.first..=range.last).contains(start));
        if decides.is_none_or(|(is_let_in, _)| *is_let_in) {
            sum += end - start + 1;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lets_in(text: &str) -> bool {
        let mut rules = Vec::new();
        for rule in text.split(',').filter(|rule| !rule.is_empty()) {
            let (sign, of) = rule.split_at(1);
            if of == "all" {
                rules.extend([false, true].into_iter().flat_map(everything).map(|range| (sign == "+", range)));
            } else {
                rules.push((sign == "+", Range::parse(of).unwrap()));
            }
        }
        lets_strangers_in(&rules, true)
    }

    #[test]
    fn a_list_is_open_when_much_of_the_internet_is_on_it() {
        for (rules, expected) in [
            ("", true),
            ("-all", false),
            ("+10.0.0.0/8,-all", false),
            ("+203.0.113.7,-all", false),
            ("+all,-all", true),
            ("-1.2.3.4,+all", true),
            ("+0.0.0.0/1,+128.0.0.0/1,-all", true),
            ("+104.16.0.0/13,+172.64.0.0/13,-all", false),
            ("-0.0.0.0/0", true),
            ("-0.0.0.0/0,-::/0", false),
            ("+2000::/4,-all", true),
        ] {
            assert_eq!(lets_in(rules), expected, "{rules}");
        }
        let rules = [(false, Range::parse("0.0.0.0/0").unwrap())];
        assert!(!lets_strangers_in(&rules, false), "nobody comes by IPv6 where nobody listens");
    }

    #[test]
    fn everybody_is_everybody_in_halves_too() {
        let ranges = |texts: &[&str]| texts.iter().filter_map(|text| Range::parse(text)).collect::<Vec<_>>();
        assert!(is_everybody(&ranges(&["0.0.0.0/0"])) && is_everybody(&ranges(&["::/0"])));
        assert!(is_everybody(&ranges(&["0.0.0.0/1", "128.0.0.0/1"])));
        assert!(!is_everybody(&ranges(&["10.0.0.0/8", "173.245.48.0/20", "2400:cb00::/32"])));
        assert!(!is_everybody(&[]));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9a-f:./-]{0,30}", any: String) {
            for text in [text, any] {
                if let Some(range) = Range::parse(&text) {
                    prop_assert!(range.contains(range.start()));
                }
            }
        }
    }
}
