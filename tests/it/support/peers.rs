//! The exporters that ours stands in for, from Debian's packages, each on a free port.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::daemon::{Daemon, folder, free_port, listens};
use super::generation::Generation;
use super::http;
use super::scrape::Page;

/// Defaults of the node_exporter project itself, where Debian's package or an old version has others.
const NODE_DEFAULTS: [&str; 3] = [
    "--collector.netdev.device-exclude=",
    "--collector.diskstats.device-exclude=^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$",
    "--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|\
     var/lib/containers/storage/.+)($|/)",
];

/// A running peer.
pub(crate) struct Peer {
    daemon: Daemon,
    program: PathBuf,
    address: SocketAddr,
}

impl Peer {
    /// mysqld_exporter; `client` is the body of the `[client]` section it reads: `user=...`, `password=...`, and
    /// `socket=...` or `host=...` and `port=...`, a line each.
    pub(crate) fn mysqld(client: &str) -> Self {
        Generation::under_test().mysqld(client)
    }

    /// redis_exporter; `url` as `redis://127.0.0.1:6379` or `unix:///path`.
    pub(crate) fn redis(url: &str, arguments: &[&str]) -> Self {
        Generation::under_test().redis(url, arguments)
    }

    /// node_exporter, looking at this machine.
    pub(crate) fn node() -> Self {
        Generation::under_test().node(&[])
    }

    /// The same with more arguments.
    pub(crate) fn node_with(arguments: &[String]) -> Self {
        Generation::under_test().node(arguments)
    }

    /// node_exporter with these arguments alone, started by this command.
    pub(crate) fn node_by(mut command: Command, arguments: &[&str]) -> Self {
        command.args(arguments);
        Self::listening("node_exporter", command, folder())
    }

    /// nginx-prometheus-exporter; `url` is that of `stub_status`.
    pub(crate) fn nginx(url: &str) -> Self {
        Generation::under_test().nginx(url)
    }

    /// blackbox_exporter with these modules, as its configuration has them below `modules:`.
    pub(crate) fn blackbox(modules: &str) -> Self {
        Generation::under_test().blackbox(modules)
    }

    fn listening(name: &'static str, mut command: Command, folder: TempDir) -> Self {
        let port = free_port();
        let program = PathBuf::from(command.get_program());
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let mut daemon = Daemon::start(name, command, folder);
        daemon.wait_until(|| listens(port));
        Self { daemon, program, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// Its program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// One scrape, in text 0.0.4.
    #[track_caller]
    pub(crate) fn page(&self) -> Page {
        self.page_at("/metrics")
    }

    /// The same of another page than `/metrics`.
    #[track_caller]
    pub(crate) fn page_at(&self, path: &str) -> Page {
        let response = http::ask(self.address, "GET", path, &[]).unwrap();
        let text = response.text();
        assert_eq!(response.status, 200, "{text}");
        Page::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

/// The peers of one generation, each outside its root: Go programs need nothing of it, and node_exporter is to read
/// this machine's sysfs, which the other root does not have.
impl Generation {
    /// See [`Peer::mysqld`].
    pub(crate) fn mysqld(&self, client: &str) -> Peer {
        let folder = folder();
        let file = folder.path().join("my.cnf");
        fs::write(&file, format!("[client]\n{client}\n")).unwrap();
        let mut command = Command::new(self.file("prometheus-mysqld-exporter"));
        // Older ones prefer the variable to the file.
        command.env_remove("DATA_SOURCE_NAME").arg(format!("--config.my-cnf={}", file.display()));
        Peer::listening("mysqld_exporter", command, folder)
    }

    /// See [`Peer::redis`].
    pub(crate) fn redis(&self, url: &str, arguments: &[&str]) -> Peer {
        let mut command = Command::new(self.file("prometheus-redis-exporter"));
        command.arg(format!("--redis.addr={url}")).args(arguments);
        Peer::listening("redis_exporter", command, folder())
    }

    /// See [`Peer::node_with`].
    pub(crate) fn node(&self, arguments: &[String]) -> Peer {
        let mut command = Command::new(self.file("prometheus-node-exporter"));
        command.args(NODE_DEFAULTS).args(arguments);
        Peer::listening("node_exporter", command, folder())
    }

    /// See [`Peer::nginx`].
    pub(crate) fn nginx(&self, url: &str) -> Peer {
        let mut command = Command::new(self.file("prometheus-nginx-exporter"));
        command.arg(format!("--nginx.scrape-uri={url}"));
        Peer::listening("nginx-prometheus-exporter", command, folder())
    }
}

impl Generation {
    /// See [`Peer::blackbox`].
    pub(crate) fn blackbox(&self, modules: &str) -> Peer {
        let folder = folder();
        let file = folder.path().join("blackbox.yml");
        fs::write(&file, format!("modules:\n{modules}")).unwrap();
        let mut command = Command::new(self.file("prometheus-blackbox-exporter"));
        command.arg(format!("--config.file={}", file.display()));
        Peer::listening("blackbox_exporter", command, folder)
    }
}

#[cfg(test)]
mod tests {
    use super::Peer;
    use crate::support::broken::{Answer, Broken, refusing};

    #[test]
    fn the_page_of_node_exporter_keeps_every_rule() {
        let node = Peer::node();
        let page = node.page();
        assert!(page.len() > 200, "{:?}", page.names());
        assert!(page.number("node_load1", &[]) >= 0.0);
        assert!(page.number("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "user")]) > 0.0);
        assert!(node.program().ends_with("prometheus-node-exporter"));
        assert!(node.address().ip().is_loopback() && node.daemon().log().contains("node_exporter"));
    }

    #[test]
    fn the_other_peers_start_and_say_that_their_server_is_down() {
        let nobody = refusing();
        let mysqld = Peer::mysqld(&format!("user=a\npassword=b\nhost=127.0.0.1\nport={}", nobody.port()));
        assert_eq!(mysqld.page().number("mysql_up", &[]), 0.0);
        assert_eq!(Peer::redis(&format!("redis://{nobody}"), &[]).page().number("redis_up", &[]), 0.0);
        let nginx = Broken::tcp(Answer::then_close(
            b"HTTP/1.1 200 OK\r\n\r\nActive connections: 1 \nserver accepts handled requests\n 1 2 3 \n\
              Reading: 0 Writing: 1 Waiting: 0 \n",
        ));
        let page = Peer::nginx(&format!("http://{}/", nginx.address())).page();
        assert_eq!(page.number("nginx_http_requests_total", &[]), 3.0);
    }
}
