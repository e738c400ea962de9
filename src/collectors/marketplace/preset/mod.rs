//! Presets: all that is known of a marketplace, as data. An account is a preset with the names and secrets of one seller.
//!
//! ```text
//! schema (TOML) → Preset (checked) ┐
//! [marketplace.targets.<name>]     ┴→ Account: auths and probes that can be sent and judged
//! ```

mod account;
mod assemble;
mod check;
mod credentials;
mod encoding;
mod filled;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod hole;
mod library;
mod merge;
mod message;
mod oauth2;
mod pace;
mod probe;
mod resolve;
mod schema;
mod template;
mod time;
mod token;
mod values;

#[cfg(test)]
mod tests;

use std::path::Path;

use toml::Table;

use crate::config::read_toml;
use schema::Written;

pub use account::{Account, Auth, AuthKind, Expiry};
pub(crate) use library::Library;
pub use oauth2::OAuth2;
pub use pace::Pace;
pub use probe::{Documented, Probe};
pub(crate) use resolve::Wishes;
pub use schema::{Credential, DocumentedLimit, Requests, Role, Scope, Share};
pub use time::Moment;
pub use token::{AccessToken, Token};

/// A preset that is right in itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Preset {
    written: Written,
    /// Its probes as they are written, to be written over.
    probes: Vec<Table>,
}

impl Preset {
    /// Reads the text of a preset; `file` is for the messages.
    ///
    /// # Errors
    /// With the first thing in it that is wrong.
    pub(crate) fn parse(file: &Path, text: &str) -> Result<Self, String> {
        let written: Written = read_toml(file, text).map_err(|problem| problem.lines())?;
        check::preset(&written)
            .map_err(|problem| format!("{}: the preset `{}`: {problem}", file.display(), written.preset.name))?;
        let mut table: Table = read_toml(file, text).map_err(|problem| problem.lines())?;
        let probes = match table.remove("probe") {
            Some(toml::Value::Array(probes)) => probes,
            _ => Vec::new(),
        };
        let probes = probes.into_iter().filter_map(|probe| match probe {
            toml::Value::Table(probe) => Some(probe),
            _ => None,
        });
        Ok(Self { probes: probes.collect(), written })
    }

    /// Its name, which is the label `marketplace`.
    pub(crate) fn name(&self) -> &str {
        &self.written.preset.name
    }

    /// Its probes by name, each with the rules by which its answer is judged.
    #[cfg(test)]
    pub(crate) fn rules(&self) -> impl Iterator<Item = (String, super::judge::rules::Rules)> {
        self.written.probe.iter().map(|probe| (probe.name.clone(), probe.rules()))
    }
}
