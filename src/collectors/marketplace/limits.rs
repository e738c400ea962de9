//! What a marketplace has said of its limits, and how often it said that they were reached.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::judge::Limit;
use super::metrics as names;
use super::tally::epoch;
use crate::snapshot::Snapshot;

/// What a marketplace has said of its limits.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// By name, and whether a body or a header says so.
    said: BTreeMap<(String, bool), (Limit, SystemTime)>,
    throttled: BTreeMap<String, u64>,
}

/// How many limits are kept; a preset's own number is below it.
const BUCKETS: usize = 100;

impl Limits {
    /// Of an account whose probes have these limits, documented or said.
    pub(super) fn new(buckets: impl IntoIterator<Item = String>) -> Self {
        Self { said: BTreeMap::new(), throttled: buckets.into_iter().map(|bucket| (bucket, 0)).collect() }
    }

    /// Notes what an answer said.
    pub(super) fn note(&mut self, limits: &[Limit], now: SystemTime) {
        for limit in limits {
            let key = (limit.bucket.clone(), limit.is_api);
            if self.said.len() < BUCKETS || self.said.contains_key(&key) {
                self.said.insert(key, (limit.clone(), now));
            }
        }
    }

    /// Whether an answer said in what time a limit is full again.
    pub(super) fn has_window(&self, bucket: &str) -> bool {
        self.said.iter().any(|((known, _), (limit, _))| known == bucket && limit.window.is_some())
    }

    /// Counts an answer that said there were too many requests.
    pub(super) fn throttle(&mut self, bucket: &str) {
        *self.throttled.entry(bucket.to_owned()).or_default() += 1;
    }

    /// Shows all of it.
    pub(super) fn report(&self, marketplace: &str, out: &mut Snapshot) {
        for (bucket, count) in &self.throttled {
            out.push(&names::THROTTLED, [marketplace, bucket], *count);
        }
        for ((bucket, is_api), (limit, at)) in &self.said {
            let source = if *is_api { "api" } else { "header" };
            if let Some(requests) = limit.limit {
                out.push(&names::LIMIT, [marketplace, bucket, source], requests);
            }
            if let Some(requests) = limit.remaining {
                out.push(&names::REMAINING, [marketplace, bucket, source], requests);
            }
            let two = [marketplace, bucket.as_str()];
            for (metric, value) in
                [(&names::REFILL, limit.refill), (&names::RESET, limit.reset), (&names::WINDOW, limit.window)]
            {
                if let Some(value) = value {
                    out.push(metric, two, value);
                }
            }
            out.push(&names::OBSERVED, two, epoch(*at));
        }
    }
}
