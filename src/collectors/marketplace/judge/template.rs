//! Texts with places of an answer in them: `{{item./country}}`, `{{0./apiName}}.{{1./name}}`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer};
use serde_json::Value;

use super::pointer::Pointer;
use crate::config::types::from_text;

/// How long the text of a template may be.
const TEXT_BYTES: usize = 512;

/// How long a label may be that comes of one.
const LABEL_BYTES: usize = 64;

/// How much is read of a text for it; some of that cannot be seen.
const READ_BYTES: usize = 4 * LABEL_BYTES;

/// A text, some parts of which stand in the elements of arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// What stands at a place in the element of an array, by the array's level: 0 is the outermost one.
    Place {
        level: usize,
        is_item: bool,
        pointer: Pointer,
    },
}

impl Template {
    /// Whether nothing in it comes from an answer.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.levels().next().is_none()
    }

    /// The levels of its places, and whether they are written as `item`.
    pub(super) fn levels(&self) -> impl Iterator<Item = (usize, bool)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Place { level, is_item, .. } => Some((*level, *is_item)),
        })
    }

    /// The label for these elements, one of each level; `None` when there is no text or number at one of its places, or
    /// when nothing is left that can be printed.
    pub(super) fn label(&self, elements: &[&Value]) -> Option<String> {
        let mut label = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => label.push_str(text),
                Part::Place { level, pointer, .. } => match pointer.find(elements.get(*level)?, false)? {
                    Value::String(text) => label.push_str(&text[..text.floor_char_boundary(READ_BYTES)]),
                    Value::Number(number) => label.push_str(&number.to_string()),
                    Value::Bool(bool) => label.push_str(if *bool { "true" } else { "false" }),
                    _ => return None,
                },
            }
        }
        Some(clean(&label)).filter(|label| !label.is_empty())
    }
}

/// A text as a label: at most 64 bytes, one space for any other space, and nothing that cannot be seen.
pub(super) fn clean(text: &str) -> String {
    let mut label = String::new();
    for word in text.split_whitespace() {
        let word: String = word.chars().filter(|char| is_visible(*char)).collect();
        if !label.is_empty() && !word.is_empty() {
            label.push(' ');
        }
        label.push_str(&word);
    }
    label.truncate(label.floor_char_boundary(LABEL_BYTES));
    label.truncate(label.trim_end().len());
    label
}

/// Neither a control character nor one of those that only turn the direction of others, or take no room.
fn is_visible(char: char) -> bool {
    !char.is_control()
        && !matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > TEXT_BYTES {
            return Err(format!("a text of {} bytes is too long\n{TEXT_BYTES} are the most", text.len()));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (place, behind) = behind.split_once("}}").ok_or_else(|| wrong(text, "`{{` without `}}`"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (of, pointer) = place.trim().split_once('.').ok_or_else(|| wrong(text, "a place without `.`"))?;
            let (level, is_item) = match of {
                "item" => (0, true),
                "0" => (0, false),
                "1" => (1, false),
                "2" => (2, false),
                _ => return Err(wrong(text, "a place that is neither in `item` nor in `0`, `1` or `2`")),
            };
            parts.push(Part::Place { level, is_item, pointer: pointer.parse()? });
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

fn wrong(text: &str, what: &str) -> String {
    format!(
        "`{text}` has {what}\n\
         write \"{{{{item./country}}}}\" for what stands in the element of `foreach`, \"{{{{0./name}}}}\" where it has levels"
    )
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn label(template: &str, elements: &[Value]) -> Option<String> {
        template.parse::<Template>().unwrap().label(&elements.iter().collect::<Vec<_>>())
    }

    #[test]
    fn places_are_filled_in_and_other_text_stays() {
        let elements = [json!({"a": "x", "n": 7, "b": true, "o": {}, "z": null}), json!({"a": {"b": "y"}})];
        for (template, expected) in [
            ("plain", Some("plain")),
            ("{{0./a}}.{{1./a/b}}", Some("x.y")),
            ("{{item./n}} of {{ 0./b }}", Some("7 of true")),
            ("{{0./o}}", None),
            ("{{0./z}}", None),
            ("{{0./missing}}", None),
            ("{{2./a}}", None),
            ("", None),
        ] {
            assert_eq!(label(template, &elements).as_deref(), expected, "{template}");
        }
    }

    #[test]
    fn a_label_is_short_and_can_be_seen() {
        for (text, expected) in [
            (" a\tb\r\nc ", "a b c"),
            ("a\u{0}\u{202e}b\u{200b}", "ab"),
            ("\u{1b}[31mred", "[31mred"),
            ("\u{feff}", ""),
            (&"ş".repeat(40), &"ş".repeat(32)),
            (&format!("{} b", "a".repeat(63)), &"a".repeat(63)),
        ] {
            assert_eq!(clean(text), expected);
        }
    }

    #[test]
    fn what_is_no_template_says_how_one_is_written() {
        for (text, says) in [
            ("{{item./a", "has `{{` without `}}`"),
            ("{{item}}", "has a place without `.`"),
            ("{{var.shop}}", "has a place that is neither in `item` nor in `0`, `1` or `2`"),
            ("{{3./a}}", "has a place that is neither"),
            ("{{item.a}}", "`a` is not a JSON pointer"),
            (&"x".repeat(600), "a text of 600 bytes is too long"),
        ] {
            let message = text.parse::<Template>().unwrap_err();
            assert!(message.contains(says) && message.lines().count() == 2, "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_label_that_is_too_long_or_cannot_be_seen(text in any::<String>()) {
            let label = clean(&text);
            prop_assert!(label.len() <= LABEL_BYTES && label.chars().all(is_visible), "{:?}", label);
            prop_assert_eq!(clean(&label), label);
        }
    }
}
