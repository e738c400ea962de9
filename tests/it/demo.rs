//! `make demo`: the stack that newcomers meet. That it works, and that nothing of it stays.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::TempDir;
use vitrin::collectors::access_log::format::Format;

use crate::support::daemon::{folder, within};
use crate::support::generation::Generation;
use crate::support::http;
use crate::support::prometheus::encoded;

/// The longest that a step may take on a busy machine: a start, or an alert's way to the mailbox.
const PATIENCE: Duration = Duration::from_mins(4);

/// Every kind of page.
const ROUTES: [&str; 13] = [
    "account",
    "admin",
    "api",
    "bot",
    "cart",
    "category",
    "checkout",
    "home",
    "marketplace_webhook",
    "other",
    "product",
    "search",
    "static",
];

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The demo, as somebody has started it who looks at its output.
struct Demo {
    child: Child,
    /// Where it makes its own folder.
    parent: TempDir,
    output: TempDir,
}

impl Demo {
    /// Starts it with the program under test.
    fn start() -> Self {
        Self::start_with(env!("CARGO_BIN_EXE_vitrin").as_ref())
    }

    /// Starts it with another program in vitrin's place.
    fn start_with(vitrin: &Path) -> Self {
        let (parent, output) = (folder(), folder());
        let said = File::create(output.path().join("said")).unwrap();
        let mut command = Command::new(shipped("demo/run"));
        command.arg("--free-ports").arg("--vitrin").arg(vitrin);
        let root = Generation::under_test();
        if root.root() != Path::new("/") {
            command.arg("--root").arg(root.root());
        }
        command.env("TMPDIR", parent.path()).stdin(Stdio::null());
        command.stdout(said.try_clone().unwrap()).stderr(said).process_group(0);
        Self { child: command.spawn().unwrap(), parent, output }
    }

    fn said(&self) -> String {
        fs::read_to_string(self.output.path().join("said")).unwrap()
    }

    /// Waits for something that is said.
    fn until_said(&mut self, words: &str) {
        within(PATIENCE, &format!("the demo to say {words:?}"), || {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() || self.said().contains(words), "{ended:?}: {}", self.said());
            self.said().contains(words)
        });
    }

    /// The address that stands behind this word.
    fn address(&self, name: &str) -> SocketAddr {
        let said = self.said();
        let is_it = |line: &&str| line.trim_start().starts_with(name) && line.contains("http://");
        let line = said.lines().find(is_it).unwrap();
        let (_, address) = line.split_once("http://").unwrap();
        address.split('/').next().unwrap().parse().unwrap()
    }

    /// The command that is suggested: these words and a process.
    fn suggested(&self, words: &str) -> String {
        let said = self.said();
        let is_it =
            |line: &&str| line.rsplit_once(' ').is_some_and(|(start, id)| start == words && id.parse::<u32>().is_ok());
        said.lines().map(str::trim).find(is_it).unwrap().to_owned()
    }

    fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// What a query of Prometheus answers: the labels and the value of each series.
    fn query(&self, expression: &str) -> Vec<Value> {
        let query = encoded(expression);
        let answer = json(self.address("Prometheus"), &format!("/api/v1/query?query={query}"));
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }

    /// Subjects of what was delivered in this way.
    fn delivered(&self, way: &str) -> Vec<String> {
        let calls = json(self.address("the mailbox"), "/messages");
        let calls = calls["messages"].as_array().cloned().unwrap_or_default();
        let those = calls.iter().filter(|call| call["way"] == way);
        those.map(|call| call["subject"].as_str().unwrap().to_owned()).collect()
    }

    /// All that it has started, and what that has started.
    fn processes(&self) -> BTreeSet<u32> {
        let all = processes();
        let mut found = BTreeSet::from([self.child.id()]);
        loop {
            let known = found.len();
            found.extend(
                all.iter()
                    .filter(|process| found.contains(&process.parent))
                    .map(|process| process.id)
                    .collect::<Vec<_>>(),
            );
            if found.len() == known {
                return found;
            }
        }
    }

    fn status(&mut self) -> ExitStatus {
        let mut status = None;
        within(PATIENCE, "the demo to end", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.expect("the loop above ends with a status")
    }

    /// Waits until nothing is left: neither these processes, nor any that was started in its folder, nor a file.
    fn leaves_nothing(&self, before: &BTreeSet<u32>) {
        let place = self.parent.path().to_str().unwrap();
        within(PATIENCE, "nothing to be left", || {
            let ours = |process: &Process| before.contains(&process.id) || process.names(place);
            !processes().iter().any(ours) && fs::read_dir(place).unwrap().next().is_none()
        });
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // A demo that has ended cannot be killed; one whose guard is killed ends the rest itself.
        self.child.kill().ok();
        self.child.wait().ok();
        self.leaves_nothing(&BTreeSet::new());
    }
}

/// A process that is no zombie.
struct Process {
    id: u32,
    parent: u32,
}

impl Process {
    /// Whether it was started with this word in its arguments, or is at work there.
    fn names(&self, place: &str) -> bool {
        let command = fs::read(format!("/proc/{}/cmdline", self.id)).unwrap_or_default();
        let at = fs::read_link(format!("/proc/{}/cwd", self.id)).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(place) || at.starts_with(place)
    }
}

