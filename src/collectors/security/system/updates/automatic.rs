//! Whether security updates come by themselves, and the machine runs what was installed (MON-04).

use std::path::Path;

use super::super::super::seen::Seen;
use super::super::super::verdict::{Cause, Known, Unknown, Verdict};
use super::DAY;
use super::reboot::{self, Waiting};
use super::settings::Settings;
use crate::collector::Paths;

/// How long a reboot may be waited for, in seconds.
const PATIENCE: i64 = 7 * DAY;

/// What systemd starts apt's work by.
const TIMERS: [&str; 2] = ["apt-daily.timer", "apt-daily-upgrade.timer"];

/// How updates are installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Automatic {
    /// What keeps them from coming by themselves, and what is done about it; `None` where they come.
    pub(crate) obstacle: Option<(String, String)>,
    /// The reboot that is waited for.
    pub(crate) reboot: Known<Option<Waiting>>,
}

/// Looks at apt's settings, its timers, and the kernel.
pub(in super::super) fn look(paths: &Paths) -> Known<Automatic> {
    let Some(settings) = Settings::read(&paths.root)? else {
        let why = "only apt's settings are understood, and there is no apt here";
        return Err(Unknown::new(Cause::Unsupported, why));
    };
    let reboot = reboot::look(&paths.root, &paths.proc);
    Ok(Automatic { obstacle: obstacle(&paths.root, &settings), reboot })
}

fn obstacle(root: &Path, settings: &Settings) -> Option<(String, String)> {
    let install = "apt-get install unattended-upgrades && dpkg-reconfigure --priority=low unattended-upgrades";
    let told = |what: String, fix: &str| Some((what, fix.to_owned()));
    if !root.join("usr/bin/unattended-upgrade").exists() {
        return told("unattended-upgrades is not installed".to_owned(), install);
    }
    // Enable is 1 unless said otherwise, the other two are 0.
    for (name, usual) in [("Enable", "1"), ("Update-Package-Lists", "0"), ("Unattended-Upgrade", "0")] {
        let name = format!("APT::Periodic::{name}");
        let value = settings.value(&name).unwrap_or(usual);
        if !is_on(value) {
            let fix = format!("# /etc/apt/apt.conf.d/99vitrin\n{name} \"1\";");
            return told(format!("{name} is \"{value}\""), &fix);
        }
    }
    let origins =
        ["Origins-Pattern", "Allowed-Origins"].map(|list| settings.list(&format!("Unattended-Upgrade::{list}")));
    let is_security = |origin: &String| origin.to_ascii_lowercase().contains("security") || origin.contains("=*");
    if !origins.into_iter().flatten().any(is_security) {
        let what = "unattended-upgrades installs nothing from an archive of security updates".to_owned();
        let fix = "# /etc/apt/apt.conf.d/99vitrin\nUnattended-Upgrade::Origins-Pattern \
                   { \"origin=Debian,codename=${distro_codename},label=Debian-Security\"; };";
        return told(what, fix);
    }
    if let Some(timer) =
        TIMERS.iter().find(|timer| root.join("run/systemd/system").exists() && !is_enabled(root, timer))
    {
        return told(
            format!("{timer} is not enabled"),
            &format!("systemctl unmask {timer} && systemctl enable --now {timer}"),
        );
    }
    let has_cron = || root.join("etc/cron.daily/apt-compat").exists();
    if !root.join("run/systemd/system").exists() && !has_cron() {
        return told("neither systemd nor /etc/cron.daily/apt-compat would start it".to_owned(), install);
    }
    None
}

/// Whether a value of `APT::Periodic` is anything but never: days, `12h`, `always`.
fn is_on(value: &str) -> bool {
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    value == "always" || number.parse::<u64>().is_ok_and(|number| number > 0)
}

/// Whether systemd starts a timer with the machine: it is wanted, and not masked.
fn is_enabled(root: &Path, timer: &str) -> bool {
    let folder = root.join("etc/systemd/system");
    let is_masked = std::fs::read_link(folder.join(timer)).is_ok_and(|target| target == Path::new("/dev/null"));
    !is_masked && folder.join("timers.target.wants").join(timer).symlink_metadata().is_ok()
}

