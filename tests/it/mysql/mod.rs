//! The mysql collectors against a real MariaDB or MySQL.

mod connect;
mod queries;
mod replication;
mod scrape;
mod timers;

use std::path::Path;

use vitrin::collector::{Collector, Context, Paths};
use vitrin::collectors::mysql::Config;

use crate::support::mariadb::{Database, is_mariadb};

/// What an account needs to see all there is, rows for queries of its own included; the documented one has less.
pub(crate) fn grants(account: &str) -> String {
    let replication = if is_mariadb() { "SLAVE MONITOR" } else { "REPLICATION CLIENT" };
    format!("GRANT PROCESS, {replication}, SELECT ON *.* TO {account}")
}

/// Makes the account `vitrin` with the password `secret` and all it needs.
async fn make_account(database: &Database) {
    database.run(&["CREATE USER vitrin@'%' IDENTIFIED BY 'secret'", &grants("vitrin@'%'")]).await;
    std::fs::write(database.daemon.folder().join("password"), "secret\n").unwrap();
}

/// The configuration of the target `main`: the account of [`make_account`], and these lines.
fn config(database: &Database, lines: &str) -> Config {
    let password = database.daemon.folder().join("password");
    let text = format!(
        "[mysql.targets.main]\naddress = '{}'\nuser = 'vitrin'\npassword = {{ file = '{}' }}\n{lines}",
        database.socket().display(),
        password.display()
    );
    let config =
        vitrin::config::parse(Path::new("vitrin.toml"), &text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    config.collectors.mysql.targets.into_values().next().unwrap()
}

/// A collector of the target `main`.
fn collector<C: Collector<Config = Config>>(config: &Config) -> C {
    C::new(config, &Context::new(Paths::default()))
}
