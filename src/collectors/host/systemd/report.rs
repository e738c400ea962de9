//! What systemd says about itself and its units, as samples.

use std::collections::BTreeMap;

use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// 1 for the state that a unit of systemd is in, 0 for each other; `type` is how a service says that it has started.
    UNIT_STATE = Gauge("node_systemd_unit_state", None, ["name", "state", "type"]);
    /// Units of systemd by their state: all of them, also those that are not shown one by one.
    UNITS = Gauge("node_systemd_units", None, ["state"]);
    /// 1 when the system has started and no unit has failed: `systemctl is-system-running` says `running`.
    SYSTEM_RUNNING = Gauge("node_systemd_system_running", None, []);
    /// Version of systemd: its number, and as a label the whole of it.
    VERSION = Gauge("node_systemd_version", None, ["version"]);
    /// Kind of virtual machine or container that systemd finds itself in, `none` on a machine of its own; always 1.
    VIRTUALIZATION = Gauge("node_systemd_virtualization_info", None, ["virtualization_type"]);
    /// When a unit became active, in Unix time; 0 for one that is not.
    START_TIME = Gauge("node_systemd_unit_start_time_seconds", Seconds, ["name"]);
    /// Processes and threads of a service now.
    TASKS = Gauge("node_systemd_unit_tasks_current", None, ["name"]);
    /// Processes and threads that a service may have: `TasksMax=`.
    TASKS_MAX = Gauge("node_systemd_unit_tasks_max", None, ["name"]);
    /// Times that systemd has started a service again after it had ended: `Restart=`.
    RESTARTS = Counter("node_systemd_service_restart_total", None, ["name"]);
    /// When a timer last did its work, in Unix time; 0 when it has not yet.
    LAST_TRIGGER = Gauge("node_systemd_timer_last_trigger_seconds", Seconds, ["name"]);
    /// Connections that a socket unit has accepted.
    ACCEPTED = Counter("node_systemd_socket_accepted_connections_total", None, ["name"]);
    /// Connections of a socket unit that are open now.
    CONNECTIONS = Gauge("node_systemd_socket_current_connections", None, ["name"]);
    /// Connections that a socket unit has refused, for lack of room.
    REFUSED = Counter("node_systemd_socket_refused_connections_total", None, ["name"]);
}

/// What is asked about systemd itself, in this order.
pub(super) const MANAGER_PROPERTIES: [&str; 3] = ["Version", "SystemState", "Virtualization"];

/// Microseconds in a second.
const MICROSECONDS: f64 = 1e6;

/// A property of units of one kind.
pub(super) struct Property {
    /// How the names of such units end; empty for every unit.
    of: &'static str,
    /// The last word of the interface.
    pub(super) interface: &'static str,
    pub(super) name: &'static str,
    becomes: Becomes,
}

enum Becomes {
    /// The label `type`.
    Type,
    /// When the unit became active.
    StartTime,
    /// A metric, of the value divided by this.
    Metric(&'static Metric<1>, f64),
}

impl Property {
    const fn new(of: &'static str, interface: &'static str, name: &'static str, becomes: Becomes) -> Self {
        Self { of, interface, name, becomes }
    }

    /// Whether a unit of this name has it.
    pub(super) fn is_of(&self, unit: &str) -> bool {
        unit.ends_with(self.of)
    }
}

/// What is asked about each unit that is shown: plain numbers and words. All properties at once would be one question,
/// but their answer holds the unit's environment, where secrets are.
pub(super) static PROPERTIES: [Property; 10] = [
    Property::new("", "Unit", "ActiveEnterTimestamp", Becomes::StartTime),
    Property::new(".service", "Service", "Type", Becomes::Type),
    Property::new(".service", "Service", "NRestarts", Becomes::Metric(&RESTARTS, 1.0)),
    Property::new(".service", "Service", "TasksCurrent", Becomes::Metric(&TASKS, 1.0)),
    Property::new(".service", "Service", "TasksMax", Becomes::Metric(&TASKS_MAX, 1.0)),
    Property::new(".mount", "Mount", "Type", Becomes::Type),
    Property::new(".socket", "Socket", "NAccepted", Becomes::Metric(&ACCEPTED, 1.0)),
    Property::new(".socket", "Socket", "NConnections", Becomes::Metric(&CONNECTIONS, 1.0)),
    Property::new(".socket", "Socket", "NRefused", Becomes::Metric(&REFUSED, 1.0)),
    Property::new(".timer", "Timer", "LastTriggerUSec", Becomes::Metric(&LAST_TRIGGER, MICROSECONDS)),
];

/// The states that every unit has a series for.
const STATES: [&str; 5] = ["activating", "active", "deactivating", "failed", "inactive"];

/// The rest of systemd's states, which units are seldom in.
const RARE_STATES: [&str; 3] = ["maintenance", "refreshing", "reloading"];

/// The value of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Text(String),
    Number(u64),
}

