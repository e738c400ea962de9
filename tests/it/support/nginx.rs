//! nginx: one server on a free port, with the locations that a test asks for.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

use super::daemon::{Daemon, folder, free_port, listens, program};

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

    /// An nginx with another server beside its own, as a file of `conf.d` has it.
    pub(crate) fn beside(server: &str) -> Self {
        Self::with("", server)
    }

    fn with(locations: &str, beside: &str) -> Self {
        let folder = folder();
        let port = free_port();
        let home = folder.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("{name}_temp_path {home}/{name};\n")).concat();
        let text = format!(
            "daemon off;\npid {home}/pid;\nerror_log {home}/error.log;\nworker_processes 1;\n\
             events {{ worker_connections 64; }}\n\
             http {{\naccess_log off;\n{temporary}\
             server {{\nlisten 127.0.0.1:{port};\nlisten unix:{home}/nginx.sock;\n\
             location = /stub_status {{ stub_status; }}\n{locations}\n}}\n{beside}\n}}\n"
        );
        fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let mut command = program(&["nginx"]);
        command.arg("-c").arg(folder.path().join("nginx.conf")).arg("-e").arg(folder.path().join("error.log"));
        let mut daemon = Daemon::start("nginx", command, folder);
        daemon.wait_until(|| listens(port));
        Self { daemon, port }
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.daemon.folder().join("nginx.sock")
    }

    /// Status line, headers and body of a page.
    pub(crate) fn get(&self, path: &str, headers: &str) -> String {
        get(self.port, path, headers)
    }
}

/// Asks a server on this loopback port for a page; the answer as it came.
pub(crate) fn get(port: u16, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
