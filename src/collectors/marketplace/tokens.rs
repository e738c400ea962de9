//! Access tokens by OAuth2: asked for once however many need one, kept over a restart, and never in a storm.
//!
//! eBay gives a thousand tokens a day to a client that shows its own credentials: a program that crashes and starts again
//! must not use them up, nor do twenty probes that all find that there is none.

use std::sync::{Arc, Mutex as StdMutex, MutexGuard};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::exchange::{Way, exchange};
use super::judge::{Verdict, judge};
use super::metrics::{self as names, TOTAL_BOUNDS};
use super::preset::{AccessToken, Moment, OAuth2};
use super::result::Outcome;
use super::tally::epoch;
use crate::collector::{Context, Failure};
use crate::histogram::Histogram;
use crate::snapshot::Snapshot;

/// How long nobody asks again after a request was in vain; doubled each time.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// The longest that it is doubled to.
const LONGEST: Duration = Duration::from_mins(30);

/// How often that is.
const DOUBLINGS: u32 = 6;

/// The least time from one token that was thrown away, since it was refused before its end, to the next.
const BETWEEN_RENEWALS: Duration = Duration::from_mins(10);

/// How a request for a token ended: the values of `result` in `marketplace_auth_token_refreshes_total`.
const RESULTS: [&str; 4] = ["ok", "error", "rate_limited", "rejected"];

/// Why there is no token.
#[derive(Debug)]
pub(super) enum Lack {
    /// Another request to the same host has taken too long.
    Busy,
    /// It is too early to ask again.
    TooEarly,
    /// It was asked for, in vain.
    Refused { outcome: Outcome, failure: Failure, retry_after: Option<Duration> },
}

/// A token to use.
#[derive(Clone, Debug)]
pub(super) struct Lent {
    pub(super) token: AccessToken,
    /// Whether it was there already: then it may have been revoked since.
    pub(super) is_old: bool,
}

/// The tokens of one auth of an account.
#[derive(Debug)]
pub(super) struct Tokens {
    /// Whoever holds it asks; all others wait for what comes of it.
    held: Mutex<Held>,
    told: StdMutex<Told>,
    tally: Arc<Tally>,
}

/// What there is.
#[derive(Debug, Default)]
struct Held {
    token: Option<AccessToken>,
    /// When it is to be replaced, and when it ends.
    refresh_at: Option<SystemTime>,
    expires: Option<SystemTime>,
    /// The fingerprint of the credentials that it was given for.
    credentials: u64,
    failures: u32,
    /// When it was asked for the last time, and until when nobody asks again.
    asked: Option<SystemTime>,
    not_before: Option<SystemTime>,
    renewed: Option<SystemTime>,
}

/// What is known of it without waiting.
#[derive(Debug, Default)]
struct Told {
    expires: Option<SystemTime>,
    saved: Saved,
}

/// What requests for tokens came to, of all auths of an account together.
#[derive(Debug)]
pub(super) struct Tally(StdMutex<([u64; RESULTS.len()], Arc<Histogram>)>);

impl Default for Tally {
    fn default() -> Self {
        Self(StdMutex::new((Default::default(), Histogram::observing(&TOTAL_BOUNDS).into())))
    }
}

impl Tally {
    fn count(&self, result: usize, took: Duration) {
        let mut counts = self.0.lock().expect(NO_PANIC);
        counts.0[result] += 1;
        Arc::make_mut(&mut counts.1).observe(took.as_secs_f64());
    }

    fn report(&self, marketplace: &str, out: &mut Snapshot) {
        let counts = self.0.lock().expect(NO_PANIC);
        for (result, count) in RESULTS.iter().zip(counts.0) {
            out.push(&names::TOKEN_REFRESHES, [marketplace, result], count);
        }
        out.push_histogram(&names::TOKEN_DURATION, [marketplace], counts.1.clone());
    }
}

const NO_PANIC: &str = "no code panics while it holds this lock";

/// What outlives the program; the file is its user's alone.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    token: Option<String>,
    refresh_at: Option<SystemTime>,
    expires: Option<SystemTime>,
    credentials: u64,
    failures: u32,
    asked: Option<SystemTime>,
    not_before: Option<SystemTime>,
}

impl std::fmt::Debug for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Saved")
            .field("expires", &self.expires)
            .field("not_before", &self.not_before)
            .finish_non_exhaustive()
    }
}

/// What a request for a token goes out with.
pub(super) struct Means<'a> {
    pub(super) way: &'a Way,
    pub(super) context: &'a Context,
    pub(super) environment: &'a str,
    /// The fingerprint of the credentials as they are now.
    pub(super) credentials: u64,
    /// Keeps what must outlive the program, also when it dies of the answer.
    pub(super) keep: &'a (dyn Fn() + Send + Sync),
}

impl Tokens {
    /// None yet.
    pub(super) fn new(tally: Arc<Tally>) -> Self {
        Self { held: Mutex::default(), told: StdMutex::default(), tally }
    }

    /// A token to use now: the one that is there, or a new one.
    pub(super) async fn lend(&self, oauth: &OAuth2, means: &Means<'_>) -> Result<Lent, Lack> {
        let mut held = self.held.lock().await;
        let now = SystemTime::now();
        if held.credentials != means.credentials {
            *held = Held { credentials: means.credentials, ..Held::default() };
        }
        let is_good = |until: Option<SystemTime>| until.is_some_and(|until| now < until);
        let old = held.token.clone().filter(|_| is_good(held.expires)).map(|token| Lent { token, is_old: true });
        if is_good(held.refresh_at)
            && let Some(old) = old
        {
            return Ok(old);
        }
        // Who asked in the future had a wrong clock, and has one no more.
        let is_early = is_good(held.not_before) && held.asked.is_none_or(|asked| asked <= now);
        if is_early {
            return old.ok_or(Lack::TooEarly);
        }
        let asked = self.ask(oauth, means, &mut held).await;
        self.told().keep(&held);
        // One that is about to end is good until then.
        asked.or_else(|lack| old.ok_or(lack))
    }

