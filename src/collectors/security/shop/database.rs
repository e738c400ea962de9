//! Where the shop's configuration says that its database and its Redis are; its passwords are nowhere.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The database that the shop uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DatabaseUse {
    /// The account that it logs in with.
    pub(crate) user: Option<String>,
    /// The server, without its port; `localhost` and a path are sockets for PHP.
    pub(crate) host: Option<String>,
    /// The schema.
    pub(crate) name: Option<String>,
    /// The port, where it is named.
    pub(crate) port: Option<u16>,
    /// What the names of its tables begin with.
    pub(crate) prefix: Option<String>,
}

impl DatabaseUse {
    /// Whether what is said to it stays on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.host.as_deref().is_none_or(is_local)
    }
}

/// The Redis that the shop uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RedisUse {
    /// The server: a name, an address, the path of a socket, `tls://name`; `None` where it is not named.
    pub(crate) host: Option<String>,
    /// The port, where it is named.
    pub(crate) port: Option<u16>,
}

/// Whether a server is on this machine, as PHP takes its name. `p:` is mysqli's sign for a connection that is kept.
fn is_local(host: &str) -> bool {
    let host = host.strip_prefix("p:").unwrap_or(host);
    let host = ["tcp://", "tls://"].iter().find_map(|scheme| host.strip_prefix(scheme)).unwrap_or(host);
    let bare = host.trim_matches(['[', ']']);
    host.is_empty()
        || host.starts_with('/')
        || host.starts_with("unix:")
        || host.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
}

/// A server and its port, or the socket, of `host:port` and `host:/path`.
pub(super) fn place(text: &str) -> (String, Option<u16>) {
    if let Some((_, socket)) = text.split_once(':').filter(|(_, rest)| rest.starts_with('/') && !rest.starts_with("//"))
    {
        return (socket.to_owned(), None);
    }
    match text.rsplit_once(':') {
        // Of an IPv6 address only one in brackets has a port.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') || host.contains("//") => match port.parse() {
            Ok(port) => (host.to_owned(), Some(port)),
            Err(_) => (text.to_owned(), None),
        },
        _ => (text.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_this_machine_is_known_by_its_name() {
        for (host, expected) in [
            ("localhost", true),
            ("p:localhost", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("::ffff:127.0.0.1", true),
            ("/run/redis/redis.sock", true),
            ("tls://127.0.0.1", true),
            ("unix:///run/redis.sock", true),
            ("db.internal", false),
            ("tls://cache.internal", false),
            ("10.0.0.5", false),
            ("localhost.example", false),
        ] {
            assert_eq!(is_local(host), expected, "{host}");
        }
    }

    #[test]
    fn a_place_is_a_server_and_a_port_or_a_socket() {
        for (text, host, port) in [
            ("localhost", "localhost", None),
            ("db:3307", "db", Some(3307)),
            ("localhost:/run/mysqld/mysqld.sock", "/run/mysqld/mysqld.sock", None),
            ("tls://cache:6380", "tls://cache", Some(6380)),
            ("tls://cache", "tls://cache", None),
            ("::1", "::1", None),
            ("[::1]:3306", "[::1]", Some(3306)),
        ] {
            assert_eq!(place(text), (host.to_owned(), port), "{text}");
        }
    }
}
