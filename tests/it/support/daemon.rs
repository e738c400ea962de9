//! A server as a child process: started, waited for, stopped, continued, and killed when the test ends.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The longest a server may take to start, or a condition to come true, on a busy two-core machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Names a folder that holds another generation of the servers (a whole root file system, `/tmp` bind-mounted into
/// it): each server is then started from there by `chroot`.
const ROOT: &str = "VITRIN_TEST_ROOT";

/// A running server and its folder.
pub(crate) struct Daemon {
    name: &'static str,
    child: Child,
    folder: TempDir,
}

impl Daemon {
    /// Starts `command` with its output in `<folder>/log`.
    pub(crate) fn start(name: &'static str, mut command: Command, folder: TempDir) -> Self {
        let log = File::create(folder.path().join("log")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("starting {name} ({command:?}): {error}; `make packages` installs it"));
        Self { name, child, folder }
    }

    /// Waits until `ready` says so, and fails with the server's log when it ends or takes too long.
    pub(crate) fn wait_until(&mut self, mut ready: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !ready() {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && begun.elapsed() < PATIENCE,
                "{} is not ready ({ended:?}); its log:\n{}",
                self.name,
                self.log()
            );
            pause();
        }
    }

    /// The server's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the server has printed.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.path().join("log")).unwrap()).into_owned()
    }

    /// The process id: of the server itself, also under `chroot`, which replaces itself.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops the server and its children as a hung machine would: connections are accepted by the kernel, and no
    /// answer comes.
    pub(crate) fn hang(&self) {
        for pid in self.family() {
            signal("STOP", pid);
        }
    }

    /// Ends [`Daemon::hang`].
    pub(crate) fn resume(&self) {
        for pid in self.family() {
            signal("CONT", pid);
        }
    }

    /// Asks the server to end (SIGTERM) and waits until it has.
    pub(crate) fn end(&mut self) -> ExitStatus {
        signal("TERM", self.pid());
        let mut status = None;
        eventually(&format!("{} to end", self.name), || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.expect("the loop above ends with a status")
    }

    /// Kills the server without a farewell.
    pub(crate) fn kill(&mut self) {
        if self.child.try_wait().unwrap().is_some() {
            return;
        }
        let family = self.family();
        for pid in &family {
            signal("KILL", *pid);
        }
        self.child.wait().unwrap();
    }

    /// The process and its children.
    fn family(&self) -> Vec<u32> {
        let pid = self.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        std::iter::once(pid).chain(children.split_whitespace().map(|pid| pid.parse().unwrap())).collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

fn signal(name: &str, pid: u32) {
    // A process that has ended meanwhile is no concern of ours.
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).stderr(Stdio::null()).status();
    sent.expect("the shell's kill is there");
}

/// Waits until `condition` holds; `what` says what was waited for when it never does.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that polls")]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

/// A folder of its own under `/tmp`, short enough for a Unix socket's path.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("vitrin-").tempdir_in("/tmp").unwrap();
    // Servers that drop root's rights must be able to reach what lies inside.
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// A port nobody listens on now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether something listens on this loopback port.
pub(crate) fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Whether something listens on this socket.
pub(crate) fn listens_on(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// The command for the first of `programs` that is installed; from the other generation's root when one is named.
///
/// Panics when none is there: a test that cannot run has failed.
#[expect(clippy::disallowed_methods, reason = "the one place of the harness that reads the environment")]
pub(crate) fn program(programs: &[&str]) -> Command {
    let root = std::env::var(ROOT).ok().map(PathBuf::from);
    for program in programs {
        for folder in ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin"] {
            let path = Path::new(folder).join(program);
            match &root {
                Some(root) if root.join(path.strip_prefix("/").unwrap()).exists() => {
                    let mut command = Command::new("chroot");
                    command.arg(root).arg(path);
                    return command;
                }
                None if path.exists() => return Command::new(path),
                _ => {}
            }
        }
    }
    panic!(
        "none of {programs:?} is installed{}; `make packages` installs them",
        root.map_or(String::new(), |root| format!(" in {}", root.display()))
    );
}
