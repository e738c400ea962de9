//! How the jobs fare, as metrics: the same for every collector, made in one place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::outcome::Outcome;
use crate::collector::Reason;
use crate::snapshot::Snapshot;

crate::metrics! {
    Own as METRICS;

    /// 1 when the collector's last run reached its target, 0 when it did not.
    UP = Gauge("vitrin_up", None, ["collector", "target"]);
    /// How long the collector's last run took.
    DURATION = Gauge("vitrin_collect_duration_seconds", Seconds, ["collector", "target"]);
    /// How long the collector's runs took that have ended.
    RUNS = Histogram("vitrin_collect_run_duration_seconds", Seconds, ["collector", "target"]);
    /// When the collector's last run that reached its target ended, as Unix time; absent before the first.
    LAST_SUCCESS =
        Gauge("vitrin_collect_last_success_timestamp_seconds", Seconds, ["collector", "target"]);
    /// Runs that failed, and parts of runs that gave no data, by reason.
    FAILURES = Counter("vitrin_collect_failures_total", None, ["collector", "target", "reason"]);
    /// Series that the collector's last run gave.
    SERIES = Gauge("vitrin_series", None, ["collector", "target"]);
    /// Series that were left out of the page: given twice, over a limit, or not a number.
    DROPPED = Counter("vitrin_series_dropped_total", None, ["family", "cause"]);
}

/// Pushes the health of the jobs that these outcomes are of.
pub fn report(outcomes: &[Arc<Outcome>], out: &mut Snapshot) {
    let mut dropped = BTreeMap::new();
    for outcome in outcomes {
        let job = [outcome.collector, &*outcome.target];
        out.push(&UP, job, outcome.failure.is_none());
        out.push(&DURATION, job, outcome.duration.as_secs_f64());
        out.push_histogram(&RUNS, job, outcome.tally.runs.clone());
        out.push(&SERIES, job, outcome.findings.len());
        if let Some(time) = outcome.tally.last_success {
            out.push(&LAST_SUCCESS, job, unix_seconds(time));
        }
        for (reason, count) in Reason::ALL.into_iter().zip(outcome.tally.failures) {
            out.push(&FAILURES, [job[0], job[1], reason.as_str()], count);
        }
        for ((family, cause), count) in &*outcome.tally.dropped {
            *dropped.entry((family, cause)).or_insert(0_u64) += count;
        }
    }
    for ((family, cause), count) in dropped {
        out.push(&DROPPED, [family, cause.as_str()], count);
    }
}

/// Seconds since 1970; 0 for a clock set before that.
pub(crate) fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Tally;
    use super::*;
    use crate::snapshot::{Findings, Snapshot};

    #[test]
    fn however_many_jobs_there_are_each_has_a_count_for_every_reason() {
        let outcome = |job: usize| {
            Arc::new(Outcome {
                id: 0,
                collector: "shop",
                target: format!("shelf-{job}").into(),
                duration: Duration::ZERO,
                ended: UNIX_EPOCH,
                findings: Findings::default(),
                failure: None,
                gaps: Vec::new(),
                tally: Tally::default(),
            })
        };
        let mut out = Snapshot::unlimited();
        report(&(0..3_000).map(outcome).collect::<Vec<_>>(), &mut out);
        let (findings, _, dropped) = out.finish();
        assert!(dropped.is_empty(), "{dropped:?}");
        let (_, group) =
            findings.families().find(|(family, _)| family.name == "vitrin_collect_failures_total").unwrap();
        assert_eq!(group.samples().count(), 3_000 * Reason::ALL.len());
    }
}
