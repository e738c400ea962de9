//! Access tokens: asked for once, renewed once, and never more often than a marketplace gives them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use super::watched::Watched;
use super::{account, with_one};
use crate::support::daemon::{eventually, folder};
use crate::support::exporter::Exporter;
use crate::support::mariadb::block_on;
use crate::support::scrape::Page;
use crate::support::simulator::Simulator;

/// How many tokens eBay was asked for.
fn tokens(simulator: &Simulator) -> usize {
    asked_for_tokens(simulator).len()
}

/// When it was, in seconds since the simulator's start.
fn asked_for_tokens(simulator: &Simulator) -> Vec<f64> {
    let all = simulator.requests("ebay");
    let tokens = all.iter().filter(|one| one["path"] == "/identity/v1/oauth2/token");
    tokens.map(|one| one["at"].as_f64().unwrap()).collect()
}

/// An account at eBay, by a preset with so many probes that all need the same token at once.
struct Needy {
    folder: TempDir,
}

impl Needy {
    fn new(probes: usize) -> Self {
        let folder = folder();
        let mut preset = PRESET.to_owned();
        for probe in 0..probes {
            let more = "role = 'auth'\nmethod = 'GET'\npath = '/sell/account/v1/privilege'\n\
                        interval = '1s'\nmin_interval = '1s'\nexpect = 'json'";
            writeln!(preset, "[[probe]]\nname = 'more{probe}'\n{more}").unwrap();
        }
        fs::write(folder.path().join("needy.toml"), preset).unwrap();
        Self { folder }
    }

    /// What outlives the program.
    fn kept(&self) -> String {
        let file = self.folder.path().join("state/marketplace@shop.state");
        String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
    }

    fn configuration(&self, simulator: &Simulator) -> String {
        let (here, there) = (self.folder.path().display(), simulator.folder());
        let there = there.display();
        let secret = |name: &str| format!("{name} = {{ file = '{there}/ebay-{name}' }}");
        format!(
            "state_dir = '{here}/state'\n[host]\nenabled = false\n[marketplace]\npreset_dirs = ['{here}']\n\
             [marketplace.targets.shop]\npreset = 'needy'\nsecrets = {{ {} }}\n\
             resolve = {{ 'api.ebay.com:443' = '{}' }}\nca_file = '{there}/ca.pem'\n",
            ["app_id", "cert_id", "refresh_token"].map(secret).join(", "),
            simulator.listens(),
        )
    }
}

const PRESET: &str = r#"
schema = 1
[preset]
name = "needy"
description = "eBay, asked by many"
required_secrets = ["app_id", "cert_id", "refresh_token"]
[environments.production]
base_url = "https://api.ebay.com"
[auth]
type = "oauth2"
token_url = "{{base_url}}/identity/v1/oauth2/token"
grant = "refresh_token"
client_auth = "basic"
client_id = "{{secret.app_id}}"
client_secret = "{{secret.cert_id}}"
form = { refresh_token = "{{secret.refresh_token}}", scope = "https://api.ebay.com/oauth/api_scope/sell.account.readonly" }
token = ["/access_token"]
expires_in = ["/expires_in"]
default_expires_in = "2h"
refresh_early = "5m"
min_interval = "1s"
[auth.inject]
Authorization = "Bearer {{token}}"
"#;

/// How often a probe ended like this, all together.
fn ended(page: &Page, result: &str) -> f64 {
    let all = page.samples("marketplace_probe_results_total");
    all.filter(|series| series.labels["result"] == result).map(|series| series.value).sum()
}

#[test]
fn fifty_probes_that_need_a_token_at_once_ask_for_one() {
    let simulator = Simulator::start("");
    let needy = Needy::new(50);
    let exporter = Exporter::start(&needy.configuration(&simulator));
    let made = |page: &Page| {
        let all = page.samples("marketplace_probe_results_total");
        all.filter(|series| series.labels["result"] == "ok" && series.value > 0.0).count()
    };
    eventually("fifty probes to have been made", || made(&exporter.scrape()) >= 50);
    assert_eq!(tokens(&simulator), 1);
    let labels = [("target", "shop"), ("marketplace", "needy"), ("result", "ok")];
    assert_eq!(exporter.scrape().number("marketplace_auth_token_refreshes_total", &labels), 1.0);
}

