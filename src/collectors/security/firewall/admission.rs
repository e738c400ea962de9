//! Who gets in: what rules make of packets from anybody, and from those that rules name.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Ruleset;
use super::ranges::{Range, Relation, Version, is_a_good_part, merged, relation};
use super::routing::Routing;
use super::rules::{Action, BANNED, Hook, Of, Rule, Sources, Target, is_name_of_bans};
use super::walk::{Fate, Origin, Packet, Walk};
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// The most ports, interfaces and rules that are looked at to learn which sources are let in anywhere.
const INTERFACES: usize = 16;
const PORTS: usize = 2_048;
const STEPS: usize = 50_000_000;

/// Somebody knocks at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Knock {
    /// By IPv4 or IPv6.
    pub(crate) version: Version,
    /// At which port.
    pub(crate) port: u16,
    /// At which address; `None` is any that this machine has.
    pub(crate) destination: Option<IpAddr>,
}

/// Who is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Anybody.
    Anybody,
    /// Only those that are listed.
    Only(Listed),
    /// Nobody.
    Nobody,
}

/// Who is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Their networks, as far as they can be seen, in order.
    pub(crate) networks: Vec<Range>,
    /// The names of lists whose contents cannot be seen.
    pub(crate) unseen: Vec<String>,
}

/// How many of the ports are open to anybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// To anybody.
    pub(crate) open: u32,
    /// To nobody, or to some.
    pub(crate) closed: u32,
    /// Who knows.
    pub(crate) unknown: u32,
}

/// A port that is sent on to another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    /// The ports; all of them where none is named.
    pub(crate) ports: (u16, u16),
    /// The address that it is published at; `None` is each.
    pub(crate) at: Option<IpAddr>,
    /// The version.
    pub(crate) version: Version,
    /// The port that it is sent on to, where it is another.
    pub(crate) to: Option<u16>,
}

impl Ruleset {
    /// Who is let in. Where some of the machine's interfaces let in more than others, that counts.
    pub(crate) fn admits(&self, routing: &Routing, knock: Knock) -> Known<Admission> {
        match self.fate(routing, Origin::Stranger, knock) {
            Fate { passes: true, drops: false } => Ok(Admission::Anybody),
            Fate { passes: true, drops: true } => Err(Unknown::new(
                Cause::Unsupported,
                format!(
                    "whether the firewall lets {} in at port {} hangs on a rule that is not understood",
                    knock.version.as_str(),
                    knock.port
                ),
            )),
            Fate { passes: false, .. } => Ok(self.listed(routing, knock)),
        }
    }

    /// Who is let in where anybody is not.
    fn listed(&self, routing: &Routing, knock: Knock) -> Admission {
        let mut listed = Listed::default();
        let fates = self
            .may_be_let_in(knock.version)
            .map(|(set, sources)| (sources, self.fate(routing, Origin::Member(set), knock)));
        let (certain, uncertain): (Vec<_>, Vec<_>) =
            fates.filter(|(_, fate)| fate.passes).partition(|(_, fate)| !fate.drops);
        let any = !certain.is_empty() || !uncertain.is_empty();
        let networks = |sources: &Sources| sources.networks.clone().unwrap_or_default();
        let known = merged(certain.iter().flat_map(|(sources, _)| networks(sources)).collect());
        // Of a set that only partly gets in, that part is often another set of its own.
        let is_told = |sources: &Sources| relation(&networks(sources), &known, knock.version) == Relation::Overlapping;
        let told = uncertain.into_iter().filter(|(sources, _)| !is_told(sources));
        for (sources, _) in certain.iter().copied().chain(told) {
            match &sources.networks {
                Some(networks) => {
                    listed.networks.extend(networks.iter().filter(|range| range.version() == knock.version));
                }
                None => listed.unseen.push(sources.name.clone().unwrap_or_else(|| "a list".to_owned())),
            }
        }
        listed.networks = merged(listed.networks);
        listed.unseen.sort_unstable();
        listed.unseen.dedup();
        match any {
            true if is_a_good_part(&listed.networks, knock.version) => Admission::Anybody,
            true => Admission::Only(listed),
            false => Admission::Nobody,
        }
    }

