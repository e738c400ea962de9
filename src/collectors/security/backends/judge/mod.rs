//! The checks of PHP, the database and Redis: API-08, API-15 to API-23, DD-08, TLS-09.
//!
//! What two checks share is asked of the verdicts before: FW-04, FW-09 and API-02 are judged by then.

mod cache;
mod database;
mod php;
mod shop;
mod support;
mod transport;
mod workers;

use crate::collectors::security::backends::{Database, Php};
use crate::collectors::security::check::Check;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cause, Known, State, Unknown, Verdict, Verdicts};

/// Judges them.
pub(in crate::collectors::security) fn judge(seen: &Seen, verdicts: &mut Verdicts) {
    let judged: [(Check, Known<Verdict>); 12] = [
        (Check::Dd08, workers::limited(seen)),
        (Check::Api08, shop::errors(seen)),
        (Check::Api15, shop::second_factor(seen, state(verdicts, Check::Api02))),
        (Check::Api16, shop::hashes(seen)),
        (Check::Api17, shop::api(seen, state(verdicts, Check::Fw09))),
        (Check::Api18, support::supported(seen)),
        (Check::Api19, php::contained(seen)),
        (Check::Api20, database::passwords(seen)),
        (Check::Api21, database::tidy(seen)),
        (Check::Api22, database::least_rights(seen)),
        (Check::Api23, cache::asks_for_a_password(seen, state(verdicts, Check::Fw04))),
        (Check::Tls09, transport::private(seen)),
    ];
    for (check, verdict) in judged {
        let mut verdict: Verdict = verdict.into();
        if let State::Unknown(cause) = verdict.state {
            verdict = verdict.with_fix(way_out(seen, check, cause));
        }
        verdicts.insert(check, verdict);
    }
}

/// How another check has ended; `None` when nobody has judged it.
fn state(verdicts: &Verdicts, check: Check) -> Option<State> {
    verdicts.get(&check).map(|verdict| verdict.state)
}

fn php(seen: &Seen) -> Known<&Php> {
    seen.php.as_ref().map_err(Clone::clone)
}

fn database(seen: &Seen) -> Known<&Database> {
    seen.database.as_ref().map_err(Clone::clone)
}

/// Something that a part of what was seen does not tell.
fn part<T>(known: &Known<T>) -> Known<&T> {
    known.as_ref().map_err(Clone::clone)
}

/// Where a line of a pool's settings goes: `/etc/php/8.2/fpm/pool.d/www.conf, [www]`.
fn pool_file(seen: &Seen, name: &str) -> String {
    let pool = seen.pools.iter().flatten().find(|pool| pool.name == name);
    match pool {
        Some(pool) if !pool.file.is_empty() => format!("{}, [{name}]", pool.file),
        _ => format!("the configuration of the pool {name}"),
    }
}

/// What would make a check known.
fn way_out(seen: &Seen, check: Check, cause: Cause) -> String {
    let of_database = matches!(
        check,
        Check::Api08 | Check::Api15 | Check::Api16 | Check::Api17 | Check::Api20 | Check::Api21 | Check::Api22
    );
    match (&seen.database, &seen.php, cause) {
        (_, Err(_), _) if matches!(check, Check::Api18 | Check::Api19 | Check::Api08) => {
            "vitrin opcache-script | install -D -o root -g root -m 0644 /dev/stdin /usr/share/vitrin/opcache.php; \
             vitrin check says what else is missing"
                .to_owned()
        }
        (Ok(database), _, Cause::Permission | Cause::Unparsable | Cause::NotConfigured) if of_database => {
            views(database)
        }
        (Err(unknown), _, _) if of_database && unknown.cause == Cause::NotConfigured => {
            "[mysql.targets.main] with address and user in vitrin.toml; vitrin init writes it".to_owned()
        }
        _ if check == Check::Api23 && cause == Cause::NotConfigured => {
            "[redis.targets.main] with url in vitrin.toml; vitrin init writes it".to_owned()
        }
        _ => String::new(),
    }
}

/// The command that makes the views of counts.
fn views(database: &Database) -> String {
    let (server, client) = if database.is_mariadb { ("mariadb", "mariadb") } else { ("mysql", "mysql") };
    let (schema, account) = match &database.shop_account {
        Ok(account) => (account.schema.as_str(), account.name.as_str()),
        // As OpenCart's config.php calls them.
        Err(_) => ("DB_DATABASE", "DB_USERNAME"),
    };
    let user = &database.user;
    format!("vitrin security-views --server {server} --schema {schema} --account {account} --user {user} | {client}")
}

/// One of several facts that together decide: those that are known to be wrong decide, whatever is not known of others.
fn wrong<'a>(facts: &[(Known<bool>, &'a str)]) -> Known<Vec<&'a str>> {
    let wrong: Vec<_> = facts.iter().filter(|(fact, _)| matches!(fact, Ok(true))).map(|(_, what)| *what).collect();
    match facts.iter().find_map(|(fact, _)| fact.as_ref().err()) {
        Some(unknown) if wrong.is_empty() => Err(unknown.clone()),
        _ => Ok(wrong),
    }
}

/// The settings that nobody told of.
fn unsupported(why: &str) -> Unknown {
    Unknown::new(Cause::Unsupported, why)
}

#[cfg(test)]
pub(super) mod tests;
