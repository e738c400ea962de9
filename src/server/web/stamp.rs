//! Whether files are still the ones that were read, without reading them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What of a file changes with its content or when another takes its place; `None` for one that cannot be looked at.
type Stamp = Option<[i64; 7]>;

/// Files, and what they looked like.
pub(super) struct Stamps(Vec<(PathBuf, Stamp)>);

impl Stamps {
    /// These files as they are now.
    pub(super) fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(paths.into_iter().map(|path| (stamp(&path), path)).map(|(stamp, path)| (path, stamp)).collect())
    }

    /// The same files as they are now.
    pub(super) fn again(&self) -> Self {
        Self::of(self.0.iter().map(|(path, _)| path.clone()))
    }

    /// Whether one of them is another than it was.
    pub(super) fn are_old(&self) -> bool {
        self.0.iter().any(|(path, seen)| stamp(path) != *seen)
    }

    /// Whether they are of these files.
    pub(super) fn are_of(&self, paths: &[PathBuf]) -> bool {
        self.0.iter().map(|(path, _)| path).eq(paths)
    }
}

#[expect(clippy::cast_possible_wrap, reason = "compared with itself only")]
fn stamp(path: &Path) -> Stamp {
    let file = fs::metadata(path).ok()?;
    let content = [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()];
    let [mtime, mtime_nsec, ctime, ctime_nsec] = content;
    Some([file.dev() as i64, file.ino() as i64, file.size() as i64, mtime, mtime_nsec, ctime, ctime_nsec])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_replaced_or_gone_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::write(path("a"), "1").unwrap();
        let changed = |change: &dyn Fn()| {
            let stamps = Stamps::of([path("a")]);
            assert!(!stamps.are_old());
            change();
            stamps.are_old()
        };
        assert!(changed(&|| fs::write(path("a"), "22").unwrap()));
        assert!(changed(&|| {
            fs::write(path("b"), "33").unwrap();
            fs::rename(path("b"), path("a")).unwrap();
        }));
        assert!(changed(&|| fs::remove_file(path("a")).unwrap()));
        assert!(changed(&|| fs::write(path("a"), "").unwrap()));
    }
}
