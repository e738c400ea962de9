//! Users and groups of this machine, from `/etc/passwd` and `/etc/group`: where system users are.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The largest of either file that is read.
const FILE_BYTES: u64 = 4 << 20;

/// A user, and the groups it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its own group.
    pub gid: u32,
    /// The numbers of all its groups, its own among them.
    pub groups: Vec<u32>,
}

impl Account {
    /// The user with this name below `root`; `None` when there is none.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn named(root: &Path, name: &str) -> io::Result<Option<Self>> {
        Self::find(root, |user| user == name, |_| false)
    }

    /// The user with this number; `None` when there is none.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn numbered(root: &Path, number: u32) -> io::Result<Option<Self>> {
        Self::find(root, |_| false, |uid| uid == number)
    }

    fn find(root: &Path, by_name: impl Fn(&str) -> bool, by_number: impl Fn(u32) -> bool) -> io::Result<Option<Self>> {
        let users = read(&root.join("etc/passwd"))?;
        let found = users.lines().filter_map(user).find(|(name, uid, _)| by_name(name) || by_number(*uid));
        let Some((name, uid, gid)) = found else { return Ok(None) };
        let groups = read(&root.join("etc/group"))?;
        let member = groups.lines().filter_map(group).filter(|(_, _, members)| members.split(',').any(|m| m == name));
        let mut groups: Vec<_> = member.map(|(_, gid, _)| gid).chain([gid]).collect();
        groups.sort_unstable();
        groups.dedup();
        Ok(Some(Self { name: name.to_owned(), uid, gid, groups }))
    }

    /// Whether it may talk to the socket, by the socket's mode; lists of more users (ACLs) are not looked at.
    #[must_use]
    pub fn may_use(&self, socket: &Metadata) -> bool {
        self.may(0o6, socket)
    }

    /// Whether a mode grants it these rights (4 to read, 2 to write, 1 to enter a folder), likewise.
    #[must_use]
    pub fn may(&self, needed: u32, metadata: &Metadata) -> bool {
        let mode = metadata.mode();
        let granted = if metadata.uid() == self.uid {
            mode >> 6
        } else if self.groups.contains(&metadata.gid()) {
            mode >> 3
        } else {
            mode
        };
        self.uid == 0 || granted & needed == needed
    }
}

/// The name of a group below `root`; `None` when there is none, or the file cannot be read.
#[must_use]
pub fn group_name(root: &Path, number: u32) -> Option<String> {
    let groups = read(&root.join("etc/group")).ok()?;
    groups.lines().filter_map(group).find(|(_, gid, _)| *gid == number).map(|(name, ..)| name.to_owned())
}

/// The number of a group below `root`; `None` when there is none, or the file cannot be read.
#[must_use]
pub fn group_number(root: &Path, name: &str) -> Option<u32> {
    let groups = read(&root.join("etc/group")).ok()?;
    groups.lines().filter_map(group).find(|(of, ..)| *of == name).map(|(_, gid, _)| gid)
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    File::open(path).and_then(|file| file.take(FILE_BYTES).read_to_end(&mut bytes)).map_err(named)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Name, number and group of a line of `/etc/passwd`.
fn user(line: &str) -> Option<(&str, u32, u32)> {
    let mut fields = line.split(':');
    let (name, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Some((name, uid.parse().ok()?, gid.parse().ok()?))
}

/// Name, number and members of a line of `/etc/group`.
fn group(line: &str) -> Option<(&str, u32, &str)> {
    let mut fields = line.split(':');
    let (name, _, gid) = (fields.next()?, fields.next()?, fields.next()?);
    Some((name, gid.parse().ok()?, fields.next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_user_has_its_own_group_and_those_that_name_it() {
        let root = tempfile::tempdir().unwrap();
        let etc = root.path().join("etc");
        fs::create_dir(&etc).unwrap();
        fs::write(etc.join("passwd"), "root:x:0:0::/root:/bin/sh\n#\nvitrin:x:998:997::/:/bin/false\n").unwrap();
        fs::write(etc.join("group"), "root:x:0:\nwww-data:x:33:vitrinx,vitrin\nredis:x:112:redis\nvitrin:x:997:\n")
            .unwrap();
        let vitrin = Account::named(root.path(), "vitrin").unwrap().unwrap();
        assert_eq!(vitrin, Account { name: "vitrin".into(), uid: 998, gid: 997, groups: vec![33, 997] });
        assert_eq!(Account::numbered(root.path(), 998).unwrap(), Some(vitrin));
        assert_eq!(Account::named(root.path(), "nobody").unwrap(), None);
        assert_eq!(group_name(root.path(), 112).as_deref(), Some("redis"));
        assert_eq!((group_number(root.path(), "redis"), group_number(root.path(), "none")), (Some(112), None));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let root = tempfile::tempdir().unwrap();
        let error = Account::named(root.path(), "vitrin").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().starts_with(&format!("{}/etc/passwd: ", root.path().display())), "{error}");
    }

    #[test]
    fn a_socket_is_open_to_its_group() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let owner = file.as_file().metadata().unwrap();
        let user = |uid, groups| Account { name: String::new(), uid, gid: 1, groups };
        for (mode, stranger, member) in [(0o660, false, true), (0o666, true, true), (0o640, false, false)] {
            file.as_file().set_permissions(fs::Permissions::from_mode(mode)).unwrap();
            let metadata = file.as_file().metadata().unwrap();
            let other = owner.uid() + 1;
            assert_eq!(user(other, vec![]).may_use(&metadata), stranger, "{mode:o}");
            assert_eq!(user(other, vec![owner.gid()]).may_use(&metadata), member, "{mode:o}");
        }
    }
}
