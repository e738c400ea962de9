//! What is probed: `[probe]` and `[probe.targets.<name>]`.
//!
//! A target is of one kind, which its one key `http`, `tcp`, `tls`, `dns` or `certificates` says; a key that is another
//! kind's is a mistake.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};

use super::certificates::CertificateFiles;
use super::encryption::Encryption;
use super::handshake::EncryptedPort;
use super::pattern::Pattern;
use super::{dns, http, tcp};
use crate::config::secret::Secret;
use crate::config::types::{Period, Section, TargetName};
use crate::net::connect::Family;

/// How often a target is probed, and how long a probe may take, when nobody says.
const EVERY: Duration = Duration::from_secs(15);
const TIMEOUT: Duration = Duration::from_secs(5);

/// The most often that a target is probed: what is more is a load, not a look.
const MOST_OFTEN: Duration = Duration::from_secs(1);

/// The longest a probe may take.
pub(super) const LONGEST: Duration = Duration::from_mins(1);

/// One target.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What is probed.
    pub(super) subject: Subject,
    /// How often; at least as long as `timeout`.
    pub(super) every: Duration,
    /// How long one probe may take, with all its redirects.
    pub(super) timeout: Duration,
}

/// What is probed, and what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    Http(Box<http::Page>),
    Tcp(tcp::Settings),
    Tls(EncryptedPort),
    Dns(dns::Settings),
    Certificates(CertificateFiles),
}

/// What is probed, for people.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(page) => page.url.fmt(f),
            Self::Tcp(port) => port.place.fmt(f),
            Self::Tls(port) => port.place.fmt(f),
            Self::Dns(name) => name.question.fmt(f),
            Self::Certificates(_) => f.write_str("certificates on disk"),
        }
    }
}

impl Subject {
    /// What is agreed on with a server that is known to speak TLS.
    pub(super) fn encryption(&self) -> Option<&Encryption> {
        match self {
            Self::Http(page) => page.url.is_encrypted().then_some(&page.encryption),
            Self::Tls(port) => Some(&port.encryption),
            Self::Tcp(_) | Self::Dns(_) | Self::Certificates(_) => None,
        }
    }
}

/// Reads `[probe]`.
///
/// # Errors
/// When a target, with the times it takes from the topic, cannot be.
pub fn section<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Section<Config>, D::Error> {
    let Topic { every, timeout, targets } = Topic::deserialize(deserializer)?;
    let mut section = Section::default();
    for (name, target) in targets {
        let every = target.every.or(every).map_or(EVERY, |period| period.0);
        let timeout = target.timeout.or(timeout).map_or(TIMEOUT.min(every), |period| period.0);
        let name_of = name.as_str();
        let problem = if every < MOST_OFTEN {
            format!("the target `{name_of}` is probed every {every:?}\na second is the least that `every` can be")
        } else if timeout > LONGEST {
            format!(
                "a probe of the target `{name_of}` may take {timeout:?}\na minute is the most that `timeout` can be"
            )
        } else if timeout > every {
            format!(
                "a probe of the target `{name_of}` may take {timeout:?}, and the next begins after {every:?}\n\
                 make its `timeout` shorter, or `every` longer"
            )
        } else {
            section.targets.insert(name, Config { subject: target.subject, every, timeout });
            continue;
        };
        return Err(D::Error::custom(problem));
    }
    Ok(section)
}

/// `[probe]`: what all targets have that do not say otherwise, and the targets.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    every: Option<Period>,
    timeout: Option<Period>,
    #[serde(default)]
    targets: BTreeMap<TargetName, Target>,
}

/// A target before it has taken its times from the topic.
#[derive(Debug)]
struct Target {
    subject: Subject,
    every: Option<Period>,
    timeout: Option<Period>,
}

