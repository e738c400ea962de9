//! The `probe` collector against real servers, and against such as lie.

mod certificates;
mod check;
mod config;
mod dns;
mod http;
mod peer;
mod redirects;
mod tcp;
mod tls;

use std::path::Path;

use vitrin::collector::{Collector as _, Context, Failure, Paths};
use vitrin::collectors::probe::Probe;

use crate::support::found::Found;

/// A probe with these keys.
fn probe(keys: &str) -> Probe {
    let config = vitrin::config::parse(Path::new("test"), &format!("[probe.targets.main]\n{keys}\n"));
    let config = config.unwrap_or_else(|problem| panic!("{problem}"));
    Probe::new(config.collectors.probe.targets.values().next().unwrap(), &Context::new(Paths::default()))
}

/// What a probe finds that ends well.
#[track_caller]
fn well(found: Result<Found, Failure>) -> Found {
    let found = found.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(found.number("probe_results_total", &[("result", "ok")]), 1.0);
    found
}

/// Asserts that a probe ended so, with this reason and a message that says so.
#[track_caller]
fn assert_ended((found, failure): &(Found, Failure), result: &str, reason: &str, says: &str) {
    assert_eq!(failure.reason.as_str(), reason, "{failure}");
    assert!(failure.to_string().contains(says), "{failure}");
    assert_eq!(found.number("probe_results_total", &[("result", result)]), 1.0, "{failure}");
    assert_eq!(found.number("probe_results_total", &[("result", "ok")]), 0.0);
    assert!(found.number("probe_duration_seconds", &[]) >= 0.0);
}
