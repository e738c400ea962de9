//! What a configuration says of a shop's pages: which shop it is, where it lives, and rules of its own.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use super::Route;
use super::arguments::Condition;
use super::normal::{self, LIMIT};
use super::paths::Pattern;
use crate::config::meant;

/// A shop system whose pages are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// OpenCart 3.
    Opencart3,
    /// OpenCart 4, of all its ways to write a method: `/`, `|` and `.`.
    Opencart4,
    /// WooCommerce, and the WordPress around it.
    Woocommerce,
    /// Magento 2 and its editions.
    Magento2,
    /// PrestaShop 1.6 to 9.
    Prestashop,
    /// Laravel as its own documentation lays a shop out, and Bagisto.
    Laravel,
}

impl Preset {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Opencart3, Self::Opencart4, Self::Woocommerce, Self::Magento2, Self::Prestashop, Self::Laravel];

    /// Its word in the configuration and in the table of routes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opencart3 => "opencart3",
            Self::Opencart4 => "opencart4",
            Self::Woocommerce => "woocommerce",
            Self::Magento2 => "magento2",
            Self::Prestashop => "prestashop",
            Self::Laravel => "laravel",
        }
    }
}

/// `shop = "opencart4"`, or a list where one log is written by several; none knows common words alone.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
pub struct Shops(pub(super) Several<Preset>);

impl Shops {
    /// They.
    #[must_use]
    pub fn presets(&self) -> &[Preset] {
        &self.0.0
    }
}

/// `base = "/shop"`, or a list: where the shop begins.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
pub struct Base(pub(super) Several<UrlPath>);

/// `admin_path = "/backoffice"`: where the administration is, if not where the shop system puts it.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
pub struct AdminPath(pub(super) Several<UrlPath>);

/// A path as a browser shows it: `/backoffice`.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(try_from = "String")]
pub(super) struct UrlPath(pub(super) Pattern);

impl TryFrom<String> for UrlPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        pattern(&text).map(Self)
    }
}

/// `[[access_log.targets.<name>.routes]]`: what some pages are.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(try_from = "Raw")]
pub struct Rule {
    pub(super) route: Route,
    /// These paths and all below them.
    pub(super) below: Vec<Pattern>,
    /// These paths alone.
    pub(super) exact: Vec<Pattern>,
    /// Paths that end so.
    pub(super) suffix: Vec<String>,
    /// Paths with this in them.
    pub(super) contains: Vec<String>,
    /// What an argument has to be, too.
    pub(super) condition: Option<Condition>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    route: String,
    #[serde(default)]
    path: Several<String>,
    #[serde(default)]
    exact: Several<String>,
    #[serde(default)]
    suffix: Several<String>,
    #[serde(default)]
    contains: Several<String>,
    argument: Option<String>,
    value: Option<String>,
}

impl Rule {
    /// Whether it is about paths, not about an argument alone.
    pub(super) fn has_paths(&self) -> bool {
        [self.below.is_empty(), self.exact.is_empty(), self.suffix.is_empty(), self.contains.is_empty()]
            .contains(&false)
    }

    /// How many things it compares with.
    pub(super) fn len(&self) -> usize {
        self.below.len()
            + self.exact.len()
            + self.suffix.len()
            + self.contains.len()
            + usize::from(self.condition.is_some())
    }
}

impl TryFrom<Raw> for Rule {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let Raw { route: name, path, exact, suffix, contains, argument, value } = raw;
        let labels: Vec<_> = Route::ALL.iter().map(|route| route.as_str()).collect();
        let route = Route::of_label(&name).ok_or_else(|| format!("`{name}` is no route\n{}", meant(&name, &labels)))?;
        let condition = match (argument, value) {
            (Some(argument), value) => Some(Condition::new(word(&argument)?, value.as_deref().map(word).transpose()?)),
            (None, Some(value)) => {
                return Err(format!(
                    "`{value}` is the value of no argument\nname it: argument = \"route\", value = \"{value}\""
                ));
            }
            (None, None) => None,
        };
        for text in suffix.0.iter().chain(&contains.0) {
            word(text)?;
        }
        let patterns = |list: Several<String>| list.0.iter().map(|text| pattern(text)).collect::<Result<Vec<_>, _>>();
        let rule = Self {
            route,
            below: patterns(path)?,
            exact: patterns(exact)?,
            suffix: suffix.0,
            contains: contains.0,
            condition,
        };
        if rule.len() == 0 {
            return Err(format!(
                "nothing is said of which pages are `{name}`\nadd path = \"/kasa\", or exact, suffix, contains or argument"
            ));
        }
        Ok(rule)
    }
}

/// A path as somebody writes it.
fn pattern(text: &str) -> Result<Pattern, String> {
    let mut buffer = [0; LIMIT];
    let path = Some(text).filter(|text| text.starts_with('/') && !text.contains('?'));
    let path = path.and_then(|path| normal::normal(path.as_bytes(), &mut buffer));
    path.map(Pattern::new).ok_or_else(|| {
        format!(
            "`{text}` is not a path\nwrite it from the first `/` on, without scheme, host and what is behind a `?`, for \
             example \"/kasa\""
        )
    })
}

/// A text that is there, and no longer than a path.
fn word(text: &str) -> Result<&str, String> {
    if (1..=LIMIT).contains(&text.len()) {
        return Ok(text);
    }
    Err(format!("a text of {} bytes is found nowhere\nwrite 1 to {LIMIT} bytes, or leave the key out", text.len()))
}

/// One of something, or a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Several<T>(pub(super) Vec<T>);

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeveralVisitor(PhantomData))
    }
}

struct SeveralVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SeveralVisitor<T> {
    type Value = Several<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in quotation marks, or a list of such")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Several<T>, E> {
        T::deserialize(StrDeserializer::new(text)).map(|one| Several(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Several<T>, A::Error> {
        let mut several = Vec::new();
        while let Some(one) = list.next_element()? {
            several.push(one);
        }
        Ok(Several(several))
    }
}
