//! What lets Vitrin read a log, and what a log would say more in another format.

mod closed;
mod recommended;

use std::path::{Path, PathBuf};

use super::Config;
use crate::collector::Reason;
use crate::glob;
use crate::remedy::{Complaints, Remedy, Service};
use closed::closed;
use recommended::{better, prompt};

/// The most files that are named.
const NAMED: usize = 3;

/// The ways out for the logs of a target below `root`, and what would show more of one that is up.
pub(super) fn ways(root: &Path, config: &Config, run: Complaints<'_>, service: &Service) -> Vec<Remedy> {
    let logs = logs(root, &config.files);
    let mut ways = Vec::new();
    if run.iter().any(|failure| failure.reason == Reason::Permission) {
        let all = [&logs[..], &self::logs(root, &config.error_files)].concat();
        ways.extend(closed(root, &all, service));
    }
    if run.failure.is_none() {
        ways.extend(better(root, &logs, &config.format));
        ways.extend(prompt(root, &logs));
    }
    ways
}

/// The logs of the host that these paths and patterns stand for.
fn logs(root: &Path, patterns: &[String]) -> Vec<PathBuf> {
    let mut logs = Vec::new();
    for pattern in patterns {
        let found = glob::expand(root, pattern);
        if found.is_empty() {
            // A folder that hides what is in it is what has to be opened.
            let plain = pattern.split('/').take_while(|part| !glob::is_pattern(part));
            logs.push(PathBuf::from(plain.collect::<Vec<_>>().join("/")));
        }
        logs.extend(found.iter().filter_map(|file| Some(Path::new("/").join(file.strip_prefix(root).ok()?))));
    }
    logs
}

/// Some of many files, in words.
fn named(files: &[&PathBuf]) -> String {
    let mut names: Vec<_> = files.iter().take(NAMED).map(|file| file.display().to_string()).collect();
    if files.len() > NAMED {
        names.push(format!("{} more", files.len() - NAMED));
    }
    enumeration(&names)
}

/// `a, b and c`.
fn enumeration(words: &[impl AsRef<str>]) -> String {
    let words: Vec<_> = words.iter().map(AsRef::as_ref).collect();
    match &words[..] {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        few => few.concat(),
    }
}
