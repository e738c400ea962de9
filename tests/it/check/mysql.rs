//! The account in MySQL and MariaDB: let in by its socket and by a password, denied nothing, with no right too many.

use std::fs;

use super::{Check, password, user};
use crate::support::document::Document;
use crate::support::fresh::only_root_can;
use crate::support::mariadb::{Database, is_mariadb};

/// A server with everything on, a table, and someone in it.
async fn shop() -> Database {
    let database = Database::start(&["--performance-schema=ON", "--log-bin=bin"]);
    database.run(&["CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY, n INT, KEY (n))"]).await;
    database
}

/// All jobs of a server.
fn config(address: &str, more: &str) -> String {
    let user = user();
    format!(
        "[mysql.targets.main]\naddress = '{address}'\nuser = '{user}'\ndigests = 5\n{more}\n\
         [mysql.queries.answer]\nsql = 'SELECT 42 AS answer'\nvalues = ['answer']\n"
    )
}

/// How often anybody was denied anything, by all of the server's own counts.
async fn denials(database: &Database) -> Vec<Vec<String>> {
    let mut counts = vec![vec![database.failed_statements().await.to_string()]];
    if is_mariadb() {
        counts.extend(database.ask("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'").await);
    } else {
        let errors = "SELECT error_name, sum_error_raised FROM performance_schema.events_errors_summary_global_by_error \
                      WHERE error_name LIKE '%DENIED%' OR error_name LIKE '%NO_PRIVILEGE%'";
        counts.extend(database.ask(errors).await);
    }
    counts
}

/// The statements of a script that make an account and give it rights, for an account called vitrin.
fn statements(script: &str) -> Vec<String> {
    let about = |line: &&str| line.starts_with("CREATE USER") || line.starts_with("GRANT");
    script.lines().filter(about).map(|line| line.replace(&user(), "vitrin")).collect()
}

#[tokio::test]
async fn the_account_by_the_socket_sees_all_and_is_denied_nothing() {
    only_root_can("check for a user of another name");
    let database = shop().await;
    let check = Check::of(&config(&database.socket().display().to_string(), ""));
    let checked = check.mend();

    let before = denials(&database).await;
    let green = check.run();
    assert_eq!(green.code, Some(0), "{}", green.text);
    for job in ["mysql/main", "mysql_tables/main", "mysql_digests/main", "mysql_queries/main"] {
        assert!(green.text.contains(&format!("{job} ")), "{job} in\n{}", green.text);
    }
    assert_eq!(denials(&database).await, before);

    let document = Document::read("docs/backends.md");
    let blocks: &[&str] = if is_mariadb() { &["mariadb-socket", "mariadb-grants"] } else { &["mysql"] };
    let documented: String = blocks.iter().map(|block| document.block(block)).collect();
    assert_eq!(statements(&checked.script()), statements(&documented));
}

#[tokio::test]
async fn every_right_of_the_account_is_missed_and_named_when_it_is_gone() {
    let database = shop().await;
    let check = Check::of(&config(&database.socket().display().to_string(), ""));
    check.mend();
    let _visitor = database.visitor().await;
    let replication = if is_mariadb() { "SLAVE MONITOR" } else { "REPLICATION CLIENT" };
    let account = format!("{}@localhost", user());
    for (right, on) in
        [("PROCESS", "*.*"), (replication, "*.*"), ("SHOW VIEW", "*.*"), ("SELECT", "performance_schema.*")]
    {
        database.run(&[&format!("REVOKE {right} ON {on} FROM {account}")]).await;
        let checked = check.run();
        // Tables that an account may not see are not refused, but not listed: there is no gap to count.
        let code = i32::from(right != "SHOW VIEW");
        assert_eq!(checked.code, Some(code), "{right}\n{}", checked.text);
        let grants: Vec<_> = statements(&checked.script());
        assert_eq!(grants, [format!("GRANT {right} ON {on} TO vitrin@localhost;")], "{}", checked.text);
        check.apply(&checked.script());
        let after = check.run();
        assert_eq!((after.code, after.script().as_str()), (Some(0), ""), "{}", after.text);
    }
}

#[tokio::test]
async fn an_account_with_a_password_is_made_without_showing_it() {
    only_root_can("give files away");
    let database = shop().await;
    let check = Check::of(&config(&format!("127.0.0.1:{}", database.port()), "password.file = '{folder}/password'"));
    let secret = password(&check.file("password"));
    let checked = check.mend();
    assert!(!checked.text.contains("canary"), "{secret} is in\n{}", checked.text);

    // Another password is a change that the same lines make; so is a file that was closed.
    fs::write(check.file("password"), "changed\n").unwrap();
    let checked = check.mend();
    assert!(checked.text.contains("ALTER USER"), "{}", checked.text);
    check.apply(&format!("chmod 0600 {}", check.file("password").display()));
    let checked = check.mend();
    assert!(!checked.script().contains("USER"), "{}", checked.text);

    // One that is not there is made.
    fs::remove_file(check.file("password")).unwrap();
    check.mend();
    assert_eq!(fs::read_to_string(check.file("password")).unwrap().len(), 33);
}

#[tokio::test]
async fn what_a_query_may_not_read_is_for_a_person_to_grant() {
    let database = shop().await;
    let address = database.socket().display().to_string();
    let query = "[mysql.queries.orders]\nsql = 'SELECT COUNT(*) AS n FROM shop.orders'\nvalues = ['n']";
    let check = Check::of(&format!("{}{query}", config(&address, "")));
    check.apply(&check.run().script());
    let checked = check.run();
    assert_eq!((checked.code, checked.script().as_str()), (Some(1), ""), "{}", checked.text);
    assert!(checked.text.contains("\n  | GRANT SELECT (column, column) ON schema.table TO "), "{}", checked.text);
    database.run(&[&format!("GRANT SELECT ON shop.orders TO {}@localhost", user())]).await;
    assert_eq!(check.run().code, Some(0));
}

#[tokio::test]
async fn what_costs_a_restart_is_for_a_person_and_no_error() {
    let database = Database::start(&["--performance-schema=OFF"]);
    let check = Check::of(&config(&database.socket().display().to_string(), ""));
    check.mend();
    let green = check.run();
    assert!(green.text.contains("\n  | performance_schema = ON\n"), "{}", green.text);
    assert_eq!(green.script(), "");
}
