//! The labels that the series of an expression may have, and whether two sides of an operator can meet by them.

use std::collections::{BTreeMap, BTreeSet};

/// Labels by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels(BTreeMap<String, Value>);

/// What is known of a label's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing: one series may have this one, another that.
    Any,
    /// Nothing, and a rule has seen to it that both sides can have it.
    Made,
    /// As `target` of drop-in families: the target named `main` lacks it.
    ButMain,
    /// Every series has this one.
    Is(String),
}

impl Labels {
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn all(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self(names.into_iter().map(|name| (name.as_ref().to_owned(), Value::Any)).collect())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The names of those that a series can have; one that is always empty it has not.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        let empty = Value::Is(String::new());
        self.0.iter().filter(|(_, value)| **value != empty).map(|(name, _)| name.as_str()).collect()
    }

    /// Those of `names` only.
    pub(crate) fn only(&self, names: &[String]) -> Self {
        Self(self.0.iter().filter(|(name, _)| names.contains(name)).map(owned).collect())
    }

    /// All but `names`.
    pub(crate) fn without(&self, names: &[String]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(name)).map(owned).collect())
    }

    /// Those of series that are of the one kind or of the other.
    pub(crate) fn or(mut self, other: &Self) -> Self {
        for (name, value) in &other.0 {
            let ours = self.0.entry(name.clone()).or_insert_with(|| value.clone());
            if *ours != *value {
                *ours = if [&*ours, value].contains(&&Value::Made) { Value::Made } else { Value::Any };
            }
        }
        self
    }

    /// Those by which one series differs from another.
    pub(crate) fn open(&self) -> BTreeSet<&str> {
        self.0.iter().filter(|(_, value)| !matches!(value, Value::Is(_))).map(|(name, _)| name.as_str()).collect()
    }

    /// Why no series of ours can ever match one of theirs on these labels, which both have.
    pub(crate) fn never_meet(&self, other: &Self, on: &[String]) -> Option<String> {
        on.iter().find_map(|name| match (self.0.get(name)?, other.0.get(name)?) {
            (Value::ButMain, Value::Any) | (Value::Any, Value::ButMain) => Some(format!(
                "the target `main` has the label `{name}` on one side only, because one family is a drop-in and the \
                 other is our own: aggregate it away on both sides, or add it by label_replace"
            )),
            (Value::Is(a), Value::Is(b)) if a != b => Some(format!(
                "`{name}` is always \"{a}\" on the one side and \"{b}\" on the other: say `ignoring ({name})` or `on (...)`"
            )),
            _ => None,
        })
    }
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}
