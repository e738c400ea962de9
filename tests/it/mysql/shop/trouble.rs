//! A shop that is not there, locked, too large, or in another time zone.

use mysql_async::prelude::Queryable;
use vitrin::collector::Reason;

use super::{OPENCART_CRON, OPENCART_ORDER, assert_minutes_ago, assert_nothing_wrong, grant, opencart, order, shop};
use crate::mysql::config;
use crate::support::found::Found;
use crate::support::mariadb::Database;

/// Rights to all of the schema, for tests that are about something else.
pub(super) async fn allow_all(database: &Database) {
    database.run(&["GRANT SELECT ON shop.* TO vitrin@'%'"]).await;
}

#[tokio::test]
async fn a_wrong_prefix_is_a_shop_that_is_not_found() {
    let database = opencart("InnoDB", &[]).await;
    allow_all(&database).await;
    let lines = "shop = { system = 'opencart4', prefix = 'shop_' }";
    let (found, failure) = Found::down(&shop(&database, lines)).await;
    assert_eq!(found.len(), 0);
    assert_eq!(
        failure.to_string(),
        "looking for the shop's tables: no table shop_order with the columns order_id, store_id, order_status_id, total, \
         currency_code, currency_value, date_added may be read in any schema: `vitrin check` has the rights"
    );
    let lines = "shop = { system = 'opencart4', prefix = 'oc_', schema = 'shop' }";
    assert_nothing_wrong(&Found::by(&shop(&database, lines)).await.unwrap());
}

#[tokio::test]
async fn of_two_shops_none_is_guessed() {
    let database = opencart("InnoDB", &[]).await;
    allow_all(&database).await;
    database.run(&[&format!("CREATE TABLE shop.old_order {OPENCART_ORDER}")]).await;
    let (_, failure) = Found::down(&shop(&database, "shop = 'opencart4'")).await;
    assert_eq!(
        failure.to_string(),
        "looking for the shop's tables: several shops: shop.oc_order, shop.old_order; say which in `schema` and `prefix`"
    );
}

#[tokio::test]
async fn a_column_that_is_not_there_costs_what_is_made_of_it_and_nothing_else() {
    let database = opencart("InnoDB", &[OPENCART_CRON]).await;
    allow_all(&database).await;
    order(&database, &[(5, "TRY", 1.0, "1 HOUR")]).await;
    database.run(&["ALTER TABLE shop.oc_cron DROP COLUMN cycle"]).await;
    let collector = shop(&database, "shop = 'opencart4'");
    let found = Found::by(&collector).await.unwrap();
    assert_nothing_wrong(&found);
    assert!(!found.names().iter().any(|name| name.starts_with("shop_cron_")), "{:?}", found.names());
    assert_minutes_ago(&found, "shop_orders_newest_timestamp_seconds", &[], 60.0);
}

#[tokio::test]
async fn a_locked_table_costs_its_own_questions_and_no_more_than_their_time() {
    let database = opencart("MyISAM", &[OPENCART_CRON]).await;
    allow_all(&database).await;
    order(&database, &[(5, "TRY", 1.0, "1 HOUR")]).await;
    let mut visitor = database.visitor().await;
    visitor.query_drop("LOCK TABLES shop.oc_order WRITE").await.unwrap();
    let collector = shop(&database, "shop = { system = 'opencart4', schema = 'shop', prefix = 'oc_' }");
    let found = Found::by(&collector).await.unwrap();
    let reasons: Vec<_> = found.gaps.iter().map(|gap| gap.reason).collect();
    assert_eq!(reasons, [Reason::Timeout; 2], "{:?}", found.gaps);
    assert_minutes_ago(&found, "shop_cron_last_success_timestamp_seconds", &[("code", "currency")], 180.0);
    // Nobody of ours stands in the queue behind the lock.
    let waiting =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'vitrin' AND info LIKE '%oc_order%'";
    let gone = async {
        while database.ask(waiting).await[0][0] != "0" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(15), gone).await.expect("the server gives the questions up");
    visitor.query_drop("UNLOCK TABLES").await.unwrap();
}

#[tokio::test]
async fn a_table_without_end_is_given_up_and_rests_longer_than_it_took() {
    let database = opencart("InnoDB", &[]).await;
    allow_all(&database).await;
    order(&database, &[(5, "TRY", 1.0, "1 HOUR")]).await;
    let columns = "information_schema.columns";
    database
        .run(&[&format!(
            "CREATE VIEW shop.oc_n11_orders AS SELECT NOW() AS order_date FROM {columns} a, {columns} b, {columns} c"
        )])
        .await;
    let collector = shop(&database, "shop = 'opencart4'");
    let found = Found::by(&collector).await.unwrap();
    let gaps: Vec<_> = found.gaps.iter().map(|gap| (gap.reason, gap.to_string())).collect();
    assert!(
        matches!(gaps.as_slice(), [(Reason::Timeout, text)] if text.starts_with("asking the shop's database for `orders_n11`")),
        "{gaps:?}"
    );
    assert_minutes_ago(&found, "shop_orders_newest_timestamp_seconds", &[], 60.0);
    // It is not asked again at once.
    assert_nothing_wrong(&Found::by(&collector).await.unwrap());
}

#[tokio::test]
async fn a_shop_in_another_time_zone_is_told_and_not_misread() {
    let database = opencart("InnoDB", &[]).await;
    database.run(&["SET GLOBAL time_zone = '+00:00'"]).await;
    // What PHP in Istanbul has OpenCart write.
    order(&database, &[(5, "TRY", 1.0, "-165 MINUTE")]).await;
    let lines = "shop = 'opencart4'\ntables = 0";
    grant(&database, lines).await;
    let found = Found::by(&shop(&database, lines)).await.unwrap();
    assert!(found.get("shop_orders_newest_timestamp_seconds", &[]).is_none());
    assert!(found.gaps.iter().any(|gap| gap.to_string().contains("is in the future")), "{:?}", found.gaps);
    let lines = "shop = { system = 'opencart4', time_zone = '+03:00' }";
    let found = Found::by(&shop(&database, lines)).await.unwrap();
    assert_nothing_wrong(&found);
    assert_minutes_ago(&found, "shop_orders_newest_timestamp_seconds", &[], 15.0);
    let lines = "shop = { system = 'opencart4', time_zone = 'Nowhere/Land' }";
    let (_, failure) = Found::down(&shop(&database, lines)).await;
    assert!(failure.to_string().contains("the time zone"), "{failure}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_down() {
    let mut database = opencart("InnoDB", &[]).await;
    allow_all(&database).await;
    order(&database, &[(5, "TRY", 1.0, "1 HOUR")]).await;
    let collector =
        super::super::collector::<vitrin::collectors::mysql::ShopDatabase>(&config(&database, "shop = 'opencart4'"));
    Found::by(&collector).await.unwrap();
    database.daemon.kill();
    // What is not due yet stays.
    assert!(Found::by(&collector).await.unwrap().get("shop_orders_newest_timestamp_seconds", &[]).is_some());
    let fresh = shop(&database, "shop = 'opencart4'");
    let (found, failure) = Found::down(&fresh).await;
    assert_eq!((found.len(), failure.reason), (0, Reason::Connect), "{failure}");
}
