//! Patterns as nginx has them, which are PCRE's: with looks ahead and back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fancy_regex::{Regex, RegexBuilder};

use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// The most steps that a pattern takes for one text, the longest pattern, and the most that are kept.
const STEPS: usize = 100_000;
const LENGTH: usize = 16 << 10;
const KEPT: usize = 5_000;

/// What a pattern found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// `$0`, `$1` and so on.
    pub(super) groups: Vec<String>,
    /// The groups that have names.
    pub(super) named: Vec<(String, String)>,
}

/// Patterns that have been read before; `None` for such as make no sense to us.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns(Arc<Mutex<Compiled>>);

/// By the pattern, and whether it ignores case.
type Compiled = BTreeMap<(String, bool), Option<Regex>>;

impl Patterns {
    /// What a pattern finds in a text.
    pub(super) fn find(&self, pattern: &str, ignores_case: bool, text: &str) -> Known<Option<Found>> {
        let unknown = |what| Unknown::new(Cause::Unsupported, format!("the pattern `{}` {what}", shown(pattern)));
        let regex = self.regex(pattern, ignores_case).ok_or_else(|| unknown("is of a kind that is not understood"))?;
        let captures = regex.captures(text).map_err(|_| unknown("takes too many steps"))?;
        let Some(captures) = captures else { return Ok(None) };
        let text_of = |group: Option<fancy_regex::Match<'_>>| group.map_or("", |found| found.as_str()).to_owned();
        let groups = (0..captures.len()).map(|group| text_of(captures.get(group))).collect();
        let named = regex.capture_names().flatten();
        let named = named.map(|name| (name.to_owned(), text_of(captures.name(name)))).collect();
        Ok(Some(Found { groups, named }))
    }

    fn regex(&self, pattern: &str, ignores_case: bool) -> Option<Regex> {
        let mut known = self.0.lock().expect("nothing panics while it is held");
        if known.len() >= KEPT {
            known.clear();
        }
        let compiled = || {
            if pattern.len() > LENGTH {
                return None;
            }
            RegexBuilder::new(pattern).case_insensitive(ignores_case).backtrack_limit(STEPS).build().ok()
        };
        known.entry((pattern.to_owned(), ignores_case)).or_insert_with(compiled).clone()
    }
}

/// As much of a pattern as people are shown.
fn shown(pattern: &str) -> String {
    pattern.chars().filter(|character| !character.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_ahead_are_understood() {
        let patterns = Patterns::default();
        let hits = |text| patterns.find(r"/\.(?!well-known/)", false, text).map(|found| found.is_some());
        assert_eq!([hits("/.git/HEAD"), hits("/.well-known/x")], [Ok(true), Ok(false)]);
        assert!(patterns.find("(", false, "").is_err());
    }

    #[test]
    fn groups_are_told_by_number_and_name() {
        let found = Patterns::default().find(r"^(?<script>.+\.php)(/.+)?$", true, "/A.PHP/x").unwrap().unwrap();
        assert_eq!(found.groups, ["/A.PHP/x", "/A.PHP", "/x"]);
        assert_eq!(found.named, [("script".to_owned(), "/A.PHP".to_owned())]);
    }

    #[test]
    fn a_pattern_that_never_ends_is_unknown() {
        let text = format!("{}!", "a".repeat(100));
        let found = Patterns::default().find(r"^(a|aa)+\1b", false, &text);
        assert_eq!(found.unwrap_err().why, r"the pattern `^(a|aa)+\1b` takes too many steps");
    }
}
