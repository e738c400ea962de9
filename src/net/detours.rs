//! Where a host is instead of where its name leads: the key `resolve`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::config::types::Address;

/// Where connections go that are for `host:port`, by that in lower case (`[::1]:443`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detours(pub(crate) BTreeMap<String, SocketAddr>);

impl<'de> Deserialize<'de> for Detours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut detours = BTreeMap::new();
        for (from, to) in BTreeMap::<Address, String>::deserialize(deserializer)? {
            let wrong = || {
                let message = format!(
                    "`{from}` cannot be sent to `{to}`\nwrite resolve = {{ \"api.example.com:443\" = \"127.0.0.1:8443\" }}"
                );
                D::Error::custom(message)
            };
            let address: SocketAddr = to.parse().map_err(|_| wrong())?;
            if from.socket().is_some() {
                return Err(wrong());
            }
            detours.insert(from.to_string().to_ascii_lowercase(), address);
        }
        Ok(Self(detours))
    }
}