#[test]
fn a_token_that_is_revoked_is_renewed_once_and_the_probe_made_again() {
    let simulator = Simulator::start("");
    let needy = Needy::new(1);
    let exporter = Exporter::start(&needy.configuration(&simulator));
    eventually("the first probe", || ended(&exporter.scrape(), "ok") >= 1.0);
    simulator.script("[[step]]\nmarketplace = 'ebay'\nscenario = 'revoke_tokens'\n");
    eventually("the refusal", || ended(&exporter.scrape(), "auth_error") >= 1.0);
    let good = ended(&exporter.scrape(), "ok");
    eventually("the next good one", || ended(&exporter.scrape(), "ok") > good);
    assert_eq!(ended(&exporter.scrape(), "auth_error"), 1.0);
    assert_eq!(tokens(&simulator), 2);
}

#[test]
fn a_token_that_has_ended_is_renewed_once_at_each_marketplace_that_gives_some() {
    let (simulator, folder) = (Simulator::start(""), folder());
    let presets = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/collectors/marketplace/presets");
    for (preset, probe, refused) in [
        ("amazon-sp-api", "listings", "forbidden"),
        ("ebay", "account", "auth_error"),
        ("pazarama", "products", "auth_error"),
    ] {
        let file = format!("{preset}.toml");
        let text = fs::read_to_string(presets.join(&file)).unwrap().replace("min_interval = \"90s\"\n", "");
        // Nobody waits here until it is not too soon for another one.
        let text = text.replace("type = \"oauth2\"\n", "type = \"oauth2\"\nmin_interval = \"1ms\"\n");
        fs::write(folder.path().join(file), text).unwrap();
        let topic = format!("preset_dirs = [{:?}]", folder.path());
        let mut one = Watched::new(with_one(account(&simulator, preset, &topic), probe));
        assert_eq!(one.ask().0, "ok", "{preset}");
        simulator.script(&format!("[[step]]\nmarketplace = '{preset}'\nscenario = 'token_expired'\n"));
        // As the results are listed, the good one first.
        assert_eq!(one.ask().0, format!("ok, {refused}"), "{preset}");
        assert_eq!(one.ask().0, "ok", "{preset}");
        let asked = simulator.requests(preset);
        assert_eq!(asked.iter().filter(|one| one["path"].as_str().unwrap().ends_with("/token")).count(), 2, "{preset}");
        assert_eq!(asked.len(), 2 + 4, "{preset}");
    }
}

#[test]
fn fifty_probes_whose_token_has_ended_ask_for_one_together() {
    let simulator = Simulator::start("");
    let needy = Needy::new(50);
    let exporter = Exporter::start(&needy.configuration(&simulator));
    // How often each of them ended well.
    let good = || {
        let page = exporter.scrape();
        let all = page.samples("marketplace_probe_results_total");
        let good = all.filter(|series| series.labels["result"] == "ok");
        good.map(|series| (series.labels["probe"].clone(), series.value)).collect::<BTreeMap<_, _>>()
    };
    eventually("fifty probes to have been made", || good().values().all(|count| *count >= 1.0));
    for (scenario, most) in [("token_expired", 2), ("ok", 2)] {
        simulator.script(&format!("[[step]]\nmarketplace = 'ebay'\nscenario = '{scenario}'\n"));
        let before = good();
        assert_eq!(before.len(), 50);
        eventually("fifty good probes more", || good().iter().all(|(probe, count)| *count > before[probe]));
        assert_eq!(tokens(&simulator), most, "{scenario}");
    }
    let refused = ended(&exporter.scrape(), "auth_error");
    assert!((1.0..=50.0).contains(&refused), "{refused} refused");
}

#[test]
fn a_token_is_renewed_before_its_end() {
    const LIFE: f64 = 5.0;
    let simulator = Simulator::start(&format!("[[step]]\nmarketplace = 'ebay'\ntoken_ttl = '{LIFE}s'\n"));
    let needy = Needy::new(20);
    let exporter = Exporter::start(&needy.configuration(&simulator));
    // A busy machine may be late for one.
    eventually("a token in time", || {
        let times = asked_for_tokens(&simulator);
        times.windows(2).any(|two| two[1] - two[0] < LIFE)
    });
    let labels = [("target", "shop"), ("marketplace", "needy")];
    let expires = exporter.scrape().number("marketplace_auth_token_expiry_timestamp_seconds", &labels);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    assert!(expires < now + LIFE + 1.0, "{expires}, and it is {now}");
}

