//! What speaks TLS as it is told to: openssl's own server.

use std::process::Command;

use super::certificates::Certificates;
use super::daemon::{Daemon, folder, free_port, listens};

/// A running `openssl s_server`.
pub(crate) struct TlsServer {
    _daemon: Daemon,
    port: u16,
}

impl TlsServer {
    /// Starts one that shows a certificate of these, and those that it is told to send with it.
    pub(crate) fn start(certificates: &Certificates, name: &str, options: &[&str]) -> Self {
        let port = free_port();
        let mut command = Command::new("openssl");
        // With `-www` it answers a request, and does not wait for somebody to type.
        command.args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}")]);
        command.arg("-cert").arg(certificates.file(&format!("{name}.pem")));
        command.arg("-key").arg(certificates.file(&format!("{name}.key")));
        command.args(options);
        let mut daemon = Daemon::start("openssl s_server", command, folder());
        daemon.wait_until(|| listens(port));
        Self { _daemon: daemon, port }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
