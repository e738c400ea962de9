//! nginx: one server on a free port, with the locations that a test asks for.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::daemon::{Daemon, folder, free_port, listens, listens_on, program};
use super::http::{self, Response};

/// A running nginx.
pub(crate) struct Nginx {
    pub(crate) daemon: Daemon,
    pub(crate) port: u16,
}

impl Nginx {
    /// An nginx with `stub_status` at `/stub_status`, on a port and on the socket `nginx.sock`, and these locations.
    pub(crate) fn start(locations: &str) -> Self {
        Self::with(locations, "")
    }

    /// An nginx that counts connections in a zone called `ours`, for its locations to limit them.
    pub(crate) fn counting(locations: &str) -> Self {
        Self::with(locations, "limit_conn_zone $binary_remote_addr zone=ours:1m;")
    }

    /// An nginx with another server beside its own, as a file of `conf.d` has it.
    pub(crate) fn beside(server: &str) -> Self {
        Self::with("", server)
    }

    /// An nginx that writes `access.log` in this format, a directive as `log_format name '…';`.
    pub(crate) fn logging(log_format: &str, locations: &str) -> Self {
        let name = log_format.split_whitespace().nth(1).expect("a name");
        Self::with(&format!("access_log {{home}}/access.log {name};\n{locations}"), log_format)
    }

    /// `{home}` in both stands for its folder.
    fn with(locations: &str, beside: &str) -> Self {
        let folder = folder();
        let port = free_port();
        let home = folder.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("{name}_temp_path {home}/{name};\n")).concat();
        let text = format!(
            "daemon off;\npid {home}/pid;\nerror_log {home}/error.log;\nworker_processes 1;\n\
             events {{ worker_connections 64; }}\n\
             http {{\naccess_log off;\n{temporary}{beside}\n\
             server {{\nlisten 127.0.0.1:{port};\nlisten unix:{home}/nginx.sock;\n\
             location = /stub_status {{ stub_status; }}\n{locations}\n}}\n}}\n"
        );
        fs::write(folder.path().join("nginx.conf"), text.replace("{home}", &home.to_string())).unwrap();
        let mut command = program(&["nginx"]);
        command.arg("-c").arg(folder.path().join("nginx.conf")).arg("-e").arg(folder.path().join("error.log"));
        let mut daemon = Daemon::start("nginx", command, folder);
        // It listens on one after the other.
        let socket = daemon.folder().join("nginx.sock");
        daemon.wait_until(|| listens(port) && listens_on(&socket));
        Self { daemon, port }
    }

    /// Its access log.
    pub(crate) fn access_log(&self) -> PathBuf {
        self.daemon.folder().join("access.log")
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.daemon.folder().join("nginx.sock")
    }

    /// What it answers for a page.
    pub(crate) fn get(&self, path: &str) -> Response {
        http::ask(SocketAddr::from(([127, 0, 0, 1], self.port)), "GET", path, &[]).unwrap()
    }
}
