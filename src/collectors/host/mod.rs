//! The machine itself, from procfs, sysfs and the file systems, under `node_exporter`'s names.
//!
//! A *part* is what `node_exporter` calls a collector, and is named as there in `node_scrape_collector_success`. That
//! is 0 for a part that failed, which is a gap as well, and for one that this machine does not have (no sensors, a
//! module that is not loaded), which is not: nobody is to be woken up because a virtual machine has no fans.
//!
//! Parts that read procfs are quick and cannot block. Drivers behind sysfs can (a sensor on a slow bus, a network card
//! being reset), and so can file systems: both have threads of their own, at most one for each thing that hangs.

mod arp;
mod bonding;
pub mod config;
mod conntrack;
mod cpu;
mod cpufreq;
mod diskstats;
mod dmi;
mod edac;
mod entropy;
mod errand;
mod filefd;
mod filesystem;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod hwmon;
mod kernel_hung;
mod loadavg;
mod meminfo;
mod mounts;
mod netclass;
mod netdev;
mod netstat;
mod nvme;
mod os;
mod power_supply;
mod pressure;
mod root;
mod schedstat;
mod selinux;
mod sockstat;
mod softnet;
mod source;
mod stat;
mod thermal;
mod time;
mod timex;
mod udev;
mod udp_queues;
mod uname;
mod vmstat;
mod watchdog;
mod zone;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::config::Config;
use self::errand::Errand;
use self::mounts::Mounts;
use self::source::{Hole, Source};
use crate::collector::{Collector, Context, Failure, Paths};
use crate::metric::Catalogue;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// How long reading one part of the host took.
    DURATION = Gauge("node_scrape_collector_duration_seconds", Seconds, ["collector"]);
    /// Whether one part of the host was read; 0 also for a part that this machine does not have.
    SUCCESS = Gauge("node_scrape_collector_success", None, ["collector"]);
}

/// How long the parts behind drivers may take: longer than a slow bus, shorter than the shortest scrape.
const DRIVER_LIMIT: Duration = Duration::from_millis(400);

/// Reads one part and reports it.
type Read = fn(&mut Source, &mut Snapshot) -> Result<(), Hole>;

/// The parts that read procfs, or ask the kernel directly.
static PARTS: [(&str, Read); 22] = [
    ("arp", arp::collect),
    ("conntrack", conntrack::collect),
    ("cpu", cpu::collect),
    ("diskstats", diskstats::collect),
    ("entropy", entropy::collect),
    ("filefd", filefd::collect),
    ("kernel_hung", kernel_hung::collect),
    ("loadavg", loadavg::collect),
    ("meminfo", meminfo::collect),
    ("netdev", netdev::collect),
    ("netstat", netstat::collect),
    ("os", os::collect),
    ("pressure", pressure::collect),
    ("schedstat", schedstat::collect),
    ("sockstat", sockstat::collect),
    ("softnet", softnet::collect),
    ("stat", stat::collect),
    ("time", time::collect),
    ("timex", timex::collect),
    ("udp_queues", udp_queues::collect),
    ("uname", uname::collect),
    ("vmstat", vmstat::collect),
];

/// The parts that read sysfs, behind which are drivers.
static DRIVER_PARTS: [(&str, Read); 11] = [
    ("bonding", bonding::collect),
    ("cpufreq", cpufreq::collect),
    ("dmi", dmi::collect),
    ("edac", edac::collect),
    ("hwmon", hwmon::collect),
    ("netclass", netclass::collect),
    ("nvme", nvme::collect),
    ("powersupplyclass", power_supply::collect),
    ("selinux", selinux::collect),
    ("thermal_zone", thermal::collect),
    ("watchdog", watchdog::collect),
];

/// The part that is neither.
const FILESYSTEM: &str = "filesystem";

/// Watches the machine that Vitrin runs on.
pub struct Host {
    paths: Paths,
    config: Arc<Config>,
    mounts: Mounts,
    drivers: Errand,
    cpu_shown: cpu::Shown,
}

