//! What a scrape finds, and what it costs.

use std::time::Duration;

use vitrin::collector::Reason;
use vitrin::collectors::mysql::Mysql;

use super::{collector, config, make_account};
use crate::support::found::Found;
use crate::support::mariadb::{Database, is_mariadb};

#[tokio::test]
async fn no_statement_fails_and_no_temporary_table_goes_to_disk() {
    let database = Database::start(&["--performance-schema=ON", "--log-bin=bin"]);
    make_account(&database).await;
    let failed = database.failed_statements().await;
    let mysql = collector::<Mysql>(&config(&database, "transactions = true"));
    Found::by(&mysql).await.unwrap();
    let (disk, connections) = (database.status("Created_tmp_disk_tables").await, database.status("Connections").await);
    let questions = database.status("Questions").await;
    for _ in 0..5 {
        let found = Found::by(&mysql).await.unwrap();
        assert!(found.gaps.is_empty() && found.dropped.is_empty(), "{:?} {:?}", found.gaps, found.dropped);
    }
    // Asking costs a connection and two or three questions of our own each time.
    let asked = database.status("Questions").await - questions;
    assert!(asked <= 5.0 * 11.0 + 12.0, "{asked} questions of five scrapes");
    assert_eq!(database.status("Created_tmp_disk_tables").await, disk);
    assert!(database.status("Connections").await <= connections + 5.0);
    assert_eq!(database.failed_statements().await, failed);
}

#[tokio::test]
async fn a_missing_privilege_is_a_gap_and_is_asked_for_once() {
    let database = Database::start(&["--performance-schema=ON"]);
    make_account(&database).await;
    database.run(&["REVOKE ALL PRIVILEGES, GRANT OPTION FROM vitrin@'%'"]).await;
    let mysql = collector::<Mysql>(&config(&database, ""));
    let first = Found::by(&mysql).await.unwrap();
    // A statement is counted after it is answered, the last one too.
    let busy = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'vitrin' AND command <> 'Sleep'";
    while database.ask(busy).await[0][0] != "0" {
        tokio::task::yield_now().await;
    }
    let failed = database.failed_statements().await;
    let second = Found::by(&mysql).await.unwrap();
    assert_eq!(database.failed_statements().await, failed);
    for found in [&first, &second] {
        assert!(found.gaps.len() >= 4, "{:?}", found.gaps);
        for gap in &found.gaps {
            assert_eq!(gap.reason, Reason::Permission, "{gap}");
        }
        assert!(found.number("mysql_global_status_uptime", &[]) >= 0.0);
        assert!(!found.names().contains("mysql_info_schema_processlist_threads"));
    }
}

#[tokio::test]
async fn threads_connections_and_statements_are_counted() {
    let database = Database::start(&["--performance-schema=ON", "--max-connections=50"]);
    make_account(&database).await;
    let mysql = collector::<Mysql>(&config(&database, ""));
    Found::by(&mysql).await.unwrap();
    let sleeper = database.run(&["DO SLEEP(1)"]);
    let watch = async {
        loop {
            let found = Found::by(&mysql).await.unwrap();
            let labels = [("command", "query"), ("state", "user_sleep")];
            if found.get("mysql_info_schema_processlist_threads", &labels).is_some() {
                return found;
            }
        }
    };
    let (found, ()) = tokio::join!(watch, sleeper);
    let connected = found.number("mysql_global_status_threads_connected", &[]);
    assert_eq!(found.number("mysql_connections_used_ratio", &[]), connected / 50.0);
    let source = [("source", "performance_schema")];
    let after = Found::by(&mysql).await.unwrap();
    let seconds = |found: &Found| found.number("mysql_statement_seconds_total", &source);
    let statements = after.number("mysql_statements_total", &source);
    assert!(seconds(&after) - seconds(&found) >= 0.5, "the sleep is a statement");
    assert_eq!(after.number("mysql_statement_mean_seconds", &source), seconds(&after) / statements);
}

/// What is found once this source holds a sleep of 0.3 s: a server may count a connection's time when it has ended.
async fn slept(mysql: &Mysql, source: &str) -> Found {
    let watch = async {
        loop {
            let found = Found::by(mysql).await.unwrap();
            if found.number("mysql_statement_seconds_total", &[("source", source)]) >= 0.3 {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), watch).await.expect("the sleep is counted")
}

#[tokio::test]
async fn without_performance_schema_query_time_comes_from_the_next_best_source() {
    if !is_mariadb() {
        let database = Database::start(&["--performance-schema=OFF"]);
        make_account(&database).await;
        let found = Found::by(&collector::<Mysql>(&config(&database, ""))).await.unwrap();
        assert!(!found.names().contains("mysql_statements_total"), "nothing measures it");
        return;
    }
    let database = Database::start(&["--userstat=ON"]);
    make_account(&database).await;
    // Younger versions count the time themselves.
    let itself = !database.ask("SHOW GLOBAL STATUS LIKE 'Query_time'").await.is_empty();
    let mysql = collector::<Mysql>(&config(&database, ""));
    database.run(&["DO SLEEP(0.3)"]).await;
    slept(&mysql, if itself { "query_time" } else { "userstat" }).await;

    database.run(&["INSTALL SONAME 'query_response_time'", "SET GLOBAL query_response_time_stats = ON"]).await;
    database.run(&["DO SLEEP(0.3)"]).await;
    let found = slept(&mysql, "query_response_time").await;
    assert!(found.get("mysql_info_schema_query_response_time_seconds", &[]).is_some());

    database.run(&["SET GLOBAL query_response_time_stats = OFF", "SET GLOBAL userstat = OFF"]).await;
    let found = Found::by(&mysql).await.unwrap();
    assert_eq!(found.names().contains("mysql_statements_total"), itself);
}
