//! Rules as far as they decide about the first packet of a TCP connection from outside.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::ranges::{Range, Version};

/// Where a set of sources stands that is not one of the named: addresses that are turned away, nobody's business.
pub(super) const BANNED: usize = 0;

/// A chain of rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chain {
    /// Whose packets: its table's family.
    pub(super) family: Family,
    /// Its table.
    pub(super) table: String,
    /// Its name.
    pub(super) name: String,
    /// Where packets come into it by themselves; `None` when only other chains lead to it.
    pub(super) base: Option<Base>,
    /// What it does with them.
    pub(super) rules: Vec<Rule>,
}

/// A family of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Family {
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// Both.
    Inet,
    /// All that comes in by an interface.
    Netdev,
}

impl Family {
    /// The family that nft calls so; bridges and ARP are not looked at.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "ip" => Some(Self::Ip),
            "ip6" => Some(Self::Ip6),
            "inet" => Some(Self::Inet),
            "netdev" => Some(Self::Netdev),
            _ => None,
        }
    }

    /// Whether its tables see packets of this version.
    pub(super) const fn sees(self, version: Version) -> bool {
        !matches!((self, version), (Self::Ip, Version::V6) | (Self::Ip6, Version::V4))
    }
}

/// A hook of the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Base {
    /// Which.
    pub(super) hook: Hook,
    /// Whether it is of the type `nat`, whose first mapping holds.
    pub(super) maps: bool,
    /// The lowest comes first.
    pub(super) priority: i64,
    /// Whether what comes to its end is dropped.
    pub(super) drops: bool,
    /// The interfaces whose packets it sees; empty is all of them.
    pub(super) devices: Vec<String>,
}

/// Where on the way of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Hook {
    /// As it comes from the interface.
    Ingress,
    /// Before it is decided whom it is for.
    Prerouting,
    /// For this machine.
    Input,
    /// For another.
    Forward,
}

/// What holds for a packet, and what then becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rule {
    /// All of them must hold.
    pub(super) tests: Vec<Test>,
    /// What then becomes of it.
    pub(super) action: Action,
}

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    /// It may pass this base chain.
    Accept,
    /// It ends here: dropped or rejected.
    Drop,
    /// It goes back to where the chain was called from.
    Return,
    /// It goes through another chain and comes back.
    Jump(usize),
    /// It goes through another chain, and from there back to where this one was called from.
    Goto(usize),
    /// It is sent somewhere else.
    Redirect(Target),
    /// Something is done with it that is not understood: a program decides, or it never comes back.
    Unknown,
}

/// Where a packet is sent to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Target {
    /// Another address; `None` is this machine.
    pub(super) address: Option<IpAddr>,
    /// Another port.
    pub(super) port: Option<u16>,
}

/// What a rule asks of a packet that is not certain beforehand. What certainly holds for the first packet of a TCP
/// connection is left out, and rules that certainly do not hold for it are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Test {
    /// What it asks.
    pub(super) of: Of,
    /// Whether the opposite must hold.
    pub(super) not: bool,
}

/// What a rule asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Of {
    /// Whether it is of this version.
    Version(Version),
    /// Whether its destination port, as it is now, is in one of these ranges.
    Port(Vec<(u16, u16)>),
    /// The same of the port that it was sent to.
    OriginalPort(Vec<(u16, u16)>),
    /// Whether it comes in by one of these interfaces; `*` at the end stands for any end.
    In(Vec<String>),
    /// Whether it goes out by one of these.
    Out(Vec<String>),
    /// Whether it comes from one of these sources.
    Source(usize),
    /// Whether it goes to one of these addresses.
    Destination(Vec<Range>),
    /// Whether its destination is an address of this machine.
    Local,
    /// Whether it has been sent somewhere else than its sender wanted.
    Redirected,
    /// Something that its sender may choose, such as the port it comes from.
    Sender,
    /// Something that is not understood, or not to be foreseen.
    Unknown,
}

/// Sources that rules ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sources {
    /// The set's name, where it has one.
    pub(super) name: Option<String>,
    /// How many entries it has; `None` where that cannot be seen.
    pub(super) count: Option<u64>,
    /// Whether it holds all of IPv4, and all of IPv6.
    pub(super) everything: (bool, bool),
    /// Whose packets it can match.
    pub(super) versions: (bool, bool),
    /// The networks, in order and without overlap, where they are let in; `None` where that cannot be seen, and where
    /// they are turned away: who is banned is nobody's business.
    pub(super) networks: Option<Vec<Range>>,
}

impl Sources {
    /// These networks.
    pub(super) fn of(name: Option<String>, ranges: Vec<Range>, entries: u64) -> Self {
        let networks = super::ranges::merged(ranges);
        let everything = |version| super::ranges::is_everything(&networks, version);
        let any = |version| networks.iter().any(|range| range.version() == version);
        Self {
            name,
            count: Some(entries),
            everything: (everything(Version::V4), everything(Version::V6)),
            versions: (any(Version::V4), any(Version::V6)),
            networks: Some(networks),
        }
    }

    /// Sources whose addresses cannot be seen.
    pub(super) fn unseen(name: Option<String>) -> Self {
        Self { name, count: None, everything: (false, false), versions: (true, true), networks: None }
    }

    /// Whether it is no list of clients, one by one, but a country's networks, or somebody's published list.
    pub(super) fn is_long(&self) -> bool {
        self.count.is_some_and(|count| count >= 100)
    }

    /// Whether its name is that of a list of clients who are banned: fail2ban's, or CrowdSec's.
    pub(super) fn is_of_bans(&self) -> bool {
        self.name.as_deref().is_some_and(is_name_of_bans)
    }

    /// Whether it holds all addresses of a version.
    pub(super) const fn is_everything(&self, version: Version) -> bool {
        match version {
            Version::V4 => self.everything.0,
            Version::V6 => self.everything.1,
        }
    }

    /// Whether it can hold an address of a version.
    pub(super) const fn may_hold(&self, version: Version) -> bool {
        match version {
            Version::V4 => self.versions.0,
            Version::V6 => self.versions.1,
        }
    }
}

/// Whether a chain or a set is called as fail2ban and CrowdSec call theirs.
pub(super) fn is_name_of_bans(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["f2b-", "fail2ban-", "addr-set-", "addr6-set-", "crowdsec"].iter().any(|start| name.starts_with(start))
}
