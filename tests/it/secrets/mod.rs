//! A secret is used and nowhere shown, not even where everything is logged and everything fails.

mod marketplaces;
mod servers;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// How a protocol or a log might spell a secret: as it is, as bytes in hexadecimal or decimal, or somewhere in base64.
fn spellings(secret: &str) -> Vec<String> {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let numbers = secret.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>();
    let shifted = [(0, 0), (1, 2), (2, 3)].map(|(before, lost)| {
        let mut bytes = vec![b' '; before];
        bytes.extend(secret.bytes());
        // Of what stands before and behind it, nothing is known.
        bytes.truncate(bytes.len() / 3 * 3);
        STANDARD_NO_PAD.encode(bytes)[lost..].to_owned()
    });
    [secret.to_owned(), hex, numbers.join(", ")].into_iter().chain(shifted).collect()
}

/// Where this secret stands in a text, with what is around it; `None` where it does not.
fn found(secret: &str, text: &str) -> Option<String> {
    let (at, spelling) = spellings(secret).into_iter().find_map(|one| Some((text.find(&one)?, one)))?;
    let around = text[..at].char_indices().rev().nth(300).map_or(0, |(start, _)| start);
    Some(text[around..at + spelling.len()].to_owned())
}

/// Asserts that nobody who reads this text learns a secret from it.
#[track_caller]
fn assert_absent<'a>(secrets: impl IntoIterator<Item = &'a str>, place: &str, text: &str) {
    assert!(!text.is_empty(), "{place} is empty");
    for secret in secrets {
        if let Some(around) = found(secret, text) {
            panic!("{place} holds {secret:?}: {around:?}");
        }
    }
}

#[test]
fn a_secret_is_found_however_it_is_spelled() {
    let secret = "kanarya-5e1f";
    for user in ["", "a", "ab", "abc", "abcd"] {
        let header = STANDARD_NO_PAD.encode(format!("{user}:{secret}:x"));
        assert!(found(secret, &format!("ı Basic {header}")).is_some(), "{user}");
    }
    for spelling in
        ["kanarya-5e1f", "6b616e617279612d35653166", "[107, 97, 110, 97, 114, 121, 97, 45, 53, 101, 49, 102]"]
    {
        assert!(found(secret, spelling).is_some(), "{spelling}");
    }
    assert_eq!(found(secret, "kanarya-5e1"), None);
}
