//! DD-07: bans reach the way of the packets.

use super::list;
use super::place::rules;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cause, Unknown, Verdict};

/// How long ago a bouncer may have asked for decisions, in seconds: they do so every ten, unless they are told otherwise.
const ASKED: i64 = 300;

/// CrowdSec's bouncers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bouncer {
    /// One asks: when it was last seen to, in seconds before now.
    Asks(i64),
    /// There was one look at CrowdSec, and it takes two.
    Unseen,
    /// None is seen to ask.
    None,
}

impl Bouncer {
    fn told(self) -> String {
        match self {
            Self::Asks(ago) => format!("a bouncer asked CrowdSec for decisions {ago} seconds ago"),
            Self::Unseen | Self::None => "no bouncer is seen to ask CrowdSec for decisions".to_owned(),
        }
    }
}

fn bouncer(seen: &Seen) -> Bouncer {
    let Ok(Some(crowdsec)) = &seen.system.crowdsec else { return Bouncer::None };
    let ago = crowdsec.bouncer.map(|rose| seen.now.saturating_sub(rose).max(0));
    match ago {
        Some(ago) if ago <= ASKED => Bouncer::Asks(ago),
        None if !crowdsec.was_seen => Bouncer::Unseen,
        _ => Bouncer::None,
    }
}

fn is_crowdsecs(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("crowdsec")
}

/// Judges it: a chain or a list of fail2ban's or CrowdSec's counts when packets to a port that is open on purpose really
/// come to it. One that stands behind the rule that accepts them, or in `input` while the port is sent on to a container,
/// bans nobody.
///
/// CrowdSec carries out no ban itself: its bouncers ask it for decisions. One that was seen to ask within five minutes
/// counts like a list that packets come to, if the rules do not say otherwise: the firewall's bouncer makes its lists as it
/// starts, so that where the rules are known and hold none, the one that asks refuses within a web server.
///
/// fail2ban makes its chains with the first ban: before, it is not known what it would do.
pub(super) fn judge(seen: &Seen) -> Verdict {
    let bouncer = bouncer(seen);
    let (ruleset, routing) = match rules(seen) {
        Ok(found) => found,
        Err(_) if matches!(bouncer, Bouncer::Asks(_)) => return Verdict::pass(bouncer.told()),
        Err(unknown) => return unknown.into(),
    };
    let mut ports = seen.config.allowed_ports.clone();
    ports.extend([22, 80, 443]);
    ports.sort_unstable();
    ports.dedup();
    let (reached, all) = ruleset.bans(&routing, &ports);
    if !reached.is_empty() {
        let names: Vec<_> = reached.into_iter().collect();
        return Verdict::pass(format!("packets from outside come to {}", list(&names)));
    }
    if matches!(bouncer, Bouncer::Asks(_)) && !all.iter().any(|name| is_crowdsecs(name)) {
        let told =
            format!("{}, and the firewall has no list of its own for it: what bans is a web server", bouncer.told());
        return Verdict::partial(told, "apt-get install crowdsec-firewall-bouncer-nftables");
    }
    let fix = "banaction = nftables-multiport  # below [DEFAULT] in /etc/fail2ban/jail.local; \
               for CrowdSec: apt-get install crowdsec-firewall-bouncer-nftables";
    if !all.is_empty() {
        let names: Vec<_> = all.into_iter().collect();
        return Verdict::fail(format!("bans are recorded, and no packet comes to them: {}", list(&names)), fix);
    }
    if bouncer == Bouncer::Unseen {
        let why = "whether a bouncer asks CrowdSec for decisions takes a second look, which the next round is";
        return Unknown::new(Cause::Stale, why).into();
    }
    let jails = match seen.facts.as_ref().and_then(|facts| facts.jails.as_ref()) {
        Ok(jails) => jails,
        Err(unknown) => return unknown.into(),
    };
    let banned: u64 = jails.iter().map(|jail| jail.banned).sum();
    match (jails.len(), banned) {
        (0, _) => Verdict::fail("nothing that bans is in the firewall, and fail2ban has no jail", fix),
        (_, 0) => Unknown::new(
            Cause::Unsupported,
            "fail2ban has banned nobody since it started, and makes its rules with the first ban",
        )
        .into(),
        (_, banned) => {
            Verdict::fail(format!("fail2ban has banned {banned}, and no rule of the firewall knows of it"), fix)
        }
    }
}
