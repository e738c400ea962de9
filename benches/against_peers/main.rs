//! What a scrape costs, beside the exporters that Vitrin stands in for.
//!
//! `make bench` starts the real servers, this Debian's exporters, the newest ones and ours, all at once, and scrapes
//! them in turn, so that whatever else the machine does falls on all alike. It prints what was measured and the
//! promises that it bears out, writes both into `docs/performance.md`, and ends with 1 when a promise is broken.
//!
//! `cargo bench --bench against_peers -- [--newest ROOT] [SCRAPES]`: fewer than a thousand scrapes are for trying it
//! out, and are not written down.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends there")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "figures, and how far it has come")]

mod asked;
mod contender;
mod cost;
mod coverage;
mod crowd;
mod document;
mod machine;
mod promise;
mod promises;
mod report;
mod start;
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../../tests/it/support/mod.rs"]
mod support;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use contender::Contender;
use report::Report;
use support::exporter::Exporter;
use support::generation::Generation;
use support::stack::Stack;

/// After how many scrapes the memory is looked at, and of how many the percentiles are taken.
const SCRAPES: usize = 1_000;

fn main() -> ExitCode {
    let arguments = Arguments::of(std::env::args().skip(1));
    let machine = machine::Machine::now();
    eprintln!("starting the servers and the exporters");
    let stack = Stack::start();
    let starts = start::of(&stack);
    let mut contenders = contender::peers(&Generation::installed(), &stack);
    if let Some(root) = &arguments.newest {
        contenders.extend(contender::peers(&Generation::in_root(root.clone()), &stack));
    }
    contenders.push(Contender::ours("vitrin, what they give", Exporter::start(&stack.without_php())));
    contenders.push(Contender::ours("vitrin, every collector", Exporter::start(&stack.everything())));

    let costs = cost::of(&contenders, arguments.scrapes);
    eprintln!("counting what the servers are asked");
    let asked = contenders.iter().map(|contender| asked::by(contender, &stack, arguments.scrapes / 5)).collect();
    let coverage = coverage::of(&contenders);
    eprintln!("sending crowds");
    // Last: some of them do not survive it, and the servers are not the same after it.
    let crowds = contenders.iter().map(crowd::at).collect();
    let servers = machine::servers(&stack);
    let Arguments { newest, scrapes } = arguments;
    let report = Report { machine, servers, scrapes, contenders, costs, asked, coverage, crowds, starts };
    let text = report.to_string();
    println!("{text}");
    if scrapes >= SCRAPES && newest.is_some() {
        document::write("against peers", &text);
    } else {
        eprintln!("{} stays as it is: it takes {SCRAPES} scrapes and --newest", document::PATH);
    }
    ExitCode::from(u8::from(report.promises().iter().any(|promise| !promise.kept)))
}

/// What the command line says.
struct Arguments {
    /// The root file system with the newest peers.
    newest: Option<PathBuf>,
    scrapes: usize,
}

impl Arguments {
    fn of(mut words: impl Iterator<Item = String>) -> Self {
        let mut arguments = Self { newest: None, scrapes: SCRAPES };
        while let Some(word) = words.next() {
            match word.as_str() {
                // Cargo says so to every bench.
                "--bench" => {}
                "--newest" => arguments.newest = words.next().map(PathBuf::from),
                number => arguments.scrapes = number.parse().expect("a number of scrapes"),
            }
        }
        arguments
    }
}
