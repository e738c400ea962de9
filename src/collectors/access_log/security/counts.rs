//! Counters over closed sets of labels.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::super::classes::{Limit, Limited};
use super::labels::{Abuse, Answer, Call, Incident, Outcome, Realm, Violation};

/// A closed set of labels.
pub(super) trait Label: Copy + PartialEq + 'static {
    /// All there are.
    const LABELS: &'static [Self];

    /// The label's value.
    fn label(self) -> &'static str;

    /// The one with this label.
    fn of(label: &str) -> Option<Self>;

    /// Its place in the list of all.
    fn place(self) -> usize;
}

macro_rules! labels {
    ($($name:ident),+) => {$(
        impl Label for $name {
            const LABELS: &'static [Self] = Self::ALL;

            fn label(self) -> &'static str {
                self.as_str()
            }

            fn of(label: &str) -> Option<Self> {
                Self::of_label(label)
            }

            fn place(self) -> usize {
                self as usize
            }
        }
    )+};
}
labels!(Realm, Outcome, Violation, Answer, Call, Abuse, Incident, Limit, Limited);

/// The only label of a set that needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Any;

impl Label for Any {
    const LABELS: &'static [Self] = &[Self];

    fn label(self) -> &'static str {
        ""
    }

    fn of(label: &str) -> Option<Self> {
        label.is_empty().then_some(Self)
    }

    fn place(self) -> usize {
        0
    }
}

/// A counter for each pair of labels.
#[derive(Clone, Debug)]
pub(super) struct Counts<A, B = Any> {
    counts: Vec<u64>,
    labels: PhantomData<(A, B)>,
}

impl<A: Label, B: Label> Default for Counts<A, B> {
    fn default() -> Self {
        Self { counts: vec![0; A::LABELS.len() * B::LABELS.len()], labels: PhantomData }
    }
}

impl<A: Label> Counts<A> {
    /// Counts one more.
    pub(super) fn count(&mut self, a: A) {
        self.count_pair(a, Any);
    }
}

impl<A: Label, B: Label> Counts<A, B> {
    /// Counts one more of a pair.
    pub(super) fn count_pair(&mut self, a: A, b: B) {
        self.counts[Self::place(a, b)] += 1;
    }

    fn place(a: A, b: B) -> usize {
        a.place() * B::LABELS.len() + b.place()
    }

    /// All pairs and their counts.
    pub(super) fn iter(&self) -> impl Iterator<Item = (A, B, u64)> {
        let pairs = A::LABELS.iter().flat_map(|a| B::LABELS.iter().map(move |b| (*a, *b)));
        pairs.zip(&self.counts).map(|((a, b), count)| (a, b, *count))
    }

    /// What is not zero, by its labels: what is kept over a restart, and over a version that knows other labels.
    pub(super) fn saved(&self) -> BTreeMap<String, u64> {
        let counted = self.iter().filter(|(_, _, count)| *count > 0);
        counted.map(|(a, b, count)| (format!("{}/{}", a.label(), b.label()), count)).collect()
    }

    /// Goes on from what was kept.
    pub(super) fn restored(saved: &BTreeMap<String, u64>) -> Self {
        let mut counts = Self::default();
        for (pair, count) in saved {
            if let Some((a, b)) = pair.split_once('/')
                && let (Some(a), Some(b)) = (A::of(a), B::of(b))
            {
                counts.counts[Self::place(a, b)] = *count;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_kept_under_their_labels() {
        let mut counts: Counts<Realm, Outcome> = Counts::default();
        counts.count_pair(Realm::Customer, Outcome::Throttled);
        counts.count_pair(Realm::HttpBasic, Outcome::Failure);
        let mut saved = counts.saved();
        assert_eq!(saved.keys().collect::<Vec<_>>(), ["customer/throttled", "http_basic/failure"]);
        saved.insert("customer/by_magic".to_owned(), 9);
        let restored: Counts<Realm, Outcome> = Counts::restored(&saved);
        assert_eq!(restored.iter().collect::<Vec<_>>(), counts.iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_place_is_that_in_the_list() {
        fn holds<A: Label>() {
            assert!(A::LABELS.iter().enumerate().all(|(place, label)| label.place() == place));
        }
        holds::<Incident>();
        holds::<Violation>();
        holds::<Any>();
    }
}
