//! What can be configured about the shop whose database this is.

use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// The longest name of a schema or table that servers know.
const NAME_CHARACTERS: usize = 64;

/// The shop: `shop = "opencart4"`, or a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shop {
    /// What it runs on.
    pub system: System,
    /// The schema of its tables; found when absent.
    pub schema: Option<Name>,
    /// What its tables' names begin with; found when absent.
    pub prefix: Option<Name>,
    /// The time zone that it writes its times in; the system's own when absent, else the server's.
    pub time_zone: Option<TimeZone>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    system: System,
    schema: Option<Name>,
    prefix: Option<Name>,
    time_zone: Option<TimeZone>,
}

impl<'de> Deserialize<'de> for Shop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShopVisitor)
    }
}

struct ShopVisitor;

impl<'de> Visitor<'de> for ShopVisitor {
    type Value = Shop;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a shop system ({}) or a table with `system`", System::names())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Shop, E> {
        let system = text.parse().map_err(E::custom)?;
        Ok(Shop { system, schema: None, prefix: None, time_zone: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Shop, A::Error> {
        let Raw { system, schema, prefix, time_zone } = Raw::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Shop { system, schema, prefix, time_zone })
    }
}

/// A system that shops run on; the words are those of `[access_log]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Magento 2, Adobe Commerce, Mage-OS.
    Magento2,
    /// `OpenCart` 3.
    OpenCart3,
    /// `OpenCart` 4.
    OpenCart4,
    /// `WooCommerce` with tables of its own for orders.
    WooCommerce,
    /// `WooCommerce` whose orders are posts.
    WooCommercePosts,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::OpenCart3, Self::OpenCart4, Self::WooCommerce, Self::WooCommercePosts, Self::Magento2];

    /// The word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Magento2 => "magento2",
            Self::OpenCart3 => "opencart3",
            Self::OpenCart4 => "opencart4",
            Self::WooCommerce => "woocommerce",
            Self::WooCommercePosts => "woocommerce-posts",
        }
    }

    fn names() -> String {
        Self::ALL.map(|system| format!("\"{}\"", system.as_str())).join(", ")
    }
}

impl FromStr for System {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|system| system.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is no shop system whose tables Vitrin knows\none of {}", Self::names()))
    }
}

/// A schema's name, or what tables' names begin with: nothing that a statement could misread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one.
    pub(super) fn is_legal(text: &str) -> bool {
        text.len() <= NAME_CHARACTERS && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-$".contains(&b))
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if Self::is_legal(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("`{text}` is no name of a schema or table\nat most 64 letters, digits, `_`, `-` and `$`, as `oc_`"))
    }
}

/// A time zone as the server knows it: `+03:00`, or a name where its time zone tables are loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(String);

impl TimeZone {
    /// As the server takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TimeZone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let good = (1..=NAME_CHARACTERS).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_/+:-".contains(&b));
        if good {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "`{text}` is no time zone\nwrite \"+03:00\", or \"Europe/Istanbul\" where the server has loaded zones"
        ))
    }
}

macro_rules! deserialize_from_text {
    ($($type:ty),+) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::config::types::from_text(deserializer)
            }
        }
    )+};
}
deserialize_from_text!(System, Name, TimeZone);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Target {
        shop: Shop,
    }

    #[test]
    fn a_shop_is_a_word_or_a_table() {
        let word: Target = toml::from_str("shop = 'opencart4'").unwrap();
        assert_eq!((word.shop.system, word.shop.prefix), (System::OpenCart4, None));
        let table: Target =
            toml::from_str("[shop]\nsystem = 'magento2'\nschema = 'm2'\nprefix = ''\ntime_zone = '+03:00'").unwrap();
        assert_eq!(table.shop.system, System::Magento2);
        assert_eq!(table.shop.prefix.unwrap().as_str(), "");
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        for (text, message) in [
            ("shop = 'prestashop'", "is no shop system whose tables Vitrin knows"),
            ("shop = 4", "a shop system (\"opencart3\", "),
            ("shop = { system = 'opencart4', prefix = 'oc`' }", "is no name of a schema or table"),
            ("shop = { system = 'opencart4', time_zone = \"'; DROP\" }", "is no time zone"),
            ("shop = { system = 'opencart4', table = 'x' }", "unknown field `table`"),
            ("shop = { prefix = 'oc_' }", "missing field `system`"),
        ] {
            let error = toml::from_str::<Target>(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
