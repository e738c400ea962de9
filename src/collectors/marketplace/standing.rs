//! What keeps an account from being asked: the marketplace wants to be left alone, refuses the credentials, or has put a
//! wall in the way.
//!
//! A monitor that goes on knocking makes each of these worse: it uses up the shop's own quota, locks its account, or gets
//! its address onto a list.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::refusals::{Pause, Refusals};
use super::result::Outcome;
use super::skip::Skip;

/// How the credentials fare: the values of `state` in `marketplace_auth_state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum AuthState {
    /// A wall is in the way of finding out.
    Blocked,
    /// They were refused, and are past their end.
    Expired,
    /// They are known, and may not do what a probe asks for.
    Forbidden,
    /// They work.
    Ok,
    /// They were refused.
    Rejected,
    /// Nobody has used them yet.
    #[default]
    Unknown,
}

impl AuthState {
    /// All of them, in the order of their names.
    pub(super) const ALL: [Self; 6] =
        [Self::Blocked, Self::Expired, Self::Forbidden, Self::Ok, Self::Rejected, Self::Unknown];

    /// The label value.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Expired => "expired",
            Self::Forbidden => "forbidden",
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }

    /// How bad it is, beside others of the same account.
    const fn gravity(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Ok => 1,
            Self::Forbidden => 2,
            Self::Blocked => 3,
            Self::Rejected => 4,
            Self::Expired => 5,
        }
    }
}

/// The longest that a marketplace may ask to be left alone.
const LONGEST_WISH: Duration = Duration::from_hours(24);

/// The longest pause where it asks for none.
const LONGEST_THROTTLE: Duration = Duration::from_hours(1);

/// How often the pause is doubled that it does not ask for.
const DOUBLINGS: u32 = 6;

/// How many good answers in a row make up for one that said there were too many requests.
const FORGIVEN: u32 = 3;

/// How long a wall is left alone, each time that it is still there.
const BLOCK_PAUSES: [Duration; 3] = [Duration::from_mins(15), Duration::from_hours(1), Duration::from_hours(6)];

/// How an account stands with its marketplace.
#[derive(Debug)]
pub(super) struct Standing {
    throttled_until: Option<Instant>,
    throttles: u32,
    /// Good answers since the last throttling.
    good: u32,
    blocked_until: Option<Instant>,
    block_pauses: usize,
    /// The probe that met the wall the last time.
    blocked: Option<usize>,
    auths: Vec<Trust>,
    /// What each probe may not do.
    forbidden: Vec<Refusals>,
}

/// How one auth of the account fares.
#[derive(Debug, Default)]
struct Trust {
    refusals: Refusals,
    state: AuthState,
    /// The probes that it was good for the last time.
    let_through: BTreeSet<usize>,
}

/// Whom a probe shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    /// Which auth of the account.
    pub(super) auth: usize,
    /// The fingerprint of its credentials.
    pub(super) credentials: u64,
}

/// What a probe has come to, as far as it concerns the account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) probe: usize,
    pub(super) outcome: Outcome,
    pub(super) shown: Option<Shown>,
    /// Whether one of the credentials is past its end.
    pub(super) expired: bool,
    /// How long the marketplace asks to be left alone.
    pub(super) retry_after: Option<Duration>,
    /// How often the probe is made.
    pub(super) interval: Duration,
    /// A number from 0 to 1, by chance.
    pub(super) chance: f64,
}

/// The pauses of an account: what a restart must not forget.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pauses {
    pub(super) throttled: Duration,
    pub(super) blocked: Duration,
    /// How many in a row each of these two is.
    pub(super) throttles: u32,
    pub(super) walls: usize,
    /// Of each auth.
    pub(super) auths: Vec<Option<Pause>>,
    /// Of each probe.
    pub(super) forbidden: Vec<Option<Pause>>,
}

impl Standing {
    /// That of an account with so many auths and probes, of whom nothing is known.
    pub(super) fn new(auths: usize, probes: usize) -> Self {
        Self {
            throttled_until: None,
            throttles: 0,
            good: 0,
            blocked_until: None,
            block_pauses: 0,
            blocked: None,
            auths: (0..auths).map(|_| Trust::default()).collect(),
            forbidden: (0..probes).map(|_| Refusals::default()).collect(),
        }
    }

    /// Why a probe is not to be made now.
    pub(super) fn skip(&mut self, probe: usize, shown: Option<Shown>, now: Instant) -> Option<Skip> {
        let holds = |until: Option<Instant>| until.is_some_and(|until| now < until);
        let is_refused = shown.is_some_and(|Shown { auth, credentials }| {
            // Both are asked: new credentials make up for everything.
            self.auths[auth].refusals.hold(credentials, now) | self.forbidden[probe].hold(credentials, now)
        });
        if holds(self.throttled_until) {
            Some(Skip::RetryAfter)
        } else if holds(self.blocked_until) {
            Some(Skip::Blocked)
        } else {
            is_refused.then_some(Skip::AuthPaused)
        }
    }

