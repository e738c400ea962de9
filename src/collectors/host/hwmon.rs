//! Temperatures, fans, voltages and power, from `/sys/class/hwmon`.

use std::path::Path;

use super::source::{Buffer, Folder, Hole, Source};
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Name that the driver gives to the chip.
    CHIP_NAMES = Gauge("node_hwmon_chip_names", None, ["chip", "chip_name"]);
    /// Name that the driver gives to the sensor.
    SENSOR_LABEL = Gauge("node_hwmon_sensor_label", None, ["chip", "sensor", "label"]);
    /// Temperature that the sensor measures.
    TEMP = Gauge("node_hwmon_temp_celsius", Celsius, ["chip", "sensor"]);
    /// Temperature above which the chip warns.
    TEMP_MAX = Gauge("node_hwmon_temp_max_celsius", Celsius, ["chip", "sensor"]);
    /// Temperature below which the warning of the upper limit ends.
    TEMP_MAX_HYSTERESIS = Gauge("node_hwmon_temp_max_hyst_celsius", Celsius, ["chip", "sensor"]);
    /// Temperature below which the chip warns.
    TEMP_MIN = Gauge("node_hwmon_temp_min_celsius", Celsius, ["chip", "sensor"]);
    /// Temperature above which the hardware is in danger.
    TEMP_CRITICAL = Gauge("node_hwmon_temp_crit_celsius", Celsius, ["chip", "sensor"]);
    /// Temperature below which the danger is over.
    TEMP_CRITICAL_HYSTERESIS = Gauge("node_hwmon_temp_crit_hyst_celsius", Celsius, ["chip", "sensor"]);
    /// Temperature at which the machine switches itself off.
    TEMP_EMERGENCY = Gauge("node_hwmon_temp_emergency_celsius", Celsius, ["chip", "sensor"]);
    /// Whether the temperature is beyond a limit.
    TEMP_ALARM = Gauge("node_hwmon_temp_alarm", None, ["chip", "sensor"]);
    /// Whether the temperature is beyond the critical limit: 1 or 0, whatever the well-known name says.
    TEMP_CRITICAL_ALARM = Gauge("node_hwmon_temp_crit_alarm_celsius", None, ["chip", "sensor"]);
    /// Whether the temperature sensor is broken or missing.
    TEMP_FAULT = Gauge("node_hwmon_temp_fault", None, ["chip", "sensor"]);
    /// Turns of the fan a minute.
    FAN = Gauge("node_hwmon_fan_rpm", None, ["chip", "sensor"]);
    /// Turns a minute below which the chip warns.
    FAN_MIN = Gauge("node_hwmon_fan_min_rpm", None, ["chip", "sensor"]);
    /// Turns a minute above which the chip warns.
    FAN_MAX = Gauge("node_hwmon_fan_max_rpm", None, ["chip", "sensor"]);
    /// Turns a minute that the chip aims at.
    FAN_TARGET = Gauge("node_hwmon_fan_target_rpm", None, ["chip", "sensor"]);
    /// Whether the fan is beyond a limit.
    FAN_ALARM = Gauge("node_hwmon_fan_alarm", None, ["chip", "sensor"]);
    /// Whether the fan is broken or missing.
    FAN_FAULT = Gauge("node_hwmon_fan_fault", None, ["chip", "sensor"]);
    /// How hard the chip drives a fan, from 0 to 255.
    PWM = Gauge("node_hwmon_pwm", None, ["chip", "sensor"]);
    /// Voltage that the sensor measures in volts.
    VOLTAGE = Gauge("node_hwmon_in_volts", None, ["chip", "sensor"]);
    /// Voltage below which the chip warns in volts.
    VOLTAGE_MIN = Gauge("node_hwmon_in_min_volts", None, ["chip", "sensor"]);
    /// Voltage above which the chip warns in volts.
    VOLTAGE_MAX = Gauge("node_hwmon_in_max_volts", None, ["chip", "sensor"]);
    /// Whether the voltage is beyond a limit.
    VOLTAGE_ALARM = Gauge("node_hwmon_in_alarm", None, ["chip", "sensor"]);
    /// Current that the sensor measures in amperes.
    CURRENT = Gauge("node_hwmon_curr_amps", None, ["chip", "sensor"]);
    /// Current above which the chip warns in amperes.
    CURRENT_MAX = Gauge("node_hwmon_curr_max_amps", None, ["chip", "sensor"]);
    /// Power that the sensor measures in watts.
    POWER = Gauge("node_hwmon_power_watt", None, ["chip", "sensor"]);
    /// Average power in watts.
    POWER_AVERAGE = Gauge("node_hwmon_power_average_watt", None, ["chip", "sensor"]);
    /// Power that the chip does not exceed in watts.
    POWER_CAP = Gauge("node_hwmon_power_cap_watt", None, ["chip", "sensor"]);
    /// Energy used in joules since the driver was loaded.
    ENERGY = Counter("node_hwmon_energy_joule_total", None, ["chip", "sensor"]);
    /// Relative humidity, as parts of 1.
    HUMIDITY = Gauge("node_hwmon_humidity", Ratio, ["chip", "sensor"]);
    /// Whether the case has been opened.
    INTRUSION_ALARM = Gauge("node_hwmon_intrusion_alarm", None, ["chip", "sensor"]);
}

