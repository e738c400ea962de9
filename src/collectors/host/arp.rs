//! Neighbours known to each network interface, from `/proc/net/arp`.

use std::collections::BTreeMap;

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Entries of the ARP table (IPv4 neighbours) of each interface.
    ENTRIES = Gauge("node_arp_entries", None, ["device"]);
}

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let config = source.config.clone();
    report(source.proc.read("net/arp", &mut source.buffer)?, |device| config.wants_interface(device), out);
    Ok(())
}

pub(super) fn report(text: &str, wanted: impl Fn(&str) -> bool, out: &mut Snapshot) {
    let mut entries = BTreeMap::<&str, usize>::new();
    // One line of headings; the interface is the last column.
    for device in text.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().last()) {
        if wanted(device) {
            *entries.entry(device).or_default() += 1;
        }
    }
    for (device, count) in entries {
        out.push(&ENTRIES, [device], count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn neighbours_are_counted_by_interface() {
        let mut out = Snapshot::default();
        report(include_str!("../../../tests/fixtures/host/linux-6.18-arp.txt"), |_| true, &mut out);
        assert_eq!(text(out), "node_arp_entries{device=\"eth0\"} 1\n");
    }
}
