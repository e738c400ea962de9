//! One log: the file that its path leads to, those that it was rotated to, and the change from one to the other.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::siblings::{Sibling, siblings};
use super::tracked::{Id, Opened, Place, Reading, Stamp, Tracked, is_file, open, stamp};
use super::{Counts, Limits, Start};
use crate::collector::{Failure, Reason};

/// How many rotated files of one log are open, at most; a log that is rotated more often than they fall silent gives up
/// the oldest.
const OLDER: usize = 32;

/// How many files that are done with are remembered beside one log.
const KNOWN: usize = 400;

/// By how much a clock that was set back may make a file look older than its predecessor, in seconds.
const CLOCK: i64 = 60;

/// Which of the followed logs has a file.
pub(super) type Owners = BTreeMap<Id, usize>;

/// A log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) path: PathBuf,
    /// The pattern that it was found by.
    pub(super) pattern: String,
    /// What is at the path, or was before it went.
    current: Option<Tracked>,
    /// What was there before and may not be finished, the oldest first.
    older: VecDeque<Tracked>,
    /// Files beside it that are not to be read: done with, or older than what was followed first.
    known: Vec<Known>,
    /// Where reading begins in what is found at the path first.
    start: Start,
    missing_since: Option<Instant>,
    /// What is wrong with the path.
    trouble: Option<io::Error>,
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
}

