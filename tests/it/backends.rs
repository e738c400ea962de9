//! `docs/backends.md`, applied to the real servers: what it asks for is enough, and none of it is too much.

mod unprivileged;

use std::fs;
use std::path::Path;
use std::process::Command;

use redis::Value;
use vitrin::collector::{Collector, Context, Paths, Reason};
use vitrin::collectors::mysql::{Digests, Mysql, Tables};
use vitrin::collectors::redis::{KeyGroups, Redis};

use crate::support::daemon::folder;
use crate::support::document::Document;
use crate::support::found::Found;
use crate::support::mariadb::{Database, is_mariadb};
use crate::support::redis::RedisServer;

/// Every block, each of which a test below applies.
const BLOCKS: [&str; 13] = [
    "error-log",
    "mariadb-grants",
    "mariadb-query-time",
    "mariadb-socket",
    "mysql",
    "nginx",
    "opcache",
    "password",
    "php-fpm-pool",
    "redis-key-groups",
    "redis-user",
    "sentinel-user",
    "user",
];

fn document() -> Document {
    Document::read("docs/backends.md")
}

fn collector<C: Collector>(config: &str) -> C
where
    C::Config: for<'de> serde::Deserialize<'de>,
{
    C::new(&toml::from_str(config).unwrap(), &Context::new(Paths::default()))
}

/// Runs each line of a block as the database's administrator.
async fn apply(database: &Database, block: &str) {
    database.run(&block.lines().collect::<Vec<_>>()).await;
}

/// What gives the account its rights.
fn grants(document: &Document) -> String {
    let block = document.block(if is_mariadb() { "mariadb-grants" } else { "mysql" });
    block.lines().filter(|line| line.starts_with("GRANT")).flat_map(|line| [line, "\n"]).collect()
}

/// A database with a table, and how its administrator and the documented account look at it.
async fn shop(options: &[&str]) -> (Database, [String; 2]) {
    let database = Database::start(options);
    let document = document();
    apply(&database, document.block("password")).await;
    apply(&database, &grants(&document)).await;
    database.run(&["CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY, n INT, KEY (n))"]).await;
    let file = database.daemon.folder().join("password");
    fs::write(&file, "PASSWORD\n").unwrap();
    let (socket, file) = (database.socket(), file.display().to_string());
    let of = |user, more| {
        format!("address = '{}'\nuser = '{user}'\ndigests = 5\ntransactions = true\n{more}", socket.display())
    };
    let configs = [of("root", String::new()), of("vitrin", format!("password = {{ file = '{file}' }}"))];
    (database, configs)
}

/// Names of all families, and gaps, of those who read the database.
async fn look(config: &str) -> (Vec<String>, Vec<Reason>) {
    let mut runs = vec![
        Found::by(&collector::<Mysql>(config)).await.unwrap(),
        Found::by(&collector::<Tables>(config)).await.unwrap(),
    ];
    // Without the right to read digests the whole job is down.
    runs.extend(Found::by(&collector::<Digests>(config)).await.ok());
    let names = runs.iter().flat_map(Found::names).collect();
    (names, runs.iter().flat_map(|found| found.gaps.iter().map(|gap| gap.reason)).collect())
}

#[test]
fn every_block_is_applied() {
    assert_eq!(document().names(), BLOCKS);
}

#[tokio::test]
async fn the_rights_in_the_database_are_enough_and_read_no_row_of_the_shop() {
    let (database, [administrator, config]) = shop(&["--performance-schema=ON", "--log-bin=bin"]).await;
    let _visitor = database.visitor().await;
    let all = look(&administrator).await;
    let failed = database.failed_statements().await;
    assert_eq!(look(&config).await, all);
    assert_eq!(all.1, []);
    assert_eq!(database.failed_statements().await, failed);
    let found = Found::by(&collector::<Tables>(&config)).await.unwrap();
    assert_eq!(found.number("mysql_tables", &[]), 1.0);

    let refused = database.run_as("vitrin", "PASSWORD", "SELECT * FROM shop.orders").await.unwrap_err();
    assert!(refused.to_string().contains("denied"), "{refused}");
}

#[tokio::test]
async fn each_right_in_the_database_has_its_use() {
    let (database, [_, config]) = shop(&["--performance-schema=ON"]).await;
    let replication = if is_mariadb() { "SLAVE MONITOR" } else { "REPLICATION CLIENT" };
    let _visitor = database.visitor().await;
    let (all, _) = look(&config).await;
    for (right, lost) in [
        (
            "PROCESS ON *.*",
            &["mysql_info_schema_processlist_", "mysql_info_schema_innodb_cmp", "mysql_open_", "mysql_deadlocks_"][..],
        ),
        // This server is no replica, and has nothing to lose.
        (&format!("{replication} ON *.*"), &[]),
        ("SHOW VIEW ON *.*", &["mysql_info_schema_table_"]),
        ("SELECT ON performance_schema.*", &["mysql_perf_schema_", "mysql_unused_index", "mysql_full_scan"]),
    ] {
        database.run(&[&format!("REVOKE {right} FROM vitrin@localhost")]).await;
        let (names, gaps) = look(&config).await;
        for lost in lost {
            let there = |names: &[String]| names.iter().any(|name| name.starts_with(lost));
            assert!(there(&all) && !there(&names), "{lost} without {right}");
        }
        // Tables that an account may not see are not refused, but not listed.
        assert_eq!(gaps.is_empty(), right.starts_with("SHOW VIEW"), "{right}: {gaps:?}");
        assert!(gaps.iter().all(|reason| *reason == Reason::Permission), "{right}: {gaps:?}");
        database.run(&[&format!("GRANT {right} TO vitrin@localhost")]).await;
    }
    database.run(&["REVOKE ALL PRIVILEGES, GRANT OPTION FROM vitrin@localhost"]).await;
    let found = Found::by(&collector::<Mysql>(&config)).await.unwrap();
    println!("{} series for an account without any right", found.len());
    assert!(found.len() > 800, "only {} series", found.len());
}

