//! nginx with any number of servers, each on a port of its own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tempfile::TempDir;

/// A running nginx.
pub(super) struct Nginx {
    child: Child,
    folder: TempDir,
}

/// An address that nobody else listens at: it has this process' number in it.
pub(super) fn address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(10_000);
    let [_, a, b, c] = std::process::id().to_be_bytes();
    SocketAddr::from((Ipv4Addr::new(127, a.wrapping_add(1), b, c), NEXT.fetch_add(1, Ordering::Relaxed)))
}

impl Nginx {
    /// Starts one with these servers, which may name its folder as `{home}`, and waits until it listens at these
    /// addresses. `openssl` is the configuration of OpenSSL; the system's without one.
    pub(super) async fn start(servers: &str, addresses: &[SocketAddr], openssl: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().display().to_string();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("{name}_temp_path {home}/{name};\n")).concat();
        let text = format!(
            "daemon off;\npid {home}/pid;\nerror_log {home}/error.log;\nworker_processes 1;\n\
             events {{ worker_connections 256; }}\nhttp {{\naccess_log off;\n{temporary}{servers}\n}}\n"
        );
        let settings = folder.path().join("nginx.conf");
        fs::write(&settings, text.replace("{home}", &home)).unwrap();
        // As root its workers would be others, who cannot read what is made here.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&settings).arg("-e").arg(folder.path().join("error.log"));
        if let Some(text) = openssl {
            let file = folder.path().join("openssl.cnf");
            fs::write(&file, text).unwrap();
            command.env("OPENSSL_CONF", file);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut nginx = Self { child: child.expect("the package nginx is installed"), folder };
        for address in addresses {
            while TcpStream::connect(address).is_err() {
                let ended = nginx.child.try_wait().unwrap();
                assert!(ended.is_none(), "nginx ended: {}", nginx.log());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        nginx
    }

    /// Its folder.
    pub(super) fn home(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it: SIGTERM tells it to stop them, SIGKILL would not.
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).ok();
        self.child.wait().ok();
    }
}
