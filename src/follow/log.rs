//! One log: the file that its path leads to, those that it was rotated to, and what is saved of them.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::known::Known;
use super::tracked::{Id, Place, Tracked};
use super::{Counts, Limits, Start};
use crate::collector::{Failure, Reason};

/// Which of the followed logs has a file.
pub(super) type Owners = BTreeMap<Id, usize>;

/// A log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) path: PathBuf,
    /// The pattern that it was found by.
    pub(super) pattern: String,
    /// What is at the path, or was before it went.
    pub(super) current: Option<Tracked>,
    /// What was there before and may not be finished, the oldest first.
    pub(super) older: Vec<Tracked>,
    /// Files beside it that are not to be read: done with, or older than what was followed first.
    pub(super) known: Vec<Known>,
    /// Where reading begins in what is found at the path first.
    pub(super) start: Start,
    /// Whether the path was seen with nothing there: what comes then is read whole.
    pub(super) awaited: bool,
    pub(super) missing_since: Option<Instant>,
    /// What is wrong with the path.
    pub(super) trouble: Option<io::Error>,
    /// When what is beside it was last looked at.
    pub(super) surveyed: Option<Instant>,
}

/// What is saved of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    path: PathBuf,
    pattern: String,
    current: Option<Place>,
    older: Vec<Place>,
    known: Vec<Known>,
    start: Start,
    awaited: bool,
}

/// What reading and looking need of the follower.
pub(super) struct Means<'a, F> {
    pub(super) buffer: &'a mut [u8],
    pub(super) until: Instant,
    pub(super) limits: &'a Limits,
    pub(super) counts: &'a mut Counts,
    pub(super) owners: &'a mut Owners,
    pub(super) each: &'a mut F,
}

impl Log {
    /// A log that was never seen before.
    pub(super) fn new(path: PathBuf, pattern: String, start: Start) -> Self {
        Self {
            path,
            pattern,
            current: None,
            older: Vec::new(),
            known: Vec::new(),
            start,
            awaited: false,
            missing_since: None,
            trouble: None,
            surveyed: None,
        }
    }

    /// A log that was followed before the program started.
    pub(super) fn resumed(saved: Saved) -> Self {
        let Saved { path, pattern, current, older, known, start, awaited } = saved;
        Self {
            current: current.map(Tracked::resumed),
            older: older.into_iter().map(Tracked::resumed).collect(),
            known,
            awaited,
            ..Self::new(path, pattern, start)
        }
    }

    /// What is to be saved of it.
    pub(super) fn saved(&self) -> Saved {
        let place = |tracked: &Tracked| tracked.place.clone();
        Saved {
            path: self.path.clone(),
            pattern: self.pattern.clone(),
            current: self.current.as_ref().map(place),
            older: self.older.iter().map(place).collect(),
            known: self.known.clone(),
            start: self.start,
            awaited: self.awaited,
        }
    }

    /// The files that are open or were not finished.
    fn tracked(&self) -> impl Iterator<Item = &Tracked> {
        self.older.iter().chain(&self.current)
    }

    /// Whether there is anything to follow.
    pub(super) fn is_gone(&self) -> bool {
        self.current.is_none() && self.older.is_empty() && self.missing_since.is_some()
    }

    /// Which file is whose.
    pub(super) fn register(&self, index: usize, owners: &mut Owners) {
        owners.extend(self.tracked().filter_map(|tracked| tracked.id).map(|id| (id, index)));
    }

    /// How many files are followed, and by how much reading is behind.
    pub(super) fn extent(&self) -> (u64, u64) {
        let files = self.tracked().count() as u64;
        (files, self.tracked().map(Tracked::behind).sum())
    }

    /// What is wrong with it; a file that is missing for a moment is being rotated.
    pub(super) fn failure(&self, limits: &Limits) -> Option<Failure> {
        let path = self.path.display();
        if let Some(trouble) = &self.trouble {
            let error = io::Error::new(trouble.kind(), trouble.to_string());
            return Some(Failure::io(error).context(format!("following {path}")));
        }
        let is_rotating = self.current.is_some() && self.missing_since?.elapsed() < limits.quiet;
        (!is_rotating && self.missing_since.is_some())
            .then(|| Failure::message(Reason::Connect, format!("following {path}: there is no such file")))
    }

    /// Those of them that were found.
    pub(super) fn followed(&self) -> Vec<Id> {
        self.tracked().filter_map(|tracked| tracked.id).collect()
    }
}
