//! Ranges of addresses: what a rule's source or destination may be, and how much of the internet that is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The largest part of the internet that still is a list of somebody's networks, rather than a good part of everybody: a
/// network of 2^24 addresses of IPv4, of 2^112 of IPv6 (a /8 and a /16). CDNs publish 2^21 and 2^103.
const LISTED_BITS: (u32, u32) = (24, 112);

/// The version of the Internet Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Version {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Version {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The version that an address is of.
    pub(crate) const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// All addresses that there are of it.
    pub(crate) const fn everything(self) -> Range {
        match self {
            Self::V4 => Range { first: IpAddr::V4(Ipv4Addr::UNSPECIFIED), last: IpAddr::V4(Ipv4Addr::BROADCAST) },
            Self::V6 => {
                Range { first: IpAddr::V6(Ipv6Addr::UNSPECIFIED), last: IpAddr::V6(Ipv6Addr::from_bits(u128::MAX)) }
            }
        }
    }

    /// What it is called.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// Addresses from the first to the last, of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Range {
    /// The first of them.
    pub(crate) first: IpAddr,
    /// The last of them.
    pub(crate) last: IpAddr,
}

impl Range {
    /// The network of an address with a prefix of so many bits.
    pub(crate) fn network(address: IpAddr, prefix: u32) -> Option<Self> {
        let (number, bits) = number(address);
        let hosts = bits.checked_sub(prefix)?;
        let mask = if hosts == 128 { u128::MAX } else { (1 << hosts) - 1 };
        Some(Self { first: address_of(number & !mask, bits), last: address_of(number | mask, bits) })
    }

    /// `192.0.2.1`, `192.0.2.0/24`, `192.0.2.0/255.255.255.0` or `192.0.2.1-192.0.2.9`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some((first, last)) = text.split_once('-') {
            return Self::between(first.parse().ok()?, last.parse().ok()?);
        }
        let Some((address, prefix)) = text.split_once('/') else {
            let address = text.parse().ok()?;
            return Some(Self { first: address, last: address });
        };
        let prefix = match prefix.parse::<Ipv4Addr>() {
            // Only what is all ones and then all zeros is a network.
            Ok(mask) if mask.to_bits().leading_ones() + mask.to_bits().trailing_zeros() == 32 => {
                mask.to_bits().leading_ones()
            }
            Ok(_) => return None,
            Err(_) => prefix.parse().ok()?,
        };
        Self::network(address.parse().ok()?, prefix)
    }

    /// From one address to another.
    pub(crate) fn between(first: IpAddr, last: IpAddr) -> Option<Self> {
        (Version::of(first) == Version::of(last) && first <= last).then_some(Self { first, last })
    }

    /// Its first and its last address, as numbers.
    pub(crate) fn bounds(&self) -> (u128, u128) {
        (number(self.first).0, number(self.last).0)
    }

    /// The version of its addresses.
    pub(crate) const fn version(&self) -> Version {
        Version::of(self.first)
    }

    /// Whether an address is one of them.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        Version::of(address) == self.version() && self.first <= address && address <= self.last
    }

    /// Whether none of them is an address that the internet carries.
    pub(crate) fn is_private(&self) -> bool {
        private().any(|private| {
            private.version() == self.version() && private.first <= self.first && self.last <= private.last
        })
    }

    /// Whether no single host can have it as its own: all of it is for many (multicast, broadcast), or for the loopback.
    pub(crate) fn is_no_hosts(&self) -> bool {
        ["127.0.0.0/8", "224.0.0.0/3", "::1", "ff00::/8"]
            .iter()
            .filter_map(|text| Self::parse(text))
            .any(|none| none.version() == self.version() && none.first <= self.first && self.last <= none.last)
    }
}

/// An address as a number, and how many bits it has.
fn number(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

fn address_of(number: u128, bits: u32) -> IpAddr {
    match u32::try_from(number) {
        Ok(number) if bits == 32 => Ipv4Addr::from_bits(number).into(),
        _ => Ipv6Addr::from_bits(number).into(),
    }
}

/// The same addresses, in order and without overlap.
pub(crate) fn merged(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut kept: Vec<Range> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match kept.last_mut() {
            Some(before) if touches(before, &range) => before.last = before.last.max(range.last),
            _ => kept.push(range),
        }
    }
    kept
}

/// Whether a range begins within another, or right behind it.
fn touches(before: &Range, next: &Range) -> bool {
    before.version() == next.version() && number(next.first).0 <= number(before.last).0.saturating_add(1)
}

/// Whether merged ranges hold every address of a version.
pub(crate) fn is_everything(ranges: &[Range], version: Version) -> bool {
    ranges.contains(&version.everything())
}

/// How merged ranges lie to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// All of them are among the others.
    Within,
    /// None of them is.
    Apart,
    /// Some are and some are not.
    Overlapping,
}