/// All that systemd has said.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// In the order of [`MANAGER_PROPERTIES`].
    pub(super) manager: Vec<Option<Said>>,
    pub(super) units: Vec<Unit>,
    states: BTreeMap<&'static str, u32>,
}

impl Answers {
    /// Counts a unit that is in this state.
    pub(super) fn count(&mut self, state: &str) {
        let known = STATES.iter().chain(&RARE_STATES).find(|known| **known == state);
        *self.states.entry(known.copied().unwrap_or("other")).or_default() += 1;
    }
}

/// A unit that is shown.
#[derive(Debug)]
pub(crate) struct Unit {
    name: String,
    state: String,
    /// In the order of [`PROPERTIES`].
    pub(super) said: [Option<Said>; PROPERTIES.len()],
}

impl Unit {
    /// A unit of which nothing more is known yet.
    pub(super) fn new(name: &str, state: &str) -> Self {
        Self { name: name.to_owned(), state: state.to_owned(), said: Default::default() }
    }
}

/// Turns the answers into samples.
pub(crate) fn report(answers: &Answers, out: &mut Snapshot) {
    let text = |place: usize| match answers.manager.get(place) {
        Some(Some(Said::Text(text))) => Some(text.as_str()),
        _ => None,
    };
    if let Some(version) = text(0)
        && let Some(number) = number(version)
    {
        out.push(&VERSION, [version], number);
    }
    if let Some(state) = text(1) {
        out.push(&SYSTEM_RUNNING, [], state == "running");
    }
    if let Some(virtualization) = text(2) {
        out.push(&VIRTUALIZATION, [if virtualization.is_empty() { "none" } else { virtualization }], true);
    }
    for state in STATES {
        out.push(&UNITS, [state], answers.states.get(state).copied().unwrap_or(0));
    }
    for (state, units) in answers.states.iter().filter(|(state, _)| !STATES.contains(state)) {
        out.push(&UNITS, [state], *units);
    }
    for unit in &answers.units {
        report_unit(unit, out);
    }
}

fn report_unit(unit: &Unit, out: &mut Snapshot) {
    let name = unit.name.as_str();
    let mut kind = "";
    for (property, said) in PROPERTIES.iter().zip(&unit.said) {
        match (&property.becomes, said) {
            (Becomes::Type, Some(Said::Text(word))) => kind = word,
            (Becomes::StartTime, Some(Said::Number(microseconds))) => {
                let since = if unit.state == "active" { *microseconds } else { 0 };
                out.push(&START_TIME, [name], as_float(since) / MICROSECONDS);
            }
            // The largest number is "no limit", or "not counted".
            (Becomes::Metric(metric, divisor), Some(Said::Number(number))) if *number != u64::MAX => {
                out.push(metric, [name], as_float(*number) / divisor);
            }
            _ => {}
        }
    }
    for state in STATES {
        out.push(&UNIT_STATE, [name, state, kind], unit.state == state);
    }
}

fn as_float(number: u64) -> f64 {
    crate::snapshot::Number::number(number)
}

