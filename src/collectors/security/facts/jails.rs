//! fail2ban's jails: what each reads, and how many it bans. Whom it bans is forgotten at once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Jail;
use super::program::{Answer, Ask};
use crate::collector::Paths;
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::machine::Machine;

/// The most jails, and the most logs of one, that are looked at; `jail.conf` of Debian's package has some 80 jails.
const JAILS: usize = 200;
const FILES: usize = 200;

/// What asks fail2ban.
const CLIENT: &str = "fail2ban-client";

/// Its server, as procfs calls it: the first 15 bytes of its name, and the interpreter where it sets none.
const SERVER: &[&str] = &["fail2ban-server"];

/// What fail2ban watches.
pub(super) fn look(proc: &Path, ask: &Ask<'_>) -> Known<Vec<Jail>> {
    let Some(answer) = ask(CLIENT, &["status"])? else {
        let paths = Paths { proc: proc.to_owned(), ..Paths::default() };
        let machine = Machine::look(&paths, None, SERVER);
        if machine.hides_processes || !machine.processes.is_empty() {
            return Err(Unknown::new(
                Cause::Unsupported,
                "fail2ban may run, and there is no fail2ban-client to ask it",
            ));
        }
        return Ok(Vec::new());
    };
    if !answer.is_success {
        return if answer.words.contains("Is fail2ban running?") { Ok(Vec::new()) } else { Err(failed(&answer)) };
    }
    let names = names(&answer.text).ok_or_else(unparsable)?;
    names.into_iter().map(|name| jail(name, ask)).collect()
}

fn jail(name: String, ask: &Ask<'_>) -> Known<Jail> {
    let said = |arguments: &[&str]| {
        let answer = ask(CLIENT, arguments)?.ok_or_else(unparsable)?;
        if answer.is_success { Ok(answer.text) } else { Err(failed(&answer)) }
    };
    let banned = banned(&said(&["status", &name])?).ok_or_else(unparsable)?;
    let files = files(&said(&["get", &name, "logpath"])?);
    Ok(Jail { name, files, banned })
}

/// Its words may hold whatever somebody wrote into a configuration.
fn failed(answer: &Answer) -> Unknown {
    if answer.words.contains("Permission denied") {
        return Unknown::new(Cause::Permission, "fail2ban answers root alone");
    }
    Unknown::new(Cause::Unreachable, "fail2ban does not answer: fail2ban-client status")
}

fn unparsable() -> Unknown {
    Unknown::new(Cause::Unparsable, "fail2ban-client says what is not understood")
}

/// The names in what `fail2ban-client status` prints; of a name that could pass for an option, or for anything but a
/// name, nothing is asked.
pub(super) fn names(text: &str) -> Option<Vec<String>> {
    let list = text.lines().find_map(|line| line.split_once("Jail list:"))?.1;
    let names: BTreeSet<_> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let is_name = |name: &&str| {
        name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    };
    let all = names.len() <= JAILS && names.iter().all(is_name);
    all.then(|| names.into_iter().map(str::to_owned).collect())
}

/// How many a jail bans now, in what its `status` prints.
pub(super) fn banned(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.split_once("Currently banned:"))?.1.trim().parse().ok()
}

