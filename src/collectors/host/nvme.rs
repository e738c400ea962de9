//! NVMe controllers, from `/sys/class/nvme`.

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Model, serial number, firmware and state of each NVMe controller.
    INFO = Gauge(
        "node_nvme_info", None, ["device", "firmware_revision", "model", "serial", "state", "cntlid"]
    );
}

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let class = source.sys.folder("class/nvme")?;
    for device in class.names()? {
        let Ok(folder) = class.folder(&device) else { continue };
        let [firmware, model, serial, state, id] = ["firmware_rev", "model", "serial", "state", "cntlid"]
            .map(|file| folder.property(file, &mut source.buffer).unwrap_or_default().to_owned());
        out.push(&INFO, [&device, &firmware, &model, &serial, &state, &id], true);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn a_controller_says_who_it_is() {
        let machine = Machine::new(&[
            ("sys/class/nvme/nvme0/model", "ACME FlashDrive 1TB  \n"),
            ("sys/class/nvme/nvme0/firmware_rev", "FW01\n"),
            ("sys/class/nvme/nvme0/serial", "SN42\n"),
            ("sys/class/nvme/nvme0/state", "live\n"),
            ("sys/class/nvme/nvme0/cntlid", "7\n"),
        ]);
        expect_test::expect![[r#"
            node_nvme_info{device="nvme0",firmware_revision="FW01",model="ACME FlashDrive 1TB",serial="SN42",state="live",cntlid="7"} 1
        "#]].assert_eq(&machine.found_by(collect));
    }
}