/// A file that is not to be read, or no further than it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    inode: u64,
    print: Fingerprint,
    /// How far it was read, when it was followed.
    at: Option<u64>,
    /// Its size and last write when it was last seen, by which it is known without opening it.
    size: u64,
    modified: Stamp,
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
            older: VecDeque::new(),
            known: Vec::new(),
            start,
            missing_since: None,
            trouble: None,
            surveyed: None,
        }
    }

    /// A log that was followed before the program started.
    pub(super) fn resumed(saved: Saved) -> Self {
        let Saved { path, pattern, current, older, known, start } = saved;
        Self {
            current: current.map(Tracked::resumed),
            older: older.into_iter().map(Tracked::resumed).collect(),
            known,
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

    /// Looks what is at the path now.
    pub(super) fn look<F>(&mut self, index: usize, means: &mut Means<'_, F>) {
        self.trouble = self.try_look(index, means).err();
        self.register(index, means.owners);
    }

    fn try_look<F>(&mut self, index: usize, means: &mut Means<'_, F>) -> io::Result<()> {
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.miss(means);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        is_file(&metadata)?;
        self.missing_since = None;
        // Two names of one file: it is followed under the first.
        let is_of_another = |id: Id| means.owners.get(&id).is_some_and(|owner| *owner != index);
        if is_of_another(Id::of(&metadata)) || self.is_unchanged(&metadata) {
            return Ok(());
        }
        let opened = open(&self.path)?;
        if is_of_another(opened.id()) {
            return Ok(());
        }
        self.change(opened, means)
    }

    fn is_unchanged(&mut self, metadata: &Metadata) -> bool {
        let Some(current) = &mut self.current else { return false };
        if current.is_open() {
            return current.id == Some(Id::of(metadata));
        }
        let is_as_before = current.is_as_before(metadata);
        if is_as_before {
            current.locate(metadata);
        }
        is_as_before
    }

    /// Nothing is at the path: whatever comes is new, and what was there may be beside it.
    fn miss<F>(&mut self, means: &mut Means<'_, F>) {
        self.start = Start::Beginning;
        if self.missing_since.is_some() {
            return;
        }
        self.missing_since = Some(Instant::now());
        if let Some(current) = &mut self.current
            && !current.is_open()
            && let Some(opened) = find(&siblings(&self.path), current, means.owners)
        {
            current.attach(opened);
        }
    }

    /// Another file is at the path than the one that is open, or we do not know yet which it is.
    fn change<F>(&mut self, head: Opened, means: &mut Means<'_, F>) -> io::Result<()> {
        let beside = siblings(&self.path);
        let Some(mut current) = self.current.take() else {
            let id = head.id();
            self.current = Some(Tracked::from(head, self.start, means.buffer, means.limits)?);
            self.remember(&beside, &[id]);
            return Ok(());
        };
        let in_place = current.place.inode == head.id().inode;
        let is_same = !current.is_open() && current.is_like(&head.file);
        if is_same && in_place {
            current.attach(head);
            self.current = Some(current);
            return Ok(());
        }
        if !current.is_open() {
            match find(&beside, &current, means.owners) {
                Some(opened) => current.attach(opened),
                // As after a move to another disk.
                None if is_same && current.place.print.is_telling() && head.metadata.len() >= current.place.at => {
                    current.attach(head);
                    self.current = Some(current);
                    return Ok(());
                }
                None => {}
            }
        }
        let unseen = self.unseen(&beside, &current, head.id(), in_place, means.owners);
        means.counts.lost += self.lost(&beside, &current, in_place);
        if in_place {
            means.counts.truncations += 1;
        } else {
            means.counts.rotations += 1;
        }
        means.counts.rotations += unseen.len() as u64;
        if current.is_open() {
            self.older.push_back(current);
        }
        self.older.extend(unseen);
        self.current = Some(Tracked::new(head)?);
        let ids: Vec<_> = self.tracked().filter_map(|tracked| tracked.id).collect();
        self.remember(&beside, &ids);
        Ok(())
    }

    /// The files that came and went while nobody looked: beside the log, written to since, and never seen.
    fn unseen(&self, beside: &[Sibling], current: &Tracked, next: Id, in_place: bool, owners: &Owners) -> Vec<Tracked> {
        let since = current.place.modified.0 - CLOCK;
        let is_ours = |id: Id| id == next || Some(id) == current.id || owners.contains_key(&id);
        let candidates = beside.iter().filter(|sibling| {
            !sibling.compressed && sibling.size > 0 && sibling.modified.0 >= since && !is_ours(sibling.id)
        });
        let mut found = Vec::new();
        for sibling in candidates {
            let Ok(opened) = open(&sibling.path) else { continue };
            // What copytruncate made of the log is the log, once more.
            let is_copy = in_place && !current.place.print.is_empty() && current.is_like(&opened.file);
            if is_copy || self.known.iter().any(|known| known.is(sibling, &opened)) {
                continue;
            }
            found.extend(Tracked::new(opened).ok());
        }
        found
    }

    /// How many files were compressed or removed before they were read.
    fn lost(&self, beside: &[Sibling], current: &Tracked, in_place: bool) -> u64 {
        // Compressing keeps the time of the last write, some programs without the part below a second.
        let last = current.metadata().map_or(current.place.modified.0, |metadata| stamp(&metadata).0);
        let compressed = || beside.iter().filter(|sibling| sibling.compressed);
        let newer = compressed()
            .filter(|sibling| sibling.modified.0 > last && !self.known.iter().any(|known| known.seems(sibling)))
            .count() as u64;
        let is_accounted_for = current.is_open()
            || in_place
            || current.place.size == 0
            || newer > 0
            || compressed().any(|sibling| sibling.modified.0 == last);
        newer + u64::from(!is_accounted_for)
    }

    /// Notes what is beside the log and not followed, so that it is never taken for new.
    fn remember(&mut self, beside: &[Sibling], followed: &[Id]) {
        let before = std::mem::take(&mut self.known);
        let rest = beside.iter().filter(|sibling| !followed.contains(&sibling.id) && sibling.size > 0);
        self.known = rest.filter_map(|sibling| Known::of(sibling, &before)).collect();
        self.known.truncate(KNOWN);
    }

    /// Looks beside the log: for lines that came late to files that were done with, and for what is not to be read.
    pub(super) fn survey<F>(&mut self, index: usize, means: &mut Means<'_, F>) {
        self.surveyed = Some(Instant::now());
        let beside = siblings(&self.path);
        // Whatever has come while the log was not rotated is none of its lines: somebody's copy, or old files unpacked.
        let is_same = |current: &Tracked| {
            current.is_open() && fs::metadata(&self.path).is_ok_and(|metadata| Some(Id::of(&metadata)) == current.id)
        };
        if !self.current.as_ref().is_some_and(is_same) {
            return;
        }
        let followed: Vec<_> = self.tracked().filter_map(|tracked| tracked.id).collect();
        self.remember(&beside, &followed);
        for sibling in beside.iter().filter(|sibling| !sibling.compressed) {
            let grown = |known: &Known| known.seems(sibling) && known.at.is_some_and(|at| at < sibling.size);
            if let Some(place) = self.known.iter().position(grown)
                && let Ok(opened) = open(&sibling.path)
                && let Ok(mut late) = Tracked::new(opened)
            {
                late.place.at = self.known.remove(place).at.unwrap_or_default();
                self.older.push_back(late);
            }
        }
        self.register(index, means.owners);
    }

    /// Reads on, what is older first; whether there is more.
    pub(super) fn read<F: FnMut(&[u8])>(&mut self, means: &mut Means<'_, F>) -> bool {
        match self.try_read(means) {
            Ok(more) => more,
            Err(error) => {
                // It is looked for again: a file on another machine may have gone stale.
                self.current.iter_mut().for_each(Tracked::close);
                self.trouble = Some(error);
                false
            }
        }
    }

    fn try_read<F: FnMut(&[u8])>(&mut self, means: &mut Means<'_, F>) -> io::Result<bool> {
        loop {
            for older in &mut self.older {
                match older.read(means.buffer, means.until, means.limits, means.counts, means.each) {
                    Ok(Reading::Late) => return Ok(true),
                    Ok(Reading::End) => {}
                    // Nobody writes another log into a file that was rotated out: what is there now was not appended.
                    Ok(Reading::Replaced) => older.close(),
                    Err(error) => {
                        means.counts.lost += 1;
                        older.close();
                        self.trouble = Some(error);
                    }
                }
            }
            self.finish_older(means)?;
            let Some(current) = &mut self.current else { return Ok(false) };
            match current.read(means.buffer, means.until, means.limits, means.counts, means.each)? {
                Reading::Late => return Ok(true),
                Reading::End => {
                    self.rest(means)?;
                    return Ok(false);
                }
                Reading::Replaced => {
                    current.close();
                    let head = open(&self.path)?;
                    self.change(head, means)?;
                    if Instant::now() >= means.until {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Is done with files that were rotated out, when nobody writes to them any more.
    fn finish_older<F: FnMut(&[u8])>(&mut self, means: &mut Means<'_, F>) -> io::Result<()> {
        let is_succeeded = self.current.as_ref().is_some_and(|current| {
            current.place.at > 0 || current.metadata().is_some_and(|metadata| metadata.len() > 0)
        });
        while let Some(oldest) = self.older.front() {
            let is_over = !oldest.is_open() || is_succeeded && oldest.active.elapsed() >= means.limits.quiet;
            if !is_over && self.older.len() <= OLDER {
                break;
            }
            let Some(mut oldest) = self.older.pop_front() else { break };
            oldest.finish(means.buffer, means.limits, means.counts, means.each)?;
            self.known.push(Known {
                inode: oldest.place.inode,
                print: oldest.place.print,
                at: Some(oldest.place.at),
                size: oldest.place.size,
                modified: oldest.place.modified,
            });
        }
        Ok(())
    }

    /// Lets go of a file that nobody writes to: one that was removed after a while, others after long.
    fn rest<F: FnMut(&[u8])>(&mut self, means: &mut Means<'_, F>) -> io::Result<()> {
        let Some(current) = self.current.as_mut().filter(|current| current.is_open()) else { return Ok(()) };
        let silent = current.active.elapsed();
        if self.missing_since.is_some() && silent >= means.limits.quiet {
            if current.metadata().is_some_and(|metadata| metadata.nlink() == 0) {
                current.finish(means.buffer, means.limits, means.counts, means.each)?;
                self.current = None;
            }
        } else if silent >= means.limits.rest {
            current.close();
        }
        Ok(())
    }
}

/// The file that is tracked, under the name that it has now; or a copy of it that has all of it and more.
fn find(beside: &[Sibling], tracked: &Tracked, owners: &Owners) -> Option<Opened> {
    let open_if_it = |sibling: &Sibling| {
        let opened = open(&sibling.path).ok()?;
        let is_it = !sibling.compressed && sibling.size >= tracked.place.at && tracked.is_like(&opened.file);
        (is_it && !owners.contains_key(&opened.id())).then_some(opened)
    };
    let same = beside.iter().filter(|sibling| sibling.id.inode == tracked.place.inode).find_map(open_if_it);
    let is_telling = tracked.place.print.is_telling();
    same.or_else(|| beside.iter().rev().filter(|_| is_telling).find_map(open_if_it))
}

impl Known {
    /// What is to be remembered of a file, knowing what was remembered before.
    fn of(sibling: &Sibling, before: &[Self]) -> Option<Self> {
        let new =
            |print, at| Self { inode: sibling.id.inode, print, at, size: sibling.size, modified: sibling.modified };
        if let Some(same) = before.iter().find(|known| known.seems(sibling)) {
            return Some(new(same.print, same.at));
        }
        let opened = open(&sibling.path).ok()?;
        let at = before.iter().find(|known| known.is(sibling, &opened)).and_then(|known| known.at);
        Some(new(Fingerprint::of(&opened.file).ok()?, at))
    }

    /// Whether nothing tells the file from the one that was seen.
    fn seems(&self, sibling: &Sibling) -> bool {
        (self.inode, self.size, self.modified) == (sibling.id.inode, sibling.size, sibling.modified)
    }

    /// Whether it is the one that was seen.
    fn is(&self, sibling: &Sibling, opened: &Opened) -> bool {
        let mut print = self.print;
        self.inode == sibling.id.inode && !print.is_empty() && print.is_of(&opened.file).unwrap_or(false)
    }
}
