//! A folder with a shop's files, and an nginx of this machine's that serves them on a free port.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::collectors::security::config::Config;
use crate::collectors::security::front::Front;
use crate::collectors::security::front::values::{BROWSER, STRANGER};

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running nginx; it ends with the test.
pub(super) struct Nginx {
    folder: tempfile::TempDir,
    pub(super) port: u16,
    /// Its configuration, once it is read.
    front: OnceLock<Front>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) location: String,
    pub(super) body: String,
}

/// A folder that servers who run as somebody else may read.
pub(super) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Writes files, each with its own path as its text.
pub(super) fn fill(home: &Path, files: &[&str]) {
    for file in files {
        let path = home.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if !file.ends_with('/') {
            fs::write(&path, format!("FILE {}", path.display())).unwrap();
        }
    }
}

/// A port on which nobody listens now.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Nginx {
    /// An nginx with this text in `http`, where `{home}`, `{port}` and `{other}`, the port of another server, are
    /// filled in. Its clients say where they come from.
    pub(super) fn start(folder: tempfile::TempDir, http: &str) -> Self {
        let (port, other) = (free_port(), free_port());
        let home = folder.path().display().to_string();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("{name}_temp_path {home}/{name}_temp;\n")).concat();
        let text = format!(
            "pid {home}/pid;\nerror_log {home}/error.log;\nworker_processes 1;\nevents {{ worker_connections 256; }}\n\
             http {{\naccess_log off;\nserver_names_hash_max_size 4096;\nvariables_hash_max_size 4096;\n{temporary}\
             set_real_ip_from 127.0.0.1;\nreal_ip_header X-Test-Address;\n\
             server {{ listen 127.0.0.1:{other}; return 200 PROXIED; }}\n{http}\n}}\n"
        );
        let text =
            text.replace("{home}", &home).replace("{port}", &port.to_string()).replace("{other}", &other.to_string());
        let main = folder.path().join("nginx.conf");
        fs::write(&main, text).unwrap();
        // It returns when it listens.
        let output = Command::new("nginx").arg("-c").arg(&main).arg("-e").arg(folder.path().join("error.log")).output();
        let output = output.expect("`nginx` of Debian's package nginx-light");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { folder, port, front: OnceLock::new() }
    }

    pub(super) fn home(&self) -> &Path {
        self.folder.path()
    }

    /// The interpreter, for the shop that is asked for by this name.
    pub(super) fn front(&self, host: &str) -> Front {
        let url = format!("http://{host}:{}/", self.port);
        let config = Config { url: Some(url.parse().unwrap()), ..Config::default() };
        let read = || Front::read_from(Path::new("/"), &self.folder.path().join("nginx.conf"), &config).unwrap();
        self.front.get_or_init(read).instead(&config).unwrap()
    }

    /// What it answers a stranger.
    pub(super) fn ask(&self, host: &str, method: &str, target: &str) -> Response {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}:{}\r\nUser-Agent: {BROWSER}\r\nAccept: */*\r\n\
             X-Test-Address: {STRANGER}\r\n{length}Connection: close\r\n\r\n",
            self.port
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{method} {target} of {host}: {error}"),
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::trim).unwrap_or_default().to_owned()
        };
        // 444 is no answer at all.
        let status = head.split(' ').nth(1).map_or(444, |status| status.parse().unwrap());
        let body = if field("Transfer-Encoding:") == "chunked" { unchunked(body) } else { body.to_owned() };
        Response { status, location: field("Location:"), body }
    }

    /// A place on this server, as the configuration may have named it.
    pub(super) fn without_origin(&self, host: &str, location: &str) -> String {
        let origins = [format!("http://{host}:{}", self.port), format!("http://{host}")];
        let found = origins.iter().find_map(|origin| location.strip_prefix(origin.as_str()));
        found.unwrap_or(location).to_owned()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        end(&self.folder.path().join("pid"));
    }
}

/// Ends the server whose id this file holds.
fn end(file: &Path) {
    let pid = fs::read_to_string(file).ok().and_then(|pid| Pid::from_raw(pid.trim().parse().ok()?));
    if let Some(pid) = pid {
        // It may have ended by itself.
        kill_process(pid, Signal::TERM).ok();
    }
}

fn unchunked(body: &str) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some((size, behind)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        text.push_str(&behind[..size]);
        rest = &behind[size + 2..];
    }
    text
}

/// A running PHP-FPM; it ends with the test.
pub(super) struct PhpFpm {
    folder: tempfile::TempDir,
}

impl PhpFpm {
    /// A master with one pool.
    pub(super) fn start() -> Self {
        let folder = folder();
        let home = folder.path().display().to_string();
        let user = if geteuid().is_root() { "user = www-data\ngroup = www-data\nlisten.mode = 0666\n" } else { "" };
        let text = format!(
            "[global]\npid = {home}/pid\nerror_log = {home}/fpm.log\ndaemonize = yes\n\
             [shop]\n{user}listen = {home}/fpm.sock\npm = static\npm.max_children = 2\n"
        );
        let file = folder.path().join("fpm.conf");
        fs::write(&file, text).unwrap();
        let programs = ["php-fpm8.4", "php-fpm8.3", "php-fpm8.2", "php-fpm"];
        let start = |program: &&str| {
            let mut command = Command::new(program);
            // What it says it says in its log; a pipe would stay open for as long as it runs.
            command.arg("--fpm-config").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()
        };
        let status = programs.iter().find_map(start).expect("`php-fpm` of Debian's package php-fpm");
        assert!(status.success(), "{}", fs::read_to_string(folder.path().join("fpm.log")).unwrap_or_default());
        Self { folder }
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("fpm.sock")
    }
}

impl Drop for PhpFpm {
    fn drop(&mut self) {
        end(&self.folder.path().join("pid"));
    }
}
