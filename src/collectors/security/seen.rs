//! What a round has seen of the machine and the shop: all that the evaluators judge, and they look at nothing else.
//!
//! Each part is made by its own folder, from files below a root or from a server's answers, and can be made in a test from
//! files that stand in for them.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::backends::{Cache, Database, Php, Pool};
use super::config::Config;
use super::facts::Facts;
use super::firewall::boot::AtBoot;
use super::firewall::routing::Routing;
use super::front::Front;
use super::outside::{Active, Encryption, Pages};
use super::shop::Shop;
use super::system::System;
use super::verdict::Known;
#[cfg(test)]
use super::verdict::{Cause, Unknown};
use crate::config::types::Address;

/// All that a round has seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// What the operator says.
    pub(crate) config: Config,
    /// When, in seconds since 1970.
    pub(crate) now: i64,
    /// Who takes TCP connections.
    pub(crate) listeners: Known<Vec<Listener>>,
    /// Whether the machine has an IPv6 address that the internet may know (`/proc/net/if_inet6`, scope 00).
    pub(crate) has_public_ipv6: Known<bool>,
    /// The machine's routes and own addresses.
    pub(crate) routing: Known<Routing>,
    /// What brings the firewall's rules back after a reboot.
    pub(crate) at_boot: Known<AtBoot>,
    /// The process or the socket by which Redis or Valkey shows that it is here; `None` where there is none.
    pub(crate) cache_in_sight: Known<Option<String>>,
    /// Where the configuration says that databases and caches are.
    pub(crate) servers: Servers,
    /// What root has seen: [`vitrin facts`](crate::cli).
    pub(crate) facts: Known<Facts>,
    /// nginx, by its configuration.
    pub(crate) front: Known<Front>,
    /// The shop's files.
    pub(crate) shop: Known<Shop>,
    /// PHP-FPM's pools, by their configuration.
    pub(crate) pools: Known<Vec<Pool>>,
    /// PHP, as FPM runs it.
    pub(crate) php: Known<Php>,
    /// MySQL or MariaDB.
    pub(crate) database: Known<Database>,
    /// Redis or Valkey.
    pub(crate) cache: Known<Cache>,
    /// Pages, as any visitor gets them.
    pub(crate) pages: Known<Pages>,
    /// TLS, as any visitor meets it.
    pub(crate) encryption: Known<Encryption>,
    /// The operating system.
    pub(crate) system: System,
    /// What the checks have seen that do more than any visitor.
    pub(crate) active: Active,
}

/// Where the configuration says that servers are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Servers {
    /// MySQL or MariaDB.
    pub(crate) databases: Vec<Address>,
    /// Redis or Valkey.
    pub(crate) caches: Vec<Address>,
}

#[cfg(test)]
impl Seen {
    /// A round that has seen nothing, for tests to fill in: each part is unknown.
    pub(crate) fn nothing(cause: Cause) -> Self {
        fn unknown<T>(cause: Cause) -> Known<T> {
            Err(Unknown::new(cause, "not looked at"))
        }
        Self {
            config: Config::default(),
            // 23 November 2026.
            now: 1_795_392_000,
            listeners: unknown(cause),
            has_public_ipv6: unknown(cause),
            routing: unknown(cause),
            at_boot: unknown(cause),
            cache_in_sight: unknown(cause),
            servers: Servers::default(),
            facts: unknown(cause),
            front: unknown(cause),
            shop: unknown(cause),
            pools: unknown(cause),
            php: unknown(cause),
            database: unknown(cause),
            cache: unknown(cause),
            pages: unknown(cause),
            encryption: unknown(cause),
            system: System::default(),
            active: Active::default(),
        }
    }
}

/// A TCP socket that takes connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listener {
    /// The address it is bound to; `0.0.0.0` and `::` are all of them.
    pub(crate) ip: IpAddr,
    /// Its port.
    pub(crate) port: u16,
    /// Whom its owner ran as when it was made.
    pub(crate) user: u32,
    /// That user's name, where there is one.
    pub(crate) account: Option<String>,
}

/// A file, or a folder, as `stat` has it.
#[expect(clippy::struct_field_names, reason = "stat(2) calls it so")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mode {
    /// Where it is, on the host, links followed.
    pub(crate) path: PathBuf,
    /// The permission bits.
    pub(crate) mode: u32,
    /// Its owner.
    pub(crate) uid: u32,
    /// Its group.
    pub(crate) gid: u32,
}
