//! The shop's own tables: under the rights that `vitrin check` gives and no others, and where something is missing, locked
//! or without end.

mod many;
mod rights;
mod schemas;
mod trouble;

use std::collections::BTreeSet;

use vitrin::collectors::mysql::ShopDatabase;

use super::{collector, config};
use crate::support::found::Found;
use crate::support::mariadb::Database;
use rights::{account, grant};
use schemas::{MAGENTO, MARKETPLACES, OPENCART_CRON, OPENCART_ORDER, OPENCART_REST, WOOCOMMERCE};

/// The series of orders.
const RECENT: &str = "shop_orders_recent";

/// A server with these tables in the schema `shop`, and an account that may do nothing yet.
async fn database(tables: &[&[&str]]) -> Database {
    let database = Database::start(&["--performance-schema=ON"]);
    database.run(&["CREATE DATABASE shop"]).await;
    for tables in tables {
        database.run(tables).await;
    }
    account(&database).await;
    database
}

/// Orders of an `OpenCart`: status, currency, total, and how long ago.
async fn order(database: &Database, orders: &[(u32, &str, f64, &str)]) {
    for (status, currency, total, ago) in orders {
        let values = format!("{status}, '{currency}', {total}, NOW() - INTERVAL {ago}");
        let into = "INSERT INTO shop.oc_order (order_status_id, currency_code, total, date_added)";
        database.run(&[&format!("{into} VALUES ({values})")]).await;
    }
}

/// An `OpenCart` whose `order` has this engine.
async fn opencart(engine: &str, more: &[&[&str]]) -> Database {
    let database = database(more).await;
    database.run(&[&format!("CREATE TABLE shop.oc_order {OPENCART_ORDER} ENGINE={engine}")]).await;
    database
}

fn shop(database: &Database, lines: &str) -> ShopDatabase {
    collector::<ShopDatabase>(&config(database, lines))
}

/// How many seconds ago a moment was, by this machine's clock, which is the server's.
fn ago(found: &Found, name: &str, labels: &[(&str, &str)]) -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    now - found.number(name, labels)
}

/// Whether a moment was that many minutes ago, or a little more on a busy machine.
#[track_caller]
fn assert_minutes_ago(found: &Found, name: &str, labels: &[(&str, &str)], minutes: f64) {
    let seconds = ago(found, name, labels);
    assert!((-2.0..120.0).contains(&(seconds - minutes * 60.0)), "{name}{labels:?} is {seconds} s ago");
}

#[track_caller]
fn assert_nothing_wrong(found: &Found) {
    assert!(found.gaps.is_empty() && found.dropped.is_empty(), "{:?} {:?}", found.gaps, found.dropped);
}

