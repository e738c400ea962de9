//! Security updates that wait (MON-03), by what apt would do; since when, by when Vitrin saw each first.
//!
//! Other package managers are not asked: `dnf updateinfo` fetches what it says from the network and keeps it for its user,
//! so that what an account without rights is told is not what root would be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::super::facts::program::{Ask, ask};
use super::super::super::seen::Seen;
use super::super::super::verdict::{Cap, Cause, Known, Unknown, Verdict};
use super::DAY;

/// How old apt's lists may be, in seconds, for what they say to be of now.
const FRESH: i64 = 48 * 3_600;

/// How often apt is asked at most, in seconds: it computes for a second or two.
const HOUR: i64 = 3_600;

/// How long it may compute, and how much it may say. One that took too long is not asked again within the hour.
const TIME: Duration = Duration::from_secs(20);
const BYTES: usize = 4 << 20;

/// The most packages that are kept.
const PACKAGES: usize = 5_000;

/// What apt is asked, without a lock and without a right: all that it would install, new packages that updates need (as each
/// kernel of Debian's is one) and those that are held back among them. `upgrade` alone tells of neither.
const ARGUMENTS: [&str; 5] = ["--simulate", "--ignore-hold", "-o", "Debug::NoLocking=true", "dist-upgrade"];

/// When each package was first seen to wait for a security update, in seconds since 1970.
pub(crate) type FirstSeen = BTreeMap<String, i64>;

/// What is kept between rounds, and between starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// When each was first seen.
    first_seen: FirstSeen,
    /// What apt said the last time.
    last: Option<Said>,
}

/// What apt said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    /// When it was asked.
    at: i64,
    /// When what it speaks of had changed: its lists, and what is installed.
    changed: (i64, i64),
    /// The packages that wait.
    waiting: Known<BTreeSet<String>>,
}

/// Security updates that wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Updates {
    /// Each package with when it was first seen to wait.
    pub(crate) waiting: FirstSeen,
    /// When the lists were brought up to date.
    pub(crate) listed: i64,
}

/// Looks, and asks apt where it may have something new to say; `now` in seconds since 1970. Blocks for a second or two.
pub(in super::super) fn look(root: &Path, now: i64, memory: &mut Memory) -> Known<Updates> {
    look_by(root, now, memory, &|name, arguments| {
        if root != Path::new("/") {
            let why = "the host's apt cannot be asked from within a container";
            return Err(Unknown::new(Cause::Unsupported, why));
        }
        ask(name, arguments, TIME, BYTES)
    })
}

