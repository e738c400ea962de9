//! Size and free space of each file system that is mounted.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::mounts::{Answer, Mounts};
use super::source::{Hole, Source};
use crate::collector::{Failure, Reason};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Size of the file system.
    SIZE = Gauge("node_filesystem_size_bytes", Bytes, ["device", "fstype", "mountpoint"]);
    /// Free space, what is reserved for root included.
    FREE = Gauge("node_filesystem_free_bytes", Bytes, ["device", "fstype", "mountpoint"]);
    /// Free space that ordinary users may fill.
    AVAILABLE = Gauge("node_filesystem_avail_bytes", Bytes, ["device", "fstype", "mountpoint"]);
    /// Inodes in all; 0 on file systems that make them as needed (btrfs, FAT).
    FILES = Gauge("node_filesystem_files", None, ["device", "fstype", "mountpoint"]);
    /// Inodes that are not in use.
    FILES_FREE = Gauge("node_filesystem_files_free", None, ["device", "fstype", "mountpoint"]);
    /// Whether it is mounted read-only, or the kernel has made it so after an error.
    READ_ONLY = Gauge("node_filesystem_readonly", None, ["device", "fstype", "mountpoint"]);
    /// Whether its space could not be read: an error, or no answer in time, as from an NFS server that is gone.
    DEVICE_ERROR = Gauge("node_filesystem_device_error", None, ["device", "fstype", "mountpoint"]);
    /// Device numbers of each mount.
    MOUNT_INFO = Gauge("node_filesystem_mount_info", None, ["device", "major", "minor", "mountpoint"]);
}

/// A line of `mountinfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    device: String,
    fs_type: String,
    /// Below the root of [`Paths`](crate::collector::Paths).
    pub(super) point: String,
    major: String,
    minor: String,
    read_only: bool,
}

/// The mounts to report: those of process 1, as ours may be a container's; our own where we may not see those.
pub(super) fn list(source: &mut Source) -> Result<Vec<Mount>, Hole> {
    let file = if source.proc.can_open("1/mountinfo") { "1/mountinfo" } else { "self/mountinfo" };
    let text = source.proc.read(file, &mut source.buffer)?;
    let mounts = parse(text, &source.root)?;
    Ok(mounts.into_iter().filter(|mount| source.config.wants_mount(&mount.point, &mount.fs_type)).collect())
}

/// Takes `mountinfo` apart (proc(5)). Of several mounts on one place the last one hides the others.
pub(super) fn parse(text: &str, root: &Path) -> Result<Vec<Mount>, Hole> {
    let mut places = HashMap::new();
    let mut mounts: Vec<Mount> = Vec::new();
    for line in text.lines() {
        let mount = parse_line(line, root).ok_or_else(|| Hole::garbled("mountinfo", line))?;
        if let Some(&index) = places.get(&mount.point) {
            mounts[index] = mount;
        } else {
            places.insert(mount.point.clone(), mounts.len());
            mounts.push(mount);
        }
    }
    Ok(mounts)
}

/// `27 1 254:0 / /mnt rw,noatime shared:1 - ext4 /dev/vda rw`: any number of optional fields stands before the `-`.
fn parse_line(line: &str, root: &Path) -> Option<Mount> {
    let (first, last) = line.split_once(" - ")?;
    let mut first = first.split(' ');
    let (major, minor) = first.nth(2)?.split_once(':')?;
    let point = unescaped(first.nth(1)?);
    let options = first.next()?;
    let mut last = last.split(' ');
    let (fs_type, device) = last.next().zip(last.next())?;
    let super_options = last.next().unwrap_or_default();
    let is_read_only = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        device: unescaped(device),
        fs_type: unescaped(fs_type),
        point: below(&point, root),
        major: major.to_owned(),
        minor: minor.to_owned(),
        read_only: is_read_only(options) || is_read_only(super_options),
    })
}

/// The mount point as the host sees it: without the prefix under which a container sees it.
fn below(point: &str, root: &Path) -> String {
    match Path::new(point).strip_prefix(root) {
        Ok(rest) => Path::new("/").join(rest).to_string_lossy().into_owned(),
        Err(_) => point.to_owned(),
    }
}

