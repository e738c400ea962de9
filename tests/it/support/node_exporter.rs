//! `node_exporter`, the peer of the host collector.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::daemon::{Daemon, folder, free_port, listens, program};

/// Defaults of the project itself, where Debian's package or an old version has others.
const DEFAULTS: [&str; 2] = [
    "--collector.diskstats.device-exclude=^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$",
    "--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|\
     var/lib/containers/storage/.+)($|/)",
];

/// A running `node_exporter`.
pub(crate) struct NodeExporter {
    port: u16,
    _daemon: Daemon,
}

impl NodeExporter {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let mut command = outside(&program(&["prometheus-node-exporter"]));
        command.args(DEFAULTS).arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let mut daemon = Daemon::start("node_exporter", command, folder());
        daemon.wait_until(|| listens(port));
        Self { port, _daemon: daemon }
    }

    /// Its page, in Prometheus' text format.
    pub(crate) fn page(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, page) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.0 200"), "{head}");
        page.to_owned()
    }
}

/// The same program without `chroot`: it is to read this machine's sysfs, which the other root does not have, and
/// being a Go program it needs nothing of its own root.
fn outside(command: &Command) -> Command {
    let arguments: Vec<_> = command.get_args().map(PathBuf::from).collect();
    match &arguments[..] {
        [root, path] => Command::new(root.join(path.strip_prefix("/").unwrap_or(Path::new("")))),
        _ => Command::new(command.get_program()),
    }
}
