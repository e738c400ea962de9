//! A part of what is seen, for as long as it holds.

use std::time::Duration;

use tokio::time::Instant;

use super::verdict::{Cause, Known, Unknown};

/// For how many periods something holds that could not be seen again, because nobody answered.
const PATIENCE: u32 = 3;

/// When who did not answer is asked again, at first.
const AGAIN: Duration = Duration::from_mins(5);

/// What was seen of one part, looked at once in a period.
#[derive(Debug)]
pub(super) struct Held<T> {
    every: Duration,
    /// When it was last looked at, and what came of it.
    last: Option<(Instant, Known<T>)>,
    /// When it was last seen, in seconds since 1970.
    seen: Option<i64>,
    /// Since when nobody has answered; the last answer is kept meanwhile.
    silent_since: Option<Instant>,
    /// Since when a part of it did not come.
    part_silent_since: Option<Instant>,
}

impl<T: Clone> Held<T> {
    /// Nothing yet, to be looked at once in a period.
    pub(super) const fn new(every: Duration) -> Self {
        Self { every, last: None, seen: None, silent_since: None, part_silent_since: None }
    }

    /// Whether it is time to look; sooner again at who did not answer.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let Some((at, _)) = self.last else { return true };
        // After as long as the silence has lasted: who never answers is not asked all the time.
        let again = self.silent_since.or(self.part_silent_since).map(|since| AGAIN.max(at.duration_since(since)));
        now.duration_since(at) >= again.map_or(self.every, |again| again.min(self.every))
    }

    /// Notes what came of a look. Who does not answer this time may at the next: until then the last answer holds.
    pub(super) fn note(&mut self, now: Instant, time: i64, found: Known<T>) {
        let is_silence = |unknown: &Unknown| matches!(unknown.cause, Cause::Timeout | Cause::Unreachable);
        match &found {
            Err(unknown) if is_silence(unknown) => {
                let since = *self.silent_since.get_or_insert(now);
                let holds = now.duration_since(since) < self.every * (PATIENCE - 1);
                let before = self.last.take().and_then(|(_, before)| before.ok()).filter(|_| holds);
                self.last = Some((now, before.map_or(found, Ok)));
            }
            _ => {
                self.silent_since = None;
                if found.is_ok() {
                    self.seen = Some(time);
                }
                self.last = Some((now, found));
            }
        }
    }

    /// Notes whether a part of what was asked for did not come, and may the next time.
    pub(super) fn note_part(&mut self, now: Instant, is_silent: bool) {
        self.part_silent_since = is_silent.then(|| self.part_silent_since.unwrap_or(now));
    }

    /// What is known of it now.
    pub(super) fn known(&self) -> Known<T> {
        self.as_ref().cloned()
    }

    /// The same, where it is.
    pub(super) fn as_ref(&self) -> Known<&T> {
        match &self.last {
            Some((_, known)) => known.as_ref().map_err(Clone::clone),
            None => Err(Unknown::new(Cause::Stale, "it was not looked at yet")),
        }
    }

    /// When it was last seen, in seconds since 1970.
    pub(super) const fn seen(&self) -> Option<i64> {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn silence_is_forgiven_for_three_periods_and_a_refusal_is_not() {
        let begun = Instant::now();
        let mut held = Held::new(MINUTE);
        assert!(held.is_due(begun) && held.known().is_err());
        held.note(begun, 100, Ok(7));
        assert!(!held.is_due(begun + MINUTE / 2) && held.is_due(begun + MINUTE));
        let silence = || Err(Unknown::new(Cause::Timeout, "no answer"));
        for (minute, expected) in [(1, true), (2, true), (3, false), (4, false)] {
            held.note(begun + MINUTE * minute, 200, silence());
            assert_eq!(held.known().is_ok(), expected, "minute {minute}");
        }
        assert_eq!(held.seen(), Some(100));
        let mut daily = Held::<u8>::new(Duration::from_hours(24));
        daily.note(begun, 100, Err(Unknown::new(Cause::Timeout, "no answer")));
        assert!(!daily.is_due(begun + MINUTE) && daily.is_due(begun + AGAIN), "asked again long before tomorrow");
        let mut looks = 0;
        for minute in 1..24 * 60 {
            let now = begun + MINUTE * minute;
            if daily.is_due(now) {
                looks += 1;
                daily.note(now, 100, Ok(7));
                daily.note_part(now, true);
            }
        }
        // After 5, 10, 15, 25, 45, 85, 165, 325, 645 and 1285 minutes.
        assert_eq!(looks, 10, "and ever less often");
        held.note(begun + MINUTE * 5, 300, Ok(8));
        held.note(begun + MINUTE * 6, 400, Err(Unknown::new(Cause::Permission, "closed")));
        assert_eq!(held.known().unwrap_err().cause, Cause::Permission);
    }
}
