//! What runs on this machine, as every user may see it in procfs: processes, and who listens where.
//!
//! What only some users see (the open files of others' processes) is not looked at: a root who writes a configuration
//! must find what the unprivileged exporter finds.

mod processes;
mod sighting;
mod sockets;

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

pub use processes::Process;
pub use sighting::{Discovery, Sighting, quoted};
pub use sockets::Tcp;
pub(crate) use sockets::listeners;

use rustix::fs::OFlags;
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
    ///
    /// A socket is also only as good as the folders and links that lead to it.
    #[must_use]
    pub fn trusts(&self, address: &Address, accounts: &[&str]) -> bool {
        let is_server = |user| {
            let account = Account::numbered(&self.root, user).ok().flatten();
            account.is_some_and(|account| accounts.contains(&account.name.as_str()))
        };
        let is_known = |user: u32| user == 0 || user == geteuid().as_raw() || is_server(user);
        self.server(address).is_some_and(is_known)
            && address.socket().is_none_or(|socket| is_kept_by(&self.root, socket, is_known))
    }

    /// The same of an address as we reach it, at this moment.
    #[must_use]
    pub fn trusts_now(paths: &Paths, address: &Address, accounts: &[&str]) -> bool {
        let machine = Self { root: paths.root.clone(), tcp: sockets::tcp(&paths.proc), ..Self::default() };
        let on_host = |path: &Path| Some(Path::new("/").join(path.strip_prefix(&paths.root).ok()?));
        let address = match address.socket().and_then(on_host) {
            Some(socket) => Address::Unix(socket),
            None => address.clone(),
        };
        machine.trusts(&address, accounts)
    }

    /// Whether this user listens at a socket of the file system, by all that can be seen of it.
    #[must_use]
    pub fn is_socket_of(&self, socket: &Path, user: u32) -> bool {
        let is_plain = socket.to_str().is_some_and(|text| !text.contains(char::is_control));
        let metadata = fs::symlink_metadata(self.inside(socket));
        is_plain && metadata.is_ok_and(|metadata| metadata.file_type().is_socket() && metadata.uid() == user)
    }

    /// Whether a configuration that a process claims to have is root's, or ours: what others write into theirs must not
    /// lead us anywhere.
    #[must_use]
    pub fn is_roots(&self, file: &Path) -> bool {
        is_roots(&self.root, file)
    }

    /// A path of the host as we reach it.
    #[must_use]
    pub fn inside(&self, path: &Path) -> PathBuf {
        inside(&self.root, path)
    }
}

/// Whether a file of the host is root's or ours, with every folder and link that leads to it: nobody else can put
/// another in its place. Devices, pipes and what the kernel makes up are no configurations: merely to open one may do
/// something.
pub(crate) fn is_roots(root: &Path, file: &Path) -> bool {
    let is_plain = file.to_str().is_some_and(|text| !text.contains(char::is_control));
    let is_made_up = ["/proc", "/sys", "/dev"].iter().any(|folder| file.starts_with(folder));
    is_plain
        && !is_made_up
        && fs::metadata(inside(root, file))
            .is_ok_and(|metadata| metadata.is_file() && [0, geteuid().as_raw()].contains(&metadata.uid()))
        && is_kept_by(root, file, |user| [0, geteuid().as_raw()].contains(&user))
}

/// Whether all that a path names below `root` belongs to these users, links themselves rather than what they lead to.
pub(crate) fn is_kept_by(root: &Path, path: &Path, is_known: impl Fn(u32) -> bool) -> bool {
    path.is_absolute()
        && !path.components().any(|part| part == Component::ParentDir)
        && path
            .ancestors()
            .filter(|part| part.parent().is_some())
            .all(|part| fs::symlink_metadata(inside(root, part)).is_ok_and(|metadata| is_known(metadata.uid())))
}

fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Where procfs tells of the host's network: `/proc/net` is the namespace of whoever reads it, and may be a container's.
pub(crate) fn net(proc: &Path) -> PathBuf {
    let first = proc.join("1/net");
    if first.join("tcp").exists() { first } else { proc.join("net") }
}

/// The text of a file, or of its beginning where it has more than `limit` bytes.
pub(crate) fn beginning(path: &Path, limit: u64) -> io::Result<String> {
    // Where a file is included, whoever it belongs to may have put a pipe that nobody writes to.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no file"));
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_pipe_in_place_of_a_file_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
        assert!(beginning(&pipe, 100).is_err() && beginning(Path::new("/dev/zero"), 100).is_err());
        assert!(beginning(Path::new("/proc/self/comm"), 100).is_ok_and(|name| !name.is_empty()));
    }

    #[test]
    fn a_configuration_is_a_file_and_not_what_a_title_makes_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("etc")).unwrap();
        fs::write(root.join("etc/fpm.conf"), "").unwrap();
        fs::write(root.join("etc/a\n    id"), "").unwrap();
        symlink("/dev/null", root.join("etc/null")).unwrap();
        for (file, expected) in [
            ("/etc/fpm.conf", true),
            ("/etc/a\n    id", false),
            ("/etc/null", false),
            ("/etc", false),
            ("/etc/../etc/fpm.conf", false),
            ("/etc/none", false),
            ("etc/fpm.conf", false),
        ] {
            assert_eq!(is_roots(root, Path::new(file)), expected, "{file:?}");
        }
        assert!(!is_roots(Path::new("/"), Path::new("/proc/self/status")));
    }

    #[test]
    fn a_path_is_as_good_as_the_worst_owner_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let ours = fs::metadata(root).unwrap().uid();
        let path = Path::new("/etc/passwd");
        symlink("/etc", root.join("etc")).unwrap();
        assert!(is_kept_by(root, path, |user| user == ours || user == 0));
        // The file is root's, the link to its folder is somebody's.
        assert!(!is_kept_by(root, path, |user| user != ours));
    }
}
