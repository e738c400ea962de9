//! SSH's server: who may log in with what, by its configuration.

pub(super) mod configuration;
mod judge;
#[cfg(test)]
mod live;

use std::collections::BTreeMap;

use super::super::verdict::Known;
use crate::collector::Paths;
use crate::machine::Machine;
pub(crate) use configuration::{Configured, read};
pub(super) use judge::judge;

/// The name under which facts keep what `Match` blocks loosen; no setting is called so.
pub(crate) const MATCH: &str = "match";

/// Programs that take SSH's connections.
const PROCESSES: &[&str] = &["sshd", "dropbear"];

/// Where systemd is told to take SSH's connections itself.
const SOCKETS: [&str; 4] = [
    "etc/systemd/system/sockets.target.wants/ssh.socket",
    "etc/systemd/system/sockets.target.wants/sshd.socket",
    "etc/systemd/system/ssh.service.requires/ssh.socket",
    "etc/systemd/system/dropbear.socket",
];

/// What can be seen of SSH's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ssh {
    /// Its configuration.
    pub(crate) configured: Known<Configured>,
    /// What takes SSH's connections, or might: `sshd`, `dropbear`, `ssh.socket`.
    pub(crate) servers: Vec<&'static str>,
    /// Whether others' processes are hidden, so that there may be more.
    pub(crate) hides_processes: bool,
}

/// Looks at the configuration and at who runs. Blocks.
pub(super) fn look(paths: &Paths) -> Ssh {
    let machine = Machine::look(paths, None, PROCESSES);
    // A session goes on when the server has been stopped.
    let is_server = |title: &str| !title.starts_with("sshd: ") || title.contains("[listener]");
    let mut servers: Vec<_> = PROCESSES
        .iter()
        .filter(|name| machine.processes.iter().any(|process| process.is(&[name]) && is_server(&process.title())))
        .copied()
        .collect();
    if SOCKETS.iter().any(|socket| paths.root.join(socket).symlink_metadata().is_ok()) {
        servers.push("ssh.socket");
    }
    Ssh { configured: read(&paths.root), servers, hides_processes: machine.hides_processes }
}

/// The settings in what `sshd -T` prints: names in lower case; of several lines of a name the first, but for ports, which
/// stand one beside the other.
pub(crate) fn printed(text: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for (name, value) in text.lines().filter_map(|line| line.trim().split_once(' ')) {
        if !DECIDING.contains(&name) {
            continue;
        }
        let kept = settings.entry(name.to_owned()).or_insert_with(String::new);
        if kept.is_empty() {
            value.clone_into(kept);
        } else if name == "port" {
            *kept = format!("{kept} {value}");
        }
    }
    settings
}

/// The settings that decide; others, where keys and users are named, are nobody's business.
const DECIDING: [&str; 7] = [
    "port",
    "permitrootlogin",
    "passwordauthentication",
    "kbdinteractiveauthentication",
    // What OpenSSH called it before 8.7.
    "challengeresponseauthentication",
    "pubkeyauthentication",
    "authenticationmethods",
];

/// Whether somebody gets in with a password alone: by the setting, and by the ways of `AuthenticationMethods`, one of which
/// has to be gone to its end.
fn takes_passwords(settings: &BTreeMap<String, String>) -> bool {
    let is_on = |name: &str| settings.get(name).is_none_or(|value| value != "no");
    let password = is_on("passwordauthentication");
    let interactive = match settings.get("challengeresponseauthentication") {
        Some(value) if !settings.contains_key("kbdinteractiveauthentication") => value != "no",
        _ => is_on("kbdinteractiveauthentication"),
    };
    let methods = settings.get("authenticationmethods").map_or("any", String::as_str);
    if methods == "any" {
        return password || interactive;
    }
    let is_taken = |method: &str| match method.split(':').next() {
        Some("password") => password,
        Some("keyboard-interactive") => interactive,
        _ => false,
    };
    methods.split_ascii_whitespace().any(|way| way.split(',').all(is_taken))
}

/// Whether root gets in with a password, as far as `PermitRootLogin` says.
fn takes_root(settings: &BTreeMap<String, String>) -> bool {
    settings.get("permitrootlogin").is_some_and(|value| value == "yes")
}
