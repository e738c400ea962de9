//! Ranges of addresses: how much of the internet a list of them lets in.

use crate::collectors::security::firewall::ranges::{Range, Version, private};

/// From how many addresses on a list is no list any more: a 256th of the internet. A CDN's networks are a tenth of that.
const OPEN_V4: u128 = 1 << 24;
const OPEN_V6: u128 = 1 << 112;

/// The most rules of one list.
pub(super) const RULES: usize = 4_000;

/// Whether strangers are let in by rules of which the first that fits decides; whom none fits is let in.
pub(super) fn lets_strangers_in(rules: &[(bool, Range)], has_v6: bool) -> bool {
    admitted(rules, Version::V4) >= OPEN_V4 || has_v6 && admitted(rules, Version::V6) >= OPEN_V6
}

/// Whether most of the internet lies in these.
pub(super) fn is_everybody(ranges: &[Range]) -> bool {
    let rules: Vec<_> = ranges.iter().map(|range| (true, *range)).collect();
    Version::ALL.into_iter().any(|version| {
        let others = [rules.as_slice(), &[(false, version.everything())]].concat();
        admitted(&others, version) >= admitted(&[], version) / 2
    })
}

/// How many addresses of the public internet the rules let in.
fn admitted(rules: &[(bool, Range)], version: Version) -> u128 {
    let all = private().map(|range| (false, range)).chain(rules.iter().copied());
    let all = all.filter(|(_, range)| range.version() == version).map(|(is_let_in, range)| (is_let_in, range.bounds()));
    let all: Vec<_> = all.collect();
    // 2000::/3 is all that is given out of IPv6.
    let (first, last) = match version {
        Version::V4 => (0, u128::from(u32::MAX)),
        Version::V6 => (0x2 << 124, (0x4 << 124) - 1),
    };
    let ends = all.iter().flat_map(|(_, (first, last))| [*first, last.saturating_add(1)]);
    let mut starts: Vec<u128> = ends.filter(|start| (first..=last).contains(start)).chain([first]).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut sum = 0_u128;
    for (at, start) in starts.iter().enumerate() {
        let end = starts.get(at + 1).map_or(last, |next| next - 1);
        let decides = all.iter().find(|(_, (first, last))| (first..=last).contains(&start));
        if decides.is_none_or(|(is_let_in, _)| *is_let_in) {
            sum += end - start + 1;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lets_in(text: &str) -> bool {
        let mut rules = Vec::new();
        for rule in text.split(',').filter(|rule| !rule.is_empty()) {
            let (sign, of) = rule.split_at(1);
            if of == "all" {
                rules.extend(Version::ALL.map(|version| (sign == "+", version.everything())));
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
}
