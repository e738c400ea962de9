//! The checks of the shop's files: API-04, API-07, MON-05.

mod code;
mod configuration;
mod integrity;

use super::{Cause, Known, Mode, Shop, Unknown};
use crate::collectors::security::backends::Pool;
use crate::collectors::security::check::Check;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Verdict, Verdicts};
use crate::remedy::quoted;

/// Judges them.
pub(in crate::collectors::security) fn judge(seen: &Seen, verdicts: &mut Verdicts) {
    verdicts.extend(verdicts_of(&seen.shop, &Workers::of(&seen.pools)));
}

fn verdicts_of(shop: &Known<Shop>, workers: &Workers) -> [(Check, Verdict); 3] {
    let judged = |judge: fn(&Shop, &Workers) -> Known<Verdict>| {
        shop.as_ref().map_err(Clone::clone).and_then(|shop| judge(shop, workers)).into()
    };
    [
        (Check::Api04, judged(configuration::judge)),
        (Check::Api07, judged(code::judge)),
        (Check::Mon05, judged(integrity::judge)),
    ]
}

/// What a pool's workers may do to a file or folder, by its mode. Where a list of more users (an ACL) lets somebody write,
/// who that is is unknown, and said so with the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// They write to it.
    Writes,
    /// They own it, and may let themselves write to it.
    Owns,
    /// Neither.
    None,
}

fn hold(worker: &Worker, mode: &Mode) -> Hold {
    let is_owner = worker.uid == mode.uid;
    let class = match () {
        () if is_owner => 0o200,
        () if worker.gids.contains(&mode.gid) => 0o020,
        () => 0o002,
    };
    match () {
        () if worker.uid == 0 || mode.mode & class != 0 => Hold::Writes,
        () if is_owner => Hold::Owns,
        () => Hold::None,
    }
}

/// Whom a pool of PHP-FPM runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Worker {
    pool: String,
    uid: u32,
    gids: Vec<u32>,
}

/// Whom PHP runs as. All pools of the machine count: none has any business in the shop's code, that of another site least.
#[derive(Clone, Debug)]
struct Workers {
    known: Vec<Worker>,
    /// Why others are not known.
    missing: Option<Unknown>,
}

impl Workers {
    fn of(pools: &Known<Vec<Pool>>) -> Self {
        let unsupported = |why: String| Some(Unknown::new(Cause::Unsupported, why));
        let pools = match pools {
            Ok(pools) => pools,
            Err(unknown) => return Self { known: Vec::new(), missing: Some(unknown.clone()) },
        };
        let worker = |pool: &Pool| Some(Worker { pool: pool.name.clone(), uid: pool.uid?, gids: pool.gids.clone() });
        let missing = match pools.iter().find(|pool| pool.uid.is_none()) {
            Some(pool) => unsupported(format!("whom the workers of the pool {} run as is not known", pool.name)),
            None if pools.is_empty() => {
                unsupported("PHP-FPM has no pool on this machine, so whom PHP runs as is not known".to_owned())
            }
            None => None,
        };
        Self { known: pools.iter().filter_map(worker).collect(), missing }
    }

    /// The first that has such a hold on it.
    fn with(&self, wanted: Hold, mode: &Mode) -> Option<&Worker> {
        self.known.iter().find(|worker| hold(worker, mode) == wanted)
    }

    /// The group of the workers, for the lines that mend something: by its number, which is what is known of it.
    fn group(&self) -> String {
        let gid = self.known.first().and_then(|worker| worker.gids.first());
        gid.map_or_else(|| "www-data".to_owned(), ToString::to_string)
    }
}

/// A mode as `stat` prints it.
fn shown(mode: &Mode) -> String {
    format!("{} is {:04o}, of user {} and group {}", mode.path.display(), mode.mode, mode.uid, mode.gid)
}

/// A path as a word of a shell line.
fn word(path: &std::path::Path) -> String {
    quoted(&path.to_string_lossy())
}

#[cfg(test)]
mod tests;
