//! Replicas, Sentinels and cluster nodes.

use super::of;
use crate::support::daemon::eventually;
use crate::support::found::Found;
use crate::support::redis::RedisServer;

/// A master and its replica, with the link between them up.
pub(super) fn pair() -> (RedisServer, RedisServer) {
    let master = RedisServer::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {}", master.port)]);
    eventually("the replica to be in step", || {
        replica.info("master_link_status") == "up" && master.info("slave0").contains("state=online")
    });
    (master, replica)
}

/// A Sentinel of `master` that has found its replica.
pub(super) fn sentinel(master: &RedisServer) -> RedisServer {
    let sentinel = RedisServer::sentinel(master.port);
    eventually("the Sentinel to find the replica", || sentinel.info("master0").contains("slaves=1"));
    sentinel
}

#[tokio::test]
async fn a_pair_sees_each_other_and_a_lost_master_is_down() {
    let (mut master, replica) = pair();
    let found = Found::by(&of(&master)).await.unwrap();
    let port = replica.port.to_string();
    let labels = [("slave_ip", "127.0.0.1"), ("slave_port", port.as_str()), ("slave_state", "online")];
    assert!(found.number("redis_connected_slave_offset_bytes", &labels) >= 0.0);
    assert_eq!(found.number("redis_connected_slaves", &[]), 1.0);

    let collector = of(&replica);
    let found = Found::by(&collector).await.unwrap();
    let port = master.port.to_string();
    let labels = [("master_host", "127.0.0.1"), ("master_port", port.as_str())];
    assert_eq!(found.number("redis_master_link_up", &labels), 1.0);
    assert!(found.get("redis_connected_slave_lag_seconds", &labels).is_none());

    master.daemon.kill();
    eventually("the replica to notice", || replica.info("master_link_status") == "down");
    let found = Found::by(&collector).await.unwrap();
    assert_eq!(found.number("redis_master_link_up", &labels), 0.0);
}

#[tokio::test]
async fn a_sentinel_shows_its_masters() {
    let (master, _replica) = pair();
    let sentinel = sentinel(&master);
    let found = Found::by(&of(&sentinel)).await.unwrap();
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    let address = format!("127.0.0.1:{}", master.port);
    let labels = [("master_name", "shop"), ("master_address", address.as_str())];
    for (name, value) in [
        ("redis_sentinel_master_slaves", 1.0),
        ("redis_sentinel_master_ok_slaves", 1.0),
        ("redis_sentinel_master_ok_sentinels", 1.0),
        ("redis_sentinel_master_setting_ckquorum", 1.0),
    ] {
        assert_eq!(found.number(name, &labels), value, "{name}");
    }
    assert_eq!(found.number("redis_sentinel_master_ckquorum_status", &[("master_name", "shop")]), 1.0);
    assert_eq!(found.number("redis_sentinel_masters", &[]), 1.0);
    let errors = |found: &Found| found.number("redis_total_error_replies", &[]);
    let collector = of(&sentinel);
    let (first, second) = (Found::by(&collector).await.unwrap(), Found::by(&collector).await.unwrap());
    assert_eq!(errors(&first), errors(&second));
}

#[tokio::test]
async fn a_cluster_node_shows_its_cluster() {
    let node = RedisServer::cluster();
    eventually("the cluster to be complete", || {
        let redis::Value::BulkString(text) = node.ask(&["CLUSTER", "INFO"]) else { panic!("no text") };
        String::from_utf8(text).unwrap().contains("cluster_state:ok")
    });
    let found = Found::by(&of(&node)).await.unwrap();
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    assert_eq!(found.number("redis_cluster_state", &[]), 1.0);
    assert_eq!(found.number("redis_cluster_slots_ok", &[]), 16384.0);
    assert_eq!(found.number("redis_db_keys", &[("db", "db0")]), 0.0);
    assert!(found.get("redis_db_keys", &[("db", "db1")]).is_none());
}