/// Kind of sensor, property, metric, and what one unit of the file is in that of the metric: the kernel's
/// `Documentation/hwmon/sysfs-interface.rst`.
static SENSORS: [(&str, &str, &Metric<2>, f64); 29] = [
    ("temp", "input", &TEMP, 1e-3),
    ("temp", "max", &TEMP_MAX, 1e-3),
    ("temp", "max_hyst", &TEMP_MAX_HYSTERESIS, 1e-3),
    ("temp", "min", &TEMP_MIN, 1e-3),
    ("temp", "crit", &TEMP_CRITICAL, 1e-3),
    ("temp", "crit_hyst", &TEMP_CRITICAL_HYSTERESIS, 1e-3),
    ("temp", "emergency", &TEMP_EMERGENCY, 1e-3),
    ("temp", "alarm", &TEMP_ALARM, 1.0),
    ("temp", "crit_alarm", &TEMP_CRITICAL_ALARM, 1.0),
    ("temp", "fault", &TEMP_FAULT, 1.0),
    ("fan", "input", &FAN, 1.0),
    ("fan", "min", &FAN_MIN, 1.0),
    ("fan", "max", &FAN_MAX, 1.0),
    ("fan", "target", &FAN_TARGET, 1.0),
    ("fan", "alarm", &FAN_ALARM, 1.0),
    ("fan", "fault", &FAN_FAULT, 1.0),
    ("pwm", "", &PWM, 1.0),
    ("in", "input", &VOLTAGE, 1e-3),
    ("in", "min", &VOLTAGE_MIN, 1e-3),
    ("in", "max", &VOLTAGE_MAX, 1e-3),
    ("in", "alarm", &VOLTAGE_ALARM, 1.0),
    ("curr", "input", &CURRENT, 1e-3),
    ("curr", "max", &CURRENT_MAX, 1e-3),
    ("power", "input", &POWER, 1e-6),
    ("power", "average", &POWER_AVERAGE, 1e-6),
    ("power", "cap", &POWER_CAP, 1e-6),
    ("energy", "input", &ENERGY, 1e-6),
    // In thousandths of a percent; node_exporter divides by ten times too much.
    ("humidity", "input", &HUMIDITY, 1e-5),
    ("intrusion", "alarm", &INTRUSION_ALARM, 1.0),
];

/// Reads and reports each chip.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let class = source.sys.folder("class/hwmon")?;
    let names = class.names()?;
    if names.is_empty() {
        return Err(Hole::Missing);
    }
    for name in names {
        let Ok(folder) = class.folder(&name) else { continue };
        chip(&name, &folder, &mut source.buffer, out)?;
        // Drivers of old put their files beside the device, not into the class.
        if let Ok(device) = folder.folder("device") {
            sensors(&chip_label(&name, &folder, &mut source.buffer), &device, &mut source.buffer, out)?;
        }
    }
    Ok(())
}

fn chip(name: &str, folder: &Folder, buffer: &mut Buffer, out: &mut Snapshot) -> Result<(), Hole> {
    let chip = chip_label(name, folder, buffer);
    if let Some(driver) = folder.property("name", buffer).map(cleaned) {
        out.push(&CHIP_NAMES, [&chip, &driver], true);
    }
    sensors(&chip, folder, buffer, out)
}

/// A name that stays when the numbers of the chips change: the device's place on its bus, `platform_coretemp_0`.
fn chip_label(name: &str, folder: &Folder, buffer: &mut Buffer) -> String {
    let place = folder.link("device").and_then(|device| {
        let last = |path: Option<&Path>| Some(cleaned(&path?.file_name()?.to_string_lossy()));
        Some(format!("{}_{}", last(device.parent())?, last(Some(&device))?))
    });
    place.or_else(|| folder.property("name", buffer).map(cleaned)).unwrap_or_else(|| cleaned(name))
}