#[tokio::test]
async fn an_opencart_tells_its_orders_its_cron_and_its_marketplaces() {
    let database = opencart("InnoDB", &[OPENCART_CRON, OPENCART_REST, MARKETPLACES]).await;
    order(
        &database,
        &[
            (5, "TRY", 40.0, "14 DAY"),
            (5, "TRY", 60.0, "13 DAY"),
            (5, "TRY", 100.0, "5 HOUR"),
            (11, "TRY", 50.0, "4 HOUR"),
            (2, "EUR", 30.5, "1 HOUR"),
            (10, "TRY", 999.0, "30 MINUTE"),
            (0, "TRY", 999.0, "10 MINUTE"),
        ],
    )
    .await;
    let lines = "shop = 'opencart4'\ntables = 0";
    grant(&database, lines).await;
    let before = database.failed_statements().await;
    let found = Found::by(&shop(&database, lines)).await.unwrap();
    assert_nothing_wrong(&found);
    assert_eq!(database.failed_statements().await, before, "no statement fails");

    assert_minutes_ago(&found, "shop_orders_newest_timestamp_seconds", &[], 60.0);
    let recent = |window, weeks| {
        let labels = [("channel", "store_0"), ("window", window), ("weeks_ago", weeks)];
        found.number(RECENT, &labels)
    };
    assert_eq!(["0", "1", "2", "3"].map(|weeks| recent("2h", weeks)), [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(["0", "1", "2", "3"].map(|weeks| recent("1d", weeks)), [3.0, 0.0, 1.0, 0.0]);
    let revenue = |currency, window| {
        found
            .number("shop_orders_revenue_recent", &[("channel", "store_0"), ("currency", currency), ("window", window)])
    };
    assert_eq!((revenue("EUR", "2h"), revenue("TRY", "2h"), revenue("TRY", "1d")), (30.5, 0.0, 100.0));
    let status = |status| found.number("shop_orders_status_recent", &[("status", status), ("window", "1d")]);
    assert_eq!(["unfinished", "failed", "processing", "complete", "refunded"].map(status), [1.0; 5]);

    assert_minutes_ago(&found, "shop_cron_last_success_timestamp_seconds", &[("code", "currency")], 180.0);
    assert_eq!(found.number("shop_cron_period_seconds", &[("code", "currency")]), 86400.0);
    for code in ["gdpr", "subscription"] {
        assert!(found.get("shop_cron_last_success_timestamp_seconds", &[("code", code)]).is_none(), "{code}");
    }
    assert_marketplaces(&found);
}

fn assert_marketplaces(found: &Found) {
    let trendyol = [("marketplace", "trendyol")];
    assert_minutes_ago(found, "shop_marketplace_orders_newest_timestamp_seconds", &trendyol, 90.0);
    assert_minutes_ago(found, "shop_marketplace_imports_newest_timestamp_seconds", &trendyol, 80.0);
    assert_minutes_ago(found, "shop_marketplace_listings_newest_timestamp_seconds", &trendyol, 5.0);
    assert_minutes_ago(found, "shop_marketplace_imports_newest_timestamp_seconds", &[("marketplace", "n11")], 240.0);
    let hepsiburada = [("marketplace", "hepsiburada")];
    assert_minutes_ago(found, "shop_marketplace_orders_newest_timestamp_seconds", &hepsiburada, 60.0);
    for labels in [&trendyol, &hepsiburada] {
        assert_eq!(found.number("shop_marketplace_orders_unlinked", labels), 1.0);
    }
    let recent = |weeks| {
        let labels = [("marketplace", "trendyol"), ("window", "2h"), ("weeks_ago", weeks)];
        found.number("shop_marketplace_orders_recent", &labels)
    };
    assert_eq!(["0", "1", "2"].map(recent), [1.0, 1.0, 0.0]);
    let listings = |marketplace, status| {
        found.number("shop_marketplace_listings", &[("marketplace", marketplace), ("status", status)])
    };
    assert_eq!((listings("trendyol", "active"), listings("trendyol", "rejected")), (2.0, 1.0));
    assert_eq!((listings("ozon", "success"), listings("ozon", "other")), (1.0, 1.0));
    let jobs = |status| found.number("shop_marketplace_queue_jobs", &[("marketplace", "ozon"), ("status", status)]);
    assert_eq!((jobs("pending"), jobs("failed")), (1.0, 1.0));
    assert_minutes_ago(found, "shop_marketplace_queue_oldest_timestamp_seconds", &[("marketplace", "ozon")], 40.0);
    assert_minutes_ago(found, "shop_queue_oldest_timestamp_seconds", &[("queue", "webhooks_trendyol")], 20.0);
}

#[tokio::test]
async fn a_woocommerce_tells_its_orders_by_where_they_came_from_and_its_action_scheduler() {
    let database = database(&[WOOCOMMERCE]).await;
    let lines = "shop = 'woocommerce'\ntables = 0";
    grant(&database, lines).await;
    let found = Found::by(&shop(&database, lines)).await.unwrap();
    assert_nothing_wrong(&found);
    assert_minutes_ago(&found, "shop_orders_newest_timestamp_seconds", &[], 30.0);
    let recent = |channel, window, weeks| {
        found.number(RECENT, &[("channel", channel), ("window", window), ("weeks_ago", weeks)])
    };
    assert_eq!((recent("checkout", "2h", "0"), recent("checkout", "2h", "3")), (1.0, 1.0));
    assert_eq!((recent("trendyol-plugin", "1d", "0"), recent("unknown", "1d", "0")), (1.0, 0.0));
    let revenue = [("channel", "checkout"), ("currency", "TRY"), ("window", "1d")];
    assert_eq!(found.number("shop_orders_revenue_recent", &revenue), 250.5);
    assert_eq!(found.number("shop_orders_status_recent", &[("status", "failed"), ("window", "2h")]), 1.0);
    let queue = ("queue", "action_scheduler");
    assert_eq!(found.number("shop_queue_jobs", &[queue, ("status", "pending")]), 1.0);
    assert_minutes_ago(&found, "shop_queue_oldest_timestamp_seconds", &[queue], 120.0);
    assert_minutes_ago(&found, "shop_cron_last_success_timestamp_seconds", &[("code", "action_scheduler")], 180.0);
}

#[tokio::test]
async fn a_woocommerce_whose_orders_are_posts_has_no_revenue() {
    let database = database(&[WOOCOMMERCE]).await;
    let lines = "shop = 'woocommerce-posts'\ntables = 0";
    grant(&database, lines).await;
    let found = Found::by(&shop(&database, lines)).await.unwrap();
    assert_nothing_wrong(&found);
    assert_minutes_ago(&found, "shop_orders_newest_timestamp_seconds", &[], 90.0);
    assert_eq!(found.number(RECENT, &[("channel", "shop"), ("window", "2h"), ("weeks_ago", "0")]), 1.0);
    assert_eq!(found.number("shop_orders_status_recent", &[("status", "unfinished"), ("window", "2h")]), 1.0);
    assert!(!found.names().contains("shop_orders_revenue_recent"));
}

#[tokio::test]
async fn a_magento_tells_its_orders_its_mails_its_cron_and_its_messages() {
    let database = database(&[MAGENTO]).await;
    let lines = "shop = 'magento2'\ntables = 0";
    grant(&database, lines).await;
    let found = Found::by(&shop(&database, lines)).await.unwrap();
    assert_nothing_wrong(&found);
    assert_minutes_ago(&found, "shop_orders_newest_timestamp_seconds", &[], 45.0);
    assert_eq!(found.number(RECENT, &[("channel", "store_1"), ("window", "1d"), ("weeks_ago", "0")]), 2.0);
    assert_eq!(found.number(RECENT, &[("channel", "store_2"), ("window", "1d"), ("weeks_ago", "0")]), 0.0);
    let revenue = [("channel", "store_1"), ("currency", "EUR"), ("window", "1d")];
    assert_eq!(found.number("shop_orders_revenue_recent", &revenue), 100.0);
    assert_minutes_ago(&found, "shop_cron_last_success_timestamp_seconds", &[("code", "any")], 9.0);
    let jobs = |queue, status| found.number("shop_queue_jobs", &[("queue", queue), ("status", status)]);
    assert_eq!((jobs("mail", "pending"), jobs("cron", "pending"), jobs("cron", "failed")), (1.0, 1.0, 1.0));
    assert_eq!((jobs("async.operations.all", "pending"), jobs("export", "failed")), (2.0, 1.0));
    for (queue, minutes) in [("mail", 45.0), ("cron", 7.0), ("async.operations.all", 25.0)] {
        assert_minutes_ago(&found, "shop_queue_oldest_timestamp_seconds", &[("queue", queue)], minutes);
    }
}

#[tokio::test]
async fn an_empty_shop_has_no_orders_to_tell_and_nothing_wrong() {
    let database = opencart("InnoDB", &[]).await;
    let lines = "shop = 'opencart3'\ntables = 0";
    grant(&database, lines).await;
    let found = Found::by(&shop(&database, lines)).await.unwrap();
    assert_nothing_wrong(&found);
    assert_eq!(found.names(), BTreeSet::from(["shop_database_last_success_timestamp_seconds".to_owned()]));
}

#[tokio::test]
async fn a_shop_that_sells_little_has_its_newest_order_and_true_zeros() {
    let database = opencart("MyISAM", &[]).await;
    order(&database, &[(5, "TRY", 10.0, "50 DAY"), (5, "TRY", 10.0, "12 DAY")]).await;
    let lines = "shop = 'opencart3'\ntables = 0";
    grant(&database, lines).await;
    let found = Found::by(&shop(&database, lines)).await.unwrap();
    assert_nothing_wrong(&found);
    assert_minutes_ago(&found, "shop_orders_newest_timestamp_seconds", &[], 12.0 * 1440.0);
    for window in ["2h", "1d"] {
        for weeks in ["0", "1", "2", "3", "4"] {
            let labels = [("channel", "store_0"), ("window", window), ("weeks_ago", weeks)];
            assert_eq!(found.number(RECENT, &labels), 0.0, "{labels:?}");
        }
    }
}
