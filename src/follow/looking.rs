//! Looking what is at a log's path and beside it, and the change from one file to the next.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::time::Instant;

use super::change::{Before, Change, TRIES, find, since, unseen};
use super::fingerprint::Beginning;
use super::known::{Known, known};
use super::log::{Log, Means};
use super::siblings::Beside;
use super::tracked::{Id, Opened, Tracked, is_file, open};

impl Log {
    /// Looks what is at the path now.
    pub(super) fn look<F>(&mut self, index: usize, means: &mut Means<'_, F>) {
        self.locate_older(means);
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
        if self.current.is_none() {
            return self.begin(means);
        }
        let head = open(&self.path)?;
        self.change(head, means);
        Ok(())
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

    /// Finds those files after a restart that were rotated out before it and not finished.
    fn locate_older<F>(&mut self, means: &mut Means<'_, F>) {
        if self.older.iter().all(|older| older.id.is_some()) {
            return;
        }
        let mut tries = 0;
        while tries < TRIES && self.older.iter().any(|older| older.id.is_none()) {
            let beside = Beside::at_rest(&self.path);
            for older in self.older.iter_mut().filter(|older| older.id.is_none()) {
                if let Some(found) = find(&beside, older, means.owners) {
                    older.attach(found);
                }
            }
            tries = if beside.has_moved() { tries + 1 } else { TRIES };
        }
        for gone in self.older.extract_if(.., |older| older.id.is_none()) {
            // Compressed or removed since, as files are that are finished.
            means.counts.lost += u64::from(gone.place.size > gone.place.at);
            Known::add_finished(&mut self.known, &gone);
        }
    }

    /// Nothing is at the path: whatever comes is new, and what was there may be beside it.
    fn miss<F>(&mut self, means: &mut Means<'_, F>) {
        if self.missing_since.is_some() {
            return;
        }
        self.missing_since = Some(Instant::now());
        let beside = Beside::at_rest(&self.path);
        match &mut self.current {
            None if self.awaited => {}
            None => {
                self.awaited = true;
                self.remember(&beside);
            }
            Some(current) if current.is_open() => {}
            Some(current) => {
                if let Some(opened) = find(&beside, current, means.owners) {
                    current.attach(opened);
                }
            }
        }
    }

    /// Begins with what is at the path, where nothing was known of it.
    fn begin<F>(&mut self, means: &mut Means<'_, F>) -> io::Result<()> {
        // Before the file is opened: what is rotated out while we look is not of before our time.
        let before = Beside::at_rest(&self.path);
        let head = open(&self.path)?;
        if !self.awaited {
            self.current = Some(Tracked::from(head, self.start, means.buffer, means.limits)?);
            self.remember(&before);
            return Ok(());
        }
        self.awaited = false;
        let id = head.id();
        let is_taken = |other: Id| other == id || means.owners.contains_key(&other);
        let beside = Beside::at_rest(&self.path);
        let unseen = unseen(&beside, i64::MIN, &self.known, is_taken, |_| false);
        means.counts.rotations += unseen.len() as u64;
        self.older.extend(unseen);
        self.current = Some(Tracked::new(head));
        self.remember(&beside);
        Ok(())
    }

    /// Another file is at the path than the one that is open, or we do not know yet which it is.
    pub(super) fn change<F>(&mut self, head: Opened, means: &mut Means<'_, F>) {
        let Some(mut current) = self.current.take() else { return };
        let is_same = !current.is_open() && current.is_like(&head.file);
        if is_same && current.place.inode == head.id().inode {
            if current.place.print.is_empty() {
                self.take_copies(&mut current, &head, means);
            }
            current.attach(head);
            self.current = Some(current);
            return;
        }
        let followed = self.followed();
        let before = Before { current: &current, followed: &followed, known: &self.known, owners: means.owners };
        let change = Change::from(before, &head, || Beside::at_rest(&self.path));
        let is_long = head.metadata.len() >= current.place.at || current.place.print.is_whole();
        let is_moved = is_same && current.place.print.is_telling() && is_long;
        if change.found.is_none() && is_moved {
            // As after a move to another disk.
            current.attach(head);
            self.current = Some(current);
            return;
        }
        change.count(means.counts);
        let copied = copied(&current, &head);
        let mut next = Tracked::new(head);
        (next.place.at, next.place.print) = if copied > 0 { (copied, current.place.print) } else { (0, change.print) };
        if let Some(found) = change.found {
            current.attach(found);
        }
        if current.is_open() {
            self.older.push(current);
        } else {
            Known::add_finished(&mut self.known, &current);
        }
        self.older.extend(change.unseen);
        self.current = Some(next);
        self.remember(&change.beside);
    }

    /// Takes what a log was copied to that was empty when it was last looked at: it may have been filled and emptied
    /// since, which its beginning does not tell.
    fn take_copies<F>(&mut self, current: &mut Tracked, head: &Opened, means: &mut Means<'_, F>) {
        let followed = self.followed();
        let is_taken = |id: Id| id == head.id() || followed.contains(&id) || means.owners.contains_key(&id);
        let beside = Beside::at_rest(&self.path);
        // After it was looked what is beside, and as of now: should it be emptied while we look, it is known what it was.
        let beginning = Beginning::of(&head.file);
        current.place.print = beginning.print();
        let is_copy = |opened: &Opened| beginning.is_copied_to(&opened.file);
        let unseen = unseen(&beside, since(current), &self.known, is_taken, is_copy);
        means.counts.truncations += unseen.len() as u64;
        self.older.extend(unseen);
    }

    fn remember(&mut self, beside: &Beside) {
        self.known = known(beside, &self.followed(), &self.known);
    }

    /// Looks beside the log: for lines that came late to files that were done with, and for what is not to be read.
    pub(super) fn survey<F>(&mut self, index: usize, means: &mut Means<'_, F>) {
        self.surveyed = Some(Instant::now());
        let beside = Beside::at_rest(&self.path);
        let Some(current) = self.current.as_ref().filter(|current| current.is_open()) else { return };
        match fs::metadata(&self.path) {
            // Whatever has come while the log was not rotated is none of its lines: somebody's copy, or old files
            // unpacked.
            Ok(metadata) if Some(Id::of(&metadata)) == current.id => {}
            // It was rotated more than once, and nobody has begun another.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let followed = self.followed();
                let is_taken = |id: Id| followed.contains(&id) || means.owners.contains_key(&id);
                let unseen = unseen(&beside, since(current), &self.known, is_taken, |_| false);
                means.counts.rotations += unseen.len() as u64;
                self.older.extend(unseen);
            }
            _ => return,
        }
        self.remember(&beside);
        for sibling in &beside.all {
            if let Some(place) = self.known.iter().position(|known| known.has_grown_to(sibling))
                && let Some(opened) = beside.open(sibling)
            {
                let mut late = Tracked::new(opened);
                late.place.at = self.known[place].at.unwrap_or_default();
                self.known.retain(|known| known.inode != late.place.inode);
                self.older.push(late);
            }
        }
        self.register(index, means.owners);
    }
}

/// How much of a new file is of the one that it has replaced: what `sed -i` and editors leave is a copy, under its name.
fn copied(current: &Tracked, head: &Opened) -> u64 {
    let Some(metadata) = current.metadata().filter(|metadata| metadata.nlink() == 0) else { return 0 };
    let is_copy = current.place.print.is_telling() && current.is_like(&head.file);
    if is_copy { metadata.len().min(head.metadata.len()) } else { 0 }
}