/// Declares the keys of a target, each with the kinds that it is for.
macro_rules! keys {
    ($($key:ident: $type:ty, $kinds:expr;)+) => {
        /// A target as it is written.
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys {
            $($key: Option<$type>,)+
        }

        impl Keys {
            /// The keys that are there and for other kinds than this, and what they are for.
            fn foreign(&self, kind: &str) -> Vec<(&'static str, &'static [&'static str])> {
                let given = [$((self.$key.is_some(), stringify!($key), $kinds)),+];
                given.into_iter().filter(|(given, _, kinds)| *given && !kinds.contains(&kind)).map(|(_, key, kinds)| (key, kinds)).collect()
            }
        }
    };
}

const HTTP: &[&str] = &["http"];
const TCP: &[&str] = &["tcp"];
const DNS: &[&str] = &["dns"];
const ENCRYPTED: &[&str] = &["http", "tls"];
const CERTIFICATES: &[&str] = &["certificates"];
const SERVERS: &[&str] = &["http", "tcp", "tls", "dns"];
const ALL: &[&str] = &["http", "tcp", "tls", "dns", "certificates"];

keys! {
    http: http::PageUrl, HTTP;
    tcp: tcp::Place, TCP;
    dns: dns::Question, DNS;
    certificates: CertificateFiles, CERTIFICATES;
    every: Period, ALL;
    timeout: Period, ALL;
    ip: Family, SERVERS;
    method: http::Method, HTTP;
    headers: BTreeMap<http::HeaderName, http::Text>, HTTP;
    body: http::Text, HTTP;
    user: String, HTTP;
    password: Secret, HTTP;
    bearer: Secret, HTTP;
    expect_status: http::Statuses, HTTP;
    expect_header: BTreeMap<http::HeaderName, Pattern>, HTTP;
    expect_body: Pattern, HTTP;
    reject_body: Pattern, HTTP;
    body_limit: http::Size, HTTP;
    redirects: http::Redirects, HTTP;
    allow_private: bool, HTTP;
    http2: bool, HTTP;
    tls: Encryption, ENCRYPTED;
    steps: tcp::Steps, TCP;
}

/// How the kinds are written.
const KINDS: &str = "write one of http = \"https://shop.example/\", tcp = \"mail.example:25\", tls = \"mail.example:465\", \
                     dns = { name = \"shop.example\", type = \"A\" } and \
                     certificates = [\"/etc/ssl/shop.pem\"]";

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Keys::deserialize(deserializer)?.target().map_err(D::Error::custom)
    }
}

impl Keys {
    /// The kind, which exactly one key says.
    fn kind(&self) -> Result<&'static str, String> {
        let is_tls = self.tls.as_ref().is_some_and(|tls| tls.address.is_some());
        let kinds = [
            ("http", self.http.is_some()),
            ("tcp", self.tcp.is_some()),
            ("tls", is_tls),
            ("dns", self.dns.is_some()),
            ("certificates", self.certificates.is_some()),
        ];
        let given: Vec<_> = kinds.into_iter().filter(|(_, given)| *given).map(|(kind, _)| kind).collect();
        match given[..] {
            [kind] => Ok(kind),
            [] => Err(format!("nothing says what is probed\n{KINDS}")),
            [one, other, ..] => {
                Err(format!("a target is `{one}` or `{other}`, not both\ngive each a table of its own"))
            }
        }
    }

    fn target(self) -> Result<Target, String> {
        let kind = self.kind()?;
        if let Some((key, kinds)) = self.foreign(kind).first() {
            let of = kinds.join("`, `");
            return Err(format!(
                "`{key}` is not for a probe of the kind `{kind}`\nit is a key of `{of}`; leave it out"
            ));
        }
        let (every, timeout) = (self.every, self.timeout);
        Ok(Target { subject: self.subject()?, every, timeout })
    }

    fn subject(self) -> Result<Subject, String> {
        let ip = self.ip.unwrap_or_default();
        if let Some(place) = self.tcp {
            return Ok(Subject::Tcp(tcp::Settings { place, ip, steps: self.steps.unwrap_or_default() }));
        }
        if let Some(question) = self.dns {
            return Ok(Subject::Dns(dns::Settings { question, ip }));
        }
        if let Some(files) = self.certificates {
            return Ok(Subject::Certificates(files));
        }
        let encryption = self.tls.unwrap_or_default();
        if let Some(place) = encryption.address.clone() {
            return Ok(Subject::Tls(EncryptedPort { place, ip, encryption }));
        }
        let url = self.http.ok_or_else(|| format!("nothing says what is probed\n{KINDS}"))?;
        let login = http::Login::of(self.user, self.password, self.bearer)?;
        let request = http::Request {
            method: self.method.unwrap_or_default(),
            headers: self.headers.unwrap_or_default(),
            body: self.body,
            login,
        };
        request.check()?;
        let expected = http::Expected {
            status: self.expect_status.unwrap_or_default(),
            headers: self.expect_header.unwrap_or_default(),
            body: self.expect_body,
            not_body: self.reject_body,
        };
        Ok(Subject::Http(Box::new(http::Page {
            url,
            ip,
            request,
            expected,
            body_limit: self.body_limit.unwrap_or_default(),
            redirects: self.redirects.unwrap_or_default(),
            allow_private: self.allow_private.unwrap_or_default(),
            encryption,
            http2: self.http2.unwrap_or(true),
        })))
    }
}
