//! The exporter under drill: its configuration, its process, and its reload.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use crate::support::daemon::{Daemon, eventually, folder, free_port};
use crate::support::http;
use crate::support::scrape::Page;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_vitrin");

/// A running exporter.
pub(crate) struct Vitrin {
    pub(crate) daemon: Daemon,
    pub(crate) port: u16,
    /// What watches the shop.
    targets: String,
    /// What it watches besides, for a while.
    more: String,
}

impl Vitrin {
    /// Starts it with these targets and these thresholds.
    pub(crate) fn start(targets: String, objectives: &str) -> Self {
        let (folder, port) = (folder(), free_port());
        let file = folder.path().join("vitrin.toml");
        fs::write(&file, format!("{objectives}\n{targets}")).unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}")).arg("--config.file").arg(file);
        command.env("STATE_DIRECTORY", folder.path().join("state"));
        let mut vitrin = Self { daemon: Daemon::start("vitrin", command, folder), port, targets, more: String::new() };
        vitrin.wait();
        vitrin
    }

    /// Starts it anew after it was killed.
    pub(crate) fn start_again(&mut self) {
        self.daemon.start_again();
        self.wait();
    }

    fn wait(&mut self) {
        let port = self.port;
        self.daemon.wait_until(|| page(port).is_some());
    }

    /// Where its configuration is.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.daemon.folder().join("vitrin.toml")
    }

    /// What it is to watch besides, from the next reload on; whether that is something else than before.
    pub(crate) fn also(&mut self, more: String) -> bool {
        let is_other = self.more != more;
        self.more = more;
        is_other
    }

    /// Gives it other objectives, by a reload, and waits until it shows them.
    pub(crate) fn promise(&self, objectives: &str) {
        let reloaded = || {
            let page = page(self.port)?;
            page.get("vitrin_config_last_reload_success_timestamp_seconds", &[])
        };
        let before = reloaded();
        fs::write(self.configuration(), format!("{objectives}\n{}{}", self.targets, self.more)).unwrap();
        self.daemon.signal(Signal::HUP);
        eventually("vitrin to read its configuration again", || reloaded() > before);
    }
}

fn page(port: u16) -> Option<Page> {
    let response = http::ask(SocketAddr::from(([127, 0, 0, 1], port)), "GET", "/metrics", &[]).ok()?;
    Page::parse(&response.text()).ok()
}
