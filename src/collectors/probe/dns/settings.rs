//! What a name server is asked, and what it should say: `dns = { … }`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use simple_dns::{Name, TYPE};

use crate::collectors::probe::tcp::Place;
use crate::net::connect::Family;

/// The port of name servers.
const PORT: u16 = 53;

/// The most answers that can be expected.
const ANSWERS: usize = 64;

/// A question, and which addresses of the server count.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) question: Question,
    pub(crate) ip: Family,
}

/// What is asked of whom.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// Who is asked; absent, the first server that this machine asks itself.
    pub(super) server: Option<Server>,
    /// The name that is looked up.
    pub(super) name: DomainName,
    /// What is asked about it.
    #[serde(default, rename = "type")]
    pub(super) kind: Kind,
    /// All that should be answered, in any order; absent, anything of the type will do.
    #[serde(default)]
    pub(super) expect: Expected,
    /// Whether it is asked by TCP at once.
    #[serde(default)]
    pub(super) tcp: bool,
}

#[cfg(any(test, fuzzing))]
impl Question {
    /// The question alone.
    pub(super) fn of(name: DomainName, kind: Kind) -> Self {
        Self { server: None, name, kind, expect: Expected::default(), tcp: false }
    }
}

/// `shop.example A`.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind.as_str())
    }
}

/// A name server: an address or a name, with a port where it is not 53.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server(pub(super) Place);

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self(Place { host: address.to_string(), port: PORT }));
        }
        let whole = if text.contains(':') { text.to_owned() } else { format!("{text}:{PORT}") };
        whole.parse().map(Self).map_err(|_| {
            format!("`{text}` is not a name server\nwrite \"127.0.0.1\", \"[::1]:5353\" or \"ns1.example:53\"")
        })
    }
}

impl<'de> Deserialize<'de> for Server {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A name as name servers know it, without the dot at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DomainName(String);

impl DomainName {
    /// As a message has it.
    pub(super) fn name(&self) -> Name<'_> {
        Name::new_unchecked(&self.0)
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = String;

    /// A name in letters that are not ASCII is encoded as browsers do it.
    fn from_str(text: &str) -> Result<Self, String> {
        let message = || format!("`{text}` is not a name\nwrite \"shop.example\"");
        let bare = text.strip_suffix('.').unwrap_or(text);
        let ascii = if bare.is_ascii() {
            bare.to_owned()
        } else {
            match url::Host::parse(bare) {
                Ok(url::Host::Domain(name)) => name,
                _ => return Err(message()),
            }
        };
        // `_dmarc` is a name, too; what is no letter, digit, `-` or `_` would need escapes that nobody writes.
        let plain = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte))
        };
        let good = ascii.len() <= 253 && ascii.split('.').all(plain);
        if good { Ok(Self(ascii.to_ascii_lowercase())) } else { Err(message()) }
    }
}

impl<'de> Deserialize<'de> for DomainName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// What is asked about a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Kind {
    /// IPv4 addresses.
    #[default]
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The name that it is another name of.
    Cname,
    /// Mail servers.
    Mx,
    /// Texts, those of SPF and DMARC too.
    Txt,
    /// Name servers.
    Ns,
    /// The zone, with its serial number.
    Soa,
    /// Who may sign certificates for it.
    Caa,
}

impl Kind {
    /// All of them.
    #[cfg(any(test, fuzzing))]
    pub(super) const ALL: [Self; 8] =
        [Self::A, Self::Aaaa, Self::Cname, Self::Mx, Self::Txt, Self::Ns, Self::Soa, Self::Caa];

    /// As zone files have it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Ns => "NS",
            Self::Soa => "SOA",
            Self::Caa => "CAA",
        }
    }

    /// As a message has it.
    pub(super) const fn wire(self) -> TYPE {
        match self {
            Self::A => TYPE::A,
            Self::Aaaa => TYPE::AAAA,
            Self::Cname => TYPE::CNAME,
            Self::Mx => TYPE::MX,
            Self::Txt => TYPE::TXT,
            Self::Ns => TYPE::NS,
            Self::Soa => TYPE::SOA,
            Self::Caa => TYPE::CAA,
        }
    }
}

/// Answers that should come; none when all are good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let answers: Vec<String> = Vec::deserialize(deserializer)?;
        match answers.len() {
            1..=ANSWERS => Ok(Self(answers)),
            0 => Err(D::Error::custom("no answer at all is expected\nwrite [\"203.0.113.7\"], or leave it out")),
            more => Err(D::Error::custom(format!("{more} answers are too many\n{ANSWERS} are the most"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_is_an_address_or_a_name_with_a_port_or_without() {
        for (text, shown) in [
            ("127.0.0.1", "127.0.0.1:53"),
            ("127.0.0.1:5353", "127.0.0.1:5353"),
            ("::1", "[::1]:53"),
            ("[::1]", "[::1]:53"),
            ("[::1]:5353", "[::1]:5353"),
            ("ns1.example", "ns1.example:53"),
        ] {
            assert_eq!(text.parse::<Server>().unwrap().0.to_string(), shown);
        }
        for text in ["", "ns1.example:", "ns 1", "a@b"] {
            assert!(text.parse::<Server>().unwrap_err().contains("is not a name server"), "{text}");
        }
    }

    #[test]
    fn a_name_is_encoded_and_checked() {
        for (text, name) in
            [("Shop.Example.", "shop.example"), ("mağaza.example", "xn--maaza-l1a.example"), ("_dmarc.a", "_dmarc.a")]
        {
            assert_eq!(text.parse::<DomainName>().unwrap().to_string(), name);
        }
        let long = ["a".repeat(64), vec!["a".repeat(63); 4].join(".")];
        for text in ["", ".", "a..b", "a b", "a/b", &long[0], &long[1]] {
            assert!(text.parse::<DomainName>().is_err(), "{text}");
        }
    }
}
