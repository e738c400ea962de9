//! Memory, from `/proc/meminfo`.

use std::sync::Arc;

use super::source::{Hole, Source};
use crate::metric::{Desc, Family, Kind, Table, Tier, Unit};
use crate::snapshot::Snapshot;

/// The fields of `fs/proc/meminfo.c` and of the architectures, Linux 3.10 to 6.18.
pub(super) static FIELDS: Table = Table::new("/proc/meminfo", "node_memory_", include_str!("meminfo.tsv"));

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    report(source.proc.read("meminfo", &mut source.buffer)?, out)
}

pub(super) fn report(text: &str, out: &mut Snapshot) -> Result<(), Hole> {
    for line in text.lines() {
        let garbled = || Hole::garbled("meminfo", line);
        let (field, rest) = line.split_once(':').ok_or_else(garbled)?;
        let mut words = rest.split_ascii_whitespace();
        let value: f64 = words.next().and_then(|word| word.parse().ok()).ok_or_else(garbled)?;
        let in_kilobytes = words.next() == Some("kB");
        let family = FIELDS.get(field).unwrap_or_else(|| unknown(field, in_kilobytes));
        out.push_family(family, &[], if in_kilobytes { value * 1024.0 } else { value });
    }
    Ok(())
}

/// The family of a field that a newer kernel has added: named by the same rule as the others, which is not that of
/// [`Table::get_or_unknown`].
fn unknown(field: &str, in_kilobytes: bool) -> Family {
    let base: String =
        field.chars().filter(|c| *c != ')').map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    Family::Found(Arc::new(Desc {
        name: format!("node_memory_{base}{}", if in_kilobytes { "_bytes" } else { "" }).into(),
        kind: Kind::Unknown,
        unit: if in_kilobytes { Unit::Bytes } else { Unit::None },
        tier: Tier::DropIn,
        labels: (&[]).into(),
        help: format!("`{field}` of /proc/meminfo; its meaning is not in Vitrin's table.").into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn kilobytes_become_bytes_and_pages_stay_pages() {
        let mut out = Snapshot::default();
        report("MemTotal:       24684092 kB\nHugePages_Total:       3\nActive(anon): 1 kB\n", &mut out).unwrap();
        expect_test::expect![[r"
            node_memory_Active_anon_bytes{} 1024
            node_memory_HugePages_Total{} 3
            node_memory_MemTotal_bytes{} 25276510208
        "]]
        .assert_eq(&text(out));
    }

    #[test]
    fn this_kernels_fields_are_all_in_the_table() {
        for line in include_str!("../../../tests/fixtures/host/linux-6.18-meminfo.txt").lines() {
            let field = line.split(':').next().unwrap();
            let family = FIELDS.get(field).unwrap_or_else(|| panic!("{field}"));
            // The rule for fields we do not know gives the names of those we know.
            assert_eq!(family.name, unknown(field, line.ends_with("kB")).name);
        }
    }

    #[test]
    fn a_field_of_a_newer_kernel_is_named_by_the_same_rule() {
        let mut out = Snapshot::default();
        report("Weird(stuff):       2 kB\n", &mut out).unwrap();
        assert_eq!(text(out), "node_memory_Weird_stuff_bytes{} 2048\n");
    }
}
