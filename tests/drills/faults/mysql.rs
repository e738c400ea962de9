//! The database: gone, hung, full of connections, slow; and its replica, which stops.

use crate::drill::{Drill, critical, warning};
use crate::support::daemon::listens_on;
use crate::support::mariadb::{block_on, is_mariadb};
use crate::world::World;

/// What follows when the page of the shop fails: seen from outside, in the log, in the budget.
const SHOP_FAILS: &[&str] = &["ShopDown", "ShopErrors", "ErrorBudgetBurnsFast", "ErrorBudgetBurns"];

pub(crate) const DRILLS: &[Drill] = &[
    Drill {
        fault: "MySQL stopped",
        short: true,
        pages: &[critical("MySQLDown", 3)],
        symptoms: SHOP_FAILS,
        after: 1.0,
        acknowledged: true,
        inject: stop,
        repair: start,
        ..Drill::NONE
    },
    Drill {
        fault: "MySQL hangs (SIGSTOP)",
        pages: &[critical("MySQLDown", 3)],
        symptoms: SHOP_FAILS,
        after: 1.0,
        inject: |world| world.shop.database.daemon.hang(),
        repair: |world| world.shop.database.daemon.resume(),
        ..Drill::NONE
    },
    Drill {
        fault: "MySQL replication stopped",
        pages: &[warning("MySQLReplicationBroken", 1)],
        after: 5.0,
        inject: |world| replicate(world, "STOP"),
        repair: |world| replicate(world, "START"),
        ..Drill::NONE
    },
];

fn stop(world: &mut World) {
    world.shop.database.daemon.end();
}

fn start(world: &mut World) {
    world.shop.database.daemon.start_again();
    let socket = world.shop.database.socket();
    world.shop.database.daemon.wait_until(|| listens_on(&socket));
}

fn replicate(world: &World, verb: &str) {
    let noun = if is_mariadb() { "SLAVE" } else { "REPLICA" };
    block_on(world.shop.replica.run(&[&format!("{verb} {noun}")]));
}
