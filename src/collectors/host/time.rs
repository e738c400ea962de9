//! The clock: what it says, where it comes from, and the local time zone.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::root::in_root;
use super::source::{Hole, Source};
use super::zone;
use crate::collector::{Failure, Reason};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// The machine's clock, in Unix time; beside the scrape's own time it shows a clock that is off.
    NOW = Gauge("node_time_seconds", Seconds, []);
    /// Seconds that local time is ahead of UTC, by `/etc/localtime`.
    ZONE_OFFSET = Gauge("node_time_zone_offset_seconds", Seconds, ["time_zone"]);
    /// Clock sources that the kernel could use.
    SOURCES = Gauge("node_time_clocksource_available_info", None, ["device", "clocksource"]);
    /// The clock source that the kernel uses.
    SOURCE = Gauge("node_time_clocksource_current_info", None, ["device", "clocksource"]);
}

/// The largest time zone file we read; the fattest of tzdata has 4 KiB.
const ZONE_BYTES: u64 = 64 << 10;

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_err(|_| Hole::Failed(Failure::message(Reason::Protocol, "the clock is before 1970")))?;
    out.push(&NOW, [], now.as_secs_f64());
    if let Some((name, offset)) = local_zone(&source.root, now.as_secs()) {
        out.push(&ZONE_OFFSET, [&name], offset);
    }
    clock_sources(source, out)
}

/// Name and offset of the machine's time zone; none when its file cannot be read or is not a time zone.
fn local_zone(root: &Path, now: u64) -> Option<(String, i32)> {
    let file = in_root(root, "etc/localtime");
    match fs::metadata(&file) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= ZONE_BYTES => {
            zone::at(&fs::read(&file).ok()?, i64::try_from(now).ok()?)
        }
        // Without the file, local time is UTC: so says localtime(5).
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(("UTC".to_owned(), 0)),
        _ => None,
    }
}

fn clock_sources(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let folder = match source.sys.folder("devices/system/clocksource") {
        Ok(folder) => folder,
        Err(Hole::Missing) => return Ok(()),
        Err(failed) => return Err(failed),
    };
    for name in folder.names()? {
        let Some(device) = name.strip_prefix("clocksource") else { continue };
        let Ok(device_folder) = folder.folder(&name) else { continue };
        for (file, metric) in [("available_clocksource", &SOURCES), ("current_clocksource", &SOURCE)] {
            let words = device_folder.property(file, &mut source.buffer).unwrap_or_default();
            for word in words.split_ascii_whitespace() {
                out.push(metric, [device, word], true);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn clock_sources_are_labels() {
        let machine = Machine::new(&[
            ("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet \n"),
            ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
        ]);
        let found = machine.found_by(clock_sources);
        assert_eq!(found.lines().count(), 3);
        assert!(found.contains("node_time_clocksource_current_info{device=\"0\",clocksource=\"tsc\"} 1\n"), "{found}");
    }

    #[test]
    fn the_zone_is_the_hosts_and_not_that_of_the_container() {
        let machine = Machine::new(&[("root/etc/hostname", "x")]);
        let zones = machine.0.path().join("root/usr/share/zoneinfo/Europe");
        fs::create_dir_all(&zones).unwrap();
        fs::copy("/usr/share/zoneinfo/Asia/Kolkata", zones.join("Here")).unwrap();
        std::os::unix::fs::symlink("/usr/share/zoneinfo/Europe/Here", machine.0.path().join("root/etc/localtime"))
            .unwrap();
        let found = machine.found_by(collect);
        assert!(found.contains("node_time_zone_offset_seconds{time_zone=\"IST\"} 19800\n"), "{found}");
        fs::write(zones.join("Here"), "not a zone").unwrap();
        assert!(!machine.found_by(collect).contains("zone_offset"));
        // A device says that it has no bytes, and never ends.
        fs::remove_file(zones.join("Here")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", zones.join("Here")).unwrap();
        assert!(!machine.found_by(collect).contains("zone_offset"));
    }

    #[test]
    fn without_a_zone_file_local_time_is_utc() {
        let found = Machine::new(&[]).found_by(collect);
        assert!(found.contains("node_time_zone_offset_seconds{time_zone=\"UTC\"} 0\n"), "{found}");
    }
}
