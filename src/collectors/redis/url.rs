//! Where a Redis listens, as the operator writes it.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::config::types::{Address, socket};

/// The port of a URL that names none.
pub(super) const PORT: u16 = 6379;

const EXAMPLES: &str = "write redis://127.0.0.1:6379, rediss://cache.example:6380/0 or unix:///run/redis/redis.sock";

/// `redis://host:port/db`, `rediss://host:port/db` for TLS, or `unix:///path`; never with a password in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisUrl {
    /// Host and port, or the path of a socket.
    pub address: Address,
    /// Whether to speak TLS (`rediss`).
    pub tls: bool,
    /// The database that key groups are looked for in when they name none.
    pub db: u32,
}

impl FromStr for RedisUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Before anything is repeated: what stands before an `@`, or behind a `?`, may be a password.
        if text.contains('@') {
            return Err("a user or password does not belong in the address\n\
                        write user = \"vitrin\" and password = { file = \"/etc/vitrin/redis\" } beside it"
                .to_owned());
        }
        if text.contains('?') {
            return Err(format!("an address takes no options\n{EXAMPLES}"));
        }
        let wrong = || format!("`{text}` is not a Redis address\n{EXAMPLES}");
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let tls = match scheme {
            "unix" if rest.starts_with('/') => {
                return Ok(Self { address: Address::Unix(socket(rest.into())?), tls: false, db: 0 });
            }
            "redis" => false,
            "rediss" => true,
            _ => return Err(wrong()),
        };
        let (place, db) = rest.split_once('/').unwrap_or((rest, ""));
        let db = if db.is_empty() { 0 } else { db.parse().map_err(|_| wrong())? };
        let has_port = !place.ends_with(']') && place.contains(':');
        let place = if has_port { place.to_owned() } else { format!("{place}:{PORT}") };
        let address: Address = place.parse().map_err(|_| wrong())?;
        // `redis:////run/redis.sock` has no host.
        address.socket().is_none().then_some(Self { address, tls, db }).ok_or_else(wrong)
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, self.tls) {
            (Address::Unix(path), _) => write!(f, "unix://{}", path.display()),
            (address, false) => write!(f, "redis://{address}"),
            (address, true) => write!(f, "rediss://{address}"),
        }
    }
}

impl<'de> Deserialize<'de> for RedisUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_place_a_port_and_a_database() {
        for (text, shown, db) in [
            ("redis://cache", "redis://cache:6379", 0),
            ("redis://cache:7000/3", "redis://cache:7000", 3),
            ("rediss://cache.example:6380/0", "rediss://cache.example:6380", 0),
            ("redis://[::1]", "redis://[::1]:6379", 0),
            ("redis://[::1]:7000/", "redis://[::1]:7000", 0),
            ("unix:///run/redis/redis.sock", "unix:///run/redis/redis.sock", 0),
        ] {
            let url: RedisUrl = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.db), (shown, db), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_redis_address_says_how_to_write_one() {
        for text in ["", "cache:6379", "http://cache", "redis://", "redis://a:0", "redis://a/x", "unix://run/r.sock"] {
            let error = text.parse::<RedisUrl>().unwrap_err();
            assert!(error.contains(&format!("`{text}`")) && error.contains("\nwrite redis://"), "{error}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        for text in ["redis://:hunter2@cache", "redis://me:hunter2@cache/0", "unix:///run/r.sock?password=hunter2"] {
            let error = text.parse::<RedisUrl>().unwrap_err();
            assert!(!error.contains("hunter2") && error.contains("\nwrite "), "{error}");
        }
    }
}
