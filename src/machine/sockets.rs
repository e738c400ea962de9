//! Who listens where: `/proc/net/tcp`, `tcp6` and `unix`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use super::beginning;
use crate::config::types::Address;

/// The most of a table that is read: 100,000 sockets.
const TABLE_BYTES: u64 = 16 << 20;

/// The most listening sockets that are returned of each kind.
const SOCKETS: usize = 4_096;

/// A TCP socket that takes connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tcp {
    /// Its port.
    pub port: u16,
    /// The address it is bound to; `0.0.0.0` and `::` are all of them.
    pub ip: IpAddr,
    /// Whom its owner ran as when it was made; `None` where several share the port on different addresses.
    pub user: Option<u32>,
}

impl Tcp {
    /// Where this machine itself reaches it.
    #[must_use]
    pub fn address(&self) -> Address {
        let host = match self.ip {
            // `[::]` takes IPv4 as well, at Linux's default.
            ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
            ip => ip.to_string(),
        };
        Address::Tcp { host, port: self.port }
    }
}

/// One listening socket for each port: the one on all addresses, else on the loopback, else the first.
pub(super) fn tcp(proc: &Path) -> Vec<Tcp> {
    let mut found = Vec::new();
    for table in ["net/tcp", "net/tcp6"] {
        // A kernel without IPv6 has no such table.
        let text = beginning(&proc.join(table), TABLE_BYTES).unwrap_or_default();
        found.extend(text.lines().filter_map(listening).take(SOCKETS));
    }
    found.sort_by_key(|socket| {
        (socket.port, !socket.ip.is_unspecified(), !socket.ip.is_loopback(), socket.ip, socket.user)
    });
    found.dedup_by(|other, kept| {
        let is_same = other.port == kept.port;
        if is_same && other.user != kept.user {
            kept.user = None;
        }
        is_same
    });
    found
}

/// Every listening socket of the host, each on its own.
pub(crate) fn listeners(proc: &Path) -> io::Result<Vec<Tcp>> {
    let net = super::net(proc);
    let mut text = beginning(&net.join("tcp"), TABLE_BYTES)?;
    match beginning(&net.join("tcp6"), TABLE_BYTES) {
        Ok(more) => text.push_str(&more),
        // A kernel without IPv6 has no such table.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(text.lines().filter_map(listening).take(2 * SOCKETS).collect())
}

/// A line of `/proc/net/tcp`, of a socket in the state `LISTEN` (`proc(5)`).
fn listening(line: &str) -> Option<Tcp> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (ip, port) = fields.next()?.split_once(':')?;
    if fields.nth(1)? != "0A" {
        return None;
    }
    let user = Some(fields.nth(3)?.parse().ok()?);
    Some(Tcp { port: u16::from_str_radix(port, 16).ok()?, ip: address(ip)?, user })
}

