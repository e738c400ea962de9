//! A walk through a tree that cannot be longer than it may: level by level, the names of a folder in their order.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How far a walk goes at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// How deep: the names in the folder itself are at depth 1.
    pub(super) depth: usize,
    /// How many entries are looked at.
    pub(super) entries: usize,
    /// Names of files that are not looked at, and cost next to nothing.
    pub(super) passed_over: fn(&OsStr) -> bool,
    /// How long it takes.
    pub(super) time: Duration,
}

/// Something on the way.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Where, below the folder that the walk began in.
    pub(super) path: &'a Path,
    /// Its name.
    pub(super) name: &'a OsStr,
    /// What it is; links are links.
    pub(super) kind: FileType,
    /// How deep.
    pub(super) depth: usize,
}

/// How a walk ended.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Folders that could not be listed, below the one that it began in.
    pub(super) closed: Vec<(PathBuf, io::Error)>,
    /// The first folder that lies deeper than it may go.
    pub(super) too_deep: Option<PathBuf>,
    /// Whether it came to its end, and saw all names as deep as it goes; else a bound has ended it.
    pub(super) is_complete: bool,
}

/// The most names that are read of one folder, looked at or not.
const NAMES: usize = 1_000_000;

/// Nothing is passed over.
pub(super) fn nothing(_: &OsStr) -> bool {
    false
}

/// Walks through a folder. `visit` says of each folder whether it is to be walked through, too; no link is followed.
pub(super) fn walk(root: &Path, bounds: Bounds, visit: &mut dyn FnMut(&Entry<'_>) -> bool) -> Walked {
    let mut walk = Walk::new();
    let is_over = walk.go_on(root, bounds, visit);
    walk.walked.is_complete &= is_over;
    walk.walked
}

/// A walk that takes as many turns as it needs.
#[derive(Debug)]
pub(super) struct Walk {
    /// The folders that are still to be looked into, each with the depth of the names in it.
    folders: VecDeque<(PathBuf, usize)>,
    /// How many entries were looked at.
    seen: usize,
    /// How it is going.
    pub(super) walked: Walked,
}

impl Walk {
    /// One that is about to begin.
    pub(super) fn new() -> Self {
        let folders = VecDeque::from([(PathBuf::new(), 1)]);
        Self { folders, seen: 0, walked: Walked { is_complete: true, ..Walked::default() } }
    }

    /// Goes on for as long as the bounds say, one folder at least. Whether it is over.
    pub(super) fn go_on(&mut self, root: &Path, bounds: Bounds, visit: &mut dyn FnMut(&Entry<'_>) -> bool) -> bool {
        let start = Instant::now();
        while let Some((folder, depth)) = self.folders.pop_front() {
            self.enter(root, folder, depth, bounds, visit);
            if start.elapsed() > bounds.time {
                break;
            }
        }
        self.folders.is_empty()
    }

    fn enter(
        &mut self,
        root: &Path,
        folder: PathBuf,
        depth: usize,
        bounds: Bounds,
        visit: &mut dyn FnMut(&Entry<'_>) -> bool,
    ) {
        let entries = match fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) => return self.walked.closed.push((folder, error)),
        };
        let left = bounds.entries - self.seen;
        let mut names: Vec<(OsString, FileType)> = Vec::new();
        for (read, entry) in entries.enumerate() {
            if read == NAMES {
                self.walked.is_complete = false;
                break;
            }
            match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
                Ok((name, kind)) if kind.is_dir() || !(bounds.passed_over)(&name) => names.push((name, kind)),
                Ok(_) => {}
                // It went while we looked.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => self.walked.is_complete = false,
            }
            // One more than there may be tells that there are more.
            if names.len() > left {
                self.walked.is_complete = false;
                return self.folders.clear();
            }
        }
        self.seen += names.len();
        names.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, kind) in names {
            let path = folder.join(&name);
            let entry = Entry { path: &path, name: &name, kind, depth };
            if !visit(&entry) || !kind.is_dir() {
                continue;
            }
            if depth < bounds.depth {
                self.folders.push_back((path, depth + 1));
            } else if self.walked.too_deep.is_none() {
                self.walked.too_deep = Some(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path, depth: usize, entries: usize) -> (Vec<String>, bool) {
        let mut names = Vec::new();
        let bounds = Bounds { depth, entries, passed_over: |name| name == "cat.jpg", time: Duration::from_mins(1) };
        let walked = walk(root, bounds, &mut |entry| {
            names.push(entry.path.display().to_string());
            entry.name != "closed"
        });
        (names, walked.is_complete)
    }

    #[test]
    fn a_walk_goes_level_by_level_and_ends_at_its_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("a/b/c")).unwrap();
        fs::create_dir_all(root.join("closed/x")).unwrap();
        fs::write(root.join("z"), "").unwrap();
        fs::write(root.join("cat.jpg"), "").unwrap();
        std::os::unix::fs::symlink("..", root.join("up")).unwrap();
        let all = ["a", "closed", "up", "z", "a/b", "a/b/c"];
        assert_eq!(names(root, 9, 6), (all.map(str::to_owned).to_vec(), true));
        assert_eq!(names(root, 2, 6), (all[..5].iter().map(|&name| name.to_owned()).collect(), true));
        assert_eq!(names(root, 9, 5), (all[..5].iter().map(|&name| name.to_owned()).collect(), false));
        assert_eq!(names(root, 9, 3), (vec![], false), "half a folder is none");
    }

    #[test]
    fn a_walk_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b/c")).unwrap();
        let bounds = Bounds { depth: 2, entries: 9, passed_over: nothing, time: Duration::ZERO };
        let (mut walk, mut seen, mut turns) = (Walk::new(), Vec::new(), 1);
        while !walk.go_on(folder.path(), bounds, &mut |entry| {
            seen.push(entry.path.display().to_string());
            true
        }) {
            turns += 1;
        }
        assert_eq!((turns, seen), (2, vec!["a".to_owned(), "a/b".to_owned()]));
        assert_eq!(walk.walked.too_deep, Some("a/b".into()), "what is in it was not seen");
    }

    #[test]
    fn a_folder_that_is_gone_is_told() {
        let bounds = Bounds { depth: 1, entries: 1, passed_over: nothing, time: Duration::from_secs(1) };
        let walked = walk(Path::new("/none/such"), bounds, &mut |_| true);
        assert_eq!(walked.closed.len(), 1);
    }
}
