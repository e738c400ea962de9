//! One request of a probe, and all that has to be noted of how it ended.

use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::super::exchange::{Exchanged, exchange};
use super::super::explain;
use super::super::judge::{Verdict, judge};
use super::super::pace::chance;
use super::super::preset::{Account, Moment};
use super::super::result::Outcome;
use super::super::skip::Skip;
use super::super::standing::Event;
use super::super::tally::epoch;
use super::super::tokens::Lent;
use super::{Due, Running, backend, bucket};
use crate::collector::{Failure, Gate, Reason};

/// How long a request waits for another one to the same host.
const TURN: Duration = Duration::from_secs(15);

/// How many requests are under way at a time, all accounts together.
static UNDER_WAY: Semaphore = Semaphore::const_new(32);

impl Running {
    /// Asks once, and notes what comes of it; `None` when it could not even be asked.
    pub(super) async fn ask(&self, due: Due<'_>, lent: Option<&Lent>) -> Option<Outcome> {
        let Due { index, probe, .. } = due;
        let moment = Moment { now: SystemTime::now(), turn: self.state(index).turn };
        let question = match probe.question(lent.map(|lent| &lent.token), &moment) {
            Ok(question) => question,
            Err(failure) => {
                self.fail(due, Outcome::ConfigError, &failure, None);
                return None;
            }
        };
        let gate = self.context.gate(&backend(question.uri()));
        let Some(turn) = turn(&gate).await else {
            self.state(index).counts.skip(Skip::Overlap);
            return None;
        };
        // While it waited, the one before may have been told to stay away. A second token is what ends refusals.
        let skip = self.shared().standing.skip(index, due.shown, Instant::now());
        if let Some(skip) = skip.filter(|skip| !due.is_again || *skip != Skip::AuthPaused) {
            self.state(index).counts.skip(skip);
            return None;
        }
        self.begin(index);
        let exchanged = exchange(question, &self.way.within(probe.timeout)).await;
        drop(turn);
        let verdict = match &exchanged.answer {
            Ok(answer) => judge(&probe.rules, &self.account.environment, answer, SystemTime::now()),
            Err(fault) => Verdict::without_answer(fault),
        };
        self.note(due, &exchanged, &verdict);
        Some(verdict.outcome)
    }

    /// Keeps that a probe is made now: also who dies of the answer does not make it again at once.
    fn begin(&self, index: usize) {
        let mut state = self.state(index);
        state.turn += 1;
        state.last_run = Some(SystemTime::now());
        drop(state);
        self.save();
    }

    /// Notes what a request came to.
    fn note(&self, due: Due<'_>, exchanged: &Exchanged, verdict: &Verdict) {
        let now = SystemTime::now();
        let (reason, why) = match &exchanged.answer {
            Err(fault) => (fault.failure.reason, fault.failure.to_string()),
            Ok(_) => (verdict.outcome.reason(), verdict.because.join("; ")),
        };
        let mut state = self.state(due.index);
        state.counts.count(exchanged, verdict, self.account.objective, now);
        if !self.context.serving {
            state.explained.extend(explain::verdict(due.probe, exchanged, verdict));
        }
        drop(state);
        self.shared().limits.note(&verdict.limits, now);
        self.settle(due, (verdict.outcome, reason, why), verdict.retry_after, now);
    }

    /// Notes a probe that ended before there was a request.
    pub(super) fn fail(&self, due: Due<'_>, outcome: Outcome, failure: &Failure, retry_after: Option<Duration>) {
        let now = SystemTime::now();
        let mut state = self.state(due.index);
        state.counts.fail(outcome);
        if !self.context.serving {
            state.explained.extend(explain::failure(due.probe, outcome, failure));
        }
        drop(state);
        self.settle(due, (outcome, failure.reason, failure.to_string()), retry_after, now);
    }

    /// Notes how a probe ended, as far as others or the next one have to know.
    fn settle(&self, due: Due<'_>, ended: (Outcome, Reason, String), retry_after: Option<Duration>, now: SystemTime) {
        let outcome = ended.0;
        let mut state = self.state(due.index);
        state.last_run = Some(now);
        state.pace.note(outcome, retry_after);
        state.trouble = (outcome != Outcome::Ok).then_some(ended);
        let interval = state.pace.interval();
        drop(state);
        let event = Event {
            probe: due.index,
            outcome,
            shown: due.shown,
            expired: due.shown.is_some_and(|shown| self.is_expired(shown.auth, now)),
            retry_after,
            interval,
            chance: chance(),
        };
        let mut shared = self.shared();
        shared.standing.note(event, Instant::now());
        if outcome == Outcome::RateLimited {
            shared.limits.throttle(&bucket(due.probe));
        }
    }

    /// Whether a credential is past the end that is known of it: a day that somebody wrote, or what the marketplace has
    /// said.
    fn is_expired(&self, auth: usize, now: SystemTime) -> bool {
        let Account { auths, probes, expiries, .. } = &self.account;
        let written = expiries.iter().filter(|expiry| expiry.auth == auths[auth].name).map(|expiry| expiry.at);
        let its = (0..probes.len()).filter(|index| self.account.auth(&probes[*index]) == Some(auth));
        let said = its.filter_map(|index| self.state(index).counts.credential_expiry());
        written.chain(said).any(|at| at <= epoch(now))
    }
}

/// Waits until a host may be asked, which it is by one at a time; `None` when that takes too long.
pub(in super::super) async fn turn(gate: &Gate) -> Option<impl Sized> {
    let both = async { (gate.slow.acquire().await, UNDER_WAY.acquire().await) };
    match timeout(TURN, both).await {
        Ok((Ok(of_host), Ok(of_all))) => Some((of_host, of_all)),
        _ => None,
    }
}
