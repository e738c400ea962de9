//! What goes wrong at a marketplace has its own result, at each of them.

use std::fmt::Write as _;

use expect_test::expect_file;

use super::{PRESETS, account, asked, outcome, with_one};
use crate::support::mariadb::block_on;
use crate::support::simulator::Simulator;

/// Short: what hangs is to cost the test no more.
pub(super) const PATIENCE: &str = "timeout = \"2s\"";

/// What can go wrong, as a scenario has it.
pub(super) const FAULTS: [(&str, &str); 15] = [
    ("as it should be", ""),
    ("wrong key", "scenario = 'wrong_key'"),
    ("429 for seconds", "scenario = 'rate_limited'\nretry_after = '90s'"),
    ("429 for a decimal", "scenario = 'rate_limited'\nretry_after = '2500ms'\nretry_after_as = 'decimal'"),
    ("429 until a date", "scenario = 'rate_limited'\nretry_after = '1h'\nretry_after_as = 'date'"),
    ("503 with a page", "scenario = 'html_503'"),
    ("503", "status = 503\nbody = '{}'\nheaders = { Content-Type = 'application/json' }"),
    ("a wall", "scenario = 'html_403'"),
    ("200 that is an error", "scenario = 'app_error'"),
    ("a redirect to a login", "scenario = 'redirect_login'"),
    ("a body that breaks off", "scenario = 'truncated'"),
    ("a body of 100 MB", "scenario = 'huge_body'"),
    ("no answer", "scenario = 'stall'"),
    ("no TLS", "scenario = 'garbage_tls'"),
    ("a certificate of a stranger", "scenario = 'untrusted_certificate'"),
];

#[test]
fn each_fault_has_its_result_at_each_marketplace() {
    let simulator = Simulator::start("");
    let mut table = String::new();
    for (fault, step) in FAULTS {
        let ended = PRESETS.map(|(preset, probe)| {
            simulator.reset();
            if !step.is_empty() {
                let added = simulator.script(&format!("[[step]]\nmarketplace = '{preset}'\n{step}\n"));
                // Where an error has its status, there is none that comes as 200.
                if fault == "200 that is an error" && added.status == 400 {
                    return format!("{preset}: none");
                }
                assert_eq!(added.status, 200, "{}", added.text());
            }
            let account = with_one(account(&simulator, preset, PATIENCE), probe);
            format!("{preset}: {}", block_on(outcome(&account)))
        });
        writeln!(table, "{fault}\n  {}", ended.join("\n  ")).unwrap();
    }
    expect_file!["outcomes.txt"].assert_eq(&table);
}

#[test]
fn an_account_in_order_is_up_with_all_its_probes_and_one_that_is_refused_says_so() {
    let simulator = Simulator::start("");
    for (preset, _) in PRESETS {
        let (found, failure) = block_on(asked(&account(&simulator, preset, PATIENCE)));
        assert!(failure.is_none() && found.gaps.is_empty(), "{preset}: {failure:?} {:?}", found.gaps);
    }
    simulator.reset();
    simulator.script("[[step]]\nmarketplace = 'trendyol'\nscenario = 'wrong_key'\n");
    let (found, failure) = block_on(asked(&account(&simulator, "trendyol", PATIENCE)));
    let failure = failure.unwrap();
    assert_eq!(failure.reason.as_str(), "auth");
    assert!(failure.to_string().starts_with("the probe `products`: auth_error: "), "{failure}");
    let state = [("marketplace", "trendyol"), ("state", "rejected")];
    assert_eq!(found.number("marketplace_auth_state", &state), 1.0);
}
