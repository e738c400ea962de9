//! The way to a server: its name resolved, one of its addresses chosen, a connection made.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::threads::Threads;
use crate::collector::{Failure, Reason};

/// How many addresses of a name are tried.
const ADDRESSES: usize = 4;

/// Which of a name's addresses count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Family {
    /// All, in the order in which the system prefers them.
    #[default]
    #[serde(rename = "any")]
    Any,
    /// IPv4 alone.
    #[serde(rename = "4")]
    V4,
    /// IPv6 alone.
    #[serde(rename = "6")]
    V6,
}

impl Family {
    fn takes(self, address: &SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::V4 => " of IPv4",
            Self::V6 => " of IPv6",
        }
    }
}

/// The addresses of a host, as this machine's resolver gives them (`/etc/hosts` too): at least one.
///
/// # Errors
/// `connect`, when there is none of that family; `bug`, when the resolver panics.
pub(crate) async fn resolve(
    host: &str,
    port: u16,
    family: Family,
    threads: &Threads,
) -> Result<Vec<SocketAddr>, Failure> {
    let found = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => lookup(host.to_owned(), port, threads).await?,
    };
    let all = found.len();
    let mut addresses: Vec<_> = found.into_iter().filter(|address| family.takes(address)).collect();
    if addresses.is_empty() {
        let but = if all == 0 { "" } else { ", only of the other kind" };
        let message = format!("`{host}` has no address{}{but}", family.word());
        return Err(Failure::message(Reason::Connect, message));
    }
    addresses.truncate(ADDRESSES);
    Ok(addresses)
}

async fn lookup(host: String, port: u16, threads: &Threads) -> Result<Vec<SocketAddr>, Failure> {
    let name = host.clone();
    let found = threads.run(move || (name.as_str(), port).to_socket_addrs().map(Iterator::collect)).await?;
    found.map_err(|error: io::Error| {
        // `failed to lookup address information: ` says nothing that is not said here.
        let text = error.to_string();
        let text = text.rsplit_once("information: ").map_or(text.as_str(), |(_, cause)| cause);
        Failure::message(Reason::Connect, format!("`{host}` does not resolve: {text}"))
    })
}

/// A connection to the first of these addresses that takes one; those that do not answer share the time until `deadline`.
///
/// # Errors
/// `connect`, or `timeout` when the last one did not answer.
pub(crate) async fn connect(addresses: &[SocketAddr], deadline: Instant) -> Result<(TcpStream, SocketAddr), Failure> {
    reach(addresses, deadline).await.map_err(|unreached| unreached.failure)
}

/// Addresses of which none took a connection.
#[derive(Debug)]
pub(crate) struct Unreached {
    /// What came of each.
    pub(crate) failure: Failure,
    /// Whether each of them said that nobody listens there.
    pub(crate) is_refused: bool,
}

/// The same for who must tell a closed port from one that is out of reach.
pub(crate) async fn reach(addresses: &[SocketAddr], deadline: Instant) -> Result<(TcpStream, SocketAddr), Unreached> {
    let mut met = Vec::new();
    let mut silent = false;
    let mut is_refused = !addresses.is_empty();
    for (tried, address) in addresses.iter().enumerate() {
        let others = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let until = Instant::now() + deadline.saturating_duration_since(Instant::now()) / others;
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A request is written at once; it is not to wait for more.
                stream.set_nodelay(true).ok();
                return Ok((stream, *address));
            }
            Ok(Err(error)) => {
                silent |= error.kind() == io::ErrorKind::TimedOut;
                is_refused &= error.kind() == io::ErrorKind::ConnectionRefused;
                met.push(format!("{address}: {error}"));
            }
            Err(_) => {
                silent = true;
                is_refused = false;
                met.push(format!("{address}: no answer"));
            }
        }
    }
    let reason = if silent { Reason::Timeout } else { Reason::Connect };
    Err(Unreached { failure: Failure::message(reason, format!("connecting to {}", met.join(", "))), is_refused })
}

/// Whether an address is of a network that is not the public internet's, this machine's included: where a stranger's
/// redirect must not lead us.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                // This network (RFC 1122), carriers' own (RFC 6598), protocol assignments and benchmarks, reserved.
                || a == 0
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b))
                || a >= 240
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let embedded = |high: u16, low: u16| {
                let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                is_private(IpAddr::from([a, b, c, d]))
            };
            if let Some(v4) = v6.to_ipv4() {
                // `::ffff:10.0.0.1`, and the loopback and unspecified addresses with what is left of `::10.0.0.1`.
                return v6.is_loopback() || is_private(IpAddr::V4(v4));
            }
            match segments {
                // NAT64 and 6to4 lead to the IPv4 address within.
                [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
                // Of all else only 2000::/3 is the public internet's, and of that not what leads elsewhere by itself
                // (Teredo and others, RFC 2928).
                [0x2001, ..0x200, ..] => true,
                _ => segments[0] & 0xe000 != 0x2000,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_public_internet_is_private() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:0:7f00:1::",
            "::ffff:0:10.0.0.1",
            "5f00::1",
            "100::1",
        ] {
            assert!(is_private(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2001:4860::8888",
        ] {
            assert!(!is_private(text.parse().unwrap()), "{text}");
        }
    }

    #[tokio::test]
    async fn an_address_is_not_looked_up_and_must_be_of_the_family_asked_for() {
        let found = resolve("127.0.0.1", 80, Family::Any, &Threads::default()).await.unwrap();
        assert_eq!(found, ["127.0.0.1:80".parse().unwrap()]);
        let failure = resolve("::1", 80, Family::V4, &Threads::default()).await.unwrap_err();
        assert_eq!(failure.reason, Reason::Connect);
        assert_eq!(failure.to_string(), "`::1` has no address of IPv4, only of the other kind");
    }

    #[tokio::test]
    async fn a_name_that_is_none_does_not_resolve() {
        let failure = resolve("shop.invalid", 80, Family::Any, &Threads::default()).await.unwrap_err();
        assert_eq!(failure.reason, Reason::Connect);
        let message = failure.to_string();
        assert!(message.starts_with("`shop.invalid` does not resolve: ") && !message.contains("lookup"), "{message}");
    }
}
