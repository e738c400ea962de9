//! Side by side with `redis_exporter`, on servers of every kind: each family it shows, with its labels and its values.

use super::topology;
use crate::support::differential::{Deviations, Differential};
use crate::support::exporter::Exporter;
use crate::support::peers::Peer;
use crate::support::redis::RedisServer;

/// What differs and is not meant to.
fn differences(server: &RedisServer) -> Vec<String> {
    let exporter = Exporter::start(&format!("[redis.targets.main]\nurl = '{}'\n", server.url()));
    // Named in the list of drop-in names, though redis_exporter has it off.
    let peer = Peer::redis(&server.url(), &["--include-system-metrics"]);
    // The commands of both are known to the server before they are compared.
    peer.page();
    exporter.scrape();
    let before = exporter.scrape();
    let theirs = peer.page();
    let after = exporter.scrape();
    let deviations = Deviations::of("redis");
    let compared = Differential { prefixes: &["redis_"], before: &before, peer: &theirs, after: &after, deviations };
    compared.report().problems
}

#[test]
fn a_busy_server_looks_the_same() {
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
    assert_eq!(differences(&server), Vec::<String>::new());
}

#[test]
fn a_master_and_its_replica_look_the_same() {
    let (master, replica) = topology::pair();
    assert_eq!(differences(&master), Vec::<String>::new());
    assert_eq!(differences(&replica), Vec::<String>::new());
}

#[test]
fn a_cluster_node_looks_the_same() {
    assert_eq!(differences(&RedisServer::cluster()), Vec::<String>::new());
}

#[test]
fn a_sentinel_looks_the_same_but_has_no_databases() {
    let (master, _replica) = topology::pair();
    let different = differences(&topology::sentinel(&master));
    // redis_exporter takes a Sentinel for a server with sixteen empty databases.
    assert_eq!(different, ["redis_db_keys: missing", "redis_db_keys_expiring: missing"]);
}
