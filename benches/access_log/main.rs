//! What reading an access log costs, beside mtail and GoAccess.
//!
//! `make bench-log` makes a log of two million lines, has everybody read it, and then has the exporter follow ten
//! gigabytes. It prints the figures and the promises that they bear out, writes both into `docs/performance.md`, and ends
//! with 1 when a promise is broken.
//!
//! `cargo bench --bench access_log -- [--lines N] [--gigabytes N]`: fewer are for trying it out, and are not written
//! down.
//!
//! Compared is processor time, of all threads: whatever else the machine does changes that little.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends there")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "figures, and how far it has come")]

#[path = "../against_peers/document.rs"]
mod document;
mod following;
mod log;
#[expect(dead_code, reason = "the other bench has servers, too")]
#[path = "../against_peers/machine.rs"]
mod machine;
mod peers;
#[expect(dead_code, reason = "the other benches have promises about less")]
#[path = "../against_peers/promise.rs"]
mod promise;
mod report;
mod stages;
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../../tests/it/support/mod.rs"]
mod support;
#[path = "../against_peers/table.rs"]
mod table;

use std::process::ExitCode;
use std::time::Duration;

use report::Report;

/// Counts what is allocated; the promise is that a line allocates nothing.
#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// How long the log is that all read, in lines; and what is followed, in gigabytes.
const LINES: u64 = 2_000_000;
const GIGABYTES: u64 = 10;

/// What it took to read lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) lines: u64,
    /// Of the processor, all threads together.
    pub(crate) cpu: Duration,
}

impl Cost {
    /// Lines in a second of the processor's time.
    pub(crate) fn speed(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far fewer lines than that")]
        let lines = self.lines as f64;
        lines / self.cpu.as_secs_f64()
    }
}

fn main() -> ExitCode {
    let (lines, gigabytes) = arguments(std::env::args().skip(1));
    let machine = machine::Machine::now();
    eprintln!("making a log of {lines} lines");
    let log = log::lines(lines);
    let stages = stages::of(&log);
    let allocations = stages::allocations(&log);
    let folder = support::daemon::folder();
    let path = folder.path().join("access.log");
    std::fs::write(&path, &log).unwrap();
    eprintln!("the exporter reads it");
    let exporter = following::reads(&log, lines);
    eprintln!("mtail reads it");
    let mtail = peers::mtail(&path, lines);
    eprintln!("GoAccess reads it");
    let goaccess = peers::goaccess(&path, lines);
    drop(folder);
    eprintln!("the exporter follows {gigabytes} GB");
    let memory = following::memory(&log, gigabytes);
    let bytes = log.len() as u64 / lines;
    let report = Report { machine, lines, bytes, stages, allocations, exporter, mtail, goaccess, memory };
    println!("{report}");
    if lines >= LINES && gigabytes >= GIGABYTES {
        document::write("access log", &report.to_string());
    } else {
        eprintln!("{} stays as it is: it takes {LINES} lines and {GIGABYTES} GB", document::PATH);
    }
    ExitCode::from(u8::from(report.promises().iter().any(|promise| !promise.kept)))
}

/// How many lines, and how many gigabytes.
fn arguments(mut words: impl Iterator<Item = String>) -> (u64, u64) {
    let (mut lines, mut gigabytes) = (LINES, GIGABYTES);
    while let Some(word) = words.next() {
        let number = || words.next().and_then(|word| word.parse().ok()).expect("a number follows");
        match word.as_str() {
            // Cargo says so to every bench.
            "--bench" => {}
            "--lines" => lines = { number }(),
            "--gigabytes" => gigabytes = { number }(),
            other => panic!("{other} is no argument of this bench"),
        }
    }
    (lines, gigabytes)
}
