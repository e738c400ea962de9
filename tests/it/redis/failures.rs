//! Servers that hang, lie, or are not there.

use std::thread;
use std::time::Duration;

use tokio::time::timeout;
use vitrin::collector::{Collector, Context, Paths, Reason};
use vitrin::collectors::redis::{KeyGroups, Redis};

use super::{collector, config, of};
use crate::support::broken::{Answer, Broken, refusing};
use crate::support::daemon::eventually;
use crate::support::found::Found;
use crate::support::process::connections_to;
use crate::support::redis::RedisServer;

/// As short a budget as a scrape may leave.
const BUDGET: Duration = Duration::from_millis(300);

/// The collector of a server that does everything wrong.
fn of_broken(server: &Broken) -> Redis {
    collector(&format!("url = 'redis://{}'", server.address()))
}

#[tokio::test]
async fn a_hung_server_costs_the_budget_and_comes_back_on_a_new_connection() {
    let server = RedisServer::start(&[]);
    let collector = of(&server);
    Found::by(&collector).await.unwrap();
    let connected = server.info("total_connections_received").parse::<u64>().unwrap();
    server.daemon.hang();
    for _ in 0..3 {
        assert!(timeout(BUDGET, Found::by(&collector)).await.is_err(), "a stopped server answered");
    }
    server.daemon.resume();
    Found::by(&collector).await.unwrap();
    assert!(server.info("total_connections_received").parse::<u64>().unwrap() > connected + 1);
}

#[tokio::test]
async fn runs_that_were_given_up_leave_no_file_open() {
    let server = RedisServer::start(&[]);
    let collector = of(&server);
    server.daemon.hang();
    for _ in 0..200 {
        assert!(timeout(Duration::from_millis(2), Found::by(&collector)).await.is_err());
    }
    let held = connections_to(server.port);
    assert!(held <= 1, "{held} connections are held");
}

#[tokio::test]
async fn a_giant_reply_is_refused_without_reading_it() {
    for answer in [Answer::then_close(b"$1000000000\r\n"), Answer::then_close(b"*1000000000\r\n")] {
        let failure = Found::by(&of_broken(&Broken::tcp(answer))).await.err().unwrap();
        assert_eq!(failure.reason, Reason::Limit, "{failure}");
    }
}

#[tokio::test]
async fn many_large_replies_are_refused_like_a_giant_one() {
    let info = format!("redis_version:7.0.15\r\n{}", "#".repeat(7 << 20));
    let reply = format!("${}\r\n{info}\r\n", info.len());
    let answer = Answer::then_close(Vec::leak(reply.repeat(20).into_bytes()));
    let failure = Found::by(&of_broken(&Broken::tcp(answer))).await.err().unwrap();
    assert_eq!(failure.reason, Reason::Limit, "{failure}");
}

#[tokio::test]
async fn replies_inside_replies_end_before_the_stack_does() {
    let nested = [b"*1\r\n".repeat(90_000).as_slice(), b":1\r\n"].concat();
    let answer = Answer::then_close(Vec::leak(nested.repeat(2)));
    let failure = Found::by(&of_broken(&Broken::tcp(answer))).await.err().unwrap();
    assert_eq!(failure.reason, Reason::Protocol, "{failure}");
}

#[tokio::test]
async fn what_is_no_redis_is_a_protocol_failure() {
    for answer in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
        b"+OK\r\n$3\r\nhey\r\n",
        b"$-1\r\n*-1\r\n",
        b"\xff\xff\xff\xff\r\n",
        b"+OK\r\n$30\r\nredis_version",
    ] {
        let failure = Found::by(&of_broken(&Broken::tcp(Answer::then_close(answer)))).await.err().unwrap();
        assert_eq!(failure.reason, Reason::Protocol, "{failure}");
    }
}

#[tokio::test]
async fn a_server_that_is_full_says_so() {
    let server = RedisServer::start(&[]);
    let mut only = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    redis::cmd("CONFIG").arg(&["SET", "maxclients", "1"]).exec(&mut only).unwrap();
    let failure = Found::by(&of(&server)).await.err().unwrap();
    assert_eq!(failure.reason, Reason::Connect, "{failure}");
}

#[tokio::test]
async fn text_that_is_not_utf_8_does_not_spoil_the_rest() {
    let server = RedisServer::start(&["--latency-monitor-threshold", "1"]);
    server.ask(&["EVAL", "return redis.error_reply('\\255\\254 oops')", "0"]);
    let found = Found::by(&of(&server)).await.unwrap();
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    assert!(found.len() > 100);
}

#[test]
fn a_server_that_loads_its_data_is_up_and_says_so() {
    let server = RedisServer::start(&[
        "--enable-debug-command",
        "yes",
        "--key-load-delay",
        "2000",
        "--loading-process-events-interval-bytes",
        "1024",
    ]);
    server.ask(&["EVAL", "for i = 1, 2000 do redis.call('SET', i, string.rep('x', 100)) end", "0"]);
    thread::scope(|scope| {
        scope.spawn(|| server.ask(&["DEBUG", "RELOAD"]));
        eventually("the server to load", || server.info("loading") == "1");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(Found::by(&of(&server))).unwrap();
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        assert_eq!(found.number("redis_loading_dump_file", &[]), 1.0);
    });
}

#[tokio::test]
async fn a_replica_that_refuses_stale_data_is_up_but_its_keys_are_not_counted() {
    let master = format!("127.0.0.1 {}", refusing().port());
    let server = RedisServer::start(&["--replicaof", &master, "--replica-serve-stale-data", "no"]);
    let found = Found::by(&of(&server)).await.unwrap();
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    let config = config(&format!("url = '{}'\nkey_groups.all.pattern = '*'", server.url()));
    let groups = KeyGroups::new(&config, &Context::new(Paths::default()));
    let failure = Found::by(&groups).await.err().unwrap();
    assert_eq!(failure.reason, Reason::Stale, "{failure}");
}
