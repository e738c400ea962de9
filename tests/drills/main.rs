//! Drills: a fault in a real server, and who is called for it.
//!
//! The shipped rules, routes and templates run in a real Prometheus and Alertmanager over a real shop; the clock alone is
//! another one ([`compress`]). `cargo test --test drills` runs a short set; with `-- --all` (`make drills`) all of them,
//! and writes `docs/drills.md`. Words among the arguments choose drills by their names.

#![expect(clippy::unwrap_used, reason = "a drill that cannot go on ends there")]
#![expect(clippy::print_stdout, reason = "the report is what it is for")]

mod calls;
mod compress;
mod drill;
mod faults;
mod files;
mod ladder;
mod load;
mod monitoring;
mod relay;
mod report;
mod runbooks;
mod shop;
mod sinks;
mod timeline;
mod vitrin;
mod watch;
mod world;

#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../it/support/mod.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use faults::Special;
use watch::Row;
use world::World;

/// One drill, whatever its kind, and whether it is one of the short set.
struct Entry {
    name: String,
    short: bool,
    run: Run,
}

type Run = Box<dyn Fn(&mut World) -> Vec<Row>>;

fn main() -> ExitCode {
    let (options, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with('-'));
    let all = options.iter().any(|option| option == "--all");
    go_first();
    compress::claims();
    sinks::claims();
    world::claims();
    println!("decompressing the drills' files gives the shipped ones");

    let wanted = |entry: &Entry| {
        if words.is_empty() { all || entry.short } else { words.iter().any(|word| entry.name.contains(word.as_str())) }
    };
    let mut world = None;
    let (mut rows, mut failed) = (Vec::new(), 0);
    for entry in entries().into_iter().filter(wanted) {
        let begun = Instant::now();
        // A world that somebody left broken is no place for the next drill.
        let run = || (entry.run)(world.get_or_insert_with(World::start));
        let came = catch_unwind(AssertUnwindSafe(run));
        let (took, how) = (begun.elapsed().as_secs_f64(), if came.is_ok() { "ok" } else { "FAILED" });
        println!("drill {} ... {how}, {took:.0} s", entry.name);
        if came.is_err() {
            failed += 1;
            world = None;
        }
        for row in came.unwrap_or_default() {
            print!("    {}", report::line(&row));
            rows.push(row);
        }
    }
    if failed > 0 {
        println!("{failed} drills failed");
        return ExitCode::FAILURE;
    }
    if all {
        report::write(&rows);
    }
    ExitCode::SUCCESS
}

/// Lets what runs from here on, servers included, go before what else is busy on this machine: a minute is a second, and
/// a build that takes both cores for half of one would be an outage. Only root can, and only where the kernel lets it.
fn go_first() {
    rustix::process::setpriority_process(None, -10).ok();
    // The scheduler shares the processor between sessions first, where it groups by them.
    std::fs::write("/proc/self/autogroup", "-10").ok();
}

/// All drills, in their order.
fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |name: &str, short, run: Run| {
        entries.push(Entry { name: name.to_owned(), short, run });
    };
    add("ladder", true, Box::new(|_| ladder::alone()));
    add("pair", false, Box::new(|_| ladder::pair()));
    for drill in faults::all() {
        add(drill.fault, drill.short, Box::new(|world| vec![drill.run(world)]));
    }
    for Special { fault, short, run } in faults::SPECIAL {
        add(fault, *short, Box::new(|world| vec![run(fault, world)]));
    }
    let fault = "runbooks: the first command of each";
    add(fault, false, Box::new(move |world| vec![runbooks::first_commands(fault, world)]));
    entries
}