fn processes() -> Vec<Process> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().map(Result::unwrap) {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let (Some(id), Some((_, rest))) =
            (entry.file_name().to_str().and_then(|id| id.parse().ok()), stat.rsplit_once(") "))
        else {
            continue;
        };
        let fields: Vec<_> = rest.split(' ').collect();
        if fields[0] != "Z" {
            found.push(Process { id, parent: fields[1].parse().unwrap() });
        }
    }
    found
}

fn json(address: SocketAddr, path: &str) -> Value {
    let answer = http::ask(address, "GET", path, &[]).unwrap();
    serde_json::from_slice(&answer.body).unwrap()
}

fn run(command: &str) {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

#[test]
fn the_shop_is_watched_and_an_experiment_ends_in_the_mailbox() {
    let mut demo = Demo::start();
    demo.until_said("Try it");
    println!("{}", demo.said());

    assert!(http::ask(demo.address("the shop "), "GET", "/", &[]).unwrap().text().contains("Favourites"));
    let routes: BTreeSet<_> = ROUTES.map(str::to_owned).into();
    let mut seen = BTreeSet::new();
    within(PATIENCE, "every kind of page to be asked for", || {
        let series = demo.query("sum by (route) (shop_http_requests_total)");
        seen = series.iter().map(|one| one["metric"]["route"].as_str().unwrap().to_owned()).collect();
        seen == routes
    });
    assert_eq!(demo.query("count(up)")[0]["value"][1], "3");
    // A machine that is slow while everything starts is no fault of the demo's.
    let failed = "vitrin_collect_failures_total{reason!='timeout'} > 0";
    for complaint in ["up == 0", "vitrin_up == 0", failed, "mysql_query_orders_placed == 0"] {
        assert_eq!(demo.query(complaint), [] as [Value; 0], "{complaint}");
    }
    for works in [
        "redis_keyspace_hits_total > 0",
        "phpfpm_opcache_hits_total > 0",
        "redis_key_group_count{key_group='sessions'} > 0",
        "shop_http_client_attribution == 1",
        "shop_auth_attempts_total{realm='admin', outcome='success'} > 0",
        "probe_success{target='shop'} == 1",
        "count(count by (marketplace) (marketplace_probe_success == 1)) == 9",
    ] {
        within(PATIENCE, works, || !demo.query(works).is_empty());
    }
    assert_eq!(demo.delivered("mail"), [""; 0], "nobody is called for nothing");

    run(&demo.suggested("kill"));
    demo.until_said("redis has ended");
    within(PATIENCE, "a mail about Redis", || {
        demo.delivered("mail").contains(&"[main] RedisDown open, level 1".to_owned())
    });
    within(PATIENCE, "a call about Redis", || demo.delivered("phone").contains(&"[main] RedisDown rings".to_owned()));
    run(&demo.suggested("kill -USR1"));
    within(PATIENCE, "Redis to be back", || !demo.query("redis_up == 1").is_empty());

    let processes = demo.processes();
    assert!(processes.len() > 8, "{processes:?}");
    demo.signal(Signal::INT);
    assert!(demo.status().success(), "{}", demo.said());
    assert!(demo.said().ends_with("Nothing is left: no process, no file.\n"), "{}", demo.said());
    demo.leaves_nothing(&processes);
}

#[test]
fn whoever_ends_it_while_it_starts_leaves_nothing() {
    for signal in [Signal::TERM, Signal::HUP, Signal::KILL] {
        let mut demo = Demo::start();
        demo.until_said("  nginx");
        let processes = demo.processes();
        demo.signal(signal);
        demo.status();
        demo.leaves_nothing(&processes);
    }
}

#[test]
fn a_server_that_does_not_start_is_named_and_leaves_nothing() {
    let mut demo = Demo::start_with("/bin/false".as_ref());
    assert_eq!(demo.status().code(), Some(1));
    assert!(demo.said().contains("demo: marketplaces ended (1)"), "{}", demo.said());
    demo.leaves_nothing(&BTreeSet::new());
}

#[test]
fn what_is_not_installed_is_named_before_anything_starts() {
    // The script with a root of servers that has none.
    let (parent, root) = (folder(), folder());
    let output = Command::new(shipped("demo/run"))
        .args(["--vitrin", env!("CARGO_BIN_EXE_vitrin"), "--root"])
        .arg(root.path())
        .env("TMPDIR", parent.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("MariaDB, MariaDB's client, Redis, nginx, ") && said.contains("PHP-FPM: not installed"),
        "{said}"
    );
    assert!(said.contains("make demo") && fs::read_dir(parent.path()).unwrap().next().is_none(), "{said}");
}

#[test]
fn its_log_is_in_the_recommended_format() {
    assert!(fs::read_to_string(shipped("demo/conf/shop.conf")).unwrap().contains(Format::RECOMMENDED));
}

#[test]
fn what_it_runs_is_installed_for_the_tests_too() {
    let names = |path| -> BTreeSet<String> {
        let text = fs::read_to_string(shipped(path)).unwrap();
        let packages = text.lines().map(|line| line.split('#').next().unwrap().trim());
        packages.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let (demo, tests) = (names("demo/packages"), names("tests/packages"));
    assert_eq!(demo.difference(&tests).collect::<Vec<_>>(), [""; 0]);
}
