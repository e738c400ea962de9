//! Prometheus and Alertmanager with the shipped files: one of each, or a pair of each.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::compress::flag;
use super::files::{Files, Substitution};
use super::timeline::Labels;
use crate::support::daemon::{Daemon, eventually, folder, free_port, listens, program};
use crate::support::http;

/// The flags that are lengths of time, as they are recommended (the documentation says why), to be compressed.
const PROMETHEUS_TIMES: [(&str, &str); 4] = [
    ("query.lookback-delta", "5m"),
    ("rules.alert.for-grace-period", "1m"),
    ("rules.alert.for-outage-tolerance", "1h"),
    ("rules.alert.resend-delay", "1m"),
];
const ALERTMANAGER_TIMES: [(&str, &str); 2] = [("alerts.gc-interval", "30m"), ("data.maintenance-interval", "1m")];

/// How long the second of a pair waits for the first to have notified. Not compressed: it covers the gossip between
/// the two, which takes as long in a drill as anywhere.
const PEER_TIMEOUT: &str = "--cluster.peer-timeout=2s";

/// A server and where it listens.
pub(crate) struct Server {
    pub(crate) daemon: Daemon,
    pub(crate) port: u16,
}

impl Server {
    fn start(name: &'static str, port: u16, command: Command, folder: tempfile::TempDir) -> Self {
        let mut server = Self { daemon: Daemon::start(name, command, folder), port };
        server.wait();
        server
    }

    /// Starts it anew after it was killed.
    pub(crate) fn start_again(&mut self) {
        self.daemon.start_again();
        self.wait();
    }

    fn wait(&mut self) {
        let port = self.port;
        self.daemon.wait_until(|| {
            http::ask(address(port), "GET", "/-/ready", &[]).is_ok_and(|response| response.status == 200)
        });
    }
}

/// The servers that watch and call.
pub(crate) struct Monitoring {
    /// One set for each Prometheus; Alertmanagers use the first.
    _files: Vec<Files>,
    pub(crate) prometheus: Vec<Server>,
    pub(crate) alertmanagers: Vec<Server>,
}

/// The ports of servers that are not started yet: their configurations name each other.
pub(crate) struct Ports {
    pub(crate) prometheus: Vec<u16>,
    pub(crate) alertmanagers: Vec<u16>,
}

impl Ports {
    /// For as many of each.
    pub(crate) fn of(count: usize) -> Self {
        let ports = || (0..count).map(|_| free_port()).collect();
        Self { prometheus: ports(), alertmanagers: ports() }
    }
}

impl Monitoring {
    /// Starts them with the shipped files, in which this is replaced for the first, the second ...; and with these rules.
    pub(crate) fn start(
        ports: &Ports,
        substitutions: impl Fn(usize) -> Vec<Substitution>,
        rules: Option<&str>,
    ) -> Self {
        let files: Vec<_> = (0..ports.prometheus.len()).map(|which| Files::write(&substitutions(which))).collect();
        if let Some(text) = rules {
            for files in &files {
                files.add_rules(text);
            }
        }
        let alertmanagers = start_alertmanagers(&files[0], &ports.alertmanagers);
        let prometheus =
            files.iter().zip(&ports.prometheus).map(|(files, port)| start_prometheus(files, *port)).collect();
        Self { _files: files, prometheus, alertmanagers }
    }

    /// The value of an instant query for each label set, by the first Prometheus.
    pub(crate) fn query(&self, expression: &str) -> Vec<(Labels, f64)> {
        let data = Self::get(self.prometheus[0].port, &format!("/api/v1/query?query={}", encoded(expression)));
        let sample = |sample: &Value| {
            let labels = serde_json::from_value(sample["metric"].clone()).unwrap();
            (labels, sample["value"][1].as_str().unwrap().parse().unwrap())
        };
        data["data"]["result"].as_array().into_iter().flatten().map(sample).collect()
    }