/// `252.38-1~deb12u1` is 252.38.
fn number(version: &str) -> Option<f64> {
    let start = version.find(|c: char| c.is_ascii_digit())?;
    let version = &version[start..];
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let major = digits(version);
    let minor = version[major..].strip_prefix('.').map_or(0, digits);
    let end = if minor > 0 { major + 1 + minor } else { major };
    version[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    #[test]
    fn a_unit_has_a_series_for_each_state_and_what_its_kind_has() {
        let said = |answers: &[(&str, &str, Said)]| {
            let mut said: [Option<Said>; PROPERTIES.len()] = Default::default();
            for (interface, name, value) in answers {
                let place = PROPERTIES.iter().position(|p| (p.interface, p.name) == (*interface, *name)).unwrap();
                said[place] = Some(value.clone());
            }
            said
        };
        let mut answers = Answers {
            manager: ["252.38-1~deb12u1", "degraded", ""].map(|text| Some(Said::Text(text.to_owned()))).to_vec(),
            ..Answers::default()
        };
        for state in ["active", "active", "failed", "reloading", "new in systemd 300"] {
            answers.count(state);
        }
        let mut service = Unit::new("nginx.service", "active");
        service.said = said(&[
            ("Unit", "ActiveEnterTimestamp", Said::Number(1_795_391_847_950_297)),
            ("Service", "Type", Said::Text("forking".to_owned())),
            ("Service", "NRestarts", Said::Number(3)),
            ("Service", "TasksCurrent", Said::Number(5)),
            ("Service", "TasksMax", Said::Number(u64::MAX)),
        ]);
        let mut timer = Unit::new("backup.timer", "failed");
        timer.said = said(&[
            ("Unit", "ActiveEnterTimestamp", Said::Number(1)),
            ("Timer", "LastTriggerUSec", Said::Number(1_500_000)),
        ]);
        answers.units = vec![service, timer];
        let mut out = Snapshot::default();
        report(&answers, &mut out);
        expect_test::expect![[r#"
            node_systemd_service_restart_total{name="nginx.service"} 3
            node_systemd_system_running{} 0
            node_systemd_timer_last_trigger_seconds{name="backup.timer"} 1.5
            node_systemd_unit_start_time_seconds{name="backup.timer"} 0
            node_systemd_unit_start_time_seconds{name="nginx.service"} 1795391847.950297
            node_systemd_unit_state{name="backup.timer",state="activating",type=""} 0
            node_systemd_unit_state{name="backup.timer",state="active",type=""} 0
            node_systemd_unit_state{name="backup.timer",state="deactivating",type=""} 0
            node_systemd_unit_state{name="backup.timer",state="failed",type=""} 1
            node_systemd_unit_state{name="backup.timer",state="inactive",type=""} 0
            node_systemd_unit_state{name="nginx.service",state="activating",type="forking"} 0
            node_systemd_unit_state{name="nginx.service",state="active",type="forking"} 1
            node_systemd_unit_state{name="nginx.service",state="deactivating",type="forking"} 0
            node_systemd_unit_state{name="nginx.service",state="failed",type="forking"} 0
            node_systemd_unit_state{name="nginx.service",state="inactive",type="forking"} 0
            node_systemd_unit_tasks_current{name="nginx.service"} 5
            node_systemd_units{state="activating"} 0
            node_systemd_units{state="active"} 2
            node_systemd_units{state="deactivating"} 0
            node_systemd_units{state="failed"} 1
            node_systemd_units{state="inactive"} 0
            node_systemd_units{state="other"} 1
            node_systemd_units{state="reloading"} 1
            node_systemd_version{version="252.38-1~deb12u1"} 252.38
            node_systemd_virtualization_info{virtualization_type="none"} 1
        "#]]
        .assert_eq(&text(out));
    }

    #[test]
    fn a_version_is_its_first_number() {
        for (version, expected) in [
            ("252.38-1~deb12u1", Some(252.38)),
            ("v257", Some(257.0)),
            ("260~rc2-1", Some(260.0)),
            ("239 (239-82.el8)", Some(239.0)),
            ("259.", Some(259.0)),
            ("", None),
        ] {
            assert_eq!(number(version), expected, "{version}");
        }
    }
}