fn look_by(root: &Path, now: i64, memory: &mut Memory, ask: &Ask<'_>) -> Known<Updates> {
    let time = |path: &str| fs::metadata(root.join(path)).map(|metadata| metadata.mtime()).ok();
    let Some(installed) = time("var/lib/dpkg/status") else {
        let why = "only systems with apt can be asked for updates that wait";
        return Err(Unknown::new(Cause::Unsupported, why));
    };
    let lists = time("var/lib/apt/lists").unwrap_or_default();
    // apt leaves its lists alone where they are still the newest. These two are touched by each update that has worked:
    // that of apt's own timer, and any, on Ubuntu.
    let stamps = ["var/lib/apt/periodic/update-stamp", "var/lib/apt/periodic/update-success-stamp"];
    let listed = stamps.into_iter().filter_map(time).fold(lists, i64::max);
    if now.saturating_sub(listed) > FRESH {
        let why =
            format!("apt's lists are {} days old, and say nothing of today: apt-get update", (now - listed) / DAY);
        return Err(Unknown::new(Cause::Stale, why));
    }
    if !has_security(&root.join("var/lib/apt/lists")) {
        let why = "none of apt's lists is of an archive of security updates: see /etc/apt/sources.list";
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    let changed = (lists, installed);
    let is_new = memory.last.as_ref().is_none_or(|said| said.changed != changed || said.waiting.is_err());
    let is_time = memory.last.as_ref().is_none_or(|said| now.saturating_sub(said.at) >= HOUR || said.at > now);
    if is_new && is_time {
        let waiting = asked(ask);
        if let Ok(waiting) = &waiting {
            memory.first_seen = since(waiting, &memory.first_seen, now);
        }
        memory.last = Some(Said { at: now, changed, waiting });
    }
    match &memory.last {
        Some(Said { waiting: Ok(_), .. }) => Ok(Updates { waiting: memory.first_seen.clone(), listed }),
        Some(Said { waiting: Err(unknown), .. }) => Err(unknown.clone()),
        None => Err(Unknown::new(Cause::Stale, "apt has not been asked yet")),
    }
}

fn asked(ask: &Ask<'_>) -> Known<BTreeSet<String>> {
    let Some(answer) = ask("apt-get", &ARGUMENTS)? else {
        return Err(Unknown::new(Cause::Unsupported, "there is no apt-get to ask"));
    };
    if !answer.is_success {
        return Err(Unknown::new(Cause::Unparsable, "apt-get cannot tell what it would install: apt-get check"));
    }
    Ok(waiting(&answer.text))
}

/// Whether any list is of an archive of security updates, by the name of its file.
fn has_security(lists: &Path) -> bool {
    let Ok(entries) = fs::read_dir(lists) else { return false };
    let names = entries.take(10_000).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut releases = names.filter(|name| name.ends_with("Release"));
    releases.any(|name| name.contains("-security_") || name.contains("_security_"))
}

/// The packages of which apt would install another version out of an archive of security updates:
/// `Inst bash [5.2.15-2+b8] (5.2.15-2+b13 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64])`.
pub(in super::super) fn waiting(text: &str) -> BTreeSet<String> {
    let package = |line: &str| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        let origins = rest.split_once('(')?.1.split_once(')')?.0;
        let is_security = |origin: &str| {
            let archive = origin.trim().rsplit_once('/')?.1.split(' ').next()?;
            archive.ends_with("-security").then_some(())
        };
        // The version stands before the first of them.
        origins.split(',').find_map(is_security).map(|()| name.to_owned())
    };
    text.lines().filter_map(package).take(PACKAGES).collect()
}

/// When each of these was first seen: those that were seen before keep their time, those that wait no more are forgotten.
pub(crate) fn since(waiting: &BTreeSet<String>, before: &FirstSeen, now: i64) -> FirstSeen {
    // A clock that was put back must not make an update wait for ever.
    let first = |package: &String| before.get(package).map_or(now, |first| (*first).min(now));
    waiting.iter().map(|package| (package.clone(), first(package))).collect()
}

