//! Software RAID: a real node_exporter judges the same text.
//!
//! The text is in the form that the kernel documents (md(4), `md_seq_show`): arrays need a kernel with their drivers and
//! disks, which the machine that runs the tests may well not have.

use std::fs;

use crate::support::daemon::folder;
use crate::support::differential::{Deviations, Differential};
use crate::support::exporter::Exporter;
use crate::support::peers::Peer;

const MDSTAT: &str = "\
Personalities : [raid1] [raid6] [raid5] [raid4] [raid0] [linear] [raid10]
md0 : active raid1 sdb1[1] sda1[0]
      976630336 blocks super 1.2 [2/2] [UU]
      bitmap: 0/8 pages [0KB], 65536KB chunk

md1 : active (auto-read-only) raid1 sdb2[1] sda2[0](F)
      8380416 blocks super 1.2 [2/1] [_U]
      \tresync=PENDING

md2 : active raid5 sdf1[4] sde1[3](S) sdc1[1] sdb3[0]
      195310144 blocks super 1.2 level 5, 512k chunk, algorithm 2 [3/2] [UU_]
      [=>...................]  recovery =  8.5% (8300480/97655072) finish=17.0min speed=87284K/sec
      bitmap: 1/1 pages [4KB], 65536KB chunk

md3 : active raid1 sdh1[1] sdg1[0]
      104320 blocks [2/2] [UU]
      [==>..................]  check = 12.3% (12832/104320) finish=0.1min speed=12832K/sec

md4 : active raid0 sdj1[1] sdi1[0]
      209584128 blocks super 1.2 512k chunks

md126 : active (read-only) raid1 sdo1[1] sdn1[0]
      1048576 blocks super 1.2 [2/2] [UU]
      
md127 : inactive sdm[0](S)
      488254464 blocks super 1.2

unused devices: <none>
";

/// What younger versions of the peer read in sysfs as well: level, disks, and how many are missing.
const SYSFS: [(&str, &str, &str, Option<&str>); 7] = [
    ("md0", "raid1", "2", Some("0")),
    ("md1", "raid1", "2", Some("1")),
    ("md2", "raid5", "3", Some("1")),
    ("md3", "raid1", "2", Some("0")),
    ("md4", "raid0", "2", None),
    ("md126", "raid1", "2", Some("0")),
    ("md127", "", "0", None),
];

#[test]
fn arrays_are_those_that_node_exporter_shows() {
    let machine = folder();
    let place = |name: &str| machine.path().join(name);
    fs::create_dir_all(place("proc")).unwrap();
    fs::write(place("proc/mdstat"), MDSTAT).unwrap();
    for (name, level, disks, degraded) in SYSFS {
        let folder = place(&format!("sys/block/{name}/md"));
        fs::create_dir_all(&folder).unwrap();
        let properties = [
            ("level", level),
            ("raid_disks", disks),
            ("array_state", "clean"),
            ("metadata_version", "1.2"),
            ("uuid", "f3c1a1f2-7d34-4b0e-9d6f-0b6a2f1c5e77"),
            ("chunk_size", "524288"),
            ("sync_action", "idle"),
            ("sync_completed", "none"),
        ];
        for (property, value) in properties.into_iter().chain(degraded.map(|degraded| ("degraded", degraded))) {
            fs::write(folder.join(property), format!("{value}\n")).unwrap();
        }
    }
    let paths = ["proc", "sys"].map(|name| format!("--path.{name}fs={}", place(name).display()));
    let only = ["--collector.disable-defaults", "--collector.mdadm"].map(str::to_owned);
    let peer = Peer::node_with(&[only, paths.clone()].concat());
    let paths = paths.each_ref().map(String::as_str);
    let exporter = Exporter::start_with("[host]\nmdadm = true\n", &paths);

    let page = exporter.scrape();
    assert_eq!(page.number("node_md_disks", &[("device", "md1"), ("state", "failed")]), 1.0);
    assert_eq!(page.number("node_md_disks_required", &[("device", "md2")]), 3.0);
    let (ours, theirs) = (|| exporter.scrape(), || peer.page());
    let deviations = Deviations::of("host");
    Differential { prefix: "node_md_", families: 5, ours: &ours, peer: &theirs, deviations }.check();

    let page = Exporter::start_with("", &paths).scrape();
    assert!(page.names().iter().all(|name| !name.starts_with("node_md_")), "off unless asked for");
}
