//! The rest beside a top list of counters: a sum that never falls although the list changes.
//!
//! A digest that enters the list would take its past out of the rest, and `rate()` would take the fall for a restart.
//! So what a digest had when it entered stays with the rest, and what it gained while it was listed never comes to it.

use std::collections::BTreeMap;
use std::ops::{AddAssign, SubAssign};

/// How many counters each entry has.
pub(super) const FIGURES: usize = 13;

/// The counters of one entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures(pub(super) [f64; FIGURES]);

impl AddAssign<&Self> for Figures {
    fn add_assign(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine += theirs);
    }
}

impl SubAssign<&Self> for Figures {
    fn sub_assign(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine -= theirs);
    }
}

type Key = [String; 2];

/// What the list was at the last run.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    /// Nothing before the first run.
    total: Option<Figures>,
    listed: BTreeMap<Key, Listed>,
    /// What entries that have left the list gained while they were on it.
    gone: Figures,
}

#[derive(Debug)]
struct Listed {
    entered: Figures,
    last: Figures,
}

impl Ranking {
    /// The rest, given the sum of all and the present list.
    pub(super) fn other(&mut self, total: &Figures, list: &[(Key, Figures)]) -> Figures {
        // The first figure counts executions: with fewer than before, the statistics were truncated or the server
        // restarted.
        if self.total.as_ref().is_some_and(|before| total.0[0] < before.0[0]) {
            *self = Self::default();
        }
        let first = self.total.replace(total.clone()).is_none();
        let mut listed = BTreeMap::new();
        for (key, now) in list {
            // At the first run there is no past to keep with the rest: list and rest part the whole.
            let at_entry = if first { Figures::default() } else { now.clone() };
            let entered = self.listed.remove(key).map_or(at_entry, |before| before.entered);
            listed.insert(key.clone(), Listed { entered, last: now.clone() });
        }
        for left in std::mem::replace(&mut self.listed, listed).into_values() {
            self.gone += &left.last;
            self.gone -= &left.entered;
        }
        let mut other = total.clone();
        other -= &self.gone;
        for entry in self.listed.values() {
            other -= &entry.last;
            other += &entry.entered;
        }
        // The sum was read before the list: what happened in between may be in the list alone.
        other.0.iter_mut().for_each(|figure| *figure = figure.max(0.0));
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(count: f64) -> Figures {
        Figures([count; FIGURES])
    }

    fn list<const N: usize>(entries: [(&str, f64); N]) -> Vec<(Key, Figures)> {
        entries.map(|(digest, count)| (["shop".to_owned(), digest.to_owned()], figures(count))).to_vec()
    }

    #[test]
    fn at_first_the_list_and_the_rest_part_the_whole() {
        let mut ranking = Ranking::default();
        assert_eq!(ranking.other(&figures(100.0), &list([("a", 60.0), ("b", 30.0)])), figures(10.0));
    }

    #[test]
    fn the_rest_never_falls_when_the_list_changes() {
        let mut ranking = Ranking::default();
        let mut rest = |total, entries: &[(Key, Figures)]| ranking.other(&figures(total), entries);
        assert_eq!(rest(100.0, &list([("a", 60.0)])), figures(40.0));
        // `b` has grown from 40 to 70 and takes the place of `a`: what it had before stays with the rest.
        assert_eq!(rest(130.0, &list([("b", 70.0)])), figures(70.0));
        // `b` gains 10 on the list, `a` gains 5 off it.
        assert_eq!(rest(145.0, &list([("b", 80.0)])), figures(75.0));
        // `a` comes back with 66: one more of its own, still off the list.
        assert_eq!(rest(146.0, &list([("a", 66.0)])), figures(76.0));
    }

    #[test]
    fn truncated_statistics_start_anew() {
        let mut ranking = Ranking::default();
        ranking.other(&figures(100.0), &list([("a", 60.0)]));
        ranking.other(&figures(120.0), &list([("b", 70.0)]));
        assert_eq!(ranking.other(&figures(5.0), &list([("b", 3.0)])), figures(2.0));
    }
}
