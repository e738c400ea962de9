//! A busy hour of the shop: something of everything that a dashboard shows.

use crate::support::daemon::eventually;
use crate::support::mariadb::block_on;
use crate::support::world::load::get;
use crate::support::world::{World, go_first};

/// Thresholds that the shop is beyond, so that somebody is called and the ladder is climbed.
const BEYOND: &[(&str, &str)] = &[("HostDiskFull", "0.0001"), ("HostMemoryLow", "0.0001")];

/// What shoppers, staff and programs ask for beside the pages that they look at all the time.
const ASKED: [&str; 10] = [
    "/index.php?route=product/category&path=20",
    "/index.php?route=product/product&product_id=1",
    "/index.php?route=product/search&search=book",
    "/index.php?route=checkout/cart",
    "/index.php?route=checkout/checkout",
    "/index.php?route=account/login",
    "/api/index.php?route=api/order",
    "/admin/index.php",
    "/nowhere.php",
    "/slow.php?ms=300",
];

/// What Vitrin does not look at unless it is told to, by the line that it stands behind.
const TOLD: &[(&str, &str)] = &[
    ("[mysql.targets.main]\n", "tables = 20\ndigests = 10\ntransactions = true\n"),
    ("[php_fpm.targets.main]\n", "processes = true\n"),
    ("[redis.targets.main]\n", "key_groups = { carts = { pattern = 'cart:*' } }\n"),
];

/// How a shop sets up its cache.
const CACHE: [[&str; 4]; 2] =
    [["CONFIG", "SET", "maxmemory", "100mb"], ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]];

/// The shop is open, watched, and something is wrong with it.
pub(super) fn begin() -> World {
    go_first();
    let mut world = World::start_with(|mut targets| {
        for (line, more) in TOLD {
            assert!(targets.contains(line), "no {line} in {targets}");
            targets = targets.replace(line, &format!("{line}{more}"));
        }
        targets
    });
    for words in CACHE {
        world.shop.redis.ask(&words);
    }
    world.look(BEYOND);
    world
}

/// One more moment of the hour.
pub(super) fn go_on(world: &World, moment: usize) {
    let port = world.shop.nginx.port;
    for path in ASKED {
        get(port, path).ok();
    }
    world.shop.redis.ask(&["SET", "session:1", "somebody", "PX", "100"]);
    if moment.is_multiple_of(5) {
        // Somebody who does not know the password.
        block_on(world.shop.database.run_as("shop", "guessed", "SELECT 1")).ok();
    }
}

/// Redis is stopped, and everybody knows.
pub(super) fn stop_something(world: &mut World) {
    world.shop.redis.daemon.kill();
    eventually("Prometheus to know that Redis is down", || !world.monitoring().query("redis_up == 0").is_empty());
}
