//! Those who are asked over HTTP: Prometheus and Alertmanager themselves, and a stand-in for CrowdSec.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde::Deserialize as _;
use serde::de::value::StrDeserializer;

use super::super::config::{Config, Prometheus};
use super::super::verdict::{Cause, Known};
use super::alerting::{Alerting, ask};
use super::bans::Counters;
use super::crowdsec;
use crate::config::types::WebUrl;
use crate::net::threads::Threads;

/// A server that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("it was ours to end");
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn start(program: &str, arguments: &[String]) -> Running {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap_or_else(|error| panic!("{program}: {error}; Debian's package of that name has it")))
}

/// A Prometheus with these rules, which tells an Alertmanager with this configuration, where there is one.
struct Stack {
    _alertmanager: Option<Running>,
    _prometheus: Running,
    config: Config,
    _folder: tempfile::TempDir,
}

impl Stack {
    fn start(rules: &str, receivers: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let (prometheus, alertmanager) = (free(), free());
        write("rules.yml", rules);
        let alerting = receivers.map_or_else(String::new, |_| {
            format!("alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['{alertmanager}'] }}] }}] }}\n")
        });
        write(
            "prometheus.yml",
            &format!("global: {{ evaluation_interval: 1s }}\nrule_files: ['rules.yml']\n{alerting}"),
        );
        let running = receivers.map(|receivers| {
            write("alertmanager.yml", &format!("route: {{ receiver: it, group_wait: 0s }}\nreceivers:\n{receivers}"));
            let arguments = [
                format!("--config.file={}", at("alertmanager.yml")),
                format!("--storage.path={}", at("alerts")),
                format!("--web.listen-address={alertmanager}"),
                "--cluster.listen-address=".to_owned(),
            ];
            start("prometheus-alertmanager", &arguments)
        });
        let arguments = [
            format!("--config.file={}", at("prometheus.yml")),
            format!("--storage.tsdb.path={}", at("data")),
            format!("--web.listen-address={prometheus}"),
            // An alert that was sent before the Alertmanager was found is sent again only after this.
            "--rules.alert.resend-delay=1s".to_owned(),
        ];
        let url = format!("http://{prometheus}");
        let url: StrDeserializer<'_, serde::de::value::Error> =
            serde::de::IntoDeserializer::into_deserializer(url.as_str());
        let alerting = Some(Prometheus { prometheus_url: WebUrl::deserialize(url).unwrap() });
        Self {
            _alertmanager: running,
            _prometheus: start("prometheus", &arguments),
            config: Config { alerting, ..Config::default() },
            _folder: folder,
        }
    }

    /// What is said once it is what is waited for; the last that was said, after a minute.
    async fn until(&self, is_it: impl Fn(&Known<Alerting>) -> bool) -> Known<Alerting> {
        let mut said = ask(&self.config, &Threads::default()).await;
        for _ in 0..300 {
            if is_it(&said) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            said = ask(&self.config, &Threads::default()).await;
        }
        said
    }
}

const WATCHDOG: &str = "groups: [{ name: a, rules: [{ alert: Watchdog, expr: vector(1) }] }]\n";

#[tokio::test]
async fn prometheus_and_alertmanager_tell_who_gets_the_watchdog() {
    let heartbeat = "- name: it\n  webhook_configs: [{ url: 'http://127.0.0.1:1/?token=canary' }]\n";
    let stack = Stack::start(WATCHDOG, Some(heartbeat));
    let everything = Alerting { is_firing: true, receivers: Ok(vec!["it".to_owned()]) };
    assert_eq!(stack.until(|said| said.as_ref() == Ok(&everything)).await, Ok(everything.clone()));
}

#[tokio::test]
async fn a_watchdog_that_goes_to_nobody_is_half_of_it() {
    let stack = Stack::start(WATCHDOG, Some("- name: it\n"));
    let empty = Alerting { is_firing: true, receivers: Ok(Vec::new()) };
    assert_eq!(stack.until(|said| said.as_ref() == Ok(&empty)).await, Ok(empty.clone()));
    let alone = Stack::start(WATCHDOG, None);
    assert_eq!(alone.until(|said| said.as_ref() == Ok(&empty)).await, Ok(empty.clone()));
}

#[tokio::test]
async fn rules_without_a_watchdog_do_not_fire_it() {
    let other = WATCHDOG.replace("Watchdog", "Other");
    let stack = Stack::start(&other, None);
    let nothing = Alerting { is_firing: false, receivers: Ok(Vec::new()) };
    assert_eq!(stack.until(Result::is_ok).await, Ok(nothing));
}

#[tokio::test]
async fn a_prometheus_that_is_not_there_is_unreachable() {
    let config = Stack::start(WATCHDOG, None).config.clone();
    let unknown = ask(&config, &Threads::default()).await.unwrap_err();
    assert_eq!(unknown.cause, Cause::Unreachable, "{unknown:?}");
}

/// Answers each connection with the next of these pages.
fn serving(pages: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    thread::spawn(move || {
        for page in pages {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", page.len());
            stream.write_all((head + page).as_bytes()).unwrap();
        }
    });
    url
}

#[tokio::test]
async fn crowdsec_is_seen_to_read_on_in_its_second_page() {
    let url = serving(&[
        "# TYPE cs_filesource_hits_total counter\ncs_filesource_hits_total{source=\"/log\"} 7\n",
        "# TYPE cs_filesource_hits_total counter\ncs_filesource_hits_total{source=\"/log\"} 8\n",
        "# TYPE go_goroutines gauge\ngo_goroutines 8\n",
    ]);
    let mut counters = Counters::default();
    let first = crowdsec(&url, 60, &mut counters).await.unwrap().unwrap();
    assert_eq!((first.was_seen, first.sources[Path::new("/log")]), (false, None));
    let second = crowdsec(&url, 120, &mut counters).await.unwrap().unwrap();
    assert_eq!((second.was_seen, second.sources[Path::new("/log")]), (true, Some(120)));
    // Something else has the port, or nothing.
    assert_eq!(crowdsec(&url, 180, &mut counters).await, Ok(None));
    assert_eq!(crowdsec(&format!("http://{}/metrics", free()), 180, &mut counters).await, Ok(None));
}
