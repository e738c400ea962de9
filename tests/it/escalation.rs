//! Who is called: the files of `alertmanager/` and `prometheus/prometheus.yml`, before the programs that read them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::daemon::{Daemon, copy, folder, free_port, program, until_content};
use crate::support::generation::Generation;
use crate::support::http;

/// A folder or a file of the repository.
fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs one of `tests/alertmanager` with the amtool of the generation under test.
#[track_caller]
fn passes(script: &str) {
    let amtool = Generation::under_test().file("amtool");
    let output = Command::new(shipped("tests/alertmanager").join(script)).arg(amtool).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tests/alertmanager/{script}:\n{told}");
}

#[test]
fn every_alert_reaches_whom_it_should() {
    passes("routes");
}

#[test]
fn a_receiver_that_is_pasted_in_loads() {
    passes("receivers");
}

#[test]
fn mails_read_as_they_should() {
    passes("templates");
}

/// The alerts that a line of `alertmanager.yml` names: `alertname=~"A|B"`.
fn named(line: &str) -> Vec<&str> {
    let quoted = line.split("alertname").skip(1).filter_map(|rest| rest.split('"').nth(1));
    quoted.flat_map(|names| names.split('|')).collect()
}

#[test]
fn nothing_is_said_of_an_alert_that_does_not_exist() {
    let rules = fs::read_dir(shipped("prometheus/rules")).unwrap();
    let rules: String = rules.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let text = fs::read_to_string(shipped("alertmanager/alertmanager.yml")).unwrap();
    let named: Vec<_> = text.lines().flat_map(named).collect();
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        assert!(alerts.contains(&name), "alertmanager.yml names {name}, which no rule makes");
    }
}

/// A line with the setting that it shows in a comment: `  #- 10.0.0.2:9093`. Prose has a space behind its `#`.
fn switched_on(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    match line[indent..].strip_prefix('#') {
        Some(setting) if setting.starts_with(|c: char| !c.is_whitespace()) => format!("{}{setting}\n", &line[..indent]),
        _ => format!("{line}\n"),
    }
}

/// What promtool says of this `prometheus.yml` beside the shipped rules.
#[track_caller]
fn accepted(text: &str, arguments: &[&str]) {
    let folder = folder();
    let here = folder.path().join("prometheus");
    copy(&shipped("prometheus"), &here);
    fs::create_dir(here.join("shops")).unwrap();
    fs::write(here.join("shops/lale.yml"), "- {targets: [10.0.1.5:22100], labels: {shop: lale}}\n").unwrap();
    let file = here.join("prometheus.yml");
    fs::write(&file, text).unwrap();
    let output = program(&["promtool"]).args(["check", "config"]).args(arguments).arg(&file).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("WARNING"), "{told}\n{text}");
}

#[test]
fn prometheus_takes_its_configuration_with_everything_that_it_shows() {
    let text = fs::read_to_string(shipped("prometheus/prometheus.yml")).unwrap();
    let all: String = text.lines().map(switched_on).collect();
    for shown in ["\nremote_write:", "\n  file_sd_configs:", "\n      - 10.0.0.2:9093"] {
        assert!(all.contains(shown) && !text.contains(shown), "{shown} is not switched on:\n{all}");
    }
    accepted(&all, &[]);
}

#[test]
fn an_agent_takes_what_is_left_without_rules_and_alerts() {
    let text = fs::read_to_string(shipped("prometheus/prometheus.yml")).unwrap();
    let mut left = String::new();
    let mut out = false;
    for line in text.lines().map(switched_on) {
        if line.starts_with(|c: char| c.is_ascii_lowercase()) {
            out = line.starts_with("rule_files:") || line.starts_with("alerting:");
        }
        if !out {
            left.push_str(&line);
        }
    }
    accepted(&left, &["--agent"]);
}

