//! What an X.509 certificate says.

use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

/// The most of a name that is repeated: who runs a server chooses what its certificate says.
const NAME_CHARS: usize = 100;

/// The most alternative names that are kept; Let's Encrypt signs for 100.
const NAMES: usize = 100;

/// The last second that a certificate can name: that of the year 9999, which also says "never".
const LAST_SECOND: u64 = 253_402_300_799;

/// What a certificate says of itself; whether it is true is for others to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// From when on it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
    /// Whom it is for: the common name, or all of the name when there is none.
    pub subject: String,
    /// Who signed it, in the same way.
    pub issuer: String,
    /// The names it is valid for: DNS names and IP addresses.
    pub names: Vec<String>,
    /// The key it is for.
    pub key: Key,
    /// What it is signed with.
    pub signature: &'static str,
    /// Whether it is its own issuer, as a root is.
    pub is_self_issued: bool,
    /// Whether it says where its issuer's certificate can be had, as public authorities' do.
    pub issuer_is_published: bool,
}

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its kind: `rsa`, `ecdsa`, `ed25519`, `ed448`, `dsa` or `other`.
    pub kind: &'static str,
    /// Its length in bits; 0 when its kind is `other`.
    pub bits: usize,
}

impl Certificate {
    /// Reads one in DER; `None` when it is none.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let published = certificate.iter_extensions().any(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityInfoAccess(access) => {
                access.iter().any(|one| one.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2")
            }
            _ => false,
        });
        Some(Self {
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            subject: name(certificate.subject()),
            issuer: name(certificate.issuer()),
            names: names(&certificate)?,
            key: key(certificate.public_key()),
            signature: signature(&certificate.signature_algorithm.algorithm.to_id_string()),
            is_self_issued: certificate.subject().as_raw() == certificate.issuer().as_raw(),
            issuer_is_published: published,
        })
    }
}

/// A time in seconds since 1970 as people read it: `2026-11-23T04:00:00Z`.
#[must_use]
pub(crate) fn date(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0).min(LAST_SECOND);
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

/// A name that came from outside, on one line and not too long.
#[must_use]
pub(crate) fn shown(text: &str) -> String {
    excerpt(text, NAME_CHARS)
}

/// A text that came from outside, on one line and no longer than this.
#[must_use]
pub(crate) fn excerpt(text: &str, chars: usize) -> String {
    let mut shown = String::new();
    for char in text.chars().take(chars) {
        match char {
            '"' | '\'' => shown.push(char),
            other => shown.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(chars).is_some() {
        shown.push('…');
    }
    shown
}

fn name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().find_map(|attribute| attribute.as_str().ok());
    shown(&common.map_or_else(|| name.to_string(), str::to_owned))
}

/// The alternative names; `None` when they cannot be read.
fn names(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let extension = certificate.subject_alternative_name().ok()?;
    let names = extension.into_iter().flat_map(|extension| &extension.value.general_names);
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(shown(name)),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    Some(names.filter_map(text).take(NAMES).collect())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn key(key: &SubjectPublicKeyInfo<'_>) -> Key {
    // Length of a key that lies in `bits` alone.
    let fixed = |kind, bits| Key { kind, bits };
    match (key.algorithm.algorithm.to_id_string().as_str(), key.parsed()) {
        ("1.3.101.112", _) => fixed("ed25519", 256),
        ("1.3.101.113", _) => fixed("ed448", 456),
        // The modulus has a zero before it, and x509-parser counts bytes.
        (_, Ok(PublicKey::RSA(key))) => fixed("rsa", bits(key.modulus)),
        (_, Ok(PublicKey::EC(point))) => fixed("ecdsa", point.key_size()),
        (_, Ok(PublicKey::DSA(number))) => fixed("dsa", bits(number)),
        _ => fixed("other", 0),
    }
}

/// The length of a number in bits.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    match &number[zeros..] {
        [] => 0,
        [first, rest @ ..] => (u8::BITS - first.leading_zeros()) as usize + rest.len() * 8,
    }
}

/// The name of a signature's algorithm (RFC 4055, 5758, 8410).
fn signature(oid: &str) -> &'static str {
    match oid {
        "1.2.840.113549.1.1.4" => "rsa_md5",
        "1.2.840.113549.1.1.5" => "rsa_sha1",
        "1.2.840.113549.1.1.10" => "rsa_pss",
        "1.2.840.113549.1.1.11" => "rsa_sha256",
        "1.2.840.113549.1.1.12" => "rsa_sha384",
        "1.2.840.113549.1.1.13" => "rsa_sha512",
        "1.2.840.10045.4.1" => "ecdsa_sha1",
        "1.2.840.10045.4.3.2" => "ecdsa_sha256",
        "1.2.840.10045.4.3.3" => "ecdsa_sha384",
        "1.2.840.10045.4.3.4" => "ecdsa_sha512",
        "1.3.101.112" => "ed25519",
        "1.3.101.113" => "ed448",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_shown_on_one_line_and_not_without_end() {
        assert_eq!(shown("a\n\u{1b}[31mb \"ş\" \u{9b}"), "a\\n\\u{1b}[31mb \"ş\" \\u{9b}");
        assert_eq!(shown(&"x".repeat(101)), format!("{}…", "x".repeat(100)));
    }

    #[test]
    fn a_date_is_one_that_people_read() {
        assert_eq!(date(1_795_406_400), "2026-11-23T04:00:00Z");
        assert_eq!(date(-1), "1970-01-01T00:00:00Z");
        assert_eq!(date(i64::MAX), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn the_length_of_a_number_leaves_out_its_zeros() {
        assert_eq!((bits(&[0, 0x80, 0]), bits(&[1]), bits(&[0, 0]), bits(&[])), (16, 1, 0, 0));
    }
}
