//! The database: gone, hung, full of connections, slow; and its replica, which stops.

use std::path::Path;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};

use super::{SHOP_FAILS, busy};
use crate::drill::{Drill, critical, warning};
use crate::shop::{CONNECTIONS, PASSWORD};
use crate::support::daemon::listens_on;
use crate::support::mariadb::{block_on, is_mariadb};
use crate::world::World;

/// Clients that ask for something slow, and how slow that is: enough of both to outweigh what the shop asks.
const SLOW_CLIENTS: usize = 12;
const SLOW_STATEMENT: &str = "DO SLEEP(0.3)";

pub(super) const DRILLS: &[Drill] = &[
    Drill {
        fault: "MySQL stopped",
        short: true,
        pages: &[critical("MySQLDown", 3)],
        symptoms: SHOP_FAILS,
        after: 1.0,
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
        fault: "MySQL has hardly a connection left",
        pages: &[critical("MySQLConnectionsNearLimit", 1)],
        after: 5.0,
        inject: |world| hold(world, CONNECTIONS * 9 / 10),
        repair: World::let_go,
        ..Drill::NONE
    },
    Drill {
        fault: "MySQL has no connection left",
        // Of five minutes; a drill's are 5 seconds, in which fewer shoppers come.
        thresholds: &[("MySQLConnectionsRefused", "3")],
        pages: &[critical("MySQLConnectionsRefused", 2), critical("ShopDown", 3), critical("ErrorBudgetBurnsFast", 3)],
        // No cause: it calls level 2, and a shop that is down must call level 3.
        symptoms: &["MySQLConnectionsNearLimit", "ShopUpstreamErrors", "ErrorBudgetBurns", "ErrorBudgetLeaks"],
        after: 5.0,
        inject: |world| hold(world, u32::MAX),
        repair: World::let_go,
        ..Drill::NONE
    },
    Drill {
        fault: "MySQL replication stopped",
        pages: &[warning("MySQLReplicationBroken", 1)],
        after: 5.0,
        acknowledged: true,
        inject: |world| replicate(world, "STOP"),
        repair: |world| replicate(world, "START"),
        ..Drill::NONE
    },
    Drill {
        fault: "MySQL answers slowly",
        pages: &[warning("MySQLQueriesSlow", 1)],
        after: 15.0,
        inject: slow,
        repair: World::let_go,
        ..Drill::NONE
    },
];

pub(super) fn stop(world: &mut World) {
    world.shop.database.daemon.end();
}

pub(super) fn start(world: &mut World) {
    world.shop.database.daemon.start_again();
    let socket = world.shop.database.socket();
    world.shop.database.daemon.wait_until(|| listens_on(&socket));
}

fn replicate(world: &mut World, verb: &str) {
    let noun = if is_mariadb() { "SLAVE" } else { "REPLICA" };
    block_on(world.shop.replica.run(&[&format!("{verb} {noun}")]));
}

/// A connection as the shop makes it.
async fn connect(socket: &Path) -> mysql_async::Result<Conn> {
    let socket = Some(socket.to_string_lossy().into_owned());
    Conn::new(OptsBuilder::default().user(Some("shop")).pass(Some(PASSWORD)).socket(socket)).await
}

/// Holds connections until so many are in use, or until there are none.
fn hold(world: &mut World, wanted: u32) {
    let (mut held, mut refused) = (Vec::new(), 0);
    let socket = world.shop.database.socket();
    // Pages that were being made when it became full let go of theirs.
    while refused < 20 {
        // The question takes one, too.
        if wanted < CONNECTIONS && block_on(world.shop.database.status("Threads_connected")) > f64::from(wanted) {
            break;
        }
        match block_on(connect(&socket)) {
            Ok(connection) => held.push(connection),
            Err(_) => refused += 1,
        }
    }
    world.hold(held);
}

/// Clients that wait for the database all the time.
fn slow(world: &mut World) {
    for _ in 0..SLOW_CLIENTS {
        let socket = world.shop.database.socket();
        world.hold(busy(Duration::ZERO, move || {
            block_on(async {
                let mut connection = connect(&socket).await?;
                for _ in 0..3 {
                    connection.query_drop(SLOW_STATEMENT).await?;
                }
                connection.disconnect().await
            })
            // One that is refused tries again.
            .ok();
        }));
    }
}
