//! What goes wrong at an account that was well: what is said of it, whom it concerns, and what is left of it afterwards.

use std::fmt::Write as _;

use expect_test::expect_file;

use super::outcomes::{FAULTS, PATIENCE};
use super::watched::Watched;
use super::{PRESETS, account, with_one};
use crate::support::simulator::Simulator;

/// What goes wrong with access tokens, where there are such.
const TOKENS: [(&str, &str); 2] = [
    ("a token that has expired", "scenario = 'token_expired'"),
    ("a token that was taken back", "scenario = 'revoke_tokens'"),
];

/// What not every marketplace can do.
const OF_SOME: [&str; 3] = ["200 that is an error", TOKENS[0].0, TOKENS[1].0];

/// Whoever is asked again and again here is not to have enough of it.
const PATIENT: &str = "[[step]]\nmarketplace = 'ciceksepeti'\nlimit = { requests = 1000, per = '1s' }\n";

#[test]
fn each_fault_shows_in_the_series_of_its_account_alone_and_is_over_when_it_is() {
    let mut table = String::new();
    for (fault, step) in FAULTS.into_iter().chain(TOKENS).filter(|(_, step)| !step.is_empty()) {
        let simulator = Simulator::start(PATIENT);
        let watched = |preset, probe| Watched::new(with_one(account(&simulator, preset, PATIENCE), probe));
        let mut neighbour = watched("generic", "http");
        writeln!(table, "{fault}").unwrap();
        for (preset, probe) in PRESETS {
            let mut one = watched(preset, probe);
            let (ended, failure) = one.ask();
            assert!(ended == "ok" && failure.is_none(), "{preset} before {fault}: {ended}, {failure:?}");
            let good = one.responses("200");
            let added = simulator.script(&format!("[[step]]\nmarketplace = '{preset}'\n{step}\n"));
            if added.status == 400 {
                assert!(OF_SOME.contains(&fault), "{}", added.text());
                continue;
            }
            let (ended, failure) = one.ask();
            let statuses = ["200", "302", "401", "403", "429", "503"];
            let seen = |status: &&str| one.responses(status) > if *status == "200" { good } else { 0.0 };
            let statuses: Vec<_> = statuses.into_iter().filter(seen).collect();
            let last = ended.rsplit(", ").next().unwrap_or_default();
            let is_good = last == "ok";
            assert_eq!(one.number("marketplace_probe_success"), f64::from(u8::from(is_good)), "{preset}: {fault}");
            // That there are too many requests is no outage.
            assert_eq!(failure.is_none(), ["ok", "rate_limited"].contains(&last), "{preset}: {fault}: {failure:?}");
            let runs = ["last_run", "last_success"]
                .map(|name| one.number(&format!("marketplace_probe_{name}_timestamp_seconds")));
            assert_eq!(runs[0] == runs[1], is_good, "{preset}: {fault}: {runs:?}");
            let (phases, auth) = (one.phases(), one.auth());
            if preset == "trendyol" {
                let (ended, failure) = neighbour.ask();
                assert!(ended == "ok" && failure.is_none(), "the neighbour of {preset}: {ended}, {failure:?}");
            }
            simulator.script(&format!("[[step]]\nmarketplace = '{preset}'\nscenario = 'ok'\n"));
            let (then, _) = one.ask();
            let auth = if auth.is_empty() { "no credentials" } else { &auth };
            let all = simulator.requests(preset);
            assert!(all.iter().all(|one| one["path"] != "/login"), "{preset}: a redirect was followed: {all:?}");
            let statuses = statuses.join(" ");
            writeln!(table, "  {preset}: {ended} | {statuses} | {phases} | {auth} | {then}").unwrap();
        }
    }
    expect_file!["faults.txt"].assert_eq(&table);
}
