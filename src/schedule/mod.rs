//! The schedule: when jobs run, and how long a scrape waits for them.

mod health;
mod job;
mod outcome;
mod selection;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub use health::report;
pub(crate) use health::{METRICS, unix_seconds};
pub use job::Job;
pub use outcome::{Outcome, TIME_BOUNDS, Tally};
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
        outcomes(new, deadline).await;
    }

    /// Runs or joins every selected job, and answers when all have ended or `patience` is over, with one outcome a job.
    pub async fn scrape(&self, selection: &Selection, patience: Duration) -> Vec<Arc<Outcome>> {
        let deadline = Instant::now() + patience;
        let selected = self.jobs.iter().filter(|job| selection.takes(job.collector(), job.target()));
        outcomes(selected, deadline).await
    }
}

/// What comes of these jobs by the deadline, in their order.
///
/// All are asked before the first is waited for, so that they run side by side. To wait for one after the other takes
/// no longer than for all at once, wakes a scrape up less often, and leaves less in memory of 200 scrapes that wait.
async fn outcomes(jobs: impl Iterator<Item = &Arc<Job>>, deadline: Instant) -> Vec<Arc<Outcome>> {
    let begun: Vec<_> = jobs.map(|job| job.begin(deadline)).collect();
    let mut outcomes = Vec::with_capacity(begun.len());
    for asked in begun {
        outcomes.push(asked.outcome(deadline).await);
    }
    outcomes
}
