//! THE list: the one place that names every collector.

pub mod redis;

use serde::Deserialize;

use crate::config::types::Section;

/// The collectors' tables in the configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sections {
    /// `[redis]`
    pub redis: Section<redis::Config>,
}
