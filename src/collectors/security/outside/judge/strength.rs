//! How strong TLS is: TLS-04, TLS-05.

use super::certificate::RSA_BITS;
use crate::collectors::security::outside::encryption::{Leaf, Offers, Shown, VERSIONS};
use crate::collectors::security::outside::groups::Group;
use crate::collectors::security::verdict::{Cap, Cause, Known, Unknown, Verdict};

/// The shortest key on an elliptic curve that still is one.
const CURVE_BITS: usize = 256;

/// TLS-04. A server of TLS 1.3 alone is better than one of both, not worse.
///
/// SSL Labs' guide and testssl.sh, cap B; RFC 8996; ASVS 5.0, 12.1.1; CIS NGINX, 4.1.4.
pub(super) fn versions(offers: Result<&Offers, &Unknown>) -> Verdict {
    const FIX: &str = "ssl_protocols TLSv1.2 TLSv1.3;";
    let versions = match offers {
        Ok(offers) => &offers.versions,
        Err(unknown) => return unknown.into(),
    };
    let spoken = |range: std::ops::Range<usize>| -> Vec<&str> {
        range.filter(|at| versions[*at] == Ok(true)).map(|at| VERSIONS[at]).collect()
    };
    let old = spoken(0..3);
    if !old.is_empty() {
        return Verdict::fail(format!("the server agrees to {}", old.join(" and ")), FIX).with_cap(Cap::LegacyTls);
    }
    if let Some(unknown) = versions[..3].iter().find_map(|version| version.as_ref().err()) {
        return unknown.into();
    }
    match (&versions[3], &versions[4]) {
        (_, Ok(true)) => Verdict::pass(format!("the server agrees to {} alone", spoken(3..5).join(" and "))),
        (_, Err(unknown)) | (Err(unknown), _) => unknown.into(),
        (Ok(true), Ok(false)) => Verdict::partial("the server agrees to TLS 1.2, and not to TLS 1.3", FIX),
        (Ok(false), Ok(false)) => Verdict::fail("the server agrees to no version of TLS", FIX),
    }
}

/// TLS-05. What is known to be broken is, whatever else is not known.
///
/// Mozilla's guideline 6.0, intermediate; testssl.sh; ASVS 5.0, 12.1.2.
pub(super) fn suites(offers: Result<&Offers, &Unknown>, certificate: Result<&Shown, &Unknown>) -> Verdict {
    const FIX: &str = "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
        ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;";
    let agreed = |groups: &[Group]| -> Vec<&str> {
        let is_agreed = |group: &&Group| offers.is_ok_and(|offers| *offers.group(**group) == Ok(true));
        groups.iter().filter(is_agreed).map(|group| group.name()).collect()
    };
    let broken = agreed(&Group::BROKEN);
    let leaf = certificate.ok().and_then(|shown| shown.leaf.as_ref());
    let weak = leaf.and_then(weakness);
    if !broken.is_empty() {
        let seen: Vec<_> =
            std::iter::once(format!("the server agrees to {}", broken.join(" and "))).chain(weak).collect();
        return Verdict::fail(seen.join("; "), FIX).with_cap(Cap::WeakCipher);
    }
    if let Some(weak) = weak {
        return Verdict::fail(weak, "certbot certonly --force-renewal --key-type ecdsa --elliptic-curve secp256r1");
    }
    let judged = || -> Known<Verdict> {
        let offers = offers.map_err(Clone::clone)?;
        for known in &offers.suites {
            known.as_ref().map_err(Clone::clone)?;
        }
        let shown = certificate.map_err(Clone::clone)?;
        if offers.versions[3..] == [Ok(false), Ok(false)] && offers.suites.iter().all(|group| *group == Ok(false)) {
            return Ok(Verdict::fail("the server agrees to no cipher suite", FIX));
        }
        let leaf = shown.leaf.as_ref().ok_or_else(|| Unknown::new(Cause::Unparsable, "no certificate is shown"))?;
        let key = strength(leaf)?;
        let half = agreed(&[Group::StaticKey, Group::Chained]);
        Ok(if half.is_empty() {
            let what = if agreed(&[Group::Authenticated]).is_empty() {
                "suites of TLS 1.3"
            } else {
                Group::Authenticated.name()
            };
            Verdict::pass(format!("the server agrees to {what} alone; {key}"))
        } else {
            Verdict::partial(format!("the server agrees to {}; {key}", half.join(" and ")), FIX)
        })
    };
    judged().into()
}

/// What is weak about a certificate.
fn weakness(leaf: &Leaf) -> Option<String> {
    let Leaf { key, bits, signature, .. } = leaf;
    match key.as_str() {
        "rsa" if *bits < RSA_BITS => return Some(format!("its key is RSA of {bits} bits")),
        "ecdsa" if *bits < CURVE_BITS => return Some(format!("its key is on a curve of {bits} bits")),
        "dsa" => return Some("its key is DSA".to_owned()),
        _ => {}
    }
    (signature.ends_with("md5") || signature.ends_with("sha1")).then(|| format!("it is signed with {signature}"))
}

/// What is strong about one that is not weak.
fn strength(leaf: &Leaf) -> Known<String> {
    let Leaf { key, bits, signature, .. } = leaf;
    if key == "other" || signature == "other" {
        return Err(Unknown::new(Cause::Unsupported, format!("a key of kind {key}, signed with {signature}")));
    }
    Ok(format!("the key is {key} of {bits} bits, signed with {signature}"))
}
