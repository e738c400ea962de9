//! Who may read the private keys of the certificates (TLS-08).

use super::super::facts::{Facts, Key};
use super::super::seen::{Mode, Seen};
use super::super::verdict::{Cause, Known, Unknown, Verdict};

/// The worst of the keys decides, and is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    Closed,
    Behind,
    Open,
}

/// Judges it.
///
/// A key that a group may read is closed as long as PHP is not in that group; one that is not root's is half closed, since
/// whoever has that account has the key. A folder that PHP or everybody may write to lets them put another key there.
pub(super) fn judge(seen: &Seen) -> Verdict {
    decide(seen).into()
}

fn decide(seen: &Seen) -> Known<Verdict> {
    let Facts { keys, .. } = seen.facts.as_ref().map_err(Clone::clone)?;
    let keys = keys.as_ref().map_err(Clone::clone)?;
    let mut worst: Option<(Grade, &Key, String)> = None;
    for key in keys {
        let (grade, why) = graded(seen, key)?;
        if worst.as_ref().is_none_or(|(before, ..)| grade > *before) {
            worst = Some((grade, key, why));
        }
    }
    let Some((grade, key, why)) = worst else {
        let why = "nginx' configuration names no file with the key of a certificate";
        return Err(Unknown::new(Cause::NotConfigured, why));
    };
    let path = key.file.path.display();
    let seen = format!("{path} (mode {:04o}, owner {}) {why}", key.file.mode, key.file.uid);
    let fix = format!("chown root:root {path} && chmod 0600 {path}");
    Ok(match grade {
        Grade::Closed => {
            Verdict::pass(format!("{} keys are open to root alone, or to a group without PHP; {seen}", keys.len()))
        }
        Grade::Behind => Verdict::partial(seen, fix),
        Grade::Open => Verdict::fail(seen, fix),
    })
}

fn graded(seen: &Seen, key: &Key) -> Known<(Grade, String)> {
    let Mode { mode, uid, gid, .. } = key.file;
    let unknown = |unknown: &Unknown| Unknown::new(unknown.cause, format!("whom PHP runs as: {}", unknown.why));
    let pools = || seen.pools.as_ref().map_err(unknown);
    let is_php = |user: u32| Known::Ok(pools()?.iter().any(|pool| pool.uid == Some(user)));
    let has_php = |group: u32| Known::Ok(pools()?.iter().any(|pool| pool.gids.contains(&group)));
    for folder in &key.folders {
        let is_anybodys = folder.mode & 0o002 != 0 && folder.mode & 0o1000 == 0;
        if is_anybodys
            || folder.uid != 0 && is_php(folder.uid)?
            || folder.mode & 0o020 != 0 && folder.gid != 0 && has_php(folder.gid)?
        {
            return Ok((Grade::Open, format!("can be replaced: {} is writable", folder.path.display())));
        }
    }
    // What leads through a folder like this is root's alone.
    let shut = key.folders.iter().find(|folder| folder.uid == 0 && folder.mode & 0o77 & !0o700 == 0);
    if mode & 0o004 != 0 || mode & 0o022 != 0 {
        return Ok(match shut {
            Some(folder) if mode & 0o033 == 0 => (Grade::Behind, format!("is behind {}", folder.path.display())),
            _ => (Grade::Open, "is open to everybody".to_owned()),
        });
    }
    if shut.is_none() && uid != 0 && is_php(uid)? {
        return Ok((Grade::Open, "is PHP's own".to_owned()));
    }
    if shut.is_none() && mode & 0o040 != 0 && gid != 0 && has_php(gid)? {
        return Ok((Grade::Open, format!("is open to PHP, by the group {gid}")));
    }
    if uid != 0 {
        return Ok((Grade::Behind, "is not root's".to_owned()));
    }
    Ok((Grade::Closed, "is one".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::super::backends::Pool;
    use super::super::super::verdict::State;
    use super::super::tests::{facts, seen};
    use super::*;

    fn mode(path: &str, (mode, uid, gid): (u32, u32, u32)) -> Mode {
        Mode { path: path.into(), mode, uid, gid }
    }

    fn state(file: (u32, u32, u32), folder: (u32, u32, u32)) -> State {
        let mut seen = seen();
        let pool = Pool { uid: Some(33), gids: vec![33, 44], ..Pool::bare("/run/php.sock") };
        seen.pools = Ok(vec![pool]);
        let key =
            Key { file: mode("/etc/tls/key", file), folders: vec![mode("/etc/tls", folder), mode("/", (0o755, 0, 0))] };
        seen.facts = Ok(Facts { keys: Ok(vec![key]), ..facts() });
        judge(&seen).state
    }

    #[test]
    fn a_key_is_as_open_as_its_mode_its_owner_and_its_folders() {
        let plain = (0o755, 0, 0);
        for (file, folder, expected) in [
            ((0o600, 0, 0), plain, State::Pass),
            ((0o640, 0, 0), plain, State::Pass),
            ((0o640, 0, 110), plain, State::Pass),
            ((0o640, 0, 44), plain, State::Fail),
            ((0o640, 0, 44), (0o700, 0, 0), State::Pass),
            ((0o644, 0, 0), plain, State::Fail),
            ((0o644, 0, 0), (0o700, 0, 0), State::Partial),
            ((0o644, 0, 0), (0o710, 0, 110), State::Fail),
            ((0o666, 0, 0), (0o700, 0, 0), State::Fail),
            ((0o660, 0, 0), plain, State::Fail),
            ((0o600, 33, 33), plain, State::Fail),
            ((0o600, 110, 110), plain, State::Partial),
            ((0o600, 0, 0), (0o777, 0, 0), State::Fail),
            ((0o600, 0, 0), (0o1777, 0, 0), State::Pass),
            ((0o600, 0, 0), (0o755, 33, 33), State::Fail),
            ((0o600, 0, 0), (0o775, 0, 44), State::Fail),
        ] {
            assert_eq!(state(file, folder), expected, "{file:?} in {folder:?}");
        }
    }

    #[test]
    fn without_keys_or_facts_nothing_is_known() {
        let mut seen = seen();
        assert_eq!(judge(&seen).state, State::Unknown(Cause::Permission));
        seen.facts = Ok(facts());
        assert_eq!(judge(&seen).state, State::Unknown(Cause::NotConfigured));
    }

    #[test]
    fn whom_php_runs_as_matters_where_a_group_may_read() {
        let mut seen = seen();
        let key =
            |mode: u32| Key { file: self::mode("/k", (mode, 0, 110)), folders: vec![self::mode("/", (0o755, 0, 0))] };
        seen.facts = Ok(Facts { keys: Ok(vec![key(0o640)]), ..facts() });
        assert!(matches!(judge(&seen).state, State::Unknown(_)));
        seen.facts = Ok(Facts { keys: Ok(vec![key(0o600)]), ..facts() });
        assert_eq!(judge(&seen).state, State::Pass);
    }
}
