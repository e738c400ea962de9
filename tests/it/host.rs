//! The host collector on the machine that runs the tests.

mod mdadm;
mod systemd;

use std::collections::BTreeSet;
use std::sync::Arc;

use vitrin::collector::{Collector, Context, Paths};
use vitrin::collectors::host::{Config, Host};
use vitrin::snapshot::Snapshot;

use crate::support::daemon::eventually;
use crate::support::found::Found;

/// A run without a gap.
async fn whole(host: &Host) -> Found {
    let found = Found::by(host).await.unwrap();
    assert!(found.gaps.is_empty() && found.dropped.is_empty(), "{:?} {:?}", found.gaps, found.dropped);
    found
}

#[tokio::test]
async fn without_procfs_the_host_is_down_and_without_sysfs_it_is_not() {
    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().join("nowhere");
    let host = |paths| Host::new(&Config::default(), &Context::new(paths));
    let without_proc = Paths { proc: nowhere.clone(), ..Paths::default() };
    let failure = host(without_proc).collect(&mut Snapshot::default()).await.unwrap_err();
    assert_eq!(failure.to_string(), format!("`{}` is not there", nowhere.display()));

    let found = whole(&host(Paths { sys: nowhere, ..Paths::default() })).await;
    let success = |part: &str| found.number("node_scrape_collector_success", &[("collector", part)]);
    assert_eq!((success("netclass"), success("meminfo")), (0.0, 1.0));
}

#[tokio::test]
async fn every_name_of_a_run_is_declared() {
    let host = Host::new(&Config::default(), &Context::new(Paths::default()));
    let declared: BTreeSet<_> =
        Host::METRICS.iter().flat_map(|part| part.families()).map(|family| family.name.to_string()).collect();
    let found = whole(&host).await.names();
    assert!(found.len() > 150, "{found:?}");
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
    eventually("the host's threads to end", || {
        let threads = std::fs::read_dir("/proc/self/task").unwrap();
        threads
            .filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")).ok())
            .all(|name| !name.starts_with("host-"))
    });
}
