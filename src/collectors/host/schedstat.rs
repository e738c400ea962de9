//! Time each CPU ran tasks and let them wait, from `/proc/schedstat`.

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Time the CPU has spent running tasks.
    RUNNING = Counter("node_schedstat_running_seconds_total", Seconds, ["cpu"]);
    /// Time tasks have waited for the CPU while they could run.
    WAITING = Counter("node_schedstat_waiting_seconds_total", Seconds, ["cpu"]);
    /// Turns that the CPU has given to tasks.
    TIMESLICES = Counter("node_schedstat_timeslices_total", None, ["cpu"]);
}

/// Where the three columns begin, the CPU's name being column 0; the same in all versions from 14 on.
const RUNNING_COLUMN: usize = 7;

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    report(source.proc.read("schedstat", &mut source.buffer)?, out)
}

pub(super) fn report(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    for line in text.lines() {
        let Some(cpu) = line.strip_prefix("cpu") else { continue };
        let mut words = cpu.split_ascii_whitespace();
        let cpu = words.next().unwrap_or_default();
        let numbers: Vec<f64> = words.skip(RUNNING_COLUMN - 1).filter_map(|word| word.parse().ok()).collect();
        let [running, waiting, turns] = numbers[..] else { return Err(Hole::garbled("schedstat", line)) };
        out.push(&RUNNING, [cpu], running / 1e9);
        out.push(&WAITING, [cpu], waiting / 1e9);
        out.push(&TIMESLICES, [cpu], turns);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn the_last_three_columns_of_each_cpu() {
        let mut out = Snapshot::default();
        report("version 15\ntimestamp 1\ncpu3 1 0 2 3 4 5 61500000000 2250000000 77\ndomain0 3 0\n", &mut out).unwrap();
        expect_test::expect![[r#"
            node_schedstat_running_seconds_total{cpu="3"} 61.5
            node_schedstat_timeslices_total{cpu="3"} 77
            node_schedstat_waiting_seconds_total{cpu="3"} 2.25
        "#]]
        .assert_eq(&text(out));
    }
}
