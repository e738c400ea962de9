//! Tables and digests.

use vitrin::collectors::mysql::{Digests, Tables};

use super::{collector, config, make_account};
use crate::support::found::Found;
use crate::support::mariadb::Database;

async fn shop() -> Database {
    let database = Database::start(&["--performance-schema=ON"]);
    make_account(&database).await;
    database
        .run(&[
            "CREATE DATABASE shop",
            "USE shop",
            "CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, status VARCHAR(20), total INT, KEY by_status (status), \
             KEY by_total (total))",
            "CREATE TABLE drawer (id INT PRIMARY KEY)",
            "INSERT INTO orders (status, total) VALUES ('new', 1), ('paid', 2), ('paid', 3)",
            "SELECT COUNT(*) FROM orders FORCE INDEX (by_status) WHERE status = 'paid'",
            "SELECT COUNT(*) FROM orders IGNORE INDEX (by_total) WHERE total > 1",
            "SELECT id FROM drawer",
        ])
        .await;
    database
}

#[tokio::test]
async fn tables_have_sizes_and_indexes_that_nobody_reads_are_named() {
    let database = shop().await;
    let found = Found::by(&collector::<Tables>(&config(&database, ""))).await.unwrap();
    assert!(found.gaps.is_empty() && found.dropped.is_empty(), "{:?}", found.gaps);
    let orders = |component| [("schema", "shop"), ("table", "orders"), ("component", component)];
    assert_eq!(found.number("mysql_info_schema_table_size", &orders("data_length")), 16384.0);
    assert_eq!(found.number("mysql_info_schema_table_size", &orders("index_length")), 32768.0);
    assert_eq!(found.number("mysql_tables", &[]), 2.0);
    assert_eq!(found.number("mysql_unused_indexes", &[]), 1.0);
    let unused = [("schema", "shop"), ("table", "orders"), ("index", "by_total")];
    assert_eq!(found.number("mysql_unused_index_info", &unused), 1.0);
    assert!(found.number("mysql_full_scan_statements_total", &[]) >= 1.0);

    let found = Found::by(&collector::<Tables>(&config(&database, "tables = 1"))).await.unwrap();
    assert!(found.get("mysql_info_schema_table_rows", &[("schema", "shop"), ("table", "orders")]).is_some());
    assert!(found.get("mysql_info_schema_table_rows", &[("schema", "other"), ("table", "other")]).is_some());
    assert!(found.get("mysql_info_schema_table_rows", &[("schema", "shop"), ("table", "drawer")]).is_none());
}

#[tokio::test]
async fn digests_and_the_rest_part_all_statements() {
    let database = shop().await;
    let digests = collector::<Digests>(&config(&database, "digests = 2"));
    let found = Found::by(&digests).await.unwrap();
    assert!(found.gaps.is_empty() && found.dropped.is_empty(), "{:?}", found.gaps);
    assert_eq!(found.len(), 13 * 3);
    let other = [("schema", "other"), ("digest", "other"), ("digest_text", "other")];
    assert!(found.number("mysql_perf_schema_events_statements_total", &other) >= 1.0);
    assert!(found.number("mysql_perf_schema_events_statements_seconds_total", &other) > 0.0);
}

#[tokio::test]
async fn a_server_without_performance_schema_has_sizes_alone() {
    let database = Database::start(&["--performance-schema=OFF"]);
    make_account(&database).await;
    let found = Found::by(&collector::<Digests>(&config(&database, "digests = 2"))).await.unwrap();
    assert_eq!((found.len(), found.gaps.len()), (0, 0));
    let found = Found::by(&collector::<Tables>(&config(&database, ""))).await.unwrap();
    assert_eq!((found.number("mysql_tables", &[]), found.gaps.len()), (0.0, 0));
}
