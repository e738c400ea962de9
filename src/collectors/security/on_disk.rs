//! What this machine shows by its files: procfs, configurations, the shop itself, and what root has written down. All of it
//! blocks.

use std::path::{Path, PathBuf};

use super::backends::{Pool, ask};
use super::facts::{self, Facts};
use super::firewall::boot::AtBoot;
use super::firewall::listeners::{cache_in_sight, listeners};
use super::firewall::routing::{Routing, has_public_ipv6};
use super::front::Front;
use super::outside::active::burst::Limit;
use super::outside::renewal::Renewal;
use super::seen::Listener;
use super::shop::{Shop, drift};
use super::subject::Subject;
use super::system::{Memory, System};
use super::verdict::{Cause, Known, Unknown};
use crate::collector::Paths;
use crate::config::types::Address;

/// What changes at any time, and costs nothing to look at.
#[derive(Clone, Debug)]
pub(super) struct Near {
    /// Who takes TCP connections.
    pub(super) listeners: Known<Vec<Listener>>,
    /// Whether the internet may know an IPv6 address of this machine.
    pub(super) has_public_ipv6: Known<bool>,
    /// The machine's routes and own addresses.
    pub(super) routing: Known<Routing>,
    /// By what Redis shows that it is here.
    pub(super) cache_in_sight: Known<Option<String>>,
    /// What root has seen.
    pub(super) facts: Known<Facts>,
}

impl Near {
    /// Nothing of it, and why.
    pub(super) fn unknown(why: &Unknown) -> Self {
        Self {
            listeners: Err(why.clone()),
            has_public_ipv6: Err(why.clone()),
            routing: Err(why.clone()),
            cache_in_sight: Err(why.clone()),
            facts: Err(why.clone()),
        }
    }

    /// Looks at it; `facts` is a file of the host.
    pub(super) fn look(facts: &Path, paths: &Paths, now: i64) -> Self {
        let inside = paths.root.join(facts.strip_prefix("/").unwrap_or(facts));
        Self {
            listeners: listeners(paths),
            has_public_ipv6: has_public_ipv6(paths),
            routing: Routing::look(paths),
            cache_in_sight: cache_in_sight(paths),
            facts: facts::read(&inside, now),
        }
    }
}

/// What is in files.
#[derive(Clone, Debug)]
pub(super) struct OnDisk {
    /// What brings the firewall's rules back after a reboot.
    pub(super) at_boot: Known<AtBoot>,
    /// nginx, by its configuration.
    pub(super) front: Known<Front>,
    /// Where nginx asks for the shop's PHP, where that is one server.
    pub(super) php_address: Option<Address>,
    /// What nginx lets one client ask of the shop.
    pub(super) limit: Known<Limit>,
    /// The shop's files.
    pub(super) shop: Known<Shop>,
    /// PHP-FPM's pools, by their configuration.
    pub(super) pools: Known<Vec<Pool>>,
    /// What renews the certificate.
    pub(super) renewal: Renewal,
    /// The operating system.
    pub(super) system: System,
}

/// What is compared from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Watches {
    /// The shop's files, with the manifest.
    drift: drift::Watch,
}

impl Watches {
    /// Whether they did not get to all files.
    pub(super) fn is_behind(&self) -> bool {
        self.drift.is_behind()
    }
}

impl OnDisk {
    /// Looks at all of it.
    pub(super) fn look(subject: &Subject, paths: &Paths, now: i64, watches: &mut Watches, memory: &mut Memory) -> Self {
        let (config, root) = (&subject.config, &paths.root);
        let front = Front::read(root, config);
        let logs = front.as_ref().map(Front::logs).map_err(Clone::clone);
        let masters: Vec<_> = subject.php_fpm.iter().collect();
        Self {
            at_boot: AtBoot::look(root),
            shop: shop(subject, &front, root, now, watches),
            pools: ask::pools(paths, &masters),
            renewal: Renewal::look(root),
            system: System::look(paths, &logs, now, memory),
            php_address: front.as_ref().ok().and_then(Front::php_address),
            limit: front.as_ref().map_err(Clone::clone).and_then(limit),
            front,
        }
    }
}

/// What nginx lets one client ask of the shop.
fn limit(front: &Front) -> Known<Limit> {
    let answer = front.answer("/index.php", "", "GET")?;
    let found = answer.requests.iter().filter_map(|limit| Some(Limit { rate: limit.rate?, burst: limit.burst }));
    let least = found.min_by(|a, b| a.rate.total_cmp(&b.rate));
    least.ok_or_else(|| Unknown::new(Cause::NotConfigured, "nginx limits no requests: there is no limit to be tried"))
}

/// The shop, in the folder that is configured, or the one that nginx serves it from.
fn shop(subject: &Subject, front: &Known<Front>, root: &Path, now: i64, watches: &mut Watches) -> Known<Shop> {
    let config = &subject.config;
    let folder: PathBuf = match (&config.root, front) {
        (Some(folder), _) => folder.clone(),
        (None, Ok(front)) => front.shop_root().ok_or_else(|| {
            Unknown::new(Cause::NotConfigured, "nginx does not tell where the shop's files are: set `[security] root`")
        })?,
        (None, Err(unknown)) => return Err(unknown.clone()),
    };
    let mut shop = Shop::look(root, &folder, config.admin_path.as_deref())?;
    shop.drift = watches.drift.look(root, &shop, config.manifest.as_deref(), now);
    Ok(shop)
}
