//! The rules by which it is read what an answer says of limits.

use serde::Deserialize;

use crate::collectors::marketplace::judge::pointer::Pointer;
use crate::collectors::marketplace::judge::template::Template;
use crate::config::types::Period;

/// What an answer says of a limit. Of several names the first that is there counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// What the limit is called: text, or, with `foreach`, `{{0./pointer}}` for what stands there in the element of the
    /// first of its levels, `{{1./…}}` of the second. Of two limits of one name the one counts of which less is left.
    pub bucket: Template,
    /// Where it is said.
    #[serde(default)]
    pub source: Source,
    /// Requests that the window allows.
    #[serde(default)]
    pub limit: Names,
    /// Requests that are left of it.
    #[serde(default)]
    pub remaining: Names,
    /// Requests a second by which it fills up again.
    #[serde(default)]
    pub rate: Names,
    /// When it is full again.
    pub reset: Option<Reset>,
    /// How long the window is.
    pub window: Option<Period>,
    /// Where that is said, in seconds.
    #[serde(default)]
    pub window_from: Names,
    /// Of a body, the arrays within arrays whose elements each say something.
    #[serde(default)]
    pub foreach: Vec<Pointer>,
    /// The buckets that are shown, `*` for any ending; all when empty.
    #[serde(default)]
    pub allow: Vec<String>,
    /// How many buckets at most; the rest is dropped.
    #[serde(default = "forty")]
    pub max_buckets: usize,
    /// Whether it may be missing. When one is that may not, `vitrin check --once` says so; it changes no result.
    #[serde(default)]
    pub optional: bool,
}

const fn forty() -> usize {
    40
}

/// Where a limit is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// In headers.
    #[default]
    Header,
    /// In the body.
    Body,
}

/// Names of headers, or pointers into the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrMore")]
pub struct Names(pub Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl From<OneOrMore> for Names {
    fn from(written: OneOrMore) -> Self {
        match written {
            OneOrMore::One(name) => Self(vec![name]),
            OneOrMore::More(names) => Self(names),
        }
    }
}

/// When a window ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// Where it is said.
    pub from: Names,
    /// How it is written.
    #[serde(rename = "as")]
    pub form: ResetForm,
}

/// How the end of a window is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetForm {
    /// Seconds from now when below a million, milliseconds since 1970 when above a hundred thousand million, and else
    /// seconds since 1970.
    Auto,
    /// Seconds from now.
    DeltaSeconds,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMs,
    /// As RFC 3339 writes it.
    Rfc3339,
    /// As HTTP writes it (RFC 9110, section 5.6.7).
    HttpDate,
}
