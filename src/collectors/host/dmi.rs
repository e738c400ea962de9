//! Maker and model of the machine, from `/sys/class/dmi/id`.

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Maker, model and firmware of the machine (DMI); serial numbers are there only if Vitrin runs as root.
    INFO = Gauge(
        "node_dmi_info", None,
        ["bios_date", "bios_release", "bios_vendor", "bios_version", "board_asset_tag", "board_name", "board_serial",
         "board_vendor", "board_version", "chassis_asset_tag", "chassis_serial", "chassis_vendor", "chassis_version",
         "product_family", "product_name", "product_serial", "product_sku", "product_uuid", "product_version",
         "system_vendor"]
    );
}

/// Reads and reports. The files are small and do not change; reading them costs a few microseconds each.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let folder = source.sys.folder("class/dmi/id")?;
    let mut values = INFO.desc().labels.iter().map(|label| {
        // The one label that is not called like its file.
        let file = if label == "system_vendor" { "sys_vendor" } else { label };
        folder.property(file, &mut source.buffer).unwrap_or_default().to_owned()
    });
    let values: [String; 20] = std::array::from_fn(|_| values.next().unwrap_or_default());
    out.push(&INFO, values.each_ref().map(String::as_str), true);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn what_the_maker_has_written() {
        let machine = Machine::new(&[
            ("sys/class/dmi/id/sys_vendor", "QEMU\n"),
            ("sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)\n"),
        ]);
        let found = machine.found_by(collect);
        assert!(
            found.contains("product_name=\"Standard PC (Q35 + ICH9, 2009)\"")
                && found.contains("system_vendor=\"QEMU\"")
        );
        assert!(matches!(collect(&mut Machine::new(&[]).source(), &mut Snapshot::default()), Err(Hole::Missing)));
    }
}
