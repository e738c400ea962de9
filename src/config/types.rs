//! Configuration values that cannot be wrong: parsed once, never checked again.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use rustix::fs::{Access, access};
use serde::de::{Deserialize, Deserializer, Visitor};
use url::Url;

use super::secret::is_diagnosing;

/// The target of a topic that has one; its drop-in metrics carry no `target` label.
pub const MAIN: &str = "main";

/// A topic's table: `[redis] timeout = "2s"` and one `[redis.targets.<name>]` for each target.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section<C> {
    /// How long one run may take; the collector's own limit when absent.
    pub timeout: Option<Period>,
    /// Name and configuration of each target.
    #[serde(default = "BTreeMap::new")]
    pub targets: BTreeMap<TargetName, C>,
}

impl<C> Default for Section<C> {
    fn default() -> Self {
        Self { timeout: None, targets: BTreeMap::new() }
    }
}

/// Reads a value from a string by its `FromStr`, whose error is the message.
pub(crate) fn from_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err = String>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(TextVisitor(PhantomData))
}

/// Takes what is not text too, so that the message is about what was meant: `2` is not a length of time.
struct TextVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err = String>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in quotation marks")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: serde::de::Error>(self, word: bool) -> Result<T, E> {
        self.visit_str(&word.to_string())
    }
}

macro_rules! deserialize_from_text {
    ($($type:ty),+) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                from_text(deserializer)
            }
        }
    )+};
}
deserialize_from_text!(TargetName, Period, Address, MetricName, WebUrl);

/// The `target` label: what the operator calls one server among several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetName(String);

impl TargetName {
    /// The name [`MAIN`].
    #[must_use]
    pub fn main() -> Self {
        Self(MAIN.to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TargetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let good =
            (1..=63).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        if good {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("`{text}` is not a name\n1 to 63 letters, digits, `_`, `-` and `.`, for example `cache`"))
    }
}

/// A name that can be part of a metric's name: `orders_open`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricName(String);

impl MetricName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MetricName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let good = (1..=63).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if good {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "`{text}` cannot be part of a metric's name\nlower-case letters, digits and `_`, a letter first, \
             for example `orders_open`"
        ))
    }
}

/// The address of a web server: `https://shop.example/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl(pub Url);

impl FromStr for WebUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
        let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
        // A URL with a password in it would be shown by the error.
        let shown = if text.contains('@') { "this" } else { text };
        url.map(Self).ok_or_else(|| {
            format!("`{shown}` is not the address of a web server\nwrite \"https://shop.example/\", without user and password")
        })
    }
}

/// A length of time, written `"250ms"`, `"2s"`, `"5m"` or `"1h"`; never zero, and a year at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

impl Period {
    /// The longest; far below where adding up times overflows.
    pub(crate) const LONGEST: Duration = Duration::from_hours(366 * 24);
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(duration) if duration > Self::LONGEST => Err(format!("`{text}` is too long\na year is the most")),
            Ok(duration) if !duration.is_zero() => Ok(Self(duration)),
            _ => Err(format!("`{text}` is not a length of time\nwrite \"250ms\", \"2s\", \"5m\" or \"1h\"")),
        }
    }
}

/// Where a server listens: `host:port`, or the path of a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// Host name or IP address, and port. An IPv6 address stands in brackets.
    Tcp {
        /// Name or address, without brackets.
        host: String,
        /// Port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// The path, for a Unix socket.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Tcp { .. } => None,
            Self::Unix(path) => Some(path),
        }
    }

    /// Whether it is this machine's own: a socket, or loopback.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } => host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.strip_prefix("unix:").unwrap_or(text);
        if path.starts_with('/') {
            return socket(path.into()).map(Self::Unix);
        }
        // Before anything is repeated: what stands before an `@` may be a password.
        if text.contains('@') {
            return Err("a user or password does not belong in the address\n\
                        write host and port alone; user and password are keys beside it"
                .to_owned());
        }
        let parsed = text.rsplit_once(':').and_then(|(host, port)| {
            let bare = match host.strip_prefix('[') {
                Some(rest) => rest.strip_suffix(']')?,
                None if host.contains(':') => return None,
                None => host,
            };
            let good = !bare.is_empty() && !bare.contains(|c: char| c.is_whitespace() || "/[]".contains(c));
            good.then_some(())?;
            Some(Self::Tcp { host: bare.to_owned(), port: port.parse().ok().filter(|port| *port != 0)? })
        });
        parsed.ok_or_else(|| {
            format!(
                "`{text}` is not an address\nwrite \"127.0.0.1:3306\", \"[::1]:3306\" or \"/run/mysqld/mysqld.sock\""
            )
        })
    }
}

/// The path of a Unix socket that we may use, as far as can be told.
///
/// That nothing is there is no mistake: its server may not be running yet. That something is there which we can never
/// talk to is one, and it stays until a person mends it.
///
/// # Errors
/// When the path is not a socket, or is one that this user may not write to.
pub fn socket(path: PathBuf) -> Result<PathBuf, String> {
    if is_diagnosing() {
        return Ok(path);
    }
    let shown = path.display();
    let denied = || {
        Err(format!(
            "the socket {shown} is closed to this user\n\
             put vitrin's user into the group that owns it: usermod --append --groups $(stat -c %G {shown}) vitrin"
        ))
    };
    match fs::metadata(&path) {
        Ok(metadata) if !metadata.file_type().is_socket() => {
            Err(format!("{shown} is not a socket\nname the server's own: see `ss -lx`"))
        }
        Ok(_) if access(&path, Access::WRITE_OK).is_err() => denied(),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => denied(),
        _ => Ok(path),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port_or_a_path() {
        for text in ["127.0.0.1:3306", "[::1]:3306", "db.example:1", "/run/mysqld/mysqld.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("unix:/run/x".parse::<Address>().unwrap(), Address::Unix("/run/x".into()));
        for text in [
            "",
            "localhost",
            ":80",
            "::1:80",
            "a:0",
            "a:99999",
            "u:p@h:80",
            "http://h:80",
            "h /:80",
            "[[::1]:80",
            "a]:80",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let error = "mysql://vitrin:canary@127.0.0.1:3306".parse::<Address>().unwrap_err();
        assert!(!error.contains("canary"), "{error}");
    }

    #[test]
    fn a_period_is_never_zero_nor_endless() {
        assert_eq!("250ms".parse::<Period>().unwrap().0, Duration::from_millis(250));
        for text in ["0s", "", "5", "-1s", "soon", "500000000000years"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_short_and_plain() {
        assert!("cache-1.eu".parse::<TargetName>().is_ok());
        assert!("orders_open2".parse::<MetricName>().is_ok());
        for text in ["", "a b", "ä", &"x".repeat(64)] {
            assert!(text.parse::<TargetName>().is_err(), "{text}");
            assert!(text.parse::<MetricName>().is_err(), "{text}");
        }
        assert!("2orders".parse::<MetricName>().is_err());
    }
}
