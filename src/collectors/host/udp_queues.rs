//! Bytes waiting in the queues of UDP sockets, from `/proc/net/udp` and `udp6`.

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Bytes waiting in the queues of all UDP sockets: `rx` for programs to read, `tx` for the network to take.
    QUEUES = Gauge("node_udp_queues", None, ["queue", "ip"]);
}

/// Reads and reports; a kernel without IPv6 has no `udp6`.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    report(source.proc.read("net/udp", &mut source.buffer)?, "v4", out)?;
    match source.proc.read("net/udp6", &mut source.buffer) {
        Ok(text) => report(text, "v6", out),
        Err(Hole::Missing) => Ok(()),
        Err(failed) => Err(failed),
    }
}

/// The fifth column is `tx_queue:rx_queue`, hexadecimal.
pub(super) fn report(text: &str, ip: &str, out: &mut Snapshot) -> Result<(), Hole> {
    let (mut sent, mut received) = (0_u64, 0_u64);
    for line in text.lines().skip(1) {
        let queues = line.split_ascii_whitespace().nth(4).and_then(|queues| queues.split_once(':'));
        let bytes = |hexadecimal| u64::from_str_radix(hexadecimal, 16).ok();
        let queues = queues.and_then(|(tx, rx)| bytes(tx).zip(bytes(rx)));
        let (tx, rx) = queues.ok_or_else(|| Hole::garbled("net/udp", line))?;
        sent = sent.saturating_add(tx);
        received = received.saturating_add(rx);
    }
    out.push(&QUEUES, ["tx", ip], sent);
    out.push(&QUEUES, ["rx", ip], received);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn the_queues_of_all_sockets_are_added() {
        let heading = include_str!("../../../tests/fixtures/host/linux-6.18-udp.txt");
        let sockets = " 531: 00000000:0044 00000000:0000 07 00000010:00000A00 00:00000000 00000000 0 0 1 2 0 0\n \
                       532: 00000000:0045 00000000:0000 07 00000001:00000001 00:00000000 00000000 0 0 1 2 0 0\n";
        let mut out = Snapshot::default();
        report(&format!("{heading}{sockets}"), "v4", &mut out).unwrap();
        let expected = "node_udp_queues{queue=\"rx\",ip=\"v4\"} 2561\nnode_udp_queues{queue=\"tx\",ip=\"v4\"} 17\n";
        assert_eq!(text(out), expected);
    }
}
