//! A systemd of its own: process 1 of a namespace, with a bus of its own.
//!
//! Its root holds the programs of this machine, or of the other generation, and nothing else; its units are those of
//! the test. Only root can make such namespaces.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::daemon::{Daemon, folder, listens_on};
use super::generation::Generation;

/// Moves into a cgroup of its own, so that what systemd does with cgroups stays there, and on into namespaces. What a
/// run before left behind, empty, is swept away.
const ENTER: &str = r#"
mount --make-rprivate /
mount -t tmpfs tmpfs "$1/root"
mkdir "$1/root/cgroup"
mount -t cgroup2 cgroup2 "$1/root/cgroup"
find "$1"/root/cgroup/vitrin-* -depth -type d -mmin +10 -exec rmdir {} + 2>/dev/null || :
mkdir "$1/root/cgroup/vitrin-$$"
echo $$ >"$1/root/cgroup/vitrin-$$/cgroup.procs"
umount "$1/root/cgroup"
exec unshare --pid --fork --kill-child --mount --uts --ipc --cgroup sh -euc "$3" sh "$1" "$2"
"#;

/// Makes the root and becomes its systemd. Nothing of the machine's own configuration counts, and no generator runs.
const BECOME: &str = r#"
cd "$1/root"
mkdir usr etc proc sys dev run tmp
for link in bin sbin lib lib64; do ln -s "usr/$link" "$link"; done
mount --bind "$2/usr" usr
mount --bind "$2/etc" etc
mount --bind "$1/run" run
mount --rbind /dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
export container=vitrin-test SYSTEMD_UNIT_PATH=/run/units SYSTEMD_GENERATOR_PATH=/tmp SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/tmp
exec chroot . /usr/lib/systemd/systemd --system --unit=default.target --show-status=no --log-target=null
"#;

/// Targets that every unit waits for unless it says otherwise.
const TARGETS: [&str; 5] = ["basic.target", "shutdown.target", "sockets.target", "sysinit.target", "timers.target"];

/// The bus, as Debian starts it but for what it would wait for.
const BUS: [(&str, &str); 2] = [
    ("dbus.socket", "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/dbus/system_bus_socket\n"),
    (
        "dbus.service",
        "[Unit]\nDefaultDependencies=no\n[Service]\nType=notify\n\
         ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation\n",
    ),
];

/// A running systemd.
pub(crate) struct Systemd {
    daemon: Daemon,
}

impl Systemd {
    /// Starts a systemd that has these units, by name and text, and starts those of `wanted`.
    pub(crate) fn start(units: &[(&str, &str)], wanted: &str) -> Self {
        let machine = Generation::under_test();
        let folder = folder();
        for name in ["root", "run/units", "run/dbus"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let write = |name: &str, text: &str| fs::write(folder.path().join("run/units").join(name), text).unwrap();
        for (name, text) in units.iter().chain(&BUS) {
            write(name, text);
        }
        for target in TARGETS {
            write(target, "[Unit]\nDefaultDependencies=no\n");
        }
        write("default.target", &format!("[Unit]\nWants={wanted} dbus.socket\n"));
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-euc", ENTER, "sh"]).arg(folder.path()).arg(machine.root()).arg(BECOME);
        let mut systemd = Self { daemon: Daemon::start("systemd", command, folder) };
        let socket = systemd.root().join("run/dbus/system_bus_socket");
        systemd.daemon.wait_until(|| listens_on(&socket));
        systemd
    }

    /// The folder whose `run` is that of the systemd: what `--path.rootfs` names.
    pub(crate) fn root(&self) -> &Path {
        self.daemon.folder()
    }

    /// The command for a program of this generation that sees the root which the systemd sees.
    pub(crate) fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.process())).args(["--mount", "--pid", "--root", "--wd=/", program]);
        command
    }

    /// What `systemctl` says.
    pub(crate) fn control(&self, arguments: &[&str]) -> String {
        let output = self.inside("systemctl").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The process id, as we see it, of the process 1 that the outer process waits for.
    fn process(&self) -> u32 {
        let outer = self.daemon.pid();
        let children = fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).unwrap();
        children.trim().parse().unwrap()
    }
}
