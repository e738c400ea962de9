//! What every panel says of itself: its name, what it is for, its unit, and what it shows when there is nothing.

use super::super::findings::Findings;
use super::super::model::{Panel, list, text};
use super::super::quantity;

/// Panels that are a part of Grafana itself, and of which the schema says everything.
const KINDS: [&str; 10] = [
    "timeseries",
    "stat",
    "gauge",
    "bargauge",
    "table",
    "state-timeline",
    "status-history",
    "barchart",
    "heatmap",
    "text",
];

/// As much of a title as a phone shows.
const TITLE: usize = 38;

/// The shortest that says what it is, what is good and what to do.
const DESCRIPTION: usize = 60;

/// Panels whose colour is all that some see.
const COLOURED: [&str; 3] = ["stat", "gauge", "bargauge"];

/// Colours that mean something, and none but these.
const COLOURS: [&str; 6] = ["green", "orange", "red", "blue", "text", "transparent"];

pub(super) fn check(findings: &mut Findings<'_>, panel: Panel<'_>) {
    let (kind, title) = (panel.kind(), panel.title());
    findings.expect(KINDS.contains(&kind), "panel-type", format!("there are no panels of the type {kind} here"));
    let length = title.chars().count();
    findings.expect(length > 0, "panel-title-description-rule", "it has no title");
    findings.expect(
        length <= TITLE,
        "panel-title-description-rule",
        format!("of its {length} letters a phone shows {TITLE}"),
    );
    if kind == "text" {
        return;
    }
    description(findings, text(panel.json, "description"));
    findings.expect(!panel.targets().is_empty(), "panel-no-targets-rule", "it asks nothing");
    units(findings, panel);
    let no_value = text(panel.defaults(), "noValue");
    findings.expect(!no_value.is_empty(), "no-value", "what it shows without data is not said");
    thresholds(findings, panel);
    for step in panel.transformations() {
        let id = text(step, "id");
        let config = id == "configFromData";
        findings.expect(!config, "transformations", "thresholds from a query are red, one and for all: draw a line");
    }
}

/// What it is, what is good and what to do are sentences of their own.
fn description(findings: &mut Findings<'_>, description: &str) {
    let rule = "panel-title-description-rule";
    if description.is_empty() {
        findings.say(rule, "it has no description");
        return;
    }
    let ends = description.matches(['.', '?', ':']).count();
    let whole = description.trim_end().ends_with('.');
    let says = description.chars().count() >= DESCRIPTION && ends >= 2 && whole;
    findings.expect(says, rule, format!("what it is, what is good and what to do cannot all be in \"{description}\""));
}

fn units(findings: &mut Findings<'_>, panel: Panel<'_>) {
    let unit = panel.unit();
    let of_columns = panel.properties("unit");
    for unit in of_columns.iter().map(|property| text(property, "value")).chain([unit]).filter(|unit| !unit.is_empty())
    {
        findings.expect(
            quantity::is_known(unit),
            "panel-units-rule",
            format!("`{unit}` is no unit that panels here have"),
        );
    }
    let mapped = !list(panel.defaults(), "mappings").is_empty();
    let said = !unit.is_empty() || mapped || (panel.kind() == "table" && !of_columns.is_empty());
    findings.expect(said, "panel-units-rule", "it has neither a unit nor words for its values");
}

fn thresholds(findings: &mut Findings<'_>, panel: Panel<'_>) {
    let steps = list(&panel.defaults()["thresholds"], "steps");
    if COLOURED.contains(&panel.kind()) {
        let mode = text(&panel.defaults()["color"], "mode");
        findings.expect(mode == "thresholds", "thresholds", format!("its colour follows `{mode}`, not its thresholds"));
        findings.expect(!steps.is_empty(), "thresholds", "it has none");
    }
    let first = steps.first().is_none_or(|step| step["value"].is_null());
    findings.expect(first, "thresholds", "what is below the first step has no colour (`value: null`)");
    let rising = panel.steps().windows(2).all(|pair| pair[0] < pair[1]) || !panel.properties("thresholds").is_empty();
    findings.expect(rising, "thresholds", "they do not rise");
    for step in steps {
        colour(findings, text(step, "color"));
    }
    for property in panel.properties("thresholds") {
        for step in list(&property["value"], "steps") {
            colour(findings, text(step, "color"));
        }
    }
}

fn colour(findings: &mut Findings<'_>, colour: &str) {
    let known = COLOURS.iter().any(|known| colour == *known || colour.ends_with(&format!("-{known}")));
    findings.expect(known, "colour", format!("{colour} is none of {}", COLOURS.join(", ")));
}