/// An address as the kernel prints it: words of 32 bits, each in the machine's own order.
fn address(text: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(text.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

/// The paths of listening stream sockets; without those that have no path (abstract names).
pub(super) fn unix(proc: &Path) -> Vec<PathBuf> {
    let text = beginning(&proc.join("net/unix"), TABLE_BYTES).unwrap_or_default();
    let mut found: Vec<_> = text.lines().filter_map(listening_path).take(SOCKETS).collect();
    found.sort();
    found.dedup();
    found
}

/// A line of `/proc/net/unix`: the flag `__SO_ACCEPTCON`, and the type `SOCK_STREAM`.
fn listening_path(line: &str) -> Option<PathBuf> {
    // A path may hold spaces.
    let (fields, path) = line.split_once(" /")?;
    let mut fields = fields.split_ascii_whitespace().skip(3);
    let listens = u32::from_str_radix(fields.next()?, 16).ok()? & 0x1_0000 != 0;
    (listens && fields.next()? == "0001").then(|| Path::new("/").join(path))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TCP: &str = include_str!("../../tests/fixtures/machine/debian-12-net-tcp");
    const TCP6: &str = include_str!("../../tests/fixtures/machine/debian-12-net-tcp6");
    const UNIX: &str = include_str!("../../tests/fixtures/machine/debian-12-net-unix");

    #[test]
    fn a_recorded_machine_s_listeners_are_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("net")).unwrap();
        for (name, text) in [("tcp", TCP), ("tcp6", TCP6), ("unix", UNIX)] {
            std::fs::write(folder.path().join("net").join(name), text).unwrap();
        }
        let shown: Vec<_> = tcp(folder.path())
            .iter()
            .map(|socket| format!("{} {} {:?}", socket.ip, socket.port, socket.user))
            .collect();
        expect_test::expect![[r#"
            0.0.0.0 80 Some(0)
            127.0.0.1 3306 Some(100)
            127.0.0.1 6379 Some(101)"#]]
        .assert_eq(&shown.join("\n"));
        let shown: Vec<_> = unix(folder.path()).iter().map(|path| path.display().to_string()).collect();
        expect_test::expect![[r#"
            /run/mysqld/mysqld.sock
            /run/php/php8.2-fpm.sock"#]]
        .assert_eq(&shown.join("\n"));
    }

    #[test]
    fn a_port_that_several_users_share_is_nobody_s() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("net")).unwrap();
        let lines = "0: 0100007F:18EB 0:0 0A 0:0 0:0 0 1000 0 1\n1: 0200007F:18EB 0:0 0A 0:0 0:0 0 101 0 2\n";
        std::fs::write(folder.path().join("net/tcp"), lines).unwrap();
        let found = tcp(folder.path());
        assert_eq!(found, [Tcp { port: 6379, ip: Ipv4Addr::LOCALHOST.into(), user: None }]);
    }

    #[test]
    fn a_listener_on_the_loopback_does_not_hide_another_on_the_same_port() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("net")).unwrap();
        let lines = "0: 0100007F:0CEA 0:0 0A 0:0 0:0 0 114 0 1\n1: 0A0200C0:0CEA 0:0 0A 0:0 0:0 0 114 0 2\n";
        std::fs::write(folder.path().join("net/tcp"), lines).unwrap();
        let found: Vec<_> = listeners(folder.path()).unwrap().iter().map(|socket| socket.ip.to_string()).collect();
        assert_eq!(found, ["127.0.0.1", "192.0.2.10"]);
        assert!(listeners(&folder.path().join("none")).is_err());
    }

    #[test]
    fn the_first_process_tells_of_the_host_and_not_of_a_container() {
        let folder = tempfile::tempdir().unwrap();
        for (table, line) in [("net", ""), ("1/net", "0: 00000000:0CEA 0:0 0A 0:0 0:0 0 114 0 1\n")] {
            std::fs::create_dir_all(folder.path().join(table)).unwrap();
            std::fs::write(folder.path().join(table).join("tcp"), line).unwrap();
        }
        assert_eq!(listeners(folder.path()).unwrap().len(), 1);
    }

    #[test]
    fn addresses_are_where_this_machine_reaches_them() {
        for (line, reached) in [
            ("0: 00000000:0CEA 00000000:0000 0A 0:0 00:0 0 114 0 5", "127.0.0.1:3306"),
            ("0: 0101007F:0CEA 00000000:0000 0A 0:0 00:0 0 114 0 5", "127.0.1.1:3306"),
            ("0: 00000000000000000000000001000000:18EB 0:0 0A 0:0 00:0 0 114 0 5", "[::1]:6379"),
            ("0: 00000000000000000000000000000000:18EB 0:0 0A 0:0 00:0 0 114 0 5", "127.0.0.1:6379"),
        ] {
            assert_eq!(listening(line).unwrap().address().to_string(), reached, "{line}");
        }
        assert_eq!(listening("0: 0100007F:0CEA 0100007F:9C40 01 0:0 00:0 0 114 0 5"), None, "a connection");
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "[0-9A-F: /a]{0,80}", any: String) {
            for line in [&line, &any] {
                listening(line);
                listening_path(line);
            }
        }
    }
}
