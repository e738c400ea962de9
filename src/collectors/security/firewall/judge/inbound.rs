//! FW-01 and FW-02: what comes in is refused unless it is allowed.

use super::place::{Place, rules};
use super::{counted, list};
use crate::collectors::security::firewall::Ruleset;
use crate::collectors::security::firewall::admission::{Admission, Knock, Share};
use crate::collectors::security::firewall::ranges::Version;
use crate::collectors::security::firewall::routing::Routing;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Known, Verdict};

/// How many ports there are.
const PORTS: u32 = 65_535;

/// FW-01.
pub(super) fn v4(seen: &Seen) -> Verdict {
    judge(seen, Version::V4)
}

/// FW-02.
pub(super) fn v6(seen: &Seen) -> Verdict {
    match &seen.has_public_ipv6 {
        Ok(true) => judge(seen, Version::V6),
        Ok(false) => Verdict::not_applicable("no interface has a global address of IPv6 (/proc/net/if_inet6)"),
        Err(unknown) => unknown.into(),
    }
}

/// Whether strangers are refused at most ports: by a policy, or by a last rule, whichever really comes into effect.
///
/// Ports that rules open one by one, or in ranges such as FTP's, are no less than half of them; a policy `drop` behind
/// a rule that accepts everything refuses nobody.
fn judge(seen: &Seen, version: Version) -> Verdict {
    let (ruleset, routing) = match rules(seen) {
        Ok(found) => found,
        Err(unknown) => return unknown.into(),
    };
    let share = ruleset.share(&routing, version);
    let Share { open, closed, unknown } = share;
    let name = version.as_str();
    if closed > PORTS / 2 {
        let open = if open == 0 { "none".to_owned() } else { counted(open as usize, "port", "ports") };
        return Verdict::pass(format!(
            "by {name} strangers are refused at {closed} of {PORTS} ports, and let in at {open}"
        ));
    }
    if unknown > 0 && closed + unknown > PORTS / 2 {
        let knock = Knock { version, port: unnamed(ruleset, &routing, version), destination: None };
        return Verdict::from(ruleset.admits(&routing, knock).map(|_| {
            Verdict::fail(format!("by {name} strangers are let in at {open} of {PORTS} ports"), fix(seen, ruleset))
        }));
    }
    let what = if ruleset.has_input() {
        "the rules that are loaded let"
    } else {
        "no rule looks at what comes in, which lets"
    };
    let open = format!("by {name}, {what} strangers in at {open} of {PORTS} ports");
    if closed == 0 {
        return Verdict::fail(open, fix(seen, ruleset));
    }
    match unwanted(seen, (ruleset, &routing), version) {
        Err(unknown) => unknown.into(),
        Ok((dropped, let_in)) if let_in.is_empty() && !dropped.is_empty() => Verdict::partial(
            format!("{open}, though not where somebody listens who is not to be reached: {}", list(&dropped)),
            fix(seen, ruleset),
        ),
        Ok(_) => Verdict::fail(open, fix(seen, ruleset)),
    }
}

/// A port of which it is not known what becomes of strangers.
fn unnamed(ruleset: &Ruleset, routing: &Routing, version: Version) -> u16 {
    let is_unknown = |port: &u16| ruleset.admits(routing, Knock { version, port: *port, destination: None }).is_err();
    ruleset.port_starts(usize::MAX).into_iter().find(is_unknown).unwrap_or(1)
}

/// The listeners that are not meant to be reached from outside: those that the firewall refuses strangers at, and those
/// that it does not.
fn unwanted(seen: &Seen, rules: (&Ruleset, &Routing), version: Version) -> Known<(Vec<String>, Vec<String>)> {
    let listeners = seen.listeners.as_ref().map_err(Clone::clone)?;
    let (mut dropped, mut let_in) = (Vec::new(), Vec::new());
    for listener in listeners.iter().filter(|listener| !seen.config.allowed_ports.contains(&listener.port)) {
        let Some(mut place) = Place::of(listener, seen) else { continue };
        place.versions.retain(|own| *own == version);
        if place.versions.is_empty() {
            continue;
        }
        match place.admits(rules)? {
            Admission::Anybody => let_in.push(place.name),
            Admission::Only(_) | Admission::Nobody => dropped.push(place.name),
        }
    }
    Ok((dropped, let_in))
}

/// What makes the firewall that is there refuse.
fn fix(seen: &Seen, ruleset: &Ruleset) -> String {
    let ports: Vec<_> = seen.config.allowed_ports.iter().map(u16::to_string).collect();
    if ruleset.has_chain("ufw-user-input") {
        return "ufw default deny incoming".to_owned();
    }
    if ruleset.has_table("firewalld") {
        return "firewall-cmd --permanent --zone=public --set-target=default\nfirewall-cmd --set-default-zone=public\n\
                firewall-cmd --reload"
            .to_owned();
    }
    format!(
        "nft add table inet vitrin\n\
         nft 'add chain inet vitrin input {{ type filter hook input priority 10; policy accept; }}'\n\
         nft add rule inet vitrin input ct state established,related accept\n\
         nft add rule inet vitrin input iif lo accept\n\
         nft 'add rule inet vitrin input meta l4proto {{ icmp, ipv6-icmp }} accept'\n\
         nft 'add rule inet vitrin input tcp dport {{ {} }} accept'\n\
         nft 'add chain inet vitrin input {{ type filter hook input priority 10; policy drop; }}'",
        ports.join(", ")
    )
}
