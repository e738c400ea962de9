//! The rights that `vitrin check` gives: what is read and not a column more.

use vitrin::collector::{Collector, Paths, Reason};
use vitrin::remedy::{Complaints, Kind, Service};

use super::{MAGENTO, MARKETPLACES, OPENCART_CRON, OPENCART_REST, database, opencart, order, shop};
use crate::support::found::Found;
use crate::support::mariadb::Database;

/// Makes the account, which may do nothing.
pub(super) async fn account(database: &Database) {
    database.run(&["CREATE USER vitrin@'%' IDENTIFIED BY 'secret'"]).await;
    std::fs::write(database.daemon.folder().join("password"), "secret\n").unwrap();
}

/// The statements with which root gives the rights that are missing, as `vitrin check` says them to root.
async fn statements(database: &Database, lines: &str) -> Vec<String> {
    let collector = shop(database, lines);
    let service = Service::of("vitrin", &Paths::default(), true).unwrap();
    let failure = Found::whether_up(&collector).await.1;
    let complaints = Complaints { failure: failure.as_ref(), gaps: &[] };
    let remedies = collector.remedies(complaints, &service).await;
    let lines = remedies.iter().flat_map(|remedy| remedy.run.lines());
    lines.filter_map(|line| line.strip_prefix("GRANT ")).map(|right| format!("GRANT {right}")).collect()
}

/// Gives the account what `vitrin check` says that it lacks.
pub(super) async fn grant(database: &Database, lines: &str) {
    let statements = statements(database, lines).await;
    assert!(!statements.is_empty());
    for statement in &statements {
        assert!(statement.starts_with("GRANT SELECT (`"), "{statement}");
        database.run(&[statement]).await;
    }
}

#[tokio::test]
async fn the_rights_are_those_of_the_columns_that_are_read() {
    let database = opencart("InnoDB", &[OPENCART_CRON, OPENCART_REST]).await;
    order(&database, &[(5, "TRY", 1.0, "1 HOUR")]).await;
    let lines = "shop = 'opencart4'\ntables = 0";
    let (_, failure) = Found::down(&shop(&database, lines)).await;
    assert_eq!(failure.reason, Reason::Permission, "{failure}");
    assert_eq!(
        statements(&database, lines).await,
        [
            "GRANT SELECT (`code`, `cycle`, `date_added`, `date_modified`, `status`) ON `shop`.`oc_cron` TO vitrin@'%';",
            "GRANT SELECT (`currency_code`, `currency_value`, `date_added`, `order_id`, `order_status_id`, `store_id`, \
             `total`) ON `shop`.`oc_order` TO vitrin@'%';",
        ]
    );
    grant(&database, lines).await;
    assert!(statements(&database, lines).await.is_empty());
    assert!(Found::by(&shop(&database, lines)).await.unwrap().gaps.is_empty());
    for personal in [
        "SELECT email FROM shop.oc_order",
        "SELECT * FROM shop.oc_order",
        "SELECT ip FROM shop.oc_order",
        "SELECT value FROM shop.oc_setting",
        "SELECT email FROM shop.oc_customer",
    ] {
        assert!(database.run_as("vitrin", "secret", personal).await.is_err(), "{personal}");
    }
}

#[tokio::test]
async fn what_could_be_seen_besides_is_no_fault() {
    let database = opencart("InnoDB", &[]).await;
    order(&database, &[(5, "TRY", 1.0, "1 HOUR")]).await;
    let lines = "shop = 'opencart4'\ntables = 0";
    grant(&database, lines).await;
    // The shop is upgraded, and has a cron from now on.
    database.run(OPENCART_CRON).await;
    let collector = shop(&database, lines);
    let found = Found::by(&collector).await.unwrap();
    assert!(found.gaps.is_empty() && !found.names().contains("shop_cron_period_seconds"), "{:?}", found.gaps);
    let service = Service::of("vitrin", &Paths::default(), true).unwrap();
    let remedies = collector.remedies(Complaints { failure: None, gaps: &[] }, &service).await;
    assert_eq!(remedies.iter().map(|remedy| remedy.kind).collect::<Vec<_>>(), [Kind::More]);
    assert!(
        remedies[0].run.contains("`shop`.`oc_cron`") && !remedies[0].run.contains("oc_order"),
        "{}",
        remedies[0].run
    );
}

