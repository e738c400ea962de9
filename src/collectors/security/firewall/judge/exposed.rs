//! FW-03 to FW-06: who can reach what listens.

use super::list;
use super::place::{Place, places, rules};
use crate::collectors::security::backends::Pool;
use crate::collectors::security::firewall::admission::{Admission, Published};
use crate::collectors::security::known::{CACHE, DATABASE, Family, PHP};
use crate::collectors::security::seen::{Listener, Seen};
use crate::collectors::security::verdict::{Cap, Cause, Known, Unknown, Verdict};
use crate::config::types::Address;

/// A kind of server.
struct Kind<'a> {
    name: &'static str,
    family: Family,
    /// Where the configuration says that it is.
    servers: &'a [Address],
    cap: Cap,
    fix: &'static str,
}

impl Kind<'_> {
    fn is_port(&self, port: u16, seen: &Seen) -> bool {
        let is_configured = |address: &Address| {
            matches!(address, Address::Tcp { port: own, .. } if *own == port) && is_here(address, seen)
        };
        self.family.ports.contains(&port) || self.servers.iter().any(is_configured)
    }

    fn is_listener(&self, listener: &Listener, seen: &Seen) -> bool {
        self.family.is_account(listener.account.as_ref()) || self.is_port(listener.port, seen)
    }

    /// The port at which a published one leads to such a server.
    fn published(&self, published: &Published, seen: &Seen) -> Option<u16> {
        let (first, last) = published.ports;
        match published.to {
            Some(to) => self.is_port(to, seen).then_some(first),
            None => self.family.ports.iter().copied().find(|port| (first..=last).contains(port)),
        }
    }

    /// A server that is another machine's, whose firewall cannot be seen from here.
    fn elsewhere(&self, seen: &Seen) -> Option<Unknown> {
        let other = self.servers.iter().find(|address| !is_here(address, seen))?;
        Some(Unknown::new(
            Cause::Unsupported,
            format!("{} at {other} is another machine's, whose firewall cannot be seen from here", self.name),
        ))
    }

    fn places(&self, seen: &Seen) -> Known<Vec<Place>> {
        places(seen, |listener| self.is_listener(listener, seen), |published| self.published(published, seen))
    }

    /// Whether it is out of strangers' reach.
    fn judge(&self, seen: &Seen) -> Verdict {
        let places = match self.places(seen) {
            Ok(places) => places,
            Err(unknown) => return unknown.into(),
        };
        if places.is_empty() {
            if let Some(elsewhere) = self.elsewhere(seen) {
                return elsewhere.into();
            }
            let listeners = seen.listeners.iter().flatten();
            let own: Vec<_> = listeners
                .filter(|listener| self.is_listener(listener, seen))
                .map(|listener| format!("{}:{}", listener.ip, listener.port))
                .collect();
            return Verdict::pass(if own.is_empty() {
                format!("{} takes no connections by TCP on this machine", self.name)
            } else {
                format!("{} listens on the loopback alone: {}", self.name, list(&own))
            });
        }
        let found = Reach::of(seen, &places);
        if !found.anybody.is_empty() {
            return Verdict::fail(
                format!("anybody is let in to {} at {}", self.name, list(&found.anybody)),
                self.fix_of(&places),
            )
            .with_cap(self.cap);
        }
        if let Some(unknown) = found.unknown {
            let names: Vec<_> = places.into_iter().map(|place| place.name).collect();
            let seen = format!("{} listens at {}, and {}", self.name, list(&names), unknown.why);
            return Verdict::from(Unknown::new(unknown.cause, seen)).with_fix(self.fix);
        }
        if let Some(elsewhere) = self.elsewhere(seen) {
            return elsewhere.into();
        }
        Verdict::pass(match (&found.some[..], &found.nobody[..]) {
            ([], nobody) => format!("{} listens at {}, where the firewall refuses strangers", self.name, list(nobody)),
            (some, _) => format!("{} is let in to by sources that the firewall lists alone: {}", self.name, list(some)),
        })
    }

    fn fix_of(&self, places: &[Place]) -> String {
        match places.iter().find(|place| place.is_published) {
            Some(place) => {
                format!("publish it on the loopback alone: -p 127.0.0.1:{0}:…, instead of -p {0}:…", place.port)
            }
            None => self.fix.to_owned(),
        }
    }
}

/// Whether an address is this machine's: the loopback, a socket, or one that is known to be its own.
fn is_here(address: &Address, seen: &Seen) -> bool {
    let Address::Tcp { host, .. } = address else { return true };
    let is_own = |ip: std::net::IpAddr| {
        ip.is_loopback() || ip.is_unspecified() || seen.routing.as_ref().is_ok_and(|routing| routing.own.contains(&ip))
    };
    host == "localhost" || host.parse().is_ok_and(is_own)
}

/// Who is let in at some places.
#[derive(Default)]
struct Reach {
    anybody: Vec<String>,
    some: Vec<String>,
    nobody: Vec<String>,
    unknown: Option<Unknown>,
}

