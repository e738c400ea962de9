//! What udev knows of a disk: model, serial number, file system, device mapper, ATA features.

use super::diskstats::Disk;
use super::source::{Folder, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Model, serial number and place of each disk, as far as udev knows them, and `rotational`: 1 for a spinning one.
    INFO = Gauge(
        "node_disk_info", None,
        ["device", "major", "minor", "path", "wwn", "model", "serial", "revision", "rotational"]
    );
    /// File system, RAID member or LVM volume that udev has found on each disk.
    FILESYSTEM_INFO = Gauge("node_disk_filesystem_info", None, ["device", "type", "usage", "uuid", "version"]);
    /// Name and volume group of each device-mapper device.
    DEVICE_MAPPER_INFO = Gauge(
        "node_disk_device_mapper_info", None, ["device", "name", "uuid", "vg_name", "lv_name", "lv_layer"]
    );
    /// Whether an ATA disk has a write cache.
    WRITE_CACHE = Gauge("node_disk_ata_write_cache", None, ["device"]);
    /// Whether the write cache of an ATA disk is switched on.
    WRITE_CACHE_ENABLED = Gauge("node_disk_ata_write_cache_enabled", None, ["device"]);
    /// Turns a minute of an ATA disk; 0 for a solid-state one.
    ROTATION_RATE = Gauge("node_disk_ata_rotation_rate_rpm", None, ["device"]);
}

/// Reads and reports; a machine without udev (a container) has the device numbers only.
pub(super) fn collect(disk: &Disk, source: &mut Source, out: &mut Snapshot) {
    let rotational = source
        .sys
        .property(&format!("block/{}/queue/rotational", disk.name.replace('/', "!")), &mut source.buffer)
        .unwrap_or_default()
        .to_owned();
    let data = Folder::at(&source.root.join("run/udev/data"));
    let text = data.read(&format!("b{}:{}", disk.major, disk.minor), &mut source.buffer).unwrap_or_default();
    report(disk, &rotational, text, out);
}

pub(super) fn report(disk: &Disk, rotational: &str, text: &str, out: &mut Snapshot) {
    // Of the database's lines, `E:` are properties.
    let property = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix("E:")?.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
    };
    let first = |names: &[&str]| names.iter().map(|name| property(name)).find(|value| !value.is_empty());
    let device = disk.name.as_str();
    let labels = [
        device,
        &disk.major,
        &disk.minor,
        property("ID_PATH"),
        property("ID_WWN"),
        property("ID_MODEL"),
        // `ID_SERIAL` has the model in it as well.
        first(&["SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT"]).unwrap_or_default(),
        property("ID_REVISION"),
        rotational,
    ];
    out.push(&INFO, labels, true);
    if !property("ID_FS_TYPE").is_empty() {
        let [kind, usage, uuid, version] = ["ID_FS_TYPE", "ID_FS_USAGE", "ID_FS_UUID", "ID_FS_VERSION"].map(property);
        out.push(&FILESYSTEM_INFO, [device, kind, usage, uuid, version], true);
    }
    if !property("DM_NAME").is_empty() {
        let [name, uuid, group, volume, layer] =
            ["DM_NAME", "DM_UUID", "DM_VG_NAME", "DM_LV_NAME", "DM_LV_LAYER"].map(property);
        out.push(&DEVICE_MAPPER_INFO, [device, name, uuid, group, volume, layer], true);
    }
    if !property("ID_ATA").is_empty() {
        for (metric, name) in [
            (&WRITE_CACHE, "ID_ATA_WRITE_CACHE"),
            (&WRITE_CACHE_ENABLED, "ID_ATA_WRITE_CACHE_ENABLED"),
            (&ROTATION_RATE, "ID_ATA_ROTATION_RATE_RPM"),
        ] {
            if let Ok(value) = property(name).parse::<f64>() {
                out.push(metric, [device], value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    fn found(name: &str, udev: &str) -> String {
        let mut out = Snapshot::default();
        let disk = Disk { name: name.to_owned(), major: "8".to_owned(), minor: "0".to_owned() };
        report(&disk, "1", udev, &mut out);
        text(out)
    }

    #[test]
    fn an_ata_disk_with_a_file_system() {
        let udev = "S:disk/by-id/ata-X\nE:ID_ATA=1\nE:ID_MODEL=ST4000\nE:ID_SERIAL=ST4000_ABC\nE:ID_SERIAL_SHORT=ABC\n\
                    E:ID_ATA_WRITE_CACHE=1\nE:ID_ATA_WRITE_CACHE_ENABLED=0\nE:ID_ATA_ROTATION_RATE_RPM=5900\n\
                    E:ID_FS_TYPE=ext4\nE:ID_FS_USAGE=filesystem\nE:ID_FS_VERSION=1.0\n";
        expect_test::expect![[r#"
            node_disk_ata_rotation_rate_rpm{device="sda"} 5900
            node_disk_ata_write_cache{device="sda"} 1
            node_disk_ata_write_cache_enabled{device="sda"} 0
            node_disk_filesystem_info{device="sda",type="ext4",usage="filesystem",uuid="",version="1.0"} 1
            node_disk_info{device="sda",major="8",minor="0",path="",wwn="",model="ST4000",serial="ABC",revision="",rotational="1"} 1
        "#]]
        .assert_eq(&found("sda", udev));
    }

    #[test]
    fn a_logical_volume_names_its_group() {
        let found = found("dm-0", "E:DM_NAME=vg-root\nE:DM_VG_NAME=vg\nE:DM_LV_NAME=root\n");
        assert!(found.contains(r#"{device="dm-0",name="vg-root",uuid="",vg_name="vg",lv_name="root",lv_layer=""} 1"#));
    }
}
