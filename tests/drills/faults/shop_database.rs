//! The shop's own heartbeat, as its database has it: orders, payments, cron and what waits in a queue stop.

use crate::compress::minutes;
use crate::drill::{Drill, critical, warning};
use crate::heartbeat::{self, Trade};
use crate::support::daemon::eventually;
use crate::support::mariadb::Database;
use crate::world::World;

/// One of this topic.
const DRILL: Drill = Drill { beside: |world| open(world, Trade::Busy), repair: mend, ..Drill::NONE };

pub(super) const DRILLS: &[Drill] = &[
    Drill {
        fault: "nobody orders for six hours, by the shop's database",
        short: true,
        pages: &[critical("ShopNoOrders", 2), critical("MarketplaceOrdersStalled", 2)],
        after: 5.0,
        inject: |world| change(world, heartbeat::sell_nothing),
        ..DRILL
    },
    Drill {
        fault: "the shop's cron stops, by its database",
        pages: &[critical("ShopCronStalled", 1), critical("ShopQueueStalled", 1)],
        after: 10.0,
        acknowledged: true,
        inject: |world| change(world, heartbeat::stop_cron),
        ..DRILL
    },
    Drill {
        fault: "payments fail, by the shop's database",
        pages: &[warning("ShopPaymentsFailing", 1)],
        after: 15.0,
        inject: |world| change(world, heartbeat::refuse_payments),
        ..DRILL
    },
    Drill {
        fault: "a shop that sells three times a week, for half an hour: none is no fault",
        beside: |world| open(world, Trade::Little),
        inject: sell_little,
        repair: |_| {},
        ..Drill::NONE
    },
];

/// Half an hour, of which vitrin knows all that an alert could go by.
fn sell_little(world: &mut World) {
    for known in
        ["shop:orders:count", "shop:marketplace_orders:count", "shop:cron_late:seconds", "shop:queue_age:seconds"]
    {
        eventually("Prometheus to know what the database says", || !world.monitoring().query(known).is_empty());
    }
    world.timeline.pass(minutes(30.0));
}

/// The shop sells so much, and vitrin is to look at it.
fn open(world: &mut World, trade: Trade) -> String {
    heartbeat::open(&world.shop.database, trade);
    target(world)
}

fn target(world: &World) -> String {
    heartbeat::target(&world.shop.database, &world.shop.password())
}

/// Changes what the database holds, and has vitrin look again.
fn change(world: &mut World, how: fn(&Database)) {
    how(&world.shop.database);
    let target = target(world);
    world.also(target);
}

fn mend(world: &mut World) {
    let target = open(world, Trade::Busy);
    world.also(target);
}
