//! FW-08: SSH takes keys alone, and no root with a password.

use super::super::super::seen::Seen;
use super::super::super::verdict::{Cause, Known, Unknown, Verdict};
use super::{MATCH, Ssh, takes_passwords, takes_root};

/// What is written to close it; a drop-in whose name sorts first is read before all others.
const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-vitrin.conf";

/// Judges it. By the facts where root has looked, since they are what `sshd` itself makes of its configuration.
///
/// A `Match` block that opens what is closed otherwise holds for some connections: for which is not worked out, and so the
/// result is not known. One that closes something closes it for some, and counts for nothing.
pub(in crate::collectors::security::system) fn judge(seen: &Seen) -> Verdict {
    decide(seen).into()
}

fn decide(seen: &Seen) -> Known<Verdict> {
    let ssh = seen.system.ssh.as_ref().map_err(Clone::clone)?;
    if let Some(reason) = absent(seen, ssh)? {
        return Ok(Verdict::not_applicable(reason));
    }
    let (settings, loosened, places) = match (&seen.facts, &ssh.configured) {
        (Ok(facts), configured) if facts.sshd.is_ok() => {
            let settings = facts.sshd.clone()?;
            let loosened = settings.get(MATCH).cloned();
            (settings, loosened, configured.as_ref().ok())
        }
        (_, Ok(configured)) => {
            let loosened = configured.loosened();
            (configured.plain(), (!loosened.is_empty()).then(|| loosened.join("; ")), Some(configured))
        }
        (Ok(_), Err(unknown)) => return Err(unknown.clone()),
        // What root has seen would tell.
        (Err(facts), Err(unknown)) => {
            return Err(Unknown::new(unknown.cause, format!("{}; {}", unknown.why, facts.why)));
        }
    };
    let value = |name: &str| {
        let value = settings.get(name).map_or("its default", String::as_str);
        let place = places.and_then(|places| places.settings.get(name)).filter(|known| known.value == value);
        match place.map(|known| known.place.as_str()) {
            None | Some("") => format!("{name} {value}"),
            Some(place) => format!("{name} {value} ({place})"),
        }
    };
    if !settings.contains_key("permitrootlogin") {
        return Err(Unknown::new(Cause::Unparsable, "sshd -T says nothing of permitrootlogin"));
    }
    let said = ["permitrootlogin", "passwordauthentication", "kbdinteractiveauthentication", "authenticationmethods"]
        .map(value)
        .join(", ");
    if let Some(loosened) = loosened {
        let why = format!("{said}; but a Match block has {loosened}, and whom it is for is not worked out");
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    let (root, passwords) = (takes_root(&settings), takes_passwords(&settings));
    let mut fix = format!("# {DROP_IN}\n");
    if passwords {
        fix += "PasswordAuthentication no\nKbdInteractiveAuthentication no\n";
    }
    if root {
        fix += "PermitRootLogin prohibit-password\n";
    }
    fix += "# then: sshd -t && systemctl reload ssh";
    Ok(match (root, passwords) {
        (false, false) => Verdict::pass(said),
        (true, true) => Verdict::fail(said, fix),
        _ => Verdict::partial(said, fix),
    })
}

/// Why there is no SSH to judge: none that is reachable from another machine, as the sockets show, and nothing in sight
/// that could listen at a port which is not known.
fn absent(seen: &Seen, ssh: &Ssh) -> Known<Option<String>> {
    let listeners = seen.listeners.as_ref().map_err(Clone::clone)?;
    let facts = seen.facts.as_ref().ok().and_then(|facts| facts.sshd.as_ref().ok());
    let mut ports: Vec<u16> = ssh.configured.as_ref().map(|configured| configured.ports.clone()).unwrap_or_default();
    let said = facts.and_then(|settings| settings.get("port")).map_or("", String::as_str);
    ports.extend(said.split_ascii_whitespace().filter_map(|port| port.parse::<u16>().ok()));
    if ports.is_empty() {
        ports.push(22);
    }
    ports.sort_unstable();
    ports.dedup();
    let at = || listeners.iter().filter(|listener| ports.contains(&listener.port));
    if at().any(|listener| !listener.ip.is_loopback()) {
        return Ok(None);
    }
    let shown = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    if at().next().is_some() {
        return Ok(Some(format!("SSH is taken on the loopback alone (port {shown})")));
    }
    if ssh.hides_processes {
        return Err(Unknown::new(Cause::Permission, "nobody listens at SSH's port, and processes are hidden"));
    }
    if let Some(server) = ssh.servers.first() {
        let why = format!("{server} runs, and nobody listens at port {shown}, which sshd_config has");
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    Ok(Some(format!("nobody listens at SSH's port ({shown}), and no SSH server runs")))
}
