//! Who takes part: the peers of each generation, and ours.

use std::fs;
use std::net::SocketAddr;

use super::support::exporter::Exporter;
use super::support::generation::Generation;
use super::support::http;
use super::support::peers::Peer;
use super::support::scrape::Page;
use super::support::stack::Stack;

/// Where a peer says whether it reaches its server.
const UP: [&str; 3] = ["mysql_up", "redis_up", "nginx_up"];

/// A running exporter that reaches its servers.
pub(crate) struct Contender {
    /// With its version.
    pub(crate) name: String,
    /// The Debian that the peer comes from; none for ours.
    pub(crate) generation: Option<String>,
    /// Size of its program in bytes.
    pub(crate) program: u64,
    /// What it gave when it was asked first.
    pub(crate) page: Page,
    process: Process,
}

/// It ends when it is dropped.
enum Process {
    Theirs(Peer),
    Ours(Exporter),
}

/// The four peers of one generation, looking at the stack.
pub(crate) fn peers(generation: &Generation, stack: &Stack) -> Vec<Contender> {
    let name = generation.name();
    [
        ("mysqld_exporter", generation.mysqld(&stack.mysql_client())),
        ("redis_exporter", generation.redis(&stack.redis_url(), &[])),
        ("node_exporter", generation.node(&[])),
        ("nginx-prometheus-exporter", generation.nginx(&stack.stub_status())),
    ]
    .map(|(peer, process)| Contender::theirs(peer, process, name.clone()))
    .into()
}

impl Contender {
    fn theirs(name: &str, peer: Peer, generation: String) -> Self {
        let page = peer.page();
        let down = UP.into_iter().find(|up| page.get(up, &[]) == Some(0.0));
        assert!(down.is_none(), "{name}: {down:?} is 0; its log:\n{}", peer.daemon().log());
        let program = fs::metadata(peer.program()).unwrap().len();
        let name = format!("{name} {}", version(&page));
        Self { name, generation: Some(generation), program, page, process: Process::Theirs(peer) }
    }

    /// Ours, whose every target must be up.
    pub(crate) fn ours(name: &str, exporter: Exporter) -> Self {
        let page = exporter.scrape();
        let down: Vec<_> = page.samples("vitrin_up").filter(|series| series.value != 1.0).collect();
        assert!(down.is_empty(), "{down:?}; the log:\n{}", exporter.log());
        let program = fs::metadata(env!("CARGO_BIN_EXE_vitrin")).unwrap().len();
        Self { name: name.to_owned(), generation: None, program, page, process: Process::Ours(exporter) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match &self.process {
            Process::Theirs(peer) => peer.address(),
            Process::Ours(exporter) => exporter.address(),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        match &self.process {
            Process::Theirs(peer) => peer.daemon().pid(),
            Process::Ours(exporter) => exporter.pid(),
        }
    }

    /// Scrapes it on a connection of its own, as `curl` does.
    pub(crate) fn scrape(&self) -> std::io::Result<http::Response> {
        http::ask(self.address(), "GET", "/metrics", &[])
    }
}

/// What an exporter says of its own version.
fn version(page: &Page) -> String {
    let info = page.families.iter().find(|family| family.name.ends_with("exporter_build_info"));
    let version = info.and_then(|family| family.series.first()?.labels.get("version"));
    // Some say `version=1.2.3`, or name Debian's revision.
    version.map_or(String::new(), |version| version.trim_start_matches("version=").to_owned())
}
