//! Temperatures and coolers, from `/sys/class/thermal`.

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Temperature of a zone of the machine in degrees Celsius.
    ZONE = Gauge("node_thermal_zone_temp", None, ["zone", "type"]);
    /// How hard a cooler works, from 0 to its highest state.
    COOLER = Gauge("node_cooling_device_cur_state", None, ["name", "type"]);
    /// The highest state of a cooler.
    COOLER_MAX = Gauge("node_cooling_device_max_state", None, ["name", "type"]);
}

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let class = source.sys.folder("class/thermal")?;
    let buffer = &mut source.buffer;
    let mut devices = 0;
    for name in class.names()? {
        let Ok(folder) = class.folder(&name) else { continue };
        let kind = folder.property("type", buffer).unwrap_or_default().to_owned();
        if let Some(zone) = name.strip_prefix("thermal_zone") {
            if let Some(millidegrees) = folder.number::<f64>("temp", buffer) {
                out.push(&ZONE, [zone, &kind], millidegrees / 1000.0);
            }
            devices += 1;
        } else if let Some(cooler) = name.strip_prefix("cooling_device") {
            for (file, metric) in [("cur_state", &COOLER), ("max_state", &COOLER_MAX)] {
                if let Some(state) = folder.number::<f64>(file, buffer) {
                    out.push(metric, [cooler, &kind], state);
                }
            }
            devices += 1;
        }
    }
    if devices == 0 { Err(Hole::Missing) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn zones_in_degrees_and_coolers_in_steps() {
        let machine = Machine::new(&[
            ("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n"),
            ("sys/class/thermal/thermal_zone0/temp", "49925\n"),
            ("sys/class/thermal/cooling_device1/type", "Processor\n"),
            ("sys/class/thermal/cooling_device1/cur_state", "0\n"),
            ("sys/class/thermal/cooling_device1/max_state", "10\n"),
        ]);
        expect_test::expect![[r#"
            node_cooling_device_cur_state{name="1",type="Processor"} 0
            node_cooling_device_max_state{name="1",type="Processor"} 10
            node_thermal_zone_temp{zone="0",type="x86_pkg_temp"} 49.925
        "#]]
        .assert_eq(&machine.found_by(collect));
    }
}
