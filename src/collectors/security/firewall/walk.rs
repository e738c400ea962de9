//! The way of a packet through the hooks of the kernel.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::ranges::{Range, Relation, Version, is_everything, merged, relation};
use super::routing::Routing;
use super::rules::{Action, Chain, Hook, Of, Rule, Sources, Target, Test};

/// The deepest that chains lead into each other: nft itself allows 16.
const DEPTH: usize = 64;

/// The most ways that a packet may be redirected on, where it is not clear which it takes.
const WORLDS: usize = 32;

/// The first packet of a TCP connection, from a public address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Packet {
    /// IPv4 or IPv6.
    pub(super) version: Version,
    /// The port that it is for.
    pub(super) port: u16,
    /// The port that it was sent to.
    pub(super) original: u16,
    /// The address that it is for; `None` is any that this machine has.
    pub(super) destination: Option<IpAddr>,
    /// Whether it has been sent somewhere else than its sender wanted.
    pub(super) redirected: bool,
}

/// Where a packet comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Any public address that no rule names.
    Stranger,
    /// One of these sources.
    Member(usize),
}

/// What may become of a packet in a chain. Whoever sends it likes the later ones better.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// It ends.
    Dropped,
    /// It comes to the chain's end.
    Through,
    /// It may pass.
    Accepted,
    /// It is sent somewhere else.
    Redirected(Target),
}

type Outcomes = BTreeSet<Outcome>;

/// What is to be said of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    /// If the sender wants it to.
    AsWanted,
    /// Nobody knows.
    Perhaps,
}

impl Holds {
    const fn certain(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// The opposite, if that is asked.
    const fn negated(self, not: bool) -> Self {
        match self {
            Self::Yes if not => Self::No,
            Self::No if not => Self::Yes,
            same => same,
        }
    }
}

/// How a rule is taken, if it is: certainly, unless one of these holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Taken {
    /// Nobody knows.
    perhaps: bool,
    /// If the sender wants it to be.
    as_wanted: bool,
}

/// What may become of a packet at the end of its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fate {
    /// It may get through.
    pub(super) passes: bool,
    /// It may be dropped.
    pub(super) drops: bool,
}

/// Rules, and what is known of the machine that they are on.
pub(super) struct Walk<'a> {
    chains: &'a [Chain],
    sources: &'a [Sources],
    routing: &'a Routing,
    origin: Origin,
    /// The interface that it comes in by; `None` is any but the loopback.
    uplink: Option<&'a str>,
    /// What chains have made of the packet as it is now.
    known: HashMap<usize, Outcomes>,
    /// The chains that it is in.
    inside: Vec<usize>,
    /// The chains that it may come to.
    pub(super) visited: BTreeSet<usize>,
    /// The sources that rules ask for on its way.
    pub(super) asked: BTreeSet<usize>,
}

impl<'a> Walk<'a> {
    /// A walk that has not begun.
    pub(super) fn new(
        (chains, sources): (&'a [Chain], &'a [Sources]),
        routing: &'a Routing,
        origin: Origin,
        uplink: Option<&'a str>,
    ) -> Self {
        let (known, inside) = (HashMap::new(), Vec::new());
        let (visited, asked) = (BTreeSet::new(), BTreeSet::new());
        Self { chains, sources, routing, origin, uplink, known, inside, visited, asked }
    }

    /// What becomes of a packet.
    pub(super) fn fate(&mut self, packet: Packet) -> Fate {
        let mut fate = Fate::default();
        let mut worlds = vec![packet];
        for hook in [Hook::Ingress, Hook::Prerouting] {
            for base in self.bases(hook) {
                let maps = self.chains[base].base.as_ref().is_some_and(|base| base.maps);
                let mut next = Vec::new();
                for packet in worlds {
                    // The first mapping of a connection holds.
                    let outcomes =
                        if maps && packet.redirected { [Outcome::Accepted].into() } else { self.base(base, &packet) };
                    for outcome in outcomes {
                        match outcome {
                            Outcome::Dropped => fate.drops = true,
                            Outcome::Redirected(target) => next.push(redirected(&packet, &target)),
                            Outcome::Through | Outcome::Accepted => next.push(packet.clone()),
                        }
                    }
                }
                next.dedup();
                if next.len() > WORLDS {
                    return Fate { passes: true, drops: true };
                }
                worlds = next;
            }
        }
        for packet in worlds {
            let last = self.last(&packet);
            fate = Fate { passes: fate.passes || last.passes, drops: fate.drops || last.drops };
        }
        fate
    }

    /// What becomes of it where it is decided whether it may come in, or through.
    fn last(&mut self, packet: &Packet) -> Fate {
        let hook = if self.is_local(packet) { Hook::Input } else { Hook::Forward };
        let (mut passes, mut drops) = (true, false);
        for base in self.bases(hook) {
            let outcomes = self.base(base, packet);
            // A packet that one chain accepts is still looked at by the next.
            drops |= outcomes.contains(&Outcome::Dropped);
            passes &= outcomes.iter().any(|outcome| *outcome != Outcome::Dropped);
        }
        Fate { passes, drops }
    }

