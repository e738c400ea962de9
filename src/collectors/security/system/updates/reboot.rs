//! Whether the machine waits for a reboot, and since when.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::super::super::verdict::{Cause, Known, Unknown};

/// What programs leave behind that want a reboot.
const FLAG: &str = "run/reboot-required";

/// Who would leave it for each new kernel; where none is there, that the file is not there says nothing.
const WRITERS: [&str; 4] = [
    "etc/kernel/postinst.d/reboot-notifier",
    "etc/kernel/postinst.d/unattended-upgrades",
    "etc/kernel/postinst.d/update-notifier",
    "usr/share/update-notifier/notify-reboot-required",
];

/// The most files of `/boot` that are looked at.
const KERNELS: usize = 1_000;

/// A reboot that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Since when, in seconds since 1970.
    pub(crate) since: i64,
    /// What for.
    pub(crate) why: String,
}

/// Looks for a kernel that is newer than the one that runs, and for what programs have left.
pub(super) fn look(root: &Path, proc: &Path) -> Known<Option<Waiting>> {
    let flag = fs::metadata(root.join(FLAG)).ok();
    let flag = flag.map(|flag| Waiting { since: flag.mtime(), why: format!("/{FLAG} is there") });
    let release = fs::read_to_string(proc.join("sys/kernel/osrelease")).unwrap_or_default();
    let kernel = newer(&root.join("boot"), release.trim());
    let is_written = WRITERS.iter().any(|writer| root.join(writer).exists());
    if flag.is_none() && kernel.is_none() && !is_written {
        let why = "the kernel that runs is none of /boot, and nothing here would ask for a reboot";
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    // Whichever waits longer.
    Ok(flag.into_iter().chain(kernel.flatten()).min_by_key(|waiting| waiting.since))
}

/// The newest kernel of the kind that runs, where it is newer than that; `None` where the one that runs is not among them.
#[expect(clippy::option_option, reason = "that there is no newer one is known, or is not")]
fn newer(boot: &Path, release: &str) -> Option<Option<Waiting>> {
    let (running, kind) = parts(release)?;
    let entries = fs::read_dir(boot).ok()?;
    let mut installed: Vec<_> = entries
        .take(KERNELS)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?.strip_prefix("vmlinuz-")?.to_owned();
            let (version, of_kind) = parts(&name)?;
            // dpkg keeps the time at which a file was built: when it came here is when it last changed its place.
            (of_kind == kind).then(|| (version, entry.metadata().map(|file| file.ctime()).unwrap_or_default(), name))
        })
        .collect();
    installed.sort();
    if !installed.iter().any(|(version, ..)| *version == running) {
        return None;
    }
    // Waited for since the first of those that are newer came.
    let since = installed.iter().filter(|(version, ..)| *version > running).map(|(_, since, _)| *since).min();
    let name = installed.pop().map(|(.., name)| name).unwrap_or_default();
    Some(since.map(|since| Waiting { since, why: format!("Linux {name} is installed, and {release} runs") }))
}

/// The numbers and the kind of a kernel's release: of `6.1.0-40-cloud-amd64` 6, 1, 0, 40 and `cloud-amd64`.
fn parts(release: &str) -> Option<(Vec<u64>, &str)> {
    let kind = release.match_indices('-').map(|(at, _)| &release[at + 1..]);
    let kind = kind.into_iter().find(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic())).unwrap_or("");
    let version = release.strip_suffix(kind)?.trim_end_matches('-');
    let numbers: Vec<_> = version.split(['.', '-', '+']).map_while(|number| number.parse().ok()).collect();
    (numbers.len() >= 2).then_some((numbers, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(release: &str, files: &[&str]) -> Known<Option<String>> {
        let folder = tempfile::tempdir().unwrap();
        for file in files.iter().chain(&["proc/sys/kernel/osrelease"]) {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, release).unwrap();
        }
        look(folder.path(), &folder.path().join("proc")).map(|waiting| waiting.map(|waiting| waiting.why))
    }

    #[test]
    fn a_newer_kernel_of_the_same_kind_waits_for_a_reboot() {
        let kernels = ["boot/vmlinuz-6.1.0-9-amd64", "boot/vmlinuz-6.1.0-40-amd64", "boot/vmlinuz-6.12.0-1-rt-amd64"];
        assert_eq!(machine("6.1.0-40-amd64", &kernels), Ok(None));
        let why = "Linux 6.1.0-40-amd64 is installed, and 6.1.0-9-amd64 runs".to_owned();
        assert_eq!(machine("6.1.0-9-amd64", &kernels), Ok(Some(why)));
        let ubuntu = ["boot/vmlinuz-5.15.0-91-generic", "boot/vmlinuz-5.15.0-113-generic"];
        assert!(machine("5.15.0-91-generic", &ubuntu).is_ok_and(|waiting| waiting.is_some()));
    }

    #[test]
    fn a_kernel_of_somewhere_else_says_nothing_unless_something_asks_for_reboots() {
        let unknown = machine("6.8.12-4-pve", &["boot/vmlinuz-6.1.0-40-amd64"]).unwrap_err();
        assert_eq!(unknown.cause, Cause::Unsupported);
        assert_eq!(machine("6.8.12-4-pve", &[WRITERS[1]]), Ok(None));
        assert_eq!(machine("6.8.12-4-pve", &[WRITERS[1], FLAG]), Ok(Some("/run/reboot-required is there".to_owned())));
    }
}
