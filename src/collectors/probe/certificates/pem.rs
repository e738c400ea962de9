//! The certificates of a file in PEM (RFC 7468) or DER, and what else people put in its place.
//!
//! By hand, since the reader that comes with rustls decodes private keys too, which are none of our business.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::collector::{Failure, Reason};

/// The most certificates of one file: what a system trusts is some 150.
const CERTIFICATES: usize = 1_000;

/// How a certificate's section is called: by everybody, by some of long ago, and by `openssl x509 -trustout`.
const LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The certificates in DER, in the order of the file.
///
/// # Errors
/// `protocol` when there is none, or one is broken off; `limit` when there are more than a thousand.
pub(super) fn certificates(content: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut certificates = Vec::new();
    let mut others = Vec::new();
    // The section that the lines are in, and what its certificate's text is so far.
    let mut section: Option<(&str, Option<Vec<u8>>)> = None;
    for line in content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        let (begins, ends) = (marker(line, b"-----BEGIN "), marker(line, b"-----END "));
        match &mut section {
            None => section = begins.map(|label| (label, LABELS.contains(&label).then(Vec::new))),
            Some((label, text)) if ends == Some(*label) => {
                match text {
                    Some(text) => certificates.push(BASE64.decode(text).map_err(|_| broken(label))?),
                    None => others.push(*label),
                }
                section = None;
            }
            Some((label, _)) if begins.or(ends).is_some() => return Err(broken(label)),
            Some((_, Some(text))) => text.extend(line),
            // What is in a section of another kind is not looked at.
            Some((_, None)) => {}
        }
        if certificates.len() > CERTIFICATES {
            return Err(Failure::message(Reason::Limit, "more than 1,000 certificates"));
        }
    }
    if let Some((label, _)) = section {
        return Err(broken(label));
    }
    if certificates.is_empty() {
        return if others.is_empty() { der(content).map(|der| vec![der]) } else { Err(instead(&others)) };
    }
    Ok(certificates)
}

/// The label of a line that begins or ends a section.
fn marker<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a str> {
    std::str::from_utf8(line.strip_prefix(start)?.strip_suffix(b"-----")?).ok()
}

fn broken(label: &str) -> Failure {
    let label: String = label.chars().take(40).flat_map(char::escape_debug).collect();
    Failure::message(Reason::Protocol, format!("the section `{label}` is broken, or broken off"))
}

/// That a file holds sections, and no certificate among them.
fn instead(others: &[&str]) -> Failure {
    let holds = |what: &str| others.iter().any(|label| label.ends_with(what));
    let message = if holds("PRIVATE KEY") {
        "a private key and no certificate; name the file of the certificate"
    } else if holds("CERTIFICATE REQUEST") {
        "a request for a certificate, not the certificate"
    } else {
        "there is no certificate in it"
    };
    Failure::message(Reason::Protocol, message)
}

/// The whole file as one certificate in DER, unless it is something else that one can tell.
fn der(content: &[u8]) -> Result<Vec<u8>, Failure> {
    let message = match content {
        [] => "the file is empty",
        // A sequence that begins with the number 3 is a PFX (RFC 7292, section 4); one that begins with 0 or 1 and goes
        // on with a sequence or a number is a private key.
        [0x30, 0x82 | 0x83, ..] if inner(content).starts_with(&[2, 1, 3]) => {
            "a PKCS#12 store; take the certificate out of it with openssl pkcs12 -nokeys"
        }
        [0x30, ..] if matches!(inner(content), [2, 1, 0 | 1, ..]) => {
            "a private key and no certificate; name the file of the certificate"
        }
        [0x30, ..] => return Ok(content.to_vec()),
        _ => "there is no certificate in it",
    };
    Err(Failure::message(Reason::Protocol, message))
}

/// What stands inside a DER sequence, behind its length.
fn inner(content: &[u8]) -> &[u8] {
    let skip = match content.get(1) {
        Some(length @ 0x81..=0x84) => 2 + usize::from(length & 0x0f),
        _ => 2,
    };
    content.get(skip..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "-----BEGIN CERTIFICATE-----\nMAEC\nAw==\n-----END CERTIFICATE-----\n";

    fn said(content: &str) -> String {
        match certificates(content.as_bytes()) {
            Ok(found) => format!("{found:?}"),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn certificates_are_found_among_whatever_else_is_in_the_file() {
        let both = "[[48, 1, 2, 3], [48, 1, 2, 3]]";
        let key = "-----BEGIN PRIVATE KEY-----\nnot to be looked at\n-----END PRIVATE KEY-----\n";
        for content in [
            format!("{ONE}{ONE}"),
            format!("{key}{ONE}{key}{ONE}"),
            format!("subject=CN = shop\n\n{ONE}issuer=CN = a -----\n{ONE}-----END NOTHING-----\n"),
            format!("{ONE}{ONE}").replace('\n', "\r\n"),
            format!("{ONE}{ONE}").replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
            format!("{ONE}{ONE}").replace("==", ""),
        ] {
            assert_eq!(said(&content), both, "{content}");
        }
    }

    #[test]
    fn what_is_no_certificate_says_what_it_is() {
        let key = ONE.replace("CERTIFICATE", "EC PRIVATE KEY");
        for (content, says) in [
            (String::new(), "the file is empty"),
            ("hello".into(), "there is no certificate in it"),
            (key, "a private key and no certificate; name the file of the certificate"),
            (ONE.replace("CERTIFICATE", "CERTIFICATE REQUEST"), "a request for a certificate, not the certificate"),
            (ONE.replace("CERTIFICATE", "DH PARAMETERS"), "there is no certificate in it"),
            (ONE.replace("Aw==", "Aw=!"), "the section `CERTIFICATE` is broken, or broken off"),
            (ONE.replace("END", "AND"), "the section `CERTIFICATE` is broken, or broken off"),
            (ONE.replace("END CERTIFICATE", "END KEY"), "the section `CERTIFICATE` is broken, or broken off"),
            (ONE.repeat(1_001), "more than 1,000 certificates"),
        ] {
            assert_eq!(said(&content), says, "{content:.100}");
        }
        for (der, says) in [
            (
                &b"\x30\x82\x09\x00\x02\x01\x03\x30"[..],
                "a PKCS#12 store; take the certificate out of it with openssl pkcs12 -nokeys",
            ),
            (b"\x30\x77\x02\x01\x01\x04", "a private key and no certificate; name the file of the certificate"),
            (b"\x30\x81\x87\x02\x01\x00\x30", "a private key and no certificate; name the file of the certificate"),
        ] {
            assert_eq!(certificates(der).unwrap_err().to_string(), says);
        }
        assert_eq!(certificates(b"\x30\x03\x30\x01\x00").unwrap(), [b"\x30\x03\x30\x01\x00"]);
    }
}
