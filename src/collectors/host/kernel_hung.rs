//! Tasks that the kernel has found hanging, from `/proc/sys/kernel/hung_task_detect_count` (Linux 6.13).

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Tasks found hanging in the kernel since boot, on a disk that does not answer for example.
    HUNG_TASKS = Counter("node_kernel_hung_tasks_total", None, []);
}

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    const FILE: &str = "sys/kernel/hung_task_detect_count";
    let text = source.proc.read(FILE, &mut source.buffer)?;
    out.push(&HUNG_TASKS, [], text.trim().parse::<u64>().map_err(|_| Hole::garbled(FILE, text))?);
    Ok(())
}
