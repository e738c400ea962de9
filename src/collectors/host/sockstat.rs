//! Sockets in use and their memory, from `/proc/net/sockstat` and `sockstat6`.

use super::source::{Hole, Source};
use crate::metric::Table;
use crate::snapshot::{Number, Snapshot};

/// All fields that Linux has.
pub(super) static FIELDS: Table = Table::new("/proc/net/sockstat", "node_sockstat_", include_str!("sockstat.tsv"));

/// Reads and reports; a kernel without IPv6 has no second file.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let page = rustix::param::page_size().number();
    report(source.proc.read("net/sockstat", &mut source.buffer)?, page, out)?;
    match source.proc.read("net/sockstat6", &mut source.buffer) {
        Ok(text) => report(text, page, out),
        Err(Hole::Missing) => Ok(()),
        Err(failed) => Err(failed),
    }
}

pub(super) fn report(text: &str, page: f64, out: &mut Snapshot) -> Result<(), Hole> {
    for line in text.lines() {
        let garbled = || Hole::garbled("net/sockstat", line);
        let (protocol, fields) = line.split_once(':').ok_or_else(garbled)?;
        let mut words = fields.split_ascii_whitespace();
        while let (Some(field), Some(value)) = (words.next(), words.next()) {
            let value: f64 = value.parse().map_err(|_| garbled())?;
            let field = format!("{protocol}_{field}");
            if let Some(family) = FIELDS.get(&field) {
                out.push_family(family, &[], value);
            }
            if let Some(family) = field.ends_with("_mem").then(|| FIELDS.get(&format!("{field}_bytes"))).flatten() {
                out.push_family(family, &[], value * page);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn sockets_and_memory_in_pages_and_bytes() {
        let mut out = Snapshot::default();
        report("sockets: used 33\nTCP: inuse 11 orphan 0 tw 43 alloc 15 mem 169\n", 4096.0, &mut out).unwrap();
        report("TCP6: inuse 4\nNEW: field 1\nFRAG6: inuse 0 memory 7\n", 4096.0, &mut out).unwrap();
        expect_test::expect![[r"
            node_sockstat_FRAG6_inuse{} 0
            node_sockstat_FRAG6_memory{} 7
            node_sockstat_TCP6_inuse{} 4
            node_sockstat_TCP_alloc{} 15
            node_sockstat_TCP_inuse{} 11
            node_sockstat_TCP_mem{} 169
            node_sockstat_TCP_mem_bytes{} 692224
            node_sockstat_TCP_orphan{} 0
            node_sockstat_TCP_tw{} 43
            node_sockstat_sockets_used{} 33
        "]]
        .assert_eq(&text(out));
    }
}
