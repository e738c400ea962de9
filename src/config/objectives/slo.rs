//! `[objectives.slo]`: which part of all events has to be good, and how many bad ones it takes to believe that it is not.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};

use super::number::Given;
use super::unit::Unit;
use crate::config::{meant, types::from_text};

/// The most events that can be asked for; beyond that f64 does not count one by one.
const MOST_EVENTS: f64 = 9e15;

/// One service level objective, and its defaults.
#[derive(Clone, Copy, Debug)]
pub struct Slo {
    /// Its key, and the value of the label `slo`.
    pub name: &'static str,
    /// The part of all events that has to be good.
    pub ratio: f64,
    /// How many bad events a burning budget takes.
    pub min_bad_events: u32,
    /// What its events are, and when one is good.
    pub meaning: &'static str,
}

/// THE list of service level objectives.
pub const SLOS: [Slo; 2] = [
    Slo {
        name: "availability",
        ratio: 0.9995,
        min_bad_events: 4,
        meaning: "Probes of the shop from outside; good when they succeed.",
    },
    Slo {
        name: "errors",
        ratio: 0.999,
        min_bad_events: 10,
        meaning: "Requests of visitors; good when the server's answer is no error of its own.",
    },
];

/// What is configured about each.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(transparent)]
pub struct Slos(BTreeMap<Name, SloNumbers>);

impl Slos {
    /// Those that are configured, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Slo, &SloNumbers)> {
        self.0.iter().map(|(name, numbers)| (&SLOS[name.0], numbers))
    }
}

/// Its place in [`SLOS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name(usize);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        SLOS.iter().position(|slo| slo.name == text).map(Self).ok_or_else(|| {
            format!("unknown service level objective `{text}`\n{}", meant(text, &SLOS.map(|slo| slo.name)))
        })
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

/// What is configured about one.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table with `ratio` and `min_bad_events`")]
pub struct SloNumbers {
    /// The part of all events that has to be good.
    #[serde(deserialize_with = "ratio")]
    pub ratio: Option<f64>,
    /// How many bad events a burning budget takes.
    #[serde(deserialize_with = "events")]
    pub min_bad_events: Option<f64>,
}

fn ratio<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Unit::Ratio.number(&Given::deserialize(deserializer)?, SLOS[0].ratio).map(Some).map_err(D::Error::custom)
}

fn events<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Given::deserialize(deserializer)? {
        Given::Number(number) if (1.0..=MOST_EVENTS).contains(&number) && number.fract() == 0.0 => Ok(Some(number)),
        given => Err(D::Error::custom(format!(
            "`{given}` is not a number of events\nwrite a whole number from 1 on, for example {}",
            SLOS[0].min_bad_events
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_values_that_could_be_configured() {
        for slo in SLOS {
            let text = format!("[{}]\nratio = {}\nmin_bad_events = {}\n", slo.name, slo.ratio, slo.min_bad_events);
            let configured: Slos = toml::from_str(&text).unwrap();
            let (of, numbers) = configured.iter().next().unwrap();
            assert_eq!((of.name, numbers.ratio), (slo.name, Some(slo.ratio)));
            assert_eq!(numbers.min_bad_events, Some(f64::from(slo.min_bad_events)));
            assert!(slo.meaning.ends_with('.'), "{}", slo.name);
        }
    }

    #[test]
    fn a_budget_of_nothing_or_of_everything_is_refused() {
        for numbers in
            ["ratio = 1", "ratio = 1.0", "ratio = 0.0", "ratio = nan", "min_bad_events = 0", "min_bad_events = 2.5"]
        {
            toml::from_str::<Slos>(&format!("[errors]\n{numbers}\n")).unwrap_err();
        }
    }
}
