//! The program against real servers: one test binary, so that it links once.
#![expect(clippy::unwrap_used, reason = "where a test cannot go on, it fails")]

mod catalogue;
mod config;
mod dependencies;
mod docs;
mod host;
mod mysql_names;
mod nginx;
mod php_fpm;
mod prometheus;
mod redis;
mod scripts;
mod support;
mod web;
