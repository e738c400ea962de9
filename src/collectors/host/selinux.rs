//! SELinux' mode, from `/sys/fs/selinux`.

use super::source::{Buffer, Folder, Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Whether SELinux is in use.
    ENABLED = Gauge("node_selinux_enabled", None, []);
    /// Mode that `/etc/selinux/config` sets at boot: 1 enforcing, 0 permissive, -1 disabled.
    CONFIG_MODE = Gauge("node_selinux_config_mode", None, []);
    /// Mode now: 1 enforcing, 0 permissive.
    CURRENT_MODE = Gauge("node_selinux_current_mode", None, []);
}

/// Reads and reports. SELinux is in use when its file system is mounted.
#[expect(clippy::unnecessary_wraps, reason = "all parts have one signature")]
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let mode = source.sys.number::<f64>("fs/selinux/enforce", &mut source.buffer);
    out.push(&ENABLED, [], mode.is_some());
    if let Some(mode) = mode {
        out.push(&CURRENT_MODE, [], mode);
        if let Some(configured) = configured(&Folder::at(&source.root), &mut source.buffer) {
            out.push(&CONFIG_MODE, [], configured);
        }
    }
    Ok(())
}

fn configured(root: &Folder, buffer: &mut Buffer) -> Option<f64> {
    let text = root.property("etc/selinux/config", buffer)?;
    match text.lines().find_map(|line| line.trim().strip_prefix("SELINUX="))?.trim() {
        "enforcing" => Some(1.0),
        "permissive" => Some(0.0),
        "disabled" => Some(-1.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn permissive_now_and_enforcing_after_the_next_boot() {
        let machine = Machine::new(&[
            ("sys/fs/selinux/enforce", "0"),
            ("root/etc/selinux/config", "# a comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n"),
        ]);
        let expected = "node_selinux_config_mode{} 1\nnode_selinux_current_mode{} 0\nnode_selinux_enabled{} 1\n";
        assert_eq!(machine.found_by(collect), expected);
        assert_eq!(Machine::new(&[]).found_by(collect), "node_selinux_enabled{} 0\n");
    }
}
