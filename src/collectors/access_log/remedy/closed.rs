//! What lets Vitrin read a log that is closed to it.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::named;
use crate::account::group_name;
use crate::remedy::{Remedy, Service, join, quoted};

/// Groups that logs are given to for those who read them, or that servers themselves are in. Any other may open more
/// than logs, `shadow` or `docker` for example.
const GROUPS: [&str; 6] = ["adm", "www-data", "nginx", "apache", "www", "http"];

/// The rights that are needed of a log, of the folders above it, and of one whose logs are found by a pattern.
const READ: u32 = 0o4;
const ENTER: u32 = 0o1;
const LIST: u32 = READ | ENTER;

/// Something on the way to a log that the service may not use.
struct Obstacle {
    path: PathBuf,
    /// The group that it is open to.
    group: Option<String>,
    /// What is needed of it.
    right: u32,
}

/// What opens these logs of the host to the service; `None` when they are open, or it cannot be told.
///
/// Group and mode are the files' own, so the lines fit whatever a distribution, or logrotate's `create`, has made of
/// them.
pub(in crate::collectors::access_log) fn closed(root: &Path, logs: &[PathBuf], service: &Service) -> Option<Remedy> {
    if let Some(log) = logs.iter().find(|log| is_led_astray(root, log)) {
        // It could lead to what is worth more than a log.
        let why = format!("The way to the log {} is a link, and not of root's making.", log.display());
        return Some(Remedy::by_hand(why, "Name the log itself in the configuration.\n"));
    }
    let found: Vec<_> = logs.iter().map(|log| (log, obstacles(root, log, service))).collect();
    let closed: Vec<_> = found.iter().filter(|(_, obstacles)| !obstacles.is_empty()).collect();
    let what = named(&closed.iter().map(|(log, _)| *log).collect::<Vec<_>>());
    let obstacles: Vec<_> = closed.iter().flat_map(|(_, obstacles)| obstacles).collect();
    if obstacles.is_empty() {
        return None;
    }
    let user = &service.user;
    let groups: Option<BTreeSet<_>> = obstacles.iter().map(|obstacle| obstacle.group.as_deref()).collect();
    let alone = lists(&obstacles, service);
    let Some(groups) = groups else {
        let why = format!("No group that {user} could join for logs alone may read {what}.");
        return Some(Remedy::by_hand(why, format!("Open what is closed to {user} (package acl):\n{alone}")));
    };
    let groups: Vec<_> = groups.into_iter().collect();
    let title = if groups.len() == 1 { "group" } else { "groups" };
    let why = format!("{user} is not in the {title} {}, which may read {what}.", groups.join(" and "));
    let or = format!("Or, for these alone (package acl):\n{alone}");
    Some(Remedy::mend(why, join(&groups.join(","), service)).and_by_hand(or))
}

/// Whether a link on the way to a log is neither root's nor ours: whoever made it decides what it leads to.
fn is_led_astray(root: &Path, log: &Path) -> bool {
    let ours = [0, geteuid().as_raw()];
    log.ancestors().any(|part| {
        let own = fs::symlink_metadata(root.join(part.strip_prefix("/").unwrap_or(part)));
        own.is_ok_and(|own| own.is_symlink() && !ours.contains(&own.uid()))
    })
}

/// What the service may not use on the way to a log, as far as can be told.
fn obstacles(root: &Path, log: &Path, service: &Service) -> Vec<Obstacle> {
    let folders: Vec<_> = log.ancestors().skip(1).collect();
    let folders = folders.into_iter().rev().map(|folder| (folder, ENTER));
    let closed = folders.chain([(log, READ)]).filter_map(|(path, right)| {
        let metadata = fs::metadata(root.join(path.strip_prefix("/").unwrap_or(path))).ok()?;
        let right = if right == READ && metadata.is_dir() { LIST } else { right };
        let is_open = match &service.account {
            Some(account) => account.may(right, &metadata),
            None => metadata.mode() & right == right,
        };
        (!is_open).then(|| Obstacle { path: path.to_owned(), group: group(root, &metadata, right), right })
    });
    closed.collect()
}

/// The group that something is open to, if it is one for logs.
fn group(root: &Path, metadata: &Metadata, right: u32) -> Option<String> {
    let opens = metadata.mode() >> 3 & right == right && (metadata.is_file() || metadata.is_dir());
    group_name(root, metadata.gid()).filter(|name| opens && GROUPS.contains(&&**name))
}

