//! The score in words: what was seen, what changes it, and how many points that brings.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::check::Category;
use super::config::Config;
use super::score::{METHODOLOGY, Score, Scored};
use super::verdict::{Cap, State};

/// The whole score at one time, for a person or, as JSON, for a program.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    methodology: &'static str,
    score: f64,
    upper_bound: f64,
    coverage_ratio: f64,
    objective: f64,
    caps: Vec<Limit>,
    categories: Vec<Part>,
    checks: Vec<Entry>,
}

#[derive(Clone, Debug, Serialize)]
struct Limit {
    reason: &'static str,
    limit: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Part {
    category: &'static str,
    score: f64,
    points: f64,
    of: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Entry {
    check: &'static str,
    title: &'static str,
    category: &'static str,
    tier: &'static str,
    mode: &'static str,
    privilege: &'static str,
    #[serde(rename = "state")]
    word: &'static str,
    #[serde(skip)]
    state: State,
    #[serde(skip_serializing_if = "str::is_empty")]
    cause: &'static str,
    points: f64,
    missing: f64,
    seen: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    fix: String,
    waived: bool,
    /// What it limits the score to.
    #[serde(skip)]
    cap: Option<Cap>,
}

const fn word(state: State) -> &'static str {
    match state {
        State::Fail => "fail",
        State::Partial => "partial",
        State::Pass => "pass",
        State::Unknown(_) => "unknown",
        State::NotApplicable => "not_applicable",
    }
}

impl Report {
    /// A score, told in words.
    pub(super) fn of(score: &Score, config: &Config, objective: f64, now: i64) -> Self {
        let categories = Category::ALL.map(|category| {
            let score = score.category(category);
            let (points, of) = (score * category.weight() / 100.0, category.weight());
            Part { category: category.as_str(), score, points, of }
        });
        let caps = score.caps.iter().map(|cap| Limit { reason: cap.as_str(), limit: cap.limit() });
        Self {
            methodology: METHODOLOGY,
            score: score.lower(),
            upper_bound: score.upper(),
            coverage_ratio: score.coverage(),
            objective,
            caps: caps.collect(),
            categories: categories.to_vec(),
            checks: score.checks.iter().map(|scored| Entry::of(scored, config, now)).collect(),
        }
    }

    /// The checks that are unknown for the same reason as this one, which is said once, with all that it would bring.
    fn same(&self, entry: &Entry) -> Vec<&Entry> {
        let is_same = |other: &&Entry| entry.is_unknown() && other.is_unknown() && other.seen == entry.seen;
        self.checks.iter().filter(is_same).collect()
    }

    /// Whether the objective is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.score >= self.objective
    }
}

impl Entry {
    fn of(scored: &Scored, config: &Config, now: i64) -> Self {
        let Scored { check, verdict, points } = scored;
        let cause = if let State::Unknown(cause) = verdict.state { cause.as_str() } else { "" };
        Self {
            check: check.id(),
            title: check.title(),
            category: check.category().as_str(),
            tier: check.tier().as_str(),
            mode: check.mode().as_str(),
            privilege: check.privilege().as_str(),
            word: word(verdict.state),
            state: verdict.state,
            cause,
            points: *points,
            missing: scored.missing(),
            seen: verdict.seen.clone(),
            fix: verdict.fix.to_string(),
            waived: config.is_waived(*check, now),
            cap: verdict.cap,
        }
    }

    const fn is_unknown(&self) -> bool {
        matches!(self.state, State::Unknown(_))
    }

    /// Whether something can be done about it.
    const fn is_open(&self) -> bool {
        !matches!(self.state, State::Pass | State::NotApplicable)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Security score {:.1} of 100; the objective is {}.", floor(self.score), self.objective)?;
        let unknown = self.checks.iter().filter(|entry| entry.is_unknown()).count();
        if unknown > 0 {
            let upper = self.upper_bound;
            writeln!(
                f,
                "Not known: {unknown} of {} checks; were all of them well it would be {upper:.1}.",
                self.checks.len()
            )?;
        }
        for Limit { reason, limit } in &self.caps {
            writeln!(f, "It cannot be above {limit}: {reason}.")?;
        }
        writeln!(f, "\n{:<12} {:>5}  {:>12}", "category", "score", "points")?;
        for Part { category, score, points, of } in &self.categories {
            writeln!(f, "{category:<12} {score:>5.1}  {points:>5.1} of {of:>2}")?;
        }
        let mut open: Vec<_> = self.checks.iter().filter(|entry| entry.is_open()).collect();
        let limit = |entry: &Entry| entry.cap.map_or(100.0, Cap::limit);
        let brings = |entry: &Entry| match self.same(entry)[..] {
            [] | [_] => entry.missing,
            ref several => several.iter().map(|entry| entry.missing).sum(),
        };
        open.sort_by(|a, b| limit(a).total_cmp(&limit(b)).then(brings(b).total_cmp(&brings(a))));
        if !open.is_empty() {
            writeln!(f, "\nWhat brings more, what counts most first:")?;
        }
        let mut told = BTreeSet::new();
        for entry in &open {
            let same = self.same(entry);
            if same.len() < 2 {
                entry.fmt(f)?;
            } else if told.insert(&entry.seen) {
                several(f, &same)?;
            }
        }
        let passed = self.checks.iter().filter(|entry| entry.state == State::Pass).count();
        let left_out = self.checks.iter().filter(|entry| entry.state == State::NotApplicable).count();
        writeln!(f, "\nWell: {passed} checks. Nothing to check: {left_out}. Methodology {}.", self.methodology)
    }
}

/// Checks that are unknown for the same reason.
fn several(f: &mut fmt::Formatter<'_>, same: &[&Entry]) -> fmt::Result {
    let missing: f64 = same.iter().map(|entry| entry.missing).sum();
    let names: Vec<_> = same.iter().map(|entry| entry.check).collect();
    writeln!(f, "\n{missing:>+5.2}  {} checks  unknown ({}): {}", same.len(), same[0].cause, names.join(", "))?;
    lines(f, &same[0].seen, &same[0].fix)
}

/// What was seen, and what changes it.
fn lines(f: &mut fmt::Formatter<'_>, seen: &str, fix: &str) -> fmt::Result {
    for line in seen.lines() {
        writeln!(f, "       {}", plain(line))?;
    }
    for line in fix.lines() {
        writeln!(f, "         {}", plain(line))?;
    }
    Ok(())
}

/// A line without what a terminal would obey: names of files are whatever somebody called them.
fn plain(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A score that is not rounded up: 97.96 does not meet 98.
fn floor(score: f64) -> f64 {
    (score * 10.0 + 1e-9).floor() / 10.0
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, title, missing, .. } = self;
        let state = match self.state {
            State::Unknown(_) => format!("unknown ({})", self.cause),
            _ => self.word.to_owned(),
        };
        write!(f, "\n{missing:>+5.2}  {check}  {state}: {title}")?;
        if let Some(cap) = self.cap {
            write!(f, " It limits the score to {}.", cap.limit())?;
        }
        writeln!(f, "{}", if self.waived { " (waived)" } else { "" })?;
        lines(f, &self.seen, &self.fix)
    }
}
