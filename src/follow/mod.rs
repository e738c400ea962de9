//! Follows log files as they are written: through rotation, truncation and restarts, each line once.
//!
//! Nothing is watched: whoever reads asks what there is, a few times a second. That works on every file system, and its
//! cost is that of one `stat` per file when nothing has happened. A file is known by its inode and by what it begins
//! with, so it is found again under whatever name it has been given, and nothing else is taken for it.

mod change;
mod counts;
mod fingerprint;
mod known;
mod lines;
mod log;
mod looking;
mod reading;
mod siblings;
#[cfg(test)]
mod tests;
mod tracked;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::collector::{Failure, Reason};
use crate::glob;
use log::{Log, Means, Owners, Saved};
use siblings::{is_compressed, is_rotated};

pub(crate) use counts::METRICS;
pub use counts::{Counts, report, report_lines};

/// How much is read at a time. Larger ones do not fit into a processor's own cache beside what lines are turned into.
const BUFFER: usize = 256 << 10;

/// Where to begin in files that are there when a follower that knows no positions looks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// With what is written from now on.
    End,
    /// With the first line.
    Beginning,
    /// With the last lines: about as many bytes.
    Sample(u64),
}

/// What a follower may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a line; longer ones are left out, and counted. Less than 256 KiB.
    pub line: usize,
    /// Logs that are followed at a time; the ones written last, of those that match.
    pub files: usize,
    /// How long a file that was rotated out must have been silent before it is done with.
    pub quiet: Duration,
    /// How long a file that is not rotated must have been silent before it is closed, to be opened when it grows.
    pub rest: Duration,
    /// How often it is looked what is beside a log, at most; one log at a time, however many there are.
    pub survey: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 64 << 10,
            files: 200,
            quiet: Duration::from_secs(10),
            rest: Duration::from_hours(1),
            survey: Duration::from_secs(10),
        }
    }
}

/// How reading has gone.
#[derive(Debug, Default)]
pub struct Progress {
    /// Whether time was over before all was read.
    pub more: bool,
    /// What cannot be read, with the reason: missing, not permitted, not a file, too many.
    pub failures: Vec<Failure>,
}

/// How far a follower has come, and what it has counted. Saved together with what its lines were turned into, neither is
/// ever ahead of the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Positions {
    /// What was followed; what another pattern finds later begins as [`Start`] says, not as a new file.
    patterns: Vec<String>,
    logs: Vec<Saved>,
    counts: Counts,
}

/// Follows the files of some patterns.
#[derive(Debug)]
pub struct Follower {
    root: PathBuf,
    patterns: Vec<String>,
    /// The patterns whose files were followed before: what they find now has come since.
    settled: BTreeSet<String>,
    /// What the patterns stood for when it was looked last, with the number of the pattern.
    matched: Vec<(PathBuf, usize)>,
    /// How many logs there would be without a limit.
    wanted: usize,
    start: Start,
    limits: Limits,
    logs: Vec<Log>,
    counts: Counts,
    buffer: Vec<u8>,
    /// Which log is read first, so that one with a backlog does not starve the rest.
    turn: usize,
}

impl Follower {
    /// A follower of the files that `patterns` stand for: whole paths or globs, below `root`. No I/O.
    #[must_use]
    pub fn new(root: &Path, patterns: Vec<String>, start: Start, limits: Limits) -> Self {
        debug_assert!(limits.line < BUFFER);
        Self {
            root: root.to_owned(),
            patterns,
            settled: BTreeSet::new(),
            matched: Vec::new(),
            wanted: 0,
            start,
            limits,
            logs: Vec::new(),
            counts: Counts::default(),
            buffer: Vec::new(),
            turn: 0,
        }
    }

    /// Goes on from positions that were saved. Call it before the first [`read`](Self::read).
    pub fn resume(&mut self, positions: Positions) {
        let Positions { patterns, logs, counts } = positions;
        self.settled = patterns.into_iter().collect();
        self.logs = logs.into_iter().map(Log::resumed).collect();
        self.counts = counts;
    }

    /// How far it has come.
    #[must_use]
    pub fn positions(&self) -> Positions {
        Positions {
            patterns: self.patterns.clone(),
            logs: self.logs.iter().map(Log::saved).collect(),
            counts: self.counts.clone(),
        }
    }

