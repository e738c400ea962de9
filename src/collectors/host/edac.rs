//! Memory errors that the hardware has seen, from `/sys/devices/system/edac`.

use super::source::{Buffer, Folder, Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Memory errors that were corrected, by memory controller.
    CORRECTED = Counter("node_edac_correctable_errors_total", None, ["controller"]);
    /// Memory errors that could not be corrected, by memory controller.
    UNCORRECTED = Counter("node_edac_uncorrectable_errors_total", None, ["controller"]);
    /// Memory errors that were corrected, by row of memory modules; `unknown` are those without a known row.
    ROW_CORRECTED = Counter("node_edac_csrow_correctable_errors_total", None, ["controller", "csrow"]);
    /// Memory errors that could not be corrected, by row of memory modules; `unknown` are those without a known row.
    ROW_UNCORRECTED = Counter("node_edac_csrow_uncorrectable_errors_total", None, ["controller", "csrow"]);
}

/// Reads and reports; without memory that corrects errors there is nothing.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let folder = source.sys.folder("devices/system/edac/mc")?;
    let mut controllers = 0;
    for name in folder.names()? {
        let Some(controller) = name.strip_prefix("mc").filter(|number| number.parse::<u32>().is_ok()) else { continue };
        let Ok(controller_folder) = folder.folder(&name) else { continue };
        report(controller, &controller_folder, &mut source.buffer, out)?;
        controllers += 1;
    }
    if controllers == 0 { Err(Hole::Missing) } else { Ok(()) }
}

fn report(controller: &str, folder: &Folder, buffer: &mut Buffer, out: &mut Snapshot) -> Result<(), Hole> {
    for (file, metric) in [("ce_count", &CORRECTED), ("ue_count", &UNCORRECTED)] {
        if let Some(count) = folder.number::<u64>(file, buffer) {
            out.push(metric, [controller], count);
        }
    }
    for (file, metric) in [("ce_noinfo_count", &ROW_CORRECTED), ("ue_noinfo_count", &ROW_UNCORRECTED)] {
        if let Some(count) = folder.number::<u64>(file, buffer) {
            out.push(metric, [controller, "unknown"], count);
        }
    }
    for name in folder.names()? {
        let Some(row) = name.strip_prefix("csrow") else { continue };
        for (file, metric) in [("ce_count", &ROW_CORRECTED), ("ue_count", &ROW_UNCORRECTED)] {
            if let Some(count) = folder.number::<u64>(&format!("{name}/{file}"), buffer) {
                out.push(metric, [controller, row], count);
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
    fn errors_by_controller_and_row() {
        let machine = Machine::new(&[
            ("sys/devices/system/edac/mc/mc0/ce_count", "3\n"),
            ("sys/devices/system/edac/mc/mc0/ue_count", "1\n"),
            ("sys/devices/system/edac/mc/mc0/ce_noinfo_count", "2\n"),
            ("sys/devices/system/edac/mc/mc0/csrow0/ce_count", "1\n"),
            ("sys/devices/system/edac/mc/power/control", "auto\n"),
        ]);
        expect_test::expect![[r#"
            node_edac_correctable_errors_total{controller="0"} 3
            node_edac_csrow_correctable_errors_total{controller="0",csrow="0"} 1
            node_edac_csrow_correctable_errors_total{controller="0",csrow="unknown"} 2
            node_edac_uncorrectable_errors_total{controller="0"} 1
        "#]]
        .assert_eq(&machine.found_by(collect));
    }
}
