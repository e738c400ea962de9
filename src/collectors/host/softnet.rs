//! Packets handled by each CPU, from `/proc/net/softnet_stat`.

use super::source::{Hole, Source};
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Packets that the CPU has taken from network devices since boot.
    PROCESSED = Counter("node_softnet_processed_total", None, ["cpu"]);
    /// Packets dropped since boot because the CPU's backlog was full.
    DROPPED = Counter("node_softnet_dropped_total", None, ["cpu"]);
    /// Times since boot that the CPU stopped with packets left, its time or budget being used up.
    SQUEEZED = Counter("node_softnet_times_squeezed_total", None, ["cpu"]);
    /// Times since boot that two CPUs wanted to send on one device at once.
    COLLISIONS = Counter("node_softnet_cpu_collision_total", None, ["cpu"]);
    /// Times since boot that another CPU woke this one to take packets (receive packet steering).
    STEERED = Counter("node_softnet_received_rps_total", None, ["cpu"]);
    /// Times since boot that the flow limit was reached.
    FLOW_LIMIT = Counter("node_softnet_flow_limit_count_total", None, ["cpu"]);
    /// Packets in the CPU's backlog now.
    BACKLOG = Gauge("node_softnet_backlog_len", None, ["cpu"]);
}

/// Columns and their metrics; later columns came with later kernels.
static COLUMNS: [(usize, &Metric<1>); 7] = [
    (0, &PROCESSED),
    (1, &DROPPED),
    (2, &SQUEEZED),
    (8, &COLLISIONS),
    (9, &STEERED),
    (10, &FLOW_LIMIT),
    (11, &BACKLOG),
];

/// The column with the CPU's number, since Linux 5.10; before, the lines are in the order of CPUs.
const CPU: usize = 12;

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    report(source.proc.read("net/softnet_stat", &mut source.buffer)?, out)
}

/// Hexadecimal columns, one line for each CPU that is online.
pub(super) fn report(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    for (index, line) in text.lines().enumerate() {
        let garbled = || Hole::garbled("net/softnet_stat", line);
        let columns: Vec<u32> = line
            .split_ascii_whitespace()
            .map(|word| u32::from_str_radix(word, 16).map_err(|_| garbled()))
            .collect::<Result<_, _>>()?;
        let cpu = columns.get(CPU).map_or_else(|| index.to_string(), ToString::to_string);
        for (column, metric) in COLUMNS {
            if let Some(count) = columns.get(column) {
                out.push(metric, [&cpu], *count);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn hexadecimal_and_numbered_by_the_last_column() {
        let mut out = Snapshot::default();
        let line = "0000ffff 00000001 00000002 0 0 0 0 0 00000003 00000004 00000005 00000006 0000000a 0 0\n";
        report(line, &mut out).unwrap();
        expect_test::expect![[r#"
            node_softnet_backlog_len{cpu="10"} 6
            node_softnet_cpu_collision_total{cpu="10"} 3
            node_softnet_dropped_total{cpu="10"} 1
            node_softnet_flow_limit_count_total{cpu="10"} 5
            node_softnet_processed_total{cpu="10"} 65535
            node_softnet_received_rps_total{cpu="10"} 4
            node_softnet_times_squeezed_total{cpu="10"} 2
        "#]]
        .assert_eq(&text(out));
    }

    #[test]
    fn an_old_kernel_has_fewer_columns() {
        let mut out = Snapshot::default();
        report("1 0 0 0 0 0 0 0 0\n2 0 0 0 0 0 0 0 0\n", &mut out).unwrap();
        let found = text(out);
        assert!(found.contains("node_softnet_processed_total{cpu=\"1\"} 2\n") && !found.contains("backlog"), "{found}");
    }
}
