//! The reviewed list of what is meant to differ from a peer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The kinds of lines, as [`super`] explains them; the first one has no word.
const KINDS: [&str; 8] = ["", "type:", "labels:", "more:", "series:", "value:", "near:", "clients:"];

/// The kinds that a comparison can find to be needless; the others depend on the moment or on the peer's version.
const PROVABLE: [&str; 2] = ["labels:", "series:"];

/// The lines of one file.
#[derive(Debug)]
pub(crate) struct Deviations {
    topic: String,
    /// What, and its reason.
    lines: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl Deviations {
    /// Reads `tests/it/deviations/<topic>.tsv`, and what differs whenever two exporters run side by side.
    pub(crate) fn of(topic: &str) -> Self {
        let read = |name: &str| {
            let file = format!("tests/it/deviations/{name}.tsv");
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"))
        };
        Self::parse(topic, &(read(topic) + &read("side_by_side")))
    }

    /// Reads the text of such a file; `topic` is for the messages.
    #[track_caller]
    pub(crate) fn parse(topic: &str, text: &str) -> Self {
        let mut lines = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (what, reason) = line.split_once('\t').unwrap_or((line, ""));
            assert!(!reason.trim().is_empty(), "{topic}: no reason is given for {what:?}");
            let kind = what.split_once(':').map_or("", |(kind, _)| &what[..=kind.len()]);
            assert!(KINDS.contains(&kind), "{topic}: {what:?} is none of {KINDS:?}");
            let twice = lines.insert(what.to_owned(), reason.to_owned()).is_some();
            assert!(!twice, "{topic}: {what:?} is there twice");
        }
        Self { topic: topic.to_owned(), lines, taken: BTreeSet::new() }
    }

    /// The kind and the family of each line.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.keys().map(|what| what.split_once(':').map_or(("", what.as_str()), |(kind, family)| (kind, family)))
    }

    /// Whether this is listed; it then counts as needed.
    pub(super) fn take(&mut self, kind: &str, family: &str) -> bool {
        let what = format!("{kind}{family}");
        let listed = self.lines.contains_key(&what);
        if listed {
            self.taken.insert(what);
        }
        listed
    }

    /// A complaint about each line that was provably not needed although the peer has the family.
    pub(super) fn unused(&self, peer_has: impl Fn(&str) -> bool) -> Vec<String> {
        let unused = self.lines.keys().filter(|what| !self.taken.contains(*what));
        let unused = unused.filter(|what| PROVABLE.into_iter().any(|kind| what.starts_with(kind)));
        let unused = unused.filter(|what| peer_has(what.rsplit(':').next().unwrap_or(what)));
        unused.map(|what| format!("{}: the deviation {what:?} is no longer needed", self.topic)).collect()
    }
}