    fn may_be_let_in(&self, version: Version) -> impl Iterator<Item = (usize, &Sources)> {
        self.sources.iter().enumerate().filter(move |(set, sources)| {
            *set != BANNED && sources.may_hold(version) && !sources.is_everything(version)
        })
    }

    fn fate(&self, routing: &Routing, origin: Origin, knock: Knock) -> Fate {
        self.walked(routing, origin, knock, |_| {})
    }

    fn walked(&self, routing: &Routing, origin: Origin, knock: Knock, mut seen: impl FnMut(&Walk<'_>)) -> Fate {
        let uplinks = routing.uplinks();
        let uplinks = if uplinks.is_empty() { vec![None] } else { uplinks.into_iter().map(Some).collect() };
        let mut fates = Vec::new();
        for uplink in uplinks {
            let mut walk = Walk::new((&self.chains, &self.sources), routing, origin, uplink);
            fates.push(walk.fate(packet(knock)));
            seen(&walk);
        }
        let is_open = fates.iter().any(|fate| fate.passes && !fate.drops);
        Fate { passes: fates.iter().any(|fate| fate.passes), drops: !is_open }
    }

    /// How many of all ports are open to anybody.
    pub(crate) fn share(&self, routing: &Routing, version: Version) -> Share {
        let mut share = Share::default();
        let starts = self.port_starts(PORTS);
        for (at, first) in starts.iter().enumerate() {
            let next = starts.get(at + 1).map_or(1 << 16, |next| u32::from(*next));
            let count = next - u32::from(*first);
            let knock = Knock { version, port: *first, destination: None };
            let counted = match self.fate(routing, Origin::Stranger, knock) {
                Fate { passes: true, drops: false } => &mut share.open,
                Fate { passes: true, drops: true } => &mut share.unknown,
                Fate { passes: false, .. } => &mut share.closed,
            };
            *counted += count;
        }
        share
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.chains.iter().flat_map(|chain| &chain.rules)
    }

    /// The ports from which on rules may say something else than of the port before.
    pub(super) fn port_starts(&self, most: usize) -> Vec<u16> {
        let mut starts: BTreeSet<u16> = [1].into();
        for test in self.rules().flat_map(|rule| &rule.tests) {
            if let Of::Port(ranges) | Of::OriginalPort(ranges) = &test.of {
                for (first, last) in ranges {
                    starts.insert((*first).max(1));
                    starts.extend(last.checked_add(1));
                }
            }
        }
        starts.into_iter().take(most).collect()
    }

    /// Whether rules look at what comes in at all.
    pub(super) fn has_input(&self) -> bool {
        self.chains.iter().any(|chain| chain.base.as_ref().is_some_and(|base| base.hook == Hook::Input))
    }

    /// Whether there is a chain of this name.
    pub(super) fn has_chain(&self, name: &str) -> bool {
        self.chains.iter().any(|chain| chain.name == name)
    }

    /// Whether there is a table of this name.
    pub(super) fn has_table(&self, name: &str) -> bool {
        self.chains.iter().any(|chain| chain.table == name)
    }

    /// The ports that are sent on to other places: those of containers, above all.
    pub(crate) fn published(&self) -> Vec<Published> {
        let mut published = Vec::new();
        for chain in &self.chains {
            let versions = Version::ALL.into_iter().filter(|version| chain.family.sees(*version));
            for (version, rule) in versions.flat_map(|version| chain.rules.iter().map(move |rule| (version, rule))) {
                let Action::Redirect(Target { port: to, .. }) = rule.action else { continue };
                let mut ranges = vec![(1, u16::MAX)];
                let mut at = None;
                for test in rule.tests.iter().filter(|test| !test.not) {
                    match &test.of {
                        Of::Port(named) => ranges.clone_from(named),
                        Of::Destination(to) => at = to.first().map(|range| range.first),
                        _ => {}
                    }
                }
                let is_of_version = at.is_none_or(|address| Version::of(address) == version);
                let is_outside = at.is_none_or(|address| !address.is_loopback());
                if is_of_version && is_outside {
                    published.extend(ranges.into_iter().map(|ports| Published { ports, at, version, to }));
                }
            }
        }
        published
    }

    /// The names of the chains and lists of bans that packets to a port come to, and those of all there are.
    pub(crate) fn bans(&self, routing: &Routing, ports: &[u16]) -> (BTreeSet<String>, BTreeSet<String>) {
        let mut reached = BTreeSet::new();
        for (version, port) in
            Version::ALL.into_iter().flat_map(|version| ports.iter().map(move |port| (version, *port)))
        {
            let knock = Knock { version, port, destination: None };
            self.walked(routing, Origin::Stranger, knock, |walk| {
                let chains = walk.visited.iter().map(|place| &self.chains[*place]);
                let chains = chains.filter(|chain| chain.base.is_none() && is_name_of_bans(&chain.name));
                reached.extend(chains.map(|chain| chain.name.clone()));
                let sets = walk.asked.iter().filter_map(|set| self.sources.get(*set));
                reached.extend(sets.filter(|sources| sources.is_of_bans()).filter_map(|sources| sources.name.clone()));
            });
        }
        let chains = self.chains.iter().filter(|chain| chain.base.is_none() && is_name_of_bans(&chain.name));
        let all = chains.map(|chain| chain.name.clone()).chain(self.ban_lists.iter().cloned());
        (reached, all.collect())
    }

    /// The long lists, no bans, that make a difference at a port: each with its name, and how many entries it has.
    pub(crate) fn countries(&self, routing: &Routing, knock: Knock) -> Vec<(String, Option<u64>)> {
        let stranger = self.fate(routing, Origin::Stranger, knock);
        let is_policy = |sources: &Sources| {
            let is_geoip = sources.name.as_deref().is_some_and(|name| name.starts_with("countries "));
            (sources.is_long() || is_geoip) && !sources.is_of_bans()
        };
        self.may_be_let_in(knock.version)
            .filter(|(_, sources)| is_policy(sources))
            .filter(|(set, _)| self.fate(routing, Origin::Member(*set), knock) != stranger)
            .map(|(_, sources)| (sources.name.clone().unwrap_or_else(|| "a list".to_owned()), sources.count))
            .collect()
    }

    /// Forgets the addresses of all but those who are let in somewhere where anybody is not.
    pub(super) fn forget_who_is_turned_away(&mut self) {
        let mut interfaces: BTreeSet<Option<String>> = [None].into();
        for test in self.rules().flat_map(|rule| &rule.tests) {
            if let Of::In(names) = &test.of {
                interfaces.extend(names.iter().map(|name| Some(name.replace('*', "0"))));
            }
        }
        let interfaces: Vec<_> = interfaces.into_iter().take(INTERFACES).collect();
        let sets = self.sources.len().saturating_mul(interfaces.len()).saturating_mul(2);
        let rules = self.rules().count().max(1);
        let ports = self.port_starts((STEPS / rules / sets.max(1)).clamp(1, PORTS));
        let routing = Routing::default();
        let mut kept: BTreeSet<usize> = BTreeSet::new();
        for interface in &interfaces {
            for (version, port) in
                Version::ALL.into_iter().flat_map(|version| ports.iter().map(move |port| (version, *port)))
            {
                let fate = |origin| {
                    let mut walk = Walk::new((&self.chains, &self.sources), &routing, origin, interface.as_deref());
                    walk.fate(packet(Knock { version, port, destination: None }))
                };
                let stranger = fate(Origin::Stranger);
                if stranger.drops {
                    let left = self.may_be_let_in(version).filter(|(set, _)| !kept.contains(set));
                    let found: Vec<_> = left
                        .filter(|(set, sources)| {
                            sources.networks.is_some() && {
                                let member = fate(Origin::Member(*set));
                                member.passes && member != stranger
                            }
                        })
                        .map(|(set, _)| set)
                        .collect();
                    kept.extend(found);
                }
            }
        }
        for (set, sources) in self.sources.iter_mut().enumerate() {
            if !kept.contains(&set) {
                sources.networks = None;
            }
        }
    }
}

fn packet(knock: Knock) -> Packet {
    let Knock { version, port, destination } = knock;
    Packet { version, port, original: port, destination, redirected: false }
}
