//! Hardware watchdogs, which restart a machine that hangs, from `/sys/class/watchdog`.

use super::source::{Hole, Source};
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Why the watchdog's machine has booted, as its driver numbers the reasons.
    BOOT_STATUS = Gauge("node_watchdog_bootstatus", None, ["name"]);
    /// Version of the watchdog's firmware.
    FIRMWARE = Gauge("node_watchdog_fw_version", None, ["name"]);
    /// Whether the watchdog cannot be stopped once it runs.
    NO_WAY_OUT = Gauge("node_watchdog_nowayout", None, ["name"]);
    /// Time left until the watchdog restarts the machine.
    TIME_LEFT = Gauge("node_watchdog_timeleft_seconds", Seconds, ["name"]);
    /// Time without a sign of life after which the watchdog restarts the machine.
    TIMEOUT = Gauge("node_watchdog_timeout_seconds", Seconds, ["name"]);
    /// Time before the restart at which the watchdog warns.
    PRE_TIMEOUT = Gauge("node_watchdog_pretimeout_seconds", Seconds, ["name"]);
    /// Whether the machine has booted from its second flash chip (Aspeed).
    ACCESS_CS0 = Gauge("node_watchdog_access_cs0", None, ["name"]);
    /// Driver, state and options of each watchdog.
    INFO = Gauge(
        "node_watchdog_info", None, ["name", "options", "identity", "state", "status", "pretimeout_governor"]
    );
}

static NUMBERS: [(&str, &Metric<1>); 7] = [
    ("bootstatus", &BOOT_STATUS),
    ("fw_version", &FIRMWARE),
    ("nowayout", &NO_WAY_OUT),
    ("timeleft", &TIME_LEFT),
    ("timeout", &TIMEOUT),
    ("pretimeout", &PRE_TIMEOUT),
    ("access_cs0", &ACCESS_CS0),
];

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let class = source.sys.folder("class/watchdog")?;
    let names = class.names()?;
    if names.is_empty() {
        return Err(Hole::Missing);
    }
    for name in &names {
        let Ok(folder) = class.folder(name) else { continue };
        for (file, metric) in NUMBERS {
            if let Some(number) = folder.number::<f64>(file, &mut source.buffer) {
                out.push(metric, [name], number);
            }
        }
        let [options, identity, state, status, governor] =
            ["options", "identity", "state", "status", "pretimeout_governor"]
                .map(|file| folder.property(file, &mut source.buffer).unwrap_or_default().to_owned());
        out.push(&INFO, [name, &options, &identity, &state, &status, &governor], true);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn a_watchdog_that_runs() {
        let machine = Machine::new(&[
            ("sys/class/watchdog/watchdog0/identity", "iTCO_wdt\n"),
            ("sys/class/watchdog/watchdog0/state", "active\n"),
            ("sys/class/watchdog/watchdog0/timeout", "60\n"),
            ("sys/class/watchdog/watchdog0/nowayout", "0\n"),
        ]);
        expect_test::expect![[r#"
            node_watchdog_info{name="watchdog0",options="",identity="iTCO_wdt",state="active",status="",pretimeout_governor=""} 1
            node_watchdog_nowayout{name="watchdog0"} 0
            node_watchdog_timeout_seconds{name="watchdog0"} 60
        "#]].assert_eq(&machine.found_by(collect));
    }
}
