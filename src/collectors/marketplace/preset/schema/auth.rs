//! `[auth]` and `[auth_named.<name>]`: who we are at the marketplace, one of five ways.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::Deserializer;

use super::headers::Headers;
use crate::collectors::marketplace::judge::rules::{Condition, Names};
use crate::collectors::marketplace::preset::template::Template;
use crate::config::types::{Period, from_text};

/// How requests say who they are of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Auth {
    /// They do not.
    None {},
    /// By headers with secrets in them.
    Headers {
        inject: Headers,
        #[serde(default)]
        static_expiry: Vec<StaticExpiry>,
    },
    /// By HTTP's basic authentication.
    Basic {
        username: Template,
        password: Template,
        #[serde(default)]
        static_expiry: Vec<StaticExpiry>,
    },
    /// By an access token that the shop's own integration writes into a file, since it alone may refresh it.
    BearerFile {
        token: Template,
        inject: Option<Headers>,
        /// Why it is this kind.
        #[serde(default)]
        rotates_refresh_token: bool,
        #[serde(default)]
        static_expiry: Vec<StaticExpiry>,
    },
    /// By an access token that is asked for (RFC 6749).
    #[serde(rename = "oauth2")]
    OAuth2(Box<OAuth2>),
}

impl Default for Auth {
    fn default() -> Self {
        Self::None {}
    }
}

/// How an access token is asked for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuth2 {
    pub(crate) token_url: Template,
    pub(crate) grant: Grant,
    #[serde(default)]
    pub(crate) client_auth: ClientAuth,
    pub(crate) client_id: Template,
    pub(crate) client_secret: Template,
    /// Of the form, beside `grant_type`.
    #[serde(default)]
    pub(crate) form: BTreeMap<String, Template>,
    /// Of this request alone.
    #[serde(default)]
    pub(crate) headers: Headers,
    /// JSON pointers; the first that leads to text counts.
    #[serde(default = "access_token")]
    pub(crate) token: Names,
    /// The same to seconds.
    #[serde(default = "expires_in")]
    pub(crate) expires_in: Names,
    /// When the answer does not say.
    #[serde(default = "hour")]
    pub(crate) default_expires_in: Period,
    /// How long before its end a token is replaced; a tenth of its life when that is less.
    #[serde(default = "five_minutes")]
    pub(crate) refresh_early: Period,
    /// The least time from one token request to the next.
    #[serde(default = "ninety_seconds")]
    pub(crate) min_interval: Period,
    /// Whether each refresh makes the last refresh token worthless: then it is not ours to use.
    #[serde(default)]
    pub(crate) rotates_refresh_token: bool,
    /// How requests carry the token; `Authorization: Bearer` when absent.
    pub(crate) inject: Option<Headers>,
    /// What an answer without a token means.
    #[serde(default)]
    pub(crate) fail: Fail,
    #[serde(default)]
    pub(crate) static_expiry: Vec<StaticExpiry>,
}

fn access_token() -> Names {
    Names(vec!["/access_token".to_owned()])
}

fn expires_in() -> Names {
    Names(vec!["/expires_in".to_owned()])
}

const fn hour() -> Period {
    Period(Duration::from_hours(1))
}

const fn five_minutes() -> Period {
    Period(Duration::from_mins(5))
}

/// eBay allows 1000 a day, which is one in 86 seconds; nobody else is known to allow less.
const fn ninety_seconds() -> Period {
    Period(Duration::from_secs(90))
}

/// What a token is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grant {
    /// The application's own credentials.
    ClientCredentials,
    /// What the seller once consented to.
    RefreshToken,
}

/// Where the application's credentials stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClientAuth {
    /// In the header `Authorization`.
    #[default]
    Basic,
    /// In the form.
    Body,
}

/// What an answer to a token request means, when it is more than a failure.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fail {
    /// The credentials were refused.
    #[serde(default)]
    pub(crate) auth_error: Vec<Condition>,
    /// Too many were asked for.
    #[serde(default)]
    pub(crate) rate_limited: Vec<Condition>,
}

/// What RFC 6749 says of refused credentials (section 5.2).
const REFUSED: &str = r#"
[[auth_error]]
status = [401]
[[auth_error]]
status = [400]
json = "/error"
in = ["invalid_client", "invalid_grant", "unauthorized_client"]
"#;

impl Default for Fail {
    fn default() -> Self {
        toml::from_str(REFUSED).expect("a test reads it")
    }
}

/// When a credential expires of which no API says so: so long after a day that the account names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaticExpiry {
    pub(crate) credential: Credential,
    /// The optional variable that holds the day, `2026-03-01`.
    pub(crate) from_var: String,
    pub(crate) add: Life,
}

/// The values of `credential`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// A key.
    ApiKey,
    /// The secret of an application.
    ClientSecret,
    /// What access tokens are had for.
    RefreshToken,
}

impl Credential {
    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::ClientSecret => "client_secret",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// How long a credential lives: up to ten years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life(pub(crate) Duration);

impl Life {
    const LONGEST: Duration = Duration::from_hours(10 * 366 * 24);
}

impl FromStr for Life {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(life) if !life.is_zero() && life <= Self::LONGEST => Ok(Self(life)),
            _ => Err(format!("`{text}` is not how long a credential lives\nwrite \"365d\"; ten years are the most")),
        }
    }
}

impl<'de> Deserialize<'de> for Life {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_standard_says_of_refused_credentials_is_known() {
        assert_eq!(Fail::default().auth_error.len(), 2);
    }
}
