//! The schedule: when jobs run, and how long a scrape waits for them.

mod health;
mod job;
mod outcome;
mod selection;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

pub use health::report;
pub(crate) use health::{METRICS, unix_seconds};
pub use job::Job;
pub use outcome::{Outcome, Tally};
pub use selection::Selection;

/// The longest a scrape waits, also when it does not say how long it may: below Prometheus' default of 10 s.
pub const LONGEST_SCRAPE: Duration = Duration::from_millis(9_500);

/// What is left of a scrape's time for rendering the page and bringing it home.
const RESERVE: Duration = Duration::from_millis(500);

/// The least a scrape waits for its jobs, however short its limit.
const SHORTEST_SCRAPE: Duration = Duration::from_millis(50);

/// How long a scrape waits for its jobs, given the limit its header names in seconds.
#[must_use]
pub fn patience(limit: Option<f64>) -> Duration {
    limit
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|limit| !limit.is_zero())
        .map_or(LONGEST_SCRAPE, |limit| limit.saturating_sub(RESERVE).clamp(SHORTEST_SCRAPE, LONGEST_SCRAPE))
}

/// All jobs of the program.
pub struct Schedule {
    jobs: Vec<Arc<Job>>,
}

impl Schedule {
    /// Starts the timers of the jobs that have one. Needs a Tokio runtime.
    #[must_use]
    pub fn start(jobs: Vec<Arc<Job>>) -> Self {
        Self { jobs: Vec::new() }.succeeded_by(jobs)
    }

    /// The schedule with these jobs instead: those that it had already go on as they are, the timers of the others start.
    ///
    /// What is left out ends, once no scrape waits for it any more.
    #[must_use]
    pub fn succeeded_by(&self, jobs: Vec<Arc<Job>>) -> Self {
        let is_in = |jobs: &[Arc<Job>], job: &Arc<Job>| jobs.iter().any(|other| Arc::ptr_eq(job, other));
        self.jobs.iter().filter(|job| !is_in(&jobs, job)).for_each(|job| job.retire());
        jobs.iter().filter(|job| !is_in(&self.jobs, job)).for_each(Job::start_timer);
        Self { jobs }
    }

    /// The jobs, in the order of the list of collectors.
    #[must_use]
    pub fn jobs(&self) -> &[Arc<Job>] {
        &self.jobs
    }

    /// Runs the jobs that have never run, and waits for them as a scrape does.
    pub async fn first_runs(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let new = self.jobs.iter().filter(|job| job.last().is_none());
        join_all(new.map(|job| job.clone().outcome(deadline))).await;
    }

    /// Runs or joins every selected job, and answers when all have ended or `patience` is over, with one outcome a job.
    pub async fn scrape(&self, selection: &Selection, patience: Duration) -> Vec<Arc<Outcome>> {
        let deadline = Instant::now() + patience;
        let selected = self.jobs.iter().filter(|job| selection.takes(job.collector(), job.target()));
        join_all(selected.map(|job| job.clone().outcome(deadline))).await
    }
}
