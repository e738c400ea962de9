//! What a process costs, as the kernel counts it.

use std::fs;
use std::time::Duration;

/// `USER_HZ`: what `/proc/PID/stat` counts in, 100 on every Linux of today (proc(5)).
const TICKS_A_SECOND: u32 = 100;

/// Resident memory in bytes.
pub(crate) fn rss_bytes(pid: u32) -> u64 {
    kilobytes(pid, "VmRSS:") << 10
}

/// Resident memory that no file backs: the heap, mostly; in bytes.
pub(crate) fn anonymous_bytes(pid: u32) -> u64 {
    kilobytes(pid, "RssAnon:") << 10
}

/// How many file descriptors it has open.
pub(crate) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

fn kilobytes(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(field)).expect("every live process has it");
    value.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Processor time spent so far, in user and kernel mode together.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The second field is the name in brackets, which may hold anything; utime and stime are the 14th and 15th.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: u32 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u32>().unwrap()).sum();
    Duration::from_secs(ticks.into()) / TICKS_A_SECOND
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{anonymous_bytes, cpu, rss_bytes};
    use crate::support::daemon::eventually;

    #[test]
    fn memory_and_time_are_those_of_the_process() {
        let ours = std::process::id();
        let block = vec![1_u8; 64 << 20];
        assert!(anonymous_bytes(ours) > 64 << 20 && rss_bytes(ours) >= anonymous_bytes(ours));
        drop(block);
        let before = cpu(ours);
        eventually("this loop to cost something", || {
            std::hint::black_box((0..1_000_000_u64).map(std::hint::black_box).sum::<u64>());
            cpu(ours) > before + Duration::from_millis(20)
        });
    }
}
