//! What only root can see, written by `vitrin facts` into a file that the program reads without any rights: rules of the
//! firewall, jails, SSH's settings, the permissions of keys. No key, no password, no address of who is banned.

mod file;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod jails;
mod keys;
pub(super) mod program;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::firewall::Ruleset;
use super::seen::Mode;
use super::system::ssh;
use super::verdict::{Cause, Known, Unknown};
use crate::collector::Paths;
pub(crate) use file::{REMEDY, text, write};
use program::Ask;

/// How long one program may take, all of them together, and how much one may say. The unit that starts it gives it twice
/// that (`TimeoutStartSec`).
const TIME: Duration = Duration::from_secs(10);
const ALL: Duration = Duration::from_mins(1);
const BYTES: usize = 32 << 20;

/// What root has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// When, in seconds since 1970.
    pub(crate) written: i64,
    /// The rules of the firewall.
    pub(crate) ruleset: Known<Ruleset>,
    /// What fail2ban watches; an empty list where it runs without a jail, does not run, or is not there.
    pub(crate) jails: Known<Vec<Jail>>,
    /// SSH's settings, as `sshd -T` prints them: names in lower case, of several lines of a name the first; and under
    /// `match` what its `Match` blocks loosen, which `sshd -T` leaves out.
    pub(crate) sshd: Known<BTreeMap<String, String>>,
    /// The private keys of nginx' certificates, each with the folders that lead to it; an empty list where its
    /// configuration names none.
    pub(crate) keys: Known<Vec<Key>>,
}

/// A jail of fail2ban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Jail {
    /// Its name.
    pub(crate) name: String,
    /// The logs that it reads; none where it reads the journal.
    pub(crate) files: Vec<PathBuf>,
    /// How many are banned by it now.
    pub(crate) banned: u64,
}

/// A private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// The file.
    pub(crate) file: Mode,
    /// The folders that lead to it, the nearest first.
    pub(crate) folders: Vec<Mode>,
}

/// Looks at all of it, as root; `now` in seconds since 1970. Blocks for a minute at most, and what it
/// takes to look at the keys.
pub(crate) fn look(paths: &Paths, now: i64) -> Facts {
    let begun = Instant::now();
    let ask = |name: &str, arguments: &[&str], time| program::ask(name, arguments, time, BYTES);
    look_by(paths, now, &|name, arguments| ask(name, arguments, left(name, begun.elapsed())?))
}

/// How long a program may take, when this much of the time is gone.
fn left(name: &str, gone: Duration) -> Known<Duration> {
    match ALL.saturating_sub(gone) {
        Duration::ZERO => Err(Unknown::new(Cause::Timeout, format!("{name} was not asked: the others took {ALL:?}"))),
        left => Ok(left.min(TIME)),
    }
}

/// The same with whoever runs the programs.
pub(super) fn look_by(paths: &Paths, now: i64, ask: &Ask<'_>) -> Facts {
    Facts {
        written: now,
        ruleset: rules::look(paths, ask),
        sshd: settings(paths, ask),
        keys: keys::look(paths),
        // The last: of many jails each is asked for twice, and there is a time for all.
        jails: jails::look(&paths.proc, ask),
    }
}

/// What root has seen, as its file has it; `now` in seconds since 1970.
pub(crate) fn read(path: &Path, now: i64) -> Known<Facts> {
    file::read(path, now)
}

/// SSH's settings.
fn settings(paths: &Paths, ask: &Ask<'_>) -> Known<BTreeMap<String, String>> {
    let Some(answer) = ask("sshd", &["-T"])? else {
        return Err(Unknown::new(Cause::Unsupported, "no program `sshd` is there"));
    };
    if !answer.is_success {
        // It quotes the line that it does not like.
        return Err(Unknown::new(Cause::Unparsable, "sshd does not take its own configuration: sshd -t"));
    }
    let mut settings = ssh::printed(&answer.text);
    let loosened = ssh::read(&paths.root).map(|configured| configured.loosened());
    match loosened {
        Ok(loosened) if loosened.is_empty() => {}
        Ok(loosened) => drop(settings.insert(ssh::MATCH.to_owned(), loosened.join("; "))),
        Err(unknown) => drop(settings.insert(ssh::MATCH.to_owned(), unknown.why)),
    }
    Ok(settings)
}
