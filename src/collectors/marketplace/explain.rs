//! What an owner with real keys wants to see of an account: the requests as they are sent, and step by step what an
//! answer was taken for. No secret, and nothing of a body but the numbers that are shown on the page.

use std::time::SystemTime;

use super::exchange::{Exchanged, Phase};
use super::judge::Verdict;
use super::preset::{Account, AuthKind, Documented, Moment, Probe};
use super::result::Outcome;
use crate::collector::Failure;

/// The requests of an account, with the names of secrets in their places; nothing is sent.
#[must_use]
pub fn requests(name: &str, account: &Account) -> String {
    let now = SystemTime::now();
    let mut lines = vec![format!("{name}: {}, {}", account.marketplace, account.environment)];
    for auth in &account.auths {
        if let AuthKind::OAuth2(oauth) = &auth.kind {
            lines.extend([String::new(), format!("  the access token `{}`, when it is about to end", auth.name)]);
            lines.extend(oauth.shown(&Moment { now, turn: 0 }).lines().map(indented));
        }
    }
    for probe in &account.probes {
        let moment = Moment { now, turn: Moment::first_turn(now, probe.pace.every) };
        lines.extend([String::new(), format!("  the probe `{}`, {}", probe.name, often(probe))]);
        lines.extend(probe.shown(&moment).lines().map(indented));
    }
    if !account.disabled.is_empty() {
        let names = account.disabled.join(", ");
        lines.push(String::new());
        lines.push(format!("  off: {names}; [marketplace.targets.….probes.<name>] enabled = true"));
    }
    text(&lines)
}

/// How often a probe is made, and how much of a limit that is.
fn often(probe: &Probe) -> String {
    let every = format!("every {}", humantime::format_duration(probe.pace.every));
    let clamped = probe.pace.clamped.as_ref().map_or_else(String::new, |why| {
        format!(" and not every {}, for {why}", humantime::format_duration(probe.pace.wanted))
    });
    let share = match (probe.pace.budget, &probe.documented) {
        (Some(budget), Some(Documented { limit, .. })) => {
            let (share, per) = (budget * 100.0, humantime::format_duration(limit.per.0));
            format!(": {share:.2} % of {} requests in {per}", limit.requests.0)
        }
        _ => String::new(),
    };
    every + &clamped + &share
}

/// What a probe has come to, and why, line by line.
pub(super) fn verdict(probe: &Probe, exchanged: &Exchanged, verdict: &Verdict) -> Vec<String> {
    let mut steps = Vec::new();
    let phases = Phase::ALL.into_iter().filter_map(|phase| {
        let took = exchanged.phases[phase as usize]?;
        Some(format!("{} {:.1} ms", phase.as_str(), took.as_secs_f64() * 1e3))
    });
    let phases: Vec<_> = phases.collect();
    if !phases.is_empty() {
        steps.push(phases.join(", "));
    }
    if let Err(fault) = &exchanged.answer {
        steps.push(fault.failure.to_string());
    }
    steps.extend(verdict.because.iter().cloned());
    for number in &verdict.numbers {
        let labels: Vec<_> = number.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        steps.push(format!("{}{{{}}} {}", number.metric.name(), labels.join(","), number.value));
    }
    for limit in &verdict.limits {
        let said = [("limit", limit.limit), ("left", limit.remaining), ("a second", limit.refill)];
        let said: Vec<_> = said.iter().filter_map(|(what, value)| Some(format!("{what} {}", (*value)?))).collect();
        steps.push(format!("the limit `{}`: {}", limit.bucket, said.join(", ")));
    }
    if let Some(wish) = verdict.retry_after {
        steps.push(format!("it wants to be left alone for {}", humantime::format_duration(wish)));
    }
    outcome(&probe.name, verdict.outcome).chain(steps.iter().map(String::as_str).map(indented)).collect()
}

/// That a probe could not be made, and why, line by line.
pub(super) fn failure(probe: &Probe, ended: Outcome, failure: &Failure) -> Vec<String> {
    outcome(&probe.name, ended).chain([indented(&failure.to_string())]).collect()
}

/// Lines as one text.
pub(super) fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

fn outcome(probe: &str, outcome: Outcome) -> impl Iterator<Item = String> {
    std::iter::once(format!("  the probe `{probe}`: {outcome}"))
}

fn indented(line: &str) -> String {
    format!("    {line}")
}
