//! dnsmasq: a name server on a free port, with the records that a test asks for.

use super::daemon::{Daemon, folder, free_port, listens};
use super::generation::Generation;

/// A running name server, which knows nothing but what it was told.
pub(crate) struct Dnsmasq {
    _daemon: Daemon,
    pub(crate) port: u16,
}

impl Dnsmasq {
    /// One with these options, each as `--<option>`: `host-record=shop.example,203.0.113.7`.
    pub(crate) fn start(records: &[&str]) -> Self {
        let port = free_port();
        let mut command = Generation::installed().program(&["dnsmasq"]);
        command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="]);
        command.args(["--listen-address=127.0.0.1", "--bind-interfaces", "--user=", "--log-facility=-"]);
        command.arg(format!("--port={port}"));
        command.args(records.iter().map(|record| format!("--{record}")));
        let mut daemon = Daemon::start("dnsmasq", command, folder());
        daemon.wait_until(|| listens(port));
        Self { _daemon: daemon, port }
    }
}
