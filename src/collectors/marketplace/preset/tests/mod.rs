//! What presets become: requests, accounts, and messages about what is wrong with them.

mod files;
mod leaks;
mod mistakes;
mod requests;
mod settings;

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;

use super::time::Moment;
use super::{Account, Library};
use crate::collectors::marketplace::config::section;
use crate::config::secret::with_environment;
use crate::config::types::Section;
use crate::config::{Problem, read_toml};

/// 2026-02-28T22:30:00Z, when it is the first of March in Istanbul.
static MOMENT: LazyLock<Moment> =
    LazyLock::new(|| Moment { now: UNIX_EPOCH + Duration::from_mins(29_538_630), turn: 0 });

/// A configuration with this topic alone.
#[derive(Deserialize)]
struct Whole {
    #[serde(deserialize_with = "section")]
    marketplace: Section<Account>,
}

/// The account `main` of a configuration, and what is to be known about it. The environment has a secret in each of these
/// variables.
fn loaded(configuration: &str, environment: &[(&str, &str)]) -> (Result<Account, String>, Vec<String>) {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let text = format!("[marketplace]\n{}", configuration.replace("[targets.", "[marketplace.targets."));
    let (whole, notices) = with_environment(environment, false, || read_toml(Path::new("vitrin.toml"), &text));
    let section = whole.map(|whole: Whole| whole.marketplace).map_err(|problem: Problem| problem.lines());
    let account = section.map(|mut section| section.targets.remove(&"main".parse().unwrap()).unwrap());
    (account, notices)
}

/// The account `main` of a configuration that is right.
fn account(configuration: &str) -> Account {
    loaded(configuration, SECRETS).0.unwrap()
}

/// The configuration of an account of a preset, with a value for everything that it has a name for.
fn complete(preset: &str, environment: &str) -> String {
    let library = Library::default();
    let about = library.preset(preset).unwrap().written.preset;
    let mut text = format!("[targets.main]\npreset = '{preset}'\nenvironment = '{environment}'\n");
    for name in &about.required_vars {
        let value = match (name.as_str(), about.allowed.get(name)) {
            (_, Some(allowed)) => allowed[0].clone(),
            ("base_url", _) => "https://shop.example/api/".to_owned(),
            ("path", _) => "/index.php?route=api/health".to_owned(),
            (name, _) => format!("[{name}]"),
        };
        text.extend([format!("vars.{name} = '{value}'\n")]);
    }
    for name in &about.required_secrets {
        text.extend([format!("secrets.{name} = {{ env = 'SECRET' }}\n")]);
    }
    let probes = library.preset(preset).unwrap().written.probe;
    text.extend(probes.iter().map(|probe| format!("probes.{}.enabled = true\n", probe.name)));
    text
}

/// A secret for whoever needs one.
const SECRETS: &[(&str, &str)] = &[("SECRET", "canary")];

/// The names of the presets that Vitrin brings.
fn presets() -> impl Iterator<Item = &'static str> {
    super::library::EMBEDDED.iter().map(|(name, _)| *name)
}
