//! Mains adapters and batteries, from `/sys/class/power_supply`.

use super::source::{Hole, Source};
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Whether the supply gives power.
    ONLINE = Gauge("node_power_supply_online", None, ["power_supply"]);
    /// Whether the battery is there.
    PRESENT = Gauge("node_power_supply_present", None, ["power_supply"]);
    /// Charge of the battery in percent.
    CAPACITY = Gauge("node_power_supply_capacity", None, ["power_supply"]);
    /// How often the battery was charged.
    CYCLES = Gauge("node_power_supply_cyclecount", None, ["power_supply"]);
    /// Voltage of the supply in volts.
    VOLTAGE = Gauge("node_power_supply_voltage_volt", None, ["power_supply"]);
    /// Current that flows in amperes.
    CURRENT = Gauge("node_power_supply_current_ampere", None, ["power_supply"]);
    /// Power that flows in watts.
    POWER = Gauge("node_power_supply_power_watt", None, ["power_supply"]);
    /// Energy in the battery in watt hours.
    ENERGY = Gauge("node_power_supply_energy_watthour", None, ["power_supply"]);
    /// Energy in the battery when full in watt hours.
    ENERGY_FULL = Gauge("node_power_supply_energy_full", None, ["power_supply"]);
    /// Energy in the new battery when full in watt hours.
    ENERGY_FULL_DESIGN = Gauge("node_power_supply_energy_full_design", None, ["power_supply"]);
    /// Charge of the battery in ampere hours.
    CHARGE = Gauge("node_power_supply_charge_ampere", None, ["power_supply"]);
    /// Temperature of the battery.
    TEMPERATURE = Gauge("node_power_supply_temp_celsius", Celsius, ["power_supply"]);
    /// Kind, maker and state of each supply.
    INFO = Gauge(
        "node_power_supply_info", None,
        ["power_supply", "capacity_level", "charge_type", "health", "manufacturer", "model_name", "serial_number",
         "scope", "status", "technology", "type", "usb_type"]
    );
}

/// Files, their metrics, and what one unit of the file is in that of the metric.
static NUMBERS: [(&str, &Metric<1>, f64); 12] = [
    ("online", &ONLINE, 1.0),
    ("present", &PRESENT, 1.0),
    ("capacity", &CAPACITY, 1.0),
    ("cycle_count", &CYCLES, 1.0),
    ("voltage_now", &VOLTAGE, 1e-6),
    ("current_now", &CURRENT, 1e-6),
    ("power_now", &POWER, 1e-6),
    ("energy_now", &ENERGY, 1e-6),
    ("energy_full", &ENERGY_FULL, 1e-6),
    ("energy_full_design", &ENERGY_FULL_DESIGN, 1e-6),
    ("charge_now", &CHARGE, 1e-6),
    ("temp", &TEMPERATURE, 0.1),
];

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let class = source.sys.folder("class/power_supply")?;
    let names = class.names()?;
    if names.is_empty() {
        return Err(Hole::Missing);
    }
    for name in &names {
        let Ok(folder) = class.folder(name) else { continue };
        for (file, metric, scale) in NUMBERS {
            if let Some(number) = folder.number::<f64>(file, &mut source.buffer) {
                out.push(metric, [name], number * scale);
            }
        }
        let mut labels = INFO.desc().labels.iter().map(|label| match label.as_ref() {
            "power_supply" => name.clone(),
            file => folder.property(file, &mut source.buffer).unwrap_or_default().to_owned(),
        });
        let labels: [String; 12] = std::array::from_fn(|_| labels.next().unwrap_or_default());
        out.push(&INFO, labels.each_ref().map(String::as_str), true);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn a_battery_and_an_adapter() {
        let machine = Machine::new(&[
            ("sys/class/power_supply/AC/online", "0\n"),
            ("sys/class/power_supply/AC/type", "Mains\n"),
            ("sys/class/power_supply/BAT0/capacity", "81\n"),
            ("sys/class/power_supply/BAT0/voltage_now", "12229000\n"),
            ("sys/class/power_supply/BAT0/status", "Discharging\n"),
        ]);
        expect_test::expect![[r#"
            node_power_supply_capacity{power_supply="BAT0"} 81
            node_power_supply_info{power_supply="AC",capacity_level="",charge_type="",health="",manufacturer="",model_name="",serial_number="",scope="",status="",technology="",type="Mains",usb_type=""} 1
            node_power_supply_info{power_supply="BAT0",capacity_level="",charge_type="",health="",manufacturer="",model_name="",serial_number="",scope="",status="Discharging",technology="",type="",usb_type=""} 1
            node_power_supply_online{power_supply="AC"} 0
            node_power_supply_voltage_volt{power_supply="BAT0"} 12.229
        "#]].assert_eq(&machine.found_by(collect));
    }
}
