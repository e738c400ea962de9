//! A busy hour of the shop: something of everything that a dashboard shows.

use std::fmt::Write as _;
use std::ops::Range;

use super::accounts::Accounts;
use crate::support::daemon::eventually;
use crate::support::mariadb::block_on;
use crate::support::redis::RedisServer;
use crate::support::world::heartbeat::{self, Trade};
use crate::support::world::load::get;
use crate::support::world::security;
use crate::support::world::sinks::smtp::Manners;
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

/// The moments in which Redis does not answer, and those in which the mail server takes nothing.
const HUNG: Range<usize> = 4..7;
const REFUSED: Range<usize> = 2..12;

/// The shop is open, sells at marketplaces, is watched, and something is wrong with it.
pub(super) fn begin() -> (World, Accounts) {
    go_first();
    let mut beside = Vec::new();
    let mut world = World::start_with(|mut targets| {
        for (line, more) in TOLD {
            assert!(targets.contains(line), "no {line} in {targets}");
            targets = targets.replace(line, &format!("{line}{more}"));
        }
        let (_, after) = targets.split_once("redis://127.0.0.1:").expect("Redis is watched");
        let port: u16 = after.split(['/', '\'']).next().and_then(|port| port.parse().ok()).expect("a port");
        for (name, server) in [
            ("replica", RedisServer::start(&["--replicaof", "127.0.0.1", &port.to_string()])),
            ("sentinel", RedisServer::sentinel(port)),
        ] {
            writeln!(targets, "[redis.targets.{name}]\nurl = '{}'", server.url()).unwrap();
            beside.push(server);
        }
        targets
    });
    world.hold(beside);
    for words in CACHE {
        world.shop.redis.ask(&words);
    }
    let accounts = Accounts::open();
    heartbeat::open(&world.shop.database, Trade::Busy);
    heartbeat::refuse_payments(&world.shop.database);
    let own = heartbeat::target(&world.shop.database, &world.shop.password());
    let facts = world.shop.file("facts.json");
    security::write(&facts);
    world.also(own + &accounts.targets() + &security::table(&facts));
    world.look(BEYOND);
    (world, accounts)
}

/// One more moment of the hour.
pub(super) fn go_on(world: &World, accounts: &Accounts, moment: usize) {
    accounts.go_on(moment);
    let port = world.shop.nginx.port;
    for path in ASKED {
        get(port, path).ok();
    }
    match moment {
        _ if moment == HUNG.start => world.shop.redis.daemon.hang(),
        _ if moment == HUNG.end => world.shop.redis.daemon.resume(),
        _ if moment == REFUSED.start => world.smtp.behave(Manners::Refuses),
        _ if moment == REFUSED.end => world.smtp.behave(Manners::Good),
        _ => {}
    }
    if !HUNG.contains(&moment) {
        world.shop.redis.ask(&["SET", "session:1", "somebody", "PX", "100"]);
        // A browser that took the wrong port, which Redis counts as an error.
        get(world.shop.redis.port, "/").ok();
    }
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
