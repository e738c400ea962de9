//! THE list: the one place that names every collector.

pub mod host;

use serde::Deserialize;

/// The collectors' tables in the configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sections {
    /// The machine itself.
    pub host: host::Config,
}
