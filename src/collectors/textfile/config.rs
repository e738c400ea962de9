//! The table `[textfile]`: which folder, and for how long a file counts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::config::types::{Period, Section, TargetName};

/// The `[textfile]` table; nothing is read unless it names a folder.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder whose files `*.prom` are read.
    pub folder: Option<PathBuf>,
    /// How long ago a file may have been written.
    pub max_age: Period,
    /// The same for single files, by their names.
    pub max_ages: BTreeMap<String, Period>,
    /// How long one run may take; the collector's own limit when absent.
    pub timeout: Option<Period>,
}

impl Default for Config {
    fn default() -> Self {
        Self { folder: None, max_age: Period(Duration::from_hours(1)), max_ages: BTreeMap::new(), timeout: None }
    }
}

impl Config {
    /// The section with the one target there is: this folder.
    #[must_use]
    pub fn section(&self) -> Section<Self> {
        let targets = self.folder.as_ref().map(|_| (TargetName::main(), self.clone()));
        Section { timeout: self.timeout, targets: targets.into_iter().collect() }
    }

    /// How long ago this file may have been written.
    pub(super) fn max_age(&self, file: &str) -> Duration {
        self.max_ages.get(file).unwrap_or(&self.max_age).0
    }
}
