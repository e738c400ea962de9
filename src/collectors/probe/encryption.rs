//! The key `tls` of a target: what is probed, or how the server of a page is trusted.

use std::fmt;
use std::path::PathBuf;

use rustls::pki_types::ServerName;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor, value::MapAccessDeserializer};

use super::tcp::Place;
use crate::tls::Settings;

/// `tls = "host:port"`, or `tls = { … }`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Encryption {
    /// What is probed, for a target of the kind `tls`.
    pub(crate) address: Option<Place>,
    /// How the server is trusted.
    pub(crate) settings: Settings,
    /// Whether it is asked for versions of TLS that are out of date.
    pub(crate) legacy_versions: bool,
}

impl Default for Encryption {
    fn default() -> Self {
        Self { address: None, settings: Settings::default(), legacy_versions: true }
    }
}

/// The table.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    address: Option<Place>,
    legacy_versions: Option<bool>,
    ca_file: Option<PathBuf>,
    insecure: Option<bool>,
    cert_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    server_name: Option<String>,
}

impl<'de> Deserialize<'de> for Encryption {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EncryptionVisitor)
    }
}

struct EncryptionVisitor;

impl<'de> Visitor<'de> for EncryptionVisitor {
    type Value = Encryption;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address, \"mail.example:465\", or a table, { ca_file = \"/etc/ssl/shop.pem\" }")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Encryption, E> {
        let address = text.parse().map_err(E::custom)?;
        Ok(Encryption { address: Some(address), ..Encryption::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Encryption, A::Error> {
        let keys = Keys::deserialize(MapAccessDeserializer::new(map))?;
        let Keys { address, legacy_versions, ca_file, insecure, cert_file, key_file, server_name } = keys;
        let settings = Settings { ca_file, insecure: insecure.unwrap_or_default(), cert_file, key_file, server_name };
        settings.check().map_err(A::Error::custom)?;
        if let Some(name) = &settings.server_name {
            ServerName::try_from(name.as_str()).map_err(|_| {
                A::Error::custom(format!("`{name}` is not a name that a certificate can carry\nwrite \"shop.example\""))
            })?;
        }
        Ok(Encryption { address, settings, legacy_versions: legacy_versions.unwrap_or(true) })
    }
}
