//! A replica and its primary.

use std::time::Duration;

use vitrin::collectors::mysql::Mysql;

use super::{collector, config, make_account};
use crate::support::found::Found;
use crate::support::mariadb::{Database, is_mariadb};

/// Makes `replica` follow `primary` from where it is now.
async fn follow(primary: &Database, replica: &Database, connection: &str) {
    let position = if is_mariadb() { "SHOW MASTER STATUS" } else { "SHOW BINARY LOG STATUS" };
    let position = primary.ask(position).await;
    let (file, offset, port) = (&position[0][0], &position[0][1], primary.port());
    let change = if is_mariadb() {
        format!(
            "CHANGE MASTER {connection} TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='follower', \
             MASTER_PASSWORD='f', MASTER_LOG_FILE='{file}', MASTER_LOG_POS={offset}"
        )
    } else {
        format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, SOURCE_USER='follower', \
             SOURCE_PASSWORD='f', SOURCE_LOG_FILE='{file}', SOURCE_LOG_POS={offset}, GET_SOURCE_PUBLIC_KEY=1"
        )
    };
    let start = if is_mariadb() { format!("START SLAVE {connection}") } else { "START REPLICA".to_owned() };
    replica.run(&[&change, &start]).await;
}

#[tokio::test]
async fn a_replica_shows_its_state_under_the_old_names() {
    let primary = Database::start(&["--log-bin=bin"]);
    let replica = Database::start(&["--relay-log=relay"]);
    primary
        .run(&["CREATE USER follower@'%' IDENTIFIED BY 'f'", "GRANT REPLICATION SLAVE ON *.* TO follower@'%'"])
        .await;
    make_account(&replica).await;
    let connection = if is_mariadb() { "'east'" } else { "" };
    follow(&primary, &replica, connection).await;
    primary.run(&["CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY)"]).await;

    let mysql = collector::<Mysql>(&config(&replica, ""));
    let uuid = if is_mariadb() { String::new() } else { primary.ask("SELECT @@server_uuid").await[0][0].clone() };
    let labels = [
        ("master_host", "127.0.0.1"),
        ("master_uuid", uuid.as_str()),
        ("channel_name", ""),
        ("connection_name", connection.trim_matches('\'')),
    ];
    let caught_up = async {
        loop {
            let found = Found::by(&mysql).await.unwrap();
            let arrived = replica.ask("SHOW DATABASES LIKE 'shop'").await;
            if !arrived.is_empty() && found.get("mysql_slave_status_seconds_behind_master", &labels).is_some() {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(30), caught_up).await.expect("the replica catches up");
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    for (name, value) in [
        ("slave_io_running", 1.0),
        ("slave_sql_running", 1.0),
        ("last_errno", 0.0),
        ("sql_delay", 0.0),
        ("master_server_id", f64::from(primary.port())),
    ] {
        assert_eq!(found.number(&format!("mysql_slave_status_{name}"), &labels), value, "{name}");
    }
    let strangers: Vec<_> =
        found.names().into_iter().filter(|name| name.contains("_source") || name.contains("_replica_sql")).collect();
    assert!(strangers.iter().all(|name| !name.starts_with("mysql_slave_status_")), "{strangers:?}");

    let stop = if is_mariadb() { "STOP ALL SLAVES" } else { "STOP REPLICA" };
    replica.run(&[stop]).await;
    let found = Found::by(&mysql).await.unwrap();
    assert_eq!(found.number("mysql_slave_status_slave_sql_running", &labels), 0.0);
    assert!(found.get("mysql_slave_status_seconds_behind_master", &labels).is_none(), "unknown is absent");
}
