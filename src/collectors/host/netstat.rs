//! Counters of the network protocols, from `/proc/net/netstat`, `snmp` and `snmp6`.

use super::source::{Hole, Source};
use crate::metric::Table;
use crate::snapshot::Snapshot;

/// The fields that `node_exporter` shows by default, and `Tcp_MaxConn`, which its best-known dashboard asks for.
pub(super) static FIELDS: Table =
    Table::new("/proc/net/netstat, snmp and snmp6", "node_netstat_", include_str!("netstat.tsv"));

/// Reads and reports; a kernel without IPv6 has no `snmp6`.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    report(source.proc.read("net/netstat", &mut source.buffer)?, out)?;
    report(source.proc.read("net/snmp", &mut source.buffer)?, out)?;
    match source.proc.read("net/snmp6", &mut source.buffer) {
        Ok(text) => report_v6(text, out),
        Err(Hole::Missing) => Ok(()),
        Err(failed) => Err(failed),
    }
}

/// Two lines for each protocol: the names of its fields, and their values.
pub(super) fn report(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let garbled = || Hole::garbled("net/netstat", values);
        let (protocol, names) = names.split_once(':').ok_or_else(garbled)?;
        let values = values.strip_prefix(protocol).and_then(|rest| rest.strip_prefix(':')).ok_or_else(garbled)?;
        for (name, value) in names.split_ascii_whitespace().zip(values.split_ascii_whitespace()) {
            push(protocol, name, value, out).ok_or_else(garbled)?;
        }
    }
    Ok(())
}

/// One line for each field, whose name starts with the protocol: `Udp6InDatagrams`.
pub(super) fn report_v6(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    for line in text.lines() {
        let garbled = || Hole::garbled("net/snmp6", line);
        let mut words = line.split_ascii_whitespace();
        let (name, value) = words.next().zip(words.next()).ok_or_else(garbled)?;
        if let Some(end) = name.find('6') {
            let (protocol, field) = name.split_at(end + 1);
            push(protocol, field, value, out).ok_or_else(garbled)?;
        }
    }
    Ok(())
}

/// Pushes a field, when it is in the table; none when its value is not a number.
fn push(protocol: &str, field: &str, value: &str, out: &mut Snapshot) -> Option<()> {
    if let Some(family) = FIELDS.get(&format!("{protocol}_{field}")) {
        out.push_family(family, &[], value.parse::<f64>().ok()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn the_fields_of_the_table_by_protocol() {
        let mut out = Snapshot::default();
        report(include_str!("../../../tests/fixtures/host/linux-6.18-netstat.txt"), &mut out).unwrap();
        report(include_str!("../../../tests/fixtures/host/linux-6.18-snmp.txt"), &mut out).unwrap();
        report_v6(include_str!("../../../tests/fixtures/host/linux-6.18-snmp6.txt"), &mut out).unwrap();
        let found = text(out);
        assert_eq!(found.lines().count(), FIELDS.families().len(), "every field of the table is in the fixtures");
        expect_test::expect![[r"
            node_netstat_Icmp6_InErrors{} 1
            node_netstat_Icmp6_InMsgs{} 1
            node_netstat_Icmp6_OutMsgs{} 9
            node_netstat_Icmp_InErrors{} 0
            node_netstat_Icmp_InMsgs{} 1
            node_netstat_Icmp_OutMsgs{} 0
            node_netstat_Ip6_InOctets{} 128
            node_netstat_Ip6_OutOctets{} 880
            node_netstat_IpExt_InOctets{} 574454625
            node_netstat_IpExt_OutOctets{} 12327171
            node_netstat_Ip_Forwarding{} 2
            node_netstat_TcpExt_ListenDrops{} 0
            node_netstat_TcpExt_ListenOverflows{} 0
            node_netstat_TcpExt_SyncookiesFailed{} 0
            node_netstat_TcpExt_SyncookiesRecv{} 0
            node_netstat_TcpExt_SyncookiesSent{} 0
            node_netstat_TcpExt_TCPOFOQueue{} 0
            node_netstat_TcpExt_TCPRcvQDrop{} 0
            node_netstat_TcpExt_TCPSynRetrans{} 0
            node_netstat_TcpExt_TCPTimeouts{} 2
            node_netstat_Tcp_ActiveOpens{} 2685
            node_netstat_Tcp_CurrEstab{} 26
            node_netstat_Tcp_InErrs{} 0
            node_netstat_Tcp_InSegs{} 48353
            node_netstat_Tcp_MaxConn{} -1
            node_netstat_Tcp_OutRsts{} 2421
            node_netstat_Tcp_OutSegs{} 43869
            node_netstat_Tcp_PassiveOpens{} 244
            node_netstat_Tcp_RetransSegs{} 5
            node_netstat_Udp6_InDatagrams{} 0
            node_netstat_Udp6_InErrors{} 0
            node_netstat_Udp6_NoPorts{} 0
            node_netstat_Udp6_OutDatagrams{} 0
            node_netstat_Udp6_RcvbufErrors{} 0
            node_netstat_Udp6_SndbufErrors{} 0
            node_netstat_UdpLite6_InErrors{} 0
            node_netstat_UdpLite_InErrors{} 0
            node_netstat_Udp_InDatagrams{} 165
            node_netstat_Udp_InErrors{} 0
            node_netstat_Udp_NoPorts{} 0
            node_netstat_Udp_OutDatagrams{} 166
            node_netstat_Udp_RcvbufErrors{} 0
            node_netstat_Udp_SndbufErrors{} 0
        "]]
        .assert_eq(&found);
    }

    #[test]
    fn lines_that_do_not_belong_together_are_a_failure() {
        assert!(report("Tcp: InSegs\nUdp: 1\n", &mut Snapshot::default()).is_err());
        assert!(report("Tcp: InSegs\nTcp: many\n", &mut Snapshot::default()).is_err());
    }
}
