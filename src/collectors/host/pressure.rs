//! Time lost to a lack of CPU, memory or disk (PSI), from `/proc/pressure`.

use super::source::{Hole, Source};
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Time in which at least one task waited for a CPU.
    CPU_WAITING = Counter("node_pressure_cpu_waiting_seconds_total", Seconds, []);
    /// Time in which at least one task waited for a disk.
    IO_WAITING = Counter("node_pressure_io_waiting_seconds_total", Seconds, []);
    /// Time in which all tasks that had work waited for a disk.
    IO_STALLED = Counter("node_pressure_io_stalled_seconds_total", Seconds, []);
    /// Time in which at least one task waited for memory to be reclaimed or swapped in.
    MEMORY_WAITING = Counter("node_pressure_memory_waiting_seconds_total", Seconds, []);
    /// Time in which all tasks that had work waited for memory to be reclaimed or swapped in.
    MEMORY_STALLED = Counter("node_pressure_memory_stalled_seconds_total", Seconds, []);
    /// Time in which all tasks that had work waited because interrupts kept the CPU.
    IRQ_STALLED = Counter("node_pressure_irq_stalled_seconds_total", Seconds, []);
}

/// File, and the metrics of its `some` and its `full` line. `full` of the CPU is zero for the whole machine by
/// definition; `irq` (Linux 6.1) has `full` only.
type Resource = (&'static str, Option<&'static Metric<0>>, Option<&'static Metric<0>>);
static RESOURCES: [Resource; 4] = [
    ("pressure/cpu", Some(&CPU_WAITING), None),
    ("pressure/io", Some(&IO_WAITING), Some(&IO_STALLED)),
    ("pressure/memory", Some(&MEMORY_WAITING), Some(&MEMORY_STALLED)),
    ("pressure/irq", None, Some(&IRQ_STALLED)),
];

/// Reads and reports; a kernel without PSI, or with it switched off, has nothing.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let mut resources = 0;
    for (file, some, full) in RESOURCES {
        match source.proc.read(file, &mut source.buffer) {
            Ok(text) => report(file, text, some, full, out)?,
            Err(Hole::Missing) => continue,
            Err(failed) => return Err(failed),
        }
        resources += 1;
    }
    if resources == 0 { Err(Hole::Missing) } else { Ok(()) }
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=68110035`, in microseconds.
fn report(
    file: &str,
    text: &str,
    some: Option<&'static Metric<0>>,
    full: Option<&'static Metric<0>>,
    out: &mut Snapshot,
) -> Result<(), Hole> {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let metric = match words.next() {
            Some("some") => some,
            Some("full") => full,
            _ => return Err(Hole::garbled(file, line)),
        };
        let total = words.find_map(|word| word.strip_prefix("total=")?.parse::<f64>().ok());
        let total = total.ok_or_else(|| Hole::garbled(file, line))?;
        if let Some(metric) = metric {
            out.push(metric, [], total / 1e6);
        }
    }
    Ok(())
}

/// A text in the place of each file.
#[cfg(any(test, fuzzing))]
pub(super) fn report_any(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    RESOURCES.into_iter().try_for_each(|(file, some, full)| report(file, text, some, full, out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    const CPU: &str = include_str!("../../../tests/fixtures/host/linux-6.18-pressure-cpu.txt");

    #[test]
    fn waiting_and_stalled_in_seconds() {
        let machine = Machine::new(&[
            ("proc/pressure/cpu", CPU),
            ("proc/pressure/io", "some avg10=0.84 total=7151754\nfull avg10=0.56 total=5054875\n"),
            ("proc/pressure/irq", "full avg10=0.00 avg60=0.00 avg300=0.00 total=12\n"),
        ]);
        expect_test::expect![[r"
            node_pressure_cpu_waiting_seconds_total{} 408.515687
            node_pressure_io_stalled_seconds_total{} 5.054875
            node_pressure_io_waiting_seconds_total{} 7.151754
            node_pressure_irq_stalled_seconds_total{} 0.000012
        "]]
        .assert_eq(&machine.found_by(collect));
    }

    #[test]
    fn without_psi_nothing_is_wrong() {
        assert!(matches!(collect(&mut Machine::new(&[]).source(), &mut Snapshot::default()), Err(Hole::Missing)));
        // `psi=0`: the files are there and answer EOPNOTSUPP.
        assert!(matches!(Hole::io(std::io::Error::from_raw_os_error(95), "pressure/cpu"), Hole::Missing));
    }
}
