//! What a scrape costs, beside the exporters that Vitrin stands in for.
//!
//! `make bench` starts the real servers, then each exporter in turn against them, and prints one table and the promises
//! it bears out. It ends with 1 when one is broken. Figures of different runs do not compare: machines are noisy.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends there")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod cost;
mod report;
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../../tests/it/support/mod.rs"]
mod support;

use std::process::ExitCode;

use cost::Cost;
use report::Report;
use support::exporter::Exporter;
use support::peers::Peer;
use support::stack::Stack;

/// Where a peer says whether it reaches its server.
const UP: [&str; 3] = ["mysql_up", "redis_up", "nginx_up"];

fn main() -> ExitCode {
    let stack = Stack::start();
    let peers = vec![
        ("mysqld_exporter", theirs(&Peer::mysqld(&stack.mysql_client()))),
        ("redis_exporter", theirs(&Peer::redis(&stack.redis_url(), &[]))),
        ("node_exporter", theirs(&Peer::node())),
        ("nginx-prometheus-exporter", theirs(&Peer::nginx(&stack.stub_status()))),
    ];
    let same = ours(&stack.without_php());
    let all = ours(&stack.configuration());
    let binary = std::fs::metadata(env!("CARGO_BIN_EXE_vitrin")).unwrap().len();
    let report = Report { peers, same, all, binary };
    println!("{report}");
    ExitCode::from(u8::from(report.promises().iter().any(|promise| !promise.kept)))
}

/// What a peer costs, which must reach its server.
fn theirs(peer: &Peer) -> Cost {
    let page = peer.page();
    let down = UP.into_iter().find(|up| page.get(up, &[]) == Some(0.0));
    assert!(down.is_none(), "{down:?} is 0; the log:\n{}", peer.daemon().log());
    Cost::of(peer.address(), peer.daemon().pid()).unwrap()
}

/// What our exporter costs with this configuration; every target of it must be up.
fn ours(config: &str) -> Cost {
    let exporter = Exporter::start(config);
    let page = exporter.scrape();
    let down: Vec<_> = page.samples("vitrin_up").filter(|series| series.value != 1.0).collect();
    assert!(down.is_empty(), "{down:?}; the log:\n{}", exporter.log());
    Cost::of(exporter.address(), exporter.pid()).unwrap()
}
