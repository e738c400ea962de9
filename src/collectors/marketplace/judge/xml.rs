//! Places in XML documents; read when a preset is loaded.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer};

use crate::config::types::from_text;

/// How long the text of a path may be.
const PATH_BYTES: usize = 256;

/// How many steps it may take; fewer than the bits of what follows them.
const STEPS: usize = 16;

/// Places in an XML document: `*/Errors/ErrorCode`. A step is the name of an element without its namespace, `*` for
/// any element, or `**` for any number of them, also for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Named(String),
    One,
    AnyNumber,
}

impl XmlPath {
    /// Bit n of what is returned is set when the first n steps lead to a child of this name, where `reached` says the
    /// same of its parent.
    pub(super) fn follow(&self, reached: u32, name: &str) -> u32 {
        let mut next = 0;
        for (n, step) in self.steps.iter().enumerate() {
            let is_reached = reached & (1 << n) != 0;
            match step {
                Step::AnyNumber if is_reached => next |= 1 << n,
                Step::One if is_reached => next |= 1 << (n + 1),
                Step::Named(wanted) if is_reached && wanted == name => next |= 1 << (n + 1),
                _ => {}
            }
        }
        self.with_none(next)
    }

    /// What no element at all leads to.
    pub(super) fn start(&self) -> u32 {
        self.with_none(1)
    }

    /// Whether what is reached is the place itself.
    pub(super) fn is_all_of(&self, reached: u32) -> bool {
        reached & (1 << self.steps.len()) != 0
    }

    /// The same with each `**` that is reached taken for no element.
    fn with_none(&self, mut reached: u32) -> u32 {
        for (n, step) in self.steps.iter().enumerate() {
            if *step == Step::AnyNumber && reached & (1 << n) != 0 {
                reached |= 1 << (n + 1);
            }
        }
        reached
    }
}

impl FromStr for XmlPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            Err(format!(
                "`{text}` is not the path of an element: {what}\n\
                 write \"*/Errors/ErrorCode\": names without namespaces, `*` for any element, `**` for any number of them"
            ))
        };
        if text.len() > PATH_BYTES {
            return Err(format!(
                "the path of an element of {} bytes is too long\n{PATH_BYTES} are the most",
                text.len()
            ));
        }
        let mut steps = Vec::new();
        for step in text.split('/') {
            steps.push(match step {
                "**" if steps.last() == Some(&Step::AnyNumber) => return wrong("one `**` is any number already"),
                "**" => Step::AnyNumber,
                "*" => Step::One,
                name if is_name(name) => Step::Named(name.to_owned()),
                _ => return wrong("there is a step that is no name"),
            });
        }
        if steps.len() > STEPS {
            return wrong("it has more than 16 steps");
        }
        if steps.last() == Some(&Step::AnyNumber) {
            return wrong("it ends with `**`, so that every element is meant");
        }
        Ok(Self { text: text.to_owned(), steps })
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text.chars().all(|char| char.is_alphanumeric() || "_-.".contains(char))
}

impl fmt::Display for XmlPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for XmlPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_path_says_how_one_is_written() {
        for (text, says) in [
            ("", "a step that is no name"),
            ("/Ack", "a step that is no name"),
            ("a//b", "a step that is no name"),
            ("ns:Ack", "a step that is no name"),
            ("a/**", "it ends with `**`"),
            ("**/**/a", "one `**` is any number already"),
            ("a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", "it has more than 16 steps"),
        ] {
            let message = text.parse::<XmlPath>().unwrap_err();
            assert!(message.contains(says) && message.lines().count() == 2, "{message}");
        }
        assert!("a".repeat(257).parse::<XmlPath>().is_err());
    }

    /// The same by trying everything: the names from the root to an element, and the steps.
    fn leads_to(steps: &[Step], names: &[&str]) -> bool {
        match (steps, names) {
            ([], []) => true,
            ([Step::AnyNumber, rest @ ..], _) => (0..=names.len()).any(|skipped| leads_to(rest, &names[skipped..])),
            ([Step::One, steps @ ..], [_, names @ ..]) => leads_to(steps, names),
            ([Step::Named(wanted), steps @ ..], [name, names @ ..]) => wanted == name && leads_to(steps, names),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_path_leads_where_all_ways_of_reading_it_lead(
            path in r"((\*|\*\*|a|b)/){0,4}(\*|a|b)",
            names in proptest::collection::vec("[ab]", 1..6),
        ) {
            let Ok(path) = path.parse::<XmlPath>() else { return Ok(()) };
            let mut reached = path.start();
            let reached = names.iter().map(|name| {
                reached = path.follow(reached, name);
                path.is_all_of(reached)
            });
            let found: Vec<bool> = reached.collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let expected: Vec<bool> = (1..=names.len()).map(|depth| leads_to(&path.steps, &names[..depth])).collect();
            prop_assert_eq!(found, expected, "{}", path);
        }
    }
}
