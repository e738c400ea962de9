//! Side by side with `redis_exporter`: every family it shows, with its labels and its values.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;

use vitrin::collector::Collector;
use vitrin::snapshot::{Snapshot, Value};

use super::{of, topology};
use crate::support::daemon::{Daemon, folder, free_port, listens, program};
use crate::support::redis::RedisServer;

/// Families that differ on purpose, and why.
const DEVIATIONS: &str = include_str!("../deviations/redis.tsv");

/// Families whose values depend on who asks, and when: connections, buffers, CPU, and how often each command was run.
const RESTLESS: [&str; 12] = [
    "redis_allocator_",
    "redis_client_recent_max_",
    "redis_commands_",
    "redis_connected_clients",
    "redis_cpu_",
    "redis_eventloop_",
    "redis_instantaneous_",
    "redis_latency_percentiles_usec",
    "redis_mem",
    "redis_net_",
    "redis_sentinel_master_last_ok_ping_reply_seconds",
    "redis_total_",
];

/// Label names and values, those without a value left out.
type Labels = BTreeMap<String, String>;
/// The series of each family. Of a histogram or summary only the labels of its parts are kept.
type Page = BTreeMap<String, BTreeMap<Labels, f64>>;

/// A page in text format 0.0.4, as far as `redis_exporter` writes it.
fn parse(text: &str) -> Page {
    let mut page = Page::new();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            declared.split(' ').next().unwrap().clone_into(&mut family);
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let labels = series.split_once('{').map_or("", |(_, labels)| labels.trim_end_matches('}'));
            let mut labels: Labels = labels.split("\",").filter_map(|pair| pair.split_once("=\"")).map(owned).collect();
            labels.retain(|name, value| !value.is_empty() && name != "le" && name != "quantile");
            page.entry(family.clone()).or_default().insert(labels, value.parse().unwrap());
        }
    }
    page.retain(|family, _| family.starts_with("redis_") && !family.contains("exporter"));
    page
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.trim_end_matches('"').to_owned())
}

/// A running `redis_exporter`, for one server.
struct Peer {
    _daemon: Daemon,
    port: u16,
}

impl Peer {
    fn of(server: &RedisServer) -> Self {
        let port = free_port();
        let mut command = program(&["prometheus-redis-exporter"]);
        // Named in the list of drop-in names, though redis_exporter has it off.
        command.args(["--include-system-metrics", "--redis.addr", &server.url()]);
        command.args(["--web.listen-address", &format!("127.0.0.1:{port}")]);
        let mut daemon = Daemon::start("redis_exporter", command, folder());
        daemon.wait_until(|| listens(port));
        Self { _daemon: daemon, port }
    }

    fn page(&self) -> Page {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        parse(answer.split_once("\r\n\r\n").unwrap().1)
    }
}

/// What our collector shows, read twice as the peer is.
async fn ours(collector: &impl Collector) -> Page {
    let mut out = Snapshot::default();
    collector.collect(&mut out).await.unwrap();
    let (findings, ..) = out.finish();
    let mut page = Page::from([("redis_up".to_owned(), BTreeMap::from([(Labels::new(), 1.0)]))]);
    for (family, group) in findings.families() {
        let series = page.entry(family.name.to_string()).or_default();
        for (values, value) in group.samples() {
            let labels = family.labels.iter().map(ToString::to_string).zip(values.map(str::to_owned));
            let labels = labels.filter(|(_, value)| !value.is_empty()).collect();
            series.insert(labels, if let Value::Number(number) = value { *number } else { f64::NAN });
        }
    }
    page
}

/// A line of the list: `family` or `labels:family`, and the reason.
fn deviation(line: &str) -> Option<(&str, &str)> {
    let (what, reason) = line.split_once('\t')?;
    Some((what.strip_prefix("labels:").unwrap_or(what), reason))
}

fn names(series: &BTreeMap<Labels, f64>) -> BTreeSet<&String> {
    series.keys().flat_map(BTreeMap::keys).collect()
}

/// Compares both pages of one server; returns what is neither the same nor a deviation.
#[expect(clippy::print_stdout, reason = "how much is covered, for whoever runs the test")]
async fn differences(server: &RedisServer) -> Vec<String> {
    let deviations: BTreeSet<&str> = DEVIATIONS.lines().filter_map(deviation).map(|(family, _)| family).collect();
    let peer = Peer::of(server);
    let collector = of(server);
    // The commands of both are known to the server before they are compared.
    peer.page();
    ours(&collector).await;
    let before = peer.page();
    let our_page = ours(&collector).await;
    let after = peer.page();
    let mut different = Vec::new();
    let mut same = 0;
    for (family, series) in &before {
        if deviations.contains(family.as_str()) {
            continue;
        }
        let Some(our_series) = our_page.get(family) else {
            different.push(format!("{family} is missing"));
            continue;
        };
        if names(series) != names(our_series) {
            different.push(format!("{family} has {:?}, not {:?}", names(our_series), names(series)));
            continue;
        }
        same += 1;
        for (labels, value) in series {
            let Some(our_value) = our_series.get(labels) else {
                different.push(format!("{family}{labels:?} is missing"));
                continue;
            };
            let later = after[family].get(labels).copied().unwrap_or(*value);
            let between = (value.min(later) - 1.0..=value.max(later) + 1.0).contains(our_value);
            if !between && !our_value.is_nan() && !RESTLESS.iter().any(|prefix| family.starts_with(prefix)) {
                different.push(format!("{family}{labels:?} is {our_value}, not {value} to {later}"));
            }
        }
    }
    println!("{same} of {} families are the same, {} deviate", before.len(), before.len() - same - different.len());
    different
}

#[tokio::test]
async fn a_busy_server_looks_the_same() {
    let server = RedisServer::start(&[
        "--enable-debug-command",
        "yes",
        "--latency-monitor-threshold",
        "1",
        "--slowlog-log-slower-than",
        "10000",
        "--appendonly",
        "yes",
    ]);
    for key in 0..50 {
        server.ask_in(key % 3, &["SET", &key.to_string(), "x", "EX", "1000"]);
    }
    server.ask(&["GET", "0"]);
    server.ask(&["GET", "nope"]);
    server.ask(&["INCR"]);
    server.ask(&["BGSAVE"]);
    server.ask(&["DEBUG", "SLEEP", "0.02"]);
    assert_eq!(differences(&server).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_master_and_its_replica_look_the_same() {
    let (master, replica) = topology::pair();
    assert_eq!(differences(&master).await, Vec::<String>::new());
    assert_eq!(differences(&replica).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_cluster_node_looks_the_same() {
    assert_eq!(differences(&RedisServer::cluster()).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_sentinel_looks_the_same_but_has_no_databases() {
    let (master, _replica) = topology::pair();
    let different = differences(&topology::sentinel(&master)).await;
    // redis_exporter takes a Sentinel for a server with sixteen empty databases.
    let databases = ["redis_db_keys is missing", "redis_db_keys_expiring is missing"];
    assert_eq!(different, databases);
}

#[test]
fn every_deviation_has_its_reason() {
    for line in DEVIATIONS.lines() {
        let (family, reason) = deviation(line).unwrap();
        assert!(family.starts_with("redis_") && reason.ends_with('.'), "{line}");
    }
}
