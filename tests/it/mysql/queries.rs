//! The operator's own queries, and what holds them.

use std::time::Duration;

use vitrin::collector::{Collector, Reason};
use vitrin::collectors::mysql::Queries;

use super::{collector, config, make_account};
use crate::support::found::Found;
use crate::support::mariadb::{Database, is_mariadb};

/// A shop with three orders, and an account that may do anything: only our own guards are left.
async fn shop() -> Database {
    let database = Database::start(&[]);
    make_account(&database).await;
    database
        .run(&[
            "GRANT ALL ON *.* TO vitrin@'%'",
            "CREATE DATABASE shop",
            "CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, status VARCHAR(20), total DECIMAL(10,2))",
            "INSERT INTO shop.orders (status, total) VALUES ('new', 1.5), ('paid', 2), ('paid', 3)",
            "CREATE FUNCTION shop.steal() RETURNS INT DETERMINISTIC MODIFIES SQL DATA \
             BEGIN INSERT INTO shop.orders (status) VALUES ('stolen'); RETURN 1; END",
        ])
        .await;
    database
}

/// Far less than what is cut short would take, and more than a busy machine needs to do so.
const PATIENCE: Duration = Duration::from_secs(15);

/// Waits until the server has stopped what such a row of its process list does.
async fn stopped(database: &Database, row: &str) {
    let count = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE {row}");
    let gone = async {
        while database.ask(&count).await[0][0] != "0" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the server stops it");
}

#[tokio::test]
async fn rows_become_samples_and_one_failure_leaves_the_others_alone() {
    let database = shop().await;
    let queries = collector::<Queries>(&config(
        &database,
        "[mysql.queries.orders]\nsql = 'SELECT status, COUNT(*) AS n, SUM(total) AS total FROM shop.orders GROUP BY status'\n\
         values = ['n', 'total']\nlabels = ['status']\nhelp = 'Orders in the shop.'\n\
         [mysql.queries.broken]\nsql = 'SELECT nothing FROM shop.nowhere'\nvalues = ['nothing']\n",
    ));
    let found = Found::by(&queries).await.unwrap();
    assert_eq!(found.number("mysql_query_orders_n", &[("status", "paid")]), 2.0);
    assert_eq!(found.number("mysql_query_orders_total", &[("status", "new")]), 1.5);
    assert!(found.number("mysql_query_last_success_timestamp_seconds", &[("query", "orders")]) > 1.7e9);
    assert!(found.get("mysql_query_last_success_timestamp_seconds", &[("query", "broken")]).is_none());
    assert_eq!(found.gaps.len(), 1);
    assert!(found.gaps[0].to_string().starts_with("running the query `broken`: "), "{}", found.gaps[0]);

    // Not due again for a minute: the rows stay, the server is not asked.
    database.run(&["INSERT INTO shop.orders (status, total) VALUES ('new', 9)"]).await;
    let again = Found::by(&queries).await.unwrap();
    assert_eq!(again.number("mysql_query_orders_n", &[("status", "new")]), 1.0);
    assert!(again.gaps.is_empty());
}

#[tokio::test]
async fn nothing_is_written_and_nothing_runs_for_long() {
    let database = shop().await;
    let endless = "SELECT COUNT(*) AS n FROM information_schema.columns a, information_schema.columns b, \
                   information_schema.columns c";
    let queries = collector::<Queries>(&config(
        &database,
        &format!(
            "[mysql.queries.write]\nsql = 'SELECT shop.steal() AS n'\nvalues = ['n']\n\
             [mysql.queries.locking]\nsql = 'SELECT 1 AS n; DELETE FROM shop.orders'\nvalues = ['n']\n\
             [mysql.queries.endless]\nsql = '{endless}'\nvalues = ['n']\ntimeout = '300ms'\n\
             [mysql.queries.rows]\nsql = 'SELECT id AS n FROM shop.orders'\nvalues = ['n']\nrows = 2\n\
             [mysql.queries.wide]\nsql = \"SELECT 1 AS n, REPEAT('x', 6000000) AS wide\"\nvalues = ['n']\n\
             [mysql.queries.zlast]\nsql = 'SELECT 1 AS n'\nvalues = ['n']\n"
        ),
    ));
    let begun = std::time::Instant::now();
    let found = Found::by(&queries).await.unwrap();
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    let reasons: Vec<_> =
        found.gaps.iter().map(|gap| (gap.to_string().split('`').nth(1).unwrap().to_owned(), gap.reason)).collect();
    let expected = [
        ("endless", Reason::Timeout),
        ("locking", Reason::Protocol),
        ("rows", Reason::Limit),
        ("wide", Reason::Limit),
        ("write", Reason::Protocol),
    ];
    assert_eq!(reasons, expected.map(|(name, reason)| (name.to_owned(), reason)), "{:?}", found.gaps);
    assert_eq!(found.number("mysql_query_zlast_n", &[]), 1.0);
    assert_eq!(database.ask("SELECT COUNT(*) FROM shop.orders").await[0][0], "3");
    // What asks is itself in the list.
    stopped(&database, "info LIKE '%columns c%' AND info NOT LIKE '%processlist%'").await;
}

#[tokio::test]
async fn what_is_no_question_is_not_run() {
    let database = shop().await;
    database
        .run(&[
            "CREATE TABLE shop.log (line INT) ENGINE=MyISAM",
            "CREATE FUNCTION shop.note() RETURNS INT DETERMINISTIC MODIFIES SQL DATA \
             BEGIN INSERT INTO shop.log VALUES (1); RETURN 1; END",
        ])
        .await;
    let file = database.daemon.folder().join("data/stolen");
    let file = file.display();
    for (sql, says) in [
        (format!("SELECT 1 AS n INTO OUTFILE '{file}'"), "it gives no columns"),
        (format!("SELECT 1 AS n INTO DUMPFILE '{file}'"), "it gives no columns"),
        (format!("SELECT 1 AS n /*!50000 INTO OUTFILE '{file}' */"), "it gives no columns"),
        ("SELECT 1 AS n INTO @n".to_owned(), "it gives no columns"),
        ("SELECT id AS n FROM shop.orders LIMIT 1 FOR UPDATE".to_owned(), "READ ONLY transaction"),
        ("SELECT shop.note() AS n".to_owned(), "READ ONLY transaction"),
        // MariaDB does not know the first: an error in its syntax.
        ("WITH a AS (SELECT 1) DELETE FROM shop.orders".to_owned(), "(1"),
        ("SELECT 1 AS n; COMMIT".to_owned(), "(1064)"),
        ("SELECT id AS n FROM shop.orders WHERE status = :status".to_owned(), ""),
        ("SELECT id AS n FROM shop.orders WHERE status = ?".to_owned(), ""),
    ] {
        let text = format!("[mysql.queries.q]\nsql = \"{sql}\"\nvalues = ['n']\n");
        let found = Found::by(&collector::<Queries>(&config(&database, &text))).await.unwrap();
        assert!(found.get("mysql_query_q_n", &[]).is_none(), "{sql}");
        let gaps: Vec<_> = found.gaps.iter().map(ToString::to_string).collect();
        assert!(matches!(gaps.as_slice(), [gap] if gap.contains(says)), "{sql}: {gaps:?}");
        assert!(!std::path::Path::new(&file.to_string()).exists(), "{sql}");
    }
    assert_eq!(database.ask("SELECT COUNT(*) FROM shop.orders").await[0][0], "3");
    assert_eq!(database.ask("SELECT COUNT(*) FROM shop.log").await[0][0], "0");
    let locks = collector::<Queries>(&config(
        &database,
        "[mysql.queries.lock]\nsql = \"SELECT GET_LOCK('shop', 0) AS n\"\nvalues = ['n']\n",
    ));
    assert_eq!(Found::by(&locks).await.unwrap().number("mysql_query_lock_n", &[]), 1.0);
    // It goes with the connection.
    let taken = "SELECT GET_LOCK('shop', 10)";
    assert_eq!(database.ask(taken).await[0][0], "1");
}

#[tokio::test]
async fn two_queries_cannot_make_one_metric() {
    let database = shop().await;
    let queries = collector::<Queries>(&config(
        &database,
        "[mysql.queries.a]\nsql = 'SELECT 1 AS b_c'\nvalues = ['b_c']\n\
         [mysql.queries.a_b]\nsql = 'SELECT 2 AS c, 3 AS d'\nvalues = ['c']\nlabels = ['d']\n",
    ));
    let found = Found::by(&queries).await.unwrap();
    assert_eq!(found.number("mysql_query_a_b_c", &[]), 1.0);
    let expected = "the queries `a` and `a_b` both make mysql_query_a_b_c; give one of them another name";
    assert_eq!(found.gaps.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let database = shop().await;
    // MySQL limits SELECT alone, and a sleep that it cuts short is an answer; what holds there is our own clock.
    let sql = if is_mariadb() { "SELECT SLEEP(60) AS n" } else { "SELECT SLEEP(60) AS n, 1 AS m" };
    let queries = collector::<Queries>(&config(
        &database,
        &format!("[mysql.queries.sleep]\nsql = '{sql}'\nvalues = ['n']\ntimeout = '500ms'\n"),
    ));
    let begun = std::time::Instant::now();
    let _found = Found::by(&queries).await.unwrap();
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    stopped(&database, "state = 'User sleep'").await;
    assert_eq!(Queries::NAME, "mysql_queries");
}

#[tokio::test]
async fn a_server_that_is_gone_is_down_and_what_is_not_due_yet_stays() {
    let mut database = shop().await;
    let queries = collector::<Queries>(&config(
        &database,
        "[mysql.queries.often]\nsql = 'SELECT 1 AS n'\nvalues = ['n']\nevery = '1ms'\n\
         [mysql.queries.rarely]\nsql = 'SELECT 2 AS n'\nvalues = ['n']\n",
    ));
    Found::by(&queries).await.unwrap();
    database.daemon.kill();
    let (found, failure) = Found::down(&queries).await;
    assert_eq!(failure.reason, Reason::Connect, "{failure}");
    assert!(failure.to_string().starts_with("running the query `often`: connecting to MySQL at "), "{failure}");
    assert!(found.get("mysql_query_often_n", &[]).is_none());
    assert_eq!(found.number("mysql_query_rarely_n", &[]), 2.0);
    assert!(found.number("mysql_query_last_success_timestamp_seconds", &[("query", "often")]) > 1.7e9);
}