    /// Whether this machine itself is meant.
    fn is_local(&self, packet: &Packet) -> bool {
        !packet.redirected
            || packet.destination.is_none_or(|address| address.is_loopback() || self.routing.own.contains(&address))
    }

    /// The chains of a hook, in the order that packets come to them.
    fn bases(&self, hook: Hook) -> Vec<usize> {
        let base = |(place, chain): (usize, &Chain)| {
            chain.base.as_ref().filter(|base| base.hook == hook).map(|base| (base.priority, place))
        };
        let mut bases: Vec<_> = self.chains.iter().enumerate().filter_map(base).collect();
        bases.sort_unstable();
        bases.into_iter().map(|(_, place)| place).collect()
    }

    /// What a base chain makes of a packet: what comes to its end meets its policy.
    fn base(&mut self, place: usize, packet: &Packet) -> Outcomes {
        let chains = self.chains;
        let Some(base) = &chains[place].base else { return [Outcome::Accepted].into() };
        let sees = if chains[place].family.sees(packet.version) {
            if base.devices.is_empty() { Holds::Yes } else { self.comes_by(&base.devices) }
        } else {
            Holds::No
        };
        if sees == Holds::No {
            return [Outcome::Accepted].into();
        }
        self.known.clear();
        let mut outcomes = self.chain(place, packet);
        if outcomes.remove(&Outcome::Through) {
            outcomes.insert(if base.drops { Outcome::Dropped } else { Outcome::Accepted });
        }
        if sees != Holds::Yes {
            outcomes.insert(Outcome::Accepted);
        }
        outcomes
    }

    fn chain(&mut self, place: usize, packet: &Packet) -> Outcomes {
        if let Some(known) = self.known.get(&place) {
            return known.clone();
        }
        let anything = || [Outcome::Dropped, Outcome::Through, Outcome::Accepted].into();
        let chains = self.chains;
        let Some(chain) = chains.get(place) else { return anything() };
        if self.inside.len() >= DEPTH || self.inside.contains(&place) {
            return anything();
        }
        self.visited.insert(place);
        self.inside.push(place);
        let outcomes = self.rules(&chain.rules, packet);
        self.inside.pop();
        self.known.insert(place, outcomes.clone());
        outcomes
    }

    /// What rules make of a packet, one after the other, until it is certain.
    fn rules(&mut self, rules: &'a [Rule], packet: &Packet) -> Outcomes {
        let mut steps = Vec::new();
        for rule in rules {
            let taken = self.taken(&rule.tests, packet);
            self.note(&rule.tests, packet);
            let Some(taken) = taken else { continue };
            let done = self.action(&rule.action, packet);
            let is_last = taken == Taken::default() && !done.contains(&None);
            steps.push((taken, done));
            if is_last {
                break;
            }
        }
        let through: Outcomes = [Outcome::Through].into();
        steps.into_iter().rfold(through, |rest, (taken, done)| {
            let mut here: Outcomes = done.iter().flatten().cloned().collect();
            if done.contains(&None) {
                here.extend(rest.iter().cloned());
            }
            if taken.perhaps {
                here.extend(rest.iter().cloned());
            }
            if taken.as_wanted { better(here, rest) } else { here }
        })
    }

    /// How a rule with these tests is taken; `None` when it is not.
    fn taken(&self, tests: &[Test], packet: &Packet) -> Option<Taken> {
        let mut taken = Taken::default();
        for test in tests {
            match self.holds(test, packet) {
                Holds::Yes => {}
                Holds::No => return None,
                Holds::AsWanted => taken.as_wanted = true,
                Holds::Perhaps => taken.perhaps = true,
            }
        }
        Some(taken)
    }

    /// Notes the sources that are asked for by tests of which all others may hold.
    fn note(&mut self, tests: &[Test], packet: &Packet) {
        let source = |test: &Test| if let Of::Source(set) = test.of { Some(set) } else { None };
        if tests.iter().any(|test| source(test).is_some())
            && !tests.iter().any(|test| source(test).is_none() && self.holds(test, packet) == Holds::No)
        {
            self.asked.extend(tests.iter().filter_map(source));
        }
    }

    fn holds(&self, test: &Test, packet: &Packet) -> Holds {
        let any =
            |ranges: &[(u16, u16)], port: u16| ranges.iter().any(|(first, last)| (*first..=*last).contains(&port));
        let holds = match &test.of {
            Of::Version(version) => Holds::certain(*version == packet.version),
            Of::Port(ranges) => Holds::certain(any(ranges, packet.port)),
            Of::OriginalPort(ranges) => Holds::certain(any(ranges, packet.original)),
            Of::In(names) => self.comes_by(names),
            Of::Out(names) => self.goes_by(names, packet),
            Of::Source(set) => self.comes_from(*set, packet.version),
            Of::Destination(ranges) => self.goes_to(ranges, packet),
            Of::Local => Holds::certain(self.is_local(packet)),
            Of::Redirected => Holds::certain(packet.redirected),
            Of::Sender => Holds::AsWanted,
            Of::Unknown => Holds::Perhaps,
        };
        holds.negated(test.not)
    }

