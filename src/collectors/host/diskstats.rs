//! Reads, writes, discards and flushes of each disk, from `/proc/diskstats`.

use super::source::{Hole, Source};
use super::udev;
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Reads completed since boot.
    READS = Counter("node_disk_reads_completed_total", None, ["device"]);
    /// Reads that were merged with a neighbouring one since boot.
    READS_MERGED = Counter("node_disk_reads_merged_total", None, ["device"]);
    /// Bytes read since boot.
    READ_BYTES = Counter("node_disk_read_bytes_total", Bytes, ["device"]);
    /// Time spent on reads since boot, summed over all of them.
    READ_TIME = Counter("node_disk_read_time_seconds_total", Seconds, ["device"]);
    /// Writes completed since boot.
    WRITES = Counter("node_disk_writes_completed_total", None, ["device"]);
    /// Writes that were merged with a neighbouring one since boot.
    WRITES_MERGED = Counter("node_disk_writes_merged_total", None, ["device"]);
    /// Bytes written since boot.
    WRITTEN_BYTES = Counter("node_disk_written_bytes_total", Bytes, ["device"]);
    /// Time spent on writes since boot, summed over all of them.
    WRITE_TIME = Counter("node_disk_write_time_seconds_total", Seconds, ["device"]);
    /// Reads, writes, discards and flushes in flight now.
    IO_NOW = Gauge("node_disk_io_now", None, ["device"]);
    /// Time since boot in which at least one request was in flight.
    IO_TIME = Counter("node_disk_io_time_seconds_total", Seconds, ["device"]);
    /// Time in flight since boot, summed over all requests; its rate is the mean length of the queue.
    IO_TIME_WEIGHTED = Counter("node_disk_io_time_weighted_seconds_total", Seconds, ["device"]);
    /// Discards (TRIM) completed since boot.
    DISCARDS = Counter("node_disk_discards_completed_total", None, ["device"]);
    /// Discards that were merged with a neighbouring one since boot.
    DISCARDS_MERGED = Counter("node_disk_discards_merged_total", None, ["device"]);
    /// Sectors of 512 bytes discarded since boot.
    DISCARDED_SECTORS = Counter("node_disk_discarded_sectors_total", None, ["device"]);
    /// Time spent on discards since boot, summed over all of them.
    DISCARD_TIME = Counter("node_disk_discard_time_seconds_total", Seconds, ["device"]);
    /// Flushes of the disk's write cache completed since boot.
    FLUSHES = Counter("node_disk_flush_requests_total", None, ["device"]);
    /// Time spent on flushes since boot, summed over all of them.
    FLUSH_TIME = Counter("node_disk_flush_requests_time_seconds_total", Seconds, ["device"]);
}

/// What one unit of a column is in the metric: sectors of 512 bytes, whatever the disk's own are, and milliseconds.
const SECTOR: f64 = 512.0;
const MILLISECOND: f64 = 1e-3;

/// The columns after the device's name, as in the kernel's `Documentation/admin-guide/iostats.rst`; discards came with
/// Linux 4.18, flushes with 5.5.
static COLUMNS: [(&Metric<1>, f64); 17] = [
    (&READS, 1.0),
    (&READS_MERGED, 1.0),
    (&READ_BYTES, SECTOR),
    (&READ_TIME, MILLISECOND),
    (&WRITES, 1.0),
    (&WRITES_MERGED, 1.0),
    (&WRITTEN_BYTES, SECTOR),
    (&WRITE_TIME, MILLISECOND),
    (&IO_NOW, 1.0),
    (&IO_TIME, MILLISECOND),
    (&IO_TIME_WEIGHTED, MILLISECOND),
    (&DISCARDS, 1.0),
    (&DISCARDS_MERGED, 1.0),
    (&DISCARDED_SECTORS, 1.0),
    (&DISCARD_TIME, MILLISECOND),
    (&FLUSHES, 1.0),
    (&FLUSH_TIME, MILLISECOND),
];

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let config = source.config.clone();
    let text = source.proc.read("diskstats", &mut source.buffer)?;
    let disks = report(text, |device| config.wants_disk(device), out)?;
    for disk in &disks {
        udev::collect(disk, source, out);
    }
    Ok(())
}

/// A disk that was reported.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Disk {
    pub(super) name: String,
    pub(super) major: String,
    pub(super) minor: String,
}

pub(super) fn report(text: &str, wanted: impl Fn(&str) -> bool, out: &mut Snapshot) -> Result<Vec<Disk>, Hole> {
    let mut disks = Vec::new();
    for line in text.lines() {
        let garbled = || Hole::garbled("diskstats", line);
        let mut words = line.split_ascii_whitespace();
        let (major, minor) = words.next().zip(words.next()).ok_or_else(garbled)?;
        let device = words.next().ok_or_else(garbled)?;
        if !wanted(device) {
            continue;
        }
        for ((metric, scale), word) in COLUMNS.iter().zip(words) {
            let count: f64 = word.parse().map_err(|_| garbled())?;
            out.push(metric, [device], count * scale);
        }
        disks.push(Disk { name: device.to_owned(), major: major.to_owned(), minor: minor.to_owned() });
    }
    Ok(disks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::config::Config;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn a_disk_of_this_kernel_has_every_column() {
        let mut out = Snapshot::default();
        let config = Config::default();
        let fixture = include_str!("../../../tests/fixtures/host/linux-6.18-diskstats.txt");
        let disks = report(fixture, |device| config.wants_disk(device), &mut out).unwrap();
        assert_eq!(disks, [Disk { name: "vda".into(), major: "254".into(), minor: "0".into() }]);
        expect_test::expect![[r#"
            node_disk_discard_time_seconds_total{device="vda"} 1.655
            node_disk_discarded_sectors_total{device="vda"} 7355320
            node_disk_discards_completed_total{device="vda"} 16010
            node_disk_discards_merged_total{device="vda"} 19
            node_disk_flush_requests_time_seconds_total{device="vda"} 20.122
            node_disk_flush_requests_total{device="vda"} 270432
            node_disk_io_now{device="vda"} 0
            node_disk_io_time_seconds_total{device="vda"} 69.496
            node_disk_io_time_weighted_seconds_total{device="vda"} 291.486
            node_disk_read_bytes_total{device="vda"} 9366557696
            node_disk_read_time_seconds_total{device="vda"} 117.587
            node_disk_reads_completed_total{device="vda"} 194295
            node_disk_reads_merged_total{device="vda"} 38306
            node_disk_write_time_seconds_total{device="vda"} 152.121
            node_disk_writes_completed_total{device="vda"} 852211
            node_disk_writes_merged_total{device="vda"} 105940
            node_disk_written_bytes_total{device="vda"} 16765956096
        "#]]
        .assert_eq(&text(out));
    }

    #[test]
    fn an_old_kernel_has_no_discards() {
        let mut out = Snapshot::default();
        report("8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n", |_| true, &mut out).unwrap();
        let found = text(out);
        assert!(found.contains("node_disk_io_time_weighted_seconds_total{device=\"sda\"} 0.011\n"), "{found}");
        assert!(!found.contains("discard") && !found.contains("flush"), "{found}");
    }
}
