//! PHP-FPM: gone, full, overrun, without room for scripts; and restarted, which is no fault.

use std::time::Duration;

use rustix::process::Signal;

use super::{SHOP_FAILS, busy};
use crate::drill::{Drill, critical, warning};
use crate::load;
use crate::shop::CHILDREN;
use crate::support::daemon::listens_on;
use crate::world::World;

/// Clients at a time, and how long a page takes them: more wait than may, and none for long.
const CLIENTS: usize = 20;
const SLOW_PAGE: &str = "/slow.php?ms=60";

/// Scripts that fill 8 MB of OPcache.
const SCRIPTS: usize = 120;

pub(super) const DRILLS: &[Drill] = &[
    Drill {
        fault: "PHP-FPM stopped",
        pages: &[critical("PhpFpmDown", 3)],
        symptoms: SHOP_FAILS,
        after: 1.0,
        inject: |world| {
            world.shop.php_fpm.daemon.end();
        },
        repair: |world| {
            world.shop.php_fpm.daemon.start_again();
            let socket = world.shop.php_fpm.socket("shop");
            world.shop.php_fpm.daemon.wait_until(|| listens_on(&socket));
        },
        ..Drill::NONE
    },
    Drill {
        fault: "PHP-FPM nearly out of processes",
        // One of its five is left for the probe and for vitrin.
        thresholds: &[("PhpFpmSaturated", "0.7")],
        pages: &[critical("PhpFpmSaturated", 1)],
        after: 7.0,
        inject: |world| {
            world.load.shop(false);
            let script = world.shop.php_fpm.file("slow.php");
            let hold = |_| world.shop.php_fpm.run("shop", &script, &[("QUERY_STRING", "ms=200000")]);
            let held: Vec<_> = (1..CHILDREN).map(hold).collect();
            world.hold(held);
        },
        repair: |world| {
            world.let_go();
            // Processes that sleep for visitors who have gone.
            world.shop.php_fpm.daemon.signal(Signal::USR2);
            world.load.shop(true);
        },
        ..Drill::NONE
    },
    Drill {
        fault: "PHP-FPM has more visitors than processes",
        pages: &[critical("PhpFpmQueueing", 2)],
        symptoms: &["PhpFpmSaturated"],
        after: 3.0,
        inject: |world| {
            let port = world.shop.nginx.port;
            for _ in 0..CLIENTS {
                world.hold(busy(Duration::ZERO, move || drop(load::get(port, SLOW_PAGE))));
            }
        },
        repair: World::let_go,
        ..Drill::NONE
    },
    Drill {
        fault: "OPcache full",
        pages: &[warning("OpcacheFull", 1)],
        after: 10.0,
        inject: |world| {
            let functions = (0..600).map(|number| format!("function f{number}($a) {{ return $a . 'x{number}'; }}"));
            let body = functions.collect::<Vec<_>>().join("\n");
            for number in 0..SCRIPTS {
                let text = format!("<?php namespace N{number};\n{body}");
                let script = world.shop.php_fpm.script(&format!("large{number}.php"), &text);
                world.shop.php_fpm.run("shop", &script, &[]).answer();
            }
        },
        repair: |world| world.shop.php_fpm.daemon.signal(Signal::USR2),
        ..Drill::NONE
    },
    Drill {
        fault: "PHP-FPM restarted (SIGUSR2), which is none",
        inject: |world| world.shop.php_fpm.daemon.signal(Signal::USR2),
        ..Drill::NONE
    },
];