impl Collector for Host {
    const NAME: &'static str = "host";
    const METRICS: &'static [Catalogue] = &[
        Catalogue::List(METRICS),
        Catalogue::List(arp::METRICS),
        Catalogue::List(bonding::METRICS),
        Catalogue::List(conntrack::METRICS),
        Catalogue::List(cpu::METRICS),
        Catalogue::List(cpufreq::METRICS),
        Catalogue::List(diskstats::METRICS),
        Catalogue::List(dmi::METRICS),
        Catalogue::List(edac::METRICS),
        Catalogue::List(entropy::METRICS),
        Catalogue::List(filefd::METRICS),
        Catalogue::List(filesystem::METRICS),
        Catalogue::List(hwmon::METRICS),
        Catalogue::List(kernel_hung::METRICS),
        Catalogue::List(loadavg::METRICS),
        Catalogue::Table { table: &meminfo::FIELDS, open: true },
        Catalogue::List(netclass::METRICS),
        Catalogue::List(netdev::METRICS),
        Catalogue::Table { table: &netstat::FIELDS, open: false },
        Catalogue::List(nvme::METRICS),
        Catalogue::List(os::METRICS),
        Catalogue::List(power_supply::METRICS),
        Catalogue::List(pressure::METRICS),
        Catalogue::List(schedstat::METRICS),
        Catalogue::List(selinux::METRICS),
        Catalogue::Table { table: &sockstat::FIELDS, open: false },
        Catalogue::List(softnet::METRICS),
        Catalogue::List(stat::METRICS),
        Catalogue::List(thermal::METRICS),
        Catalogue::List(time::METRICS),
        Catalogue::List(timex::METRICS),
        Catalogue::List(udev::METRICS),
        Catalogue::List(udp_queues::METRICS),
        Catalogue::List(uname::METRICS),
        Catalogue::Table { table: &vmstat::FIELDS, open: false },
        Catalogue::List(watchdog::METRICS),
    ];
    type Config = Config;

    fn new(config: &Config, context: &Context) -> Self {
        Self {
            paths: context.paths.clone(),
            config: Arc::new(config.clone()),
            mounts: Mounts::new(Arc::new(mounts::statvfs)),
            drivers: Errand::new("host-drivers"),
            cpu_shown: cpu::Shown::default(),
        }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let mut source = self.source()?;
        let mut drivers_source = self.source()?;
        // A thread cannot borrow the snapshot, so it takes it along; if it does not come back, a new one goes on.
        let mut taken = std::mem::take(out);
        let read_drivers = self.drivers.run(DRIVER_LIMIT, move || {
            read(&DRIVER_PARTS, &mut drivers_source, &mut taken);
            taken
        });
        let begun = Instant::now();
        let mounts = filesystem::list(&mut source);
        let ask_mounts = async {
            match &mounts {
                Ok(mounts) => {
                    filesystem::ask(mounts, &self.paths.root, &self.mounts, self.config.mount_timeout.0).await
                }
                Err(_) => Vec::new(),
            }
        };
        let (drivers, answers) = tokio::join!(read_drivers, ask_mounts);
        match drivers {
            Ok(taken) => *out = taken,
            Err(failure) => {
                for (part, _) in DRIVER_PARTS {
                    out.push(&SUCCESS, [part], false);
                }
                out.gap(failure.context("reading the host's drivers"));
            }
        }
        let filesystems = mounts.map(|mounts| filesystem::report(&mounts, answers, out));
        ended(FILESYSTEM, begun.elapsed(), filesystems, out);
        read(&PARTS, &mut source, out);
        Ok(())
    }
}

impl Host {
    fn source(&self) -> Result<Source, Failure> {
        let mut source = Source::open(&self.paths, self.config.clone())?;
        source.cpu_shown = self.cpu_shown.clone();
        Ok(source)
    }
}

fn read(parts: &[(&str, Read)], source: &mut Source, out: &mut Snapshot) {
    for (part, read) in parts {
        let begun = Instant::now();
        let result = read(source, out);
        ended(part, begun.elapsed(), result, out);
    }
}

/// Says how a part ended.
fn ended(part: &str, took: Duration, result: Result<(), Hole>, out: &mut Snapshot) {
    out.push(&DURATION, [part], took.as_secs_f64());
    out.push(&SUCCESS, [part], result.is_ok());
    if let Err(Hole::Failed(failure)) = result {
        out.gap(failure.context(format!("the host's {part}")));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc::channel;
    use std::sync::{Mutex, PoisonError};

    use proptest::prelude::*;

    use super::source::tests::Machine;
    use super::*;
    use crate::collector::Reason;
    use crate::config::types::Period;

    /// One file of each kind that the parts read.
    const FILES: [&str; 47] = [
        "proc/1/mountinfo",
        "proc/diskstats",
        "proc/loadavg",
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
        "root/etc/os-release",
        "root/etc/selinux/config",
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
}
