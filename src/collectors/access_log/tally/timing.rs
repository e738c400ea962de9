//! How long requests took, counted without a thought for each.

use crate::histogram::{Histogram, Native};

use super::saved;

/// Upper bounds of the classic buckets, in milliseconds; the objective is added when it is none of them.
const BOUNDS: [u64; 11] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/// Whole milliseconds below this, which is all that nginx writes of most requests, are looked up.
const KNOWN_MILLISECONDS: u64 = 4_096;

/// The native buckets, with the one for zero in front.
const NATIVE: usize = Native::INDEXES.end().abs_diff(*Native::INDEXES.start()) as usize + 2;

/// What times are held against: the same for all routes of a target.
#[derive(Clone, Debug)]
pub struct Scale {
    /// In microseconds, ascending.
    bounds: Vec<u64>,
    /// In microseconds.
    objective: u64,
    /// The buckets of each of the [`KNOWN_MILLISECONDS`].
    known: Box<[Place]>,
}

/// The classic and the native bucket of a time.
#[derive(Clone, Copy, Debug)]
struct Place {
    classic: u16,
    native: u16,
}

impl Scale {
    /// For an objective in microseconds.
    #[must_use]
    pub fn new(objective: u64) -> Self {
        let mut bounds = BOUNDS.map(|milliseconds| milliseconds * 1_000).to_vec();
        if let Err(place) = bounds.binary_search(&objective) {
            bounds.insert(place, objective);
        }
        let mut scale = Self { bounds, objective, known: Box::default() };
        scale.known = (0..KNOWN_MILLISECONDS).map(|milliseconds| scale.find(milliseconds * 1_000)).collect();
        scale
    }

    /// The objective in seconds.
    #[must_use]
    pub fn objective(&self) -> f64 {
        seconds(self.objective)
    }

    fn place(&self, micros: u64) -> Place {
        let milliseconds = micros / 1_000;
        if milliseconds * 1_000 == micros && milliseconds < KNOWN_MILLISECONDS {
            return self.known[milliseconds as usize];
        }
        self.find(micros)
    }

    fn find(&self, micros: u64) -> Place {
        let native = Native::index(seconds(micros)).map_or(0, |index| index - Native::INDEXES.start() + 1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both below 300")]
        Place { classic: self.bounds.partition_point(|bound| *bound < micros) as u16, native: native as u16 }
    }
}

/// The times of some requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// One more than there are bounds.
    classic: Box<[u64]>,
    native: Box<[u64; NATIVE]>,
    micros: u64,
    /// The sum of the squares; of microseconds, so that nothing is rounded.
    squares: u128,
    within: u64,
}

impl Timing {
    /// None yet.
    #[must_use]
    pub fn new(scale: &Scale) -> Self {
        let classic = vec![0; scale.bounds.len() + 1].into();
        Self { classic, native: Box::new([0; NATIVE]), micros: 0, squares: 0, within: 0 }
    }

    /// Counts one that took so many microseconds.
    #[inline]
    pub fn count(&mut self, scale: &Scale, micros: u64) {
        let place = scale.place(micros);
        self.classic[usize::from(place.classic)] += 1;
        self.native[usize::from(place.native)] += 1;
        self.micros = self.micros.saturating_add(micros);
        self.squares = self.squares.saturating_add(u128::from(micros) * u128::from(micros));
        self.within += u64::from(micros <= scale.objective);
    }

    /// How many took no longer than the objective.
    #[must_use]
    pub fn within(&self) -> u64 {
        self.within
    }

    /// The sum of the squares of the times, in seconds squared.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "Prometheus keeps every value as f64")]
    pub fn squares(&self) -> f64 {
        self.squares as f64 / 1e12
    }

