//! The score: verdicts added up, as XCCDF's default model does it (NISTIR 7275r4, 7.3.2): a weighted mean in each
//! category, then the categories with their weights.
//!
//! What is unknown counts as nothing, and how much it might bring is told as well. A check is left out of its category
//! when it was seen that there is nothing to check, and the category keeps its weight.

use std::collections::BTreeSet;

use super::check::{Category, Check};
use super::verdict::{Cap, Cause, State, Unknown, Verdict, Verdicts};

/// The version of all that decides about the score; a series of another version is not to be compared with.
pub(crate) const METHODOLOGY: &str = "1.0";

/// Checks of what a machine may not have.
const OPTIONAL: [Check; 6] = [Check::Fw02, Check::Fw04, Check::Fw08, Check::Fw10, Check::Fw11, Check::Api23];

/// What the verdicts come to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Score {
    /// Every check, in the order of the report.
    pub(crate) checks: Vec<Scored>,
    /// What limits the score.
    pub(crate) caps: BTreeSet<Cap>,
}

/// A check, and what it counts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scored {
    /// Which.
    pub(crate) check: Check,
    /// What came of it.
    pub(crate) verdict: Verdict,
    /// How many of the 100 points it is worth; 0 when it is not applicable.
    pub(crate) points: f64,
}

impl Scored {
    /// The part of its points that it brings.
    pub(crate) const fn ratio(&self) -> f64 {
        match self.verdict.state {
            State::Pass => 1.0,
            State::Partial => 0.5,
            State::Fail | State::Unknown(_) | State::NotApplicable => 0.0,
        }
    }

    /// Whether there is something to check.
    pub(crate) const fn is_applicable(&self) -> bool {
        !matches!(self.verdict.state, State::NotApplicable)
    }

    /// Whether nobody knows.
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self.verdict.state, State::Unknown(_))
    }

    /// How many points it would bring were all well.
    pub(crate) fn missing(&self) -> f64 {
        self.points * (1.0 - self.ratio())
    }
}

impl Score {
    /// Adds verdicts up. A check without one is unknown, and so is one that says without reason that it does not apply.
    ///
    /// What has limited the score `before` does so until it is seen to be over: whoever closes the program's eyes does not
    /// gain by it.
    pub(crate) fn of(mut verdicts: Verdicts, before: &BTreeSet<Cap>) -> Self {
        let verdicts = Check::ALL.map(|check| (check, honest(check, verdicts.remove(&check))));
        let checks = verdicts.iter().map(|(check, verdict)| {
            let is_of = |other: &Check| other.category() == check.category();
            let counted = verdicts.iter().filter(|(other, verdict)| is_of(other) && is_counted(verdict));
            let parts: u32 = counted.map(|(other, _)| other.tier().parts()).sum();
            let share = f64::from(check.tier().parts()) / f64::from(parts.max(1));
            let points = if is_counted(verdict) { check.category().weight() * share } else { 0.0 };
            Scored { check: *check, verdict: verdict.clone(), points }
        });
        let mut score = Self { checks: checks.collect(), caps: BTreeSet::new() };
        score.caps = score.caps_seen();
        let last = before.iter().filter(|cap| score.is_out_of_sight(**cap)).copied().collect::<Vec<_>>();
        score.caps.extend(last);
        score
    }

    /// What is known to be well, of 100: the lower end of where the truth is, unless what is not known is one of the
    /// findings that limit the whole.
    pub(crate) fn lower(&self) -> f64 {
        self.base().min(self.limit())
    }

    /// What it would be were all well that is not known: the upper end.
    pub(crate) fn upper(&self) -> f64 {
        (self.base() + self.unknown()).min(self.limit())
    }

    /// The points that are there, before anything limits them.
    pub(crate) fn base(&self) -> f64 {
        self.checks.iter().map(|scored| scored.points * scored.ratio()).sum()
    }

    /// The part of the points that is known, 0 to 1.
    pub(crate) fn coverage(&self) -> f64 {
        1.0 - self.unknown() / 100.0
    }

    /// How well a category is, of 100; 0 when nothing of it applies.
    pub(crate) fn category(&self, category: Category) -> f64 {
        let of_it = || self.checks.iter().filter(|scored| scored.check.category() == category);
        let all: f64 = of_it().map(|scored| scored.points).sum();
        let there: f64 = of_it().map(|scored| scored.points * scored.ratio()).sum();
        if all > 0.0 { 100.0 * there / all } else { 0.0 }
    }

    fn unknown(&self) -> f64 {
        self.checks.iter().filter(|scored| scored.is_unknown()).map(|scored| scored.points).sum()
    }

    fn limit(&self) -> f64 {
        self.caps.iter().map(|cap| cap.limit()).fold(100.0, f64::min)
    }

    /// How a check ended.
    fn state(&self, check: Check) -> Option<State> {
        self.checks.iter().find(|scored| scored.check == check).map(|scored| scored.verdict.state)
    }

    /// Whether it cannot be told that what a cap is about is over.
    fn is_out_of_sight(&self, cap: Cap) -> bool {
        let states = || cap.checks().iter().filter_map(|check| self.state(*check));
        let is_unknown = |state: State| matches!(state, State::Unknown(_));
        states().any(is_unknown) && states().all(|state| is_unknown(state) || state == State::Fail)
    }

    /// What limits it: what a check saw, and what two of them saw together.
    fn caps_seen(&self) -> BTreeSet<Cap> {
        let failed = |check: Check| self.state(check) == Some(State::Fail);
        let own = self.checks.iter().filter(|scored| !scored.is_unknown() && scored.is_applicable());
        let mut caps: BTreeSet<_> = own.filter_map(|scored| scored.verdict.cap).collect();
        caps.extend((failed(Check::Api23) && failed(Check::Fw04)).then_some(Cap::CacheOpen));
        caps.extend((failed(Check::Api20) && failed(Check::Fw03)).then_some(Cap::DatabaseOpen));
        caps
    }
}

/// A verdict that claims no more than it may.
fn honest(check: Check, verdict: Option<Verdict>) -> Verdict {
    match verdict {
        None => Unknown::new(Cause::Unsupported, "nobody has looked").into(),
        Some(verdict) if verdict.state == State::NotApplicable && !OPTIONAL.contains(&check) => {
            Unknown::new(Cause::Unsupported, verdict.seen).into()
        }
        Some(verdict) => verdict,
    }
}

fn is_counted(verdict: &Verdict) -> bool {
    verdict.state != State::NotApplicable
}

#[cfg(test)]
mod tests;
