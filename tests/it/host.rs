//! The host collector beside `node_exporter`, on the machine that runs the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vitrin::collector::{Collector, Context, Paths};
use vitrin::collectors::host::{Config, Host};
use vitrin::metric::Kind;
use vitrin::snapshot::{Snapshot, Value};

use crate::support::node_exporter::NodeExporter;

/// Families that differ, with the reason.
const DEVIATIONS: &str = include_str!("deviations/host.tsv");

/// How often we look: what merely moved between two readings agrees at least once.
const LOOKS: usize = 10;

/// Families that count the very connection by which we ask the peer; between its two pages, we have none.
const SEES_ITSELF: [&str; 4] =
    ["node_netstat_Tcp_CurrEstab", "node_sockstat_TCP_alloc", "node_sockstat_TCP_inuse", "node_sockstat_sockets_used"];

/// A page: type and series of each family. An empty label is, in Prometheus, an absent one, and left out here.
type Page = BTreeMap<String, (String, BTreeMap<Labels, f64>)>;
type Labels = BTreeMap<String, String>;

#[tokio::test]
async fn all_that_node_exporter_shows_is_there_with_the_same_labels_types_and_values() {
    let peer = NodeExporter::start();
    let host = Host::new(&Config::default(), &Context::new(Paths::default()));
    let deviations: BTreeMap<_, _> = DEVIATIONS.lines().filter_map(|line| line.split_once('\t')).collect();
    let mut differing: Option<BTreeMap<String, String>> = None;
    for _ in 0..LOOKS {
        let before = parse(&peer.page());
        let ours = ours(&host).await;
        let after = parse(&peer.page());
        let families: Vec<_> = before.keys().filter(|family| family.starts_with("node_")).collect();
        let there = families.iter().filter(|family| ours.contains_key(**family)).count();
        println!("host: {there} of node_exporter's {} families, {} in all", families.len(), ours.len());
        let suspects = families.into_iter().filter(|family| !deviations.contains_key(family.as_str()));
        let suspects = suspects.filter(|family| differing.as_ref().is_none_or(|seen| seen.contains_key(*family)));
        differing = Some(
            suspects.filter_map(|family| Some((family.clone(), difference(family, &before, &ours, &after)?))).collect(),
        );
    }
    let differing = differing.unwrap();
    assert!(differing.is_empty(), "{} families differ: {differing:#?}", differing.len());
}

/// What is different about a family, if anything is.
fn difference(family: &str, before: &Page, ours: &Page, after: &Page) -> Option<String> {
    let (peer_kind, peer_series) = &before[family];
    let Some((kind, series)) = ours.get(family) else { return Some("not there".to_owned()) };
    // What the peer leaves untyped we have reviewed; what it calls gauge and only ever counts is a counter.
    let is_corrected = peer_kind == "untyped" || family.starts_with("node_nf_conntrack_stat_");
    if kind != peer_kind && !is_corrected {
        return Some(format!("is a {kind}, not a {peer_kind}"));
    }
    // Debian's patched 1.5 leaves `lo` out of `netdev`.
    let count = |series: &BTreeMap<Labels, f64>| {
        series.keys().filter(|labels| labels.get("device").is_none_or(|device| device != "lo")).count()
    };
    if count(series) > count(peer_series) {
        return Some(format!("has {:?}, the peer {:?}", series.keys(), peer_series.keys()));
    }
    for (labels, value) in peer_series {
        // A newer version may have more labels: those of the older one are then part of ours.
        let is_ours = |ours: &&Labels| labels.iter().all(|(name, value)| ours.get(name) == Some(value));
        let Some(value_of_ours) = series.get(labels).or_else(|| series.get(series.keys().find(is_ours)?)) else {
            return Some(format!("{labels:?} is not there, but {:?}", series.keys().collect::<Vec<_>>()));
        };
        let later = after.get(family).and_then(|(_, series)| series.get(labels)).unwrap_or(value);
        if !is_between(*value, *value_of_ours, *later) && !SEES_ITSELF.contains(&family) {
            return Some(format!("{labels:?} is {value_of_ours}, not between {value} and {later}"));
        }
    }
    None
}