    /// Notes what a probe has come to.
    pub(super) fn note(&mut self, event: Event, now: Instant) {
        match event.outcome {
            Outcome::RateLimited => self.throttle(event, now),
            Outcome::Blocked => {
                let pause = BLOCK_PAUSES[self.block_pauses.min(BLOCK_PAUSES.len() - 1)];
                self.block_pauses += 1;
                self.blocked = Some(event.probe);
                self.blocked_until = Some(now + pause.max(event.retry_after.unwrap_or_default()).min(LONGEST_WISH));
            }
            Outcome::Ok => {
                self.good += 1;
                if self.good >= FORGIVEN {
                    self.throttles = 0;
                }
                // A page for everybody may be had through a wall.
                if event.shown.is_some() || self.blocked == Some(event.probe) {
                    self.block_pauses = 0;
                }
            }
            _ => {}
        }
        let Some(Shown { auth, credentials }) = event.shown else { return };
        let trust = &mut self.auths[auth];
        match event.outcome {
            Outcome::Ok => {
                trust.refusals.forgive();
                trust.let_through.insert(event.probe);
                trust.state = AuthState::Ok;
                self.forbidden[event.probe].forgive();
            }
            Outcome::AuthError => {
                trust.refusals.note(credentials, now);
                trust.let_through.clear();
                trust.state = if event.expired { AuthState::Expired } else { AuthState::Rejected };
            }
            Outcome::Forbidden => {
                self.forbidden[event.probe].note(credentials, now);
                trust.let_through.remove(&event.probe);
                // That a probe lacks a right is no state of credentials that are good for another one.
                if trust.let_through.is_empty() {
                    trust.state = AuthState::Forbidden;
                }
            }
            Outcome::Blocked => trust.state = AuthState::Blocked,
            // It says nothing about who we are, only that it was no wall.
            _ if trust.state == AuthState::Blocked => trust.state = AuthState::Unknown,
            _ => {}
        }
    }

    /// How the credentials fare: those that fare worst, when there are several.
    pub(super) fn state(&self) -> AuthState {
        self.auths.iter().map(|trust| trust.state).max_by_key(|state| state.gravity()).unwrap_or_default()
    }

    /// Whether an auth was good for any probe the last time.
    pub(super) fn is_let_through(&self, auth: usize) -> bool {
        !self.auths[auth].let_through.is_empty()
    }

    /// What is left of all pauses.
    pub(super) fn pauses(&self, now: Instant) -> Pauses {
        let left = |until: Option<Instant>| until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        Pauses {
            throttled: left(self.throttled_until),
            blocked: left(self.blocked_until),
            throttles: self.throttles,
            walls: self.block_pauses,
            auths: self.auths.iter().map(|trust| trust.refusals.pause(now)).collect(),
            forbidden: self.forbidden.iter().map(|refusals| refusals.pause(now)).collect(),
        }
    }

    /// Goes on with the pauses of this very account; `auth_of` says which auth a probe shows.
    pub(super) fn restore(&mut self, pauses: Pauses, auth_of: impl Fn(usize) -> Option<usize>, now: Instant) {
        let until = |left: Duration| (!left.is_zero()).then(|| now + left.min(LONGEST_WISH));
        self.throttled_until = until(pauses.throttled);
        self.blocked_until = until(pauses.blocked);
        (self.throttles, self.block_pauses) = (pauses.throttles, pauses.walls);
        if self.blocked_until.is_some() {
            self.auths.iter_mut().for_each(|trust| trust.state = AuthState::Blocked);
        }
        for (refusals, pause) in self.forbidden.iter_mut().zip(&pauses.forbidden) {
            if let Some(pause) = pause {
                refusals.restore(*pause, now);
            }
        }
        for (auth, trust) in self.auths.iter_mut().enumerate() {
            let mut its =
                pauses.forbidden.iter().enumerate().filter(|(probe, _)| auth_of(*probe) == Some(auth)).peekable();
            if its.peek().is_some() && its.all(|(_, pause)| pause.is_some()) {
                trust.state = AuthState::Forbidden;
            }
        }
        for (trust, pause) in self.auths.iter_mut().zip(pauses.auths) {
            let Some(pause) = pause else { continue };
            trust.refusals.restore(pause, now);
            trust.state = AuthState::Rejected;
        }
    }

    fn throttle(&mut self, event: Event, now: Instant) {
        let own = event.interval.saturating_mul(1 << self.throttles.min(DOUBLINGS)).min(LONGEST_THROTTLE);
        // By chance, so that several Vitrins of one account do not come back together.
        let pause = event.retry_after.unwrap_or_else(|| own.mul_f64(event.chance));
        self.throttles += 1;
        self.good = 0;
        let until = now + pause.min(LONGEST_WISH);
        self.throttled_until = Some(self.throttled_until.map_or(until, |before| before.max(until)));
    }
}

#[cfg(test)]
mod tests;
