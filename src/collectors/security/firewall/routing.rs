//! Which way packets take from and to this machine, and which addresses are its own, as every user may see it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::listeners::unreadable;
use super::ranges::Range;
use crate::collector::Paths;
use crate::collectors::security::verdict::Known;
use crate::machine;

/// The most of a table that is read.
const TABLE_BYTES: u64 = 4 << 20;

/// The most routes that are kept: more has only who takes part in the routing of the internet.
const ROUTES: usize = 10_000;

/// The machine's routes and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Routing {
    /// Where each destination is reached, of its main table.
    pub(crate) routes: Vec<(Range, String)>,
    /// Its own addresses, those of the loopback among them.
    pub(crate) own: Vec<IpAddr>,
}

impl Routing {
    /// Reads procfs. Blocks.
    pub(crate) fn look(paths: &Paths) -> Known<Self> {
        let read = |name: &str| {
            machine::beginning(&machine::net(&paths.proc).join(name), TABLE_BYTES)
                .map_err(|error| unreadable(&format!("/proc/net/{name}"), &error))
        };
        let mut found = Self::default();
        found.routes.extend(read("route")?.lines().filter_map(route).take(ROUTES));
        found.own.extend(own(&read("fib_trie")?));
        // A kernel without IPv6 has neither.
        for line in read("ipv6_route").unwrap_or_default().lines() {
            found.routes.extend(route6(line).filter(|_| found.routes.len() < 2 * ROUTES));
        }
        found.own.extend(read("if_inet6").unwrap_or_default().lines().filter_map(address6).map(|(address, _)| address));
        Ok(found)
    }

    /// The interfaces that packets from the internet come in by: those of the default routes.
    pub(super) fn uplinks(&self) -> Vec<&str> {
        let is_default = |range: &Range| Range::network(range.first, 0) == Some(*range);
        let mut uplinks: Vec<_> =
            self.routes.iter().filter(|(range, _)| is_default(range)).map(|(_, name)| name.as_str()).collect();
        uplinks.sort_unstable();
        uplinks.dedup();
        uplinks
    }

    /// The interface that an address is reached by.
    pub(super) fn towards(&self, address: IpAddr) -> Option<&str> {
        let holding = self.routes.iter().filter(|(range, _)| range.contains(address));
        // Of ranges that hold the same address, the smaller lies within the larger.
        holding
            .max_by(|(one, _), (other, _)| one.first.cmp(&other.first).then(other.last.cmp(&one.last)))
            .map(|(_, name)| name.as_str())
    }
}

/// Whether the machine has an address of IPv6 whose scope is global (`00`): unique local ones (`fd00::/8`) are among
/// them, since a translator may stand before them.
pub(crate) fn has_public_ipv6(paths: &Paths) -> Known<bool> {
    match machine::beginning(&machine::net(&paths.proc).join("if_inet6"), TABLE_BYTES) {
        Ok(text) => Ok(text.lines().filter_map(address6).any(|(_, scope)| scope == 0)),
        // Without the module there is no such table, while all the others are there.
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound && machine::net(&paths.proc).join("tcp").exists() =>
        {
            Ok(false)
        }
        Err(error) => Err(unreadable("/proc/net/if_inet6", &error)),
    }
}

/// A line of `/proc/net/route`: words in the machine's own order. A route that is not up, or rejects, leads nowhere.
pub(super) fn route(line: &str) -> Option<(Range, String)> {
    const UP: u32 = 1;
    const REJECT: u32 = 0x200;
    let fields: Vec<_> = line.split_ascii_whitespace().collect();
    let [name, destination, _, flags, _, _, _, mask, ..] = fields[..] else { return None };
    let address = |text: &str| u32::from_str_radix(text, 16).ok().map(|word| Ipv4Addr::from(word.to_ne_bytes()));
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let prefix = address(mask)?.to_bits().leading_ones();
    let range = Range::network(address(destination)?.into(), prefix)?;
    (flags & (UP | REJECT) == UP).then(|| (range, name.to_owned()))
}

