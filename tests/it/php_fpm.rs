//! The `php_fpm` collector against a real PHP-FPM.

mod errors;
mod opcache;
mod pools;

use vitrin::collector::{Collector as _, Context, Paths};
use vitrin::collectors::php_fpm::{Config, PhpFpm};

use crate::support::found::Found;
use crate::support::php_fpm as server;

/// A pool that answers about itself however busy it is.
fn shop(home: &server::PhpFpm) -> String {
    format!("unix://{}/status.sock;/status", home.daemon.folder().display())
}

fn collector(table: &str) -> PhpFpm {
    let config: Config = toml::from_str(table).unwrap();
    PhpFpm::new(&config, &Context::new(Paths::default()))
}

/// Runs a collector once, of a target that must be up without a gap.
#[track_caller]
fn whole(found: &Found) {
    assert!(found.gaps.is_empty(), "{}", found.gaps[0]);
    assert!(found.dropped.is_empty(), "{:?}", found.dropped);
}
