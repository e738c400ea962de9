//! What the security score costs: the rounds that it is made of, memory, and a scrape.
//!
//! `make bench-security` starts a shop of real servers, a Vitrin that watches it, and the same with `[security]`. It waits
//! for their first scores, some times, and then looks on for a quarter of an hour, in which everything is due at least
//! once. What one costs more than the other is what the score costs. It prints the figures beside what is aimed at, and
//! writes them into `docs/performance.md`.
//!
//! `cargo bench --bench security -- [ROUNDS]`: fewer rounds than fifteen are for trying it out, and are not written down.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends there")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "figures, and how far it has come")]

#[expect(dead_code, reason = "the other bench has peers, too")]
#[path = "../against_peers/contender.rs"]
mod contender;
#[expect(dead_code, reason = "the other bench has peers, too")]
#[path = "../against_peers/cost.rs"]
mod cost;
#[path = "../against_peers/document.rs"]
mod document;
#[expect(dead_code, reason = "the other bench has servers, too")]
#[path = "../against_peers/machine.rs"]
mod machine;
mod report;
mod rounds;
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../../tests/it/support/mod.rs"]
mod support;
#[path = "../against_peers/table.rs"]
mod table;

use contender::Contender;
use report::Report;
use rounds::Pair;
use support::storefront::Storefront;

/// Three times each of what is looked at every five minutes.
const ROUNDS: usize = 15;

/// Scrapes of each in each form.
const SCRAPES: usize = 1_000;

/// How many programs begin anew.
const STARTS: u32 = 5;

fn main() {
    // Cargo says `--bench`.
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(ROUNDS);
    let machine = machine::Machine::now();
    eprintln!("starting the servers");
    let shop = Storefront::start();
    let facts = rounds::facts(&shop);
    eprintln!("{STARTS} starts, each up to its first score");
    let first = (0..STARTS).map(|_| Pair::start(&shop).more()).fold(rounds::Spent::default(), |sum, of| sum + of);
    let pair = Pair::start(&shop);
    let rounds = rounds::watch(&pair, count);
    let contenders = pair.into_exporters().map(|exporter| Contender::ours("vitrin", exporter));
    let series = report::series(&contenders[1].page);
    let costs = cost::of(&contenders, SCRAPES);
    let report = Report { machine, facts, first: first / STARTS, rounds, series, scrapes: SCRAPES, costs };
    println!("{report}");
    if count >= ROUNDS {
        document::write("security", &report.to_string());
    } else {
        eprintln!("{} stays as it is: it takes {ROUNDS} rounds", document::PATH);
    }
}
