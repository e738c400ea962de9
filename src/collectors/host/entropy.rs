//! The kernel's random numbers, from `/proc/sys/kernel/random`.

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Bits of entropy at hand; since Linux 5.18 always 256 once the generator is ready.
    AVAILABLE = Gauge("node_entropy_available_bits", None, []);
    /// Bits of entropy that the pool holds.
    POOL_SIZE = Gauge("node_entropy_pool_size_bits", None, []);
}

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    for (file, metric) in [("sys/kernel/random/entropy_avail", &AVAILABLE), ("sys/kernel/random/poolsize", &POOL_SIZE)]
    {
        let text = source.proc.read(file, &mut source.buffer)?;
        out.push(metric, [], text.trim().parse::<u64>().map_err(|_| Hole::garbled(file, text))?);
    }
    Ok(())
}
