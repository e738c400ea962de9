//! Who takes TCP connections, and whether Redis shows in other ways, as every user may see it.

use std::collections::HashMap;
use std::io;

use crate::account::Account;
use crate::collector::Paths;
use crate::collectors::security::known::CACHE;
use crate::collectors::security::seen::Listener;
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::machine::{self, Machine};

/// What could not be read of the system.
pub(super) fn unreadable(what: &str, error: &io::Error) -> Unknown {
    let cause = match error.kind() {
        io::ErrorKind::PermissionDenied => Cause::Permission,
        _ => Cause::Unsupported,
    };
    Unknown::new(cause, format!("reading {what}: {error}"))
}

/// Everybody who takes TCP connections. Blocks.
pub(crate) fn listeners(paths: &Paths) -> Known<Vec<Listener>> {
    let sockets = machine::listeners(&paths.proc).map_err(|error| unreadable("/proc/net/tcp", &error))?;
    let mut accounts: HashMap<u32, Option<String>> = HashMap::new();
    let mut found: Vec<_> = sockets
        .into_iter()
        .filter_map(|socket| {
            let user = socket.user?;
            let account = accounts.entry(user).or_insert_with(|| {
                // Without its name, a user still has its number.
                Account::numbered(&paths.root, user).ok().flatten().map(|account| account.name)
            });
            Some(Listener { ip: socket.ip, port: socket.port, user, account: account.clone() })
        })
        .collect();
    found.sort_by_key(|listener| (listener.port, listener.ip, listener.user));
    found.dedup();
    Ok(found)
}

/// The process or the socket by which Redis or Valkey shows that it runs here. Blocks.
pub(crate) fn cache_in_sight(paths: &Paths) -> Known<Option<String>> {
    let machine = Machine::look(paths, None, CACHE.processes);
    if let Some(process) = machine.processes.first() {
        return Ok(Some(format!("the process `{}`", process.name)));
    }
    let is_caches = |name: &str| CACHE.sockets.iter().any(|cache| name.contains(cache));
    let socket =
        machine.unix.iter().find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_caches));
    match socket {
        Some(socket) => Ok(Some(format!("the socket {}", socket.display()))),
        None if machine.hides_processes => {
            Err(Unknown::new(Cause::Permission, "other users' processes are hidden (hidepid)"))
        }
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn listeners_are_named_by_the_host_s_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::create_dir_all(root.join("proc/net")).unwrap();
        fs::write(root.join("etc/passwd"), "mysql:x:114:120::/:/bin/false\n").unwrap();
        fs::write(root.join("etc/group"), "").unwrap();
        let lines = "0: 00000000:0CEA 0:0 0A 0:0 0:0 0 114 0 1\n1: 0100007F:0050 0:0 0A 0:0 0:0 0 33 0 2\n";
        fs::write(root.join("proc/net/tcp"), lines).unwrap();
        let paths = Paths { proc: root.join("proc"), root: root.to_owned(), ..Paths::default() };
        let shown: Vec<_> = listeners(&paths)
            .unwrap()
            .into_iter()
            .map(|listener| format!("{}:{} {:?}", listener.ip, listener.port, listener.account))
            .collect();
        assert_eq!(shown, ["127.0.0.1:80 None", "0.0.0.0:3306 Some(\"mysql\")"]);
    }

    #[test]
    fn every_kin_of_redis_is_in_sight() {
        for name in ["redis-server", "valkey-server", "keydb-server", "dragonfly"] {
            let proc = tempfile::tempdir().unwrap();
            let folder = proc.path().join("7");
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("comm"), format!("{name}\n")).unwrap();
            fs::write(folder.join("status"), "Uid:\t0\t0\t0\t0\nNSpid:\t7\n").unwrap();
            fs::write(folder.join("cmdline"), "x\0").unwrap();
            let paths = Paths { proc: proc.path().to_owned(), ..Paths::default() };
            assert_eq!(cache_in_sight(&paths), Ok(Some(format!("the process `{name}`"))));
        }
    }

    #[test]
    fn without_procfs_nobody_knows_who_listens() {
        let paths = Paths { proc: "/nowhere".into(), ..Paths::default() };
        assert_eq!(listeners(&paths).unwrap_err().cause, Cause::Unsupported);
        assert_eq!(cache_in_sight(&paths).unwrap_err().cause, Cause::Permission);
    }
}
