//! Paging, swapping and out-of-memory kills, from `/proc/vmstat`.

use super::source::{Hole, Source};
use crate::metric::Table;
use crate::snapshot::Snapshot;

/// The fields that `node_exporter` shows by default, of some 180.
pub(super) static FIELDS: Table = Table::new("/proc/vmstat", "node_vmstat_", include_str!("vmstat.tsv"));

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    report(source.proc.read("vmstat", &mut source.buffer)?, out)
}

pub(super) fn report(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    for line in text.lines() {
        let (field, value) = line.split_once(' ').ok_or_else(|| Hole::garbled("vmstat", line))?;
        if let Some(family) = FIELDS.get(field) {
            out.push_family(family, &[], value.parse::<u64>().map_err(|_| Hole::garbled("vmstat", line))?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn the_fields_of_the_table_and_no_others() {
        let mut out = Snapshot::default();
        report(include_str!("../../../tests/fixtures/host/linux-6.18-vmstat.txt"), &mut out).unwrap();
        expect_test::expect![[r"
            node_vmstat_oom_kill{} 0
            node_vmstat_pgfault{} 59394474
            node_vmstat_pgmajfault{} 7770
            node_vmstat_pgpgin{} 9147029
            node_vmstat_pgpgout{} 16373004
            node_vmstat_pswpin{} 0
            node_vmstat_pswpout{} 0
        "]]
        .assert_eq(&text(out));
    }
}
