//! Where a `stub_status` page is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::config::types::Address;

/// Where the page is: `http://127.0.0.1:8080/stub_status`, or `unix:/run/nginx.sock:/stub_status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusUrl {
    pub(super) address: Address,
    pub(super) path: String,
}

/// How to write it.
const WAY_OUT: &str = "write \"http://127.0.0.1:8080/stub_status\" or \"unix:/run/nginx.sock:/stub_status\"";

impl FromStr for StatusUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| Err(format!("`{text}` {why}\n{WAY_OUT}"));
        if let Some(rest) = text.strip_prefix("unix:") {
            let (socket, path) = rest.split_once(':').unwrap_or((rest, "/stub_status"));
            if !socket.starts_with('/') || !is_path(path) {
                return refuse("is not a socket and a path");
            }
            return Ok(Self { address: Address::Unix(PathBuf::from(socket)), path: path.to_owned() });
        }
        if text.starts_with("https://") {
            return refuse("is encrypted, which Vitrin does not do here: let nginx `listen 127.0.0.1:8080` for it");
        }
        let Some(rest) = text.strip_prefix("http://") else {
            return refuse("is not where a stub_status page is");
        };
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        if authority.contains('@') {
            // Not repeated: what stands before the `@` may be a password.
            return Err(format!(
                "a user name or password has no place in the address of a stub_status page\n{WAY_OUT}"
            ));
        }
        let host_only = !authority.rsplit(']').next().is_some_and(|end| end.contains(':'));
        let address = if host_only { format!("{authority}:80") } else { authority.to_owned() };
        match address.parse() {
            Ok(address @ Address::Tcp { .. }) if is_path(path) => Ok(Self { address, path: path.to_owned() }),
            _ => refuse("is not where a stub_status page is"),
        }
    }
}

/// Whether a request can be made for it as it stands.
fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

impl fmt::Display for StatusUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Unix(socket) => write!(f, "unix:{}:{}", socket.display(), self.path),
            address @ Address::Tcp { .. } => write!(f, "http://{address}{}", self.path),
        }
    }
}

impl<'de> Deserialize<'de> for StatusUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_read_and_shown_as_written() {
        for text in [
            "http://127.0.0.1:8080/stub_status",
            "http://[::1]:8080/nginx?x=1",
            "http://nginx:80/",
            "unix:/run/nginx.sock:/stub_status",
        ] {
            assert_eq!(text.parse::<StatusUrl>().unwrap().to_string(), text);
        }
        for (text, whole) in [
            ("http://nginx", "http://nginx:80/"),
            ("http://[::1]/s", "http://[::1]:80/s"),
            ("unix:/run/nginx.sock", "unix:/run/nginx.sock:/stub_status"),
        ] {
            assert_eq!(text.parse::<StatusUrl>().unwrap().to_string(), whole);
        }
    }

    #[test]
    fn a_wrong_address_says_how_to_write_it_and_repeats_no_password() {
        for (text, says) in [
            ("https://shop.example/stub_status", "is encrypted"),
            ("127.0.0.1:8080/stub_status", "is not where"),
            ("http://", "is not where"),
            ("http://a:b/", "is not where"),
            ("http://a:80/with space", "is not where"),
            ("unix:nginx.sock", "is not a socket"),
            ("http://user:canary@a/", "a user name or password"),
        ] {
            let message = text.parse::<StatusUrl>().unwrap_err();
            assert!(message.contains(says) && message.contains("\nwrite "), "{text}: {message}");
            assert!(!message.contains("canary"));
        }
    }

    proptest! {
        #[test]
        fn no_address_panics(text in "(http://|unix:|)[a-z0-9/:@\\[\\]?#. ]{0,30}") {
            text.parse::<StatusUrl>().ok();
        }
    }
}
