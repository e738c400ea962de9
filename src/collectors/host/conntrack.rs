//! The firewall's connection table, from `/proc/sys/net/netfilter` and `/proc/net/stat/nf_conntrack`.

use super::source::{Hole, Source};
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Connections in the table now.
    ENTRIES = Gauge("node_nf_conntrack_entries", None, []);
    /// Connections that the table holds at most; above it, new ones are dropped.
    ENTRIES_LIMIT = Gauge("node_nf_conntrack_entries_limit", None, []);
    /// Look-ups that found their connection; always 0 on newer kernels.
    FOUND = Counter("node_nf_conntrack_stat_found", None, []);
    /// Packets that could not be tracked.
    INVALID = Counter("node_nf_conntrack_stat_invalid", None, []);
    /// Packets already tied to a connection; always 0 on newer kernels.
    IGNORE = Counter("node_nf_conntrack_stat_ignore", None, []);
    /// Connections put into the table; always 0 on newer kernels.
    INSERT = Counter("node_nf_conntrack_stat_insert", None, []);
    /// Connections that could not be put into the table, another one having been faster.
    INSERT_FAILED = Counter("node_nf_conntrack_stat_insert_failed", None, []);
    /// Packets dropped because their connection could not be tracked: a full table, or no memory.
    DROP = Counter("node_nf_conntrack_stat_drop", None, []);
    /// Connections thrown out of a full table to make room for new ones.
    EARLY_DROP = Counter("node_nf_conntrack_stat_early_drop", None, []);
    /// Look-ups begun anew because the table was being resized.
    SEARCH_RESTART = Counter("node_nf_conntrack_stat_search_restart", None, []);
}

static COLUMNS: [(&str, &Metric<0>); 8] = [
    ("found", &FOUND),
    ("invalid", &INVALID),
    ("ignore", &IGNORE),
    ("insert", &INSERT),
    ("insert_failed", &INSERT_FAILED),
    ("drop", &DROP),
    ("early_drop", &EARLY_DROP),
    ("search_restart", &SEARCH_RESTART),
];

/// Reads and reports; without the module, or in a container's network, there is nothing.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    for (file, metric) in
        [("sys/net/netfilter/nf_conntrack_count", &ENTRIES), ("sys/net/netfilter/nf_conntrack_max", &ENTRIES_LIMIT)]
    {
        let text = source.proc.read(file, &mut source.buffer)?;
        out.push(metric, [], text.trim().parse::<u64>().map_err(|_| Hole::garbled(file, text))?);
    }
    match source.proc.read("net/stat/nf_conntrack", &mut source.buffer) {
        Ok(text) => report(text, out),
        // Kernels built without CONFIG_NF_CONNTRACK_PROCFS have the table's size only.
        Err(Hole::Missing) => Ok(()),
        Err(failed) => Err(failed),
    }
}

/// A line of names, then a line of hexadecimal numbers for each CPU.
pub(super) fn report(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().unwrap_or_default().split_ascii_whitespace().collect();
    let mut sums = vec![0_u64; names.len()];
    for line in lines {
        for (sum, word) in sums.iter_mut().zip(line.split_ascii_whitespace()) {
            let count = u64::from_str_radix(word, 16).map_err(|_| Hole::garbled("net/stat/nf_conntrack", line))?;
            *sum = sum.wrapping_add(count);
        }
    }
    for (name, metric) in COLUMNS {
        if let Some(index) = names.iter().position(|known| *known == name) {
            out.push(metric, [], sums[index]);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn the_counts_of_all_cpus_are_added() {
        let mut out = Snapshot::default();
        let names = include_str!("../../../tests/fixtures/host/linux-6.18-conntrack.txt").lines().next().unwrap();
        // found, invalid, insert_failed, drop, early_drop and search_restart of a busy firewall with two CPUs.
        let cpus = "0000 0 1 0 0a 0 0 0 0 2 3 4 0  0 0 0 5\n0000 0 1 0 10 0 0 0 0 2 3 ff 0  0 0 0 5\n";
        report(&format!("{names}\n{cpus}"), &mut out).unwrap();
        expect_test::expect![[r"
            node_nf_conntrack_stat_drop{} 6
            node_nf_conntrack_stat_early_drop{} 259
            node_nf_conntrack_stat_found{} 2
            node_nf_conntrack_stat_ignore{} 0
            node_nf_conntrack_stat_insert{} 0
            node_nf_conntrack_stat_insert_failed{} 4
            node_nf_conntrack_stat_invalid{} 26
            node_nf_conntrack_stat_search_restart{} 10
        "]]
        .assert_eq(&text(out));
    }
}
