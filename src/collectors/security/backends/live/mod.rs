//! Real servers, weak and hardened: each setting flips the verdicts that it should, and no other.

mod cache;
mod database;
mod php;

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use super::judge::tests::{hardened, judged};
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::State;

/// The longest a server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where packages install programs.
const FOLDERS: [&str; 4] = ["usr/sbin", "usr/bin", "usr/local/bin", "usr/local/sbin"];

/// The command for the first of these programs that is there: of this machine, or of the generation of servers that the
/// environment names, a whole root file system with `/tmp` mounted into it.
#[expect(clippy::disallowed_methods, reason = "tests of real servers are told by the environment which to start")]
fn program(programs: &[&str], package: &str) -> Command {
    let root = std::env::var("VITRIN_TEST_ROOT").ok();
    let here = Path::new(root.as_deref().unwrap_or("/"));
    let paths = programs.iter().flat_map(|program| FOLDERS.map(|folder| Path::new(folder).join(program)));
    let path = paths.into_iter().find(|path| here.join(path).exists());
    let path = path.unwrap_or_else(|| panic!("none of {programs:?} is installed; the package is {package}"));
    match &root {
        Some(root) => {
            let mut command = Command::new("chroot");
            command.arg(root).arg(Path::new("/").join(path));
            command
        }
        None => Command::new(here.join(path)),
    }
}

/// A running server with a folder of its own, ended with all its children when it is dropped.
struct Daemon {
    child: Child,
    folder: TempDir,
}

impl Daemon {
    fn start(mut command: Command, folder: TempDir, ready: impl Fn() -> bool) -> Self {
        let log = File::create(folder.path().join("log")).unwrap();
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut daemon = Self { child, folder };
        let begun = Instant::now();
        while !ready() {
            let ended = daemon.child.try_wait().unwrap();
            let log = || String::from_utf8_lossy(&fs::read(daemon.folder.path().join("log")).unwrap()).into_owned();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "{command:?} is not ready ({ended:?}): {}", log());
            pause();
        }
        daemon
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL).ok();
        self.child.wait().unwrap();
    }
}

/// A folder that other users may enter.
fn folder() -> TempDir {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[expect(clippy::disallowed_methods, reason = "a server that starts cannot be awaited otherwise")]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

/// A file with a password in it.
fn secret(folder: &Path, name: &str, password: &str) -> PathBuf {
    let path = folder.join(name);
    let mut file = File::create(&path).unwrap();
    file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
    file.write_all(password.as_bytes()).unwrap();
    path
}

/// What is no pass on a machine that is hardened but for what this changes.
fn differs(change: impl FnOnce(&mut Seen)) -> Vec<(&'static str, State)> {
    let mut seen = hardened();
    change(&mut seen);
    let verdicts = judged(&seen, &[]).into_iter().filter(|(_, verdict)| verdict.state != State::Pass);
    verdicts.map(|(check, verdict)| (check.id(), verdict.state)).collect()
}

/// All that a machine's report and its log could hold of this.
fn told(change: impl FnOnce(&mut Seen)) -> String {
    let mut seen = hardened();
    change(&mut seen);
    let verdicts = judged(&seen, &[]);
    format!("{seen:?}\n{seen:#?}\n{verdicts:?}")
}
