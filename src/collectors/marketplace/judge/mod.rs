//! What an answer means: judged by the rules of its preset, and then by those that hold for all.

mod business;
mod check;
mod condition;
mod decide;
mod document;
mod extract;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod limits;
mod number;
pub mod pointer;
mod reset;
pub mod rules;
mod seen;
pub mod template;
#[cfg(test)]
mod tests;
mod wait;
pub mod xml;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::exchange::{Answer, Fault};
use super::result::Outcome;
use limits::Said;
use rules::{Business, Rules};
use seen::Seen;

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// How the probe ended.
    pub outcome: Outcome,
    /// The name of the error, of those that the preset lists, or `other`; `None` when the answer, or the preset, names none.
    pub error_code: Option<String>,
    /// Why, in the order in which it was looked at: for `vitrin check --once`. No value from the answer but its status,
    /// its content type and listed error codes.
    pub because: Vec<String>,
    /// How long the marketplace asks to be left alone: `Retry-After`, or the end of a window with nothing left. Never
    /// zero, and a day at most.
    pub retry_after: Option<Duration>,
    /// Numbers of the business; only of a probe that ended well. No two of one metric with the same labels.
    pub numbers: Vec<Number>,
    /// What it says of limits, however the probe ended. No two of the same bucket and source.
    pub limits: Vec<Limit>,
}

/// A number of the business.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// Which.
    pub metric: Business,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value, in base units.
    pub value: f64,
}

/// What an answer says of one limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limit {
    /// What it is called.
    pub bucket: String,
    /// Whether the body says so (`api`), or else headers (`header`).
    pub is_api: bool,
    /// Requests that the window allows.
    pub limit: Option<f64>,
    /// Requests that are left.
    pub remaining: Option<f64>,
    /// Requests a second by which it fills up.
    pub refill: Option<f64>,
    /// When it is full again, in seconds since 1970.
    pub reset: Option<f64>,
    /// How long the window is, in seconds.
    pub window: Option<f64>,
}

/// Judges an answer to a probe of an account in this environment, at this time.
#[must_use]
pub fn judge(rules: &Rules, environment: &str, answer: &Answer, now: SystemTime) -> Verdict {
    let text = String::from_utf8_lossy(&answer.body);
    let seen = Seen::new(answer, environment, &text);
    let mut because = vec![seen.summary()];
    let (mut outcome, error_code) = decide::decide(rules, &seen, &mut because);
    let mut numbers = Vec::new();
    // A success without a body has nothing to take numbers from, and says so by its status.
    if outcome == Outcome::Ok && !seen.has_no_body() {
        match extract::numbers(&rules.extract, &seen, &mut because) {
            Ok(found) => numbers = found,
            Err(what) => {
                because.push(format!("{what}: {}", Outcome::InvalidResponse));
                outcome = Outcome::InvalidResponse;
            }
        }
    }
    let mut of_limits = Vec::new();
    let said = limits::limits(&rules.rate_limit, &seen, now, &mut of_limits);
    // What an error does not say of limits is no surprise.
    if outcome == Outcome::Ok {
        because.extend(of_limits);
    }
    let retry_after = retry_after(outcome, &seen, &said, now);
    if retry_after.is_some() {
        because.push("it says for how long it wants to be left alone".to_owned());
    }
    let limits = said.into_iter().map(|said| said.limit).collect();
    Verdict { outcome, error_code, because, retry_after, numbers, limits }
}

/// How long a marketplace that has too much to do asks to be left alone.
fn retry_after(outcome: Outcome, seen: &Seen<'_>, said: &[Said], now: SystemTime) -> Option<Duration> {
    let is_limited = outcome == Outcome::RateLimited;
    let header = || wait::retry_after(&seen.answer.headers, now);
    let used_up = || said.iter().filter(|said| said.is_used_up()).filter_map(|said| said.wait).max();
    match seen.status() {
        _ if is_limited => header().or_else(used_up),
        429 | 503 if outcome != Outcome::Ok => header(),
        _ => None,
    }
}

impl Verdict {
    /// What it comes to that there is no answer.
    #[must_use]
    pub fn without_answer(fault: &Fault) -> Self {
        Self::of(fault.outcome, format!("no answer: {}: {}", fault.failure, fault.outcome))
    }

    /// What it comes to that nothing was asked, or that something else decided.
    #[must_use]
    pub fn of(outcome: Outcome, because: String) -> Self {
        Self {
            outcome,
            error_code: None,
            because: vec![because],
            retry_after: None,
            numbers: Vec::new(),
            limits: Vec::new(),
        }
    }
}
