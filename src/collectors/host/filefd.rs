//! Open files of all processes together, from `/proc/sys/fs/file-nr`.

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Open files of all processes together.
    ALLOCATED = Gauge("node_filefd_allocated", None, []);
    /// Open files that all processes together may have (`fs.file-max`).
    MAXIMUM = Gauge("node_filefd_maximum", None, []);
}

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    report(source.proc.read("sys/fs/file-nr", &mut source.buffer)?, out)
}

/// Allocated, free (always 0 since Linux 2.6) and the limit.
pub(super) fn report(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    let numbers: Vec<f64> = text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [allocated, _, maximum] = numbers[..] else { return Err(Hole::garbled("sys/fs/file-nr", text)) };
    out.push(&ALLOCATED, [], allocated);
    out.push(&MAXIMUM, [], maximum);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn allocated_and_the_limit() {
        let mut out = Snapshot::default();
        report("882\t0\t2466177\n", &mut out).unwrap();
        assert_eq!(text(out), "node_filefd_allocated{} 882\nnode_filefd_maximum{} 2466177\n");
        assert!(report("882 0\n", &mut Snapshot::default()).is_err());
    }
}
