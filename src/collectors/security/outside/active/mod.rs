//! Checks that do more than any visitor, and only when they are asked for. They have no points of their own: what they
//! find can lower what another check came to, never raise it.

pub(crate) mod burst;
pub(crate) mod files;
pub(crate) mod logins;
pub(crate) mod vantage;

use serde::{Deserialize, Serialize};

use crate::collectors::security::check::Check;
use crate::collectors::security::known::{CACHE, DATABASE, PHP};
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cap, Known, State, Verdict, Verdicts};
use crate::config::types::Address;
use burst::Burst;
use files::Files;
use logins::Logins;
use vantage::{OpenPort, Ports};

/// What the active checks have seen; `None` of one that was not asked for, or has not run yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Active {
    /// files that must not be served.
    pub(crate) files: Option<Known<Files>>,
    /// ports that are open, seen from elsewhere.
    pub(crate) vantage: Option<Known<Ports>>,
    /// logins that must be refused sooner or later.
    pub(crate) logins: Option<Known<Logins>>,
    /// more requests than are allowed.
    pub(crate) burst: Option<Known<Burst>>,
}

/// What a new look has seen, with what was found before and was not looked at now: whoever does not answer, or not of that
/// very path or port, has not shown that it is gone.
pub(crate) fn held(before: &Active, now: Active) -> Active {
    let has_found = |files: &Files| !files.secrets.is_empty() || files.installer.is_some();
    Active {
        files: hold(before.files.as_ref(), now.files, has_found, Files::held),
        vantage: hold(before.vantage.as_ref(), now.vantage, |ports| !ports.open.is_empty(), Ports::held),
        logins: hold(before.logins.as_ref(), now.logins, Logins::is_unlimited, |now, _| now),
        burst: hold(before.burst.as_ref(), now.burst, Burst::is_unlimited, |now, _| now),
    }
}

/// What was found stays where nothing is known now, and is merged with what is.
fn hold<T: Clone>(
    before: Option<&Known<T>>,
    now: Option<Known<T>>,
    has_found: impl Fn(&T) -> bool,
    merge: impl Fn(T, &T) -> T,
) -> Option<Known<T>> {
    let Some(Ok(found)) = before else { return now };
    match now {
        Some(Ok(now)) => Some(Ok(merge(now, found))),
        _ if has_found(found) => Some(Ok(found.clone())),
        now => now,
    }
}

/// Lowers what the checks came to by what the active ones have seen, after all of them are judged.
pub(in crate::collectors::security) fn lower(seen: &Seen, verdicts: &mut Verdicts) {
    let Active { files, vantage, logins, burst } = &seen.active;
    if let Some(Ok(files)) = files {
        by_files(files, verdicts);
    }
    if let Some(Ok(ports)) = vantage {
        for port in &ports.open {
            by_port(seen, *port, verdicts);
        }
    }
    if let Some(Ok(logins)) = logins
        && logins.is_unlimited()
    {
        let told = format!(
            "{} logins of somebody who does not exist were answered at {}, and none refused",
            logins.sent, logins.path
        );
        let fix = "limit_req zone=login burst=3 nodelay; # where PHP serves the login";
        fail(verdicts, Check::Api14, Verdict::fail(told, fix));
    }
    if let Some(Ok(burst)) = burst
        && burst.is_unlimited()
    {
        let told = format!("{} requests within {} ms were answered, and none refused", burst.sent, burst.milliseconds);
        fail(verdicts, Check::Dd01, Verdict::fail(told, "limit_req zone=php burst=20 nodelay; # where PHP is served"));
    }
}

fn by_files(files: &Files, verdicts: &mut Verdicts) {
    if !files.secrets.is_empty() {
        let told = format!("{} can be fetched by anybody", files.secrets.join(", "));
        let fix = "delete them, change every password and key that they hold, and in nginx:\n\
            location ~* (/\\.|~$|\\.(bak|old|orig|save|sql|gz|zip)$) { return 404; }";
        fail(verdicts, Check::Api05, Verdict::fail(told, fix).with_cap(Cap::SecretServed));
    }
    if let Some(path) = &files.installer {
        let told = format!("the installer answers at {path}");
        fail(verdicts, Check::Api01, Verdict::fail(told, "rm -rf install/").with_cap(Cap::InstallerServed));
    }
}

fn by_port(seen: &Seen, open: OpenPort, verdicts: &mut Verdicts) {
    let OpenPort { port, is_address } = open;
    let told = format!("port {port} is open, seen from elsewhere");
    let closed = |service: &str| format!("ufw deny {port}/tcp # and let {service} listen on 127.0.0.1 alone");
    let is_pool = |port| {
        let pools = seen.pools.as_ref().map_or(&[][..], Vec::as_slice);
        pools.iter().any(|pool| matches!(pool.listen, Address::Tcp { port: one, .. } if one == port))
    };
    if DATABASE.ports.contains(&port) {
        fail(verdicts, Check::Fw03, Verdict::fail(told, closed("the database")).with_cap(Cap::DatabaseExposed));
    } else if CACHE.ports.contains(&port) {
        fail(verdicts, Check::Fw04, Verdict::fail(told, closed("Redis")).with_cap(Cap::CacheExposed));
    } else if port == *PHP.start() || is_pool(port) {
        fail(verdicts, Check::Fw05, Verdict::fail(told, closed("PHP-FPM")).with_cap(Cap::PhpOpen));
    } else if !seen.config.allowed_ports.contains(&port) {
        fail(verdicts, Check::Fw06, Verdict::fail(told, format!("ufw deny {port}/tcp # or add it to allowed_ports")));
    }
    // By its name one reaches what stands before the origin, which is meant to be open.
    let is_behind = seen.config.edge.provider.is_some()
        || verdicts.get(&Check::Fw10).is_some_and(|verdict| verdict.state != State::NotApplicable);
    if matches!(port, 80 | 443) && is_address && is_behind {
        let told = format!("port {port} of the origin is open to others than the CDN, seen from elsewhere");
        fail(verdicts, Check::Fw10, Verdict::fail(told, format!("allow {port}/tcp from the CDN's networks alone")));
    }
}

/// Makes a check fail, and limits the score if that was not limited lower before: what was found by itself stays.
fn fail(verdicts: &mut Verdicts, check: Check, found: Verdict) {
    let Some(before) = verdicts.get(&check) else {
        verdicts.insert(check, found);
        return;
    };
    let lowest = |a: Option<Cap>, b: Option<Cap>| a.into_iter().chain(b).min_by(|a, b| a.limit().total_cmp(&b.limit()));
    let cap = lowest(before.cap, found.cap);
    let merged = if before.state == State::Fail {
        Verdict { seen: format!("{}; {}", before.seen, found.seen), cap, ..before.clone() }
    } else {
        Verdict { cap, ..found }
    };
    verdicts.insert(check, merged);
}

#[cfg(test)]
mod tests;
