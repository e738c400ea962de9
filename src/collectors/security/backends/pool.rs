//! PHP-FPM's pools, by their configuration: where they listen, for whom, and as whom they work.

use std::path::Path;

use super::unknown;
use super::workers::{self, Workers};
use crate::account::{Account, group_number};
use crate::collector::Paths;
use crate::collectors::php_fpm;
use crate::collectors::php_fpm::inquiry::Configured;
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::config::types::Address;

/// A pool of PHP-FPM, as its configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pool {
    /// Its name.
    pub(crate) name: String,
    /// Where it listens: `[::]:9000` for all addresses.
    pub(crate) listen: Address,
    /// Who may connect to it (`listen.allowed_clients`); empty is everybody.
    pub(crate) allowed_clients: Vec<String>,
    /// Whom its workers run as.
    pub(crate) uid: Option<u32>,
    /// Their groups.
    pub(crate) gids: Vec<u32>,
    /// The file that it is in, on the host.
    pub(crate) file: String,
    /// `php_admin_value[post_max_size]`, which neither php.ini nor the shop's folder overrides.
    pub(crate) post_max_size: Option<String>,
    /// Its workers.
    pub(crate) workers: Workers,
}

#[cfg(test)]
impl Pool {
    /// A pool of which nothing but its address is known, for tests to fill in.
    pub(crate) fn bare(listen: &str) -> Self {
        Self {
            name: "www".to_owned(),
            listen: listen.parse().expect("an address of a test"),
            allowed_clients: Vec::new(),
            uid: None,
            gids: Vec::new(),
            file: String::new(),
            post_max_size: None,
            workers: Workers::default(),
        }
    }
}

/// The pools of these masters. Blocks.
///
/// One that cannot be told makes all unknown: it might be the one that is open.
pub(crate) fn pools(paths: &Paths, masters: &[&php_fpm::Config]) -> Known<Vec<Pool>> {
    if masters.is_empty() {
        return Err(Unknown::new(Cause::NotConfigured, "no PHP-FPM is configured ([php_fpm.targets.<name>])"));
    }
    let (running, machine) = (workers::running(&paths.proc), workers::memory(&paths.proc));
    let mut found = Vec::new();
    for master in masters {
        let pools = master.pools(&paths.root).map_err(|failure| unknown(&failure))?.ok_or_else(|| {
            let why = "[php_fpm] lists the pools' addresses, not FPM's `configuration`, which says who may reach them";
            Unknown::new(Cause::NotConfigured, why)
        })?;
        for configured in pools {
            let mut pool = pool(&paths.root, configured)?;
            let sizes = running.get(&pool.name).map(Vec::as_slice).unwrap_or_default();
            pool.workers.sizes = sizes.iter().map(|(own, _)| *own).collect();
            pool.workers.shared = sizes.iter().map(|(_, shared)| *shared).max().unwrap_or(0);
            pool.workers.machine = machine;
            found.push(pool);
        }
    }
    Ok(found)
}

fn pool(root: &Path, configured: Configured) -> Known<Pool> {
    let Configured { name, bound, allowed_clients, user, group, file, post_max_size, .. } = configured;
    let listen = bound.map_err(|why| Unknown::new(Cause::Unparsable, format!("the pool {name}: {why}")))?;
    let (uid, gids) = identity(root, user.as_deref(), group.as_deref());
    let clients = allowed_clients.unwrap_or_default();
    let clients = clients.split(',').map(str::trim).filter(|client| !client.is_empty()).map(str::to_owned);
    Ok(Pool {
        name,
        listen,
        allowed_clients: clients.collect(),
        uid,
        gids,
        file,
        post_max_size,
        workers: Workers {
            most: configured.max_children,
            terminate_timeout: configured.terminate_timeout,
            ..Workers::default()
        },
    })
}

