//! The rules of a preset by which an answer is judged, as they are written in TOML.

mod limit;

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::pointer::Pointer;
use super::template::Template;
use super::xml::XmlPath;
use crate::collectors::marketplace::result::Outcome;
use crate::config::types::from_text;

pub use limit::{Names, RateLimit, Reset, ResetForm, Source};

/// All that an answer to one probe is judged by. What contradicts itself is found by [`Rules::check`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// What the body is.
    pub expect: Expect,
    /// What is looked for first; the first that holds decides.
    pub classify: Vec<Classify>,
    /// What makes it a success, when nothing before has decided.
    pub success: Success,
    /// Numbers of the business in the body.
    pub extract: Vec<Extract>,
    /// What the answer says of the account's limits.
    pub rate_limit: Vec<RateLimit>,
}

/// What the body of a good answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// Anything at all.
    #[default]
    Any,
    /// JSON.
    Json,
    /// XML.
    Xml,
}

/// One rule: under this condition, this result.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classify {
    /// When it holds.
    pub when: Condition,
    /// What the result then is.
    pub result: Outcome,
    /// Where the answer names its error.
    pub code_from: Option<CodeFrom>,
    /// The names that become the label `error_code`; all else is `other`.
    #[serde(default)]
    pub codes: Vec<String>,
}

/// Where an answer names its error: a JSON pointer, which begins with `/`, or the path of elements of XML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeFrom {
    /// In a body of JSON; keys in the case that the condition beside it wants.
    Json(Pointer),
    /// In one of XML.
    Xml(XmlPath),
}

impl FromStr for CodeFrom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('/') { text.parse().map(Self::Json) } else { text.parse().map(Self::Xml) }
    }
}

impl<'de> Deserialize<'de> for CodeFrom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

/// What is asked of an answer. Of all that is said, everything must hold; something must be said.
///
/// Of a body that is no JSON nothing can be said by `json`, not even that something is missing, and likewise by `xml`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// The status is one of these.
    pub status: Option<Vec<u16>>,
    /// The content type begins with this, whatever its case.
    pub content_type: Option<String>,
    /// The body has these words, as they are or escaped in JSON.
    pub body_contains: Option<String>,
    /// The account is of this environment.
    pub environment: Option<String>,
    /// A place in a body of JSON, which must be there unless `exists` says otherwise.
    pub json: Option<Pointer>,
    /// The same in one of XML: one of the elements at this path.
    pub xml: Option<XmlPath>,
    /// Whether there is something at that place.
    pub exists: Option<bool>,
    /// It is this.
    pub equals: Option<Scalar>,
    /// It is one of these.
    #[serde(rename = "in")]
    pub one_of: Option<Vec<Scalar>>,
    /// It is of this type.
    #[serde(rename = "type")]
    pub kind: Option<Kind>,
    /// Whether upper and lower case are alike, in `body_contains` (the Turkish letters i too) and in the keys of `json`.
    pub ignore_case: bool,
}

/// A value that can be compared: in JSON with a value of its type.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Text; in XML everything is.
    Text(String),
}

/// The types of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `[…]`.
    Array,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// `{…}`.
    Object,
    /// Text.
    String,
}

/// What makes an answer a success.
///
/// A status that is called a success is one, whatever statuses otherwise mean, but for 429 when it is not named itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Success {
    /// Its status is one of these; 200 when neither of the three says anything.
    pub status: Option<Vec<u16>>,
    /// Its status is below this.
    pub status_below: Option<u16>,
    /// Its status is from the first of these to the second.
    pub status_range: Option<[u16; 2]>,
    /// All of this holds.
    pub require: Vec<Condition>,
}

/// A number of the business, taken from the body of a success.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// Which of the closed list.
    pub metric: Business,
    /// Its labels: text, or `{{item./pointer}}` for what stands there in the element of `foreach`.
    #[serde(default)]
    pub labels: BTreeMap<String, Template>,
    /// One number for each element of this array, in which `value` then looks.
    pub foreach: Option<Pointer>,
    /// Where it is.
    pub value: Place,
    /// Whether it may be missing, or be no such number. One that may not, and is, makes the answer `invalid_response`.
    #[serde(default)]
    pub optional: bool,
}

/// The closed list of numbers of the business; `marketplace_<name>` on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Business {
    /// Listings that the marketplace has suspended, by `site`.
    AccountSuspendedListings,
    /// When a credential expires, by `credential`.
    AuthCredentialExpiryTimestampSeconds,
    /// Listings, by `status`.
    Listings,
    /// Listings with errors.
    ListingsWithErrors,
    /// When the newest order was changed.
    OrderNewestTimestampSeconds,
    /// Open orders.
    OrdersOpen,
    /// How many of something the account may have or do, by `quota`.
    QuotaLimit,
    /// How many of them it has or has done, by `quota`.
    QuotaUsed,
    /// How the marketplace rates the seller, by `rating`.
    SellerRating,
    /// Anything else, by `name`.
    Value,
}

/// Where a number is, and what it counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// In a body of JSON.
    pub json: Option<Pointer>,
    /// In one of XML.
    pub xml: Option<XmlPath>,
    /// How it is written.
    #[serde(default)]
    pub unit: Unit,
    /// Whether upper and lower case are alike in keys.
    #[serde(default)]
    pub ignore_case: bool,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A number, or text that is one.
    #[default]
    Number,
    /// `true` is 1.
    Bool,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMs,
    /// A time as RFC 3339 writes it.
    Rfc3339,
}