/// Judges MON-04.
pub(in super::super) fn judge(seen: &Seen) -> Verdict {
    let automatic = match &seen.system.automatic {
        Ok(automatic) => automatic,
        Err(unknown) => return unknown.into(),
    };
    if let Some((what, fix)) = &automatic.obstacle {
        return Verdict::fail(format!("updates do not come by themselves: {what}"), fix.clone());
    }
    match &automatic.reboot {
        Err(unknown) => unknown.into(),
        Ok(None) => Verdict::pass("unattended-upgrades installs security updates, and no reboot is waited for"),
        Ok(Some(Waiting { since, why })) => {
            let days = seen.now.saturating_sub(*since) / DAY;
            let told = format!("unattended-upgrades installs security updates; {why}, for {days} days");
            if seen.now.saturating_sub(*since) > PATIENCE {
                return Verdict::partial(told, "systemctl reboot");
            }
            Verdict::pass(told)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::super::super::super::verdict::State;
    use super::super::super::tests::seen;
    use super::*;

    const ON: &str = "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n\
                      Unattended-Upgrade::Origins-Pattern { \"origin=Debian,label=Debian-Security\"; };\n";

    fn root(settings: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["etc/apt/apt.conf.d", "usr/bin", "run/systemd/system", "etc/systemd/system/timers.target.wants"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        fs::write(at("etc/apt/apt.conf.d/50x"), settings).unwrap();
        fs::write(at("usr/bin/unattended-upgrade"), "").unwrap();
        for timer in TIMERS {
            let unit = format!("/lib/systemd/system/{timer}");
            symlink(unit, at("etc/systemd/system/timers.target.wants").join(timer)).unwrap();
        }
        folder
    }

    fn found(folder: &tempfile::TempDir) -> Option<String> {
        let paths = Paths { root: folder.path().to_owned(), proc: folder.path().join("proc"), ..Paths::default() };
        look(&paths).unwrap().obstacle.map(|(what, _)| what)
    }

    #[test]
    fn each_thing_that_it_takes_can_be_missing() {
        assert_eq!(found(&root(ON)), None);
        let off = |from: &str, to: &str| found(&root(&ON.replace(from, to))).unwrap();
        assert_eq!(
            off("Unattended-Upgrade \"1\"", "Unattended-Upgrade \"0\""),
            "APT::Periodic::Unattended-Upgrade is \"0\""
        );
        assert_eq!(off("Update-Package-Lists", "Something"), "APT::Periodic::Update-Package-Lists is \"0\"");
        assert_eq!(
            off("APT::Periodic::Update", "APT::Periodic::Enable \"0\"; APT::Periodic::Update"),
            "APT::Periodic::Enable is \"0\""
        );
        assert!(off("Debian-Security", "Debian").starts_with("unattended-upgrades installs nothing"));

        let masked = root(ON);
        symlink("/dev/null", masked.path().join("etc/systemd/system/apt-daily-upgrade.timer")).unwrap();
        assert_eq!(found(&masked).unwrap(), "apt-daily-upgrade.timer is not enabled");
        let absent = root(ON);
        fs::remove_file(absent.path().join("usr/bin/unattended-upgrade")).unwrap();
        assert_eq!(found(&absent).unwrap(), "unattended-upgrades is not installed");
        let without = root(ON);
        fs::remove_dir_all(without.path().join("run")).unwrap();
        assert!(found(&without).unwrap().starts_with("neither systemd nor"));
    }

    #[test]
    fn a_reboot_may_wait_for_a_week() {
        let judged = |obstacle: bool, age: Option<i64>| {
            let mut seen = seen();
            let waiting = age.map(|age| Waiting { since: seen.now - age, why: "x".into() });
            let obstacle = obstacle.then(|| ("x".to_owned(), "y".to_owned()));
            seen.system.automatic = Ok(Automatic { obstacle, reboot: Ok(waiting) });
            judge(&seen).state
        };
        assert_eq!(judged(false, None), State::Pass);
        assert_eq!(judged(false, Some(PATIENCE)), State::Pass);
        assert_eq!(judged(false, Some(PATIENCE + 1)), State::Partial);
        assert_eq!(judged(true, None), State::Fail);
    }

    #[test]
    fn a_system_without_apt_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { root: folder.path().to_owned(), proc: folder.path().to_owned(), ..Paths::default() };
        assert_eq!(look(&paths).unwrap_err().cause, Cause::Unsupported);
    }
}