    /// What the first Prometheus answers to a question of its API, good or bad.
    pub(crate) fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        Self::get(self.prometheus[0].port, &format!("{path}?{}", parameters.join("&")))
    }

    /// The alerts that one Alertmanager knows as firing.
    pub(crate) fn alerts(&self, which: usize) -> Vec<Labels> {
        let alerts = Self::get(self.alertmanagers[which].port, "/api/v2/alerts?silenced=true&inhibited=true");
        let labels = |alert: &Value| serde_json::from_value(alert["labels"].clone()).unwrap();
        alerts.as_array().into_iter().flatten().map(labels).collect()
    }

    /// Silences what has these labels for this long, as the page behind the link in a mail does. Returns its id.
    pub(crate) fn silence(&self, labels: &Labels, time: Duration, which: usize) -> String {
        let matcher = |(name, value)| json!({"name": name, "value": value, "isRegex": false, "isEqual": true});
        self.silence_all(&labels.iter().map(matcher).collect::<Vec<_>>(), time, which)
    }

    /// The same by any matchers.
    pub(crate) fn silence_all(&self, matchers: &[Value], time: Duration, which: usize) -> String {
        let now = SystemTime::now();
        let at = |time: SystemTime| humantime::format_rfc3339_millis(time).to_string();
        let body = json!({
            "matchers": matchers, "startsAt": at(now), "endsAt": at(now + time), "createdBy": "ayse", "comment": "ACK! ayse",
        });
        let answer = post(self.alertmanagers[which].port, "/api/v2/silences", &body.to_string());
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{answer}: {error}"));
        answer["silenceID"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Alertmanager's version.
    pub(crate) fn version(&self) -> String {
        let status = Self::get(self.alertmanagers[0].port, "/api/v2/status");
        status["versionInfo"]["version"].as_str().unwrap_or_default().to_owned()
    }

    /// Ends a silence.
    pub(crate) fn expire(&self, silence: &str) {
        let path = format!("/api/v2/silence/{silence}");
        let answer = http::ask(address(self.alertmanagers[0].port), "DELETE", &path, &[]).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    fn get(port: u16, path: &str) -> Value {
        let response = http::ask(address(port), "GET", path, &[]).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{path}: {error}: {}", response.text()))
    }
}

/// Posts JSON and gives the answer, which must be good.
fn post(port: u16, path: &str, body: &str) -> String {
    let mut connection = http::Connection::open(address(port)).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: drill\r\nContent-Type: application/json\r\n");
    connection
        .send(format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
        .unwrap();
    let answer = connection.answer("POST").unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.text()
}

fn start_prometheus(files: &Files, port: u16) -> Server {
    let folder = folder();
    let mut command = program(&["prometheus"]);
    command
        .arg(format!("--config.file={}", files.path(super::files::PROMETHEUS).display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(times(&PROMETHEUS_TIMES));
    Server::start("prometheus", port, command, folder)
}

/// One that is alone has no cluster; several are told of each other.
fn start_alertmanagers(files: &Files, ports: &[u16]) -> Vec<Server> {
    let gossip: Vec<_> = ports.iter().map(|_| free_port()).collect();
    let mut servers = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let folder = folder();
        let mut command = program(&["prometheus-alertmanager"]);
        command
            .arg(format!("--config.file={}", files.path(super::files::ALERTMANAGER).display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(times(&ALERTMANAGER_TIMES));
        if ports.len() == 1 {
            command.arg("--cluster.listen-address=");
        } else {
            command.arg(format!("--cluster.listen-address=127.0.0.1:{}", gossip[index])).arg(PEER_TIMEOUT);
            let others = gossip.iter().enumerate().filter(|(other, _)| *other != index);
            command.args(others.map(|(_, port)| format!("--cluster.peer=127.0.0.1:{port}")));
        }
        servers.push(Server::start("alertmanager", *port, command, folder));
    }
    eventually("every Alertmanager to listen", || ports.iter().all(|port| listens(*port)));
    servers
}

fn times<'a>(flags: &'a [(&str, &str)]) -> impl Iterator<Item = String> + 'a {
    flags.iter().map(|(name, value)| format!("--{name}={}", flag(value)))
}

pub(crate) fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Percent-encodes all but what RFC 3986 calls unreserved.
fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