/// Judges MON-03. How long an update waits is counted from when Vitrin first saw it, and so never too long.
pub(in super::super) fn judge(seen: &Seen) -> Verdict {
    let updates = match &seen.system.updates {
        Ok(updates) => updates,
        Err(unknown) => return unknown.into(),
    };
    let Some((oldest, first)) = updates.waiting.iter().min_by_key(|(_, first)| **first) else {
        return Verdict::pass("no security update waits, by what apt would install");
    };
    let days = seen.now.saturating_sub(*first) / DAY;
    let age = seen.now.saturating_sub(*first);
    let many = updates.waiting.len();
    let shown = match days {
        0 => "less than a day".to_owned(),
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    };
    // The days are one package's, and those in which apt's lists have told Vitrin of it: there may have been more.
    let told = match many {
        1 => format!("a security update of {oldest} waits; apt's lists have shown one for {shown}"),
        _ => format!("{many} security updates wait; apt's lists have shown one of {oldest} for longest: {shown}"),
    };
    let fix = "apt-get update && unattended-upgrade -v  # or: apt-get dist-upgrade";
    match age {
        ..=604_800 => Verdict::partial(told, fix),
        604_801..=2_592_000 => Verdict::fail(told, fix),
        _ => Verdict::fail(told, fix).with_cap(Cap::UpdatesOverdue),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::{Duration, UNIX_EPOCH};

    use expect_test::expect;
    use proptest::prelude::*;

    use super::super::super::super::facts::program::Answer;
    use super::super::super::super::verdict::State;
    use super::super::super::tests::seen;
    use super::*;

    // Debian 12, apt 2.6.1, and a line of Ubuntu 22.04's in its form.
    const SAID: &str = include_str!("../../../../../tests/fixtures/security/system/apt-2.6.1-dist-upgrade.txt");
    const NOW: i64 = 1_790_000_000;

    fn machine(listed: i64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("var/lib/apt/lists")).unwrap();
        fs::create_dir_all(at("var/lib/dpkg")).unwrap();
        fs::write(at("var/lib/apt/lists/mirror.example_debian-security_dists_bookworm-security_InRelease"), "")
            .unwrap();
        fs::write(at("var/lib/dpkg/status"), "").unwrap();
        touch(&at("var/lib/apt/lists"), listed);
        touch(&at("var/lib/dpkg/status"), listed);
        folder
    }

    fn touch(path: &Path, time: i64) {
        let time = UNIX_EPOCH + Duration::from_secs(time.unsigned_abs());
        fs::File::open(path).unwrap().set_modified(time).unwrap();
    }

    #[expect(clippy::unnecessary_wraps, reason = "as asking a program answers")]
    fn said(text: &str) -> Known<Option<Answer>> {
        Ok(Some(Answer { is_success: true, text: text.to_owned(), words: String::new() }))
    }

    #[test]
    fn what_comes_from_an_archive_of_security_updates_waits() {
        let waiting: Vec<_> = waiting(SAID).into_iter().collect();
        expect_test::expect![[r#"
            [
                "libgcrypt20",
                "libgcrypt20-dev",
                "liblzma-dev",
                "linux-image-6.1.0-41-amd64",
                "openssl",
            ]
        "#]]
        .assert_debug_eq(&waiting);
    }

    #[test]
    fn apt_is_asked_when_something_has_changed_and_once_an_hour_at_most() {
        let folder = machine(NOW);
        let asked = Cell::new(0);
        let mut memory = Memory::default();
        let mut look = |now| {
            look_by(folder.path(), now, &mut memory, &|name, arguments| {
                assert_eq!((name, arguments), ("apt-get", &ARGUMENTS[..]));
                asked.set(asked.get() + 1);
                said(SAID)
            })
        };
        assert_eq!(look(NOW).unwrap().waiting.len(), 5);
        look(NOW + 7_200).unwrap();
        assert_eq!(asked.get(), 1, "nothing has changed");
        touch(&folder.path().join("var/lib/dpkg/status"), NOW + 60);
        look(NOW + 3_599).unwrap();
        assert_eq!(asked.get(), 1, "it was asked within the hour");
        look(NOW + 3_600).unwrap();
        assert_eq!(asked.get(), 2);
    }

    #[test]
    fn an_apt_that_took_too_long_is_not_asked_again_within_the_hour_nor_is_what_waited_forgotten() {
        let folder = machine(NOW);
        let mut memory = Memory::default();
        look_by(folder.path(), NOW, &mut memory, &|_, _| said(SAID)).unwrap();
        touch(&folder.path().join("var/lib/dpkg/status"), NOW + 60);
        let slow = |_: &str, _: &[&str]| Err(Unknown::new(Cause::Timeout, "apt-get gave no answer in 20s"));
        let late = NOW + HOUR;
        assert_eq!(look_by(folder.path(), late, &mut memory, &slow).unwrap_err().cause, Cause::Timeout);
        let mut memory: Memory = serde_json::from_str(&serde_json::to_string(&memory).unwrap()).unwrap();
        let asked = look_by(folder.path(), late + HOUR - 1, &mut memory, &|_, _| panic!("it is asked again"));
        assert_eq!(asked.unwrap_err().cause, Cause::Timeout);
        let updates = look_by(folder.path(), late + HOUR, &mut memory, &|_, _| said(SAID)).unwrap();
        assert_eq!(updates.waiting["libgcrypt20"], NOW);
    }

    #[test]
    fn an_update_waits_since_it_was_first_seen_and_a_restart_changes_nothing() {
        let folder = machine(NOW);
        let mut memory = Memory::default();
        look_by(folder.path(), NOW, &mut memory, &|_, _| said(SAID)).unwrap();
        let mut memory: Memory = serde_json::from_str(&serde_json::to_string(&memory).unwrap()).unwrap();
        touch(&folder.path().join("var/lib/dpkg/status"), NOW + 60);
        let later = format!("{SAID}Inst x [1] (2 Debian-Security:12/stable-security [all])\n")
            .replace("Inst openssl", "Conf openssl");
        let updates = look_by(folder.path(), NOW + 86_400, &mut memory, &|_, _| said(&later)).unwrap();
        assert_eq!((updates.waiting.get("x"), updates.waiting.get("openssl")), (Some(&(NOW + 86_400)), None));
        assert_eq!(updates.waiting["libgcrypt20"], NOW);
    }

    #[test]
    fn lists_that_are_old_or_of_no_security_archive_say_nothing() {
        let look = |folder: &tempfile::TempDir, now| {
            let looked = look_by(folder.path(), now, &mut Memory::default(), &|_, _| said(""));
            looked.map(|updates| updates.waiting.len()).map_err(|unknown| unknown.cause)
        };
        let folder = machine(NOW);
        assert_eq!(look(&folder, NOW + FRESH), Ok(0));
        assert_eq!(look(&folder, NOW + FRESH + 1), Err(Cause::Stale));
        // An update that found nothing new.
        fs::create_dir(folder.path().join("var/lib/apt/periodic")).unwrap();
        let stamp = folder.path().join("var/lib/apt/periodic/update-stamp");
        fs::write(&stamp, "").unwrap();
        touch(&stamp, NOW + FRESH);
        assert_eq!(look(&folder, NOW + FRESH + 1), Ok(0));
        let bare = tempfile::tempdir().unwrap();
        assert_eq!(look(&bare, NOW), Err(Cause::Unsupported));
        fs::remove_file(
            folder.path().join("var/lib/apt/lists/mirror.example_debian-security_dists_bookworm-security_InRelease"),
        )
        .unwrap();
        fs::write(folder.path().join("var/lib/apt/lists/mirror.example_debian_dists_bookworm_InRelease"), "").unwrap();
        touch(&folder.path().join("var/lib/apt/lists"), NOW);
        assert_eq!(look(&folder, NOW), Err(Cause::Unsupported));
    }

    #[test]
    fn an_update_is_late_after_a_week_and_caps_the_score_after_30_days() {
        let judged = |age: Option<i64>| {
            let mut seen = seen();
            let waiting = age.map(|age| ("bash".to_owned(), seen.now - age)).into_iter().collect();
            seen.system.updates = Ok(Updates { waiting, listed: seen.now });
            let verdict = judge(&seen);
            (verdict.state, verdict.cap)
        };
        assert_eq!(judged(None), (State::Pass, None));
        assert_eq!(judged(Some(7 * DAY)), (State::Partial, None));
        assert_eq!(judged(Some(7 * DAY + 1)), (State::Fail, None));
        assert_eq!(judged(Some(30 * DAY)), (State::Fail, None));
        assert_eq!(judged(Some(30 * DAY + 1)), (State::Fail, Some(Cap::UpdatesOverdue)));
    }

    #[test]
    fn the_days_are_those_of_one_package_and_of_what_was_shown() {
        let told = |waiting: &[(&str, i64)]| {
            let mut seen = seen();
            let waiting = waiting.iter().map(|(name, days)| ((*name).to_owned(), seen.now - days * DAY)).collect();
            seen.system.updates = Ok(Updates { waiting, listed: seen.now });
            judge(&seen).seen
        };
        expect!["a security update of bash waits; apt's lists have shown one for 3 days"]
            .assert_eq(&told(&[("bash", 3)]));
        expect!["2 security updates wait; apt's lists have shown one of bash for longest: 9 days"]
            .assert_eq(&told(&[("bash", 9), ("openssl", 1)]));
    }

    #[test]
    fn this_machines_apt_answers_without_a_right() {
        let answer = ask("apt-get", &ARGUMENTS, TIME, BYTES).unwrap().expect("apt-get is there");
        assert!(answer.is_success, "{}", answer.words);
        assert!(answer.text.contains("newly installed"), "{}", answer.text);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(Inst |[ -~]|\n){0,100}") {
            waiting(&text);
        }
    }
}
