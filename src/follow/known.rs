//! The files beside a log that are not to be read, or no further than they were.

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::siblings::{Beside, Sibling};
use super::tracked::{Id, Opened, Place, Stamp, Tracked};

/// How many files are remembered that are not there any more, for all that is known.
const MISSING: usize = 32;

/// A file that is done with, or older than what was followed first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) inode: u64,
    print: Fingerprint,
    /// How far it was read, when it was followed.
    pub(super) at: Option<u64>,
    /// Its size and last write when it was last seen, by which it is known without opening it.
    size: u64,
    modified: Stamp,
}

impl Known {
    /// Adds a file that was followed and is done with.
    pub(super) fn add_finished(all: &mut Vec<Self>, tracked: &Tracked) {
        let Place { inode, at, print, size, modified, .. } = tracked.place;
        all.retain(|known| known.inode != inode);
        all.push(Self { inode, print, at: Some(at), size, modified });
    }

    /// Whether nothing tells the file from the one that was seen.
    pub(super) fn seems(&self, sibling: &Sibling) -> bool {
        (self.inode, self.size, self.modified) == (sibling.id.inode, sibling.size, sibling.modified)
    }

    /// Whether it is the one that was seen. One that was empty may be any by now, unless it was ours.
    pub(super) fn is(&self, opened: &Opened) -> bool {
        let mut print = self.print;
        let says_something = !print.is_empty() || self.at.is_some();
        self.inode == opened.id().inode && says_something && print.is_of(&opened.file).unwrap_or(false)
    }

    /// Whether lines have come to it since it was done with.
    pub(super) fn has_grown_to(&self, sibling: &Sibling) -> bool {
        self.seems(sibling) && self.at.is_some_and(|at| at < sibling.size)
    }
}

/// What is to be known of the files beside a log that are not followed, so that none is ever taken for new; `before` is
/// what was known.
pub(super) fn known(beside: &Beside, followed: &[Id], before: &[Known]) -> Vec<Known> {
    let update = |sibling: &Sibling| {
        let (inode, size, modified) = (sibling.id.inode, sibling.size, sibling.modified);
        if let Some(same) = before.iter().find(|known| known.seems(sibling)) {
            return Some(same.clone());
        }
        let opened = beside.open(sibling)?;
        let at = before.iter().find(|known| known.is(&opened)).and_then(|known| known.at);
        Some(Known { inode, print: Fingerprint::of(&opened.file).ok()?, at, size, modified })
    };
    let listed: Vec<_> =
        beside.all.iter().filter(|sibling| !followed.contains(&sibling.id)).filter_map(update).collect();
    // What was not found may have been renamed while we looked. Should it be gone, its number may be another file's by
    // now, which its fingerprint tells.
    let is_missing = |known: &&Known| listed.iter().all(|other| other.inode != known.inode);
    let missing: Vec<_> = before.iter().filter(is_missing).cloned().collect();
    let kept = missing.len().saturating_sub(MISSING);
    missing.into_iter().skip(kept).chain(listed).collect()
}
