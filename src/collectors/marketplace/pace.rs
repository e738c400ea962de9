//! How often a probe is made: never in step with others, and less often while it fails.

use std::hash::{BuildHasher as _, DefaultHasher, Hash, Hasher as _, RandomState};
use std::time::Duration;

use super::result::Outcome;

/// How far from its interval a probe may be made, as a part of it.
const JITTER: f64 = 0.1;

/// The longest until the first probe: after a start somebody wants to see whether it works.
const LONGEST_START: Duration = Duration::from_secs(15);

/// How many failures in a row open the circuit.
const FAILURES: u32 = 5;

/// The longest that an open circuit makes an interval.
const LONGEST_OPEN: Duration = Duration::from_mins(5);

/// Whether a probe goes well: the values of `state` in `marketplace_probe_circuit_state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Circuit {
    /// It does.
    #[default]
    Closed,
    /// It did once, after it had not.
    HalfOpen,
    /// It does not.
    Open,
}

impl Circuit {
    /// All states, in the order of their names.
    pub(super) const ALL: [Self; 3] = [Self::Closed, Self::HalfOpen, Self::Open];

    /// The label value.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

/// The pace of one probe.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// Whether it may be made no more often than that, not even now and then.
    is_least: bool,
    failures: u32,
    circuit: Circuit,
    /// How long the marketplace, which is not well, asks to be left alone.
    wish: Duration,
}

impl Pace {
    /// That of a probe which is made this often, and may be made no more often when that is the least.
    pub(super) fn new(interval: Duration, is_least: bool) -> Self {
        Self { interval, is_least, failures: 0, circuit: Circuit::Closed, wish: Duration::ZERO }
    }

    /// How often it is made now.
    pub(super) fn interval(&self) -> Duration {
        match self.circuit {
            // An outage is what is to be measured: one request now and then harms nobody.
            Circuit::Open => (self.interval * 2).min(LONGEST_OPEN).max(self.interval),
            Circuit::Closed | Circuit::HalfOpen => self.interval,
        }
    }

    /// How it goes.
    pub(super) fn circuit(&self) -> Circuit {
        self.circuit
    }

    /// Notes how a probe ended, and the `Retry-After` that came with it, which is a matter of the whole account when it
    /// is the shop's own doing.
    pub(super) fn note(&mut self, outcome: Outcome, retry_after: Option<Duration>) {
        self.wish = retry_after.filter(|_| !outcome.is_ours()).unwrap_or_default();
        // Who says no is there.
        let is_there = matches!(outcome, Outcome::Ok | Outcome::RateLimited | Outcome::AuthError | Outcome::Forbidden);
        if is_there {
            self.failures = 0;
            self.circuit = match self.circuit {
                Circuit::Open => Circuit::HalfOpen,
                Circuit::HalfOpen | Circuit::Closed => Circuit::Closed,
            };
        } else if !outcome.is_ours() {
            self.failures += 1;
            if self.failures >= FAILURES || self.circuit == Circuit::HalfOpen {
                self.circuit = Circuit::Open;
            }
        }
    }

    /// When it is to be made again, counted from when it was due.
    pub(super) fn next(&self) -> Duration {
        let late = if self.is_least { chance() } else { 2.0 * chance() - 1.0 };
        let next = self.interval().mul_f64(1.0 + JITTER * late);
        next.max(self.wish.min(LONGEST_OPEN))
    }

    /// When it is to be made for the first time, counted from the start: always the same for one probe, and seldom that
    /// of another.
    pub(super) fn first(&self, name: impl Hash) -> Duration {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let within = u64::try_from(self.interval.min(LONGEST_START).as_millis()).unwrap_or(u64::MAX).max(1);
        Duration::from_millis(hasher.finish() % within)
    }
}

/// A number from 0 to 1, by chance.
pub(super) fn chance() -> f64 {
    // The keys of a new state are random, and its first number with them.
    let number = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(number >> 32).expect("32 bits are left")) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn five_failures_in_a_row_make_it_less_often_and_two_good_ones_close_it() {
        let mut pace = Pace::new(MINUTE, false);
        let mut states = Vec::new();
        let ends =
            [Outcome::Timeout; 5].into_iter().chain([Outcome::Ok, Outcome::ServerError, Outcome::Ok, Outcome::Ok]);
        for outcome in ends {
            pace.note(outcome, None);
            states.push((pace.circuit().as_str(), pace.interval().as_secs()));
        }
        assert_eq!(
            states,
            [
                ("closed", 60),
                ("closed", 60),
                ("closed", 60),
                ("closed", 60),
                ("open", 120),
                ("half_open", 60),
                ("open", 120),
                ("half_open", 60),
                ("closed", 60),
            ]
        );
    }

    #[test]
    fn an_open_circuit_never_makes_it_more_often() {
        for (minutes, open) in [(1, 2), (4, 5), (30, 30)] {
            let mut pace = Pace::new(MINUTE * minutes, false);
            (0..FAILURES).for_each(|_| pace.note(Outcome::ConnectError, None));
            assert_eq!(pace.interval(), MINUTE * open);
        }
    }

    #[test]
    fn what_is_our_own_doing_opens_nothing_and_who_says_no_is_there() {
        for (outcome, then) in [
            (Outcome::RateLimited, Circuit::HalfOpen),
            (Outcome::AuthError, Circuit::HalfOpen),
            (Outcome::Forbidden, Circuit::HalfOpen),
            // Nobody knows what is behind a wall, or what was not asked.
            (Outcome::Blocked, Circuit::Open),
            (Outcome::ConfigError, Circuit::Open),
        ] {
            let mut pace = Pace::new(MINUTE, false);
            (0..20).for_each(|_| pace.note(outcome, None));
            assert_eq!(pace.circuit(), Circuit::Closed, "{outcome}");
            (0..FAILURES).for_each(|_| pace.note(Outcome::ServerError, None));
            pace.note(outcome, None);
            assert_eq!(pace.circuit(), then, "{outcome}");
        }
    }

    #[test]
    fn probes_are_not_made_in_step() {
        let pace = Pace::new(MINUTE, false);
        let mut all: Vec<_> = (0..100).map(|_| pace.next()).collect();
        assert!(all.iter().all(|next| (54..=66).contains(&next.as_secs())), "{all:?}");
        all.sort();
        all.dedup();
        assert!(all.len() > 90);
        let least = Pace::new(MINUTE, true);
        assert!((0..100).map(|_| least.next().as_secs()).all(|next| (60..=66).contains(&next)), "too often");
        let firsts = ["a", "b", "c"].map(|name| pace.first(name));
        assert!(firsts.iter().all(|first| *first < LONGEST_START));
        assert_eq!(firsts, ["a", "b", "c"].map(|name| pace.first(name)));
        assert!(firsts[0] != firsts[1] && firsts[1] != firsts[2]);
    }

    #[test]
    fn a_marketplace_that_is_not_well_may_ask_for_five_minutes_and_one_that_is_well_again_for_none() {
        let mut pace = Pace::new(MINUTE, false);
        for (outcome, minutes, least, most) in [
            (Outcome::ServerError, 3, 180, 180),
            (Outcome::ServerError, 600, 300, 300),
            // Less than its interval is no wish.
            (Outcome::ServerError, 0, 54, 66),
            // All of the account is paused then.
            (Outcome::RateLimited, 10, 54, 66),
            (Outcome::Ok, 0, 54, 66),
        ] {
            pace.note(outcome, Some(MINUTE * minutes));
            let next = pace.next().as_secs();
            assert!((least..=most).contains(&next), "{outcome}: {next}");
        }
    }
}
