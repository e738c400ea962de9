//! Sets of networks: whose requests are nobody's attack, who is a proxy, who may call the API.

use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv6Addr};

use serde::Deserialize;

/// The largest file of networks that is read. Google's lists have 20 KiB.
const FILE_BYTES: u64 = 4 << 20;

/// Networks, merged and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Networks(Vec<(u128, u128)>);

impl Networks {
    /// Whether an address lies in one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let number = number(address);
        let behind = self.0.partition_point(|(first, _)| *first <= number);
        behind > 0 && number <= self.0[behind - 1].1
    }

    /// Whether all addresses from the first to the last lie in one of them.
    pub(crate) fn contains_range(&self, first: IpAddr, last: IpAddr) -> bool {
        let (first, last) = (number(first), number(last));
        let behind = self.0.partition_point(|(begin, _)| *begin <= first);
        behind > 0 && last <= self.0[behind - 1].1
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(mut ranges: Vec<(u128, u128)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(before) if first <= before.1 => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }
}

/// An IPv4 address as IPv6 writes it (RFC 4291, 2.5.5.2), so that there is one line of numbers for both.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
    .to_bits()
}

/// The first and the last address of a network in CIDR notation, or of a single address.
fn range(text: &str) -> Option<(u128, u128)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let (bits, before) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
    let prefix = match prefix {
        Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= bits)?,
        None => bits,
    };
    let hosts = u128::MAX.checked_shr(before + prefix).unwrap_or(0);
    let first = number(address) & !hosts;
    Some((first, first | hosts))
}

impl TryFrom<Vec<String>> for Networks {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let range = |text: &String| {
            range(text).ok_or_else(|| {
                format!("`{text}` is not a network\nwrite \"10.0.0.0/8\", \"2001:db8::/32\" or a single address")
            })
        };
        Ok(Self::of(texts.iter().map(range).collect::<Result<_, _>>()?))
    }
}

/// Networks that somebody publishes as a file: `googlebot.json` and the like, or one in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct NetworkFiles(Networks);

impl NetworkFiles {
    /// What stands in them.
    #[must_use]
    pub fn networks(&self) -> &Networks {
        &self.0
    }
}

impl TryFrom<Vec<String>> for NetworkFiles {
    type Error = String;

    fn try_from(files: Vec<String>) -> Result<Self, String> {
        let mut ranges = Vec::new();
        for file in files {
            let found = published(&file)?;
            if found.is_empty() {
                return Err(format!(
                    "{file} holds no network\nit is a list of networks in CIDR notation, as plain text or JSON"
                ));
            }
            ranges.extend(found);
        }
        Ok(Self(Networks::of(ranges)))
    }
}

/// The networks in a file, whatever stands around them.
fn published(file: &str) -> Result<Vec<(u128, u128)>, String> {
    let unreadable = |error| format!("{file} cannot be read: {error}\nname a file that vitrin's user may read");
    let mut text = String::new();
    let open = File::open(file).map_err(unreadable)?;
    open.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES {
        return Err(format!("{file} is too large\na list of networks has 4 MiB at most"));
    }
    let words = text.split(|c: char| !(c.is_ascii_hexdigit() || ".:/".contains(c)));
    // A single number or time of day is no address, but may look like one: here a network says how large it is.
    Ok(words.filter(|word| word.contains('/')).filter_map(range).collect())
}

/// Whether an address is one that the internet does not carry: a proxy's, a container's, the machine's own.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let shared = matches!(address.octets(), [100, 64..=127, ..]);
            address.is_private() || address.is_loopback() || address.is_link_local() || shared
        }
        IpAddr::V6(address) => {
            address == Ipv6Addr::LOCALHOST || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    fn networks(texts: &[&str]) -> Networks {
        texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>().try_into().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_its_first_and_last_address_and_no_other() {
        let networks = networks(&["10.1.2.3/24", "192.0.2.7", "2001:db8::/33", "10.1.0.0/16"]);
        for inside in ["10.1.0.0", "10.1.255.255", "192.0.2.7", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"]
        {
            assert!(networks.contains(address(inside)), "{inside}");
        }
        for outside in ["10.0.255.255", "10.2.0.0", "192.0.2.6", "192.0.2.8", "2001:db8:8000::", "::", "0.0.0.0"] {
            assert!(!networks.contains(address(outside)), "{outside}");
        }
        assert!(networks.contains(address("::ffff:10.1.2.3")));
    }

    #[test]
    fn all_addresses_are_a_network_too() {
        assert!(networks(&["0.0.0.0/0"]).contains(address("203.0.113.1")));
        assert!(!networks(&["0.0.0.0/0"]).contains(address("2001:db8::1")));
        assert!(networks(&["::/0"]).contains(address("203.0.113.1")));
        assert!(!networks(&[]).contains(address("203.0.113.1")));
    }

    #[test]
    fn what_is_no_network_is_said() {
        for text in ["10.0.0.0/33", "10.0.0/8", "::/129", "shop.example", "", "10.0.0.0/-1", "10.0.0.0/"] {
            let error = Networks::try_from(vec![text.to_owned()]).unwrap_err();
            assert!(error.starts_with(&format!("`{text}` is not a network\n")), "{error}");
        }
    }

    #[test]
    fn a_published_list_is_read_as_it_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("googlebot.json").display().to_string();
        let read = || NetworkFiles::try_from(vec![file.clone()]);
        assert!(read().unwrap_err().contains("cannot be read"));
        fs::write(
            &file,
            r#"{"creationTime": "2026-11-20T15:46:05.000000", "prefixes": [{"ipv6Prefix": "2001:4860:4801:10::/64"},
                {"ipv4Prefix": "66.249.64.0/27"}]}"#,
        )
        .unwrap();
        let files = read().unwrap();
        assert!(files.networks().contains(address("66.249.64.31")));
        assert!(files.networks().contains(address("2001:4860:4801:10::1")));
        assert!(!files.networks().contains(address("66.249.64.32")));
        fs::write(&file, "no network at all").unwrap();
        assert!(read().unwrap_err().contains("holds no network"));
    }

    proptest! {
        #[test]
        fn every_network_holds_the_address_it_was_written_with(bits: u128, prefix in 0_u32..=128, v4: u32) {
            let v6 = Ipv6Addr::from_bits(bits);
            let network = format!("{v6}/{prefix}");
            prop_assert!(networks(&[&network]).contains(v6.into()));
            let v4 = Ipv4Addr::from_bits(v4);
            let network = format!("{v4}/{}", prefix / 4);
            prop_assert!(networks(&[&network]).contains(v4.into()));
        }
    }
}