#[tokio::test]
async fn an_administrator_elsewhere_is_given_a_question_that_prints_the_rights() {
    let database = opencart("InnoDB", &[OPENCART_CRON, OPENCART_REST]).await;
    let collector = shop(&database, "shop = 'opencart4'\ntables = 0");
    let (_, failure) = Found::down(&collector).await;
    // Who is not root has no login to look with.
    let service = Service::of("vitrin", &Paths::default(), false).unwrap();
    let remedies = collector.remedies(Complaints { failure: Some(&failure), gaps: &[] }, &service).await;
    assert!(remedies.len() == 1 && remedies[0].run.is_empty(), "{remedies:?}");
    let (_, question) = remedies[0].by_hand.split_once('\n').unwrap();
    let printed = database.ask(question.trim().trim_end_matches(';')).await;
    let printed: Vec<_> = printed.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(
        printed,
        [
            "GRANT SELECT (`code`, `cycle`, `date_added`, `date_modified`, `status`) ON `shop`.`oc_cron` TO vitrin@'%';",
            "GRANT SELECT (`currency_code`, `currency_value`, `date_added`, `order_id`, `order_status_id`, `store_id`, \
             `total`) ON `shop`.`oc_order` TO vitrin@'%';",
        ]
    );
    database.run(&printed).await;
    let found = Found::by(&shop(&database, "shop = 'opencart4'\ntables = 0")).await.unwrap();
    assert!(found.names().contains("shop_cron_period_seconds"), "{:?}", found.names());
    assert!(database.run_as("vitrin", "secret", "SELECT email FROM shop.oc_order").await.is_err());
}

/// What the question prints that an administrator elsewhere is given.
async fn printed(database: &Database, lines: &str) -> Vec<String> {
    let collector = shop(database, lines);
    let (_, failure) = Found::down(&collector).await;
    let service = Service::of("vitrin", &Paths::default(), false).unwrap();
    let remedies = collector.remedies(Complaints { failure: Some(&failure), gaps: &[] }, &service).await;
    let (_, question) = remedies[0].by_hand.split_once('\n').unwrap();
    let mut rows = database.ask(question.trim().trim_end_matches(';')).await;
    rows.iter_mut().map(|row| row.remove(0)).collect()
}

#[tokio::test]
async fn tables_of_other_programs_that_are_called_alike_are_not_among_the_rights() {
    let database = database(&[MAGENTO]).await;
    let elsewhere = [
        "CREATE DATABASE crm",
        "CREATE TABLE crm.mail_queue (id INT PRIMARY KEY, name VARCHAR(99), email VARCHAR(99))",
        "CREATE TABLE crm.sales_order (entity_id INT PRIMARY KEY, state INT, created_at DATETIME, customer VARCHAR(99))",
        // In the shop's own schema: no table of the shop's prefix, and one that lacks a column.
        "CREATE TABLE shop.mail_queue (id INT PRIMARY KEY, name VARCHAR(99))",
        "ALTER TABLE shop.cron_schedule DROP COLUMN scheduled_at",
    ];
    database.run(&elsewhere).await;
    let tables = async |lines: &str| {
        let printed = printed(&database, lines).await;
        let table = |right: &String| right.split_once(" ON ").unwrap().1.trim_end_matches(" TO vitrin@'%';").to_owned();
        printed.iter().map(table).collect::<Vec<_>>()
    };
    let ours = ["`shop`.`queue`", "`shop`.`queue_message_status`", "`shop`.`sales_order`"];
    assert_eq!(tables("shop = 'magento2'\ntables = 0").await, ours);
    assert_eq!(tables("shop = { system = 'magento2', schema = 'shop', prefix = '' }\ntables = 0").await, ours);
    assert!(tables("shop = { system = 'magento2', prefix = 'm2_' }\ntables = 0").await.is_empty());
}

#[tokio::test]
async fn a_marketplace_s_orders_are_granted_with_the_key_that_they_are_looked_up_by() {
    let database = opencart("InnoDB", &[MARKETPLACES]).await;
    let right = "GRANT SELECT (`created_at`, `opencart_order_id`, `order_date`, `order_id`) ON `shop`.`oc_trendyol_orders` \
                 TO vitrin@'%';";
    let lines = "shop = 'opencart4'\ntables = 0";
    assert!(printed(&database, lines).await.iter().any(|printed| printed == right));
    assert!(statements(&database, lines).await.iter().any(|statement| statement == right));
}