    /// Whether there is any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classic.iter().all(|count| *count == 0)
    }

    /// As a histogram in seconds.
    #[must_use]
    pub fn histogram(&self, scale: &Scale) -> Histogram {
        let bounds = scale.bounds.iter().map(|bound| seconds(*bound)).chain([f64::INFINITY]);
        Histogram {
            buckets: bounds.zip(self.classic.iter().copied()).collect(),
            sum: seconds(self.micros),
            native: Some(Native::counted(self.native[0], Native::INDEXES.zip(self.native[1..].iter().copied()))),
        }
    }

    /// What is kept over a restart.
    #[must_use]
    pub fn save(&self, scale: &Scale) -> saved::Timing {
        let native = self.native.iter().copied().enumerate().filter(|(_, count)| *count > 0);
        saved::Timing {
            bounds: scale.bounds.clone(),
            objective: scale.objective,
            classic: self.classic.to_vec(),
            native: native.collect(),
            micros: self.micros,
            // JSON has no integers of this size.
            squares: self.squares.to_string(),
            within: self.within,
        }
    }

    /// What was kept; `None` when it was held against another scale, and cannot go on.
    #[must_use]
    pub fn restore(scale: &Scale, saved: &saved::Timing) -> Option<Self> {
        let mut timing = Self::new(scale);
        if (&saved.bounds, saved.objective) != (&scale.bounds, scale.objective)
            || saved.classic.len() != timing.classic.len()
        {
            return None;
        }
        timing.classic.copy_from_slice(&saved.classic);
        for (place, count) in &saved.native {
            *timing.native.get_mut(*place)? = *count;
        }
        Some(Self { micros: saved.micros, squares: saved.squares.parse().ok()?, within: saved.within, ..timing })
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 285 years")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_objective_has_a_bucket_of_its_own() {
        let scale = Scale::new(120_000);
        let mut timing = Timing::new(&scale);
        for micros in [0, 100_000, 120_000, 120_001, 300_000_000] {
            timing.count(&scale, micros);
        }
        let histogram = timing.histogram(&scale);
        let below = |bound: f64| -> u64 {
            histogram.buckets.iter().take_while(|(upper, _)| *upper <= bound).map(|(_, count)| count).sum()
        };
        assert_eq!((below(0.1), below(0.12), below(f64::INFINITY), timing.within()), (2, 3, 5, 3));
        assert_eq!(histogram.sum, 300.340_001);
        assert_eq!(Scale::new(100_000).bounds.len(), BOUNDS.len(), "it is one of them already");
    }

    #[test]
    fn a_time_that_was_kept_with_another_objective_starts_anew() {
        let (scale, other) = (Scale::new(100_000), Scale::new(250_000));
        let mut timing = Timing::new(&scale);
        timing.count(&scale, 90_000);
        let saved = timing.save(&scale);
        assert_eq!(Timing::restore(&scale, &saved), Some(timing));
        assert_eq!(Timing::restore(&other, &saved), None);
    }

    proptest! {
        #[test]
        fn what_is_counted_is_what_a_histogram_would_have_observed(times: Vec<u64>) {
            let scale = Scale::new(100_000);
            let mut timing = Timing::new(&scale);
            let bounds: Vec<_> = scale.bounds.iter().map(|bound| seconds(*bound)).collect();
            let mut expected = Histogram::observing(&bounds);
            let times: Vec<_> = times.into_iter().map(|micros| micros % 100_000_000_000).collect();
            // Half of them as nginx writes them.
            for micros in times.iter().map(|micros| if micros % 2 == 0 { micros / 1_000 * 1_000 } else { *micros }) {
                timing.count(&scale, micros);
                expected.observe(seconds(micros));
            }
            let found = timing.histogram(&scale);
            prop_assert_eq!(&found.buckets, &expected.buckets);
            prop_assert_eq!(&found.native, &expected.native);
            prop_assert!((found.sum - expected.sum).abs() <= expected.sum * 1e-9);
            prop_assert_eq!(Timing::restore(&scale, &timing.save(&scale)), Some(timing));
        }
    }
}