/// Whom workers run as, as FPM makes it out: `initgroups` gives them the groups that name the user, and `group`; the
/// user's own group only when no other is named (`fpm_unix_conf_wp`). Empty where it cannot be told.
fn identity(root: &Path, user: Option<&str>, group: Option<&str>) -> (Option<u32>, Vec<u32>) {
    let account = match user.map(|user| (user, user.parse())) {
        None => return (None, Vec::new()),
        Some((_, Ok(uid))) => Account::numbered(root, uid).ok().flatten().ok_or(uid),
        Some((name, Err(_))) => match Account::named(root, name) {
            Ok(Some(account)) => Ok(account),
            _ => return (None, Vec::new()),
        },
    };
    let gid = group.map(|group| group.parse().ok().or_else(|| group_number(root, group)));
    let (uid, mut gids) = match account {
        Ok(Account { uid, gid: own, mut groups, .. }) => {
            groups.retain(|group| gid.is_none() || *group != own);
            (uid, groups)
        }
        Err(uid) => (uid, Vec::new()),
    };
    gids.extend(gid.flatten());
    gids.sort_unstable();
    gids.dedup();
    (Some(uid), gids)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn root(pools: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/php/8.2/fpm")).unwrap();
        fs::write(root.path().join("etc/php/8.2/fpm/php-fpm.conf"), pools).unwrap();
        fs::write(root.path().join("etc/passwd"), "www-data:x:33:33::/:/bin/false\nshop:x:1001:1001::/:/bin/sh\n")
            .unwrap();
        fs::write(root.path().join("etc/group"), "www-data:x:33:\nshop:x:1001:\nmedia:x:500:shop\n").unwrap();
        root
    }

    fn read(text: &str) -> Known<Vec<Pool>> {
        let root = root(text);
        let paths = Paths { root: root.path().to_owned(), proc: root.path().to_owned(), ..Paths::default() };
        let config = php_fpm::Config::of(Path::new("/etc/php/8.2/fpm/php-fpm.conf"));
        pools(&paths, &[&config])
    }

    #[test]
    fn a_pool_says_where_it_listens_and_as_whom_it_works() {
        let found = read(
            "[a]\nlisten = 9000\nuser = shop\ngroup = www-data\nlisten.allowed_clients = 127.0.0.1, ::1\n\
             pm = static\npm.max_children = 8\nrequest_terminate_timeout = 1m\n\
             php_admin_value[post_max_size] = 64M\n\
             [b]\nlisten = /run/b.sock\nuser = shop\nphp_value[post_max_size] = 8M\npm = static\npm.max_children = ${N}\n[c]\nlisten = /run/c.sock\n",
        )
        .unwrap();
        let [a, b, c] = &found[..] else { panic!("{found:?}") };
        assert_eq!(a.listen.to_string(), "[::]:9000", "it is open to all, wherever it is asked");
        assert_eq!((a.uid, &a.gids[..]), (Some(1001), &[33, 500][..]));
        assert_eq!(a.allowed_clients, ["127.0.0.1", "::1"]);
        assert_eq!((a.workers.most, a.workers.terminate_timeout), (Some(8), Some(60)));
        assert_eq!((a.post_max_size.as_deref(), b.post_max_size.as_deref()), (Some("64M"), None), "a default is none");
        assert_eq!(a.file, "/etc/php/8.2/fpm/php-fpm.conf");
        assert_eq!((b.uid, &b.gids[..], b.workers.most), (Some(1001), &[500, 1001][..], None));
        assert_eq!((c.uid, c.gids.len(), c.allowed_clients.len()), (None, 0, 0));
    }

    #[test]
    fn what_cannot_be_told_is_not_left_out() {
        let unknown = read("[a]\nlisten = ${LISTEN}\n[b]\nlisten = /run/b.sock\n").unwrap_err();
        assert_eq!(unknown.cause, Cause::Unparsable);
        assert!(unknown.why.starts_with("the pool a: "), "{}", unknown.why);
        assert_eq!(pools(&Paths::default(), &[]).unwrap_err().cause, Cause::NotConfigured);
        let addresses: php_fpm::Config = toml::from_str("pools = ['127.0.0.1:9000']").unwrap();
        assert_eq!(pools(&Paths::default(), &[&addresses]).unwrap_err().cause, Cause::NotConfigured);
    }
}
