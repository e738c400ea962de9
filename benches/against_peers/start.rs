//! How long it takes from the start of the program to the last byte of its first page.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::daemon::{Daemon, folder, free_port};
use crate::support::exporter::environment;
use crate::support::http;
use crate::support::stack::Stack;

const STARTS: usize = 21;

/// Times from start to first page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) configured: &'static str,
    pub(crate) median: Duration,
    pub(crate) worst: Duration,
    /// Whether it is promised to be short.
    pub(crate) promised: bool,
}

/// Starts ours again and again: without a configuration, with one that names a target of each kind, and with
/// everything on. The last one's first page waits for the keys of Redis to be counted, which takes what it takes.
pub(crate) fn of(stack: &Stack) -> [Start; 3] {
    [
        ("without configuration", String::new(), true),
        ("a target of each kind", stack.configuration(), true),
        ("everything on, 20,000 keys to be counted", stack.everything(), false),
    ]
    .map(|(configured, config, promised)| {
        let mut times: Vec<_> = (0..STARTS).map(|_| once(&config)).collect();
        times.sort();
        Start { configured, median: times[STARTS / 2], worst: times[STARTS - 1], promised }
    })
}

fn once(config: &str) -> Duration {
    let folder = folder();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrin"));
    command.envs(environment()).arg(format!("--web.listen-address={address}"));
    if !config.is_empty() {
        let file = folder.path().join("vitrin.toml");
        fs::write(&file, config).unwrap();
        command.arg("--config.file").arg(file);
    }
    let begun = Instant::now();
    let daemon = Daemon::start("vitrin", command, folder);
    // Not a wait of some milliseconds each time, which would be most of what is measured.
    while TcpStream::connect(address).is_err() {
        std::thread::yield_now();
    }
    let status = http::ask(address, "GET", "/metrics", &[]).unwrap().status;
    let took = begun.elapsed();
    assert_eq!(status, 200, "{}", daemon.log());
    took
}
