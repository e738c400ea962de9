//! Shell lines that remedies of several topics have in common.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use super::{Remedy, Service};
use crate::account::group_name;
use crate::config::secret::Secret;
use crate::machine::is_roots;

/// A process has the groups that its user had when it started.
const RESTART: &str = "! systemctl --quiet is-active vitrin 2>/dev/null || systemctl restart vitrin\n";

const MEMORY: &str = "writing to memory does not fail";

/// A word of a shell line, in quotes where it needs some.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@%,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Each line behind a mark.
pub(crate) fn indented(mark: &str, lines: &str) -> String {
    lines.lines().fold(String::new(), |mut text, line| {
        writeln!(text, "{mark}{line}").expect(MEMORY);
        text
    })
}

/// Makes a password into a file, unless there is one, and lets nobody read it but root and the service.
pub(crate) fn secret_file(file: &Path, service: &Service) -> String {
    let path = quoted(&file.to_string_lossy());
    let folder = file.parent().map_or_else(|| "/".to_owned(), |folder| quoted(&folder.to_string_lossy()));
    // Alone, so that a failure of any of them ends `sh -e`.
    format!(
        "mkdir -p {folder}\n[ -s {path} ] || (umask 077; head -c 24 /dev/urandom | base64 >{path})\n\
         chown root:{} {path}\nchmod 0640 {path}\n",
        quoted(&service.group)
    )
}

/// What opens a secret's file to the service; `None` when it is open, empty or not there, or cannot be looked at.
pub(crate) fn closed_secret(secret: &Secret, service: &Service) -> Option<Remedy> {
    let file = secret.file()?;
    let metadata = fs::metadata(file).ok().filter(|metadata| metadata.len() > 0)?;
    let account = service.account.as_ref()?;
    if account.may(0o4, &metadata) {
        return None;
    }
    let why = format!("{} is closed to {}, who has to log in with what it holds.", file.display(), service.user);
    Some(Remedy::mend(why, secret_file(file, service)))
}

/// The way into a socket that is closed to the service; `None` when it is open, or cannot be looked at.
///
/// `socket` is the host's path, below `root`; `setting` is what would open it where no group can.
pub(crate) fn membership(root: &Path, socket: &Path, service: &Service, setting: &str) -> Option<Remedy> {
    let path = root.join(socket.strip_prefix("/").unwrap_or(socket));
    let metadata = fs::metadata(&path).ok()?;
    if service.account.as_ref().is_some_and(|account| account.may_use(&metadata)) || metadata.mode() & 0o6 == 0o6 {
        return None;
    }
    let (user, shown) = (&service.user, socket.display());
    let folder = socket.parent().unwrap_or(socket);
    let is_direct = fs::symlink_metadata(&path).is_ok_and(|own| own.file_type().is_socket());
    if !is_direct || !has_honest_links(root, folder) {
        // A link of a stranger's could lead to the socket of anybody's, whose group is worth more.
        let why = format!("The way to the socket {shown} is a link, and not of root's making.");
        return Some(Remedy::by_hand(why, "Name the socket itself in the configuration.\n"));
    }
    let opens = metadata.mode() & 0o060 == 0o060 && metadata.gid() != 0;
    match group_name(root, metadata.gid()).filter(|_| opens) {
        Some(group) => Some(Remedy::mend(
            format!("{user} is not in the group {group}, to which the socket {shown} is open."),
            join(&group, service),
        )),
        None => {
            Some(Remedy::by_hand(format!("The socket {shown} is open to no group that {user} could join."), setting))
        }
    }
}

/// The way to a log that is closed to the service; `None` when it is open, or cannot be looked at.
///
/// `log` is the host's path, below `root`. A log that root alone may read is opened to the service's own group, not to
/// one that may read all logs: logrotate makes the next one like it (`create`, which is Debian's default).
pub(crate) fn reading(root: &Path, log: &Path, service: &Service) -> Option<Remedy> {
    let (user, shown) = (&service.user, log.display());
    let (mut groups, mut run) = (Vec::new(), String::new());
    let mut parts: Vec<_> = log.ancestors().filter(|part| part.parent().is_some()).collect();
    parts.reverse();
    for part in parts {
        let metadata = fs::metadata(root.join(part.strip_prefix("/").unwrap_or(part))).ok()?;
        let needed = if part == log { 0o4 } else { 0o1 };
        if service.account.as_ref().map_or(metadata.mode() & needed != 0, |account| account.may(needed, &metadata)) {
            continue;
        }
        let opens = metadata.mode() >> 3 & needed != 0 && metadata.gid() != 0;
        let group = group_name(root, metadata.gid()).filter(|_| opens && has_honest_links(root, log));
        match group {
            Some(group) if !groups.contains(&group) => groups.push(group),
            Some(_) => {}
            None if part == log && is_roots(root, log) => {
                let log = quoted(&log.to_string_lossy());
                write!(run, "chgrp {} {log}\nchmod g+r {log}\n", quoted(&service.group)).expect(MEMORY);
            }
            None => {
                let part = part.display();
                let why =
                    format!("{user} may not read the log {shown}: {part} is open to no group that it could join.");
                return Some(Remedy::by_hand(
                    why,
                    format!("Let {user} read {shown}, and go into each folder above it.\n"),
                ));
            }
        }
    }
    if !groups.is_empty() {
        run.push_str(&join(&groups.join(","), service));
    }
    (!run.is_empty()).then(|| Remedy::mend(format!("{user} may not read the log {shown}."), run))
}

