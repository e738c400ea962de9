//! Scenario files: what goes wrong, where, when, and for how long. The document is docs/simulate.md.

mod scene;
mod step;
mod written;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::manners::Manners;
use crate::config::file::text_of;
use crate::config::types::{Period, from_text};
use crate::config::{Problem, read_toml};

pub(super) use scene::Scene;
pub(super) use step::{Canned, Effect, Latency, Play, RetryAfter, Step, whole_seconds};
use written::Written;

/// The largest scenario that is read.
pub(super) const SCENARIO_BYTES: u64 = 1 << 20;

/// The most steps of one scenario.
pub(super) const STEPS: usize = 1_000;

/// The fastest that limits and tokens may run.
const FASTEST: f64 = 100_000.0;

/// A table of a scenario, for the messages about those that are none.
const EXAMPLE: &str = "a step is written [[step]], a key scenario = \"slow\"";

/// All that is to happen.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "File")]
pub(super) struct Scenario {
    /// How much faster than on the marketplaces limits fill up and tokens expire.
    pub(super) speed: Option<Speed>,
    /// After how long it begins anew.
    pub(super) repeat: Option<Duration>,
    /// Whom Trendyol's stage lets in.
    pub(super) stage_addresses: Vec<IpAddr>,
    /// What happens when.
    pub(super) steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    speed: Option<Speed>,
    repeat: Option<Period>,
    #[serde(default)]
    stage_addresses: Vec<IpAddr>,
    #[serde(default, rename = "step")]
    steps: Vec<Written>,
}

/// How many times as fast time runs.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Speed(pub(super) f64);

impl TryFrom<f64> for Speed {
    type Error = String;

    fn try_from(speed: f64) -> Result<Self, String> {
        if (1.0..=FASTEST).contains(&speed) {
            return Ok(Self(speed));
        }
        Err(format!("`{speed}` is no speed\nwrite a number from 1 to {FASTEST}, for example 60: a minute is a second"))
    }
}

impl TryFrom<File> for Scenario {
    type Error = String;

    fn try_from(file: File) -> Result<Self, String> {
        if file.steps.len() > STEPS {
            return Err(format!("{} steps are too many\nwrite at most {STEPS}", file.steps.len()));
        }
        let repeat = file.repeat.map(|period| period.0);
        let steps: Vec<_> = file.steps.into_iter().map(|written| written.0).collect();
        if let Some((repeat, late)) =
            repeat.and_then(|repeat| Some((repeat, steps.iter().find(|step| step.at >= repeat)?)))
        {
            let (at, repeat) = (humantime::format_duration(late.at), humantime::format_duration(repeat));
            return Err(format!(
                "the step at {at} never comes: the scenario begins anew after {repeat}\n\
                 let `repeat` be longer, or the step be earlier"
            ));
        }
        Ok(Self { speed: file.speed, repeat, stage_addresses: file.stage_addresses, steps })
    }
}

/// The scenario of a file.
///
/// # Errors
/// When it cannot be read, and with the first thing in it that is wrong.
pub(super) fn load(file: &Path) -> Result<Scenario, Problem> {
    let text = text_of(file, SCENARIO_BYTES).map_err(|error| {
        let message = format!("the scenario cannot be read: {error}");
        Problem::new(file.display(), message, "name another with --scenario; docs/simulate.md has one to start from")
    })?;
    parse(file, &text)
}

/// The scenario in a text; `place` is for the messages.
///
/// # Errors
/// With the first thing in it that is wrong.
pub(super) fn parse(place: &Path, text: &str) -> Result<Scenario, Problem> {
    read_toml(place, text).map_err(|problem: Problem| problem.with_example(EXAMPLE))
}

/// A length of time that may be none at all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Span(pub(super) Duration);

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(duration) if duration <= Period::LONGEST => Ok(Self(duration)),
            _ => Err(format!("`{text}` is not a length of time\nwrite \"0s\", \"250ms\", \"30s\" or \"5m\"")),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

/// Whom a step is about: one marketplace, or all of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Whom(pub(super) Option<&'static Manners>);

impl PartialEq for Whom {
    fn eq(&self, other: &Self) -> bool {
        self.0.map(|one| one.name) == other.0.map(|one| one.name)
    }
}

#[cfg(test)]
mod tests;
