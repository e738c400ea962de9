//! The file of the facts: written as a whole by root, and believed only when nobody else can have written it.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::Facts;
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::machine::beginning;

/// The form of the file; another one is not understood.
const VERSION: u32 = 1;

/// The largest file that is read: the rules of a machine with a thousand containers are some megabytes.
const BYTES: u64 = 16 << 20;

/// How old it may be, in seconds: twice what `vitrin-facts.timer` waits.
const AGE: i64 = 2 * 300;

/// How far ahead its time may be, in seconds, as a clock is put right meanwhile.
const AHEAD: i64 = 60;

/// What switches it on.
pub(crate) const REMEDY: &str = "systemctl enable --now vitrin-facts.timer";

/// What is written.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    facts: &'a Facts,
}

/// What is read first.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// And then.
#[derive(Deserialize)]
struct Read {
    facts: Facts,
}

/// The text of the file.
pub(crate) fn text(facts: &Facts) -> serde_json::Result<String> {
    Ok(serde_json::to_string(&Written { version: VERSION, facts })? + "\n")
}

/// Puts the facts in the place of those before, readable by root and this group: at no time is there half a file.
pub(crate) fn write(path: &Path, facts: &Facts, group: u32) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text(facts)?.as_bytes())?;
    // Where the group is that of the service already, no right is needed to give it away.
    if file.as_file().metadata()?.gid() != group {
        fchown(file.as_file(), None, Some(group))?;
    }
    file.as_file().set_permissions(Permissions::from_mode(0o640))?;
    file.persist(path)?;
    Ok(())
}

/// What root has seen, as its file has it; `now` in seconds since 1970.
pub(super) fn read(path: &Path, now: i64) -> Known<Facts> {
    read_of(path, now, 0)
}

/// The same of a file that this user has written.
fn read_of(path: &Path, now: i64, writer: u32) -> Known<Facts> {
    let shown = path.display();
    let refused = |error: &io::Error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => format!("{shown} is not there: as root, run `{REMEDY}`"),
            _ => format!("reading {shown}: {error}"),
        };
        Unknown::new(Cause::Permission, why)
    };
    let metadata = fs::symlink_metadata(path).map_err(|error| refused(&error))?;
    let unsafe_of = |what: &str| {
        Err(Unknown::new(
            Cause::Permission,
            format!("{shown} is not believed, since others than root may write {what}"),
        ))
    };
    let is_kept = |metadata: &fs::Metadata| metadata.uid() == writer && metadata.mode() & 0o022 == 0;
    if !metadata.is_file() || !is_kept(&metadata) {
        return unsafe_of("it");
    }
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    // In a folder like /tmp nobody removes what is another's.
    let is_sticky = |folder: &fs::Metadata| folder.mode() & 0o1000 != 0 && [0, writer].contains(&folder.uid());
    if !fs::metadata(folder).is_ok_and(|folder| is_kept(&folder) || is_sticky(&folder)) {
        return unsafe_of("its folder");
    }
    if metadata.len() > BYTES {
        return Err(Unknown::new(Cause::Unsupported, format!("{shown} has more than {BYTES} bytes")));
    }
    let text = beginning(path, BYTES).map_err(|error| refused(&error))?;
    parse(&text, now).map_err(|unknown| Unknown { why: format!("{shown} {}", unknown.why), ..unknown })
}

/// The facts in a text, when they are of now.
pub(super) fn parse(text: &str, now: i64) -> Known<Facts> {
    // serde_json's message may quote what is in the file.
    let unparsable = |_| Unknown::new(Cause::Unparsable, "is not what `vitrin facts` writes");
    let Version { version } = serde_json::from_str(text).map_err(unparsable)?;
    if version != VERSION {
        let why = format!("is of version {version}, and {VERSION} is understood: restart vitrin after its upgrade");
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    let Read { facts } = serde_json::from_str(text).map_err(unparsable)?;
    let age = now.saturating_sub(facts.written);
    if age > AGE {
        let why = format!("is {} minutes old: systemctl status vitrin-facts.timer vitrin-facts.service", age / 60);
        return Err(Unknown::new(Cause::Stale, why));
    }
    if age < -AHEAD {
        return Err(Unknown::new(Cause::Stale, "is of a time that has not come: the clock was put back"));
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use rustix::process::geteuid;

    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn facts() -> Facts {
        let nothing = || Err(Unknown::new(Cause::Unsupported, "nobody looked"));
        Facts {
            written: NOW,
            ruleset: nothing(),
            jails: Ok(Vec::new()),
            sshd: Ok(BTreeMap::new()),
            keys: Ok(Vec::new()),
        }
    }

    fn read_own(path: &Path, now: i64) -> Result<Facts, (Cause, String)> {
        let shown = path.display().to_string();
        read_of(path, now, geteuid().as_raw()).map_err(|unknown| (unknown.cause, unknown.why.replace(&shown, "FILE")))
    }

    #[test]
    fn what_was_written_is_read_for_ten_minutes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.json");
        write(&path, &facts(), rustix::process::getegid().as_raw()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(read_own(&path, NOW + 600), Ok(facts()));
        let (cause, why) = read_own(&path, NOW + 601).unwrap_err();
        let expected = "FILE is 10 minutes old: systemctl status vitrin-facts.timer vitrin-facts.service";
        assert_eq!((cause, &*why), (Cause::Stale, expected));
        assert_eq!(read_own(&path, NOW - 61).unwrap_err().0, Cause::Stale);
        // Nothing else is left there.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_not_there_says_what_makes_it() {
        let folder = tempfile::tempdir().unwrap();
        let (cause, why) = read_own(&folder.path().join("facts.json"), NOW).unwrap_err();
        let expected = "FILE is not there: as root, run `systemctl enable --now vitrin-facts.timer`";
        assert_eq!((cause, &*why), (Cause::Permission, expected));
    }

    #[test]
    fn a_file_that_others_may_have_written_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.json");
        write(&path, &facts(), rustix::process::getegid().as_raw()).unwrap();
        let refused = |path: &Path| read_own(path, NOW).err();
        let it = Some((Cause::Permission, "FILE is not believed, since others than root may write it".to_owned()));
        for mode in [0o660, 0o646, 0o662] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(refused(&path), it, "{mode:o}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(refused(&path), None);
        // Somebody else's, by its owner.
        assert!(read_of(&path, NOW, geteuid().as_raw() + 1).is_err_and(|unknown| unknown.cause == Cause::Permission));
        // A link to somewhere else.
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(refused(&link), it);
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        assert!(refused(&path).is_some_and(|(_, why)| why.ends_with("may write its folder")));
        fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(refused(&path), None);
    }

    #[test]
    fn another_version_is_not_understood_whatever_else_it_has() {
        let unknown = parse(r#"{"version":2,"facts":{"news":[]}}"#, NOW).unwrap_err();
        assert_eq!(unknown.cause, Cause::Unsupported);
        for text in ["", "{}", r#"{"version":1}"#, r#"{"version":1,"facts":{"written":"canary"}}"#] {
            let unknown = parse(text, NOW).unwrap_err();
            assert!(unknown.cause == Cause::Unparsable && !unknown.why.contains("canary"), "{text}: {unknown:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}", at in 0_usize..400, byte: u8) {
            parse(&text, NOW).ok();
            let mut bytes = super::text(&facts()).unwrap().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            parse(&String::from_utf8_lossy(&bytes), NOW).ok();
        }
    }
}
