//! The units of systemd, asked over D-Bus, under the names of node_exporter's `systemd` collector.
//!
//! Each unit costs systemd, which is process 1 and has other things to do, a handful of small questions at each
//! scrape: so only some units are shown one by one, and this is off unless it is asked for.

mod bus;
mod config;
mod report;
mod wire;

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use self::bus::{Bus, garbled, refused};
pub use self::config::Config;
pub(super) use self::report::{Answers, METRICS, Unit, report};
use self::report::{MANAGER_PROPERTIES, PROPERTIES, Said};
use self::wire::{Call, Listed, NotDBus, Value};
use crate::collector::{Failure, Reason};

/// How long systemd may take: far longer than it does for the most units, and shorter than a short scrape, since all of
/// the host waits. While it reads its units anew, which takes a second on a large machine, it answers nobody.
const LIMIT: Duration = Duration::from_secs(1);

/// The name and the object of systemd, and the interface of every object that has properties.
const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "/org/freedesktop/systemd1";
const PROPERTY_INTERFACE: &str = "org.freedesktop.DBus.Properties";

/// Asks for the state of the system, of all units in sum, and of those that the configuration wants one by one.
pub(super) async fn ask(root: &Path, config: &Config) -> Result<Answers, Failure> {
    let late = |_| Failure::message(Reason::Timeout, format!("no answer from systemd in {LIMIT:?}"));
    timeout(LIMIT, ask_for_as_long_as_it_takes(root, config)).await.map_err(late)?
}

async fn ask_for_as_long_as_it_takes(root: &Path, config: &Config) -> Result<Answers, Failure> {
    let mut bus = Bus::connect(root).await?;
    ask_manager(&mut bus, config).await.map_err(|failure| failure.context("asking systemd"))
}

async fn ask_manager(bus: &mut Bus, config: &Config) -> Result<Answers, Failure> {
    let interface = format!("{SYSTEMD}.Manager");
    let properties = MANAGER_PROPERTIES.map(|property| [interface.as_str(), property]);
    let properties = bus.calls(&properties.each_ref().map(|arguments| property(MANAGER, arguments))).await?;
    let list = Call { destination: SYSTEMD, path: MANAGER, interface: &interface, method: "ListUnits", arguments: &[] };
    let list = bus.call(&list).await?;
    refused(&list)?;
    let listed = list.units().ok_or(NotDBus).map_err(garbled)?;

    let mut answers = Answers::default();
    answers.manager = properties.iter().map(|answer| said(answer.property())).collect();
    for unit in &listed {
        answers.count(unit.active);
    }
    answers.units = ask_units(bus, &shown(listed, config)).await?;
    Ok(answers)
}

/// Asks for what each of these units has of [`PROPERTIES`].
async fn ask_units(bus: &mut Bus, shown: &[Listed<'_>]) -> Result<Vec<Unit>, Failure> {
    let interfaces = PROPERTIES.each_ref().map(|property| format!("{SYSTEMD}.{}", property.interface));
    let arguments: [_; PROPERTIES.len()] =
        std::array::from_fn(|which| [interfaces[which].as_str(), PROPERTIES[which].name]);
    // Which unit and which property each call is about.
    let (mut places, mut calls) = (Vec::new(), Vec::new());
    for (place, unit) in shown.iter().enumerate() {
        for (which, arguments) in arguments.iter().enumerate().filter(|(which, _)| PROPERTIES[*which].is_of(unit.name))
        {
            places.push((place, which));
            calls.push(property(unit.path, arguments));
        }
    }
    let answers = bus.calls(&calls).await?;
    let mut units: Vec<_> = shown.iter().map(|unit| Unit::new(unit.name, unit.active)).collect();
    for ((place, which), answer) in places.into_iter().zip(&answers) {
        // A unit may be gone by now, and older versions do not have every property: then there is none.
        units[place].said[which] = said(answer.property());
    }
    Ok(units)
}

/// The question for a property, whose interface and name are the arguments.
const fn property<'a>(path: &'a str, arguments: &'a [&'a str; 2]) -> Call<'a> {
    Call { destination: SYSTEMD, path, interface: PROPERTY_INTERFACE, method: "Get", arguments }
}

fn said(value: Option<Value<'_>>) -> Option<Said> {
    value.map(|value| match value {
        Value::Text(text) => Said::Text(text.to_owned()),
        Value::Number(number) => Said::Number(number),
    })
}

/// The units that are shown one by one: where there are too many of them those that have failed come first, then those
/// whose names do.
fn shown<'a>(listed: Vec<Listed<'a>>, config: &Config) -> Vec<Listed<'a>> {
    let mut units = listed;
    units.retain(|unit| unit.load == "loaded" && config.wants(unit.name));
    units.sort_unstable_by_key(|unit| (unit.active != "failed", unit.name));
    units.truncate(config.units.0);
    units
}

#[cfg(test)]
mod tests {
    use super::config::Most;
    use super::*;

    #[test]
    fn of_too_many_units_those_that_have_failed_are_shown_first() {
        let unit = |name, load, active| Listed { name, load, active, path: "/" };
        let listed = vec![
            unit("b.service", "loaded", "active"),
            unit("z.timer", "loaded", "failed"),
            unit("a.service", "loaded", "inactive"),
            unit("gone.service", "not-found", "failed"),
            unit("tmp.mount", "loaded", "failed"),
            unit("user@1000.service", "loaded", "active"),
        ];
        let names = |config: &Config| shown(listed.clone(), config).iter().map(|unit| unit.name).collect::<Vec<_>>();
        let config = Config::default();
        assert_eq!(names(&config), ["z.timer", "a.service", "b.service"]);
        assert_eq!(names(&Config { units: Most(2), ..config }), ["z.timer", "a.service"]);
    }
}
