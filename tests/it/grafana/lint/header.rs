//! What stands around a dashboard: its names, its time, and nothing of the Grafana that it was saved from.

use serde_json::{Value, json};

use super::super::canonical::NOT_OURS;
use super::super::findings::Findings;
use super::super::model::{Dashboard, text};

/// The schema's versions that need no migration by Grafana 10.4 and later.
const SCHEMAS: std::ops::RangeInclusive<i64> = 39..=42;

/// What is alike in all of them.
const ALIKE: [(&str, Value); 4] = [
    ("editable", Value::Bool(true)),
    ("liveNow", Value::Bool(false)),
    ("fiscalYearStartMonth", Value::Null),
    ("style", Value::Null),
];

pub(super) fn check(findings: &mut Findings<'_>, dashboard: &Dashboard) {
    let json = &dashboard.json;
    let uid = format!("vitrin-{}", dashboard.name());
    findings.expect(dashboard.uid() == uid, "uid", format!("it is \"{}\", not \"{uid}\" as its file", dashboard.uid()));
    let legal = uid.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c));
    findings.expect(legal && (8..=40).contains(&uid.len()), "uid", "it is not 8 to 40 of a-z, 0-9, - and _");
    findings.expect(!text(json, "title").is_empty(), "title", "it has none");
    findings.expect(text(json, "description").len() > 20, "description", "what the dashboard is for is not said");
    let tags = json!(["vitrin", dashboard.area()]);
    findings.expect(json["tags"] == tags, "tags", format!("they are {}, not {tags}", json["tags"]));
    for name in NOT_OURS {
        findings.expect(json.get(name).is_none(), "export", format!("`{name}` is of another Grafana: `make bless`"));
    }
    findings.expect(!names_member(json, "libraryPanel"), "export", "a library panel is not in the file");
    let schema = json["schemaVersion"].as_i64().unwrap_or_default();
    findings.expect(SCHEMAS.contains(&schema), "schema", format!("its version is {schema}, not within {SCHEMAS:?}"));
    findings.expect(text(json, "timezone") == "browser", "timezone", "it is not the browser's");
    findings.expect(json["graphTooltip"] == 1, "tooltip", "graphs do not share a crosshair (`graphTooltip: 1`)");
    for (name, value) in ALIKE {
        findings.expect(json[name] == value, name, format!("it is {}, not {value}", json[name]));
    }
    let (refresh, from) = if dashboard.area() == "business" { ("5m", "now-30d") } else { ("30s", "now-6h") };
    findings.expect(text(json, "refresh") == refresh, "refresh", format!("it is not every {refresh}"));
    let time = &json["time"];
    findings.expect(
        text(time, "from") == from && text(time, "to") == "now",
        "time",
        format!("it shows {time}, not {from} to now"),
    );
}

/// Whether any object within has a member of this name.
fn names_member(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| key == name || names_member(value, name)),
        Value::Array(values) => values.iter().any(|value| names_member(value, name)),
        _ => false,
    }
}
