//! Redis: gone, full and throwing keys away, full and refusing writes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::{SHOP_FAILS, busy};
use crate::drill::{Drill, critical, warning};
use crate::support::daemon::listens;
use crate::world::World;

/// How long it is left alone after so many keys.
const PAUSE: Duration = Duration::from_millis(100);

/// Room that is left when it is said to be full, in bytes.
const ROOM: u64 = 300_000;

pub(super) const DRILLS: &[Drill] = &[
    Drill {
        fault: "Redis killed",
        short: true,
        pages: &[critical("RedisDown", 3)],
        symptoms: SHOP_FAILS,
        after: 1.0,
        acknowledged: true,
        inject: |world| world.shop.redis.daemon.kill(),
        repair: start,
        ..Drill::NONE
    },
    Drill {
        fault: "Redis evicts keys",
        pages: &[warning("RedisEvicting", 1), warning("RedisMemoryNearLimit", 1)],
        after: 10.0,
        inject: |world| {
            fill(world, "volatile-lru");
            let port = world.shop.redis.port;
            // What is written has an end, and so may be thrown away.
            world.hold(busy(PAUSE, move || drop(write(port, 50))));
        },
        repair: empty,
        ..Drill::NONE
    },
    Drill {
        fault: "Redis rejects writes",
        pages: &[critical("RedisRejectingWrites", 2)],
        symptoms: &["RedisMemoryNearLimit"],
        after: 6.0,
        inject: |world| {
            fill(world, "noeviction");
            let port = world.shop.redis.port;
            world.hold(busy(PAUSE, move || drop(write(port, 50))));
        },
        repair: empty,
        ..Drill::NONE
    },
];

fn start(world: &mut World) {
    world.shop.redis.daemon.start_again();
    let port = world.shop.redis.port;
    world.shop.redis.daemon.wait_until(|| listens(port));
}

/// Leaves it hardly any room.
fn fill(world: &World, policy: &str) {
    let redis = &world.shop.redis;
    let used: u64 = redis.info("used_memory").parse().unwrap();
    redis.ask(&["CONFIG", "SET", "maxmemory-policy", policy]);
    redis.ask(&["CONFIG", "SET", "maxmemory", &(used + ROOM).to_string()]);
}

fn empty(world: &mut World) {
    world.let_go();
    world.shop.redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    world.shop.redis.ask(&["FLUSHALL"]);
}

/// Writes so many keys of a kilobyte that end in an hour.
fn write(port: u16, count: usize) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let value = "x".repeat(1000);
    let key = || rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_nsec;
    for _ in 0..count {
        stream.write_all(format!("SET session:{} {value} EX 3600\r\n", key()).as_bytes())?;
    }
    stream.write_all(b"QUIT\r\n")?;
    let mut replies = String::new();
    stream.read_to_string(&mut replies)?;
    Ok(replies)
}
