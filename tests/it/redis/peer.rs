//! Side by side with `redis_exporter`, on every kind of server there is: each family it shows, with labels and values.

use std::collections::BTreeMap;

use super::{NOTES_WHAT_IS_SLOW, topology};
use crate::support::differential::{Deviations, Differential};
use crate::support::exporter::Exporter;
use crate::support::peers::Peer;
use crate::support::redis::RedisServer;

const NONE: BTreeMap<String, String> = BTreeMap::new();

/// What is neither the same nor a deviation.
fn differences(server: &RedisServer) -> BTreeMap<String, String> {
    let exporter = Exporter::start(&format!("[redis.targets.main]\nurl = '{}'\n", server.url()));
    // Named in the list of drop-in names, though redis_exporter has it off.
    let peer = Peer::redis(&server.url(), &["--include-system-metrics"]);
    let deviations = Deviations::of("redis");
    let (ours, peer) = (|| exporter.scrape(), || peer.page());
    Differential { prefix: "redis_", families: 50, ours: &ours, peer: &peer, deviations }.problems()
}

#[test]
fn a_busy_server_looks_the_same() {
    let server = RedisServer::start(&[&NOTES_WHAT_IS_SLOW[..], &["--appendonly", "yes"]].concat());
    for key in 0..50 {
        server.ask_in(key % 3, &["SET", &key.to_string(), "x", "EX", "1000"]);
    }
    server.ask(&["GET", "0"]);
    server.ask(&["GET", "nope"]);
    server.ask(&["INCR"]);
    server.ask(&["BGSAVE"]);
    server.ask(&["DEBUG", "SLEEP", "0.02"]);
    assert_eq!(differences(&server), NONE);
}

#[test]
fn a_master_and_its_replica_look_the_same() {
    let (master, replica) = topology::pair();
    assert_eq!(differences(&master), NONE);
    assert_eq!(differences(&replica), NONE);
}

#[test]
fn a_cluster_node_looks_the_same() {
    assert_eq!(differences(&RedisServer::cluster()), NONE);
}

#[test]
fn a_sentinel_looks_the_same_but_has_no_databases() {
    let (master, _replica) = topology::pair();
    // redis_exporter takes a Sentinel for a server with sixteen empty databases.
    let databases = ["redis_db_keys", "redis_db_keys_expiring"].map(|family| (family.to_owned(), "missing".to_owned()));
    assert_eq!(differences(&topology::sentinel(&master)), BTreeMap::from(databases));
}