    /// It comes in by one of these interfaces.
    fn comes_by(&self, names: &[String]) -> Holds {
        match self.uplink {
            Some(uplink) => Holds::certain(names.iter().any(|name| is_named(uplink, name))),
            None if names.iter().all(|name| name == "lo") => Holds::No,
            None if names.iter().any(|name| name == "*") => Holds::Yes,
            None => Holds::AsWanted,
        }
    }

    /// It goes out by one of these interfaces.
    fn goes_by(&self, names: &[String], packet: &Packet) -> Holds {
        match packet.destination.and_then(|address| self.routing.towards(address)) {
            Some(interface) => Holds::certain(names.iter().any(|name| is_named(interface, name))),
            None => Holds::AsWanted,
        }
    }

    /// It comes from one of these sources.
    fn comes_from(&self, set: usize, version: Version) -> Holds {
        let Some(asked) = self.sources.get(set) else { return Holds::Perhaps };
        if asked.is_everything(version) {
            return Holds::Yes;
        }
        let Origin::Member(own) = self.origin else { return Holds::No };
        if own == set {
            return Holds::Yes;
        }
        let networks = |set: usize| self.sources.get(set).and_then(|sources| sources.networks.as_deref());
        match (networks(own), networks(set)) {
            (Some(own), Some(asked)) => match relation(own, asked, version) {
                Relation::Within => Holds::Yes,
                Relation::Apart => Holds::No,
                Relation::Overlapping => Holds::Perhaps,
            },
            // Who is let in is taken not to be banned.
            _ => Holds::No,
        }
    }

    /// It goes to one of these addresses.
    fn goes_to(&self, ranges: &[Range], packet: &Packet) -> Holds {
        let is_one = |address: IpAddr| ranges.iter().any(|range| range.contains(address));
        if let Some(address) = packet.destination {
            return Holds::certain(is_one(address));
        }
        let of_version = |address: &&IpAddr| Version::of(**address) == packet.version && !address.is_loopback();
        let own: Vec<_> = self.routing.own.iter().filter(of_version).collect();
        let count = own.iter().filter(|address| is_one(***address)).count();
        match count {
            0 if !own.is_empty() => Holds::No,
            all if all == own.len() && !own.is_empty() => Holds::Yes,
            0 if ranges.iter().all(|range| range.is_no_hosts() || range.version() != packet.version) => Holds::No,
            0 if is_everything(&merged(ranges.to_vec()), packet.version) => Holds::Yes,
            // One of the machine's addresses, perhaps: which one, the sender chooses.
            _ => Holds::AsWanted,
        }
    }

    /// What an action makes of a packet; `None` is that it comes to the next rule.
    fn action(&mut self, action: &Action, packet: &Packet) -> BTreeSet<Option<Outcome>> {
        match action {
            Action::Accept => [Some(Outcome::Accepted)].into(),
            Action::Drop => [Some(Outcome::Dropped)].into(),
            Action::Return => [Some(Outcome::Through)].into(),
            Action::Jump(chain) => {
                let outcomes = self.chain(*chain, packet);
                outcomes.into_iter().map(|outcome| (outcome != Outcome::Through).then_some(outcome)).collect()
            }
            Action::Goto(chain) => self.chain(*chain, packet).into_iter().map(Some).collect(),
            Action::Redirect(target) => [Some(Outcome::Redirected(target.clone()))].into(),
            Action::Unknown => [Some(Outcome::Accepted), Some(Outcome::Dropped)].into(),
        }
    }
}

/// The better for the sender of what it can choose between.
fn better(one: Outcomes, other: Outcomes) -> Outcomes {
    let is_redirect = |outcome: &Outcome| matches!(outcome, Outcome::Redirected(_));
    if one.iter().chain(&other).any(is_redirect) {
        // Which of two other places is the better is seen only there.
        return one.into_iter().chain(other).collect();
    }
    one.iter().flat_map(|one| other.iter().map(move |other| one.max(other).clone())).collect()
}

/// A packet that has been sent somewhere else.
fn redirected(packet: &Packet, target: &Target) -> Packet {
    Packet { port: target.port.unwrap_or(packet.port), destination: target.address, redirected: true, ..packet.clone() }
}

/// Whether an interface has a name; `*` at its end stands for any end.
fn is_named(interface: &str, name: &str) -> bool {
    match name.strip_suffix('*') {
        Some(start) => interface.starts_with(start),
        None => interface == name,
    }
}
