//! `[objectives]`: what the shop promises, in one place.

use std::time::Duration;

use serde::Deserialize;

use super::types::Period;

/// What the shop promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objectives {
    /// What a request of a shopper's may take.
    pub http_latency: Period,
}

impl Default for Objectives {
    fn default() -> Self {
        Self { http_latency: Period(Duration::from_millis(100)) }
    }
}
