//! Traffic of each network interface, from `/proc/net/dev`.

use super::source::{Hole, Source};
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Bytes that the interface has received.
    RECEIVE_BYTES = Counter("node_network_receive_bytes_total", Bytes, ["device"]);
    /// Packets that the interface has received.
    RECEIVE_PACKETS = Counter("node_network_receive_packets_total", None, ["device"]);
    /// Packets received with errors.
    RECEIVE_ERRORS = Counter("node_network_receive_errs_total", None, ["device"]);
    /// Packets received and dropped, those that the device missed included.
    RECEIVE_DROP = Counter("node_network_receive_drop_total", None, ["device"]);
    /// Packets lost because the receive queue of the device was full.
    RECEIVE_FIFO = Counter("node_network_receive_fifo_total", None, ["device"]);
    /// Packets received with a wrong length, checksum or framing.
    RECEIVE_FRAME = Counter("node_network_receive_frame_total", None, ["device"]);
    /// Compressed packets received (PPP and the like).
    RECEIVE_COMPRESSED = Counter("node_network_receive_compressed_total", None, ["device"]);
    /// Multicast packets received.
    RECEIVE_MULTICAST = Counter("node_network_receive_multicast_total", None, ["device"]);
    /// Packets received for which the kernel has no handler, dropped on an inactive bond member for example.
    RECEIVE_NO_HANDLER = Counter("node_network_receive_nohandler_total", None, ["device"]);
    /// Bytes that the interface has sent.
    TRANSMIT_BYTES = Counter("node_network_transmit_bytes_total", Bytes, ["device"]);
    /// Packets that the interface has sent.
    TRANSMIT_PACKETS = Counter("node_network_transmit_packets_total", None, ["device"]);
    /// Packets not sent because of errors.
    TRANSMIT_ERRORS = Counter("node_network_transmit_errs_total", None, ["device"]);
    /// Packets dropped on their way out.
    TRANSMIT_DROP = Counter("node_network_transmit_drop_total", None, ["device"]);
    /// Packets lost because the transmit queue of the device ran empty while it was sending.
    TRANSMIT_FIFO = Counter("node_network_transmit_fifo_total", None, ["device"]);
    /// Collisions while sending.
    TRANSMIT_COLLISIONS = Counter("node_network_transmit_colls_total", None, ["device"]);
    /// Packets not sent because the link was lost, aborted or late.
    TRANSMIT_CARRIER = Counter("node_network_transmit_carrier_total", None, ["device"]);
    /// Compressed packets sent (PPP and the like).
    TRANSMIT_COMPRESSED = Counter("node_network_transmit_compressed_total", None, ["device"]);
}

/// The columns after the interface's name.
static COLUMNS: [&Metric<1>; 16] = [
    &RECEIVE_BYTES,
    &RECEIVE_PACKETS,
    &RECEIVE_ERRORS,
    &RECEIVE_DROP,
    &RECEIVE_FIFO,
    &RECEIVE_FRAME,
    &RECEIVE_COMPRESSED,
    &RECEIVE_MULTICAST,
    &TRANSMIT_BYTES,
    &TRANSMIT_PACKETS,
    &TRANSMIT_ERRORS,
    &TRANSMIT_DROP,
    &TRANSMIT_FIFO,
    &TRANSMIT_COLLISIONS,
    &TRANSMIT_CARRIER,
    &TRANSMIT_COMPRESSED,
];

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let config = source.config.clone();
    let text = source.proc.read("net/dev", &mut source.buffer)?;
    let devices = report(text, |device| config.wants_interface(device), out)?;
    for device in &devices {
        // The one counter that the table of procfs does not have.
        let file = format!("class/net/{device}/statistics/rx_nohandler");
        if let Some(packets) = source.sys.number::<u64>(&file, &mut source.buffer) {
            out.push(&RECEIVE_NO_HANDLER, [device], packets);
        }
    }
    Ok(())
}

/// Reports the interfaces wanted, and returns their names.
pub(super) fn report(text: &str, wanted: impl Fn(&str) -> bool, out: &mut Snapshot) -> Result<Vec<String>, Hole> {
    let mut devices = Vec::new();
    // Two lines of headings.
    for line in text.lines().skip(2) {
        let garbled = || Hole::garbled("net/dev", line);
        // A name may hold a colon (an alias of old: `eth0:1`), the numbers never.
        let (device, numbers) = line.rsplit_once(':').ok_or_else(garbled)?;
        let device = device.trim();
        if !wanted(device) {
            continue;
        }
        for (metric, word) in COLUMNS.iter().zip(numbers.split_ascii_whitespace()) {
            out.push(metric, [device], word.parse::<u64>().map_err(|_| garbled())?);
        }
        devices.push(device.to_owned());
    }
    Ok(devices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn an_interface_has_every_column() {
        let mut out = Snapshot::default();
        let fixture = include_str!("../../../tests/fixtures/host/linux-6.18-netdev.txt");
        let devices = report(fixture, |device| device == "eth0", &mut out).unwrap();
        assert_eq!(devices, ["eth0"]);
        expect_test::expect![[r#"
            node_network_receive_bytes_total{device="eth0"} 562923164
            node_network_receive_compressed_total{device="eth0"} 0
            node_network_receive_drop_total{device="eth0"} 0
            node_network_receive_errs_total{device="eth0"} 0
            node_network_receive_fifo_total{device="eth0"} 0
            node_network_receive_frame_total{device="eth0"} 0
            node_network_receive_multicast_total{device="eth0"} 0
            node_network_receive_packets_total{device="eth0"} 12336
            node_network_transmit_bytes_total{device="eth0"} 733160
            node_network_transmit_carrier_total{device="eth0"} 0
            node_network_transmit_colls_total{device="eth0"} 0
            node_network_transmit_compressed_total{device="eth0"} 0
            node_network_transmit_drop_total{device="eth0"} 0
            node_network_transmit_errs_total{device="eth0"} 0
            node_network_transmit_fifo_total{device="eth0"} 0
            node_network_transmit_packets_total{device="eth0"} 7809
        "#]]
        .assert_eq(&text(out));
    }

    #[test]
    fn an_alias_keeps_its_colon_and_numbers_may_touch_the_name() {
        let mut out = Snapshot::default();
        let devices = report("h\nh\n  eth0:1:7 1 0\n", |_| true, &mut out).unwrap();
        assert_eq!(devices, ["eth0:1"]);
        assert!(text(out).contains("node_network_receive_bytes_total{device=\"eth0:1\"} 7\n"));
    }
}
