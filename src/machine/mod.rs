//! What runs on this machine, as every user may see it in procfs: processes, and who listens where.
//!
//! What only some users see (the open files of others' processes) is not looked at: a root who writes a configuration
//! must find what the unprivileged exporter finds.

mod processes;
mod sighting;
mod sockets;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

pub use processes::Process;
pub use sighting::{Discovery, Sighting, quoted};
pub use sockets::Tcp;

use rustix::process::geteuid;

use crate::account::Account;
use crate::collector::Paths;
use crate::config::types::Address;

/// What was seen at one time.
#[derive(Debug, Default)]
pub struct Machine {
    /// The host's root file system, to read configurations below.
    pub root: PathBuf,
    /// Our own user's home, where it may hold what is meant for us; `None` for root, whose files are a superuser's.
    pub home: Option<PathBuf>,
    /// The processes with the names asked for, in the order of their ids; of the machine itself, not of containers on it.
    pub processes: Vec<Process>,
    /// Whether others' processes are hidden from us (`hidepid`): then there may be servers without any in sight.
    pub hides_processes: bool,
    /// Where TCP connections are taken, in this network namespace.
    pub tcp: Vec<Tcp>,
    /// Where connections are taken in the file system, likewise.
    pub unix: Vec<PathBuf>,
}

impl Machine {
    /// Looks around for processes with these names, as `/proc/<pid>/comm` has them. Blocks.
    #[must_use]
    pub fn look(paths: &Paths, home: Option<PathBuf>, names: &[&str]) -> Self {
        Self {
            root: paths.root.clone(),
            home: home.filter(|_| !geteuid().is_root()),
            processes: processes::named(&paths.proc, names),
            hides_processes: !paths.proc.join("1/comm").exists(),
            tcp: sockets::tcp(&paths.proc),
            unix: sockets::unix(&paths.proc),
        }
    }

    /// The processes with one of these names.
    pub fn processes<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Process> {
        self.processes.iter().filter(move |process| process.is(names))
    }

    /// Where TCP connections are taken by servers that run as one of these users; not as root, who listens for many.
    pub fn tcp_of<'a>(&'a self, users: &'a [u32]) -> impl Iterator<Item = &'a Tcp> {
        self.tcp.iter().filter(|socket| socket.user.is_some_and(|user| user != 0 && users.contains(&user)))
    }

    /// Whom the server at an address of this machine runs as.
    #[must_use]
    pub fn server(&self, address: &Address) -> Option<u32> {
        match address {
            Address::Tcp { port, .. } => self.tcp.iter().find(|socket| socket.port == *port)?.user,
            Address::Unix(path) => Some(fs::metadata(self.inside(path)).ok()?.uid()),
        }
    }

    /// Whether a password may be shown to a server that runs as this user: root, one of the accounts that packages make
    /// for such servers, or we. Anybody may call a process as they like, and listen where the true server does not run.
    #[must_use]
    pub fn trusts(&self, user: Option<u32>, accounts: &[&str]) -> bool {
        let is_server = |user| {
            let account = Account::numbered(&self.root, user).ok().flatten();
            account.is_some_and(|account| accounts.contains(&account.name.as_str()))
        };
        user.is_some_and(|user| user == 0 || user == geteuid().as_raw() || is_server(user))
    }

    /// Whether a configuration that a process claims to have is root's, or ours: what others write into theirs must not
    /// lead us anywhere.
    #[must_use]
    pub fn is_roots(&self, file: &Path) -> bool {
        let owner = fs::metadata(self.inside(file)).map(|metadata| metadata.uid());
        owner.is_ok_and(|owner| owner == 0 || owner == geteuid().as_raw())
    }

    /// A path of the host as we reach it.
    #[must_use]
    pub fn inside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

/// The text of a file, or of its beginning where it has more than `limit` bytes.
pub(crate) fn beginning(path: &Path, limit: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