impl Reach {
    fn of(seen: &Seen, places: &[Place]) -> Self {
        let mut found = Self::default();
        let rules = match rules(seen) {
            Ok(rules) => rules,
            Err(unknown) => return Self { unknown: Some(unknown.clone()), ..found },
        };
        for place in places {
            let name = place.name.clone();
            match place.admits((rules.0, &rules.1)) {
                Ok(Admission::Anybody) => found.anybody.push(name),
                Ok(Admission::Only(_)) => found.some.push(name),
                Ok(Admission::Nobody) => found.nobody.push(name),
                Err(unknown) => found.unknown = Some(unknown),
            }
        }
        found
    }
}

/// FW-03.
pub(super) fn database(seen: &Seen) -> Verdict {
    databases(seen).judge(seen)
}

/// MySQL and MariaDB.
fn databases(seen: &Seen) -> Kind<'_> {
    Kind {
        name: "the database",
        family: DATABASE,
        servers: &seen.servers.databases,
        cap: Cap::DatabaseExposed,
        fix: "bind-address = 127.0.0.1  # below [mysqld]; then restart the database",
    }
}

/// FW-04: it does not apply where Redis is neither here nor asked for.
///
/// A shop whose files are not known may use a Redis of another machine, and one that does use it uses one that cannot be
/// seen from here: neither is the absence of Redis.
pub(super) fn cache(seen: &Seen) -> Verdict {
    let kind = caches(seen);
    let (listeners, places) = match (&seen.listeners, kind.places(seen)) {
        (Ok(listeners), Ok(places)) => (listeners, places),
        (Err(unknown), _) => return unknown.into(),
        (_, Err(unknown)) => return unknown.into(),
    };
    let is_here = !places.is_empty() || listeners.iter().any(|listener| kind.is_listener(listener, seen));
    if is_here || !seen.servers.caches.is_empty() {
        return kind.judge(seen);
    }
    match (&seen.cache_in_sight, &seen.shop) {
        (Ok(Some(sight)), _) => Verdict::pass(format!("Redis ({sight}) takes no connections by TCP on this machine")),
        (Err(unknown), _) | (_, Err(unknown)) => unknown.into(),
        (Ok(None), Ok(shop)) if shop.uses_redis => Verdict::from(Unknown::new(
            Cause::Unsupported,
            "the shop's configuration names Redis, and none is on this machine: another's firewall cannot be seen from here",
        )),
        (Ok(None), Ok(_)) => Verdict::not_applicable(
            "there is no process, no socket and no port of Redis, and the shop does not ask for it",
        ),
    }
}

/// Redis and its kin.
fn caches(seen: &Seen) -> Kind<'_> {
    Kind {
        name: "Redis",
        family: CACHE,
        servers: &seen.servers.caches,
        cap: Cap::CacheExposed,
        fix: "bind 127.0.0.1 -::1\nprotected-mode yes  # both in redis.conf; then restart Redis",
    }
}

/// FW-05: a pool on a socket or the loopback passes; one elsewhere passes where the firewall refuses strangers.
///
/// `listen.allowed_clients` is FPM's own list of who may connect: with one, strangers knock, and are sent away without
/// running anything. That is a failure of this check, yet no capped one.
///
/// Pools are known of the masters that are configured. What listens for others at the ports of PHP-FPM's custom, and is no
/// pool of theirs, is taken for one of another master, or of a container: a failure as well, if anybody is let in. That it
/// is PHP-FPM was not seen, and so it caps nothing.
pub(super) fn php(seen: &Seen) -> Verdict {
    let pools = match &seen.pools {
        Ok(pools) => pools,
        Err(unknown) => return unknown.into(),
    };
    if pools.is_empty() {
        let why =
            "no pool of PHP-FPM is configured on this machine; a container's, or another machine's, cannot be seen";
        return Unknown::new(Cause::Unsupported, why).into();
    }
    let remote: Vec<_> = pools.iter().filter_map(|pool| remote(pool).map(|port| (pool, port))).collect();
    let customary = match customary(seen, &remote) {
        Ok(places) => places,
        Err(unknown) => return unknown.into(),
    };
    if remote.is_empty() && customary.is_empty() {
        let shown: Vec<_> = pools.iter().map(|pool| format!("{} at {}", pool.name, pool.listen)).collect();
        return Verdict::pass(format!("every pool listens on a socket or the loopback: {}", list(&shown)));
    }
    let mut reached = Vec::new();
    for (pool, port) in remote {
        let is_its = |listener: &Listener| listener.port == port;
        let places = match places(seen, is_its, |_| None) {
            Ok(places) => places,
            Err(unknown) => return unknown.into(),
        };
        reached.push((pool, Reach::of(seen, &places), places));
    }
    if let Some((pool, found, _)) = reached.iter().find(|(_, found, _)| !found.anybody.is_empty()) {
        let fix =
            format!("listen = /run/php/{0}.sock  # in the pool [{0}]; and the same in nginx: fastcgi_pass", pool.name);
        let verdict = Verdict::fail(
            format!("anybody is let in to PHP-FPM's pool {} at {}", pool.name, list(&found.anybody)),
            fix,
        );
        let is_open = |(pool, found, _): &(&Pool, Reach, _)| !found.anybody.is_empty() && lets_anybody(pool);
        return if reached.iter().any(is_open) { verdict.with_cap(Cap::PhpOpen) } else { verdict };
    }
    let others = Reach::of(seen, &customary);
    if !others.anybody.is_empty() {
        let what = format!("anybody is let in at {}, where PHP-FPM listens by custom", list(&others.anybody));
        let fix = "listen = /run/php/php.sock  # in the pool there; if it is no PHP-FPM: bind it to 127.0.0.1, or name its \
                   port in allowed_ports ([security])";
        return Verdict::fail(what, fix);
    }
    let unknown = |(pool, found, places): &(&Pool, Reach, Vec<Place>)| {
        let unknown = found.unknown.as_ref().filter(|_| !places.is_empty())?;
        let why = format!("PHP-FPM's pool {} listens at {}, and {}", pool.name, pool.listen, unknown.why);
        Some(Unknown::new(unknown.cause, why))
    };
    if let Some(unknown) = reached.iter().find_map(unknown) {
        return unknown.into();
    }
    let names: Vec<_> = customary.into_iter().map(|place| place.name).collect();
    if let Some(unknown) = others.unknown.filter(|_| !names.is_empty()) {
        let why = format!("what may be PHP-FPM listens at {}, and {}", list(&names), unknown.why);
        return Unknown::new(unknown.cause, why).into();
    }
    let shown: Vec<_> =
        reached.iter().map(|(pool, ..)| format!("{} at {}", pool.name, pool.listen)).chain(names).collect();
    Verdict::pass(format!("strangers do not come to the pools that are not on the loopback: {}", list(&shown)))
}

