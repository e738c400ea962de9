//! The redis collector against real servers.

mod access;
mod failures;
mod key_groups;
mod peer;
mod topology;

use vitrin::collector::{Collector, Context, Paths};
use vitrin::collectors::redis::{Config, Redis};

use crate::support::daemon::eventually;
use crate::support::found::Found;
use crate::support::redis::RedisServer;

/// Of a server that can be made slow and notes it.
const NOTES_WHAT_IS_SLOW: [&str; 6] =
    ["--enable-debug-command", "yes", "--latency-monitor-threshold", "1", "--slowlog-log-slower-than", "10000"];

/// A target's configuration.
fn config(text: &str) -> Config {
    toml::from_str(text).unwrap()
}

/// The collector of one target.
fn collector(text: &str) -> Redis {
    Redis::new(&config(text), &Context::new(Paths::default()))
}

/// The collector of a server without password.
fn of(server: &RedisServer) -> Redis {
    collector(&format!("url = '{}'", server.url()))
}

#[tokio::test]
async fn hits_misses_keys_and_limits_are_those_of_the_server() {
    let server = RedisServer::start(&["--maxmemory", "64mb", "--maxclients", "321", "--databases", "5"]);
    for (db, key) in [(0, "a"), (0, "b"), (3, "c")] {
        server.ask_in(db, &["SET", key, "1", "EX", "1000"]);
    }
    eventually("the server to have looked at what expires", || !server.info("db3").contains("avg_ttl=0"));
    for key in ["a", "b", "a", "nope"] {
        server.ask(&["GET", key]);
    }
    let found = Found::by(&of(&server)).await.unwrap();
    assert!(found.gaps.is_empty() && found.dropped.is_empty(), "{:?} {:?}", found.gaps, found.dropped);
    assert_eq!(found.number("redis_keyspace_hit_ratio", &[]), 0.75);
    for (db, keys) in [("db0", 2.0), ("db3", 1.0), ("db4", 0.0)] {
        assert_eq!(found.number("redis_db_keys", &[("db", db)]), keys, "{db}");
    }
    assert!(found.get("redis_db_keys", &[("db", "db5")]).is_none());
    assert!((998.0..=1000.0).contains(&found.number("redis_db_avg_ttl_seconds", &[("db", "db3")])));
    assert_eq!(found.number("redis_config_maxclients", &[]), 321.0);
    assert_eq!(found.number("redis_memory_max_bytes", &[]), 67_108_864.0);
    assert_eq!(found.number("redis_commands_total", &[("cmd", "get")]), 4.0);
}

#[tokio::test]
async fn evictions_are_counted() {
    let server = RedisServer::start(&["--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru"]);
    let value = "x".repeat(100_000);
    for key in 0..100 {
        server.ask(&["SET", &key.to_string(), &value]);
    }
    let found = Found::by(&of(&server)).await.unwrap();
    assert!(found.number("redis_evicted_keys_total", &[]) > 50.0);
    assert!(found.get("redis_keyspace_hit_ratio", &[]).is_none(), "there were no lookups");
}

#[tokio::test]
async fn slow_commands_and_latencies_are_reported() {
    let server = RedisServer::start(&NOTES_WHAT_IS_SLOW);
    server.ask(&["DEBUG", "SLEEP", "0.02"]);
    let found = Found::by(&of(&server)).await.unwrap();
    let near = |name, labels: &[(&str, &str)]| (0.02..0.2).contains(&found.number(name, labels));
    assert!(near("redis_last_slow_execution_duration_seconds", &[]));
    assert!(near("redis_latency_spike_duration_seconds", &[("event_name", "command")]));
    assert_eq!(found.number("redis_slowlog_length", &[]), 1.0);
    assert!(found.get("redis_commands_latencies_usec", &[("cmd", "debug")]).is_some());
    assert!(found.get("redis_latency_percentiles_usec", &[("cmd", "debug")]).is_some());
}

#[tokio::test]
async fn a_scrape_is_one_round_trip_on_one_connection_and_fails_no_command() {
    let server = RedisServer::start(&[]);
    let collector = of(&server);
    Found::by(&collector).await.unwrap();
    let first = Found::by(&collector).await.unwrap();
    for _ in 0..20 {
        Found::by(&collector).await.unwrap();
    }
    let last = Found::by(&collector).await.unwrap();
    for name in ["redis_connections_received_total", "redis_total_error_replies"] {
        assert_eq!(last.number(name, &[]), first.number(name, &[]), "{name}");
    }
}

#[tokio::test]
async fn a_server_that_closes_idle_connections_is_connected_to_anew() {
    let server = RedisServer::start(&[]);
    let collector = of(&server);
    Found::by(&collector).await.unwrap();
    server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    eventually("the connection to be gone", || server.info("connected_clients") == "1");
    // The runtime has not looked at the socket meanwhile.
    tokio::task::yield_now().await;
    Found::by(&collector).await.unwrap();
}
