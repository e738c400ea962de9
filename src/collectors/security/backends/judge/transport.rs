//! TLS-09: what the shop's servers say among each other is not to be overheard.

use super::{cache, database, part};
use crate::collectors::security::backends::Database;
use crate::collectors::security::backends::cache::Server;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Known, State, Verdict};
use crate::config::types::Address;

/// TLS-09: database and Redis are on this machine, or take encrypted connections alone.
///
/// Where they are the shop's own configuration says. Where that cannot be read, the addresses tell that we reach them at:
/// they are the same servers.
pub(super) fn private(seen: &Seen) -> Known<Verdict> {
    let shop = seen.shop.as_ref().ok();
    let own_database = shop.and_then(|shop| shop.database.as_ref().ok()?.as_ref());
    let mut verdicts = vec![match own_database {
        Some(own) if own.is_local() => Verdict::pass("the shop's database is on this machine"),
        Some(_) => distant(database(seen)?)?,
        None => database_s(database(seen)?)?,
    }];
    let cache = part(&seen.cache)?;
    if cache.servers.is_empty() {
        cache::absent(seen, cache)?;
    }
    verdicts.extend(cache.servers.iter().map(redis_s));
    let worst = verdicts.iter().map(|verdict| verdict.state).min();
    let told: Vec<_> =
        verdicts.iter().filter(|verdict| Some(verdict.state) == worst).map(|verdict| verdict.seen.as_str()).collect();
    let fixes: Vec<_> = verdicts.iter().map(|verdict| &*verdict.fix).filter(|fix| !fix.is_empty()).collect();
    Ok(match worst {
        Some(State::Pass) => Verdict::pass(told.join("; ")),
        Some(State::Partial) => Verdict::partial(told.join("; "), fixes.join("\n")),
        _ => Verdict::fail(told.join("; "), fixes.join("\n")),
    })
}

fn database_s(database: &Database) -> Known<Verdict> {
    let address = &database.address;
    if address.is_local() {
        return Ok(Verdict::pass(format!("the database is on this machine ({address})")));
    }
    distant(database)
}

/// A database that is on another machine for the shop.
fn distant(database: &Database) -> Known<Verdict> {
    let address = &database.address;
    let settings = part(&database.settings)?;
    let fix = "[mysqld] require_secure_transport = ON";
    Ok(match (settings.requires_tls, settings.offers_tls) {
        (true, _) => Verdict::pass(format!("the database at {address} takes encrypted connections alone")),
        (false, true) => {
            Verdict::partial(format!("the database at {address} takes connections that are not encrypted, too"), fix)
        }
        (false, false) => Verdict::fail(format!("the database at {address} cannot encrypt connections"), fix),
    })
}

fn redis_s(server: &Server) -> Verdict {
    let address = &server.address;
    if server.is_local() {
        return Verdict::pass(format!("Redis is on this machine ({address})"));
    }
    let fix = "redis.conf: tls-port 6380, port 0, and rediss:// where it is used";
    // `tcp_port` of INFO is the port without TLS, where there is one.
    let is_only = matches!(address, Address::Tcp { port, .. } if server.port == Some(*port));
    match (server.tls, is_only) {
        (true, true) => Verdict::pass(format!("Redis at {address} takes encrypted connections alone")),
        (true, false) => {
            Verdict::partial(format!("Redis at {address} may take connections that are not encrypted, too"), fix)
        }
        (false, _) => Verdict::fail(format!("Redis at {address} is spoken to without encryption"), fix),
    }
}
