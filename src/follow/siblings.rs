//! The files beside a log that it was rotated to.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::tracked::{Id, Opened, Stamp, open, stamp};

/// The most that are looked at beside one log, the newest: logrotate keeps 14 by default, hosters a year of days.
const MOST: usize = 400;

/// How often a folder is listed at most when files are renamed all the time.
const TRIES: usize = 10;

/// The ends of names of files that cannot be read as they are.
const COMPRESSED: [&str; 7] = ["gz", "bz2", "xz", "zst", "lz4", "zip", "Z"];

/// The ends that people give to a log they put away by hand.
const PUT_AWAY: [&str; 4] = ["old", "bak", "prev", "orig"];

/// A file that a log may have been rotated to.
#[derive(Debug)]
pub(super) struct Sibling {
    pub(super) path: PathBuf,
    pub(super) id: Id,
    pub(super) size: u64,
    pub(super) modified: Stamp,
    pub(super) compressed: bool,
}

/// What was beside a log at one moment.
pub(super) struct Beside {
    /// The files that it may have been rotated to, the oldest first; none when the folder may not be listed.
    pub(super) all: Vec<Sibling>,
    /// Whether one was not any more where it was when it was to be opened.
    moved: Cell<bool>,
}

impl Beside {
    /// What is beside this path when nothing is being renamed there: a folder's list that is read meanwhile may have a
    /// file twice, or not at all.
    pub(super) fn at_rest(path: &Path) -> Self {
        let names = |beside: &Self| beside.all.iter().map(|one| (one.path.clone(), one.id)).collect::<BTreeMap<_, _>>();
        let mut last = Self::of(path);
        for _ in 0..TRIES {
            let next = Self::of(path);
            if names(&last) == names(&next) {
                return next;
            }
            last = next;
        }
        last
    }

    /// What is beside this path now.
    pub(super) fn of(path: &Path) -> Self {
        let mut all = Vec::new();
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            list(folder, name, &mut all);
        }
        // logrotate renames where a link leads to.
        if let Ok(real) = fs::canonicalize(path)
            && let (Some(folder), Some(name)) = (real.parent(), real.file_name())
            && (Some(folder), Some(name)) != (path.parent(), path.file_name())
        {
            list(folder, name, &mut all);
        }
        // Of two that were written to in the same tick of the kernel's clock, `.2` is older than `.1`, and of two dates
        // the smaller one.
        all.sort_by_cached_key(|sibling| (sibling.modified, age(&sibling.path), sibling.path.clone()));
        all.dedup_by_key(|sibling| sibling.id);
        let all = all.split_off(all.len().saturating_sub(MOST));
        Self { all, moved: Cell::new(false) }
    }

    /// Opens one of them, unless it was renamed since: another file may have its name by now.
    pub(super) fn open(&self, sibling: &Sibling) -> Option<Opened> {
        let opened = open(&sibling.path);
        match opened {
            Ok(opened) if opened.id() == sibling.id => Some(opened),
            Err(error) if error.kind() != io::ErrorKind::NotFound => None,
            _ => {
                self.moved.set(true);
                None
            }
        }
    }

    /// Whether a rotation was going on while we looked, so that it is worth another look.
    pub(super) fn has_moved(&self) -> bool {
        self.moved.get()
    }
}

fn list(folder: &Path, base: &OsStr, found: &mut Vec<Sibling>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !is_rotated(base, &name) {
            continue;
        }
        // Not through a link, which leads to a file that has a name of its own.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            found.push(Sibling {
                path: entry.path(),
                id: Id::of(&metadata),
                size: metadata.len(),
                modified: stamp(&metadata),
                compressed: is_compressed(&name),
            });
        }
    }
}

/// Whether a file name ends as compressed files do.
pub(super) fn is_compressed(name: &OsStr) -> bool {
    Path::new(name).extension().is_some_and(|end| COMPRESSED.iter().any(|known| end == *known))
}

/// Whether a log of this name is rotated to files of that one: `access.log.1`, `access.log-20261123.gz`,
/// `access.log.old`, `access-20261123.log`.
pub(super) fn is_rotated(base: &OsStr, name: &OsStr) -> bool {
    let (base, mut name) = (base.as_bytes(), name.as_bytes());
    if is_compressed(OsStr::from_bytes(name)) {
        let end = name.iter().rposition(|byte| *byte == b'.').unwrap_or(name.len());
        name = &name[..end];
        if name == base {
            return true;
        }
    }
    if let Some(rest) = name.strip_prefix(base) {
        return is_mark(rest);
    }
    // logrotate's `extension`, which goes after the number or the date.
    let Some(dot) = base.iter().rposition(|byte| *byte == b'.') else { return false };
    let (stem, end) = base.split_at(dot);
    let middle = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(end));
    // `shop-2.log` may be another shop's; a date is longer.
    middle.is_some_and(|middle| is_mark(middle) && (middle[0] == b'.' || middle.len() > 6))
}

/// Whether this is what a rotation adds to a name: a number, a date and time, or a word of those who do it by hand.
fn is_mark(mark: &[u8]) -> bool {
    let [b'.' | b'-' | b'_', rest @ ..] = mark else { return false };
    let is_of_time = |byte: &u8| byte.is_ascii_digit() || b".-_:T".contains(byte);
    let is_time = rest.first().is_some_and(u8::is_ascii_digit) && rest.iter().all(is_of_time);
    is_time || PUT_AWAY.iter().any(|word| word.as_bytes() == rest)
}

/// A key by which names sort from the oldest to the newest: counting numbers go down as files get younger, dates up.
fn age(path: &Path) -> Reverse<u32> {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let digits = name.rsplit(|byte| !byte.is_ascii_digit()).find(|digits| !digits.is_empty()).unwrap_or_default();
    let number = (digits.len() < 6).then(|| str::from_utf8(digits).ok()?.parse().ok()).flatten();
    Reverse(number.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_is_rotated_to_is_told_from_other_logs() {
        for (base, name, expected) in [
            ("access.log", "access.log.1", true),
            ("access.log", "access.log.14.gz", true),
            ("access.log", "access.log.gz", true),
            ("access.log", "access.log-20261123", true),
            ("access.log", "access.log-20261123-1763856000.zst", true),
            ("access.log", "access.log.2026-11-23T10:00", true),
            ("access.log", "access.log_2026", true),
            ("access.log", "access.log.old", true),
            ("access.log", "access-20261123.log", true),
            ("access.log", "access.1.log", true),
            ("access.log", "access.1.log.gz", true),
            ("access.log", "access.log", false),
            ("access.log", "access-2.log", false),
            ("access.log", "access-shop2.log", false),
            ("access.log", "access.log.shop2", false),
            ("access.log", "access.log1", false),
            ("access.log", "access.log.", false),
            ("access.log", "error.log.1", false),
            ("access_log", "access_log.1", true),
            ("access_log", "access_log-20261123", true),
            ("access_log", "access.1_log", false),
        ] {
            assert_eq!(is_rotated(base.as_ref(), name.as_ref()), expected, "{base} {name}");
        }
    }

    #[test]
    fn of_those_of_one_moment_the_names_tell_the_age() {
        let mut names = ["a.log.1", "a.log.10", "a.log.2"].map(Path::new);
        names.sort_by_key(|path| age(path));
        assert_eq!(names, ["a.log.10", "a.log.2", "a.log.1"].map(Path::new));
    }
}
