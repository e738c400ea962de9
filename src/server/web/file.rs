//! The web configuration file, in exporter-toolkit's format: YAML in, typed values with their places out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::header::HeaderValue;
use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_saphyr::{Error, Location, Options, Spanned, with_deserializer_from_str_with_options};

use super::users::Hash;
use crate::config::{Problem, meant};

/// The whole file. No `Debug`: it may hold a private key.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) tls_server_config: Option<Spanned<TlsServer>>,
    pub(super) http_server_config: Option<HttpServer>,
    pub(super) basic_auth_users: Option<BTreeMap<String, Hash>>,
    pub(super) rate_limit: Option<Spanned<RateLimit>>,
}

/// What stands under `tls_server_config`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TlsServer {
    pub(super) cert: Option<Spanned<String>>,
    pub(super) key: Option<Spanned<String>>,
    pub(super) client_ca: Option<Spanned<String>>,
    pub(super) cert_file: Option<Spanned<PathBuf>>,
    pub(super) key_file: Option<Spanned<PathBuf>>,
    pub(super) client_auth_type: Option<Spanned<ClientAuth>>,
    pub(super) client_ca_file: Option<Spanned<PathBuf>>,
    pub(super) client_allowed_sans: Option<Spanned<Vec<String>>>,
    pub(super) min_version: Option<Spanned<Version>>,
    pub(super) max_version: Option<Spanned<Version>>,
    pub(super) cipher_suites: Option<Spanned<Vec<String>>>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
    pub(super) curve_preferences: Option<Spanned<Vec<String>>>,
}

/// Whether a client shows a certificate, and whether it is checked: Go's `ClientAuthType`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub(super) enum ClientAuth {
    #[default]
    #[serde(alias = "")]
    NoClientCert,
    RequestClientCert,
    #[serde(alias = "RequireClientCert")]
    RequireAnyClientCert,
    VerifyClientCertIfGiven,
    RequireAndVerifyClientCert,
}

/// A version of TLS; the first two are understood, and never spoken.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    #[serde(rename = "TLS10")]
    Tls10,
    #[serde(rename = "TLS11")]
    Tls11,
    #[serde(rename = "TLS12")]
    Tls12,
    #[serde(rename = "TLS13")]
    Tls13,
}

/// What stands under `http_server_config`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HttpServer {
    #[serde(rename = "http2")]
    _http2: Option<bool>,
    pub(super) headers: Option<Headers>,
}

/// The headers that the toolkit lets a file add to every answer.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Headers {
    #[serde(rename = "Content-Security-Policy")]
    pub(super) content_security_policy: Text,
    #[serde(rename = "X-Frame-Options", deserialize_with = "frame_options")]
    pub(super) frame_options: Text,
    #[serde(rename = "X-Content-Type-Options", deserialize_with = "content_type_options")]
    pub(super) content_type_options: Text,
    #[serde(rename = "X-XSS-Protection")]
    pub(super) xss_protection: Text,
    #[serde(rename = "Strict-Transport-Security")]
    pub(super) strict_transport_security: Text,
}

/// The value of a header; an empty one is not sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Text(pub(super) Option<HeaderValue>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()) else {
            return Ok(Self(None));
        };
        match HeaderValue::from_str(&text) {
            Ok(value) if value.to_str().is_ok() => Ok(Self(Some(value))),
            _ => Err(de::Error::custom("a header holds one line of visible ASCII\nwrite it without line breaks")),
        }
    }
}

fn frame_options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    one_of(deserializer, &["deny", "sameorigin"])
}

fn content_type_options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    one_of(deserializer, &["nosniff"])
}

fn one_of<'de, D: Deserializer<'de>>(deserializer: D, words: &[&str]) -> Result<Text, D::Error> {
    let text = Text::deserialize(deserializer)?;
    match &text.0 {
        Some(value) if !words.iter().any(|word| value == word) => {
            let value = value.to_str().unwrap_or_default();
            Err(de::Error::custom(format!("`{value}` is not known here\nwrite {}", words.join(" or "))))
        }
        _ => Ok(text),
    }
}

/// What stands under `rate_limit`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateLimit {
    pub(super) interval: Interval,
    pub(super) burst: u32,
}

/// A length of time as Go writes it; zero is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Interval(pub(super) Duration);

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        go_duration(&text).map(Self).ok_or_else(|| {
            de::Error::custom(format!("`{text}` is not a length of time\nwrite \"250ms\", \"1s\", \"1m30s\", or 0"))
        })
    }
}

