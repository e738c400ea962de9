//! What one run of one collector found: samples, and the holes in them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::collector::Failure;
use crate::histogram::Histogram;
use crate::metric::{Family, Metric};

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
    /// Its family, or the run, was full.
    Limit,
    /// The value was not a number; a missing value is absent, never NaN.
    NotANumber,
}

impl Cause {
    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Limit => "limit",
            Self::NotANumber => "not_a_number",
        }
    }
}

/// A sample's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A counter, gauge or unknown.
    Number(f64),
    /// A histogram.
    Histogram(Arc<Histogram>),
    /// A summary.
    Summary(Box<Summary>),
}

/// Quantiles that a source computed itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Quantile (0 to 1), ascending, and its value.
    pub quantiles: Vec<(f64, f64)>,
    /// Number of observations, where the source says.
    pub count: Option<u64>,
    /// Sum of all observations, where the source says.
    pub sum: Option<f64>,
}

/// A number that can be a sample's value.
pub trait Number {
    /// The value as Prometheus keeps it; integers above 2^53 lose their last digits.
    fn number(self) -> f64;
}

impl Number for f64 {
    fn number(self) -> f64 {
        self
    }
}

impl Number for bool {
    fn number(self) -> f64 {
        f64::from(u8::from(self))
    }
}

