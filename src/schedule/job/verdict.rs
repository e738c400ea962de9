//! What came of a run, or of waiting for one: counted, told when the news has changed, and kept.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tracing::{info, warn};

use super::{Job, Last, Run, STALE_PERIODS, State};
use crate::collector::{Failure, Reason};
use crate::schedule::outcome::Outcome;
use crate::snapshot::Snapshot;

impl Job {
    /// Ends a run: its samples, or what is true of a target that is down; counted, and told when the news has changed.
    pub(super) fn settle(&self, run: &Run, mut out: Snapshot, result: Result<(), Failure>) -> Arc<Outcome> {
        if result.is_err() {
            out = out.failed();
        }
        if let Some(up) = self.up {
            out.push_up(up, result.is_ok());
        }
        let (findings, gaps, dropped) = out.finish();
        let failure = result.err();
        let (duration, ended) = (run.begun.elapsed(), SystemTime::now());

        let mut state = self.state();
        state.tally.add_run(duration);
        // The scrape that gave up on this run has counted and told already that it takes too long.
        let known = |failure: Option<&Failure>| {
            run.late().is_some() && failure.is_none_or(|failure| failure.reason == Reason::Timeout)
        };
        state.tally.add_dropped(dropped);
        for gap in &gaps {
            state.tally.count(gap.reason);
        }
        match &failure {
            Some(failure) if known(Some(failure)) => {}
            Some(failure) => state.tally.count(failure.reason),
            None => state.tally.last_success = Some(ended),
        }
        let outcome = Arc::new(Outcome {
            id: Outcome::next_id(),
            collector: self.collector,
            target: self.target.clone(),
            duration,
            ended,
            findings,
            failure,
            gaps,
            tally: state.tally.clone(),
        });
        // An answer that came too late is no recovery for those who waited for it, either.
        if !known(outcome.failure.as_ref()) {
            self.tell(&mut state, &outcome);
        }
        state.run = None;
        state.last = Some(Last { outcome: outcome.clone(), settled: Instant::now() });
        outcome
    }

    /// What a scrape gets whose limit is over before the run is; the run goes on for those with more time.
    pub(in crate::schedule) fn give_up(&self, run: &Run) -> Arc<Outcome> {
        let mut state = self.state();
        if let Some(outcome) = &*run.late() {
            return outcome.clone();
        }
        // It has ended while the scrape gave up on it: that is counted.
        let is_under_way = state.run.as_ref().is_some_and(|under_way| std::ptr::eq(&raw const **under_way, run));
        if let Some(last) = state.last.as_ref().filter(|last| !is_under_way && last.settled >= run.begun) {
            return last.outcome.clone();
        }
        state.tally.count(Reason::Timeout);
        let duration = run.begun.elapsed();
        // Without the time waited: a message that is never the same twice would be logged at every scrape.
        let failure = Failure::message(Reason::Timeout, "no answer within the scrape's limit");
        let outcome = self.down(&state, duration, failure);
        self.tell(&mut state, &outcome);
        *run.late() = Some(outcome.clone());
        outcome
    }

    /// A timer's last outcome, or that it is too old to show; `None` before the first.
    pub(super) fn unless_stale(&self, every: Duration) -> Option<Arc<Outcome>> {
        let mut state = self.state();
        let last = state.last.as_ref()?;
        if last.age() <= every * STALE_PERIODS {
            return Some(last.outcome.clone());
        }
        let duration = last.outcome.duration;
        state.tally.count(Reason::Stale);
        let message = format!("no run has ended for {STALE_PERIODS} periods of {every:?}");
        let outcome = self.down(&state, duration, Failure::message(Reason::Stale, message));
        self.tell(&mut state, &outcome);
        Some(outcome)
    }

    fn down(&self, state: &State, duration: Duration, failure: Failure) -> Arc<Outcome> {
        let mut out = Snapshot::default();
        if let Some(up) = self.up {
            out.push_up(up, false);
        }
        Arc::new(Outcome {
            id: Outcome::next_id(),
            collector: self.collector,
            target: self.target.clone(),
            duration,
            ended: SystemTime::now(),
            findings: out.finish().0,
            failure: Some(failure),
            gaps: Vec::new(),
            tally: state.tally.clone(),
        })
    }

    /// Logs how a target fares, when that has changed.
    fn tell(&self, state: &mut State, outcome: &Outcome) {
        let news = outcome.complaint();
        if news == state.told {
            return;
        }
        let (collector, target) = (self.collector, &*self.target);
        match &outcome.failure {
            Some(failure) => warn!(collector, target, reason = failure.reason.as_str(), "down: {news}"),
            None if news.is_empty() => info!(collector, target, "up, and nothing is missing any more"),
            None => warn!(collector, target, "up, but a part is missing: {news}"),
        }
        state.told = news;
    }
}