/// The places at PHP-FPM's customary ports that are no pool's, and no other check's.
fn customary(seen: &Seen, remote: &[(&Pool, u16)]) -> Known<Vec<Place>> {
    let is_others = |port: u16| {
        seen.config.allowed_ports.contains(&port)
            || remote.iter().any(|(_, pool)| *pool == port)
            || databases(seen).is_port(port, seen)
            || caches(seen).is_port(port, seen)
    };
    let is_meant = |listener: &Listener| {
        let is_owned = || databases(seen).is_listener(listener, seen) || caches(seen).is_listener(listener, seen);
        PHP.contains(&listener.port) && !is_others(listener.port) && !is_owned()
    };
    let published = |published: &Published| {
        let (first, last) = published.ports;
        match published.to {
            Some(to) => (PHP.contains(&to) && !seen.config.allowed_ports.contains(&first)).then_some(first),
            None => PHP.into_iter().find(|port| (first..=last).contains(port) && !is_others(*port)),
        }
    };
    places(seen, is_meant, published)
}

/// The port of a pool that others than this machine can reach.
fn remote(pool: &Pool) -> Option<u16> {
    let Address::Tcp { host, port } = &pool.listen else { return None };
    let is_loopback = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    (!is_loopback).then_some(*port)
}

fn lets_anybody(pool: &Pool) -> bool {
    pool.allowed_clients.is_empty() || pool.allowed_clients.iter().any(|client| client == "any")
}

/// FW-06: the ports that are allowed are those of the configuration, and the one that sshd says it has.
pub(super) fn others(seen: &Seen) -> Verdict {
    let mut allowed = seen.config.allowed_ports.clone();
    let sshd = seen.facts.as_ref().ok().and_then(|facts| facts.sshd.as_ref().ok());
    allowed.extend(sshd.and_then(|sshd| sshd.get("port")?.parse::<u16>().ok()));
    let unexpected = |published: &Published| {
        let (first, last) = published.ports;
        (first..=last).find(|port| !allowed.contains(port))
    };
    let places = match places(seen, |listener| !allowed.contains(&listener.port), unexpected) {
        Ok(places) => places,
        Err(unknown) => return unknown.into(),
    };
    let ports: Vec<_> = allowed.iter().map(u16::to_string).collect();
    if places.is_empty() {
        return Verdict::pass(format!(
            "nothing listens for other machines but on ports that are allowed: {}",
            ports.join(", ")
        ));
    }
    let found = Reach::of(seen, &places);
    let fix = |names: &[String]| {
        format!("stop what nobody needs, or bind it to 127.0.0.1, or drop its port in the firewall: {}", list(names))
    };
    if !found.anybody.is_empty() {
        return Verdict::fail(format!("anybody is let in at {}", list(&found.anybody)), fix(&found.anybody));
    }
    if let Some(unknown) = found.unknown {
        let names: Vec<_> = places.into_iter().map(|place| place.name).collect();
        let why = format!("servers listen at {}, and {}", list(&names), unknown.why);
        return Verdict::from(Unknown::new(unknown.cause, why)).with_fix(fix(&names));
    }
    if !found.some.is_empty() {
        let what = format!("only sources that the firewall lists are let in at {}", list(&found.some));
        return Verdict::partial(what, fix(&found.some));
    }
    Verdict::pass(format!("the firewall refuses strangers at {}", list(&found.nobody)))
}
