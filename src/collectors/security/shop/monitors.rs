//! Programs that watch the machine's files for changes: those that are configured and start by themselves.

use std::fs;
use std::path::{Path, PathBuf};

use super::host::Host;

/// A program: its name, files that configure it or keep its data, and what starts it.
struct Known {
    name: &'static str,
    configured: &'static [&'static str],
    units: &'static [&'static str],
    crons: &'static [&'static str],
}

const KNOWN: [Known; 5] = [
    Known {
        name: "AIDE",
        configured: &["/etc/aide/aide.conf", "/etc/aide.conf"],
        units: &["dailyaidecheck.timer", "aidecheck.timer", "aide-check.timer"],
        crons: &["/etc/cron.daily/aide", "/etc/cron.weekly/aide", "/etc/cron.d/aide"],
    },
    // Its configuration is for root and itself; the folder is seen by everybody.
    Known {
        name: "Wazuh",
        configured: &["/var/ossec"],
        units: &["wazuh-agent.service", "wazuh-manager.service"],
        crons: &[],
    },
    Known { name: "OSSEC", configured: &["/var/ossec"], units: &["ossec.service", "ossec-hids.service"], crons: &[] },
    Known {
        name: "samhain",
        configured: &["/etc/samhain/samhainrc", "/etc/samhainrc"],
        units: &["samhain.service"],
        crons: &[],
    },
    Known {
        name: "Tripwire",
        configured: &["/etc/tripwire/tw.cfg"],
        units: &["tripwire-check.timer"],
        crons: &["/etc/cron.daily/tripwire"],
    },
];

/// Where units are enabled.
const UNITS: &str = "/etc/systemd/system";

/// The most folders of wants that are looked at.
const FOLDERS: usize = 500;

/// Those that are active. What is merely installed is none: it looks at nothing.
pub(super) fn active(host: Host<'_>) -> Vec<String> {
    let enabled = |unit: &str| {
        wants(host).iter().any(|folder| fs::symlink_metadata(folder.join(unit)).is_ok()) && !is_masked(host, unit)
    };
    // A job of cron that is not executable is switched off, but not one of cron.d.
    let runs = |job: &str| {
        let mode = host.mode(Path::new(job));
        mode.is_ok_and(|mode| job.starts_with("/etc/cron.d/") || mode.mode & 0o111 != 0)
    };
    let is_active = |program: &&Known| {
        program.configured.iter().any(|file| host.shows(Path::new(file)))
            && (program.units.iter().any(|unit| enabled(unit)) || program.crons.iter().any(|job| runs(job)))
    };
    KNOWN.iter().filter(is_active).map(|program| program.name.to_owned()).collect()
}

/// A unit that leads to nothing never starts.
fn is_masked(host: Host<'_>, unit: &str) -> bool {
    let file = host.inside(&Path::new(UNITS).join(unit));
    fs::read_link(file).is_ok_and(|target| target == Path::new("/dev/null"))
}

/// The folders whose units are started, as we reach them.
fn wants(host: Host<'_>) -> Vec<PathBuf> {
    let entries = fs::read_dir(host.inside(Path::new(UNITS))).into_iter().flatten().take(FOLDERS);
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
    folders.filter(|folder| folder.extension().is_some_and(|end| end == "wants")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn only_what_is_configured_and_started_is_active() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let active = || active(Host::new(root));
        let units = root.join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&units).unwrap();
        for folder in ["etc/aide", "etc/cron.daily", "var/ossec"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        assert_eq!(active(), [""; 0]);
        symlink("/lib/systemd/system/wazuh-agent.service", units.join("wazuh-agent.service")).unwrap();
        fs::write(root.join("etc/aide/aide.conf"), "").unwrap();
        assert_eq!(active(), ["Wazuh"]);
        fs::write(root.join("etc/cron.daily/aide"), "").unwrap();
        fs::set_permissions(root.join("etc/cron.daily/aide"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(active(), ["Wazuh"], "cron runs what is executable");
        fs::set_permissions(root.join("etc/cron.daily/aide"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(active(), ["AIDE", "Wazuh"]);
        symlink("/dev/null", root.join("etc/systemd/system/wazuh-agent.service")).unwrap();
        assert_eq!(active(), ["AIDE"]);
    }
}
