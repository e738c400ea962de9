//! The program against real servers: one test binary, so that it links once.
#![expect(clippy::unwrap_used, reason = "where a test cannot go on, it fails")]

mod access_log;
mod backends;
mod catalogue;
mod check;
mod commands;
mod config;
mod conformance;
mod crowd;
mod dependencies;
mod discovery;
mod docs;
mod example;
mod faults;
mod formats;
mod fresh;
mod host;
mod limits;
mod log_formats;
mod mysql;
mod mysql_names;
mod nginx;
mod objectives;
mod php_fpm;
mod probe;
mod prometheus;
mod readme;
mod redis;
mod reload;
mod scripts;
mod secrets;
mod side_by_side;
mod soak;
mod support;
mod web;
mod web_config;
