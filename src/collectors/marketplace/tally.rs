//! What the probes of an account came to since the program started, however seldom somebody looks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::exchange::{Exchanged, Phase};
use super::judge::rules::Business;
use super::judge::{Number, Verdict};
use super::metrics::{self as names, PHASE_BOUNDS, TOTAL_BOUNDS};
use super::pace::Circuit;
use super::result::Outcome;
use super::skip::Skip;
use crate::histogram::Histogram;
use crate::snapshot::Snapshot;

/// How many statuses are told apart; no marketplace has more.
const STATUSES: usize = 30;

/// The value of `code` and `error_code` for all that is not told apart.
const OTHER: &str = "other";

/// How many intervals a number of the business is shown after the probe that brought it.
const FRESH_INTERVALS: u32 = 3;

/// What one probe came to.
#[derive(Debug)]
pub(super) struct Counts {
    results: [u64; Outcome::ALL.len()],
    skipped: [u64; Skip::ALL.len()],
    statuses: BTreeMap<u16, u64>,
    other_statuses: u64,
    errors: BTreeMap<String, u64>,
    /// Of those that ended well, and of the others.
    durations: [Arc<Histogram>; 2],
    phases: [Arc<Histogram>; Phase::ALL.len()],
    within_objective: u64,
    last: Option<Last>,
    last_success: Option<SystemTime>,
    numbers: Vec<Number>,
}

/// The last time that it was made.
#[derive(Debug)]
struct Last {
    outcome: Outcome,
    phases: [Option<Duration>; Phase::ALL.len()],
    total: Duration,
    size: Option<usize>,
    certificate_expiry: Option<f64>,
    clock_skew: Option<f64>,
}

/// How a probe is made now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Making {
    pub(super) interval: Duration,
    pub(super) clamped: bool,
    pub(super) budget: Option<f64>,
    pub(super) circuit: Circuit,
}

impl Counts {
    /// Of a probe whose errors have these names.
    pub(super) fn new(codes: impl IntoIterator<Item = String>) -> Self {
        let codes: BTreeSet<_> = codes.into_iter().collect();
        let errors = if codes.is_empty() {
            BTreeMap::new()
        } else {
            codes.into_iter().chain([OTHER.to_owned()]).map(|code| (code, 0)).collect()
        };
        Self {
            results: Default::default(),
            skipped: Default::default(),
            statuses: BTreeMap::new(),
            other_statuses: 0,
            errors,
            durations: std::array::from_fn(|_| Histogram::observing(&TOTAL_BOUNDS).into()),
            phases: std::array::from_fn(|_| Histogram::observing(&PHASE_BOUNDS).into()),
            within_objective: 0,
            last: None,
            last_success: None,
            numbers: Vec::new(),
        }
    }

    /// Counts a probe that was due and not made.
    pub(super) fn skip(&mut self, reason: Skip) {
        self.skipped[reason as usize] += 1;
    }

    /// Counts a probe that ended before there was a request.
    pub(super) fn fail(&mut self, outcome: Outcome) {
        self.results[outcome as usize] += 1;
        self.last = Some(Last {
            outcome,
            phases: Default::default(),
            total: Duration::ZERO,
            size: None,
            certificate_expiry: None,
            clock_skew: None,
        });
    }

    /// Counts a probe.
    pub(super) fn count(&mut self, exchanged: &Exchanged, verdict: &Verdict, objective: Duration, now: SystemTime) {
        self.results[verdict.outcome as usize] += 1;
        let is_good = verdict.outcome == Outcome::Ok;
        observe(&mut self.durations[usize::from(!is_good)], exchanged.total);
        let processing = exchanged.phases[Phase::Processing as usize];
        // How long nobody answered is no time that an answer took.
        let is_answered = exchanged.phases[Phase::Transfer as usize].is_some();
        for phase in Phase::ALL {
            if let Some(took) = exchanged.phases[phase as usize].filter(|_| phase != Phase::Processing || is_answered) {
                observe(&mut self.phases[phase as usize], took);
            }
        }
        if is_good && processing.is_some_and(|took| took <= objective) {
            self.within_objective += 1;
        }
        if let Ok(answer) = &exchanged.answer {
            self.count_status(answer.status.as_u16());
        }
        if let Some(code) = &verdict.error_code {
            *self.errors.entry(code.clone()).or_default() += 1;
        }
        if is_good {
            self.last_success = Some(now);
            self.numbers.clone_from(&verdict.numbers);
        }
        self.last = Some(Last {
            outcome: verdict.outcome,
            phases: exchanged.phases,
            total: exchanged.total,
            size: exchanged.answer.as_ref().ok().map(|answer| answer.body.len()),
            certificate_expiry: exchanged.certificate_expiry,
            clock_skew: exchanged.clock_skew,
        });
    }

    fn count_status(&mut self, status: u16) {
        if self.statuses.len() < STATUSES || self.statuses.contains_key(&status) {
            *self.statuses.entry(status).or_default() += 1;
        } else {
            self.other_statuses += 1;
        }
    }

    /// How it ended the last time.
    pub(super) fn last(&self) -> Option<Outcome> {
        self.last.as_ref().map(|last| last.outcome)
    }

