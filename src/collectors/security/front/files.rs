//! What stands on the host's disk, as nginx would find it: links are followed inside of the host's root.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use crate::collectors::security::seen::Mode;
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::machine::beginning;

/// The most links that lead to one file, as the kernel has it (`path_resolution(7)`).
const LINKS: usize = 40;

/// The files of the host.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    root: PathBuf,
    /// Files that are taken to be there although they are not.
    planted: BTreeSet<PathBuf>,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Missing,
}

impl Files {
    /// Those below `root`, the host's root file system.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), planted: BTreeSet::new() }
    }

    /// The same with files that somebody might have put there.
    pub(super) fn with(&self, planted: &[PathBuf]) -> Self {
        Self { root: self.root.clone(), planted: planted.iter().cloned().collect() }
    }

    /// The text of a file of the host; a longer one is none that we know.
    pub(super) fn text(&self, path: &Path, limit: u64) -> Known<String> {
        let told = |error: &io::Error| unread(path, error);
        let found = self.resolved(path).map_err(|error| told(&error))?;
        let text = beginning(&self.inside(&found), limit + 1).map_err(|error| told(&error))?;
        if text.len() as u64 > limit {
            return Err(Unknown::new(Cause::Unsupported, format!("{} is longer than {limit} bytes", path.display())));
        }
        Ok(text)
    }

    /// What a path of the host leads to.
    pub(super) fn kind(&self, path: &str) -> Known<Kind> {
        let plain = Path::new(path);
        let kind = match self.metadata(plain) {
            Ok(metadata) if metadata.is_dir() => Kind::Folder,
            Ok(_) => Kind::File,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(unread(plain, &error)),
            Err(_) if self.planted.contains(plain) => Kind::File,
            Err(_) if self.planted.iter().any(|file| file.starts_with(plain)) => Kind::Folder,
            Err(_) => Kind::Missing,
        };
        // A slash behind a file is an error of its own to the kernel; `Path` does not see it.
        Ok(if path.ends_with('/') && kind == Kind::File { Kind::Missing } else { kind })
    }

    /// What `stat` says of a path of the host.
    pub(super) fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        fs::symlink_metadata(self.inside(&self.resolved(path)?))
    }

    /// The same, to be kept.
    pub(super) fn mode(&self, path: &Path) -> io::Result<Mode> {
        let path = self.resolved(path)?;
        let found = fs::symlink_metadata(self.inside(&path))?;
        Ok(Mode { path, mode: found.mode() & 0o7777, uid: found.uid(), gid: found.gid() })
    }

    /// A path of the host with all links in it followed.
    pub(super) fn resolved(&self, path: &Path) -> io::Result<PathBuf> {
        let mut found = PathBuf::from("/");
        let mut ahead: Vec<PathBuf> = parts(path);
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            if part == Path::new("..") {
                found.pop();
                continue;
            }
            let next = found.join(&part);
            if fs::symlink_metadata(self.inside(&next))?.file_type().is_symlink() {
                links += 1;
                if links > LINKS {
                    return Err(io::Error::other("too many links"));
                }
                let target = fs::read_link(self.inside(&next))?;
                if target.is_absolute() {
                    found = PathBuf::from("/");
                }
                ahead.extend(parts(&target));
            } else {
                found = next;
            }
        }
        Ok(found)
    }

    /// A path of the host as we reach it.
    pub(super) fn inside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The host's root file system.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<PathBuf> {
    path.components()
        .rev()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.into()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}

/// Why a path could not be looked at.
pub(super) fn unread(path: &Path, error: &io::Error) -> Unknown {
    let cause = match error.kind() {
        io::ErrorKind::PermissionDenied => Cause::Permission,
        _ => Cause::Unparsable,
    };
    Unknown::new(cause, format!("{} cannot be read: {}", path.display(), plain(error)))
}

/// An error without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_inside_of_the_hosts_root() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc/nginx/a")).unwrap();
        fs::write(folder.path().join("etc/nginx/a/x"), "inside").unwrap();
        symlink("/etc/nginx/a", folder.path().join("etc/l")).unwrap();
        symlink("../etc/l/x", folder.path().join("etc/m")).unwrap();
        symlink("/loop", folder.path().join("loop")).unwrap();
        let files = Files::new(folder.path());
        assert_eq!(files.text(Path::new("/etc/m"), 100), Ok("inside".to_owned()));
        assert_eq!(files.resolved(Path::new("/etc/l/x")).unwrap(), Path::new("/etc/nginx/a/x"));
        assert_eq!(files.kind("/etc/l/x"), Ok(Kind::File));
        assert_eq!(files.kind("/etc/l/x/"), Ok(Kind::Missing));
        assert_eq!(files.kind("/etc/l/"), Ok(Kind::Folder));
        assert!(files.text(Path::new("/loop"), 100).is_err());
        assert!(files.text(Path::new("/etc/m"), 5).is_err(), "what is longer is not read in part");
    }

    #[test]
    fn a_planted_file_is_there_with_its_folders() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path()).with(&["/srv/image/x.php".into()]);
        assert_eq!(files.kind("/srv/image/x.php"), Ok(Kind::File));
        assert_eq!(files.kind("/srv/image/"), Ok(Kind::Folder));
        assert_eq!(files.kind("/srv/image/x.php/y"), Ok(Kind::Missing));
    }
}
