//! Observations in buckets: those that a source counted, and those that we make ourselves.

use std::ops::RangeInclusive;

/// Observations in buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Upper bound, ascending, and the observations in that bucket alone. The last bound is `+Inf`; it is added
    /// when missing.
    pub buckets: Vec<(f64, u64)>,
    /// Sum of all observations.
    pub sum: f64,
    /// The same observations in finer buckets, where we have seen them one by one.
    pub native: Option<Native>,
}

impl Histogram {
    /// One that is kept while the program runs and [observes](Self::observe); the bounds are ascending, without `+Inf`.
    #[must_use]
    pub fn observing(bounds: &[f64]) -> Self {
        let buckets = bounds.iter().chain([&f64::INFINITY]).map(|bound| (*bound, 0)).collect();
        Self { buckets, sum: 0.0, native: Some(Native::default()) }
    }

    /// Counts a value: a number, not below zero.
    pub fn observe(&mut self, value: f64) {
        let bucket = self.buckets.iter_mut().find(|(bound, _)| value <= *bound);
        bucket.expect("the last bound is +Inf, and it is no NaN").1 += 1;
        self.sum += value;
        if let Some(native) = &mut self.native {
            native.observe(value);
        }
    }

    /// Number of observations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

/// The buckets of a [native histogram](https://prometheus.io/docs/specs/native_histograms/) of times in seconds: eight for
/// each doubling, so that a quantile is at most 9 % off, and only those kept that something fell into.
///
/// A value below a microsecond counts as none, one above 68 minutes as that: there are never more than 256 buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Native {
    zero: u64,
    /// Index, ascending, and the observations in that bucket; the upper bound of bucket `i` is 2^(i/8).
    buckets: Vec<(i32, u64)>,
}

/// Buckets for each doubling, as the power of two that the formats know it by.
const SCHEMA: i32 = 3;

/// The exponents of the lowest and of the highest bound there can be.
const EXPONENTS: [i32; 2] = [-20, 12];

impl Native {
    /// The resolution, in the numbering of the specification ("Schema").
    pub const SCHEMA: i32 = SCHEMA;

    /// What is not above this counts as zero: 2^-20, just below a millionth.
    pub const ZERO_THRESHOLD: f64 = 1.0 / (1 << -EXPONENTS[0]) as f64;

    /// The lowest and the highest index there can be.
    pub const INDEXES: RangeInclusive<i32> = (EXPONENTS[0] << SCHEMA) + 1..=EXPONENTS[1] << SCHEMA;

    /// The index of the bucket of a value that is no NaN; `None` for one that counts as zero.
    #[must_use]
    pub fn index(value: f64) -> Option<i32> {
        if value <= Self::ZERO_THRESHOLD {
            return None;
        }
        let per_doubling = f64::from(1 << SCHEMA);
        // Within the range of an i32: `as` saturates, and what is infinite ends in the last bucket, too.
        #[expect(clippy::cast_possible_truncation, reason = "a small integer after `ceil`")]
        let index = (value.log2() * per_doubling).ceil() as i32;
        Some(index.clamp(*Self::INDEXES.start(), *Self::INDEXES.end()))
    }

    /// One with these observations: how many counted as zero, and how many are in each bucket, by ascending index.
    #[must_use]
    pub fn counted(zero: u64, buckets: impl IntoIterator<Item = (i32, u64)>) -> Self {
        Self { zero, buckets: buckets.into_iter().filter(|(_, count)| *count > 0).collect() }
    }

    fn observe(&mut self, value: f64) {
        let Some(index) = Self::index(value) else {
            self.zero += 1;
            return;
        };
        match self.buckets.binary_search_by_key(&index, |(index, _)| *index) {
            Ok(place) => self.buckets[place].1 += 1,
            Err(place) => self.buckets.insert(place, (index, 1)),
        }
    }

    /// How many observations counted as zero.
    #[must_use]
    pub fn zero_count(&self) -> u64 {
        self.zero
    }

    /// Index, ascending, and observations of each bucket that has some.
    #[must_use]
    pub fn buckets(&self) -> &[(i32, u64)] {
        &self.buckets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_belongs_below_it() {
        let mut histogram = Histogram::observing(&[0.5, 1.0]);
        for value in [0.25, 0.5, 0.75, 1.0, 3.0, f64::INFINITY] {
            histogram.observe(value);
        }
        assert_eq!(histogram.buckets, [(0.5, 2), (1.0, 2), (f64::INFINITY, 2)]);
        assert_eq!(histogram.count(), 6);
        let native = histogram.native.unwrap();
        // 2^-2, 2^-1, 2^(-3/8) = 0.77, 2^0, 2^(13/8) = 3.08, and the last there is.
        assert_eq!(native.buckets(), [(-16, 1), (-8, 1), (-3, 1), (0, 1), (13, 1), (96, 1)]);
    }

    #[test]
    fn next_to_nothing_counts_as_zero() {
        let mut native = Native::default();
        for value in [0.0, 1e-9, Native::ZERO_THRESHOLD] {
            native.observe(value);
        }
        assert_eq!((native.zero_count(), native.buckets()), (3, [].as_slice()));
    }

    #[test]
    fn however_many_different_values_come_the_buckets_are_few() {
        let mut native = Native::default();
        for step in -4_000..4_000 {
            native.observe((f64::from(step) / 100.0).exp2());
        }
        assert_eq!(native.buckets().len(), 256);
        let all: u64 = native.buckets().iter().map(|(_, count)| count).sum();
        assert_eq!(all + native.zero_count(), 8_000);
    }
}