/// Puts the service into a group, or into several with commas between them.
pub(crate) fn join(groups: &str, service: &Service) -> String {
    format!("usermod --append --groups {} {}\n{RESTART}", quoted(groups), quoted(&service.user))
}

/// Whether all links among the folders of a path are root's own (`/var/run`), or ours.
fn has_honest_links(root: &Path, folder: &Path) -> bool {
    let ours = [0, rustix::process::geteuid().as_raw()];
    folder.ancestors().all(|part| {
        let own = fs::symlink_metadata(root.join(part.strip_prefix("/").unwrap_or(part)));
        own.is_ok_and(|own| !own.is_symlink() || ours.contains(&own.uid()))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

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

    #[test]
    fn words_reach_the_shell_as_they_are() {
        for word in ["/etc/vitrin/redis.password", "a b", "it's", "$(id)", "", "a\"b\\"] {
            let output = Command::new("sh").args(["-c", &format!("printf %s {}", quoted(word))]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
        assert_eq!(quoted("/a/b.c"), "/a/b.c");
    }

    #[test]
    fn a_password_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("of vitrin/password");
        // Only root gives files away, and only where the group is.
        let lines = secret_file(&file, &service()).replace("chown root:vitrin", "true");
        let run = || assert!(Command::new("sh").args(["-euc", &lines]).status().unwrap().success(), "{lines}");
        run();
        let password = fs::read(&file).unwrap();
        assert_eq!((password.len(), fs::metadata(&file).unwrap().mode() & 0o777), (33, 0o640));
        run();
        assert_eq!(fs::read(&file).unwrap(), password);
    }

    #[test]
    fn a_closed_log_is_opened_to_its_group_or_to_ours() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::create_dir(root.path().join("log")).unwrap();
        let (file, folder) = (root.path().join("log/a b.log"), root.path().join("log"));
        fs::write(&file, "").unwrap();
        let own = fs::metadata(&file).unwrap().gid();
        std::os::unix::fs::chown(&file, None, Some(own + 7)).expect("only root can give a file away: run as root");
        fs::write(root.path().join("etc/group"), format!("logs:x:{}:\n", own + 7)).unwrap();
        let asked = |folder_mode, mode| {
            fs::set_permissions(&folder, fs::Permissions::from_mode(folder_mode)).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            reading(root.path(), Path::new("/log/a b.log"), &service())
        };
        assert_eq!(asked(0o755, 0o644), None);
        let run = |remedy: Option<Remedy>| remedy.unwrap().run;
        assert_eq!(run(asked(0o755, 0o640)), format!("usermod --append --groups logs vitrin\n{RESTART}"));
        assert_eq!(run(asked(0o755, 0o600)), "chgrp vitrin '/log/a b.log'\nchmod g+r '/log/a b.log'\n");
        let by_hand = asked(0o700, 0o640).unwrap();
        assert!(by_hand.run.is_empty() && by_hand.why.contains("/log is open to no group"), "{by_hand:?}");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(reading(root.path(), Path::new("/log/gone"), &service()), None);
    }

    #[test]
    fn a_closed_socket_names_its_group_and_an_open_one_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        let socket = root.path().join("redis.sock");
        let _listener = UnixListener::bind(&socket).unwrap();
        let group = fs::metadata(&socket).unwrap().gid();
        fs::write(root.path().join("etc/group"), format!("cache:x:{group}:\n")).unwrap();
        let asked = |mode| {
            fs::set_permissions(&socket, fs::Permissions::from_mode(mode)).unwrap();
            membership(root.path(), Path::new("/redis.sock"), &service(), "unixsocketperm 770")
        };
        assert_eq!(asked(0o666), None);
        assert_eq!(asked(0o600).unwrap().by_hand, "unixsocketperm 770");
        std::os::unix::fs::symlink(&socket, root.path().join("link")).unwrap();
        let link = membership(root.path(), Path::new("/link"), &service(), "").unwrap();
        assert_eq!((link.run.as_str(), &link.by_hand[..8]), ("", "Name the"));
        let run = asked(0o660).unwrap().run;
        // Nobody is put into the group of root, who runs the tests where it may.
        assert!(run.starts_with("usermod --append --groups cache vitrin\n") || group == 0, "{run}");
    }
}
