//! How long somebody is spared who was refused: all probes with the same credentials, or one probe that may not do what it
//! asks for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// How often somebody is refused in a row before they are spared: once may be a mistake of theirs.
const REFUSALS: u32 = 2;

/// How long they are spared, each time that it was in vain.
pub(super) const PAUSES: [Duration; 4] =
    [Duration::from_mins(5), Duration::from_mins(15), Duration::from_hours(1), Duration::from_hours(6)];

/// Refusals in a row, of the same credentials.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    until: Option<Instant>,
    refused: u32,
    pauses: usize,
    /// The fingerprint of what was refused.
    credentials: Option<u64>,
}

/// A pause, as a restart must not forget it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pause {
    /// How much of it is left.
    pub(super) left: Duration,
    /// Whose it is: the fingerprint of credentials.
    pub(super) credentials: u64,
    /// How many there were in a row.
    pub(super) pauses: usize,
}

impl Refusals {
    /// Whether whoever shows these credentials is spared now. Others than those that were refused are tried at once.
    pub(super) fn hold(&mut self, credentials: u64, now: Instant) -> bool {
        if self.credentials.is_some_and(|refused| refused != credentials) {
            self.forgive();
        }
        self.until.is_some_and(|until| now < until)
    }

    /// Notes one.
    pub(super) fn note(&mut self, credentials: u64, now: Instant) {
        self.refused += 1;
        self.credentials = Some(credentials);
        if self.refused >= REFUSALS {
            let pause = PAUSES[self.pauses.min(PAUSES.len() - 1)];
            self.pauses += 1;
            self.until = Some(now + pause);
        }
    }

    /// Forgets them.
    pub(super) fn forgive(&mut self) {
        *self = Self::default();
    }

    /// What is left of the pause, if there is one.
    pub(super) fn pause(&self, now: Instant) -> Option<Pause> {
        let left = self.until?.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some(Pause { left, credentials: self.credentials?, pauses: self.pauses })
    }

    /// Goes on with a pause.
    pub(super) fn restore(&mut self, pause: Pause, now: Instant) {
        *self = Self {
            until: Some(now + pause.left.min(PAUSES[PAUSES.len() - 1])),
            refused: REFUSALS,
            pauses: pause.pauses,
            credentials: Some(pause.credentials),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long it takes until the next probe may be made.
    fn wait(refusals: &mut Refusals, from: Instant) -> Duration {
        let mut waited = Duration::ZERO;
        while refusals.hold(1, from + waited) {
            waited += Duration::from_secs(1);
        }
        waited
    }

    #[test]
    fn whoever_is_refused_twice_is_spared_longer_each_time() {
        let mut now = Instant::now();
        let mut refusals = Refusals::default();
        refusals.note(1, now);
        assert!(!refusals.hold(1, now), "once may be a mistake of theirs");
        let mut minutes = Vec::new();
        for _ in 0..5 {
            refusals.note(1, now);
            let waited = wait(&mut refusals, now);
            minutes.push(waited.as_secs() / 60);
            now += waited;
        }
        assert_eq!(minutes, [5, 15, 60, 360, 360]);
    }

    #[test]
    fn others_are_tried_at_once_and_what_was_before_is_forgotten() {
        let now = Instant::now();
        let mut refusals = Refusals::default();
        refusals.note(1, now);
        refusals.note(1, now);
        assert!(refusals.hold(1, now));
        assert!(!refusals.hold(2, now));
        assert!(!refusals.hold(1, now));
    }

    #[test]
    fn a_restart_goes_on_where_it_was_and_no_longer_than_there_is_a_pause() {
        let now = Instant::now();
        let mut before = Refusals::default();
        assert_eq!(before.pause(now), None);
        for _ in 0..3 {
            before.note(1, now);
        }
        let pause = before.pause(now).unwrap();
        assert_eq!(pause, Pause { left: PAUSES[1], credentials: 1, pauses: 2 });
        assert_eq!(before.pause(now + PAUSES[1]), None);
        let mut after = Refusals::default();
        after.restore(pause, now);
        assert_eq!(wait(&mut after, now), PAUSES[1]);
        after.note(1, now);
        assert_eq!(wait(&mut after, now), PAUSES[2]);
        after.restore(Pause { left: Duration::MAX, credentials: 2, pauses: usize::MAX - 1 }, now);
        assert!(!after.hold(2, now + PAUSES[3]));
    }
}
