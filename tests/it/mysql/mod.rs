//! The mysql collectors against a real MariaDB or MySQL.

mod connect;
mod galera;
pub(crate) mod lies;
mod queries;
mod replication;
mod scrape;
mod shop;
mod timers;
mod transactions;

use std::path::Path;

use vitrin::collector::{Collector, Context, Paths};
use vitrin::collectors::mysql::Config;

use crate::support::mariadb::{Database, is_mariadb};

/// The rights that `vitrin.toml` asks for, of a shop whose schema is `shop`.
fn grants() -> [String; 3] {
    let replication = if is_mariadb() { "SLAVE MONITOR" } else { "REPLICATION CLIENT" };
    [&format!("PROCESS, {replication} ON *.*"), "SELECT ON performance_schema.*", "SELECT ON shop.*"]
        .map(|right| format!("GRANT {right} TO vitrin@'%'"))
}

/// Makes the account `vitrin` with the password `secret` and all it needs.
pub(crate) async fn make_account(database: &Database) {
    database.run(&["CREATE USER vitrin@'%' IDENTIFIED BY 'secret'"]).await;
    database.run(&grants().each_ref().map(String::as_str)).await;
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
