//! The host's parts together: any text in their files, and a file system that never answers.

use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};

use proptest::prelude::*;

use super::source::tests::Machine;
use super::*;
use crate::collector::Reason;
use crate::config::types::Period;

/// One file of each kind that the parts read.
const FILES: [&str; 51] = [
    "proc/1/mountinfo",
    "proc/diskstats",
    "proc/loadavg",
    "proc/mdstat",
    "proc/meminfo",
    "proc/net/arp",
    "proc/net/dev",
    "proc/net/netstat",
    "proc/net/snmp",
    "proc/net/snmp6",
    "proc/net/sockstat",
    "proc/net/sockstat6",
    "proc/net/softnet_stat",
    "proc/net/stat/nf_conntrack",
    "proc/net/udp",
    "proc/net/udp6",
    "proc/pressure/cpu",
    "proc/pressure/io",
    "proc/pressure/irq",
    "proc/schedstat",
    "proc/stat",
    "proc/sys/fs/file-nr",
    "proc/sys/kernel/hung_task_detect_count",
    "proc/sys/kernel/random/entropy_avail",
    "proc/sys/net/netfilter/nf_conntrack_count",
    "proc/vmstat",
    "root/etc/localtime",
    "root/etc/kernel/postinst.d/unattended-upgrades",
    "root/etc/os-release",
    "root/etc/selinux/config",
    "root/run/reboot-required.pkgs",
    "sys/block/md0/md/degraded",
    "sys/class/dmi/id/sys_vendor",
    "sys/class/hwmon/hwmon0/name",
    "sys/class/hwmon/hwmon0/temp1_input",
    "sys/class/hwmon/hwmon0/temp1_label",
    "sys/class/net/bonding_masters",
    "sys/class/net/eth0/flags",
    "sys/class/net/eth0/ifalias",
    "sys/class/net/eth0/speed",
    "sys/class/nvme/nvme0/model",
    "sys/class/power_supply/BAT0/capacity",
    "sys/class/thermal/thermal_zone0/temp",
    "sys/class/watchdog/watchdog0/timeout",
    "sys/devices/system/clocksource/clocksource0/available_clocksource",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count",
    "sys/devices/system/cpu/cpu0/topology/core_id",
    "sys/devices/system/edac/mc/mc0/ce_count",
    "sys/devices/system/edac/mc/mc0/csrow0/ce_count",
    "sys/fs/selinux/enforce",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_text_panics(texts in proptest::collection::vec(
        prop_oneof!["([a-z0-9:%=./ -]{0,12}[ \n]){0,20}", "(cpu|eth|intr |Tcp: )?[0-9a-f]{1,20}\n", any::<String>()],
        7,
    )) {
        let files: Vec<_> = FILES.into_iter().zip(texts.iter().map(String::as_str).cycle()).collect();
        let machine = Machine::new(&files);
        let mut source = machine.source();
        let mut out = Snapshot::default();
        read(&PARTS, &mut source, &mut out);
        read(&DRIVER_PARTS, &mut source, &mut out);
        read(&[MDADM, REBOOT], &mut source, &mut out);
        filesystem::list(&mut source).ok();
        prop_assert!(out.len() >= 2 * (PARTS.len() + DRIVER_PARTS.len()));
    }
}

#[tokio::test]
async fn a_dead_file_system_costs_its_own_space_and_nothing_else() {
    let (_hold, held) = channel::<()>();
    let held = Mutex::new(held);
    // Long beside what a scrape takes on a busy machine.
    let limit = Duration::from_millis(500);
    let config = Config { mount_timeout: Period(limit), ..Config::default() };
    let mut host = Host::new(&config, &Context::new(Paths::default()));
    host.mounts = Mounts::new(Arc::new(move |_: &Path| {
        // Returns when the test has ended.
        held.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
        Ok(mounts::Space::default())
    }));
    for (scrape, longest) in [("the first", limit * 3), ("the second", limit)] {
        let begun = Instant::now();
        let mut out = Snapshot::default();
        host.collect(&mut out).await.unwrap();
        assert!(begun.elapsed() < longest, "{scrape} took {:?}", begun.elapsed());
        let (findings, gaps, _) = out.finish();
        let names: Vec<_> = findings.families().map(|(family, _)| family.name.to_string()).collect();
        let there = |name: &str| names.iter().any(|found| found == name);
        assert!(there("node_filesystem_device_error") && !there("node_filesystem_size_bytes"), "{scrape}");
        assert!(there("node_memory_MemTotal_bytes") && there("node_network_up"), "{scrape}");
        assert!(!gaps.is_empty() && gaps.iter().all(|gap| gap.reason == Reason::Timeout), "{scrape}: {gaps:?}");
    }
}
