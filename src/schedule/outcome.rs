//! What became of one run: the samples, or why there are none, and how often that has happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::collector::{Failure, Reason};
use crate::histogram::Histogram;
use crate::snapshot::{Dropped, Findings, count_dropped};

/// How much of a complaint is shown.
const COMPLAINT_CHARS: usize = 1_000;

/// The end of one run of one job, as scrapes share it.
#[derive(Debug)]
pub struct Outcome {
    /// Unique in this process: pages are rendered once per set of these.
    pub id: u64,
    /// The `collector` label.
    pub collector: &'static str,
    /// The `target` label.
    pub target: Arc<str>,
    /// How long it took.
    pub duration: Duration,
    /// When it ended.
    pub ended: SystemTime,
    /// The samples; of a failed run only the `up` one.
    pub findings: Findings,
    /// Why the target is down; `None` when it is up.
    pub failure: Option<Failure>,
    /// The holes in an up target's data.
    pub gaps: Vec<Failure>,
    /// What had happened up to then.
    pub tally: Tally,
}

impl Outcome {
    /// A number no other outcome of this process has.
    pub(super) fn next_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// What a person should know: the failure, or the gaps, on one line that is not too long; empty when all is well.
    ///
    /// Servers have a say in it, so nothing in it can begin a line of its own or steer a terminal.
    #[must_use]
    pub fn complaint(&self) -> String {
        let complaints: Vec<_> = self.failure.iter().chain(&self.gaps).map(Failure::to_string).collect();
        let complaints = complaints.join("; ");
        let mut line: String =
            complaints.chars().take(COMPLAINT_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if complaints.chars().nth(COMPLAINT_CHARS).is_some() {
            line.push('…');
        }
        line
    }
}

/// What a job has been through since the program started.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Failures and gaps, in the order of [`Reason::ALL`].
    pub failures: [u64; Reason::ALL.len()],
    /// The end of the last run that was not a failure.
    pub last_success: Option<SystemTime>,
    /// Series left out.
    pub dropped: Arc<Dropped>,
    /// How long the runs took that have ended, in seconds.
    pub runs: Arc<Histogram>,
}

/// Upper bounds of what the program's own times are counted in: from what one reads in memory to what no scrape waits for.
pub const TIME_BOUNDS: [f64; 6] = [0.005, 0.025, 0.1, 0.5, 2.5, 10.0];

impl Default for Tally {
    fn default() -> Self {
        Self {
            failures: Default::default(),
            last_success: None,
            dropped: Arc::default(),
            runs: Histogram::observing(&TIME_BOUNDS).into(),
        }
    }
}

impl Tally {
    pub(super) fn count(&mut self, reason: Reason) {
        self.failures[reason as usize] += 1;
    }

    pub(super) fn add_run(&mut self, duration: Duration) {
        Arc::make_mut(&mut self.runs).observe(duration.as_secs_f64());
    }

    pub(super) fn add_dropped(&mut self, dropped: Dropped) {
        if dropped.is_empty() {
            return;
        }
        let all = Arc::make_mut(&mut self.dropped);
        for ((family, cause), count) in dropped {
            count_dropped(all, &family, cause, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_stays_on_its_line() {
        let complaint = |gaps: Vec<Failure>| {
            let outcome = Outcome {
                id: 0,
                collector: "shop",
                target: "main".into(),
                duration: Duration::ZERO,
                ended: SystemTime::UNIX_EPOCH,
                findings: Findings::default(),
                failure: None,
                gaps,
                tally: Tally::default(),
            };
            outcome.complaint()
        };
        let gap = |text: &str| Failure::message(Reason::Protocol, text.to_owned());
        assert_eq!(complaint(vec![]), "");
        assert_eq!(complaint(vec![gap("no\r\n\x1b[31mWARN"), gap("ğ")]), "no   [31mWARN; ğ");
        assert_eq!(complaint(vec![gap(&"ü".repeat(5_000))]), format!("{}…", "ü".repeat(COMPLAINT_CHARS)));
    }
}
