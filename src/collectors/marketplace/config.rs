//! What accounts there are: `[marketplace]` and `[marketplace.targets.<name>]`.
//!
//! A target is one account: a preset, which says all of the marketplace, with the names and secrets of one seller. What
//! is wrong with either is found here; what of a secret's file is wrong later is found at each request.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use toml::Table;

use super::preset::{Account, Library, Preset, Probe, Share, Wishes};
use crate::config::secret::{Secret, notice};
use crate::config::types::{Period, Section, TargetName};
use crate::net::connect::Family;
use crate::net::detours::Detours;

/// What holds when nobody says.
const INTERVAL: Duration = Duration::from_mins(1);
const TIMEOUT: Duration = Duration::from_secs(10);
const OBJECTIVE: Duration = Duration::from_millis(100);
const ENVIRONMENT: &str = "production";

/// The part of a documented limit that a probe may use: the rest is the shop's.
const BUDGET_SHARE: f64 = 0.01;

/// The most accounts: each has some dozens of series for every probe.
const TARGETS: usize = 100;

/// Reads `[marketplace]`, and puts each account together.
///
/// # Errors
/// When a preset or an account, with what it takes from the topic, cannot be.
pub fn section<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Section<Account>, D::Error> {
    let topic = Topic::deserialize(deserializer)?;
    if topic.targets.len() > TARGETS {
        return Err(D::Error::custom(format!(
            "there are more than {TARGETS} targets\nlet another Vitrin probe some of them"
        )));
    }
    let library = Library::open(&topic.preset_dirs).map_err(D::Error::custom)?;
    let mut presets = BTreeMap::<&str, Preset>::new();
    let mut section = Section::default();
    for (name, target) in &topic.targets {
        let of = |problem| D::Error::custom(format!("the target `{}`: {problem}", name.as_str()));
        let preset = match presets.get(target.preset.as_str()) {
            Some(preset) => preset.clone(),
            None => library.preset(&target.preset).map_err(of)?,
        };
        let account = preset.account(&target.wishes(&topic)).map_err(of)?;
        presets.insert(&target.preset, preset);
        say_what_is_slower(name, &account);
        if account.probes.iter().any(Probe::shows_credentials_to_all) {
            notice(format!(
                "the marketplace `{}` is asked over http: whoever is on the way can read its credentials",
                name.as_str()
            ));
        }
        if target.interval.is_some() && account.probes.iter().all(|probe| probe.has_interval) {
            notice(format!(
                "the `interval` of the marketplace `{name}` changes nothing: each of its probes has its own, which \
                 [marketplace.targets.{name}.probes.<probe>] can change",
                name = name.as_str()
            ));
        }
        section.targets.insert(name.clone(), account);
    }
    Ok(section)
}

/// Says of each probe that is not made as often as it was to be.
fn say_what_is_slower(name: &TargetName, account: &Account) {
    for probe in &account.probes {
        if let Some(why) = &probe.pace.clamped {
            let (every, wanted) = (probe.pace.every, probe.pace.wanted);
            notice(format!(
                "the probe `{}` of the marketplace `{}` is made every {}, not every {}: {why}",
                probe.name,
                name.as_str(),
                humantime::format_duration(every),
                humantime::format_duration(wanted),
            ));
        }
    }
}

/// `[marketplace]`: what all targets have that do not say otherwise, and the targets.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    /// How often a probe is made of which neither its preset nor the target says so.
    interval: Option<Period>,
    timeout: Option<Period>,
    budget_share: Option<Share>,
    latency_objective: Option<Period>,
    /// Folders of presets beside those that Vitrin brings.
    #[serde(default)]
    preset_dirs: Vec<PathBuf>,
    #[serde(default)]
    targets: BTreeMap<TargetName, Target>,
}

/// One account.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    preset: String,
    environment: Option<String>,
    #[serde(default)]
    vars: Named<Text>,
    #[serde(default)]
    secrets: Named<Secret>,
    interval: Option<Period>,
    timeout: Option<Period>,
    budget_share: Option<Share>,
    latency_objective: Option<Period>,
    #[serde(default)]
    ip: Family,
    #[serde(default)]
    resolve: Detours,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    probes: BTreeMap<String, Table>,
}

impl Target {
    fn wishes(&self, topic: &Topic) -> Wishes {
        let period = |own: Option<Period>, all: Option<Period>, usual| own.or(all).map_or(usual, |period| period.0);
        Wishes {
            environment: self.environment.clone().unwrap_or_else(|| ENVIRONMENT.to_owned()),
            vars: self.vars.0.iter().map(|(name, text)| (name.clone(), text.0.clone())).collect(),
            secrets: self.secrets.0.clone(),
            probes: self.probes.clone(),
            interval: period(self.interval, topic.interval, INTERVAL),
            timeout: period(self.timeout, topic.timeout, TIMEOUT),
            budget_share: self.budget_share.or(topic.budget_share).map_or(BUDGET_SHARE, |share| share.0),
            objective: period(self.latency_objective, topic.latency_objective, OBJECTIVE),
            ip: self.ip,
            resolve: self.resolve.0.clone(),
            ca_file: self.ca_file.clone(),
        }
    }
}

/// A table of values with names. What stands in its place is not repeated: it may be a secret.
struct Named<T>(BTreeMap<String, T>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamedVisitor(PhantomData))
    }
}

struct NamedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
    type Value = Named<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Named<T>, E> {
        Err(E::custom(
            "this is a table of names\nwrite vars = { seller_id = \"123456\" }, \
             secrets.api_key = { file = \"/etc/vitrin/trendyol_key\" }",
        ))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
        let mut named = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            named.insert(name, value);
        }
        Ok(Named(named))
    }
}

/// The value of a variable: text, or a number that is as good as its digits.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in quotation marks")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    // Of which there are several spellings, and only one is what the marketplace knows.
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Text, E> {
        Err(E::custom("a variable is text\nwrite it in quotation marks"))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Text, E> {
        self.visit_f64(0.0)
    }
}