    /// Throws away the token that was refused, if that has not just been done; false when it has.
    pub(super) async fn throw_away(&self, refused: &AccessToken) -> bool {
        let mut held = self.held.lock().await;
        if held.token.as_ref() != Some(refused) {
            // Somebody else has seen to it.
            return true;
        }
        let now = SystemTime::now();
        let is_early = |renewed: SystemTime| now.duration_since(renewed).is_ok_and(|age| age < BETWEEN_RENEWALS);
        if held.renewed.is_some_and(is_early) {
            return false;
        }
        held.renewed = Some(now);
        (held.token, held.refresh_at, held.expires) = (None, None, None);
        self.told().keep(&held);
        true
    }

    async fn ask(&self, oauth: &OAuth2, means: &Means<'_>, held: &mut Held) -> Result<Lent, Lack> {
        let refused = |outcome, failure| Lack::Refused { outcome, failure, retry_after: None };
        let moment = Moment { now: SystemTime::now(), turn: 0 };
        let question = oauth.question(&moment).map_err(|failure| refused(Outcome::ConfigError, failure))?;
        let gate = means.context.gate(&super::running::backend(question.uri()));
        let turn = super::running::turn(&gate).await.ok_or(Lack::Busy)?;
        let now = SystemTime::now();
        held.asked = Some(now);
        held.not_before = now.checked_add(oauth.min_interval.max(AFTER_FAILURE));
        self.told().keep(held);
        (means.keep)();
        let exchanged = exchange(question, &means.way.within(oauth.timeout)).await;
        drop(turn);
        let now = SystemTime::now();
        let (verdict, read) = match &exchanged.answer {
            Ok(answer) => {
                let verdict = judge(&oauth.rules, means.environment, answer, now);
                let read = (verdict.outcome == Outcome::Ok).then(|| oauth.read(&answer.body));
                (verdict, read)
            }
            Err(fault) => (Verdict::without_answer(fault), None),
        };
        let ended = match read {
            Some(Ok(token)) => Ok(token),
            Some(Err(failure)) => Err((Outcome::TokenError, failure)),
            None => {
                let outcome = match verdict.outcome {
                    outcome @ (Outcome::AuthError | Outcome::RateLimited | Outcome::Blocked) => outcome,
                    _ => Outcome::TokenError,
                };
                let why = match exchanged.answer {
                    Err(fault) => fault.failure,
                    Ok(_) => Failure::message(outcome.reason(), verdict.because.join("; ")),
                };
                Err((outcome, why.context("asking for an access token")))
            }
        };
        let result = match &ended {
            Ok(_) => 0,
            Err((Outcome::RateLimited, _)) => 2,
            Err((Outcome::AuthError, _)) => 3,
            Err(_) => 1,
        };
        self.tally.count(result, exchanged.total);
        match ended {
            Ok(token) => {
                let lives = token.expires_in;
                held.refresh_at = now.checked_add(oauth.refresh_after(lives));
                held.expires = now.checked_add(lives);
                held.token = Some(token.access_token.clone());
                held.failures = 0;
                held.not_before = now.checked_add(oauth.min_interval);
                Ok(Lent { token: token.access_token, is_old: false })
            }
            Err((outcome, failure)) => {
                let pause = (AFTER_FAILURE * (1 << held.failures.min(DOUBLINGS))).min(LONGEST).max(oauth.min_interval);
                held.failures += 1;
                held.not_before = now.checked_add(pause.max(verdict.retry_after.unwrap_or_default()));
                Err(Lack::Refused { outcome, failure, retry_after: verdict.retry_after })
            }
        }
    }

    /// What must outlive the program.
    pub(super) fn save(&self) -> Saved {
        self.told().saved.clone()
    }

    /// Goes on from what was kept.
    pub(super) async fn restore(&self, saved: Saved) {
        let mut held = self.held.lock().await;
        let Saved { token, refresh_at, expires, credentials, failures, asked, not_before } = saved;
        let token = token.and_then(|token| AccessToken::new(token).ok());
        *held = Held { token, refresh_at, expires, credentials, failures, asked, not_before, renewed: None };
        self.told().keep(&held);
    }

    /// When the token ends that is in use.
    pub(super) fn expires(&self) -> Option<SystemTime> {
        self.told().expires
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect(NO_PANIC)
    }
}

impl Told {
    fn keep(&mut self, held: &Held) {
        self.expires = held.expires.filter(|_| held.token.is_some());
        self.saved = Saved {
            token: held.token.as_ref().map(|token| token.reveal().to_owned()),
            refresh_at: held.refresh_at,
            expires: held.expires,
            credentials: held.credentials,
            failures: held.failures,
            asked: held.asked,
            not_before: held.not_before,
        };
    }
}

/// Shows what the tokens of an account came to; nothing where there are none.
pub(super) fn report<'a>(
    marketplace: &str,
    all: impl Iterator<Item = &'a Tokens> + Clone,
    tally: &Tally,
    out: &mut Snapshot,
) {
    if all.clone().next().is_none() {
        return;
    }
    tally.report(marketplace, out);
    if let Some(expires) = all.filter_map(Tokens::expires).min() {
        out.push(&names::TOKEN_EXPIRY, [marketplace], epoch(expires));
    }
}