#[tokio::test]
async fn each_source_of_query_time_is_found_once_it_is_switched_on() {
    if !is_mariadb() {
        let (_database, [_, config]) = shop(&[]).await;
        let found = Found::by(&collector::<Mysql>(&config)).await.unwrap();
        assert!(found.number("mysql_statements_total", &[("source", "performance_schema")]) > 0.0);
        return;
    }
    let document = document();
    let block = document.block("mariadb-query-time").strip_prefix("[mariadb]\n# ").unwrap();
    let mut sources = Vec::new();
    for part in block.split("\n# ") {
        let (source, options) = part.split_once('\n').unwrap();
        let source = source.split(':').next().unwrap();
        let options: Vec<_> = options.lines().map(|line| format!("--{}", line.replace(' ', ""))).collect();
        let (database, [_, config]) = shop(&options.iter().map(String::as_str).collect::<Vec<_>>()).await;
        // Younger versions count the time themselves, and need no userstat.
        let itself = !database.ask("SHOW GLOBAL STATUS LIKE 'Query_time'").await.is_empty();
        let expected = if itself && source == "userstat" { "query_time" } else { source };
        let found = Found::by(&collector::<Mysql>(&config)).await.unwrap();
        assert!(found.gaps.is_empty(), "{source}: {:?}", found.gaps);
        assert!(found.number("mysql_statement_seconds_total", &[("source", expected)]) > 0.0, "{source}");
        sources.push(source);
    }
    assert_eq!(sources, ["performance_schema", "query_response_time", "userstat"]);
}

/// A Redis with the documented user, and how its configuration names it.
fn redis(document: &Document, home: &Path) -> (RedisServer, String) {
    let line = document.block("redis-user").trim_end();
    let (file, password) = (home.join("user.conf"), home.join("password"));
    fs::write(&file, format!("{line} {}", document.block("redis-key-groups"))).unwrap();
    fs::write(&password, "PASSWORD\n").unwrap();
    let server = RedisServer::start(&["--include", &file.display().to_string()]);
    let user = format!("user = 'vitrin'\npassword = {{ file = '{}' }}\n", password.display());
    (server, user)
}

#[tokio::test]
async fn the_redis_user_sees_all_and_may_change_nothing() {
    let (document, home) = (document(), folder());
    let (server, user) = redis(&document, home.path());
    server.ask(&["SET", "session:1", "x"]);
    let url = format!("url = '{}'\n", server.url());
    let all = Found::by(&collector::<Redis>(&url)).await.unwrap();
    let redis = collector::<Redis>(&format!("{url}{user}"));
    let first = Found::by(&redis).await.unwrap();
    let found = Found::by(&redis).await.unwrap();
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    assert_eq!(found.names(), all.names());
    let errors = "redis_total_error_replies";
    assert_eq!(found.number(errors, &[]), first.number(errors, &[]));

    let groups = format!("{url}{user}key_groups.sessions.pattern = 'session:*'");
    let found = Found::by(&collector::<KeyGroups>(&groups)).await.unwrap();
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    let labels = [("db", "db0"), ("key_group", "sessions")];
    assert_eq!(found.number("redis_key_group_count", &labels), 1.0);
    assert!(found.number("redis_key_group_memory_usage_bytes", &labels) > 0.0);

    for command in ["GET session:1", "SET session:1 y", "KEYS *", "CONFIG SET maxmemory 1", "SLOWLOG RESET", "FLUSHALL"]
    {
        let words: Vec<_> = ["ACL", "DRYRUN", "vitrin"].into_iter().chain(command.split(' ')).collect();
        let Value::BulkString(answer) = server.ask(&words) else { panic!("{command} is allowed") };
        assert!(String::from_utf8_lossy(&answer).contains("no permissions"), "{command}");
    }
}

#[tokio::test]
async fn the_sentinel_user_sees_its_masters() {
    let (document, home) = (document(), folder());
    let (master, user) = redis(&document, home.path());
    let sentinel = RedisServer::sentinel_with(master.port, document.block("sentinel-user"));
    let redis = collector::<Redis>(&format!("url = '{}'\n{user}", sentinel.url()));
    let found = Found::by(&redis).await.unwrap();
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    assert_eq!(found.number("redis_sentinel_master_ckquorum_status", &[("master_name", "shop")]), 1.0);
    assert!(found.names().contains("redis_sentinel_master_ok_sentinels"));
}

#[test]
fn the_user_is_made_and_in_the_group_of_the_sockets() {
    let root = folder();
    let etc = root.path().join("etc");
    fs::create_dir(&etc).unwrap();
    for (file, text) in [
        ("passwd", "root:x:0:0::/root:/bin/sh\n"),
        ("group", "root:x:0:\nwww-data:x:33:\n"),
        ("shadow", ""),
        ("gshadow", ""),
    ] {
        fs::write(etc.join(file), text).unwrap();
    }
    let [add, change] = ["useradd", "usermod"].map(|name| format!("{name} --prefix {}", root.path().display()));
    let commands = document().with("user", &[("useradd", &add), ("usermod", &change)]);
    let path = "/usr/sbin:/usr/bin:/sbin:/bin";
    let output = Command::new("sh").args(["-euc", &commands]).env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::read_to_string(etc.join("group")).unwrap().contains("www-data:x:33:vitrin\n"));
}
