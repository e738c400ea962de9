//! The machine: a disk that fills; memory and processor, of which only the limit is moved. The machine itself is in no
//! danger, and its clock stays as it is.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::drill::{Drill, critical, warning};
use crate::support::daemon::folder;

pub(super) const DRILLS: &[Drill] = &[
    Drill {
        fault: "a disk fills",
        short: true,
        // The disks that the machine has may be fuller than a shop would like.
        thresholds: &[("HostDiskFull", "0.98")],
        pages: &[critical("HostDiskFull", 1)],
        after: 5.0,
        acknowledged: true,
        inject: |world| {
            if let Some(disk) = Disk::mounted() {
                disk.fill();
                world.hold(disk);
            } else {
                world.timeline.done("no disk of its own here: instead, the limit is moved below what is in use");
                world.promise(&[("HostDiskFull", "0.001")]);
            }
        },
        repair: |world| {
            world.let_go();
            world.promise(&[]);
        },
        ..Drill::NONE
    },
    Drill {
        fault: "memory is low (by a limit of 1 %)",
        pages: &[critical("HostMemoryLow", 1)],
        after: 5.0,
        inject: |world| world.promise(&[("HostMemoryLow", "0.01")]),
        repair: |world| world.promise(&[]),
        ..Drill::NONE
    },
    Drill {
        fault: "the processor is busy (by a limit of 0.5 %)",
        pages: &[warning("HostCpuSaturated", 1)],
        after: 15.0,
        inject: |world| world.promise(&[("HostCpuSaturated", "0.005")]),
        repair: |world| world.promise(&[]),
        ..Drill::NONE
    },
];

/// A file system in a file.
struct Disk {
    /// Unmounts it once its standard input ends, also when the run is killed.
    warden: Child,
    /// Holds the image and the mount point; is removed once nothing is mounted there.
    folder: TempDir,
}

impl Disk {
    const BYTES: u64 = 32 << 20;

    /// None where this machine has no loop devices, or we may not mount, or vitrin would not see it.
    fn mounted() -> Option<Self> {
        let folder = folder();
        let (image, path) = (folder.path().join("image"), folder.path().join("disk"));
        fs::create_dir(&path).unwrap();
        File::create(&image).unwrap().set_len(Self::BYTES).unwrap();
        let done = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        let made = done(Command::new("mkfs.ext4").arg("-q").arg(&image))
            && done(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&path));
        if !made {
            return None;
        }
        // Lazily: whoever looks at it just then must not keep it.
        let mut warden = Command::new("sh");
        warden.args(["-c", "read -r _; umount --lazy \"$1\"", "warden"]).arg(&path);
        let warden = warden.process_group(0).stdin(Stdio::piped()).spawn().unwrap();
        let disk = Self { warden, folder };
        // vitrin shows what the first process sees, which is not this where the run has mounts of its own.
        let seen = fs::read_to_string("/proc/1/mounts").unwrap_or_default().contains(path.to_str().unwrap());
        seen.then_some(disk)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Writes until hardly anything is left.
    fn fill(&self) {
        let size = rustix::fs::statvfs(self.path()).unwrap();
        let free = usize::try_from(size.f_bavail * size.f_frsize).unwrap();
        fs::write(self.path().join("full"), vec![1; free / 100 * 99]).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.warden.stdin.take());
        // Before the folder goes.
        self.warden.wait().ok();
    }
}
