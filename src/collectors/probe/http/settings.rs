//! What is asked of an HTTP server, and what is expected of its answer.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use hyper::header::{self, HeaderName as Name};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use url::Url;

use crate::collectors::probe::encryption::Encryption;
use crate::collectors::probe::pattern::Pattern;
use crate::config::secret::Secret;
use crate::net::connect::Family;

/// The most redirects that may be followed, and how many are when nobody says.
const MOST_REDIRECTS: u8 = 20;
const REDIRECTS: u8 = 10;

/// The most of a body that may be read, and how much is when nobody says.
const MOST_BODY: u64 = 64 << 20;
const BODY: u64 = 4 << 20;

/// The largest body that is sent.
const SENT_BYTES: usize = 64 << 10;

/// Headers that are made from the rest, or are about the connection, which is ours.
const RESERVED: [Name; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Headers whose values are secrets, whoever writes them.
const SECRET: [Name; 3] = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

/// A page, how it is asked for, and what is expected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) url: PageUrl,
    pub(crate) ip: Family,
    pub(crate) request: Request,
    pub(crate) expected: Expected,
    pub(crate) body_limit: Size,
    pub(crate) redirects: Redirects,
    /// Whether a redirect may lead into a network that is not public, though the page itself is not in one.
    pub(crate) allow_private: bool,
    /// How the server is trusted.
    pub(crate) encryption: Encryption,
    /// Whether HTTP/2 is offered to a server that speaks TLS.
    pub(crate) http2: bool,
}

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) headers: BTreeMap<HeaderName, Text>,
    pub(crate) body: Option<Text>,
    pub(crate) login: Option<Login>,
}

impl Request {
    /// What a single key cannot say.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, value) in &self.headers {
            if SECRET.contains(&name.0) && matches!(value, Text::Plain(_)) {
                return Err(format!(
                    "the value of the header `{}` is a secret, which does not belong in this file\n\
                     write headers.{0} = {{ file = \"/etc/vitrin/name\" }}, or the keys user and password, or bearer",
                    name.0
                ));
            }
        }
        let has_login = self.headers.keys().any(|name| name.0 == header::AUTHORIZATION);
        if self.login.is_some() && has_login {
            return Err("a login and a header `authorization` exclude each other\nleave one of them out".to_owned());
        }
        if matches!(&self.body, Some(Text::Plain(body)) if body.len() > SENT_BYTES) {
            return Err("the body is larger than 64 KiB\nsend a smaller one".to_owned());
        }
        Ok(())
    }
}

/// What is expected of the answer at the end of all redirects.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expected {
    pub(crate) status: Statuses,
    pub(crate) headers: BTreeMap<HeaderName, Pattern>,
    pub(crate) body: Option<Pattern>,
    pub(crate) not_body: Option<Pattern>,
}

/// How we log in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Login {
    /// HTTP's basic authentication.
    Basic { user: String, password: Secret },
    /// A token.
    Bearer(Secret),
}

impl Login {
    /// The login that these keys are, if any is there.
    pub(crate) fn of(
        user: Option<String>,
        password: Option<Secret>,
        bearer: Option<Secret>,
    ) -> Result<Option<Self>, String> {
        match (user, password, bearer) {
            (None, None, None) => Ok(None),
            (None, None, Some(token)) => Ok(Some(Self::Bearer(token))),
            (Some(user), _, None) if user.contains(':') => {
                Err(format!("`{user}` is not a user's name\na name has no `:`; the password is a key beside it"))
            }
            (Some(user), Some(password), None) => Ok(Some(Self::Basic { user, password })),
            (_, _, Some(_)) => Err("a login is user and password, or bearer\nleave one of them out".to_owned()),
            (_, _, None) => Err("a login needs user and password\nadd the key that is missing".to_owned()),
        }
    }
}

/// The address of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageUrl(pub(super) Url);

impl PageUrl {
    /// Whether it is asked for by TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl FromStr for PageUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const WAY_OUT: &str = "write \"https://shop.example/\" or \"http://127.0.0.1:8080/health\"";
        // Not repeated: what stands before an `@` may be a password, also where the slashes are not as they should be.
        let authority = text.split_once("://").map_or(text, |(_, rest)| rest).split(['/', '?', '#']).next();
        let url = Url::parse(text);
        let has_login = url.as_ref().is_ok_and(|url| !url.username().is_empty() || url.password().is_some());
        if has_login || authority.is_some_and(|authority| authority.contains('@')) {
            return Err("a user or password does not belong in the address\n\
                        write user = \"vitrin\" and password = { file = \"/etc/vitrin/shop\" } beside it"
                .to_owned());
        }
        match url {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.port() != Some(0) => Ok(Self(url)),
            _ => Err(format!("`{text}` is not the address of a page\n{WAY_OUT}")),
        }
    }
}

