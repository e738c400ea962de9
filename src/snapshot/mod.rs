//! What one run of one collector found: samples, and the holes in them.

mod findings;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::collector::Failure;
use crate::histogram::Histogram;
use crate::metric::{Family, Metric};

pub use findings::{Findings, Group};
use findings::{Labels, Series, order};
pub use value::{Number, Summary, Value};

/// How many series one run may give one family. Above any honest count: MariaDB's widest default family has 160.
pub const FAMILY_SERIES: usize = 2_000;

/// How many series one run may give in all: twice what nine exporters together give for one shop.
pub const RUN_SERIES: usize = 20_000;

/// How many families the counts of dropped series tell apart; the rest are `other`. A server can make up names without
/// end, and counts are kept for as long as the program runs.
const DROPPED_FAMILIES: usize = 100;

/// How many bytes of label values one run may hold.
const RUN_LABEL_BYTES: usize = 8 << 20;

/// Why a series was dropped: the values of `cause` in `vitrin_series_dropped_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The same family and labels came twice in one run; the first one stays.
    Duplicate,
    /// No source that is in order says so: a counter below zero, buckets or quantiles that are not in order.
    Impossible,
    /// Its family, or the run, was full.
    Limit,
    /// The value was not a number, or no finite one; a missing value is absent, never NaN.
    NotANumber,
}

impl Cause {
    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Impossible => "impossible",
            Self::Limit => "limit",
            Self::NotANumber => "not_a_number",
        }
    }
}

/// What a run has found so far.
#[derive(Debug, Default)]
pub struct Snapshot {
    deadline: Option<Instant>,
    series: Vec<Series>,
    labels: Labels,
    /// Series of each family, by the address of its name: one family has one declaration. Counted from the moment on
    /// that a family can be full, which an honest run never sees.
    counts: HashMap<usize, usize>,
    dropped: Dropped,
    gaps: Vec<Failure>,
    /// How many of `series` stay when the run fails.
    kept: usize,
    unlimited: bool,
}

/// Series that were not kept, by family and cause.
pub type Dropped = BTreeMap<(String, Cause), u64>;

/// Counts dropped series under their family, or under `other` when too many families are counted already.
pub(crate) fn count_dropped(all: &mut Dropped, family: &str, cause: Cause, count: u64) {
    let mut key = (family.to_owned(), cause);
    if all.len() >= DROPPED_FAMILIES && !all.contains_key(&key) {
        "other".clone_into(&mut key.0);
    }
    *all.entry(key).or_default() += count;
}

impl Snapshot {
    /// One that takes all that comes: for what Vitrin says of its own jobs, which are as many as the configuration asks
    /// for, and each with as much as its labels' lists allow.
    pub(crate) fn unlimited() -> Self {
        Self { unlimited: true, ..Self::default() }
    }

    /// Adds a sample of a declared metric.
    pub fn push<const N: usize>(&mut self, metric: &'static Metric<N>, labels: [&str; N], value: impl Number) {
        self.add(metric.into(), &labels, Value::Number(value.number()));
    }

    /// Adds whether the target is up, for which there is room however full the run is.
    pub(crate) fn push_up(&mut self, metric: &'static Metric<0>, up: bool) {
        let labels = self.labels.add(&[]);
        self.series.push(Series { family: metric.into(), labels, value: Value::Number(up.number()) });
    }

    /// Adds a histogram of a declared metric.
    pub fn push_histogram<const N: usize>(
        &mut self,
        metric: &'static Metric<N>,
        labels: [&str; N],
        histogram: impl Into<Arc<Histogram>>,
    ) {
        let mut histogram = histogram.into();
        if histogram.buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
            Arc::make_mut(&mut histogram).buckets.push((f64::INFINITY, 0));
        }
        self.add(metric.into(), &labels, Value::Histogram(histogram));
    }

    /// Adds a summary of a declared metric.
    pub fn push_summary<const N: usize>(&mut self, metric: &'static Metric<N>, labels: [&str; N], summary: Summary) {
        self.add(metric.into(), &labels, Value::Summary(Box::new(summary)));
    }

    /// Adds a sample of a family from a names table or from the configuration; `labels` are as many as its own.
    pub fn push_family(&mut self, family: Family, labels: &[&str], value: impl Number) {
        self.add(family, labels, Value::Number(value.number()));
    }

    /// Notes that a part of the target gave no data while the rest did: the target is up, the hole is counted.
    pub fn gap(&mut self, failure: Failure) {
        self.gaps.push(failure);
    }

    /// A snapshot for a run that somebody waits for until then.
    #[must_use]
    pub fn until(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }

    /// For how long somebody waits for this run; for a collector whose target has several parts, which shares it out
    /// among them, so that one that hangs does not cost the others.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Says that what was pushed so far is true of a target that is down, too: it stays when the run fails.
    ///
    /// For the sub-targets of one target: that no pool of an FPM master answers is what `phpfpm_up 0` has to tell.
    pub fn keep(&mut self) {
        self.kept = self.series.len();
    }

    /// What is left of a run that failed: only what it said to [keep](Self::keep).
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.series.truncate(self.kept);
        self.gaps.clear();
        self
    }

    /// How many series it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether it holds no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    fn add(&mut self, family: Family, labels: &[&str], value: Value) {
        debug_assert_eq!(labels.len(), family.labels.len(), "{}", family.name);
        if let Some(cause) = value.fault(family.kind) {
            return self.drop_one(&family, cause);
        }
        let is_full = self.series.len() >= RUN_SERIES || !self.labels.has_room_for(labels) || self.is_full(&family);
        if is_full && !self.unlimited {
            return self.drop_one(&family, Cause::Limit);
        }
        let labels = self.labels.add(labels);
        self.series.push(Series { family, labels, value });
    }

    /// Whether a family has all the series it may have; counts one more if not.
    fn is_full(&mut self, family: &Family) -> bool {
        if self.series.len() < FAMILY_SERIES {
            return false;
        }
        let address = |family: &Family| family.name.as_ptr().addr();
        if self.counts.is_empty() {
            for series in &self.series {
                *self.counts.entry(address(&series.family)).or_default() += 1;
            }
        }
        let count = self.counts.entry(address(family)).or_default();
        let full = *count >= FAMILY_SERIES;
        *count += usize::from(!full);
        full
    }

    fn drop_one(&mut self, family: &Family, cause: Cause) {
        count_dropped(&mut self.dropped, &family.name, cause, 1);
    }

    /// Ends the run: series in order, duplicates out, and what was left out.
    #[must_use]
    pub fn finish(mut self) -> (Findings, Vec<Failure>, Dropped) {
        let labels = std::mem::take(&mut self.labels);
        let mut series = std::mem::take(&mut self.series);
        // Stable, so that of two equal series the first pushed comes first and stays.
        series.sort_by(|a, b| order(a, b, &labels));
        let mut duplicates = Vec::new();
        series.dedup_by(|later, first| {
            let dropped = later.family.has_the_name_of(&first.family)
                && (!later.family.is_like(&first.family) || labels.of(later).eq(labels.of(first)));
            if dropped {
                duplicates.push(later.family.clone());
            }
            dropped
        });
        for family in duplicates {
            self.drop_one(&family, Cause::Duplicate);
        }
        (Findings { series, labels }, self.gaps, self.dropped)
    }
}
