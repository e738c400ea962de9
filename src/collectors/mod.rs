//! THE list: the one place that names every collector.

pub mod nginx;
pub mod php_fpm;

use serde::Deserialize;

use crate::config::types::Section;

/// The collectors' tables in the configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sections {
    /// nginx.
    pub nginx: Section<nginx::Config>,
    /// PHP-FPM with OPcache.
    pub php_fpm: Section<php_fpm::Config>,
}
