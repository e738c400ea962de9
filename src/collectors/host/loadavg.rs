//! Load averages, from `/proc/loadavg`.

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Tasks that run, wait for a CPU or wait for a disk, averaged over 1 minute.
    LOAD1 = Gauge("node_load1", None, []);
    /// Tasks that run, wait for a CPU or wait for a disk, averaged over 5 minutes.
    LOAD5 = Gauge("node_load5", None, []);
    /// Tasks that run, wait for a CPU or wait for a disk, averaged over 15 minutes.
    LOAD15 = Gauge("node_load15", None, []);
}

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    report(source.proc.read("loadavg", &mut source.buffer)?, out)
}

pub(super) fn report(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    let mut words = text.split_ascii_whitespace();
    for metric in [&LOAD1, &LOAD5, &LOAD15] {
        let load = words.next().and_then(|word| word.parse::<f64>().ok());
        out.push(metric, [], load.ok_or_else(|| Hole::garbled("loadavg", text))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn three_averages() {
        let mut out = Snapshot::default();
        report("0.28 1.16 10.18 1/177 5664\n", &mut out).unwrap();
        assert_eq!(text(out), "node_load1{} 0.28\nnode_load15{} 10.18\nnode_load5{} 1.16\n");
        assert!(report("0.28 1.16", &mut Snapshot::default()).is_err());
    }
}
