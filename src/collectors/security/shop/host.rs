//! Paths of the host, which may be mounted below a folder: links are followed as the host follows them.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::lgetxattr;
use rustix::io::Errno;

use super::{Cause, Known, Mode, Unknown};
use crate::machine::beginning;

/// The most links that lead from one path to a file; what Linux allows, too.
const LINKS: usize = 40;

/// The most of a file of PHP that is read. OpenCart's configurations have 2 KB, Magento's 10.
const PHP_BYTES: u64 = 256 << 10;

/// The host's file system.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host<'a> {
    root: &'a Path,
}

impl<'a> Host<'a> {
    /// The one that is mounted here.
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root }
    }

    /// A path of the host as we reach it, its links not followed.
    pub(super) fn inside(self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The path of the host that this one leads to, links followed. What is not there yet keeps its name.
    pub(super) fn followed(self, path: &Path) -> io::Result<PathBuf> {
        let mut left: Vec<Component<'_>> = path.components().rev().collect();
        let mut done = PathBuf::from("/");
        // Parts of links, which live longer than the look at one of them.
        let mut queue: Vec<PathBuf> = Vec::new();
        left.drain(..).for_each(|part| queue.push(Path::new(&part).to_owned()));
        let mut links = 0;
        while let Some(part) = queue.pop() {
            match part.components().next() {
                None | Some(Component::CurDir) => {}
                Some(Component::RootDir | Component::Prefix(_)) => done = PathBuf::from("/"),
                Some(Component::ParentDir) => {
                    done.pop();
                }
                Some(Component::Normal(name)) => match fs::read_link(self.inside(&done.join(name))) {
                    Ok(target) => {
                        links += 1;
                        if links > LINKS {
                            return Err(io::Error::other("its links lead in a circle"));
                        }
                        queue.extend(target.components().rev().map(|part| Path::new(&part).to_owned()));
                    }
                    // A file that is no link, or is not there: the next to look at it will say so.
                    Err(error) if error.kind() != io::ErrorKind::PermissionDenied => done.push(name),
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(done)
    }

    /// Where a path of the host is, links followed, as we reach it.
    fn reached(self, path: &Path) -> io::Result<PathBuf> {
        self.followed(path).map(|path| self.inside(&path))
    }

    /// What `stat` has of a path of the host.
    pub(super) fn metadata(self, path: &Path) -> io::Result<Metadata> {
        // The links are followed by now, but for one that was made a moment ago.
        fs::symlink_metadata(self.reached(path)?)
    }

    /// The same, as it is kept.
    pub(super) fn mode(self, path: &Path) -> io::Result<Mode> {
        let path = self.followed(path)?;
        let metadata = fs::symlink_metadata(self.inside(&path))?;
        Ok(Mode { path, mode: metadata.mode() & 0o7777, uid: metadata.uid(), gid: metadata.gid() })
    }

    /// Why a mode does not tell who writes to it: a list of more users (an ACL), whose mask stands in the group's place.
    pub(super) fn hidden_writers(self, mode: &Mode) -> Option<Unknown> {
        if mode.mode & 0o020 == 0 {
            return None;
        }
        let mut list = [0_u8; 1 << 10];
        let has_list = match lgetxattr(self.inside(&mode.path), "system.posix_acl_access", &mut list[..]) {
            Ok(length) => length > 0,
            Err(error) => error == Errno::RANGE,
        };
        let why = || format!("{} has a list of rights (ACL), which is not understood", mode.path.display());
        has_list.then(|| Unknown::new(Cause::Unsupported, why()))
    }

    /// Whether a path of the host is there. An error is that it cannot be told.
    pub(super) fn has(self, path: &Path) -> io::Result<bool> {
        match self.metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The same of a folder.
    pub(super) fn has_folder(self, path: &Path) -> io::Result<bool> {
        Ok(self.has(path)? && self.metadata(path)?.is_dir())
    }

    /// Whether a path of the host is certainly there.
    pub(super) fn shows(self, path: &Path) -> bool {
        self.has(path).unwrap_or(false)
    }

    /// The beginning of a text file of the host; `None` when it is not there.
    pub(super) fn text(self, path: &Path) -> Known<Option<String>> {
        let text = self.reached(path).and_then(|path| beginning(&path, PHP_BYTES));
        match text {
            Ok(text) => Ok(Some(text)),
            Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => Ok(None),
            Err(error) => Err(unseen(path, &error)),
        }
    }
}

/// Why a path of the host could not be looked at.
pub(super) fn unseen(path: &Path, error: &io::Error) -> Unknown {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Unknown::new(Cause::Permission, format!("{path} is closed to the user that Vitrin runs as"))
        }
        io::ErrorKind::TimedOut => Unknown::new(Cause::Timeout, format!("looking at {path} took too long")),
        _ => Unknown::new(Cause::Unsupported, format!("looking at {path}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use rustix::fs::{XattrFlags, setxattr};

    use super::*;

    #[test]
    fn links_are_followed_as_the_host_follows_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("srv/releases/7/system")).unwrap();
        fs::create_dir_all(root.join("var")).unwrap();
        symlink("/srv/releases/7", root.join("srv/current")).unwrap();
        symlink("../srv/current", root.join("var/www")).unwrap();
        symlink("round", root.join("var/round")).unwrap();
        symlink("/../../../srv", root.join("var/up")).unwrap();
        let host = Host::new(root);
        let followed = |path: &str| host.followed(Path::new(path)).map(|path| path.display().to_string());
        assert_eq!(followed("/var/www/system/").unwrap(), "/srv/releases/7/system");
        assert_eq!(followed("/var/www/none/x").unwrap(), "/srv/releases/7/none/x");
        assert_eq!(followed("/var/up/current/../5").unwrap(), "/srv/releases/5");
        assert!(followed("/var/round").is_err());
        assert!(host.has(Path::new("/var/www/system")).unwrap());
        assert!(!host.has(Path::new("/var/www/none")).unwrap());
    }

    #[test]
    fn a_list_of_rights_hides_who_writes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let hidden = || {
            let host = Host::new(folder.path());
            host.hidden_writers(&host.mode(Path::new("/file")).unwrap()).map(|unknown| unknown.cause)
        };
        fs::set_permissions(&file, fs::Permissions::from_mode(0o660)).unwrap();
        assert_eq!(hidden(), None);
        // Owner, user 4033, group, mask and others, each with its tag, its rights and its number.
        let entries = [(1_u16, 6_u16, u32::MAX), (2, 6, 4_033), (4, 4, u32::MAX), (16, 6, u32::MAX), (32, 0, u32::MAX)];
        let entry = |(tag, rights, number): (u16, u16, u32)| {
            [&tag.to_le_bytes()[..], &rights.to_le_bytes(), &number.to_le_bytes()].concat()
        };
        let list: Vec<u8> = 2_u32.to_le_bytes().into_iter().chain(entries.into_iter().flat_map(entry)).collect();
        setxattr(&file, "system.posix_acl_access", &list, XattrFlags::empty())
            .expect("the folder for temporary files has ACLs");
        assert_eq!(hidden(), Some(Cause::Unsupported));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(hidden(), None, "its mask lets nobody write");
    }
}
