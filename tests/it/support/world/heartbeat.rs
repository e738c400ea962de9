//! The tables of an `OpenCart` with a marketplace extension, as far as Vitrin reads them: orders of now and of the same
//! hours four weeks long, a job of cron, and what waits for a marketplace.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::mariadb::{Database, block_on};

/// With a column that holds people, which nobody may need.
const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS shop.oc_order (order_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, \
     store_id INT NOT NULL DEFAULT 0, email VARCHAR(96) NOT NULL DEFAULT 'ada@example.org', \
     total DECIMAL(15,4) NOT NULL DEFAULT 100, order_status_id INT NOT NULL, currency_code VARCHAR(3) NOT NULL DEFAULT 'TRY', \
     currency_value DECIMAL(15,8) NOT NULL DEFAULT 1, date_added DATETIME NOT NULL)",
    "CREATE TABLE IF NOT EXISTS shop.oc_cron (cron_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, code VARCHAR(128) NOT NULL, \
     cycle VARCHAR(12) NOT NULL, status TINYINT(1) NOT NULL, date_added DATETIME NOT NULL, date_modified DATETIME NOT NULL)",
    "CREATE TABLE IF NOT EXISTS shop.oc_trendyol_orders (order_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, \
     customer_name VARCHAR(255) NOT NULL DEFAULT 'Ada', order_date DATETIME NOT NULL, created_at DATETIME NOT NULL)",
    "CREATE TABLE IF NOT EXISTS shop.meschain_sync_queue (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, \
     marketplace VARCHAR(50) NOT NULL, status VARCHAR(20) NOT NULL, scheduled_at TIMESTAMP NULL, \
     created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
];

/// Weeks that Vitrin looks at, this one included.
const WEEKS: u32 = 5;

/// Statuses of `OpenCart`: begun and never paid for, and processing.
const UNFINISHED: u32 = 0;
const PROCESSING: u32 = 2;

/// How much a shop sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trade {
    /// In each two hours more than chance could make none of; and one of five does not pay.
    Busy,
    /// Three orders a week, of which the last was yesterday.
    Little,
}

impl Trade {
    /// How long before the end of a week each order was placed, in minutes, the oldest first.
    fn minutes(self) -> Vec<u32> {
        match self {
            Self::Busy => (0..40).map(|order| 1_000 - 20 * order).chain((0..16).map(|order| 110 - 5 * order)).collect(),
            Self::Little => [5, 3, 1].map(|day| day * 24 * 60 + 60).to_vec(),
        }
    }
}

/// The shop begins to sell so much, and has for weeks; its cron runs, and little waits.
pub(crate) fn open(database: &Database, trade: Trade) {
    let (mut orders, mut sold) = (Vec::new(), Vec::new());
    for week in (0..WEEKS).rev() {
        for (index, minutes) in trade.minutes().into_iter().enumerate() {
            let placed = format!("NOW() - INTERVAL {week} WEEK - INTERVAL {minutes} MINUTE");
            let status = if trade == Trade::Busy && index % 5 == 4 { UNFINISHED } else { PROCESSING };
            orders.push(format!("({status}, {placed})"));
            sold.push(format!("({placed}, {placed} + INTERVAL 2 MINUTE)"));
        }
    }
    let statements = [
        "DELETE FROM shop.oc_order".to_owned(),
        "DELETE FROM shop.oc_cron".to_owned(),
        "DELETE FROM shop.oc_trendyol_orders".to_owned(),
        "DELETE FROM shop.meschain_sync_queue".to_owned(),
        format!("INSERT INTO shop.oc_order (order_status_id, date_added) VALUES {}", orders.join(", ")),
        format!("INSERT INTO shop.oc_trendyol_orders (order_date, created_at) VALUES {}", sold.join(", ")),
        "INSERT INTO shop.oc_cron (code, cycle, status, date_added, date_modified) VALUES \
         ('subscription', 'hour', 1, '2014-09-25', NOW() - INTERVAL 20 MINUTE), \
         ('currency', 'day', 1, '2014-09-25', NOW() - INTERVAL 20 HOUR), ('gdpr', 'day', 1, '2014-09-25', '2014-09-25')"
            .to_owned(),
        "INSERT INTO shop.meschain_sync_queue (marketplace, status, created_at) VALUES \
         ('trendyol', 'pending', NOW() - INTERVAL 5 MINUTE)"
            .to_owned(),
    ];
    run(database, &[TABLES, &statements.each_ref().map(String::as_str)].concat());
}

/// For six hours, nobody has ordered here or at the marketplace.
pub(crate) fn sell_nothing(database: &Database) {
    run(
        database,
        &[
            "DELETE FROM shop.oc_order WHERE date_added > NOW() - INTERVAL 6 HOUR",
            "DELETE FROM shop.oc_trendyol_orders WHERE order_date > NOW() - INTERVAL 6 HOUR",
        ],
    );
}

/// For six hours, cron has not run, and what was to be sent to the marketplace since then has not been.
pub(crate) fn stop_cron(database: &Database) {
    run(
        database,
        &[
            "UPDATE shop.oc_cron SET date_modified = NOW() - INTERVAL 6 HOUR WHERE cycle = 'hour'",
            "UPDATE shop.meschain_sync_queue SET created_at = NOW() - INTERVAL 6 HOUR",
        ],
    );
}

/// For two hours, most who ordered have not paid.
pub(crate) fn refuse_payments(database: &Database) {
    let begun = (0..32).map(|order| format!("({UNFINISHED}, NOW() - INTERVAL {} MINUTE)", 3 * order + 5));
    let into = "INSERT INTO shop.oc_order (order_status_id, date_added)";
    run(database, &[&format!("{into} VALUES {}", begun.collect::<Vec<_>>().join(", "))]);
}

fn run(database: &Database, statements: &[&str]) {
    block_on(database.run(statements));
}

/// What has Vitrin ask for all of it. Each time it is written a little differently, and so a reload makes Vitrin look at
/// once: orders are counted every five minutes, which are five hours of a drill.
pub(crate) fn target(database: &Database, password: &Path) -> String {
    static OTHERWISE: AtomicBool = AtomicBool::new(false);
    let otherwise = OTHERWISE.fetch_xor(true, Ordering::Relaxed);
    let shop = if otherwise { "{ system = 'opencart4', schema = 'shop' }" } else { "'opencart4'" };
    format!(
        "[mysql.targets.heartbeat]\naddress = '127.0.0.1:{}'\nuser = 'vitrin'\npassword = {{ file = '{}' }}\n\
         tables = 0\nshop = {shop}\n",
        database.port(),
        password.display()
    )
}
