//! `listen` and `pm.status_listen`, as addresses that can be asked.

use std::num::NonZeroU16;

use crate::config::types::Address;

/// Where a pool listens, or why that cannot be told.
pub(super) type Listen = Result<Address, String>;

/// `listen` as an address one can connect to: a port, an address and a port, or a socket's path.
pub(super) fn listen(text: &str, prefix: &str) -> Listen {
    if text.contains("${") {
        // Only FPM knows its environment.
        return Err(format!("`{text}` is set by a variable of FPM's environment; list the pool's address in `pools`"));
    }
    if let Ok(port) = text.parse::<NonZeroU16>() {
        return Ok(Address::Tcp { host: LOOPBACK.to_owned(), port: port.get() });
    }
    if text.starts_with('/') {
        return Ok(Address::Unix(text.into()));
    }
    if !text.contains(':') {
        return Ok(Address::Unix(format!("{}/{text}", prefix.trim_end_matches('/')).into()));
    }
    match text.parse() {
        Ok(Address::Tcp { host, port }) if ["*", "0.0.0.0", "::"].contains(&host.as_str()) => {
            Ok(Address::Tcp { host: LOOPBACK.to_owned(), port })
        }
        Ok(address) => Ok(address),
        Err(_) => Err(format!("`{text}` is not an address")),
    }
}

/// `listen` as FPM binds it: a port alone is all addresses, of IPv6 and, at Linux's default, of IPv4 as well.
pub(super) fn bound(text: &str, prefix: &str) -> Listen {
    let port = text.strip_prefix("*:").unwrap_or(text);
    match (port.parse::<NonZeroU16>(), text.parse()) {
        (Ok(port), _) => Ok(Address::Tcp { host: "::".to_owned(), port: port.get() }),
        (_, Ok(Address::Tcp { host, port })) if ["0.0.0.0", "::"].contains(&host.as_str()) => {
            Ok(Address::Tcp { host, port })
        }
        _ => listen(text, prefix),
    }
}

/// Where a pool is asked that listens on all addresses: `[::]` takes IPv4 as well, at Linux's default, and
/// `listen.allowed_clients` commonly names this one.
const LOOPBACK: &str = "127.0.0.1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bound_to_all_addresses_is_said_to_be() {
        for (text, address) in [
            ("9000", "[::]:9000"),
            ("*:9000", "[::]:9000"),
            ("0.0.0.0:9000", "0.0.0.0:9000"),
            ("[::]:9000", "[::]:9000"),
            ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("run/a.sock", "/usr/local/run/a.sock"),
        ] {
            assert_eq!(bound(text, "/usr/local").unwrap().to_string(), address, "{text}");
        }
        assert!(bound("${FPM_LISTEN}", "/").is_err() && bound("*:${PORT}", "/").is_err());
    }

    #[test]
    fn every_way_to_write_listen_leads_somewhere() {
        for (text, address) in [
            ("9000", "127.0.0.1:9000"),
            ("0.0.0.0:9000", "127.0.0.1:9000"),
            ("*:9000", "127.0.0.1:9000"),
            ("[::]:9000", "127.0.0.1:9000"),
            ("[::1]:9000", "[::1]:9000"),
            ("10.0.0.7:9000", "10.0.0.7:9000"),
            ("/run/a.sock", "/run/a.sock"),
            ("var/run/a.sock", "/usr/local/var/run/a.sock"),
        ] {
            assert_eq!(listen(text, "/usr/local").unwrap().to_string(), address, "{text}");
        }
        assert!(listen("${FPM_LISTEN}", "/").unwrap_err().contains("environment"));
        assert!(listen("host:port", "/").is_err());
        assert_ne!(listen("0", "/").ok(), Some(Address::Tcp { host: LOOPBACK.to_owned(), port: 0 }));
    }
}
