//! Places in JSON documents, as RFC 6901 writes them; read when a preset is loaded.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer};
use serde_json::Value;

use crate::config::types::from_text;

/// How long the text of a pointer may be.
const TEXT_BYTES: usize = 256;

/// How many steps it may take.
const STEPS: usize = 32;

/// A place in a JSON document: `/content/0/lastModifiedDate`. Without any step, the document itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    text: String,
    steps: Vec<String>,
}

impl Pointer {
    /// What stands there; `null` is nothing.
    ///
    /// With `ignore_case`, a key that differs in the case of ASCII letters is taken where none is the same; the first
    /// of several in the order of their bytes.
    #[must_use]
    pub fn find<'v>(&self, document: &'v Value, ignore_case: bool) -> Option<&'v Value> {
        let found = self.steps.iter().try_fold(document, |value, step| match value {
            Value::Object(fields) => fields.get(step).or_else(|| {
                let alike = fields.iter().filter(|(key, _)| ignore_case && key.eq_ignore_ascii_case(step));
                alike.min_by_key(|(key, _)| *key).map(|(_, value)| value)
            }),
            Value::Array(elements) => elements.get(index(step)?),
            _ => None,
        });
        found.filter(|value| !value.is_null())
    }
}

/// The number of an element: digits, no zero before others.
fn index(step: &str) -> Option<usize> {
    let good = step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
    good.then(|| step.parse().ok())?
}

impl FromStr for Pointer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            Err(format!("`{text}` is not a JSON pointer: {what}\nwrite \"/errors/0/code\": each step after a `/`"))
        };
        if text.len() > TEXT_BYTES {
            return Err(format!("a JSON pointer of {} bytes is too long\n{TEXT_BYTES} are the most", text.len()));
        }
        let mut parts = text.split('/');
        if parts.next() != Some("") {
            return wrong("it does not begin with `/`");
        }
        let steps: Vec<&str> = parts.collect();
        if steps.len() > STEPS {
            return wrong("it has more than 32 steps");
        }
        if steps.iter().any(|step| step.split('~').skip(1).any(|behind| !behind.starts_with(['0', '1']))) {
            return wrong("`~` is written `~0`, and `/` in a key `~1`");
        }
        // In this order: `~01` is `~1`, not `/`.
        let steps = steps.iter().map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        Ok(Self { text: text.to_owned(), steps })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn pointer(text: &str) -> Pointer {
        text.parse().unwrap()
    }

    #[test]
    fn the_examples_of_the_rfc_are_found() {
        let document = json!({
            "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8
        });
        for (text, value) in [
            ("", document.clone()),
            ("/foo", json!(["bar", "baz"])),
            ("/foo/0", json!("bar")),
            ("/", json!(0)),
            ("/a~1b", json!(1)),
            ("/c%d", json!(2)),
            ("/e^f", json!(3)),
            ("/g|h", json!(4)),
            ("/i\\j", json!(5)),
            ("/k\"l", json!(6)),
            ("/ ", json!(7)),
            ("/m~0n", json!(8)),
        ] {
            assert_eq!(pointer(text).find(&document, false), Some(&value), "{text}");
            assert_eq!(pointer(text).to_string(), text);
        }
        for text in ["/foo/2", "/foo/00", "/foo/-", "/foo/+1", "/foo/", "/foo/0/0", "/Foo", "/foo/99999999999999999999"]
        {
            assert_eq!(pointer(text).find(&document, false), None, "{text}");
        }
        assert_eq!(pointer("/~01").find(&json!({"~1": 1, "/": 2}), false), Some(&json!(1)));
    }

    #[test]
    fn null_is_nothing() {
        assert_eq!(pointer("/data").find(&json!({"data": null}), false), None);
        assert_eq!(pointer("").find(&Value::Null, false), None);
    }

    #[test]
    fn the_same_key_counts_before_one_that_is_alike() {
        let document = json!({"Products": 1, "PRODUCTS": 2, "products": 3});
        assert_eq!(pointer("/products").find(&document, true), Some(&json!(3)));
        assert_eq!(pointer("/pRODUCTS").find(&document, true), Some(&json!(2)));
        assert_eq!(pointer("/pRODUCTS").find(&document, false), None);
        assert_eq!(pointer("/a/B").find(&json!({"A": {"b": [1]}}), true), Some(&json!([1])));
    }

    #[test]
    fn what_is_no_pointer_says_how_one_is_written() {
        for (text, says) in [
            ("content", "`content` is not a JSON pointer: it does not begin with `/`"),
            ("/a~2", "`/a~2` is not a JSON pointer: `~` is written `~0`, and `/` in a key `~1`"),
            ("/a~", "`/a~` is not a JSON pointer: `~` is written `~0`, and `/` in a key `~1`"),
            (&"/a".repeat(33), "is not a JSON pointer: it has more than 32 steps"),
            (&format!("/{}", "a".repeat(300)), "a JSON pointer of 301 bytes is too long\n256 are the most"),
        ] {
            let message = text.parse::<Pointer>().unwrap_err();
            assert!(message.contains(says) && message.lines().count() == 2, "{message}");
        }
    }

    /// Any JSON with few keys, so that pointers find something.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i32>().prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[aAbB]{1,2}", inner, 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_finds_what_serde_json_finds(document in any_json(), text in "(/([aAbB]{1,2}|[0-3])){0,4}") {
            let theirs = document.pointer(&text).filter(|value| !value.is_null());
            prop_assert_eq!(pointer(&text).find(&document, false), theirs);
        }

        #[test]
        fn keys_that_are_the_same_are_found_whatever_case_counts(document in any_json(), text in "(/([aAbB]{1,2}|[0-3])){0,4}") {
            // Each step on its own: a key that is the same is taken even when what follows is not behind it.
            let exact = pointer(&text).find(&document, false);
            if exact.is_some() {
                prop_assert_eq!(pointer(&text).find(&document, true), exact);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[/~01a-]{0,12}", document in any_json()) {
            if let Ok(pointer) = text.parse::<Pointer>() {
                let found = pointer.find(&document, true);
                prop_assert!(found.is_none_or(|value| !value.is_null()));
                prop_assert_eq!(pointer.to_string(), text);
            }
        }
    }
}