/// How the addresses of one version in merged ranges lie to other merged ranges.
pub(crate) fn relation(ranges: &[Range], others: &[Range], version: Version) -> Relation {
    let (ranges, others) = (of_version(ranges, version), of_version(others, version));
    // What may hold or touch a range is the last other that begins before it ends.
    let near = |range: &Range| others[..others.partition_point(|other| other.first <= range.last)].last();
    let lies = |range: &Range| match near(range) {
        Some(other) if other.first <= range.first && range.last <= other.last => Relation::Within,
        Some(other) if range.first <= other.last => Relation::Overlapping,
        _ => Relation::Apart,
    };
    let mut all = ranges.iter().map(lies);
    let first = all.next().unwrap_or(Relation::Apart);
    if all.all(|relation| relation == first) { first } else { Relation::Overlapping }
}

/// Those of one version: in order, all of IPv4 come before all of IPv6.
fn of_version(ranges: &[Range], version: Version) -> &[Range] {
    let (v4, v6) = ranges.split_at(ranges.partition_point(|range| range.version() == Version::V4));
    match version {
        Version::V4 => v4,
        Version::V6 => v6,
    }
}

/// Whether merged ranges are too much of the internet to be a list of somebody's networks. Private networks are none of it.
pub(crate) fn is_a_good_part(ranges: &[Range], version: Version) -> bool {
    let bits = match version {
        Version::V4 => LISTED_BITS.0,
        Version::V6 => LISTED_BITS.1,
    };
    public(ranges, version) > 1 << bits
}

/// Whether ranges are what an office, or a monitor, may have: a /16 of IPv4, a /48 of IPv6.
pub(crate) fn is_small(ranges: &[Range], version: Version) -> bool {
    let bits = match version {
        Version::V4 => 16,
        Version::V6 => 80,
    };
    public(ranges, version) <= 1 << bits
}

/// How many addresses that the internet carries are in merged ranges.
fn public(ranges: &[Range], version: Version) -> u128 {
    let size = |first: u128, last: u128| (last - first).saturating_add(1);
    of_version(ranges, version).iter().map(Range::bounds).fold(0, |sum, (first, last)| {
        let private = private().filter(|private| private.version() == version).map(|private| private.bounds());
        let within = private.filter(|(begin, end)| *begin <= last && first <= *end);
        let none: u128 = within.map(|(begin, end)| size(begin.max(first), end.min(last))).sum();
        sum.saturating_add(size(first, last).saturating_sub(none))
    })
}

/// The networks that the internet does not carry (RFC 6890).
pub(crate) fn private() -> impl Iterator<Item = Range> {
    const PRIVATE: [&str; 13] = [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/3",
        "::/127",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    ];
    PRIVATE.iter().filter_map(|text| Range::parse(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges(texts: &[&str]) -> Vec<Range> {
        merged(texts.iter().map(|text| Range::parse(text).unwrap()).collect())
    }

    #[test]
    fn two_halves_are_the_whole() {
        assert!(is_everything(&ranges(&["0.0.0.0/1", "128.0.0.0/1"]), Version::V4));
        assert!(!is_everything(&ranges(&["0.0.0.0/1", "128.0.0.0/2"]), Version::V4));
        assert!(!is_everything(&ranges(&["0.0.0.0/0"]), Version::V6));
        assert!(is_everything(&ranges(&["::/1", "8000::/1"]), Version::V6));
    }

    #[test]
    fn a_list_is_no_good_part_of_the_internet() {
        assert!(!is_a_good_part(&ranges(&["173.245.48.0/20", "10.0.0.0/8", "11.0.0.0/9"]), Version::V4));
        assert!(is_a_good_part(&ranges(&["11.0.0.0/8", "13.0.0.0/32"]), Version::V4));
        assert!(!is_a_good_part(&ranges(&["2400:cb00::/32", "fc00::/7"]), Version::V6));
        assert!(is_a_good_part(&ranges(&["2000::/3"]), Version::V6));
    }

    #[test]
    fn ranges_lie_within_apart_or_across() {
        let office = ranges(&["198.51.100.0/24", "203.0.113.7"]);
        for (texts, expected) in [
            (&["198.51.100.3", "203.0.113.7"][..], Relation::Within),
            (&["198.51.99.255", "203.0.113.8/29"], Relation::Apart),
            (&["198.51.100.0/23"], Relation::Overlapping),
            (&["203.0.113.7", "192.0.2.1"], Relation::Overlapping),
            (&["::1"], Relation::Apart),
        ] {
            assert_eq!(relation(&ranges(texts), &office, Version::V4), expected, "{texts:?}");
        }
    }

    #[test]
    fn what_iptables_and_nft_write_is_read() {
        for (text, first, last) in [
            ("198.51.100.0/255.255.255.0", "198.51.100.0", "198.51.100.255"),
            ("203.0.113.8-203.0.113.15", "203.0.113.8", "203.0.113.15"),
            ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("10.1.2.3/8", "10.0.0.0", "10.255.255.255"),
        ] {
            let expected = Range { first: first.parse().unwrap(), last: last.parse().unwrap() };
            assert_eq!(Range::parse(text), Some(expected), "{text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0.0/255.0.255.0", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "shop.example"] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9a-f.:/-]{0,40}", any: String) {
            for text in [&text, &any] {
                if let Some(range) = Range::parse(text) {
                    prop_assert!(range.first <= range.last && range.contains(range.first));
                    prop_assert_eq!(relation(&[range], &[range], range.version()), Relation::Within);
                }
            }
        }
    }
}