/// Undoes the kernel's octal escapes: space, tab, line feed and backslash are `\040`, `\011`, `\012` and `\134`.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let digits = after.get(..3).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if byte.is_ascii() => {
                plain.push(byte.into());
                rest = &after[3..];
            }
            _ => {
                plain.push('\\');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Asks each mount for its space.
pub(super) async fn ask(mounts: &[Mount], root: &Path, asker: &Mounts, limit: Duration) -> Vec<Answer> {
    let point = |mount: &Mount| root.join(mount.point.trim_start_matches('/'));
    let points: Vec<PathBuf> = mounts.iter().map(point).collect();
    asker.ask(&points, limit).await
}

/// Reports what the mounts have answered.
pub(super) fn report(mounts: &[Mount], answers: Vec<Answer>, out: &mut Snapshot) {
    for (mount, answer) in mounts.iter().zip(answers) {
        let labels = [mount.device.as_str(), &mount.fs_type, &mount.point];
        out.push(&MOUNT_INFO, [&mount.device, &mount.major, &mount.minor, &mount.point], true);
        out.push(&READ_ONLY, labels, mount.read_only);
        out.push(&DEVICE_ERROR, labels, !matches!(answer, Answer::Space(_)));
        let failure = match answer {
            Answer::Space(space) => {
                out.push(&SIZE, labels, space.size);
                out.push(&FREE, labels, space.free);
                out.push(&AVAILABLE, labels, space.available);
                out.push(&FILES, labels, space.files);
                out.push(&FILES_FREE, labels, space.files_free);
                continue;
            }
            Answer::Error(error) if error.kind() == ErrorKind::PermissionDenied => Failure::io(error)
                .context("a FUSE file system of another user, perhaps; `mount_points_exclude` leaves it out"),
            Answer::Error(error) => Failure::io(error),
            Answer::Silence => {
                Failure::message(Reason::Timeout, "no answer in time, and not asked again before it comes")
            }
        };
        out.gap(failure.context(format!("asking the file system at `{}` for its space", mount.point)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::mounts::Space;
    use crate::collectors::host::source::tests::text;

    const THIS_MACHINE: &str = include_str!("../../../tests/fixtures/host/linux-6.18-mountinfo.txt");

    fn mount(line: &str) -> Mount {
        parse_line(line, Path::new("/")).unwrap()
    }

    #[test]
    fn this_machine_has_one_file_system_of_its_own() {
        let config = crate::collectors::host::Config::default();
        let mut mounts = parse(THIS_MACHINE, Path::new("/")).unwrap();
        mounts.retain(|mount| config.wants_mount(&mount.point, &mount.fs_type));
        let mut out = Snapshot::default();
        let space = Space { size: 5, free: 4, available: 3, files: 2, files_free: 1 };
        let answers = mounts.iter().map(|_| Answer::Space(space)).collect();
        report(&mounts, answers, &mut out);
        expect_test::expect![[r#"
            node_filesystem_avail_bytes{device="/dev/vda",fstype="ext4",mountpoint="/"} 3
            node_filesystem_device_error{device="/dev/vda",fstype="ext4",mountpoint="/"} 0
            node_filesystem_files{device="/dev/vda",fstype="ext4",mountpoint="/"} 2
            node_filesystem_files_free{device="/dev/vda",fstype="ext4",mountpoint="/"} 1
            node_filesystem_free_bytes{device="/dev/vda",fstype="ext4",mountpoint="/"} 4
            node_filesystem_mount_info{device="/dev/vda",major="254",minor="0",mountpoint="/"} 1
            node_filesystem_readonly{device="/dev/vda",fstype="ext4",mountpoint="/"} 0
            node_filesystem_size_bytes{device="/dev/vda",fstype="ext4",mountpoint="/"} 5
        "#]]
        .assert_eq(&text(out));
    }

    #[test]
    fn optional_fields_escapes_and_read_only_by_either_option() {
        let found = mount(r"40 27 0:35 / /mnt/a\040b\134c rw,noatime shared:5 master:1 - nfs4 nas:/x\040y ro,vers=4.2");
        assert_eq!((found.point.as_str(), found.device.as_str()), (r"/mnt/a b\c", "nas:/x y"));
        assert!(found.read_only);
        assert!(!mount("40 27 0:35 / / rw - ext4 /dev/sda errors=remount-ro").read_only);
        assert_eq!(unescaped(r"a\b\0"), r"a\b\0");
    }

    #[test]
    fn a_container_sees_the_host_below_a_prefix() {
        let root = Path::new("/host");
        let point = |line| parse_line(line, root).unwrap().point;
        assert_eq!(point("1 1 8:1 / /host rw - ext4 /dev/sda1 rw"), "/");
        assert_eq!(point("1 1 8:2 / /host/srv rw - ext4 /dev/sda2 rw"), "/srv");
        assert_eq!(point("1 1 8:2 / /hosting rw - ext4 /dev/sda2 rw"), "/hosting");
    }

    #[test]
    fn of_two_mounts_on_one_place_the_upper_one_counts() {
        let text = "1 1 8:1 / /srv rw - ext4 /dev/sda1 rw\n2 1 8:2 / /srv rw - xfs /dev/sdb rw\n";
        let mounts = parse(text, Path::new("/")).unwrap();
        assert_eq!(mounts.iter().map(|mount| mount.device.as_str()).collect::<Vec<_>>(), ["/dev/sdb"]);
    }

    #[test]
    fn a_silent_mount_is_an_error_and_a_gap_and_has_no_space() {
        let mut out = Snapshot::default();
        let mounts = [mount("1 1 0:35 / /mnt rw - nfs4 nas:/x rw"), mount("2 1 0:36 / /shut rw - fuse x rw")];
        report(&mounts, vec![Answer::Silence, Answer::Error(ErrorKind::PermissionDenied.into())], &mut out);
        let (findings, gaps, _) = out.finish();
        assert_eq!(findings.len(), 6);
        assert_eq!(gaps.iter().map(|gap| gap.reason).collect::<Vec<_>>(), [Reason::Timeout, Reason::Permission]);
        assert!(gaps[0].to_string().starts_with("asking the file system at `/mnt` for its space: no answer in time"));
        assert!(gaps[1].to_string().contains("`mount_points_exclude` leaves it out"), "{}", gaps[1]);
    }
}
