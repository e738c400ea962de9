//! A shop with many orders: only those of the last weeks are read.

use super::schemas::WOOCOMMERCE;
use super::trouble::allow_all;
use super::{MARKETPLACES, RECENT, assert_minutes_ago, assert_nothing_wrong, database, grant, opencart, order, shop};
use crate::support::found::Found;
use crate::support::mariadb::Database;

/// Doubles what is in these columns of a table, so many times.
async fn double(database: &Database, table: &str, columns: &str, times: usize) {
    for _ in 0..times {
        database.run(&[&format!("INSERT INTO shop.{table} ({columns}) SELECT {columns} FROM shop.{table}")]).await;
    }
}

/// One run, and how many rows the server has read for it.
async fn read(database: &Database, lines: &str) -> (Found, f64) {
    let reads = async || {
        let mut sum = 0.0;
        for way in ["key", "next", "prev", "rnd_next"] {
            sum += database.status(&format!("Handler_read_{way}")).await;
        }
        sum
    };
    let collector = shop(database, lines);
    let before = reads().await;
    let found = Found::by(&collector).await.unwrap();
    assert_nothing_wrong(&found);
    (found, reads().await - before)
}

const ORDER_COLUMNS: &str = "order_status_id, currency_code, total, date_added";

#[tokio::test]
async fn of_many_orders_only_those_of_the_last_weeks_are_read() {
    let database = opencart("InnoDB", &[]).await;
    allow_all(&database).await;
    order(&database, &[(5, "TRY", 1.0, "60 DAY")]).await;
    double(&database, "oc_order", ORDER_COLUMNS, 15).await;
    // Gaps in the keys, as InnoDB leaves them.
    database.run(&["DELETE FROM shop.oc_order WHERE order_id % 3 = 0 AND order_id > 9"]).await;
    order(&database, &[(5, "TRY", 1.0, "28 DAY"), (5, "TRY", 1.0, "1 HOUR")]).await;
    let (found, rows) = read(&database, "shop = { system = 'opencart4', schema = 'shop' }").await;
    let recent =
        |window, weeks| found.number(RECENT, &[("channel", "store_0"), ("window", window), ("weeks_ago", weeks)]);
    assert_eq!((recent("2h", "0"), recent("2h", "4"), recent("1d", "4")), (1.0, 1.0, 1.0));
    assert!(rows < 10_000.0, "{rows} rows were read of 22 000");
}

#[tokio::test]
async fn orders_that_were_put_in_with_an_older_time_hide_none_before_them() {
    let database = opencart("InnoDB", &[]).await;
    allow_all(&database).await;
    // Ten at a time in the midst of the others, at the places where the first looks are.
    for _ in 0..16 {
        order(&database, &[(5, "TRY", 1.0, "1 HOUR"); 10]).await;
        order(&database, &[(5, "TRY", 1.0, "90 DAY"); 10]).await;
    }
    let (found, _) = read(&database, "shop = 'opencart4'").await;
    let today = [("channel", "store_0"), ("window", "2h"), ("weeks_ago", "0")];
    assert_eq!(found.number(RECENT, &today), 160.0);
}

#[tokio::test]
async fn of_many_orders_that_are_posts_only_those_of_the_last_weeks_are_read() {
    let database = database(&[WOOCOMMERCE]).await;
    let columns = "post_type, post_status, post_date, post_date_gmt";
    let post = |post_type: &str, status: &str, time: &str| {
        format!("INSERT INTO shop.wp_posts ({columns}) VALUES ('{post_type}', '{status}', NOW(), {time})")
    };
    let ago = |interval: &str| format!("UTC_TIMESTAMP() - INTERVAL {interval}");
    database
        .run(&[
            "DELETE FROM shop.wp_posts",
            &post("shop_order", "wc-completed", &ago("60 DAY")),
            &post("product", "publish", &ago("1 DAY")),
        ])
        .await;
    double(&database, "wp_posts", columns, 15).await;
    let drafts = vec![post("shop_order", "auto-draft", "NULL"); 30];
    database.run(&drafts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    database
        .run(&[
            &post("shop_order", "wc-completed", &ago("28 DAY")),
            &post("shop_order", "wc-on-hold", &ago("80 MINUTE")),
            &post("shop_order", "wc-failed", &ago("5 MINUTE")),
            &post("revision", "inherit", &ago("1 MINUTE")),
            "ANALYZE TABLE shop.wp_posts",
        ])
        .await;
    let lines = "shop = 'woocommerce-posts'\ntables = 0";
    grant(&database, lines).await;
    let (found, rows) = read(&database, lines).await;
    assert_minutes_ago(&found, "shop_orders_newest_timestamp_seconds", &[], 80.0);
    let recent = |weeks| found.number(RECENT, &[("channel", "shop"), ("window", "2h"), ("weeks_ago", weeks)]);
    assert_eq!(["0", "1", "4"].map(recent), [1.0, 0.0, 1.0]);
    assert!(rows < 10_000.0, "{rows} rows were read of 65 000");
}

#[tokio::test]
async fn of_many_orders_of_a_marketplace_only_those_of_the_last_weeks_are_read() {
    let database = opencart("InnoDB", &[MARKETPLACES]).await;
    let columns = "order_number, opencart_order_id, order_date, created_at";
    let put = |ago: &str| {
        let time = format!("NOW() - INTERVAL {ago}");
        format!("INSERT INTO shop.oc_trendyol_orders ({columns}) VALUES ('1', NULL, {time}, {time})")
    };
    database.run(&["DELETE FROM shop.oc_trendyol_orders", &put("60 DAY")]).await;
    double(&database, "oc_trendyol_orders", columns, 14).await;
    let lines = "shop = 'opencart4'\ntables = 0";
    grant(&database, lines).await;
    // Nothing came in for a month: when the last one did is told all the same.
    let (found, rows) = read(&database, lines).await;
    let trendyol = [("marketplace", "trendyol")];
    assert_minutes_ago(&found, "shop_marketplace_imports_newest_timestamp_seconds", &trendyol, 60.0 * 1440.0);
    assert!(rows < 10_000.0, "{rows} rows were read of 16 000, three times");
    database.run(&[&put("50 MINUTE")]).await;
    let (found, _) = read(&database, lines).await;
    assert_minutes_ago(&found, "shop_marketplace_orders_newest_timestamp_seconds", &trendyol, 50.0);
    assert_eq!(found.number("shop_marketplace_orders_unlinked", &trendyol), 1.0);
}
