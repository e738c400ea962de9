//! A procfs that shows some of the harness' servers and nothing else of this machine, where many tests run side by side.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::daemon::{Daemon, folder};

/// A procfs in which these servers run, as the kernel shows them, and nobody else.
pub(crate) fn procfs_with(servers: &[&Daemon]) -> TempDir {
    let procfs = folder();
    let path = |name: &str| procfs.path().join(name);
    fs::create_dir(path("net")).unwrap();
    for id in servers.iter().map(|server| server.pid().to_string()) {
        symlink(Path::new("/proc").join(&id), path(&id)).unwrap();
    }
    // Processes are not hidden.
    if !path("1").exists() {
        symlink("/proc/1", path("1")).unwrap();
    }
    let sockets: HashSet<String> = servers.iter().flat_map(|server| sockets(server.pid())).collect();
    for (table, inode) in [("net/tcp", 9), ("net/tcp6", 9), ("net/unix", 6)] {
        let text = fs::read_to_string(Path::new("/proc").join(table)).unwrap_or_default();
        let is_theirs = |line: &&str| line.split_whitespace().nth(inode).is_some_and(|inode| sockets.contains(inode));
        let lines: Vec<_> = text.lines().take(1).chain(text.lines().filter(is_theirs)).collect();
        fs::write(path(table), lines.join("\n")).unwrap();
    }
    procfs
}

/// The inodes of a process' sockets.
fn sockets(id: u32) -> Vec<String> {
    let descriptors = fs::read_dir(format!("/proc/{id}/fd")).unwrap();
    let links = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let inode = |link: &Path| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned());
    links.filter_map(|link| inode(&link)).collect()
}
