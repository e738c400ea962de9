//! What writing a page costs, in each format: the page of the real servers, read once and written many times.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends there")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::stack::Stack;
use vitrin::collector::{Context, Paths};
use vitrin::config;
use vitrin::exposition::{Format, Page};
use vitrin::schedule::{LONGEST_SCRAPE, Schedule, Selection, report};
use vitrin::snapshot::Snapshot;

/// Rounds, of which the quickest counts: whatever else runs on the machine only ever adds.
const ROUNDS: usize = 20;

/// Pages written in each round.
const PAGES: u32 = 20;

fn main() {
    let stack = Stack::start();
    let config = config::parse(Path::new("vitrin.toml"), &stack.configuration()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let outcomes = runtime.block_on(async {
        let schedule = Schedule::start(config.collectors.jobs(&Context::new(Paths::default()), &[]));
        schedule.scrape(&Selection::All, LONGEST_SCRAPE).await
    });
    let mut own = Snapshot::default();
    report(&outcomes, &mut own);
    let page = Page::new(outcomes, own.finish().0);

    println!("{:14}{:>10}{:>12}{:>12}{:>12}", "format", "bytes", "time", "with gzip", "time");
    for (name, format) in [
        ("text", Format::Text),
        ("OpenMetrics", Format::OpenMetrics("1.0.0")),
        ("protobuf", Format::Protobuf { native_histograms: true }),
    ] {
        let [plain, gzip] =
            [false, true].map(|gzip| (page.render(format, gzip).len(), cost(|| page.render(format, gzip))));
        println!("{name:14}{:>10}{:>12?}{:>12}{:>12?}", plain.0, plain.1, gzip.0, gzip.1);
    }
}

/// The processor's time for one page; nothing in it waits.
fn cost<T>(mut write: impl FnMut() -> T) -> Duration {
    let round = |_| {
        let begun = Instant::now();
        for _ in 0..PAGES {
            std::hint::black_box(write());
        }
        begun.elapsed() / PAGES
    };
    (0..ROUNDS).map(round).min().unwrap()
}
