//! Accounts at marketplaces, which `vitrin simulate` stands in for.

mod answers;
mod document;
mod faults;
mod hour;
mod latency;
mod outcomes;
mod schedule;
mod standing;
mod tokens;
mod toml_only;
mod watched;

use std::collections::BTreeMap;
use std::path::Path;

use vitrin::collector::{Collector as _, Context, Failure, Paths};
use vitrin::collectors::marketplace::{Account, Marketplace};

use crate::support::found::Found;
use crate::support::simulator::Simulator;

/// The presets that come with Vitrin, and the probe of each that shows whether its credentials are taken.
const PRESETS: [(&str, &str); 9] = [
    ("amazon-sp-api", "listings"),
    ("ciceksepeti", "products"),
    ("ebay", "account"),
    ("generic", "http"),
    ("hepsiburada", "listings"),
    ("n11", "products"),
    ("ozon", "roles"),
    ("pazarama", "products"),
    ("trendyol", "products"),
];

/// How a probe can end.
const RESULTS: [&str; 15] = [
    "ok",
    "app_error",
    "auth_error",
    "blocked",
    "client_error",
    "config_error",
    "connect_error",
    "dns_error",
    "forbidden",
    "invalid_response",
    "rate_limited",
    "server_error",
    "timeout",
    "tls_error",
    "token_error",
];

/// The tables that watch the simulator, with this of the topic.
fn configuration(simulator: &Simulator, topic: &str) -> String {
    format!("[marketplace]\n{topic}\n{}", simulator.configuration())
}

/// The accounts of a configuration.
fn accounts(text: &str) -> BTreeMap<String, Account> {
    let config = vitrin::config::parse(Path::new("simulated.toml"), text).unwrap_or_else(|problem| panic!("{problem}"));
    let targets = config.collectors.marketplace.targets;
    targets.into_iter().map(|(name, account)| (name.as_str().to_owned(), account)).collect()
}

/// An account of the simulator's.
fn account(simulator: &Simulator, preset: &str, topic: &str) -> Account {
    accounts(&configuration(simulator, topic)).remove(preset).unwrap()
}

/// The same with one probe alone.
fn with_one(mut account: Account, probe: &str) -> Account {
    account.probes.retain(|one| one.name == probe);
    assert_eq!(account.probes.len(), 1, "{probe}");
    account
}

/// What asking an account once comes to.
async fn asked(account: &Account) -> (Found, Option<Failure>) {
    Found::whether_up(&Marketplace::new(account, &Context::new(Paths::default()))).await
}

/// How the only probe of an account ended.
async fn outcome(account: &Account) -> String {
    let (found, _) = asked(account).await;
    let probe = account.probes[0].name.as_str();
    let of = |result: &str| {
        let labels = [("marketplace", account.marketplace.as_str()), ("probe", probe), ("result", result)];
        found.number("marketplace_probe_results_total", &labels)
    };
    let ended: Vec<_> = RESULTS.into_iter().filter(|result| of(result) > 0.0).collect();
    ended.join("+")
}
