//! The list of other programs' series, held to those programs, of the generation under test.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;

use super::catalogue::{Foreign, foreign};
use super::files::Bundle;
use crate::support::daemon::{Daemon, eventually, folder, free_port, program};
use crate::support::http;
use crate::support::prometheus::Prometheus;

/// Rules, without which Prometheus counts nothing of rules.
const RULES: &str = "groups: [{name: shop, rules: [{record: 'a:b', expr: vector(1)}]}]";

/// An Alertmanager that tells nobody, with its address.
fn alertmanager() -> (Daemon, SocketAddr) {
    let folder = folder();
    let file = folder.path().join("alertmanager.yml");
    fs::write(&file, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n").unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let cluster = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut command = program(&["prometheus-alertmanager", "alertmanager"]);
    command.arg(format!("--config.file={}", file.display()));
    command.arg(format!("--storage.path={}", folder.path().join("data").display()));
    command.arg(format!("--web.listen-address={address}")).arg(format!("--cluster.listen-address={cluster}"));
    // A machine without a private address could not tell others where it is.
    command.arg(format!("--cluster.advertise-address={cluster}"));
    let mut daemon = Daemon::start("alertmanager", command, folder);
    daemon.wait_until(|| http::ask(address, "GET", "/-/ready", &[]).is_ok_and(|response| response.status == 200));
    (daemon, address)
}

/// The types of the families on a page.
fn kinds(address: SocketAddr) -> BTreeMap<String, String> {
    let page = http::ask(address, "GET", "/metrics", &[]).unwrap();
    let page = String::from_utf8(page.body).unwrap();
    let kind = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        Some((name.to_owned(), kind.to_owned()))
    };
    page.lines().filter_map(kind).collect()
}

#[test]
fn every_series_of_other_programs_is_one_that_they_have() {
    let (_alertmanager, address) = alertmanager();
    // Where each of the two answers, and Prometheus with it all.
    let port = free_port();
    let own = SocketAddr::from(([127, 0, 0, 1], port));
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
         rule_files: ['{{folder}}/rules.yml']\n\
         alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['{address}'] }}] }}] }}\n\
         scrape_configs:\n\
         - {{ job_name: alertmanager, static_configs: [{{ targets: ['{address}'], labels: {{ shop: main }} }}] }}\n\
         - {{ job_name: prometheus, static_configs: [{{ targets: ['{own}'], labels: {{ shop: main }} }}] }}\n"
    );
    let prometheus = Prometheus::start_at(own, &config, &[("rules.yml", RULES)]);
    let mut missing = Vec::new();
    for Foreign { program, name, kind, labels } in foreign() {
        let address = match program.as_str() {
            "prometheus" => own,
            "alertmanager" => address,
            "made" => {
                let labels: Vec<_> = prometheus.answer(&name).into_iter().next().unwrap().0.into_keys().collect();
                assert!(labels.iter().any(|label| label == "shop"), "{name}: {labels:?}");
                continue;
            }
            // It has no program here.
            "helper" => continue,
            other => panic!("foreign.tsv: {other} is no program"),
        };
        let known = kinds(address);
        if known.get(&name).map(String::as_str) != Some(kind.as_str()) {
            missing.push(format!("{program} shows {name} as {:?}, not as a {}", known.get(&name), kind.as_str()));
            continue;
        }
        // What has labels may appear with the first event.
        let mut found = Vec::new();
        eventually(&format!("a sample of {name}"), || {
            found = prometheus.query(&name);
            !found.is_empty()
        });
        for label in labels {
            if found.iter().any(|(has, _)| !has.contains_key(&label)) {
                missing.push(format!("{program}: {name} has no label {label}: {found:?}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_series_on_the_list_is_used() {
    let bundle = Bundle::shipped();
    let rules: String = bundle.every_rule().flat_map(|(_, rule)| [rule.expr.as_str(), "\n"]).collect();
    let text = rules + &crate::grafana::texts();
    let unused: Vec<_> =
        foreign().into_iter().filter(|foreign| !text.contains(&foreign.name)).map(|foreign| foreign.name).collect();
    assert!(unused.is_empty(), "foreign.tsv lists what neither a rule nor a dashboard uses: {unused:?}");
}
