//! Places where connections are taken, and who is let in there.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use crate::collectors::security::firewall::Ruleset;
use crate::collectors::security::firewall::admission::{Admission, Knock, Listed, Published};
use crate::collectors::security::firewall::ranges::{Version, merged};
use crate::collectors::security::firewall::routing::Routing;
use crate::collectors::security::seen::{Listener, Seen};
use crate::collectors::security::verdict::{Known, Unknown};

/// A place where connections from other machines are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its address; `None` is each that the machine has.
    pub(super) ip: Option<IpAddr>,
    /// Its versions.
    pub(super) versions: Vec<Version>,
    /// Its port.
    pub(super) port: u16,
    /// What it is called in a sentence.
    pub(super) name: String,
    /// Whether it is another's, a container's above all, that connections are sent on to.
    pub(super) is_published: bool,
}

/// Whether nobody but the machine itself, or its neighbours on one cable, can reach a listener.
pub(super) fn is_out_of_reach(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip == Ipv6Addr::LOCALHOST || ip.is_unicast_link_local(),
    }
}

impl Place {
    /// The place of a listener; `None` when it is out of reach.
    pub(super) fn of(listener: &Listener, seen: &Seen) -> Option<Self> {
        let Listener { ip, port, user, account } = listener;
        if is_out_of_reach(*ip) {
            return None;
        }
        let mut versions = vec![Version::of(*ip)];
        if ip.is_unspecified() && ip.is_ipv6() {
            // `[::]` takes IPv4 as well, at Linux's default; whether it does is not to be seen.
            versions.insert(0, Version::V4);
        }
        // Nobody comes by a version that the machine has no address of.
        versions.retain(|version| *version == Version::V4 || seen.has_public_ipv6 != Ok(false));
        let owner = account.clone().unwrap_or_else(|| format!("user {user}"));
        let shown = match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        (!versions.is_empty()).then(|| Self {
            ip: Some(*ip).filter(|ip| !ip.is_unspecified()),
            versions,
            port: *port,
            name: format!("{shown}:{port} ({owner})"),
            is_published: false,
        })
    }

    /// The place where a port is sent on to another, for one of its ports.
    pub(super) fn published(published: &Published, port: u16) -> Self {
        let to = published.to.map_or_else(String::new, |to| format!(" to port {to}"));
        Self {
            ip: published.at,
            versions: vec![published.version],
            port,
            name: format!("port {port} (sent on{to})"),
            is_published: true,
        }
    }

    /// Who is let in there.
    pub(super) fn admits(&self, (ruleset, routing): (&Ruleset, &Routing)) -> Known<Admission> {
        let knock = |version| Knock { version, port: self.port, destination: self.ip };
        let all = self.versions.iter().map(|version| ruleset.admits(routing, knock(*version)));
        all.reduce(worse).unwrap_or(Ok(Admission::Nobody))
    }
}

/// The worse of two.
pub(super) fn worse(one: Known<Admission>, other: Known<Admission>) -> Known<Admission> {
    match (one, other) {
        (Ok(Admission::Anybody), _) | (_, Ok(Admission::Anybody)) => Ok(Admission::Anybody),
        (Err(unknown), _) | (_, Err(unknown)) => Err(unknown),
        (Ok(Admission::Only(one)), Ok(Admission::Only(other))) => Ok(Admission::Only(Listed {
            networks: merged([one.networks, other.networks].concat()),
            unseen: [one.unseen, other.unseen].concat(),
        })),
        (only @ Ok(Admission::Only(_)), Ok(Admission::Nobody)) | (Ok(Admission::Nobody), only) => only,
    }
}

/// The rules, and the machine's routes; where those are not known, packets may come in by any interface.
pub(super) fn rules(seen: &Seen) -> Result<(&Ruleset, Cow<'_, Routing>), &Unknown> {
    let ruleset = seen.facts.as_ref().and_then(|facts| facts.ruleset.as_ref())?;
    let routing = seen.routing.as_ref().map_or_else(|_| Cow::Owned(Routing::default()), Cow::Borrowed);
    Ok((ruleset, routing))
}

/// What bridges of containers' runtimes are called: Docker's, Podman's, CNI's, nerdctl's.
const BRIDGES: [&str; 5] = ["docker", "br-", "podman", "cni", "nerdctl"];

/// Why places may be missing where the rules are not known: a container's port can be published by a rule alone, and then
/// nobody listens at it here.
fn hidden(seen: &Seen, unknown: &Unknown) -> Option<Unknown> {
    let routing = match &seen.routing {
        Ok(routing) => routing,
        Err(routing) => {
            let why = format!("whether containers publish ports is not known: {}, and {}", unknown.why, routing.why);
            return Some(Unknown::new(unknown.cause, why));
        }
    };
    let is_bridge = |name: &&str| BRIDGES.iter().any(|bridge| name.starts_with(bridge));
    let bridge = routing.routes.iter().map(|(_, name)| name.as_str()).find(is_bridge)?;
    let why = format!("which ports the containers at {bridge} publish by rules is not known: {}", unknown.why);
    Some(Unknown::new(unknown.cause, why))
}

/// The places of listeners, and those where ports are sent on that nobody listens at here. Where none is seen, and
/// containers may have some that only the rules show, that is not none.
pub(super) fn places(
    seen: &Seen,
    is_meant: impl Fn(&Listener) -> bool,
    published_port: impl Fn(&Published) -> Option<u16>,
) -> Known<Vec<Place>> {
    let listeners = seen.listeners.as_ref().map_err(Clone::clone)?;
    let mut places: Vec<_> = listeners
        .iter()
        .filter(|listener| is_meant(listener))
        .filter_map(|listener| Place::of(listener, seen))
        .collect();
    let (ruleset, _) = match rules(seen) {
        Ok(rules) => rules,
        Err(unknown) => {
            let hidden = hidden(seen, unknown).filter(|_| places.is_empty());
            return hidden.map_or(Ok(places), Err);
        }
    };
    for published in ruleset.published() {
        let Some(port) = published_port(&published) else { continue };
        let is_used = published.version == Version::V4 || seen.has_public_ipv6 != Ok(false);
        let place = Place::published(&published, port);
        // Docker's proxy listens at the port, too.
        let is_known = places.iter().any(|known| known.port == port && known.versions.contains(&published.version));
        if is_used && !is_known {
            places.push(place);
        }
    }
    Ok(places)
}
