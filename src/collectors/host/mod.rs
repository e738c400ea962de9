//! The machine itself, from procfs, sysfs and the file systems, under `node_exporter`'s names.
//!
//! A *part* is what `node_exporter` calls a collector, and is named as there in `node_scrape_collector_success`. That
//! is 0 for a part that failed, which is a gap as well, and for one that this machine does not have (no sensors, a
//! module that is not loaded), which is not: nobody is to be woken up because a virtual machine has no fans.
//!
//! Parts that read procfs are quick and cannot block. Drivers behind sysfs can (a sensor on a slow bus, a network card
//! being reset), and so can file systems: both have threads of their own, at most one for each thing that hangs. systemd
//! is a server, asked meanwhile.

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
pub(super) mod errand;
mod filefd;
mod filesystem;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod hwmon;
mod kernel_hung;
mod loadavg;
mod mdadm;
mod meminfo;
mod mounts;
mod netclass;
mod netdev;
mod netstat;
mod nvme;
mod os;
mod power_supply;
mod pressure;
mod reboot;
mod root;
mod schedstat;
mod selinux;
mod sockstat;
mod softnet;
mod source;
mod stat;
mod systemd;
mod thermal;
mod time;
pub(super) mod timex;
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

/// The parts that are neither.
const FILESYSTEM: &str = "filesystem";
const SYSTEMD: &str = "systemd";

/// Parts that are read when the configuration asks for them: one behind a driver, and one in files.
static MDADM: (&str, Read) = ("mdadm", mdadm::collect);
static REBOOT: (&str, Read) = ("reboot_required", reboot::collect);

/// The parts behind drivers that the configuration asks for.
fn driver_parts(config: &Config) -> Vec<(&'static str, Read)> {
    DRIVER_PARTS.into_iter().chain(config.mdadm.then_some(MDADM)).collect()
}

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
        Catalogue::List(mdadm::METRICS),
        Catalogue::List(netclass::METRICS),
        Catalogue::List(netdev::METRICS),
        Catalogue::Table { table: &netstat::FIELDS, open: false },
        Catalogue::List(nvme::METRICS),
        Catalogue::List(os::METRICS),
        Catalogue::List(power_supply::METRICS),
        Catalogue::List(pressure::METRICS),
        Catalogue::List(reboot::METRICS),
        Catalogue::List(reboot::OWN),
        Catalogue::List(schedstat::METRICS),
        Catalogue::List(selinux::METRICS),
        Catalogue::Table { table: &sockstat::FIELDS, open: false },
        Catalogue::List(softnet::METRICS),
        Catalogue::List(stat::METRICS),
        Catalogue::List(systemd::METRICS),
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
            read(&driver_parts(&drivers_source.config), &mut drivers_source, &mut taken);
            taken
        });
        let begun = Instant::now();
        let mounts = filesystem::list(&mut source);
        let ask_mounts = async {
            let answers = match &mounts {
                Ok(mounts) => {
                    filesystem::ask(mounts, &self.paths.root, &self.mounts, self.config.mount_timeout.0).await
                }
                Err(_) => Vec::new(),
            };
            (answers, begun.elapsed())
        };
        let ask_systemd = async {
            let Some(config) = &self.config.systemd else { return (None, Duration::ZERO) };
            let answers = Some(systemd::ask(&self.paths.root, config).await);
            (answers, begun.elapsed())
        };
        let (drivers, (answers, mounts_took), (units, systemd_took)) =
            tokio::join!(read_drivers, ask_mounts, ask_systemd);
        match drivers {
            Ok(taken) => *out = taken,
            Err(failure) => {
                for (part, _) in driver_parts(&self.config) {
                    out.push(&SUCCESS, [part], false);
                }
                out.gap(failure.context("reading the host's drivers"));
            }
        }
        let filesystems = mounts.map(|mounts| filesystem::report(&mounts, answers, out));
        ended(FILESYSTEM, mounts_took, filesystems, out);
        if let Some(units) = units {
            let units = units.map(|answers| systemd::report(&answers, out)).map_err(Hole::Failed);
            ended(SYSTEMD, systemd_took, units, out);
        }
        read(&PARTS, &mut source, out);
        if self.config.reboot_required {
            read(&[REBOOT], &mut source, out);
        }
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
mod tests;