    /// When a credential expires, in seconds since 1970, as an answer has said.
    pub(super) fn credential_expiry(&self) -> Option<f64> {
        let is_it = |number: &&Number| number.metric == Business::AuthCredentialExpiryTimestampSeconds;
        self.numbers.iter().filter(is_it).map(|number| number.value).reduce(f64::min)
    }

    /// Shows all of it.
    pub(super) fn report(&self, of: [&str; 2], making: Making, now: SystemTime, out: &mut Snapshot) {
        let [marketplace, probe] = of;
        for outcome in Outcome::ALL {
            out.push(&names::RESULTS, [marketplace, probe, outcome.as_str()], self.results[outcome as usize]);
        }
        for reason in Skip::ALL {
            out.push(&names::SKIPPED, [marketplace, probe, reason.as_str()], self.skipped[reason as usize]);
        }
        for (status, count) in &self.statuses {
            out.push(&names::RESPONSES, [marketplace, probe, &status.to_string()], *count);
        }
        if self.other_statuses > 0 {
            out.push(&names::RESPONSES, [marketplace, probe, OTHER], self.other_statuses);
        }
        for (code, count) in &self.errors {
            out.push(&names::APP_ERRORS, [marketplace, probe, code], *count);
        }
        for (histogram, outcome) in self.durations.iter().zip(["success", "failure"]) {
            out.push_histogram(&names::DURATION, [marketplace, probe, outcome], histogram.clone());
        }
        for phase in Phase::ALL {
            let histogram = &self.phases[phase as usize];
            if histogram.count() > 0 {
                out.push_histogram(&names::PHASE_DURATION, [marketplace, probe, phase.as_str()], histogram.clone());
            }
        }
        out.push(&names::WITHIN_OBJECTIVE, of, self.within_objective);
        out.push(&names::INTERVAL, of, making.interval.as_secs_f64());
        out.push(&names::CLAMPED, of, making.clamped);
        if let Some(budget) = making.budget {
            out.push(&names::BUDGET, of, budget);
        }
        for circuit in Circuit::ALL {
            out.push(&names::CIRCUIT, [marketplace, probe, circuit.as_str()], making.circuit == circuit);
        }
        if let Some(at) = self.last_success {
            out.push(&names::LAST_SUCCESS, of, epoch(at));
        }
        if let Some(last) = &self.last {
            last.report(of, out);
        }
        self.report_numbers(marketplace, making.interval, now, out);
    }

    /// The numbers of the business, while they can be believed.
    fn report_numbers(&self, marketplace: &str, interval: Duration, now: SystemTime, out: &mut Snapshot) {
        let age = self.last_success.map(|at| now.duration_since(at).unwrap_or_default());
        if age.is_none_or(|age| age > interval * FRESH_INTERVALS) {
            return;
        }
        for number in &self.numbers {
            let (label, value) = (number.label(), number.value);
            match number.metric {
                Business::AccountSuspendedListings => out.push(&names::SUSPENDED_LISTINGS, [marketplace, label], value),
                Business::AuthCredentialExpiryTimestampSeconds => {
                    out.push(&names::CREDENTIAL_EXPIRY, [marketplace, label], value);
                }
                Business::Listings => out.push(&names::LISTINGS, [marketplace, label], value),
                Business::ListingsWithErrors => out.push(&names::LISTINGS_WITH_ERRORS, [marketplace], value),
                Business::OrderNewestTimestampSeconds => out.push(&names::ORDER_NEWEST, [marketplace], value),
                Business::OrdersOpen => out.push(&names::ORDERS_OPEN, [marketplace], value),
                Business::QuotaLimit => out.push(&names::QUOTA_LIMIT, [marketplace, label], value),
                Business::QuotaUsed => out.push(&names::QUOTA_USED, [marketplace, label], value),
                Business::SellerRating => out.push(&names::SELLER_RATING, [marketplace, label], value),
                Business::Value => out.push(&names::VALUE, [marketplace, label], value),
            }
        }
    }
}

impl Last {
    fn report(&self, of: [&str; 2], out: &mut Snapshot) {
        let [marketplace, probe] = of;
        out.push(&names::SUCCESS, of, self.outcome == Outcome::Ok);
        for phase in Phase::ALL {
            if let Some(took) = self.phases[phase as usize] {
                out.push(&names::LAST_DURATION, [marketplace, probe, phase.as_str()], took.as_secs_f64());
            }
        }
        if !self.total.is_zero() {
            out.push(&names::LAST_DURATION, [marketplace, probe, "total"], self.total.as_secs_f64());
        }
        if let Some(size) = self.size {
            out.push(&names::RESPONSE_SIZE, of, size as u64);
        }
        if let Some(expiry) = self.certificate_expiry {
            out.push(&names::CERTIFICATE_EXPIRY, of, expiry);
        }
        if let Some(skew) = self.clock_skew {
            out.push(&names::CLOCK_SKEW, of, skew);
        }
    }
}

fn observe(histogram: &mut Arc<Histogram>, took: Duration) {
    Arc::make_mut(histogram).observe(took.as_secs_f64());
}

/// A time as Prometheus writes it.
pub(super) fn epoch(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