/// The logs in what `get <jail> logpath` prints; a jail that reads the journal has none.
pub(super) fn files(text: &str) -> Vec<PathBuf> {
    let file = |line: &str| {
        let path = line.trim_start().strip_prefix("|- ").or_else(|| line.trim_start().strip_prefix("`- "))?;
        path.starts_with('/').then(|| PathBuf::from(path))
    };
    text.lines().filter_map(file).take(FILES).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // fail2ban 1.0.2.
    const STATUS: &str = "Status\n|- Number of jail:\t2\n`- Jail list:\tnginx-botsearch, sshd\n";
    const JAIL: &str = "Status for the jail: nginx-botsearch\n|- Filter\n|  |- Currently failed:\t0\n|  |- Total failed:\t0\n\
                        |  `- File list:\t/var/log/nginx/error.log /var/log/nginx/access.log\n`- Actions\n   \
                        |- Currently banned:\t1\n   |- Total banned:\t1\n   `- Banned IP list:\t203.0.113.99\n";
    const LOGS: &str = "Current monitored log file(s):\n|- /var/log/nginx/error.log\n`- /var/log/nginx/my shop.log\n";
    const NONE: &str = "No file is currently monitored\n";

    #[expect(clippy::unnecessary_wraps, reason = "as asking a program answers")]
    fn said(text: &str) -> Known<Option<Answer>> {
        Ok(Some(Answer { is_success: true, text: text.to_owned(), words: String::new() }))
    }

    fn answer(arguments: &[&str]) -> Known<Option<Answer>> {
        said(match arguments {
            ["status"] => STATUS,
            ["status", _] => JAIL,
            ["get", "nginx-botsearch", "logpath"] => LOGS,
            ["get", "sshd", "logpath"] => NONE,
            _ => panic!("nobody asks {arguments:?}"),
        })
    }

    #[test]
    fn jails_are_told_with_their_logs_and_without_whom_they_ban() {
        let jails = look(Path::new("/proc"), &|_, arguments| answer(arguments)).unwrap();
        let jail = |name: &str, files: &[&str]| Jail {
            name: name.to_owned(),
            files: files.iter().map(PathBuf::from).collect(),
            banned: 1,
        };
        let logs = ["/var/log/nginx/error.log", "/var/log/nginx/my shop.log"];
        assert_eq!(jails, [jail("nginx-botsearch", &logs), jail("sshd", &[])]);
        assert!(!format!("{jails:?}").contains("203.0.113"));
    }

    #[test]
    fn a_name_that_could_be_an_option_is_not_asked_for() {
        for name in ["--help", "-x", "a b", "a;b", "", "é"] {
            let text = STATUS.replace("sshd", name);
            let asked = look(Path::new("/proc"), &|_, arguments| {
                assert!(arguments == ["status"] || name.is_empty(), "{arguments:?}");
                if arguments == ["status"] { said(&text) } else { answer(arguments) }
            });
            assert_eq!(asked.is_err(), !name.is_empty(), "{name}: {asked:?}");
        }
    }

    #[test]
    fn one_that_does_not_run_has_no_jail_and_one_that_fails_is_unknown() {
        let failed = |words: &str| {
            let answer = Answer { is_success: false, text: String::new(), words: words.to_owned() };
            look(Path::new("/proc"), &|_, _| Ok(Some(answer.clone())))
        };
        // fail2ban 1.0.2, with nobody at its socket.
        let words = "2026-11-23 21:35:26,949 fail2ban [32016]: ERROR   Failed to access socket path: \
                     /var/run/fail2ban/fail2ban.sock. Is fail2ban running?";
        assert_eq!(failed(words), Ok(Vec::new()));
        let permission =
            failed("ERROR   Permission denied to socket: /var/run/fail2ban/fail2ban.sock, (you must be root)");
        assert_eq!(permission.unwrap_err().cause, Cause::Permission);
        assert_eq!(failed("ERROR   Unable to contact server").unwrap_err().cause, Cause::Unreachable);
    }

    #[test]
    fn where_there_is_no_client_a_server_may_still_run() {
        let proc = tempfile::tempdir().unwrap();
        let absent = |_: &str, _: &[&str]| Ok(None);
        let write = |id: &str, name: &str| {
            let folder = proc.path().join(id);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("comm"), format!("{name}\n")).unwrap();
            std::fs::write(folder.join("status"), "Uid:\t0\t0\t0\t0\nNSpid:\t7\n").unwrap();
            std::fs::write(folder.join("cmdline"), "x\0").unwrap();
        };
        write("1", "systemd");
        assert_eq!(look(proc.path(), &absent), Ok(Vec::new()));
        write("7", "fail2ban-server");
        assert_eq!(look(proc.path(), &absent).unwrap_err().cause, Cause::Unsupported);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ -~\n\t]{0,200}") {
            look(Path::new("/nowhere"), &|_, _| said(&text)).ok();
            look(Path::new("/nowhere"), &|_, arguments| if arguments.len() == 1 { said(STATUS) } else { said(&text) }).ok();
        }
    }
}
