//! The samples of a run that has ended, and how they are kept.

use std::cmp::Ordering;
use std::ops::Range;

use super::{RUN_LABEL_BYTES, Value};
use crate::metric::Family;

/// By name, then by labels; of one name, what is declared comes before what a server named alike.
pub(super) fn order(a: &Series, b: &Series, labels: &Labels) -> Ordering {
    let found = |series: &Series| matches!(series.family, Family::Found(_));
    let names = || a.family.name.cmp(&b.family.name);
    // Neighbours are mostly of one family, whose name need not be read then.
    (if a.family.is(&b.family) { Ordering::Equal } else { names() })
        .then_with(|| found(a).cmp(&found(b)))
        .then_with(|| labels.of(a).cmp(labels.of(b)))
}

#[derive(Debug)]
pub(super) struct Series {
    pub(super) family: Family,
    /// Which of `Labels::ends` are this series'.
    pub(super) labels: Range<usize>,
    pub(super) value: Value,
}

/// Label values back to back in one string, so that a run of a thousand series makes a few allocations.
#[derive(Debug, Default)]
pub(super) struct Labels {
    text: String,
    ends: Vec<usize>,
}

impl Labels {
    pub(super) fn add(&mut self, values: &[&str]) -> Range<usize> {
        let start = self.ends.len();
        for value in values {
            self.text.push_str(value);
            self.ends.push(self.text.len());
        }
        start..self.ends.len()
    }

    pub(super) fn has_room_for(&self, values: &[&str]) -> bool {
        self.text.len() + values.iter().map(|value| value.len()).sum::<usize>() <= RUN_LABEL_BYTES
    }

    pub(super) fn of(&self, series: &Series) -> impl Iterator<Item = &str> + Clone {
        series.labels.clone().map(|index| {
            let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.text[start..self.ends[index]]
        })
    }
}

/// The samples of a run that has ended: grouped by family, in order, none twice.
#[derive(Debug, Default)]
pub struct Findings {
    pub(super) series: Vec<Series>,
    pub(super) labels: Labels,
}

impl Findings {
    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// The families, in the order of their names, each with its series in the order of their labels.
    pub fn families(&self) -> impl Iterator<Item = (&Family, Group<'_>)> {
        self.series
            .chunk_by(|a, b| a.family.has_the_name_of(&b.family))
            .map(|series| (&series[0].family, Group { series, labels: &self.labels }))
    }
}

/// The series that one run gave one family.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    series: &'a [Series],
    labels: &'a Labels,
}

impl<'a> Group<'a> {
    /// Label values, in the order of the family's label names, and value of each series.
    pub fn samples(self) -> impl Iterator<Item = (impl Iterator<Item = &'a str> + Clone, &'a Value)> {
        self.series.iter().map(move |series| (self.labels.of(series), &series.value))
    }
}
