//! The change from one file to the next: which it was, and what came and went in between.

use super::Counts;
use super::fingerprint::{Beginning, Fingerprint};
use super::known::Known;
use super::log::Owners;
use super::siblings::{Beside, Sibling};
use super::tracked::{Id, Opened, Tracked, stamp};

/// By how much a clock that was set back may make a file look older than its predecessor, in seconds.
const CLOCK: i64 = 60;

/// How often we look again when files are renamed while we look.
pub(super) const TRIES: usize = 10;

/// What has become of the file that was at a log's path, now that another is there or it is not known which it is.
pub(super) struct Change {
    /// Where the file that was there is now: the same file, or a copy of it that has all of it.
    pub(super) found: Option<Opened>,
    /// The files that came and went since, the oldest first.
    pub(super) unseen: Vec<Tracked>,
    /// Whether it was emptied, and is there still.
    pub(super) in_place: bool,
    /// What the file that is there now began with: should it be emptied before it is read, its copy is known by that.
    pub(super) print: Fingerprint,
    /// How many files were compressed or removed before they were read.
    pub(super) lost: u64,
    /// What was beside the log when this was found out.
    pub(super) beside: Beside,
}

/// What is known when a change is looked into.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    /// What was at the path.
    pub(super) current: &'a Tracked,
    /// The files that are followed already.
    pub(super) followed: &'a [Id],
    pub(super) known: &'a [Known],
    pub(super) owners: &'a Owners,
}

impl Change {
    /// Looks what has become of `before.current`, where `head` is at the path now.
    pub(super) fn from(before: Before<'_>, head: &Opened, look: impl Fn() -> Beside) -> Self {
        let mut tries = 0;
        loop {
            let change = Self::once(before, head, look());
            tries += 1;
            if !change.beside.has_moved() || tries == TRIES {
                return change;
            }
        }
    }

    fn once(before: Before<'_>, head: &Opened, beside: Beside) -> Self {
        let Before { current, followed, known, owners } = before;
        let in_place = current.place.inode == head.id().inode;
        let found = if current.is_open() { None } else { find(&beside, current, owners) };
        let taken = found.as_ref().map(Opened::id);
        // After it was looked what is beside: whatever is a copy of what came before this beginning, is whole.
        let beginning = Beginning::of(&head.file);
        // What copytruncate made of the log is the log, once more; and it copies a good while before it empties.
        let is_copy = |opened: &Opened| {
            let was_copied = !current.place.print.is_empty() && current.is_like(&opened.file);
            in_place && (was_copied || beginning.is_copied_to(&opened.file))
        };
        let is_ours = |id: Id| [Some(head.id()), current.id, taken].contains(&Some(id)) || followed.contains(&id);
        let unseen = unseen(&beside, since(current), known, |id| is_ours(id) || owners.contains_key(&id), is_copy);
        let lost = lost(&beside, current, current.is_open() || found.is_some() || in_place, known);
        Self { found, unseen, in_place, print: beginning.print(), lost, beside }
    }

    /// Counts it.
    pub(super) fn count(&self, counts: &mut Counts) {
        // What came and went, did so in the same way.
        let changes = 1 + self.unseen.len() as u64;
        if self.in_place {
            counts.truncations += changes;
        } else {
            counts.rotations += changes;
        }
        counts.lost += self.lost;
    }
}

/// The file that is tracked, under the name that it has now; or a copy of it that has all that was read and maybe more.
pub(super) fn find(beside: &Beside, tracked: &Tracked, owners: &Owners) -> Option<Opened> {
    let open_if_it = |sibling: &Sibling| {
        if sibling.compressed || sibling.size < tracked.place.at {
            return None;
        }
        let is_free = |opened: &Opened| tracked.id == Some(opened.id()) || !owners.contains_key(&opened.id());
        beside.open(sibling).filter(|opened| tracked.is_like(&opened.file) && is_free(opened))
    };
    let same = beside.all.iter().filter(|sibling| sibling.id.inode == tracked.place.inode).find_map(open_if_it);
    let is_telling = tracked.place.print.is_telling();
    same.or_else(|| beside.all.iter().rev().filter(|_| is_telling).find_map(open_if_it))
}

/// Since when a file must have been written to that came after this one: not before this one was last looked at.
pub(super) fn since(current: &Tracked) -> i64 {
    current.place.modified.0 - CLOCK
}

/// The files that came and went while nobody looked: beside the log, written to since, and never seen.
pub(super) fn unseen(
    beside: &Beside,
    since: i64,
    known: &[Known],
    is_taken: impl Fn(Id) -> bool,
    is_copy: impl Fn(&Opened) -> bool,
) -> Vec<Tracked> {
    let is_candidate = |sibling: &&Sibling| !sibling.compressed && sibling.modified.0 >= since && !is_taken(sibling.id);
    let open = |sibling: &Sibling| {
        let opened = beside.open(sibling)?;
        let is_new = !is_copy(&opened) && !known.iter().any(|known| known.is(&opened));
        is_new.then(|| Tracked::new(opened))
    };
    beside.all.iter().filter(is_candidate).filter_map(open).collect()
}

/// How many files were compressed or removed before they were read.
fn lost(beside: &Beside, current: &Tracked, is_there: bool, known: &[Known]) -> u64 {
    // Compressing keeps the time of the last write, some programs without the part below a second.
    let last = current.metadata().map_or(current.place.modified.0, |metadata| stamp(&metadata).0);
    let compressed = || beside.all.iter().filter(|sibling| sibling.compressed);
    let is_new = |sibling: &&Sibling| !known.iter().any(|known| known.seems(sibling));
    let newer = compressed().filter(|sibling| sibling.modified.0 > last).filter(is_new).count() as u64;
    let was_compressed = newer > 0 || compressed().any(|sibling| sibling.modified.0 == last);
    newer + u64::from(!is_there && !was_compressed && current.place.size > 0)
}
