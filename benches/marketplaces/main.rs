//! What accounts at marketplaces cost: memory, a scrape, and the probes themselves.
//!
//! `make bench-marketplaces` starts the simulated marketplaces, a Vitrin with nine accounts of four probes each, and the
//! same Vitrin without them; and both once more beside every other collector and its real server. It waits until each
//! probe was made some times, and scrapes all in turn. What one costs more than the other is what accounts cost. It prints
//! the figures beside what is aimed at, and writes them into `docs/performance.md`.
//!
//! `cargo bench --bench marketplaces -- [SCRAPES]`: fewer than two thousand scrapes are for trying it out, and are not
//! written down.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends there")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "figures, and how far it has come")]

mod accounts;
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
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../../tests/it/support/mod.rs"]
mod support;
#[path = "../against_peers/table.rs"]
mod table;

use contender::Contender;
use report::Report;
use support::exporter::Exporter;
use support::simulator::Simulator;
use support::stack::Stack;

/// So many that the kernel's clock, which counts hundredths of a second, tells some thousandths of a millisecond a scrape.
const SCRAPES: usize = 2_000;

/// A Vitrin that tells of nothing but itself.
const ALONE: &str = "[host]\nenabled = false\n";

fn main() {
    // Cargo says `--bench`.
    let scrapes = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(SCRAPES);
    let machine = machine::Machine::now();
    eprintln!("starting the servers, the simulator and four exporters");
    let (stack, simulator) = (Stack::start(), Simulator::start(""));
    let (everything, accounts) = (stack.everything(), accounts::configuration(&simulator));
    let start = |accounts: &str| [ALONE, &everything].map(|rest| Exporter::start(&format!("{rest}\n{accounts}")));
    let (without, with) = (start(""), start(&accounts));
    eprintln!("waiting for the probes");
    let request = accounts::cost_of_a_request(&simulator, &with);
    let name = |exporter| Contender::ours("vitrin", exporter);
    let contenders: Vec<_> = without.into_iter().chain(with).map(name).collect();
    let costs = cost::of(&contenders, scrapes);
    let series = |index: usize| report::series(&contenders[index].page);
    let report = Report { machine, scrapes, costs, series: series(2) - series(0), request };
    println!("{report}");
    if scrapes >= SCRAPES {
        document::write("marketplaces", &report.to_string());
    } else {
        eprintln!("{} stays as it is: it takes {SCRAPES} scrapes", document::PATH);
    }
}
