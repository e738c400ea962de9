//! THE list: the one place that names every collector.

pub mod mysql;

use serde::Deserialize;

/// The collectors' tables in the configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sections {
    /// `[mysql]`.
    pub mysql: mysql::Section,
}
