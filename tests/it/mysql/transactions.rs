//! Transactions that are really open, waits that really block, and real deadlocks.

use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::time::{interval, timeout};
use vitrin::collectors::mysql::Mysql;

use super::{collector, config, make_account};
use crate::support::found::Found;
use crate::support::mariadb::Database;

/// A shop with a few orders, on a server whose sessions are in another time zone than its machine.
async fn shop() -> Database {
    let database =
        Database::start(&["--performance-schema=ON", "--default-time-zone=+05:00", "--innodb-lock-wait-timeout=50"]);
    make_account(&database).await;
    let orders = "INSERT INTO shop.orders VALUES (1, 0), (2, 0), (3, 0), (4, 0)";
    let table = "CREATE TABLE shop.orders (id INT PRIMARY KEY, total INT) ENGINE = InnoDB";
    database.run(&["CREATE DATABASE shop", table, orders]).await;
    database
}

/// A connection with a transaction that has changed these orders.
async fn open(database: &Database, orders: &[u32]) -> Conn {
    let mut connection = database.visitor().await;
    connection.query_drop("BEGIN").await.unwrap();
    for order in orders {
        connection.query_drop(pay(*order)).await.unwrap();
    }
    connection
}

fn pay(order: u32) -> String {
    format!("UPDATE shop.orders SET total = total + 1 WHERE id = {order}")
}

/// What is found once this holds.
///
/// InnoDB shows what it showed last to whoever asks again within a tenth of a second.
async fn found_when(mysql: &Mysql, condition: impl Fn(&Found) -> bool) -> Found {
    let mut ticks = interval(Duration::from_millis(200));
    let watch = async {
        loop {
            ticks.tick().await;
            let found = Found::by(mysql).await.unwrap();
            if condition(&found) {
                return found;
            }
        }
    };
    timeout(Duration::from_mins(1), watch).await.expect("the transactions are seen as they are")
}

/// What is found once this many transactions wait for a lock.
async fn waiting(mysql: &Mysql, transactions: f64) -> Found {
    found_when(mysql, |found| found.number("mysql_waiting_transactions", &[]) == transactions).await
}

fn open_transactions(found: &Found) -> f64 {
    ["0s", "1s", "10s", "1m", "10m"].map(|age| found.number("mysql_open_transactions", &[("age", age)])).iter().sum()
}

#[tokio::test]
async fn an_open_transaction_is_seen_with_its_age_and_who_waits_for_it() {
    let database = shop().await;
    let mysql = collector::<Mysql>(&config(&database, "transactions = true"));
    // What made the shop's tables may just be at its end.
    let idle = found_when(&mysql, |found| open_transactions(found) == 0.0).await;
    assert!(idle.gaps.is_empty() && idle.dropped.is_empty(), "{:?} {:?}", idle.gaps, idle.dropped);
    assert_eq!((open_transactions(&idle), idle.number("mysql_oldest_transaction_seconds", &[])), (0.0, 0.0));

    let mut holder = open(&database, &[1, 2, 3]).await;
    let mut others = [database.visitor().await, database.visitor().await];
    let blocked = others.each_mut().map(|other| other.query_drop(pay(1)));
    let watch = async {
        let found = waiting(&mysql, 2.0).await;
        // The second one in the queue may wait for the first one, too.
        assert!((1.0..=2.0).contains(&found.number("mysql_blocking_transactions", &[])));
        assert_eq!(open_transactions(&found), 3.0);
        assert_eq!(found.number("mysql_oldest_transaction_modified_rows", &[]), 3.0);
        assert!(found.number("mysql_oldest_transaction_locked_rows", &[]) >= 3.0);
        // Hours off if the zones were mixed up.
        for name in ["mysql_oldest_transaction_seconds", "mysql_longest_lock_wait_seconds"] {
            assert!((0.0..300.0).contains(&found.number(name, &[])), "{name}");
        }
        found_when(&mysql, |found| found.number("mysql_oldest_transaction_seconds", &[]) >= 2.0).await;
        holder.query_drop("ROLLBACK").await.unwrap();
    };
    let (ended, ()) = tokio::join!(futures_util::future::join_all(blocked), watch);
    ended.into_iter().for_each(Result::unwrap);
    let found = found_when(&mysql, |found| open_transactions(found) == 0.0).await;
    assert_eq!(found.number("mysql_blocking_transactions", &[]), 0.0);
}

#[tokio::test]
async fn a_deadlock_and_a_wait_that_is_given_up_are_counted() {
    let database = shop().await;
    let mysql = collector::<Mysql>(&config(&database, "transactions = true"));
    let before = Found::by(&mysql).await.unwrap();
    let counted = |found: &Found, name: &str| found.number(name, &[]) - before.number(name, &[]);

    let (mut one, mut other) = (open(&database, &[1]).await, open(&database, &[2]).await);
    let (first, second) = tokio::join!(one.query_drop(pay(2)), other.query_drop(pay(1)));
    assert!(first.is_err() != second.is_err(), "one of the two is the victim: {first:?} {second:?}");
    one.query_drop("ROLLBACK").await.unwrap();
    other.query_drop("ROLLBACK").await.unwrap();

    let mut holder = open(&database, &[3]).await;
    let mut impatient = database.visitor().await;
    impatient.query_drop("SET innodb_lock_wait_timeout = 1").await.unwrap();
    assert!(impatient.query_drop(pay(3)).await.is_err());
    holder.query_drop("ROLLBACK").await.unwrap();

    let found = Found::by(&mysql).await.unwrap();
    assert_eq!(counted(&found, "mysql_deadlocks_total"), 1.0);
    assert_eq!(counted(&found, "mysql_lock_wait_timeouts_total"), 1.0);
}

#[tokio::test]
async fn without_being_asked_for_transactions_are_neither_read_nor_shown() {
    let database = shop().await;
    let _holder = open(&database, &[1]).await;
    let names = Found::by(&collector::<Mysql>(&config(&database, ""))).await.unwrap().names();
    let shown: Vec<_> = names.iter().filter(|name| name.contains("transactions") && !name.contains("global")).collect();
    assert!(shown.is_empty() && !names.contains("mysql_deadlocks_total"), "{shown:?}");
}