/// The lines that open files and folders to one user more, also the files that rotation is yet to make.
fn lists(obstacles: &[&Obstacle], service: &Service) -> String {
    let path = |path: &Path| quoted(&path.to_string_lossy());
    let mut lines = Vec::new();
    for Obstacle { path: closed, right, .. } in obstacles {
        let user = quoted(&service.user);
        if *right != READ {
            lines.push(format!("setfacl --modify user:{user}:rx {}\n", path(closed)));
            continue;
        }
        lines.push(format!("setfacl --modify user:{user}:r {}\n", path(closed)));
        let folder = closed.parent().unwrap_or(closed);
        lines.push(format!("setfacl --modify default:user:{user}:r {}\n", path(folder)));
    }
    let mut known = BTreeSet::new();
    lines.retain(|line| known.insert(line.clone()));
    lines.concat()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use expect_test::expect;

    use super::*;
    use crate::collector::Paths;

    fn service() -> Service {
        let name = || "vitrin".to_owned();
        Service {
            user: name(),
            group: name(),
            account: None,
            program: name(),
            paths: Paths::default(),
            superuser: false,
        }
    }

    /// A machine with a log in a folder, of these modes, whose group has this name.
    fn machine(folder: u32, log: u32, group: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let logs = root.path().join("logs");
        fs::create_dir_all(&logs).unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(logs.join("access.log"), "").unwrap();
        let gid = fs::metadata(&logs).unwrap().gid();
        fs::write(root.path().join("etc/group"), format!("{group}:x:{gid}:\n")).unwrap();
        for (path, mode) in [(root.path(), 0o755), (&logs.join("access.log"), log), (&logs, folder)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
        root
    }

    fn ways(folder: u32, log: u32, group: &str) -> Option<Remedy> {
        closed(machine(folder, log, group).path(), &["/logs/access.log".into()], &service())
    }

    #[test]
    fn a_log_of_debian_s_is_read_by_its_group() {
        let remedy = ways(0o755, 0o640, "adm").unwrap();
        expect![[r#"
            vitrin is not in the group adm, which may read /logs/access.log.
            usermod --append --groups adm vitrin
            ! systemctl --quiet is-active vitrin 2>/dev/null || systemctl restart vitrin
            Or, for these alone (package acl):
            setfacl --modify user:vitrin:r /logs/access.log
            setfacl --modify default:user:vitrin:r /logs
        "#]]
        .assert_eq(&format!("{}\n{}{}", remedy.why, remedy.run, remedy.by_hand));
    }

    #[test]
    fn a_folder_that_nobody_may_enter_is_opened_as_well() {
        let remedy = ways(0o700, 0o640, "adm").unwrap();
        expect![[r#"
            No group that vitrin could join for logs alone may read /logs/access.log.
            Open what is closed to vitrin (package acl):
            setfacl --modify user:vitrin:rx /logs
            setfacl --modify user:vitrin:r /logs/access.log
            setfacl --modify default:user:vitrin:r /logs
        "#]]
        .assert_eq(&format!("{}\n{}{}", remedy.why, remedy.run, remedy.by_hand));
        assert!(ways(0o750, 0o640, "adm").unwrap().run.contains(" adm vitrin\n"));
    }

    #[test]
    fn nobody_is_put_into_a_group_that_opens_more_than_logs() {
        for group in ["shadow", "docker", "root", "sudo"] {
            assert_eq!(ways(0o755, 0o640, group).unwrap().run, "", "{group}");
        }
        // The group itself may not read it.
        assert_eq!(ways(0o755, 0o600, "adm").unwrap().run, "");
    }

    #[test]
    fn a_link_of_a_stranger_s_is_not_followed() {
        let root = machine(0o755, 0o640, "adm");
        let link = root.path().join("logs/link.log");
        std::os::unix::fs::symlink("access.log", &link).unwrap();
        let ways = || closed(root.path(), &["/logs/link.log".into()], &service()).unwrap();
        assert!(ways().run.starts_with("usermod"), "ours: {ways:?}", ways = ways());
        if geteuid().is_root() {
            std::os::unix::fs::lchown(&link, Some(12_345), None).unwrap();
            assert_eq!(
                (ways().run.as_str(), ways().by_hand.as_str()),
                ("", "Name the log itself in the configuration.\n")
            );
        }
    }

    #[test]
    fn what_is_open_or_not_there_needs_nothing() {
        assert_eq!(ways(0o755, 0o644, "adm"), None);
        let root = machine(0o755, 0o640, "adm");
        assert_eq!(closed(root.path(), &["/logs/none.log".into()], &service()), None);
        assert_eq!(closed(root.path(), &[], &service()), None);
    }
}