/// Reads what Go's `time.ParseDuration` reads, but for signs: `1m30s`, `1.5s`, `250ms`, `0`.
fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let length = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * length;
        rest = after;
    }
    (!text.is_empty()).then_some(())?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Reads the text of a file.
///
/// # Errors
/// With the first thing in it that is wrong. No value is repeated that could be a secret.
pub(super) fn parse(file: &Path, text: &str) -> Result<File, Problem> {
    let mut options = Options::default();
    options.with_snippet = false;
    let mut path = String::new();
    let read = with_deserializer_from_str_with_options(text, options, |deserializer| {
        serde_path_to_error::deserialize::<_, Option<File>>(deserializer).map_err(|error| {
            path = error.path().to_string();
            error.into_inner()
        })
    });
    match read {
        Ok(read) => Ok(read.unwrap_or_default()),
        Err(error) => Err(problem(file, &path, &error)),
    }
}

fn problem(file: &Path, path: &str, error: &Error) -> Problem {
    let error = error.without_snippet();
    let (message, hint) = match error {
        Error::SerdeUnknownField { field, expected, .. } => (format!("unknown key `{field}`"), meant(field, expected)),
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            let known: Vec<_> = expected.iter().copied().filter(|word| !word.is_empty()).collect();
            (format!("`{variant}` is not known here"), format!("known here: {}", known.join(", ")))
        }
        Error::DuplicateMappingKey { .. } => {
            ("this key stands here twice".to_owned(), "keep the one that is meant".to_owned())
        }
        // What was found there is left out: it may be a secret.
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
            (format!("expected {expected}"), LOOK.to_owned())
        }
        Error::InvalidScalar { ty, .. } => (format!("expected {}", plain_words(ty)), LOOK.to_owned()),
        Error::Unexpected { expected, .. } => (format!("expected {}", plain_words(expected)), LOOK.to_owned()),
        other => {
            let message = match other {
                Error::Message { msg, .. } | Error::ExternalMessage { msg, .. } => msg.clone(),
                other => other.to_string(),
            };
            match message.split_once('\n') {
                Some((message, hint)) => (message.to_owned(), hint.to_owned()),
                None => (message, LOOK.to_owned()),
            }
        }
    };
    let path = shown(path, error);
    let message = if path.is_empty() { message } else { format!("{path}: {message}") };
    Problem::new(place(file, error.location()), message, hint)
}

/// The path of a key as the file has it: without what the parser adds, and without a key that the message names.
fn shown(path: &str, error: &Error) -> String {
    let path = match error {
        Error::SerdeUnknownField { field, .. } => path.strip_suffix(field.as_str()).unwrap_or(path),
        _ => path,
    };
    let ours = |part: &&str| !part.is_empty() && *part != "?" && *part != "value";
    match path.strip_prefix("basic_auth_users.") {
        Some(_) => path.trim_end_matches(['.', '?']).to_owned(),
        None => path.split('.').filter(ours).collect::<Vec<_>>().join("."),
    }
}

/// What the parser expects, for people who do not know its types.
fn plain_words(expected: &str) -> &str {
    match expected {
        "mapping start" => "keys with values: `key: value`, one a line",
        "sequence start" => "a list: [one, two]",
        "boolean" => "true or false",
        "u32" => "a whole number",
        other => other,
    }
}

const LOOK: &str = "the keys are those of exporter-toolkit's web configuration; see docs/web.md";

/// `file:line:column`, or the file where there is no line.
pub(super) fn place(file: &Path, location: Option<Location>) -> String {
    match location {
        Some(at) => format!("{}:{}:{}", file.display(), at.line(), at.column()),
        None => file.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_go_reads_them() {
        for (text, milliseconds) in [("0", 0), ("1s", 1_000), ("250ms", 250), ("1m30s", 90_000), ("1.5s", 1_500)] {
            assert_eq!(go_duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "1", "s", "1x", "-1s", "1s2", ".s", "1..5s"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(tls_server_config|basic_auth_users|rate_limit|headers|burst|[:{}&*<!\\[\\] \n\"'-]|\\PC){0,40}") {
            if let Err(problem) = parse(Path::new("web.yml"), &text) {
                assert!(problem.to_string().starts_with("web.yml:"), "{problem}");
            }
        }
    }

    #[test]
    fn an_empty_file_and_empty_sections_configure_nothing() {
        for text in ["", "# nothing\n", "{}", "tls_server_config:\nbasic_auth_users:\nrate_limit:\n"] {
            let file = parse(Path::new("web.yml"), text).unwrap_or_else(|problem| panic!("{text:?}: {problem}"));
            assert!(file.tls_server_config.is_none() && file.basic_auth_users.is_none(), "{text:?}");
        }
    }
}