/// A line of `/proc/net/ipv6_route`. Those of the loopback are the machine's own addresses, and what it rejects.
pub(super) fn route6(line: &str) -> Option<(Range, String)> {
    let fields: Vec<_> = line.split_ascii_whitespace().collect();
    let (destination, prefix, name) = (fields.first()?, fields.get(1)?, fields.get(9)?);
    let address = Ipv6Addr::from_bits(u128::from_str_radix(destination, 16).ok()?);
    let range = Range::network(address.into(), u32::from_str_radix(prefix, 16).ok()?)?;
    (*name != "lo").then(|| (range, (*name).to_owned()))
}

/// A line of `/proc/net/if_inet6`: an address, and its scope.
pub(super) fn address6(line: &str) -> Option<(IpAddr, u8)> {
    let mut fields = line.split_ascii_whitespace();
    let address = u128::from_str_radix(fields.next()?, 16).ok()?;
    Some((Ipv6Addr::from_bits(address).into(), u8::from_str_radix(fields.nth(2)?, 16).ok()?))
}

/// The addresses of the machine in `/proc/net/fib_trie`: the leaves of the type `LOCAL`.
pub(super) fn own(text: &str) -> Vec<IpAddr> {
    let (mut found, mut leaf) = (Vec::new(), None);
    for line in text.lines().map(str::trim_start) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.trim().parse::<IpAddr>().ok();
        } else if line.trim_end() == "/32 host LOCAL" {
            found.extend(leaf);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    /// A machine with an uplink, a bridge of containers and a private cable; recorded from Linux 6.18.
    const ROUTE: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
        eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
        eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
        docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
    const FIB_TRIE: &str = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n\
        \x20    +-- 127.0.0.0/8 2 0 2\n           |-- 127.0.0.0\n              /8 host LOCAL\n\
        \x20          |-- 127.0.0.1\n              /32 host LOCAL\n           |-- 192.0.2.0\n\
        \x20             /24 link UNICAST\n           |-- 192.0.2.2\n              /32 host LOCAL\n\
        \x20       |-- 192.0.2.255\n           /32 link BROADCAST\n";
    const IPV6_ROUTE: &str = "\
        fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n\
        00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0\n\
        00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n";

    fn machine(if_inet6: Option<&str>) -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let net = folder.path().join("net");
        fs::create_dir(&net).unwrap();
        let tables = [("route", ROUTE), ("fib_trie", FIB_TRIE), ("ipv6_route", IPV6_ROUTE), ("tcp", "")];
        for (name, text) in tables.into_iter().chain(if_inet6.map(|text| ("if_inet6", text))) {
            fs::write(net.join(name), text).unwrap();
        }
        let paths = Paths { proc: folder.path().to_owned(), ..Paths::default() };
        (folder, paths)
    }

    #[test]
    fn uplinks_are_the_interfaces_of_default_routes() {
        let (_folder, paths) = machine(Some("fd000000000000000000000000000002 04 40 00 82     eth0\n"));
        let routing = Routing::look(&paths).unwrap();
        assert_eq!(routing.uplinks(), ["eth0"]);
        let towards = |address: &str| routing.towards(address.parse().unwrap()).map(str::to_owned);
        assert_eq!(towards("172.17.0.2").as_deref(), Some("docker0"));
        assert_eq!(towards("203.0.113.9").as_deref(), Some("eth0"));
        let own: Vec<_> = routing.own.iter().map(ToString::to_string).collect();
        assert_eq!(own, ["127.0.0.1", "192.0.2.2", "fd00::2"]);
        assert!(Routing::look(&Paths { proc: "/nowhere".into(), ..Paths::default() }).is_err());
    }

    #[test]
    fn ipv6_is_public_where_an_address_is_global() {
        let local = "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n";
        let global = format!("{local}20010db8000000000000000000000002 02 40 00 80     eth0\n");
        for (table, expected) in [(Some(local), Ok(false)), (Some(global.as_str()), Ok(true)), (None, Ok(false))] {
            let (_folder, paths) = machine(table);
            assert_eq!(has_public_ipv6(&paths), expected);
        }
        assert!(has_public_ipv6(&Paths { proc: "/nowhere".into(), ..Paths::default() }).is_err(), "nothing was seen");
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "[0-9A-Fa-z \t|/.+-]{0,120}", any: String) {
            for line in [&line, &any] {
                let _known = (route(line), route6(line), address6(line), own(line));
            }
        }
    }
}
