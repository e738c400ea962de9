//! Puts rules together, whichever tool printed them.

use std::collections::HashMap;

use super::ranges::{Range, Version, merged};
use super::rules::{Action, BANNED, Base, Chain, Family, Of, Rule, Sources, Test};

/// The most rules that one rule is taken apart into.
pub(super) const ALTERNATIVES: usize = 4_096;

/// What must hold: all of the tests of one of the alternatives. Without an alternative it never holds; an alternative
/// without a test always does.
pub(super) type Condition = Vec<Vec<Test>>;

/// Holds for every such packet, or for none.
pub(super) fn certain(holds: bool) -> Condition {
    if holds { vec![Vec::new()] } else { Vec::new() }
}

/// Depends on the packet.
pub(super) fn test(of: Of, not: bool) -> Condition {
    vec![vec![Test { of, not }]]
}

/// Nobody knows.
pub(super) fn unknown() -> Condition {
    test(Of::Unknown, false)
}

/// The sender decides.
pub(super) fn sender() -> Condition {
    test(Of::Sender, false)
}

/// Both hold.
pub(super) fn both(one: &Condition, other: &Condition) -> Condition {
    if one.len().saturating_mul(other.len()) > ALTERNATIVES {
        return unknown();
    }
    one.iter().flat_map(|tests| other.iter().map(|more| [&tests[..], more].concat())).collect()
}

/// The destination port is in one of these ranges.
pub(super) fn ports(ranges: Vec<(u16, u16)>, not: bool) -> Condition {
    if ranges.is_empty() { certain(not) } else { test(Of::Port(ranges), not) }
}

/// A connection's state is one of these, by their names in either tool: it is new.
pub(super) fn state<'a>(mut names: impl Iterator<Item = &'a str>, not: bool, untracked: bool) -> Condition {
    let mut redirected = false;
    let is_new = names.any(|name| {
        redirected |= name.eq_ignore_ascii_case("dnat");
        name.eq_ignore_ascii_case("new")
    });
    match (is_new, redirected) {
        _ if untracked => unknown(),
        (true, _) => certain(!not),
        (false, true) => test(Of::Redirected, not),
        (false, false) => certain(not),
    }
}

/// Its flags, of which only SYN is set, are these within a mask.
pub(super) fn flags<'a>(mask: impl IntoIterator<Item = &'a str>, wanted: &[&str], not: bool) -> Condition {
    let is_syn = |flag: &str| flag.eq_ignore_ascii_case("syn");
    let asked = mask.into_iter().any(|flag| is_syn(flag) || flag.eq_ignore_ascii_case("all"));
    let is_wanted = wanted.iter().any(|flag| is_syn(flag));
    let others = wanted.iter().any(|flag| !is_syn(flag) && !flag.eq_ignore_ascii_case("none"));
    certain((asked == is_wanted && !others) != not)
}

/// Rules in the making.
pub(super) struct Builder {
    /// The chains, by which rules name them.
    pub(super) chains: Vec<Chain>,
    /// The sources, by which tests name them.
    pub(super) sources: Vec<Sources>,
    /// Whether some connections are not tracked, so that a new one need not be `new`.
    pub(super) untracked: bool,
    places: HashMap<(Family, String, String), usize>,
    named: HashMap<(Family, String, String), usize>,
    unnamed: HashMap<Vec<Range>, usize>,
}

impl Builder {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            chains: Vec::new(),
            sources: vec![Sources::unseen(None)],
            untracked: false,
            places: HashMap::new(),
            named: HashMap::new(),
            unnamed: HashMap::new(),
        }
    }

    /// The chain of this name; it is made where there is none.
    pub(super) fn chain(&mut self, family: Family, table: &str, name: &str) -> usize {
        let chains = &mut self.chains;
        *self.places.entry((family, table.to_owned(), name.to_owned())).or_insert_with(|| {
            let (table, name) = (table.to_owned(), name.to_owned());
            chains.push(Chain { family, table, name, base: None, rules: Vec::new() });
            chains.len() - 1
        })
    }

    /// The chain of this name, where there is one.
    pub(super) fn find(&self, family: Family, table: &str, name: &str) -> Option<usize> {
        self.places.get(&(family, table.to_owned(), name.to_owned())).copied()
    }

    /// Packets come into a chain by themselves.
    pub(super) fn hook(&mut self, chain: usize, base: Base) {
        self.chains[chain].base = Some(base);
    }

    /// Whether a table has a chain.
    pub(super) fn has_table(&self, family: Family, table: &str) -> bool {
        self.chains.iter().any(|chain| chain.family == family && chain.table == table)
    }

    /// A packet comes from one of these addresses.
    pub(super) fn source(&mut self, ranges: Vec<Range>, not: bool) -> Condition {
        if ranges.is_empty() {
            return certain(not);
        }
        let count = ranges.len() as u64;
        let ranges = merged(ranges);
        let sources = &mut self.sources;
        let set = *self.unnamed.entry(ranges).or_insert_with_key(|ranges| {
            sources.push(Sources::of(None, ranges.clone(), count));
            sources.len() - 1
        });
        test(Of::Source(set), not)
    }

    /// A packet comes from an address in the set of this name.
    pub(super) fn named_source(
        &mut self,
        (family, table, name): (Family, &str, &str),
        not: bool,
        made: impl FnOnce() -> Sources,
    ) -> Condition {
        let sources = &mut self.sources;
        let place = (family, table.to_owned(), name.to_owned());
        let set = *self.named.entry(place).or_insert_with(|| {
            sources.push(made());
            sources.len() - 1
        });
        test(Of::Source(set), not)
    }

    /// Adds a rule to a chain, as many times as it has alternatives.
    pub(super) fn rule(&mut self, chain: usize, condition: &Condition, action: &Action) {
        for tests in condition {
            let tests = tests.iter().map(|test| self.without_the_banned(test, action)).collect();
            let rule = Rule { tests, action: action.clone() };
            let rules = &mut self.chains[chain].rules;
            // A thousand rules for a thousand banned are one.
            if rules.last() != Some(&rule) {
                rules.push(rule);
            }
        }
    }

    fn without_the_banned(&self, test: &Test, action: &Action) -> Test {
        match test.of {
            Of::Source(set) if *action == Action::Drop && !test.not => {
                let sources = &self.sources[set];
                let is_everything = Version::ALL.into_iter().any(|version| sources.is_everything(version));
                let keeps = sources.name.is_some() || is_everything || sources.is_long();
                Test { of: Of::Source(if keeps { set } else { BANNED }), not: false }
            }
            _ => test.clone(),
        }
    }
}
