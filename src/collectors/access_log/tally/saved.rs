//! The counts as they are kept over a restart: by the labels' values, so that they outlive a change of the configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// All counts of a target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// By the `vhost` label.
    pub hosts: BTreeMap<String, Host>,
}

/// Those of a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// By the `route` label.
    pub routes: BTreeMap<String, Traffic>,
    /// By the `status` label of the cache.
    pub cache: BTreeMap<String, u64>,
    /// By the labels `limit` and `outcome`.
    pub limited: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Those of a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// By the labels `method` and `code`.
    pub requests: BTreeMap<String, BTreeMap<String, u64>>,
    /// Bytes sent.
    pub sent: u64,
    /// Times of the requests.
    pub duration: Timing,
    /// Times of the backends.
    pub upstream: Timing,
}

/// Times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// What they were held against, in microseconds.
    pub bounds: Vec<u64>,
    /// Likewise.
    pub objective: u64,
    /// By classic bucket.
    pub classic: Vec<u64>,
    /// By native bucket.
    pub native: Vec<(usize, u64)>,
    /// Their sum in microseconds.
    pub micros: u64,
    /// The sum of their squares.
    pub squares: String,
    /// How many were within the objective.
    pub within: u64,
}
