//! All faults, in the order in which they are drilled.

mod host;
mod marketplace;
mod monitoring;
mod mysql;
mod php_fpm;
mod redis;
mod security;
mod shop_database;

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::drill::{Drill, Row};
use crate::world::World;

/// What follows when the page of the shop fails: seen from outside, in the log, in the budget; and by the replica.
const SHOP_FAILS: &[&str] = &[
    "ShopDown",
    "ProbeFailing",
    "PhpFpmFatalErrors",
    "ShopUpstreamErrors",
    "ErrorBudgetBurnsFast",
    "ErrorBudgetBurns",
    "ErrorBudgetLeaks",
    "MySQLReplicationBroken",
];

/// Drills that break something, wait, and repair it.
pub(crate) fn all() -> impl Iterator<Item = &'static Drill> {
    let all = [
        mysql::DRILLS,
        redis::DRILLS,
        php_fpm::DRILLS,
        host::DRILLS,
        shop_database::DRILLS,
        marketplace::DRILLS,
        security::DRILLS,
    ];
    all.into_iter().flatten()
}

/// Drills with a course of their own, by what is broken.
pub(crate) const SPECIAL: &[Special] = monitoring::SPECIAL;

/// A drill with a course of its own.
pub(crate) struct Special {
    pub(crate) fault: &'static str,
    pub(crate) short: bool,
    pub(crate) run: fn(&'static str, &mut World) -> Row,
}

/// Does this over and over, with a pause in between, until what it returns is dropped; it may still be at it then, for
/// the last time.
fn busy(pause: Duration, mut again: impl FnMut() + Send + 'static) -> Sender<()> {
    let (end, over) = mpsc::channel();
    thread::spawn(move || {
        while over.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            again();
        }
    });
    end
}
