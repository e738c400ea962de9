//! Key groups: counted in batches, within limits.

use vitrin::collector::{Collector, Context, Paths, Reason};
use vitrin::collectors::redis::KeyGroups;

use super::config;
use crate::support::found::Found;
use crate::support::redis::RedisServer;

fn groups(server: &RedisServer, text: &str) -> KeyGroups {
    let config = config(&format!("url = '{}'\n{text}", server.url()));
    assert!(KeyGroups::wanted(&config));
    KeyGroups::new(&config, &Context::new(Paths::default()))
}

/// A server with 2,000 sessions, 300 carts in database 2, and one key in no group.
fn shop() -> RedisServer {
    let server = RedisServer::start(&[]);
    let fill = "for i = 1, ARGV[2] do redis.call('SET', ARGV[1] .. i, string.rep('x', 100)) end";
    server.ask(&["EVAL", fill, "0", "session:", "2000"]);
    server.ask_in(2, &["EVAL", fill, "0", "cart:", "300"]);
    server.ask(&["SET", "other", "1"]);
    server
}

#[tokio::test]
async fn groups_are_counted_and_weighed() {
    let server = shop();
    let collector = groups(
        &server,
        "key_groups.sessions.pattern = 'session:*'\n\
         key_groups.carts = { pattern = 'cart:*', db = 2 }\n\
         key_groups.none.pattern = 'none:*'",
    );
    let found = Found::by(&collector).await.unwrap();
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    for (db, group, keys) in [("db0", "sessions", 2000.0), ("db2", "carts", 300.0), ("db0", "none", 0.0)] {
        let labels = [("db", db), ("key_group", group)];
        assert_eq!(found.number("redis_key_group_count", &labels), keys, "{group}");
        assert_eq!(found.number("redis_key_group_scan_complete", &labels), 1.0, "{group}");
        let bytes = found.number("redis_key_group_memory_usage_bytes", &labels);
        assert!((keys * 100.0..=keys * 300.0).contains(&bytes), "{group}: {bytes}");
    }
    // Slow jobs close their connection.
    assert_eq!(server.info("connected_clients"), "1");
}

#[tokio::test]
async fn a_scan_that_reached_its_limit_says_so() {
    let server = shop();
    let labels = [("db", "db0"), ("key_group", "sessions")];
    for limit in ["max_keys = 600", "time = '1ms'"] {
        let text = format!("key_groups.sessions.pattern = 'session:*'\nkey_group_scan = {{ {limit}, memory = false }}");
        let found = Found::by(&groups(&server, &text)).await.unwrap();
        assert_eq!(found.number("redis_key_group_scan_complete", &labels), 0.0, "{limit}");
        assert!(found.number("redis_key_group_count", &labels) < 1500.0, "{limit}");
        assert!(found.get("redis_key_group_memory_usage_bytes", &labels).is_none());
    }
}

#[tokio::test]
async fn without_the_right_to_weigh_keys_they_are_still_counted() {
    let server = shop();
    server.ask(&["ACL", "SETUSER", "vitrin", "on", "nopass", "-@all", "+info", "+scan"]);
    let text = "user = 'vitrin'\nkey_groups.sessions.pattern = 'session:*'";
    let found = Found::by(&groups(&server, text)).await.unwrap();
    let labels = [("db", "db0"), ("key_group", "sessions")];
    assert_eq!(found.number("redis_key_group_count", &labels), 2000.0);
    assert!(found.get("redis_key_group_memory_usage_bytes", &labels).is_none());
    assert_eq!(found.gaps.iter().map(|gap| gap.reason).collect::<Vec<_>>(), [Reason::Permission]);

    server.ask(&["ACL", "SETUSER", "vitrin", "-scan"]);
    let failure = Found::by(&groups(&server, text)).await.err().unwrap();
    assert_eq!(failure.reason, Reason::Permission, "{failure}");
}
