//! How many requests a marketplace takes: so many in a window of time, or a bucket that fills up slowly.

use std::collections::BTreeMap;
use std::time::Duration;

/// The most buckets that are kept for one marketplace; beyond these nothing is counted.
const BUCKETS: usize = 1_000;

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limit {
    /// So many requests in a window, which begins with the first of them.
    Window {
        /// How many.
        requests: u32,
        /// How long the window is.
        per: Duration,
    },
    /// A bucket that holds some, and fills up at a rate.
    Bucket {
        /// Requests a second.
        rate: f64,
        /// How many it holds.
        burst: u32,
    },
}

impl Limit {
    /// So many requests in so many seconds.
    pub(super) const fn of(requests: u32, seconds: u64) -> Self {
        Self::Window { requests, per: Duration::from_secs(seconds) }
    }

    /// The same where time runs so many times as fast.
    fn faster(self, speed: f64) -> Self {
        match self {
            Self::Window { requests, per } => Self::Window { requests, per: per.div_f64(speed) },
            Self::Bucket { rate, burst } => Self::Bucket { rate: rate * speed, burst },
        }
    }
}

/// What there is of a limit after a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Left {
    /// Whether the request was within it.
    pub(super) is_within: bool,
    /// How many requests the window or the bucket takes.
    pub(super) limit: u32,
    /// How many are left.
    pub(super) requests: u32,
    /// When it is full again, or a bucket has the next one.
    pub(super) reset: Duration,
}

/// The limits of one marketplace, by their names.
#[derive(Debug, Default)]
pub(super) struct Limits(BTreeMap<String, Used>);

#[derive(Clone, Copy, Debug)]
struct Used {
    /// When the window began, or the bucket was last looked at.
    since: Duration,
    requests: f64,
}

impl Limits {
    /// Counts a request at this time, where time runs so many times as fast for the limit.
    pub(super) fn take(&mut self, bucket: &str, limit: Limit, now: Duration, speed: f64) -> Left {
        if !self.0.contains_key(bucket) && self.0.len() < BUCKETS {
            self.0.insert(bucket.to_owned(), Used { since: now, requests: 0.0 });
        }
        let mut uncounted = Used { since: now, requests: 0.0 };
        self.0.get_mut(bucket).unwrap_or(&mut uncounted).take(limit.faster(speed), now)
    }

    /// How many requests were counted in the window that a limit is in now.
    pub(super) fn used(&self, bucket: &str) -> u32 {
        self.0.get(bucket).map_or(0, |used| whole(used.requests))
    }
}

impl Used {
    fn take(&mut self, limit: Limit, now: Duration) -> Left {
        let most = match limit {
            Limit::Window { requests, per } => {
                if now.saturating_sub(self.since) >= per {
                    *self = Self { since: now, requests: 0.0 };
                }
                requests
            }
            Limit::Bucket { rate, burst } => {
                let filled = now.saturating_sub(self.since).as_secs_f64() * rate;
                *self = Self { since: now, requests: (self.requests - filled).max(0.0) };
                burst
            }
        };
        let is_within = self.requests + 1.0 <= f64::from(most);
        if is_within {
            self.requests += 1.0;
        }
        let reset = match limit {
            Limit::Window { per, .. } => (self.since + per).saturating_sub(now),
            Limit::Bucket { rate, .. } => {
                Duration::try_from_secs_f64((self.requests + 1.0 - f64::from(most)).max(0.0) / rate)
                    .unwrap_or(Duration::MAX)
            }
        };
        Left { is_within, limit: most, requests: whole(f64::from(most) - self.requests), reset }
    }
}

/// The whole requests in a number of them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and u32::MAX")]
fn whole(requests: f64) -> u32 {
    requests.clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_window_begins_with_its_first_request_and_is_then_full_until_it_ends() {
        let (mut limits, limit) = (Limits::default(), Limit::of(2, 10));
        let mut take = |now| limits.take("orders", limit, at(now), 1.0);
        assert_eq!(take(1_000), Left { is_within: true, limit: 2, requests: 1, reset: at(10_000) });
        assert_eq!(take(4_000), Left { is_within: true, limit: 2, requests: 0, reset: at(7_000) });
        assert_eq!(take(10_999), Left { is_within: false, limit: 2, requests: 0, reset: at(1) });
        assert_eq!(take(11_000), Left { is_within: true, limit: 2, requests: 1, reset: at(10_000) });
        assert_eq!(limits.used("orders"), 1);
    }

    #[test]
    fn a_bucket_fills_up_at_its_rate_and_never_above_its_brim() {
        let (mut limits, limit) = (Limits::default(), Limit::Bucket { rate: 0.5, burst: 2 });
        let mut take = |now| limits.take("listings", limit, at(now), 1.0);
        assert!(take(0).is_within && take(0).is_within);
        let refused = take(1_000);
        assert_eq!((refused.is_within, refused.reset), (false, at(1_000)));
        assert!(take(2_000).is_within);
        let long_after = [take(900_000), take(900_000), take(900_000)];
        assert_eq!(long_after.map(|left| left.is_within), [true, true, false]);
    }

    #[test]
    fn faster_time_makes_windows_shorter() {
        let mut limits = Limits::default();
        let mut take = |now| limits.take("query", Limit::of(1, 600), at(now), 60.0).is_within;
        assert_eq!([take(0), take(9_999), take(10_000)], [true, false, true]);
    }

    #[test]
    fn names_without_end_fill_no_memory() {
        let mut limits = Limits::default();
        for name in 0..BUCKETS + 5 {
            assert!(limits.take(&name.to_string(), Limit::of(1, 1), at(0), 1.0).is_within);
        }
        assert_eq!(limits.0.len(), BUCKETS);
    }
}
