//! What must hold for any text in a file that we read of the machine.

use std::path::Path;

use super::source::Hole;
use super::{
    arp, conntrack, cpu, diskstats, filefd, filesystem, loadavg, meminfo, mounts, netdev, netstat, os, pressure,
    schedstat, sockstat, softnet, stat, udev, udp_queues, vmstat, zone,
};
use crate::fuzz::judge;
use crate::snapshot::Snapshot;

/// The first line names the file, the rest is its text.
pub(crate) fn files(bytes: &[u8]) {
    let Some(end) = memchr::memchr(b'\n', bytes) else { return };
    let (name, content) = (&bytes[..end], &bytes[end + 1..]);
    let text = String::from_utf8_lossy(content);
    let mut out = Snapshot::default();
    let all = |_: &str| true;
    let read = match name {
        b"arp" => {
            arp::report(&text, all, &mut out);
            Ok(())
        }
        b"conntrack" => conntrack::report(&text, &mut out),
        b"cpu" => twice(&text, &mut out),
        b"diskstats" => diskstats::report(&text, all, &mut out).map(|disks| {
            for disk in &disks {
                udev::report(disk, "0", &text, &mut out);
            }
        }),
        b"file-nr" => filefd::report(&text, &mut out),
        b"loadavg" => loadavg::report(&text, &mut out),
        b"meminfo" => meminfo::report(&text, &mut out),
        b"mountinfo" => mountinfo(&text, &mut out),
        b"netdev" => netdev::report(&text, all, &mut out).map(drop),
        b"netstat" => netstat::report(&text, &mut out),
        b"os-release" => {
            os::report(&text, &mut out);
            Ok(())
        }
        b"pressure" => pressure::report_any(&text, &mut out),
        b"schedstat" => schedstat::report(&text, &mut out),
        b"snmp6" => netstat::report_v6(&text, &mut out),
        b"sockstat" => sockstat::report(&text, 4096.0, &mut out),
        b"softnet" => softnet::report(&text, &mut out),
        b"stat" => stat::report(&text, &mut out),
        b"udp" => udp_queues::report(&text, "v4", &mut out),
        b"vmstat" => vmstat::report(&text, &mut out),
        b"zone" => {
            time_zone(content);
            Ok(())
        }
        _ => return,
    };
    match read {
        Ok(()) | Err(Hole::Missing) => {}
        Err(Hole::Failed(failure)) => {
            assert!(failure.to_string().chars().count() < 300, "{failure}");
            out.gap(failure);
        }
    }
    judge(out, bytes);
}

/// The CPUs of one moment after those of another: the second half of the text after the first.
fn twice(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    let shown = cpu::Shown::default();
    let (before, after) = text.split_at(text.floor_char_boundary(text.len() / 2));
    cpu::report(before, 100.0, &shown, &mut Snapshot::default()).ok();
    cpu::report(after, 100.0, &shown, out)
}

fn mountinfo(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    let mounts = filesystem::parse(text, Path::new("/host"))?;
    let mut points: Vec<_> = mounts.iter().map(|mount| &mount.point).collect();
    points.sort_unstable();
    points.dedup();
    assert_eq!(points.len(), mounts.len(), "one mount for each place");
    let space = mounts::Space { size: 4096, free: 2048, available: 1024, files: 10, files_free: 1 };
    let answers = mounts.iter().map(|_| mounts::Answer::Space(space)).collect();
    filesystem::report(&mounts, answers, out);
    Ok(())
}

fn time_zone(file: &[u8]) {
    for time in [0, 1_800_000_000, i64::from(i32::MAX), i64::from(u32::MAX) + 1] {
        if let Some((_, ahead)) = zone::at(file, time) {
            assert_eq!(zone::at(file, time).map(|(_, again)| again), Some(ahead));
        }
    }
}
