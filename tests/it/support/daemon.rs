//! A server as a child process: started, waited for, stopped, continued, and killed when the test ends, however it ends.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use tempfile::TempDir;

use super::generation::Generation;

/// The longest a server may take to start, or a condition to come true, on a busy two-core machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Ports below those that Linux gives to outgoing connections, one of which could take a port between its being found
/// free and the server's start; and low enough for a cluster node of Redis, which listens 10,000 higher, too.
const PORTS: Range<u16> = 10_000..20_000;

/// How many of them one test run has.
const BLOCK: u16 = 1_000;

/// What outlives a test run that is killed: it waits until its standard input ends, and then ends a process group and
/// removes a folder.
const WARDEN: &str = "read -r _; kill -s KILL -- \"-$1\"; rm -rf -- \"$2\"";

/// A running server and its folder.
pub(crate) struct Daemon {
    name: &'static str,
    command: Command,
    /// Leads a process group of its own, with all its children.
    child: Child,
    warden: Child,
    folder: TempDir,
}

impl Daemon {
    /// Starts `command` with its output in `<folder>/log`.
    pub(crate) fn start(name: &'static str, mut command: Command, folder: TempDir) -> Self {
        let log = File::create(folder.path().join("log")).unwrap();
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let (child, warden) = spawn(name, &mut command, folder.path());
        Self { name, command, child, warden, folder }
    }

    /// Starts a server that has ended anew, as it was started, in the same folder.
    pub(crate) fn start_again(&mut self) {
        end(&mut self.warden);
        (self.child, self.warden) = spawn(self.name, &mut self.command, self.folder.path());
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
        self.signal_all(Signal::STOP);
    }

    /// Ends [`Daemon::hang`].
    pub(crate) fn resume(&self) {
        self.signal_all(Signal::CONT);
    }

    /// Sends the server itself a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Asks the server to end (SIGTERM) and waits until it has.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let mut status = None;
        eventually(&format!("{} to end", self.name), || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.expect("the loop above ends with a status")
    }

    /// Kills the server and its children without a farewell.
    pub(crate) fn kill(&mut self) {
        self.signal_all(Signal::KILL);
        self.child.wait().unwrap();
    }

    fn signal_all(&self, signal: Signal) {
        // A group that has ended meanwhile is no concern of ours.
        rustix::process::kill_process_group(Pid::from_child(&self.child), signal).ok();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        end(&mut self.warden);
    }
}

/// A server and its warden.
fn spawn(name: &str, command: &mut Command, folder: &Path) -> (Child, Child) {
    let child = command
        .spawn()
        .unwrap_or_else(|error| panic!("starting {name} ({command:?}): {error}; `make packages` installs it"));
    let warden = Command::new("sh")
        .args(["-c", WARDEN, "warden", &child.id().to_string()])
        .arg(folder)
        // An interrupt from the keyboard, which goes to our group, must not end it.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (child, warden)
}

fn end(warden: &mut Child) {
    warden.kill().ok();
    warden.wait().ok();
}

/// Copies a file or folder, with owners and rights.
///
/// By another process: a program that this one has just written cannot be started while a child that another test is
/// starting still holds the file open ("Text file busy").
pub(crate) fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success(), "copying {}", from.display());
}

/// The turn of a test that needs the machine to itself, as far as tests go: one that brings it to its knees, or one
/// whose claim has a time in it.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed in its turn has nothing to leave behind.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until `condition` holds; `what` says what was waited for when it never does.
pub(crate) fn eventually(what: &str, condition: impl FnMut() -> bool) {
    within(PATIENCE, what, condition);
}

/// The same for what takes longer than a server's start.
pub(crate) fn within(patience: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < patience, "waited {patience:?} for {what}");
        pause();
    }
}

/// Waits until there is nothing left to complain of, and fails with the last complaint.
#[track_caller]
pub(crate) fn until_content(what: &str, mut complaint: impl FnMut() -> Option<String>) {
    let begun = Instant::now();
    while let Some(complaint) = complaint() {
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}: {complaint}");
        pause();
    }
}

/// Tells what runs beside a test that it is over, however it ends: a scope waits for its threads also when it panics.
pub(crate) struct Ending<'a>(pub(crate) &'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
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

/// A port nobody listens on now, and that is given out once: what refuses today does so until the test ends.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let ports = our_ports();
    let next = || ports.start + NEXT.fetch_add(1, Ordering::Relaxed) % BLOCK;
    std::iter::repeat_with(next)
        .take(usize::from(BLOCK))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("not all ports are taken")
}

/// The block that this test run has to itself for as long as it lasts: a name that is bound ends with its process.
fn our_ports() -> Range<u16> {
    static OURS: OnceLock<(UnixListener, Range<u16>)> = OnceLock::new();
    let claim = |start: u16| {
        let name = SocketAddr::from_abstract_name(format!("vitrin-test-ports-{start}")).unwrap();
        Some((UnixListener::bind_addr(&name).ok()?, start..start + BLOCK))
    };
    let ours = || PORTS.step_by(usize::from(BLOCK)).find_map(claim).expect("fewer test runs than blocks of ports");
    OURS.get_or_init(ours).1.clone()
}

/// Whether something listens on this loopback port.
pub(crate) fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Whether something listens on this socket.
pub(crate) fn listens_on(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// The command for the first of `programs` that the generation under test has.
///
/// Panics when none is there: a test that cannot run has failed.
#[track_caller]
pub(crate) fn program(programs: &[&str]) -> Command {
    Generation::under_test().program(programs)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Daemon, eventually, folder, free_port};

    /// A server whose child writes its own id to `child` and would live for ten minutes.
    fn parent() -> (Daemon, u32) {
        let folder = folder();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $! >child; wait"]).current_dir(folder.path());
        let mut daemon = Daemon::start("a parent", command, folder);
        let file = daemon.folder().join("child");
        let mut child = None;
        daemon.wait_until(|| {
            child = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
            child.is_some()
        });
        (daemon, child.unwrap())
    }

    /// Whether a process is there and no zombie: who inherits orphans may be slow to bury them.
    fn lives(pid: u32) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        state.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
    }

    #[test]
    fn children_end_with_their_server() {
        let (daemon, child) = parent();
        assert!(lives(child));
        drop(daemon);
        eventually("the child to end", || !lives(child));
    }

    #[test]
    fn nothing_outlives_a_test_run_that_is_killed() {
        let (mut daemon, child) = parent();
        assert!(lives(child) && daemon.folder().exists());
        // As the kernel does when the process that holds the other end is gone.
        drop(daemon.warden.stdin.take());
        eventually("the server, its child and its folder to be gone", || {
            daemon.child.try_wait().unwrap().is_some() && !lives(child) && !daemon.folder().exists()
        });
    }

    #[test]
    fn what_has_ended_can_be_started_again() {
        let (mut daemon, first) = parent();
        daemon.kill();
        std::fs::remove_file(daemon.folder().join("child")).unwrap();
        daemon.start_again();
        let file = daemon.folder().join("child");
        daemon.wait_until(|| file.exists());
        eventually("the first child to end", || !lives(first));
        assert!(lives(daemon.pid()));
    }

    #[test]
    fn a_port_is_given_out_once() {
        let mut ports: Vec<_> = (0..100).map(|_| free_port()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 100);
    }
}
