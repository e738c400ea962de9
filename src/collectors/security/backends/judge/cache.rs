//! API-23: Redis asks for a password.

use crate::collectors::security::backends::cache::{Cache, Server, Stranger};
use crate::collectors::security::known::CACHE;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cause, Known, State, Unknown, Verdict};
use crate::config::types::Address;

/// API-23: a stranger's PING is refused, or only members of a group reach the server at all, by its socket.
///
/// `-DENIED` (protected mode) says two things: there is no password, and only this machine is served. That is half of it,
/// like a `+PONG` of a server that listens on loopback alone.
pub(super) fn asks_for_a_password(seen: &Seen, closed: Option<State>) -> Known<Verdict> {
    let cache = seen.cache.as_ref().map_err(Clone::clone)?;
    if cache.servers.is_empty() {
        return absent(seen, cache)
            .map(|()| Verdict::not_applicable("there is no Redis: no process, no port, no shop that names one"));
    }
    let mut worst: Option<Verdict> = None;
    let mut unknown = None;
    for server in &cache.servers {
        match server_asks(seen, server, closed) {
            Ok(verdict) => worst = worst.into_iter().chain([verdict]).min_by_key(|verdict| verdict.state),
            Err(found) => unknown = unknown.or(Some(found)),
        }
    }
    match (worst, unknown) {
        // What is wrong with one is wrong, whatever is not known of another.
        (Some(verdict), _) if verdict.state == State::Fail => Ok(verdict),
        (_, Some(unknown)) => Err(unknown),
        (Some(verdict), None) => Ok(verdict),
        (None, None) => Err(Unknown::new(Cause::NotConfigured, "no Redis was asked")),
    }
}

/// That there is no Redis: seen, not said.
pub(super) fn absent(seen: &Seen, cache: &Cache) -> Known<()> {
    let unknown = |why: &str| {
        Err(Unknown::new(Cause::NotConfigured, format!("no Redis is configured ([redis.targets.<name>]), and {why}")))
    };
    let listeners = seen.listeners.as_ref().map_err(Clone::clone)?;
    match cache.runs {
        None => return unknown("others' processes cannot be seen"),
        Some(true) => return unknown("one is running"),
        Some(false) => {}
    }
    if listeners
        .iter()
        .any(|listener| CACHE.ports.contains(&listener.port) || CACHE.is_account(listener.account.as_ref()))
    {
        return unknown("its port is taken");
    }
    match &seen.shop {
        Ok(shop) if !shop.uses_redis => Ok(()),
        Ok(_) => unknown("the shop's configuration names one"),
        Err(known) => Err(known.clone()),
    }
}

fn server_asks(seen: &Seen, server: &Server, closed: Option<State>) -> Known<Verdict> {
    let address = &server.address;
    if !server.serves_strangers()? {
        let how = if server.stranger == Stranger::Certificate { "a certificate" } else { "a password" };
        return Ok(Verdict::pass(format!("Redis at {address} wants {how} of strangers")));
    }
    if let Some(mode) = server.socket {
        return by_socket(seen, server, mode, closed);
    }
    let Address::Tcp { port, .. } = address else {
        return Err(Unknown::new(Cause::Unsupported, format!("what {address} is open to is not known")));
    };
    if server.stranger == Stranger::Protected {
        let told = format!("Redis at {address} has no password; protected mode keeps it to its machine");
        return Ok(Verdict::partial(told, fix()));
    }
    if !server.is_local() {
        return Ok(Verdict::fail(format!("Redis at {address} serves strangers, and is reached by the network"), fix()));
    }
    Ok(served(seen, &address.to_string(), *port, closed))
}

/// A server that serves all who reach its socket.
fn by_socket(seen: &Seen, server: &Server, mode: u32, closed: Option<State>) -> Known<Verdict> {
    let (address, bits) = (&server.address, mode & 0o777);
    match (server.port, &server.stranger_at_port) {
        (Some(0), _) | (Some(_), Some(Ok(Stranger::Refused | Stranger::Certificate))) => {}
        (None, _) => {
            let why = format!(
                "Redis at {address} serves strangers, and whether it has a port, too, it does not tell us (+info)"
            );
            return Err(Unknown::new(Cause::Permission, why));
        }
        (Some(_), Some(Err(unknown))) => return Err(unknown.clone()),
        (Some(port), None | Some(Ok(_))) => return Ok(served(seen, &format!("port {port}"), port, closed)),
    }
    Ok(if bits & !0o770 == 0 {
        Verdict::pass(format!("Redis is reached by {address} alone, which is open to its group ({bits:o})"))
    } else {
        let told = format!("Redis serves every user of this machine without a password, by {address} ({bits:o})");
        Verdict::partial(told, "unixsocketperm 770")
    })
}

/// A server of this machine that serves strangers at a port: who that may be decides.
fn served(seen: &Seen, place: &str, port: u16, closed: Option<State>) -> Verdict {
    let listeners = seen.listeners.as_deref().unwrap_or_default();
    let mut there = listeners.iter().filter(|listener| listener.port == port).peekable();
    let is_loopback = there.peek().is_some() && there.all(|listener| listener.ip.is_loopback());
    if is_loopback || closed == Some(State::Pass) {
        let who = if is_loopback { "all programs of this machine" } else { "all whom the firewall lets through" };
        return Verdict::partial(format!("Redis at {place} serves {who} without a password"), fix());
    }
    Verdict::fail(
        format!("Redis at {place} serves strangers without a password, and does not listen on loopback alone"),
        fix(),
    )
}

fn fix() -> &'static str {
    "redis.conf: user vitrin on >… +ping +info, user shop on >… ~* &* +@all -@dangerous, user default off; \
     or requirepass …, and the same in the shop's configuration"
}
