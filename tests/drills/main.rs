//! Drills: a fault in a real server, and who is called for it.
//!
//! The shipped rules, routes and templates run in a real Prometheus and Alertmanager over a real shop; the clock alone is
//! another one ([`compress`]). `cargo test --test drills` runs a short set, with `-- --all` all of them. Words among the
//! arguments choose drills by their names. With `--report`, as `make drills` has it, what came of them goes into
//! `docs/drills.md`.

#![expect(clippy::unwrap_used, reason = "a drill that cannot go on ends there")]
#![expect(clippy::print_stdout, reason = "the report is what it is for")]

mod calls;
mod drill;
mod faults;
mod ladder;
mod report;
mod runbooks;
mod watch;

#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../it/support/mod.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use faults::Special;
use support::world::{
    self, World, compress, files, heartbeat, load, monitoring, security, shop, sinks, timeline, vitrin,
};
use watch::Row;

/// One drill, and whether it is one of the short set.
struct Entry {
    name: String,
    short: bool,
    run: Run,
}

enum Run {
    /// Has servers of its own, and runs beside the others.
    Beside(fn() -> Vec<Row>),
    /// Breaks the one shop, when it is its turn.
    In(Box<dyn Fn(&mut World) -> Row>),
}

fn main() -> ExitCode {
    let (options, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with('-'));
    let all = options.iter().any(|option| option == "--all");
    world::go_first();
    compress::claims();
    sinks::mail::claims();
    world::claims();
    println!("decompressing the drills' files gives the shipped ones");

    let wanted = |entry: &Entry| {
        if words.is_empty() { all || entry.short } else { words.iter().any(|word| entry.name.contains(word.as_str())) }
    };
    let (mut beside, mut rows, mut failed) = (Vec::new(), Vec::new(), 0);
    let mut world = None;
    for Entry { name, run, .. } in entries().into_iter().filter(wanted) {
        let begun = Instant::now();
        match run {
            Run::Beside(run) => beside.push((name, begun, thread::spawn(run))),
            Run::In(run) => {
                let came = catch_unwind(AssertUnwindSafe(|| run(world.get_or_insert_with(World::start))));
                tell(&name, begun, came.as_ref().map(std::slice::from_ref).ok());
                if came.is_err() {
                    failed += 1;
                    // What somebody left broken is no place for the next drill.
                    world = None;
                }
                rows.extend(came);
            }
        }
    }
    for (name, begun, thread) in beside {
        let came = thread.join();
        tell(&name, begun, came.as_deref().ok());
        failed += usize::from(came.is_err());
        rows.splice(0..0, came.unwrap_or_default());
    }
    if failed > 0 {
        println!("{failed} drills failed");
        return ExitCode::FAILURE;
    }
    if options.iter().any(|option| option == "--report") {
        report::write(&rows, all && words.is_empty());
    }
    ExitCode::SUCCESS
}

fn tell(name: &str, begun: Instant, rows: Option<&[Row]>) {
    let how = if rows.is_some() { "ok" } else { "FAILED" };
    println!("drill {name} ... {how}, {:.0} s", begun.elapsed().as_secs_f64());
    for row in rows.unwrap_or_default() {
        println!("{}", report::line(row));
    }
}

/// All drills, in their order.
fn entries() -> Vec<Entry> {
    let entry = |name: &str, short, run| Entry { name: name.to_owned(), short, run };
    let mut entries =
        vec![entry("pair", false, Run::Beside(ladder::pair)), entry("ladder", true, Run::Beside(ladder::alone))];
    for drill in faults::all() {
        entries.push(entry(drill.fault, drill.short, Run::In(Box::new(|world| drill.run(world)))));
    }
    for Special { fault, short, run } in faults::SPECIAL {
        entries.push(entry(fault, *short, Run::In(Box::new(|world| run(fault, world)))));
    }
    let fault = "runbooks: the first command of each";
    entries.push(entry(fault, false, Run::In(Box::new(move |world| runbooks::first_commands(fault, world)))));
    entries
}