/// Whether a value lies between two readings of it, or, for one that goes up and down, within a few percent.
fn is_between(before: f64, value: f64, after: f64) -> bool {
    let slack = 1e-9 + 0.05 * before.abs().max(after.abs());
    (before.min(after) - slack..=before.max(after) + slack).contains(&value)
}

async fn ours(host: &Host) -> Page {
    let mut out = Snapshot::default();
    host.collect(&mut out).await.unwrap();
    let (findings, gaps, dropped) = out.finish();
    assert!(gaps.is_empty() && dropped.is_empty(), "{gaps:?} {dropped:?}");
    let mut page = Page::new();
    for (family, group) in findings.families() {
        let kind = if family.kind == Kind::Unknown { "untyped" } else { family.kind.as_str() };
        let (_, series) = page.entry(family.name.to_string()).or_insert_with(|| (kind.to_owned(), BTreeMap::new()));
        for (values, value) in group.samples() {
            let Value::Number(number) = value else { panic!("{value:?}") };
            let labels = family.labels.iter().map(ToString::to_string).zip(values.map(str::to_owned));
            series.insert(labels.filter(|(_, value)| !value.is_empty()).collect(), *number);
        }
    }
    page
}

fn parse(text: &str) -> Page {
    let mut page = Page::new();
    for line in text.lines() {
        if let Some((family, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            page.insert(family.to_owned(), (kind.to_owned(), BTreeMap::new()));
        } else if line.starts_with("node_") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (family, labels) = series.split_once('{').unwrap_or((series, "}"));
            let series = &mut page.get_mut(family).unwrap().1;
            series.insert(parse_labels(labels), value.parse().unwrap());
        }
    }
    page
}

/// `a="b",c="d"}`, in which no value of this machine holds a quotation mark.
fn parse_labels(text: &str) -> Labels {
    let mut labels = Labels::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').unwrap();
        if !value.is_empty() {
            labels.insert(name.trim_start_matches(',').to_owned(), value.to_owned());
        }
        rest = after;
    }
    labels
}

#[tokio::test]
async fn without_procfs_the_host_is_down_and_without_sysfs_it_is_not() {
    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().join("nowhere");
    let host = |paths| Host::new(&Config::default(), &Context::new(paths));
    let without_proc = Paths { proc: nowhere.clone(), ..Paths::default() };
    let failure = host(without_proc).collect(&mut Snapshot::default()).await.unwrap_err();
    assert_eq!(failure.to_string(), format!("`{}` is not there", nowhere.display()));

    let page = ours(&host(Paths { sys: nowhere, ..Paths::default() })).await;
    let successes = &page["node_scrape_collector_success"].1;
    let success = |part: &str| successes[&BTreeMap::from([("collector".to_owned(), part.to_owned())])];
    assert_eq!((success("netclass"), success("meminfo")), (0.0, 1.0));
}

#[tokio::test]
async fn every_name_of_a_run_is_declared() {
    let host = Host::new(&Config::default(), &Context::new(Paths::default()));
    let declared: BTreeSet<_> =
        Host::METRICS.iter().flat_map(|part| part.families()).map(|family| family.name.to_string()).collect();
    let found: BTreeSet<_> = ours(&host).await.into_keys().collect();
    let undeclared: Vec<_> = found.difference(&declared).collect();
    assert!(undeclared.is_empty(), "{undeclared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrapes_at_the_same_time_leave_no_threads_behind() {
    let host = Arc::new(Host::new(&Config::default(), &Context::new(Paths::default())));
    let runs = (0..50).map(|_| {
        let host = host.clone();
        async move {
            let mut out = Snapshot::default();
            host.collect(&mut out).await.unwrap();
        }
    });
    futures_util::future::join_all(runs).await;
    crate::support::daemon::eventually("the host's threads to end", || {
        let threads = std::fs::read_dir("/proc/self/task").unwrap();
        threads
            .filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")).ok())
            .all(|name| !name.starts_with("host-"))
    });
}
