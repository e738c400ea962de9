//! What an account is spared after it was refused, and what is asked all the same.

use std::fs;

use super::configuration;
use super::schedule::{every_second, skipped};
use crate::support::daemon::{eventually, folder};
use crate::support::exporter::Exporter;
use crate::support::simulator::Simulator;

/// A configuration of one marketplace whose probes of these names are made every second.
fn eager(simulator: &Simulator, target: &str, probes: &[&str]) -> String {
    let probes: String = probes.iter().map(|probe| every_second(target, probe)).collect();
    format!("[host]\nenabled = false\n{}{probes}", configuration(simulator, ""))
}

/// In which state the account is.
fn state(exporter: &Exporter, target: &str) -> String {
    let page = exporter.scrape();
    let mut states = page.samples("marketplace_auth_state");
    let state = states.find(|series| series.labels["target"] == target && series.value == 1.0);
    state.map_or_else(String::new, |series| series.labels["state"].clone())
}

#[test]
fn a_probe_that_may_not_do_what_it_asks_is_spared_and_the_others_go_on() {
    let simulator = Simulator::start(
        "[[step]]\nmarketplace = 'trendyol'\npath = '/integration/order/*'\nstatus = 403\n\
         headers = { Content-Type = 'application/json' }\nbody = '{}'\n",
    );
    let exporter = Exporter::start(&eager(&simulator, "trendyol", &["products", "orders"]));
    eventually("the orders to be spared", || skipped(&exporter.scrape(), "trendyol", "auth_paused") >= 2.0);
    let asked = |path: &str| {
        let requests = simulator.requests("trendyol");
        requests.iter().filter(|one| one["path"].as_str().unwrap().contains(path)).count()
    };
    assert_eq!(asked("/order/"), 2);
    let products = asked("/product");
    eventually("the products to go on", || asked("/product") >= products + 2);
    assert_eq!(state(&exporter, "trendyol"), "ok");
    let labels = [("collector", "marketplace"), ("target", "trendyol")];
    assert_eq!(exporter.scrape().number("vitrin_up", &labels), 1.0);
}

#[test]
fn one_auth_that_is_good_does_not_make_up_for_another_that_is_refused() {
    let simulator = Simulator::start("");
    let token = simulator.folder().join("ebay-refresh_token");
    let good = fs::read(&token).unwrap();
    fs::write(&token, "v^1.1#i^1#wrong").unwrap();
    let exporter = Exporter::start(&eager(&simulator, "ebay", &["account", "rate-limits"]));
    let ok = |probe: &str| {
        let labels = [("target", "ebay"), ("marketplace", "ebay"), ("probe", probe), ("result", "ok")];
        exporter.scrape().number("marketplace_probe_results_total", &labels)
    };
    eventually("the seller to be refused", || state(&exporter, "ebay") == "rejected");
    let asked = ok("rate-limits");
    eventually("the application to be let through", || ok("rate-limits") >= asked + 2.0);
    assert_eq!((state(&exporter, "ebay").as_str(), ok("account")), ("rejected", 0.0));
    // A consent that was given anew is tried at once.
    fs::write(&token, good).unwrap();
    eventually("the seller to be let through", || ok("account") >= 1.0);
    assert_eq!(state(&exporter, "ebay"), "ok");
}

#[test]
fn who_was_refused_is_spared_after_a_restart_until_the_account_is_written_otherwise() {
    let simulator = Simulator::start("[[step]]\nmarketplace = 'n11'\nscenario = 'wrong_key'\n");
    let kept = folder();
    let text = eager(&simulator, "n11", &["products"]);
    let start = |more: &str| {
        let text = format!("state_dir = {:?}\n{text}{more}", kept.path());
        Exporter::start(&text)
    };
    let asked =
        || simulator.requests("n11").iter().filter(|one| one["path"].as_str().unwrap().contains("/ms/")).count();
    let exporter = start("");
    eventually("the account to be spared", || skipped(&exporter.scrape(), "n11", "auth_paused") >= 1.0);
    exporter.stop();
    let before = asked();
    let exporter = start("");
    eventually("to be spared still", || skipped(&exporter.scrape(), "n11", "auth_paused") >= 2.0);
    assert_eq!((asked(), state(&exporter, "n11").as_str()), (before, "rejected"));
    exporter.stop();
    let exporter = start("timeout = '900ms'\n");
    eventually("the account to be tried again", || asked() > before);
    drop(exporter);
}

#[test]
fn a_marketplace_that_is_not_well_may_say_when_to_come_back() {
    let simulator = Simulator::start(
        "[[step]]\nmarketplace = 'n11'\nstatus = 503\nbody = '{}'\n\
         headers = { Content-Type = 'application/json', Retry-After = '3600' }\n",
    );
    let text = eager(&simulator, "n11", &["products"]) + &every_second("ozon", "roles");
    let exporter = Exporter::start(&text);
    let asked = |marketplace: &str, path: &str| {
        let requests = simulator.requests(marketplace);
        requests.iter().filter(|one| one["path"].as_str().unwrap().contains(path)).count()
    };
    eventually("N11 to be asked", || asked("n11", "/ms/") >= 1);
    let before = asked("ozon", "");
    eventually("others to go on", || asked("ozon", "") >= before + 4);
    assert_eq!(asked("n11", "/ms/"), 1);
    let labels = [("target", "n11"), ("marketplace", "n11"), ("probe", "products"), ("result", "server_error")];
    assert_eq!(exporter.scrape().number("marketplace_probe_results_total", &labels), 1.0);
}

#[test]
fn who_dies_of_an_answer_does_not_ask_again_at_once() {
    let simulator = Simulator::start("[[step]]\nmarketplace = 'n11'\nscenario = 'stall'\n");
    let kept = folder();
    let text = format!(
        "state_dir = {:?}\n[host]\nenabled = false\n{}{}",
        kept.path().display().to_string(),
        configuration(&simulator, ""),
        every_second("ozon", "roles")
    );
    let exporter = Exporter::start(&text);
    eventually("a request that is not answered", || !simulator.requests("n11").is_empty());
    drop(exporter);
    let before = simulator.requests("n11").len();
    let _exporter = Exporter::start(&text);
    let asked = simulator.requests("ozon").len();
    eventually("others to go on", || simulator.requests("ozon").len() >= asked + 5);
    // One of its probes may not have been made yet.
    let paths = |requests: &[serde_json::Value]| -> Vec<_> {
        requests.iter().map(|one| one["path"].as_str().unwrap().to_owned()).collect()
    };
    let all = simulator.requests("n11");
    let again: Vec<_> = paths(&all[before..]).into_iter().filter(|path| paths(&all[..before]).contains(path)).collect();
    assert_eq!(again, Vec::<String>::new());
}
