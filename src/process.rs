//! What Vitrin itself costs: the `process_*` metrics that every Prometheus client library has.

use std::fs;

use crate::snapshot::Snapshot;

crate::metrics! {
    Own as METRICS;

    /// User and system CPU time that this process has used.
    CPU = Counter("process_cpu_seconds_total", Seconds, []);
    /// File descriptors that this process has open.
    OPEN_FDS = Gauge("process_open_fds", None, []);
    /// File descriptors that this process may have open.
    MAX_FDS = Gauge("process_max_fds", None, []);
    /// Address space that this process has mapped.
    VIRTUAL = Gauge("process_virtual_memory_bytes", Bytes, []);
    /// Address space that this process may map; absent when there is no limit.
    VIRTUAL_MAX = Gauge("process_virtual_memory_max_bytes", Bytes, []);
    /// Memory of this process that is in RAM.
    RESIDENT = Gauge("process_resident_memory_bytes", Bytes, []);
    /// When this process started, as Unix time.
    START = Gauge("process_start_time_seconds", Seconds, []);
}

/// Pushes what `/proc/self` says; what cannot be read is absent.
pub(crate) fn report(out: &mut Snapshot) {
    if let (Some(stat), Some(boot)) = (read("/proc/self/stat"), read("/proc/stat")) {
        report_stat(&stat, &boot, out);
    }
    if let Some(limits) = read("/proc/self/limits") {
        report_limits(&limits, out);
    }
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        // One of them is the folder being read.
        out.push(&OPEN_FDS, [], entries.count().saturating_sub(1));
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Reads `proc_pid_stat(5)`, fields 14, 15, 22, 23 and 24, counted from the end of the command's name, which may hold
/// spaces and brackets; and `btime` of `proc_stat(5)`.
#[expect(clippy::cast_precision_loss, reason = "Prometheus keeps every value as f64")]
fn report_stat(stat: &str, boot: &str, out: &mut Snapshot) {
    let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
    let Some((_, fields)) = stat.rsplit_once(')') else { return };
    let fields: Vec<u64> = fields.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect();
    let [user, system, begun, virtual_bytes, resident_pages] = [11, 12, 19, 20, 21].map(|index| fields.get(index));
    if let (Some(user), Some(system)) = (user, system) {
        out.push(&CPU, [], (user + system) as f64 / ticks_per_second);
    }
    let boot = boot.lines().find_map(|line| line.strip_prefix("btime ")?.parse::<f64>().ok());
    if let (Some(begun), Some(boot)) = (begun, boot) {
        out.push(&START, [], boot + *begun as f64 / ticks_per_second);
    }
    if let Some(bytes) = virtual_bytes {
        out.push(&VIRTUAL, [], *bytes);
    }
    if let Some(pages) = resident_pages {
        out.push(&RESIDENT, [], pages * rustix::param::page_size() as u64);
    }
}

/// Reads the soft limits of `proc_pid_limits(5)`.
fn report_limits(limits: &str, out: &mut Snapshot) {
    let soft =
        |name| limits.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u64>().ok());
    if let Some(limit) = soft("Max open files") {
        out.push(&MAX_FDS, [], limit);
    }
    if let Some(limit) = soft("Max address space") {
        out.push(&VIRTUAL_MAX, [], limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_has_a_limit_or_a_value_is_there() {
        let mut out = Snapshot::default();
        report(&mut out);
        let (findings, _, _) = out.finish();
        let names: Vec<_> = findings.families().map(|(family, _)| &*family.name).collect();
        for desc in METRICS.iter().filter(|desc| desc.name != "process_virtual_memory_max_bytes") {
            assert!(names.contains(&&*desc.name), "{} is not in {names:?}", desc.name);
        }
    }

    #[test]
    fn a_name_with_spaces_and_brackets_shifts_no_field() {
        let mut out = Snapshot::default();
        let stat = "7 (a) (b) S 1 7 7 0 -1 0 0 0 0 0 100 50 0 0 20 0 3 0 1000 4096 2 0";
        report_stat(stat, "cpu 1\nbtime 1700000000\n", &mut out);
        let (findings, _, _) = out.finish();
        let virtual_bytes = findings.families().find(|(family, _)| *family.name == *VIRTUAL.desc().name).unwrap();
        assert_eq!(virtual_bytes.1.samples().next().unwrap().1, &crate::snapshot::Value::Number(4096.0));
    }
}
