//! Whether the distribution asks for a reboot, from `/run/reboot-required` (Debian, Ubuntu), under the name that the
//! community's textfile scripts have for it.

use super::root::in_root;
use super::source::{Buffer, Folder, Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// 1 when installed updates, a kernel's for example, take effect only after a reboot; 0 when not.
    REQUIRED = Gauge("node_reboot_required", None, []);
}

crate::metrics! {
    Own as OWN;
    /// Packages whose updates have asked for the reboot.
    PACKAGES = Gauge("node_reboot_required_packages", None, []);
}

/// The file whose presence says it, and the one that names the packages, a line each time one asks.
const FILE: &str = "run/reboot-required";
const PACKAGES_FILE: &str = "run/reboot-required.pkgs";

/// What writes these files for each new kernel: reboot-notifier and unattended-upgrades (Debian, Ubuntu), and
/// update-notifier-common (Ubuntu).
const WRITERS: [&str; 4] = [
    "etc/kernel/postinst.d/reboot-notifier",
    "etc/kernel/postinst.d/unattended-upgrades",
    "etc/kernel/postinst.d/update-notifier",
    "usr/share/update-notifier/notify-reboot-required",
];

/// Reads and reports. Where nothing would write the file, that it is not there says nothing.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let is_there = |name: &str| in_root(&source.root, name).exists();
    let required = is_there(FILE);
    if !required && !WRITERS.into_iter().any(is_there) {
        return Err(Hole::Missing);
    }
    out.push(&REQUIRED, [], required);
    let packages = if required { packages(&source.root, &mut source.buffer)? } else { Some(0) };
    if let Some(packages) = packages {
        out.push(&PACKAGES, [], packages);
    }
    Ok(())
}

/// How many packages are named; `None` when there is no such list.
fn packages(root: &std::path::Path, buffer: &mut Buffer) -> Result<Option<usize>, Hole> {
    let path = in_root(root, PACKAGES_FILE);
    let folder = Folder::at(path.parent().unwrap_or(root));
    let text = match folder.read(&path.file_name().unwrap_or_default().to_string_lossy(), buffer) {
        Ok(text) => text,
        Err(Hole::Missing) => return Ok(None),
        Err(failed) => return Err(failed),
    };
    let mut packages: Vec<_> = text.lines().map(str::trim).filter(|package| !package.is_empty()).collect();
    packages.sort_unstable();
    packages.dedup();
    Ok(Some(packages.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn a_package_that_asks_twice_is_one() {
        let machine = Machine::new(&[
            ("root/run/reboot-required", "*** System restart required ***\n"),
            ("root/run/reboot-required.pkgs", "linux-image-6.1.0-40-amd64\nlibc6\n\nlibc6\n"),
        ]);
        expect_test::expect![[r#"
            node_reboot_required{} 1
            node_reboot_required_packages{} 2
        "#]]
        .assert_eq(&machine.found_by(collect));
        let unnamed = Machine::new(&[("root/run/reboot-required", "")]);
        assert_eq!(unnamed.found_by(collect), "node_reboot_required{} 1\n");
    }

    #[test]
    fn no_file_means_no_reboot_only_where_something_would_write_it() {
        for writer in WRITERS {
            let machine = Machine::new(&[(&format!("root/{writer}"), "")]);
            let zeros = "node_reboot_required{} 0\nnode_reboot_required_packages{} 0\n";
            assert_eq!(machine.found_by(collect), zeros, "{writer}");
        }
        let machine = Machine::new(&[("root/etc/fedora-release", "")]);
        assert!(matches!(collect(&mut machine.source(), &mut Snapshot::default()), Err(Hole::Missing)));
    }
}
