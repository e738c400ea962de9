//! Frequencies, throttling and presence of each CPU, from `/sys/devices/system/cpu`.

use std::collections::BTreeMap;

use super::source::{Hole, Source};
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Frequency of the CPU as the hardware tells it.
    FREQUENCY = Gauge("node_cpu_frequency_hertz", Hertz, ["cpu"]);
    /// Lowest frequency of the CPU's hardware.
    FREQUENCY_MIN = Gauge("node_cpu_frequency_min_hertz", Hertz, ["cpu"]);
    /// Highest frequency of the CPU's hardware.
    FREQUENCY_MAX = Gauge("node_cpu_frequency_max_hertz", Hertz, ["cpu"]);
    /// Frequency of the CPU as the kernel has set it.
    SCALING = Gauge("node_cpu_scaling_frequency_hertz", Hertz, ["cpu"]);
    /// Lowest frequency that the kernel may set.
    SCALING_MIN = Gauge("node_cpu_scaling_frequency_min_hertz", Hertz, ["cpu"]);
    /// Highest frequency that the kernel may set.
    SCALING_MAX = Gauge("node_cpu_scaling_frequency_max_hertz", Hertz, ["cpu"]);
    /// Whether this is the governor that sets the CPU's frequency, of those it could have.
    GOVERNOR = Gauge("node_cpu_scaling_governor", None, ["cpu", "governor"]);
    /// Whether the CPU is online; absent for one that cannot be taken offline.
    ONLINE = Gauge("node_cpu_online", None, ["cpu"]);
    /// Times that a core was slowed down because it was too hot.
    CORE_THROTTLES = Counter("node_cpu_core_throttles_total", None, ["package", "core"]);
    /// Times that a processor was slowed down because it was too hot.
    PACKAGE_THROTTLES = Counter("node_cpu_package_throttles_total", None, ["package"]);
}

/// Files below `cpufreq`, in kilohertz.
static FREQUENCIES: [(&str, &Metric<1>); 6] = [
    ("cpuinfo_cur_freq", &FREQUENCY),
    ("cpuinfo_min_freq", &FREQUENCY_MIN),
    ("cpuinfo_max_freq", &FREQUENCY_MAX),
    ("scaling_cur_freq", &SCALING),
    ("scaling_min_freq", &SCALING_MIN),
    ("scaling_max_freq", &SCALING_MAX),
];

/// Reads and reports; a virtual machine has no frequencies.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let folder = source.sys.folder("devices/system/cpu")?;
    let buffer = &mut source.buffer;
    let (mut cores, mut packages) = (BTreeMap::new(), BTreeMap::new());
    let mut has_frequencies = false;
    for name in folder.names()? {
        let Some(cpu) = name.strip_prefix("cpu").filter(|cpu| cpu.parse::<u32>().is_ok()) else { continue };
        let Ok(cpu_folder) = folder.folder(&name) else { continue };
        if let Some(online) = cpu_folder.number::<f64>("online", buffer) {
            out.push(&ONLINE, [cpu], online);
        }
        if let Ok(frequencies) = cpu_folder.folder("cpufreq") {
            has_frequencies = true;
            for (file, metric) in FREQUENCIES {
                if let Some(kilohertz) = frequencies.number::<f64>(file, buffer) {
                    out.push(metric, [cpu], kilohertz * 1000.0);
                }
            }
            let governor = frequencies.property("scaling_governor", buffer).unwrap_or_default().to_owned();
            let governors = frequencies.property("scaling_available_governors", buffer).unwrap_or(&governor);
            for one in governors.split_ascii_whitespace() {
                out.push(&GOVERNOR, [cpu, one], one == governor);
            }
        }
        // Threads of one core, and cores of one processor, show the same count.
        if let Ok(throttle) = cpu_folder.folder("thermal_throttle") {
            let package: i32 = cpu_folder.number("topology/physical_package_id", buffer).unwrap_or_default();
            let core: i32 = cpu_folder.number("topology/core_id", buffer).unwrap_or_default();
            if let Some(count) = throttle.number::<u64>("core_throttle_count", buffer) {
                cores.insert((package, core), count);
            }
            if let Some(count) = throttle.number::<u64>("package_throttle_count", buffer) {
                packages.insert(package, count);
            }
        }
    }
    for ((package, core), count) in cores {
        out.push(&CORE_THROTTLES, [&package.to_string(), &core.to_string()], count);
    }
    for (package, count) in packages {
        out.push(&PACKAGE_THROTTLES, [&package.to_string()], count);
    }
    if has_frequencies { Ok(()) } else { Err(Hole::Missing) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn frequencies_in_hertz_and_throttles_once_for_each_core() {
        let machine = Machine::new(&[
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2100000\n"),
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_available_governors", "performance powersave\n"),
            ("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "5\n"),
            ("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "6\n"),
            ("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n"),
            ("sys/devices/system/cpu/cpu0/topology/core_id", "1\n"),
            ("sys/devices/system/cpu/cpu4/online", "0\n"),
            ("sys/devices/system/cpu/cpu4/thermal_throttle/core_throttle_count", "5\n"),
            ("sys/devices/system/cpu/cpu4/topology/physical_package_id", "0\n"),
            ("sys/devices/system/cpu/cpu4/topology/core_id", "1\n"),
            ("sys/devices/system/cpu/cpuidle/current_driver", "none\n"),
        ]);
        expect_test::expect![[r#"
            node_cpu_core_throttles_total{package="0",core="1"} 5
            node_cpu_online{cpu="4"} 0
            node_cpu_package_throttles_total{package="0"} 6
            node_cpu_scaling_frequency_hertz{cpu="0"} 2100000000
            node_cpu_scaling_governor{cpu="0",governor="performance"} 0
            node_cpu_scaling_governor{cpu="0",governor="powersave"} 1
        "#]]
        .assert_eq(&machine.found_by(collect));
    }
}