    /// What it has counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Reads what was appended until there is no more, or until then, and gives each complete line, without its end, to
    /// `each`: those of one file in their order, and those of a file before those of its successor.
    ///
    /// Blocks the thread: for as long as it takes to read what is in memory already, as a rule.
    pub fn read(&mut self, until: Instant, mut each: impl FnMut(&[u8])) -> Progress {
        let mut progress = Progress::default();
        self.find(&mut progress.failures);
        self.buffer.resize(BUFFER, 0);
        let mut owners = Owners::new();
        for (index, log) in self.logs.iter().enumerate() {
            log.register(index, &mut owners);
        }
        let mut means = Means {
            buffer: &mut self.buffer,
            until,
            limits: &self.limits,
            counts: &mut self.counts,
            owners: &mut owners,
            each: &mut each,
        };
        for (index, log) in self.logs.iter_mut().enumerate() {
            log.look(index, &mut means);
        }
        let surveyed = |log: &Log| log.surveyed.map_or(Duration::MAX, |time| time.elapsed());
        if let Some((index, log)) = self.logs.iter_mut().enumerate().max_by_key(|(_, log)| surveyed(log))
            && surveyed(log) >= self.limits.survey
        {
            log.survey(index, &mut means);
        }
        let count = self.logs.len();
        for index in (0..count).map(|step| (self.turn + step) % count) {
            if self.logs[index].read(&mut means) {
                progress.more = true;
                self.turn = index + 1;
                break;
            }
        }
        progress.failures.extend(self.logs.iter().filter_map(|log| log.failure(&self.limits)));
        let extents = self.logs.iter().map(Log::extent);
        (self.counts.files, self.counts.behind) = extents.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        progress
    }

    /// Finds out which logs there are now.
    fn find(&mut self, failures: &mut Vec<Failure>) {
        let matched = self.matches(failures);
        if self.matched != matched || self.settled.is_empty() {
            self.take(&matched);
            self.matched = matched;
        }
        if self.wanted > self.limits.files {
            let (wanted, files) = (self.wanted, self.limits.files);
            let message = format!("{wanted} log files match, of which the {files} written to last are followed");
            failures.push(Failure::message(Reason::Limit, message));
        }
        // What was removed is forgotten once it was read to its end.
        let matched = &self.matched;
        self.logs.retain(|log| !log.is_gone() || matched.iter().any(|(path, _)| *path == log.path));
    }

    /// What the patterns stand for.
    fn matches(&self, failures: &mut Vec<Failure>) -> Vec<(PathBuf, usize)> {
        let mut matched = Vec::new();
        for (index, pattern) in self.patterns.iter().enumerate() {
            if !glob::is_pattern(pattern) {
                matched.push((self.root.join(pattern.trim_start_matches('/')), index));
                continue;
            }
            let paths = glob::expand(&self.root, pattern);
            if paths.is_empty() {
                failures.push(nothing(&self.root, pattern));
            }
            matched.extend(paths.into_iter().map(|path| (path, index)));
        }
        matched
    }

    /// Follows what is new of these, and nothing that the configuration does not ask for any more.
    fn take(&mut self, matched: &[(PathBuf, usize)]) {
        let paths =
            |matched: &[(PathBuf, usize)]| matched.iter().map(|(path, _)| path.clone()).collect::<BTreeSet<_>>();
        let (now, before) = (paths(matched), paths(&self.matched));
        let mut logs = without_rotated(matched);
        self.wanted = logs.len();
        let is_too_much = self.wanted > self.limits.files;
        if is_too_much {
            let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
            logs.sort_by_cached_key(|(path, _)| Reverse(modified(path)));
            logs.truncate(self.limits.files);
            // One that is not there is being rotated, or was removed and is forgotten soon.
            let chosen = paths(&logs);
            self.logs.retain(|log| chosen.contains(&log.path) || !now.contains(&log.path));
        }
        self.logs.retain(|log| self.patterns.contains(&log.pattern) || now.contains(&log.path));
        for (path, index) in logs {
            let pattern = &self.patterns[index];
            if !self.logs.iter().any(|log| log.path == path) {
                // What was beyond the limit has lines of before; after a restart, that may be any.
                let is_old = before.contains(&path) || is_too_much && before.is_empty();
                let start = if !is_old && self.settled.contains(pattern) { Start::Beginning } else { self.start };
                self.logs.push(Log::new(path, pattern.clone(), start));
            }
        }
        self.settled.extend(self.patterns.iter().cloned());
    }
}

/// Leaves out what cannot be read as it is, what is there twice, and what another of the files was rotated to, which is
/// found when its log is.
fn without_rotated(matched: &[(PathBuf, usize)]) -> Vec<(PathBuf, usize)> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_owned();
    let is_log = |path: &Path| {
        let is_base =
            |(base, _): &&(PathBuf, usize)| is_rotated(&name(base), &name(path)) && base.parent() == path.parent();
        !is_compressed(&name(path)) && !matched.iter().any(|base| is_base(&base))
    };
    let mut logs: Vec<_> = matched.iter().filter(|(path, _)| is_log(path)).cloned().collect();
    logs.sort();
    logs.dedup_by(|a, b| a.0 == b.0);
    logs
}

/// Why a pattern stands for nothing: because its folder cannot be read, or because there is no such file.
fn nothing(root: &Path, pattern: &str) -> Failure {
    let plain: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| !glob::is_pattern(&part.as_os_str().to_string_lossy()))
        .collect();
    let folder = root.join(plain.strip_prefix("/").unwrap_or(&plain));
    match fs::read_dir(&folder) {
        Err(error) => Failure::io(error).context(format!("looking for {pattern} in {}", folder.display())),
        Ok(_) => Failure::message(Reason::Connect, format!("following {pattern}: there is no such file")),
    }
}
