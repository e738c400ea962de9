//! `Strict-Transport-Security`: for how long a browser comes by HTTPS alone.

use std::collections::BTreeSet;

/// For how long, in seconds; `None` when browsers ignore what is written (RFC 6797, section 6.1).
///
/// A directive that stands there twice, an age that is no number, or none at all make all of it void.
pub(crate) fn max_age(text: &str) -> Option<u64> {
    let mut seen = BTreeSet::new();
    let mut age = None;
    for directive in text.split(';').map(str::trim).filter(|directive| !directive.is_empty()) {
        let (name, value) =
            directive.split_once('=').map_or((directive, None), |(name, value)| (name.trim(), Some(value.trim())));
        let name = name.to_ascii_lowercase();
        if name == "max-age" {
            age = Some(seconds(value?)?);
        } else if name == "includesubdomains" && value.is_some() {
            return None;
        }
        if !seen.insert(name) {
            return None;
        }
    }
    age
}

fn seconds(value: &str) -> Option<u64> {
    let value = value.strip_prefix('"').map_or(Some(value), |rest| rest.strip_suffix('"'))?;
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // What is too large to count is long enough.
    is_number.then(|| value.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_age_is_read_as_browsers_read_it() {
        for (text, age) in [
            ("max-age=63072000", Some(63_072_000)),
            ("max-age=31536000; includeSubDomains; preload", Some(31_536_000)),
            ("MAX-AGE=\"31536000\"", Some(31_536_000)),
            (" includeSubDomains ; max-age = 1 ;;", Some(1)),
            ("max-age=0", Some(0)),
            ("max-age=99999999999999999999", Some(u64::MAX)),
            ("max-age=1; later=\"thing\"", Some(1)),
            ("max-age=1; max-age=31536000", None),
            ("max-age", None),
            ("max-age=", None),
            ("max-age=\"1", None),
            ("max-age=-1", None),
            ("max-age=+1", None),
            ("max-age=1 year", None),
            ("max-age: 31536000", None),
            ("includeSubDomains", None),
            ("max-age=1; includeSubDomains=yes", None),
            // Two headers in one: browsers see one with a strange age.
            ("max-age=31536000, max-age=31536000", None),
            ("", None),
        ] {
            assert_eq!(max_age(text), age, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "(?s).{0,200}") {
            max_age(&text);
        }

        #[test]
        fn what_is_written_is_read(age in any::<u64>(), spaces in " {0,3}") {
            prop_assert_eq!(max_age(&format!("{spaces}preload;{spaces}max-age{spaces}={spaces}{age}{spaces};")), Some(age));
        }
    }
}