impl<'de> Deserialize<'de> for PageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// For people: without the query, which may hold a key.
impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        shown.fmt(f)
    }
}

/// How a page is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    /// The page.
    #[default]
    Get,
    /// Its header alone.
    Head,
    /// What may be done with it.
    Options,
    /// With a body.
    Post,
    /// With a body.
    Put,
}

/// The name of a header that may be set or looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderName(pub(super) Name);

impl PartialOrd for HeaderName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for HeaderName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.as_str().cmp(other.0.as_str())
    }
}

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(name) if RESERVED.contains(&name) => {
                Err(D::Error::custom(format!("the header `{text}` is made by Vitrin\nleave it out")))
            }
            Ok(name) => Ok(Self(name)),
            Err(_) => Err(D::Error::custom(format!(
                "`{text}` is not the name of a header\nletters, digits and `-`: `accept`"
            ))),
        }
    }
}

/// A text, or where it is kept when it is a secret.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Text {
    /// As it stands in the file.
    Plain(String),
    /// Somewhere else.
    Kept(Secret),
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or where it is kept: { file = \"/etc/vitrin/name\" }")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::Plain(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
        Secret::deserialize(MapAccessDeserializer::new(map)).map(Text::Kept)
    }
}

/// The statuses that are good ones; 200 to 299 when nobody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statuses(Vec<RangeInclusive<u16>>);

impl Default for Statuses {
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl Statuses {
    /// Whether this is one of them.
    pub(super) fn contain(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

/// `200, 3xx`.
impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, range) in self.0.iter().enumerate() {
            let before = if number == 0 { "" } else { ", " };
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{before}{first}")?,
                (first, _) => write!(f, "{before}{}xx", first / 100)?,
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum StatusText {
    Number(i64),
    Word(String),
    Other(serde::de::IgnoredAny),
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let range = |text: StatusText| {
            let class = |word: &str| word.strip_suffix("xx").and_then(|class| class.parse::<u16>().ok());
            let (range, shown) = match text {
                StatusText::Number(number) => {
                    (u16::try_from(number).ok().map(|status| status..=status), number.to_string())
                }
                StatusText::Word(word) => {
                    let range = class(&word).and_then(|class| class.checked_mul(100)).map(|first| first..=first + 99);
                    (range, word)
                }
                StatusText::Other(_) => (None, "what is written".to_owned()),
            };
            range
                .filter(|range| (100..=599).contains(range.start()))
                .ok_or_else(|| D::Error::custom(format!("`{shown}` is not a status\nwrite [200, \"3xx\"]")))
        };
        let ranges = Vec::deserialize(deserializer)?.into_iter().map(range).collect::<Result<Vec<_>, _>>()?;
        if ranges.is_empty() {
            return Err(D::Error::custom("no status at all would be good\nwrite [200, \"3xx\"], or leave it out"));
        }
        Ok(Self(ranges))
    }
}

/// How many redirects are followed; 0 follows none, and takes the redirect for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Redirects(pub(super) u8);

impl Default for Redirects {
    fn default() -> Self {
        Self(REDIRECTS)
    }
}

impl<'de> Deserialize<'de> for Redirects {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let fits = u8::try_from(number).ok().filter(|number| *number <= MOST_REDIRECTS);
        let message =
            || D::Error::custom(format!("`{number}` redirects cannot be followed\n0 to {MOST_REDIRECTS} can"));
        fits.map(Self).ok_or_else(message)
    }
}

/// A number of bytes, written `"512KiB"` or `"1MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(super) u64);

impl Default for Size {
    fn default() -> Self {
        Self(BODY)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("KiB", 1 << 10), ("MiB", 1 << 20)];
        let bytes = units
            .into_iter()
            .find_map(|(unit, bytes)| text.strip_suffix(unit)?.trim_end().parse::<u64>().ok()?.checked_mul(bytes));
        match bytes {
            Some(bytes @ 1..=MOST_BODY) => Ok(Self(bytes)),
            Some(_) => Err(format!("`{text}` is not read\n\"1KiB\" to \"64MiB\" are")),
            None => Err(format!("`{text}` is not a number of bytes\nwrite \"512KiB\" or \"1MiB\"")),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        if bytes.is_multiple_of(1 << 20) { write!(f, "{}MiB", bytes >> 20) } else { write!(f, "{}KiB", bytes >> 10) }
    }
}
