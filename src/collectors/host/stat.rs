//! Interrupts, context switches, forks and the time of boot, from `/proc/stat`.

use super::source::{Hole, Source};
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// When the machine booted, in Unix time (`btime`).
    BOOT_TIME = Gauge("node_boot_time_seconds", Seconds, []);
    /// Switches from one task to another since boot (`ctxt`).
    CONTEXT_SWITCHES = Counter("node_context_switches_total", None, []);
    /// Processes and threads created since boot (`processes`).
    FORKS = Counter("node_forks_total", None, []);
    /// Interrupts of all kinds served since boot (the first number of `intr`).
    INTERRUPTS = Counter("node_intr_total", None, []);
    /// Tasks that run or wait for a CPU now.
    RUNNING = Gauge("node_procs_running", None, []);
    /// Tasks that wait for a disk or a network file system now.
    BLOCKED = Gauge("node_procs_blocked", None, []);
}

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    report(source.proc.read("stat", &mut source.buffer)?, out)
}

pub(super) fn report(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    let mut found = 0;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let metric: &'static Metric<0> = match words.next() {
            Some("btime") => &BOOT_TIME,
            Some("ctxt") => &CONTEXT_SWITCHES,
            Some("processes") => &FORKS,
            Some("intr") => &INTERRUPTS,
            Some("procs_running") => &RUNNING,
            Some("procs_blocked") => &BLOCKED,
            _ => continue,
        };
        let value = words.next().and_then(|word| word.parse::<u64>().ok());
        out.push(metric, [], value.ok_or_else(|| Hole::garbled("stat", line))?);
        found += 1;
    }
    if found == 0 { Err(Hole::garbled("stat", text)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn the_machine_as_a_whole() {
        let mut out = Snapshot::default();
        report(include_str!("../../../tests/fixtures/host/linux-6.18-stat.txt"), &mut out).unwrap();
        expect_test::expect![[r"
            node_boot_time_seconds{} 1795380091
            node_context_switches_total{} 6744441
            node_forks_total{} 58391
            node_intr_total{} 2129746
            node_procs_blocked{} 0
            node_procs_running{} 1
        "]]
        .assert_eq(&text(out));
    }

    #[test]
    fn a_text_without_its_lines_is_a_failure_whatever_was_found_before() {
        let mut out = Snapshot::default();
        out.push(&RUNNING, [], 1.0);
        assert!(report("cpu 1 2 3\n", &mut out).is_err());
    }
}