#[test]
fn a_restart_asks_for_no_other_token_and_a_crash_does_not_either() {
    let simulator = Simulator::start("");
    let needy = Needy::new(1);
    for start in 1..=4 {
        let exporter = Exporter::start(&needy.configuration(&simulator));
        eventually("a good probe", || ended(&exporter.scrape(), "ok") >= 1.0);
        // A probe is counted, and then what it has learned is kept.
        eventually("the token to be kept", || needy.kept().contains("simulated-token-"));
        if start % 2 == 0 {
            exporter.stop();
        }
        assert_eq!(tokens(&simulator), 1, "after {start} starts");
    }
}

#[test]
fn a_program_that_crashes_and_starts_again_asks_no_sooner_for_a_token_that_it_was_refused() {
    for refusal in ["path = '/identity/*'\nstatus = 500\nbody = ''", "scenario = 'wrong_key'"] {
        let simulator = Simulator::start(&format!("[[step]]\nmarketplace = 'ebay'\n{refusal}\n"));
        let needy = Needy::new(3);
        let mut left_out = 0.0;
        for start in 1..=5 {
            // Killed when it is dropped.
            let exporter = Exporter::start(&needy.configuration(&simulator));
            let skipped = || {
                let page = exporter.scrape();
                let all = page.samples("marketplace_probe_skipped_total");
                all.map(|series| series.value).sum::<f64>()
            };
            eventually(&format!("probes to be left out by start {start}"), || skipped() >= 2.0);
            eventually("that to be kept", || needy.kept().contains("\"not_before\":{"));
            left_out += skipped();
        }
        assert!(left_out >= 10.0, "{left_out}");
        let times = asked_for_tokens(&simulator);
        // Half a minute at first, twice that the next time; a slow machine may come to see the second.
        assert!(times.windows(2).all(|two| two[1] - two[0] > 29.0), "{refusal}: {times:?}");
        assert!(!times.is_empty());
    }
}

#[test]
fn a_token_that_somebody_else_renews_is_read_from_its_file_and_nobody_is_asked_for_one() {
    let simulator = Simulator::start("");
    let folder = folder();
    let file = folder.path().join("access_token");
    // As the shop's own integration does it.
    let renew = |token: &str| {
        let new = folder.path().join("new");
        fs::write(&new, token).unwrap();
        fs::rename(new, &file).unwrap();
    };
    renew("simulated-generic-token");
    let exporter = Exporter::start(&format!(
        "[host]\nenabled = false\n[marketplace.targets.shop]\npreset = 'generic'\n\
         vars = {{ base_url = 'https://shop.example', path = '/api/health' }}\nsecrets.token = {{ file = {file:?} }}\n\
         resolve = {{ 'shop.example:443' = '{}' }}\nca_file = {:?}\n\
         probes.http = {{ auth = 'bearer_file', interval = '1s', min_interval = '1s' }}\n",
        simulator.listens(),
        simulator.folder().join("ca.pem"),
    ));
    for (token, result) in [("", "ok"), ("an-old-one", "auth_error"), ("simulated-generic-token", "ok")] {
        if !token.is_empty() {
            renew(token);
        }
        let before = ended(&exporter.scrape(), result);
        eventually(&format!("{result} with {token:?}"), || ended(&exporter.scrape(), result) > before);
    }
    let asked = simulator.requests("generic");
    assert!(asked.iter().all(|one| one["method"] == "GET" && one["path"] == "/api/health"), "{asked:?}");
    assert!(asked.iter().any(|one| one["headers"]["authorization"] == "Bearer simulated-generic-token"));
}

#[test]
fn refused_credentials_ask_for_no_token_again_and_again() {
    let simulator = Simulator::start("[[step]]\nmarketplace = 'ebay'\nscenario = 'wrong_key'\n");
    let account = with_one(account(&simulator, "ebay", ""), "account");
    let found = block_on(super::outcome(&account));
    assert_eq!(found, "auth_error");
    assert_eq!(tokens(&simulator), 1);
}