macro_rules! number {
    ($($small:ty),+; $($large:ty),+) => {
        $(impl Number for $small {
            fn number(self) -> f64 {
                f64::from(self)
            }
        })+
        $(impl Number for $large {
            #[expect(clippy::cast_precision_loss, reason = "Prometheus keeps every value as f64")]
            fn number(self) -> f64 {
                self as f64
            }
        })+
    };
}
number!(u8, u16, u32, i32; u64, i64, usize);

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
        if matches!(value, Value::Number(number) if number.is_nan()) {
            return self.drop_one(&family, Cause::NotANumber);
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

/// By name, then by labels; of one name, what is declared comes before what a server named alike.
fn order(a: &Series, b: &Series, labels: &Labels) -> Ordering {
    let found = |series: &Series| matches!(series.family, Family::Found(_));
    let names = || a.family.name.cmp(&b.family.name);
    // Neighbours are mostly of one family, whose name need not be read then.
    (if a.family.is(&b.family) { Ordering::Equal } else { names() })
        .then_with(|| found(a).cmp(&found(b)))
        .then_with(|| labels.of(a).cmp(labels.of(b)))
}

#[derive(Debug)]
struct Series {
    family: Family,
    /// Which of `Labels::ends` are this series'.
    labels: Range<usize>,
    value: Value,
}

/// Label values back to back in one string, so that a run of a thousand series makes a few allocations.
#[derive(Debug, Default)]
struct Labels {
    text: String,
    ends: Vec<usize>,
}

impl Labels {
    fn add(&mut self, values: &[&str]) -> Range<usize> {
        let start = self.ends.len();
        for value in values {
            self.text.push_str(value);
            self.ends.push(self.text.len());
        }
        start..self.ends.len()
    }

    fn has_room_for(&self, values: &[&str]) -> bool {
        self.text.len() + values.iter().map(|value| value.len()).sum::<usize>() <= RUN_LABEL_BYTES
    }

    fn of(&self, series: &Series) -> impl Iterator<Item = &str> + Clone {
        series.labels.clone().map(|index| {
            let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.text[start..self.ends[index]]
        })
    }
}

/// The samples of a run that has ended: grouped by family, in order, none twice.
#[derive(Debug, Default)]
pub struct Findings {
    series: Vec<Series>,
    labels: Labels,
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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::fmt::Write as _;

    use super::*;
    use crate::metric::{Desc, Kind};

    crate::metrics! {
        Own as _METRICS;
        /// Things on a shelf.
        THINGS = Gauge("shop_things", None, ["shelf"]);
        /// All things.
        ALL = Gauge("shop_all", None, []);
    }

    fn text(findings: &Findings) -> String {
        let mut text = String::new();
        for (family, group) in findings.families() {
            for (labels, value) in group.samples() {
                writeln!(text, "{} {:?} {value:?}", family.name, labels.collect::<Vec<_>>()).unwrap();
            }
        }
        text
    }

    #[test]
    fn families_and_series_come_in_order() {
        let mut out = Snapshot::default();
        out.push(&THINGS, ["b"], 2_u64);
        out.push(&ALL, [], 3_u64);
        out.push(&THINGS, ["a"], true);
        let (findings, gaps, dropped) = out.finish();
        assert!(gaps.is_empty() && dropped.is_empty());
        expect_test::expect![[r#"
            shop_all [] Number(3.0)
            shop_things ["a"] Number(1.0)
            shop_things ["b"] Number(2.0)
        "#]]
        .assert_eq(&text(&findings));
    }

    #[test]
    fn of_two_equal_series_the_first_stays_and_the_other_is_counted() {
        let mut out = Snapshot::default();
        out.push(&THINGS, ["a"], 1.0);
        out.push(&THINGS, ["a"], 2.0);
        let (findings, _, dropped) = out.finish();
        assert_eq!(text(&findings), "shop_things [\"a\"] Number(1.0)\n");
        assert_eq!(dropped[&("shop_things".to_owned(), Cause::Duplicate)], 1);
    }

    #[test]
    fn a_family_that_is_full_leaves_room_for_the_others() {
        let mut out = Snapshot::default();
        for shelf in 0..100_000 {
            out.push(&THINGS, [&shelf.to_string()], 1.0);
        }
        out.push(&ALL, [], 1.0);
        let (findings, _, dropped) = out.finish();
        assert_eq!(findings.len(), FAMILY_SERIES + 1);
        assert_eq!(dropped[&("shop_things".to_owned(), Cause::Limit)], 100_000 - FAMILY_SERIES as u64);
    }

    #[test]
    fn of_a_failed_run_only_what_it_kept_stays() {
        let mut out = Snapshot::default();
        out.push(&THINGS, ["a"], 0.0);
        out.keep();
        out.push(&THINGS, ["b"], 1.0);
        let (findings, _, _) = out.failed().finish();
        assert_eq!(text(&findings), "shop_things [\"a\"] Number(0.0)\n");
    }

    #[test]
    fn a_name_that_a_server_made_up_is_no_declared_family() {
        let found = |name: &'static str, kind| {
            Family::Found(Arc::new(Desc { name: name.into(), kind, labels: Cow::Borrowed(&[]), ..ALL.desc().clone() }))
        };
        let mut out = Snapshot::default();
        out.push_family(found("shop_things", Kind::Unknown), &[], 8.0);
        out.push_family(found("shop_all", Kind::Unknown), &[], 8.0);
        out.push(&THINGS, ["a"], 1.0);
        out.push(&THINGS, ["b"], 2.0);
        out.push(&ALL, [], 3.0);
        let (findings, _, dropped) = out.finish();
        expect_test::expect![[r#"
            shop_all [] Number(3.0)
            shop_things ["a"] Number(1.0)
            shop_things ["b"] Number(2.0)
        "#]]
        .assert_eq(&text(&findings));
        assert_eq!(dropped.len(), 2);
    }

    #[test]
    fn names_without_end_are_not_counted_one_by_one() {
        let mut out = Snapshot::default();
        for name in 0..10_000 {
            let name = format!("shop_{name}").into();
            out.push_family(Family::Found(Arc::new(Desc { name, ..ALL.desc().clone() })), &[], f64::NAN);
        }
        let (_, _, dropped) = out.finish();
        assert_eq!(dropped.len(), DROPPED_FAMILIES + 1);
        assert_eq!(dropped[&("other".to_owned(), Cause::NotANumber)], 10_000 - DROPPED_FAMILIES as u64);
    }

    #[test]
    fn one_label_value_cannot_fill_the_page() {
        let mut out = Snapshot::default();
        out.push(&THINGS, [&"x".repeat(RUN_LABEL_BYTES + 1)], 1.0);
        out.push(&THINGS, ["a"], 1.0);
        let (findings, _, dropped) = out.finish();
        assert_eq!(text(&findings), "shop_things [\"a\"] Number(1.0)\n");
        assert_eq!(dropped[&("shop_things".to_owned(), Cause::Limit)], 1);
    }

    #[test]
    fn a_run_that_is_full_still_says_that_the_target_is_up() {
        let mut out = Snapshot::default();
        for family in 0..=RUN_SERIES / FAMILY_SERIES {
            let desc = Desc { name: format!("shop_{family}").into(), ..THINGS.desc().clone() };
            let family = Family::Found(Arc::new(desc));
            for shelf in 0..FAMILY_SERIES {
                out.push_family(family.clone(), &[&shelf.to_string()], 1.0);
            }
        }
        out.push_up(&ALL, true);
        let (findings, _, _) = out.finish();
        assert_eq!(findings.len(), RUN_SERIES + 1);
        assert!(findings.families().any(|(family, _)| family.name == "shop_all"));
    }

    #[test]
    fn not_a_number_is_absent_and_counted() {
        let mut out = Snapshot::default();
        out.push(&ALL, [], f64::NAN);
        let (findings, _, dropped) = out.finish();
        assert!(findings.is_empty());
        assert_eq!(dropped[&("shop_all".to_owned(), Cause::NotANumber)], 1);
    }
}
