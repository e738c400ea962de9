//! What a process costs, as the kernel counts it.

use std::fs;
use std::time::Duration;

/// `USER_HZ`: what `/proc/PID/stat` counts in, 100 on every Linux of today (proc(5)).
const TICKS_A_SECOND: u32 = 100;

/// Resident memory in bytes.
pub(crate) fn rss_bytes(pid: u32) -> u64 {
    kilobytes(pid, "VmRSS:") << 10
}

/// The most it has been since `/proc/PID/clear_refs` was told to begin anew, in bytes; none for a process that has ended.
pub(crate) fn peak_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    kilobytes_in(&status, "VmHWM:").map(|peak| peak << 10)
}

/// Resident memory that no file backs: the heap, mostly; in bytes.
pub(crate) fn anonymous_bytes(pid: u32) -> u64 {
    kilobytes(pid, "RssAnon:") << 10
}

/// How many file descriptors it has open.
pub(crate) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// How many threads it has.
pub(crate) fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).unwrap().count()
}

/// How many connections to this loopback port somebody holds open; those that are only ending have no holder.
pub(crate) fn connections_to(port: u16) -> usize {
    let remote = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let held = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // proc_pid_net(5): the third field is the other end, the tenth the inode.
        fields[2].ends_with(&remote) && fields[9] != "0"
    };
    table.lines().skip(1).filter(held).count()
}

fn kilobytes(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    kilobytes_in(&status, field).expect("every live process has it")
}

fn kilobytes_in(status: &str, field: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(field))?.trim().trim_end_matches(" kB").parse().ok()
}

/// Processor time spent so far, in user and kernel mode together.
pub(crate) fn cpu(pid: u32) -> Duration {
    ticks(pid, 14)
}

/// The same of those of its children that have ended and were waited for, and of theirs.
pub(crate) fn cpu_of_children(pid: u32) -> Duration {
    ticks(pid, 16)
}

/// A field of `/proc/PID/stat` with a time in user mode, and the one after it with that in kernel mode (proc(5)).
fn ticks(pid: u32, user: usize) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The second field is the name in brackets, which may hold anything; the third follows it.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: u32 = fields.split(' ').skip(user - 3).take(2).map(|ticks| ticks.parse::<u32>().unwrap()).sum();
    Duration::from_secs(ticks.into()) / TICKS_A_SECOND
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use std::net::{TcpListener, TcpStream};

    use std::process::Command;

    use super::{anonymous_bytes, connections_to, cpu, cpu_of_children, peak_bytes, rss_bytes};
    use crate::support::daemon::eventually;

    #[test]
    fn a_connection_counts_while_it_is_held() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert_eq!(connections_to(port), 1);
        drop(stream);
        assert_eq!(connections_to(port), 0);
    }

    #[test]
    fn memory_and_time_are_those_of_the_process() {
        let ours = std::process::id();
        let block = vec![1_u8; 64 << 20];
        assert!(anonymous_bytes(ours) > 64 << 20 && rss_bytes(ours) >= anonymous_bytes(ours));
        drop(block);
        assert!(peak_bytes(ours).is_some_and(|peak| peak > 64 << 20));
        let before = cpu(ours);
        eventually("this loop to cost something", || {
            std::hint::black_box((0..1_000_000_u64).map(std::hint::black_box).sum::<u64>());
            cpu(ours) > before + Duration::from_millis(20)
        });
        let before = cpu_of_children(ours);
        eventually("a child to cost something", || {
            let counts =
                Command::new("sh").args(["-c", "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done"]).status();
            assert!(counts.unwrap().success());
            cpu_of_children(ours) > before + Duration::from_millis(20)
        });
    }
}
