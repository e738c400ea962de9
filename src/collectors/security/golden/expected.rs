//! What becomes of a host by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::machine::lines;
use crate::collectors::security::check::{Category, Check};
use crate::collectors::security::score::Score;
use crate::collectors::security::verdict::State;

/// How far two numbers may be apart that are added up in another order.
pub(super) const TOLERANCE: f64 = 1e-9;

/// What becomes of a host by hand: `expected.tsv`.
pub(super) struct Expected {
    /// How each check ends, and why.
    checks: BTreeMap<Check, (String, String)>,
    caps: BTreeSet<String>,
    numbers: BTreeMap<(String, String), f64>,
}

impl Expected {
    pub(super) fn read(file: &Path) -> Self {
        let mut expected = Self { checks: BTreeMap::new(), caps: BTreeSet::new(), numbers: BTreeMap::new() };
        for line in lines(file) {
            let [what, which, rest] = &line[..] else { panic!("{line:?} has not three columns") };
            if let Some(check) = Check::named(what) {
                assert!(
                    expected.checks.insert(check, (which.clone(), rest.clone())).is_none(),
                    "{what} is there twice"
                );
            } else if what == "cap" {
                expected.caps.insert(which.clone());
            } else {
                expected.numbers.insert((what.clone(), which.clone()), rest.parse().unwrap());
            }
        }
        assert_eq!(expected.checks.len(), Check::ALL.len(), "{}", file.display());
        expected
    }

    /// All that is otherwise, a line each.
    pub(super) fn differences(&self, host: &str, score: &Score) -> String {
        let mut told = String::new();
        let mut line = |what: &str, expected: &str, found: &str, why: &str| {
            writeln!(told, "{host:20} {what:10} expected {expected:20} found {found:20} {why}").unwrap();
        };
        for scored in &score.checks {
            let (state, why) = &self.checks[&scored.check];
            let found = state_of(scored.verdict.state);
            if *state != found {
                line(scored.check.id(), state, &found, &format!("by hand: {why} | found: {}", scored.verdict.seen));
            }
        }
        let caps: BTreeSet<_> = score.caps.iter().map(|cap| cap.as_str().to_owned()).collect();
        if caps != self.caps {
            line("caps", &format!("{:?}", self.caps), &format!("{caps:?}"), "");
        }
        let categories = Category::ALL.map(|category| ("category", category.as_str(), score.category(category)));
        let whole = [
            ("base", "-", score.base()),
            ("score", "-", score.lower()),
            ("upper", "-", score.upper()),
            ("coverage", "-", score.coverage()),
        ];
        for (what, which, found) in categories.into_iter().chain(whole) {
            let expected = self.numbers[&(what.to_owned(), which.to_owned())];
            let is_same = (expected - found).abs() < TOLERANCE;
            if !is_same {
                line(if which == "-" { what } else { which }, &expected.to_string(), &found.to_string(), "");
            }
        }
        told
    }
}

fn state_of(state: State) -> String {
    match state {
        State::Fail => "fail".to_owned(),
        State::Partial => "partial".to_owned(),
        State::Pass => "pass".to_owned(),
        State::NotApplicable => "not_applicable".to_owned(),
        State::Unknown(cause) => format!("unknown:{}", cause.as_str()),
    }
}