#[test]
fn a_copy_leads_to_the_graphs_of_its_topic() {
    let mut cases = String::new();
    let topics = fs::read_to_string(shipped("docs/topics.tsv")).unwrap();
    let of_bundle = [("thresholds", "business_sla")];
    let of_table = topics.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let columns: Vec<_> = line.split('\t').collect();
        (columns[0], columns[3])
    });
    for (topic, dashboard) in of_table.chain(of_bundle) {
        write!(
            cases,
            r#"
- name: {topic}
  interval: 30s
  external_labels: {{runbooks: "https://runbooks.example", grafana: "https://grafana.example"}}
  input_series:
  - {{series: 'ALERTS{{alertname="A", alertstate="firing", shop="main", component="{topic}", level="1", severity="warning"}}', values: '1x60'}}
  alert_rule_test:
  - eval_time: 15m
    alertname: EscalationLevel2
    exp_alerts:
    - exp_labels: {{origin: A, shop: main, component: {topic}, level: "1", severity: warning, esc2: "yes"}}
      exp_annotations:
        summary: "A on main: nobody has acknowledged it for 15 minutes"
        since: ""
        runbook_url: https://runbooks.example/A.md
        dashboard_url: https://grafana.example/d/vitrin-{dashboard}?var-shop=main
"#
        )
        .unwrap();
    }
    let folder = folder();
    copy(&shipped("prometheus/rules"), &folder.path().join("rules"));
    let file = folder.path().join("graphs.yml");
    fs::write(&file, format!("rule_files: [rules/escalation.yml]\nevaluation_interval: 30s\ntests:{cases}")).unwrap();
    let output = program(&["promtool"]).args(["test", "rules"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Alertmanager with the shipped files, which tells nobody within an hour, and its address.
fn alertmanager(arguments: &[&str]) -> (Daemon, SocketAddr) {
    let folder = folder();
    copy(&shipped("alertmanager"), &folder.path().join("alertmanager"));
    let here = folder.path().join("alertmanager");
    let text = fs::read_to_string(here.join("alertmanager.yml")).unwrap();
    let patient = text.replace("group_wait: 30s", "group_wait: 1h");
    assert_ne!(text, patient);
    fs::write(here.join("alertmanager.yml"), patient).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut command = program(&["prometheus-alertmanager"]);
    let [file, data] = ["alertmanager.yml", "data"].map(|name| here.join(name).display().to_string());
    command.arg(format!("--config.file={file}")).arg(format!("--storage.path={data}"));
    command.arg(format!("--web.listen-address={address}")).arg("--cluster.listen-address=");
    command.args(arguments.iter().map(|argument| argument.replace("HERE", &here.display().to_string())));
    let mut daemon = Daemon::start("alertmanager", command, folder);
    daemon.wait_until(|| http::ask(address, "GET", "/-/ready", &[]).is_ok_and(|response| response.status == 200));
    (daemon, address)
}

#[test]
fn debians_alertmanager_shows_our_page_where_links_of_mails_lead() {
    let (_daemon, address) = alertmanager(&["--web.ui-path=HERE/ui"]);
    let page = http::ask(address, "GET", "/", &[]).unwrap();
    assert_eq!(page.text(), fs::read_to_string(shipped("alertmanager/ui/index.html")).unwrap());
}

/// Labels as `routes.tsv` and `night.tsv` have them.
fn labels(column: &str) -> Value {
    column.split(' ').map(|pair| pair.split_once('=').unwrap()).collect()
}

/// What Alertmanager does with the alert of these labels: the receivers that it is for, and the alerts that keep it
/// quiet.
fn fate(alerts: &[Value], labels: &Value) -> (String, String) {
    let Some(alert) = alerts.iter().find(|alert| alert["labels"] == *labels) else {
        return (String::new(), "it is not there".to_owned());
    };
    let receivers = alert["receivers"].as_array().unwrap().iter().map(|receiver| receiver["name"].as_str().unwrap());
    let inhibitors = alert["status"]["inhibitedBy"].as_array().unwrap();
    let causes: BTreeSet<_> = alerts
        .iter()
        .filter(|other| inhibitors.contains(&other["fingerprint"]))
        .map(|cause| cause["labels"]["alertname"].as_str().unwrap())
        .collect();
    let causes: Vec<_> = causes.into_iter().collect();
    let quiet = if inhibitors.is_empty() { "-".to_owned() } else { causes.join(",") };
    (receivers.collect::<Vec<_>>().join(","), quiet)
}

#[test]
fn on_a_bad_night_each_cause_is_told_and_nothing_that_follows_from_it() {
    let table = fs::read_to_string(shipped("tests/alertmanager/night.tsv")).unwrap();
    let night: Vec<_> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            (labels(columns[0]), (columns[1].to_owned(), columns[2].to_owned()))
        })
        .collect();
    let (_daemon, address) = alertmanager(&[]);
    let alerts: Value = night.iter().map(|(labels, _)| json!({"labels": labels})).collect();
    let body = alerts.to_string();
    let mut connection = http::Connection::open(address).unwrap();
    let head = format!("Host: {address}\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
    connection.send(format!("POST /api/v2/alerts HTTP/1.1\r\n{head}\r\n\r\n{body}").as_bytes()).unwrap();
    assert_eq!(connection.answer("POST").unwrap().status, 200);
    // It takes them in one after the other: the last is a cause.
    until_content("all alerts of the night to be told or quiet", || {
        let page = http::ask(address, "GET", "/api/v2/alerts", &[]).unwrap();
        let alerts: Vec<Value> = serde_json::from_str(&page.text()).unwrap();
        night.iter().find_map(|(labels, expected)| {
            let found = fate(&alerts, labels);
            (found != *expected).then(|| format!("{labels}: {found:?}, not {expected:?}"))
        })
    });
}
