//! The variables of a dashboard: the same everywhere, and each with a use.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::findings::Findings;
use super::super::model::{Dashboard, Variable, text};
use super::super::query;
use super::{Context, queries};

/// What dashboards begin with, in this order, and how it is labelled. Only the first two are everywhere: a promise is the
/// shop's, and not an instance's.
const FIRST: [(&str, &str, &str); 4] = [
    ("template-datasource-rule", "datasource", "Data source"),
    ("template-shop-rule", "shop", "Shop"),
    ("template-job-rule", "job", "Job"),
    ("template-instance-rule", "instance", "Instance"),
];
const EVERYWHERE: usize = 2;

/// Those that nobody chooses: addresses, for links.
const ADDRESSES: [&str; 2] = ["runbooks", "alerts"];

/// How many fit on a phone.
const VISIBLE: usize = 3;

/// Where every query goes.
pub(super) fn is_ours(datasource: &Value) -> bool {
    *datasource == json!({"type": "prometheus", "uid": "${datasource}"})
}

pub(super) fn check(context: &Context, findings: &mut Findings<'_>, dashboard: &Dashboard) {
    let variables = dashboard.variables();
    let mut names = variables.iter().map(|variable| variable.name()).peekable();
    for (index, (rule, name, label)) in FIRST.into_iter().enumerate() {
        if names.next_if_eq(&name).is_some() {
            let found =
                variables.iter().find(|variable| variable.name() == name).map(|variable| text(variable.json, "label"));
            let message = format!("`{name}` is labelled {found:?}, not \"{label}\"");
            findings.expect(found == Some(label), rule, message);
        } else {
            let elsewhere = variables.iter().any(|variable| variable.name() == name);
            let message = format!("`{name}` is missing, or not where it is on other dashboards");
            findings.expect(!elsewhere && index >= EVERYWHERE, rule, message);
        }
    }
    for variable in &variables {
        match variable.kind() {
            "datasource" => datasource(findings, *variable),
            "query" => asked(context, findings, *variable),
            other => findings.say("template", format!("`{}` is a variable of the type {other}", variable.name())),
        }
        findings.expect(
            !text(variable.json, "label").is_empty(),
            "template",
            format!("`{}` has no label", variable.name()),
        );
    }
    let visible = variables.iter().filter(|variable| variable.json["hide"] != 2).count();
    findings.expect(
        visible <= VISIBLE,
        "template",
        format!("{visible} variables are visible, and {VISIBLE} fit on a phone"),
    );
    uses(findings, dashboard);
}

fn datasource(findings: &mut Findings<'_>, variable: Variable<'_>) {
    let rule = "template-datasource-rule";
    findings.expect(variable.query() == "prometheus", rule, "it is not for data sources of Prometheus");
    findings.expect(text(variable.json, "regex").is_empty(), rule, "it leaves out some by a pattern");
    let one = variable.json["multi"] != true && variable.json["includeAll"] != true;
    findings.expect(one, rule, "several can be chosen at once");
}

fn asked(context: &Context, findings: &mut Findings<'_>, variable: Variable<'_>) {
    let (name, json) = (variable.name(), variable.json);
    let address = ADDRESSES.contains(&name);
    let rule = FIRST.iter().find(|(_, known, _)| *known == name).map_or("template", |(rule, ..)| rule);
    let members = [("multi", json!(true)), ("includeAll", json!(true)), ("allValue", json!(".+")), ("sort", json!(1))];
    for (member, value) in members.into_iter().filter(|_| !address) {
        findings.expect(json[member] == value, rule, format!("`{name}` has not `{member}: {value}`"));
    }
    let hidden = !address || (json["hide"] == 2 && json["multi"] != true && json["includeAll"] != true);
    findings.expect(hidden, rule, format!("`{name}` is an address: one, and hidden (`hide: 2`)"));
    findings.expect(
        json["refresh"] == 2,
        "template-on-time-change-reload-rule",
        format!("`{name}` is not asked again when the time changes (`refresh: 2`)"),
    );
    findings.expect(
        is_ours(&json["datasource"]),
        "panel-datasource-rule",
        format!("`{name}` does not ask ${{datasource}}"),
    );
    findings.expect(json.get("current").is_none(), rule, format!("`{name}` was saved with a choice: `make bless`"));
    let Some((selector, label)) = variable.label_values() else {
        findings.say("template-label-promql-rule", format!("`{name}` does not ask label_values(selector, label)"));
        return;
    };
    let own = name == label || address;
    findings.expect(own, rule, format!("`{name}` holds the values of `{label}`"));
    if json.get("definition").is_some() {
        findings.expect(
            text(json, "definition") == variable.query(),
            rule,
            format!("`{name}`: what is shown of it differs"),
        );
    }
    // Prometheus is asked for series, which may be counters.
    match query::parse(&format!("count by ({label}) ({selector})")) {
        Ok(expression) => {
            for complaint in expression.check(&context.catalogue) {
                findings.say("template-label-promql-rule", format!("`{name}`: {complaint}"));
            }
        }
        Err(error) => findings.say("template-label-promql-rule", format!("`{name}`: {error}")),
    }
}

/// A variable that nothing uses does nothing when it is changed; one that is not there stays in the query as it is.
fn uses(findings: &mut Findings<'_>, dashboard: &Dashboard) {
    let mut texts = Vec::new();
    for member in ["panels", "annotations", "templating", "links", "title"] {
        strings(&dashboard.json[member], &mut texts);
    }
    let used: BTreeSet<&str> = texts.into_iter().flat_map(query::variables).collect();
    let known: BTreeSet<&str> = dashboard.variables().into_iter().map(Variable::name).collect();
    for name in known.difference(&used) {
        findings.say("template", format!("nothing uses `{name}`"));
    }
    for name in used.difference(&known).filter(|name| !name.starts_with("__")) {
        findings.say("template", format!("there is no variable `{name}`"));
    }
    queries::repeats(findings, dashboard, &known);
}

fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(members) => members.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}