fn sensors(chip: &str, folder: &Folder, buffer: &mut Buffer, out: &mut Snapshot) -> Result<(), Hole> {
    for file in folder.names()? {
        let Some((sensor, kind, property)) = split(&file) else { continue };
        if property == "label" {
            if let Some(label) = folder.property(&file, buffer) {
                out.push(&SENSOR_LABEL, [chip, sensor, label], true);
            }
        } else if let Some((_, _, metric, scale)) = SENSORS.iter().find(|row| row.0 == kind && row.1 == property)
            && let Some(number) = folder.number::<f64>(&file, buffer)
        {
            out.push(metric, [chip, sensor], number * scale);
        }
    }
    Ok(())
}

/// `temp12_crit_alarm` is the sensor `temp12`, of the kind `temp`, and its property `crit_alarm`.
fn split(file: &str) -> Option<(&str, &str, &str)> {
    let digits = file.find(|c: char| c.is_ascii_digit())?;
    let kind = &file[..digits];
    let end = file[digits..].find(|c: char| !c.is_ascii_digit()).map_or(file.len(), |end| digits + end);
    let property = &file[end..];
    let property = if property.is_empty() { property } else { property.strip_prefix('_')? };
    kind.bytes().all(|byte| byte.is_ascii_lowercase()).then_some((&file[..end], kind, property))
}

/// Lower case, and `_` for all but letters, digits and colons.
fn cleaned(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | ':' | '_') => c,
            _ => '_',
        })
        .collect();
    name.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn a_chip_is_named_by_its_place_and_its_sensors_are_in_base_units() {
        let machine = Machine::new(&[
            ("sys/devices/platform/coretemp.0/hwmon/hwmon3/name", "coretemp\n"),
            ("sys/devices/platform/coretemp.0/hwmon/hwmon3/temp1_input", "55000\n"),
            ("sys/devices/platform/coretemp.0/hwmon/hwmon3/temp1_label", "Package id 0\n"),
            ("sys/devices/platform/coretemp.0/hwmon/hwmon3/temp1_crit_alarm", "1\n"),
            ("sys/devices/platform/coretemp.0/hwmon/hwmon3/fan2_input", "1100\n"),
            ("sys/devices/platform/coretemp.0/hwmon/hwmon3/pwm1", "77\n"),
            ("sys/devices/platform/coretemp.0/hwmon/hwmon3/in0_input", "792\n"),
            ("sys/devices/platform/coretemp.0/hwmon/hwmon3/power1_average", "23000000\n"),
            ("sys/devices/platform/coretemp.0/hwmon/hwmon3/power1_average_interval", "1000\n"),
            ("sys/devices/platform/coretemp.0/hwmon/hwmon3/uevent", "\n"),
            ("sys/class/hwmon/.keep", ""),
        ]);
        let root = machine.0.path().join("sys");
        let chip = root.join("devices/platform/coretemp.0/hwmon/hwmon3");
        std::os::unix::fs::symlink(root.join("devices/platform/coretemp.0"), chip.join("device")).unwrap();
        std::os::unix::fs::symlink(&chip, root.join("class/hwmon/hwmon3")).unwrap();
        expect_test::expect![[r#"
            node_hwmon_chip_names{chip="platform_coretemp_0",chip_name="coretemp"} 1
            node_hwmon_fan_rpm{chip="platform_coretemp_0",sensor="fan2"} 1100
            node_hwmon_in_volts{chip="platform_coretemp_0",sensor="in0"} 0.792
            node_hwmon_power_average_watt{chip="platform_coretemp_0",sensor="power1"} 23
            node_hwmon_pwm{chip="platform_coretemp_0",sensor="pwm1"} 77
            node_hwmon_sensor_label{chip="platform_coretemp_0",sensor="temp1",label="Package id 0"} 1
            node_hwmon_temp_celsius{chip="platform_coretemp_0",sensor="temp1"} 55
            node_hwmon_temp_crit_alarm_celsius{chip="platform_coretemp_0",sensor="temp1"} 1
        "#]]
        .assert_eq(&machine.found_by(collect));
    }

    #[test]
    fn file_names_are_taken_apart() {
        assert_eq!(split("temp12_crit_alarm"), Some(("temp12", "temp", "crit_alarm")));
        assert_eq!(split("pwm1"), Some(("pwm1", "pwm", "")));
        assert_eq!(split("uevent"), None);
        assert_eq!(cleaned(" Foo.Bar-0 "), "foo_bar_0");
    }
}
