//! Whether the checks bite: every panel that we ship is spoiled in every way that has ever broken a dashboard, one way
//! at a time, on a copy; each must be noticed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

use promql_parser::label::MatchOp;
use regex::Regex;
use serde_json::{Value, json};

use super::findings::Finding;
use super::lint::{self, Context};
use super::model::{Dashboard, Panel, Target};
use super::query;
use crate::bundle::expression::selectors;
use crate::bundle::files::SHIPPED;

/// What is written behind a name so that nobody has it.
const WRONG: &str = "_x";

/// A label of an aggregation, of `on` or of `group_left`.
static GROUPING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)").expect("a constant")
});

/// A unit of another quantity, which Grafana knows, too.
fn other_unit(unit: &str) -> &'static str {
    if unit == "bytes" { "s" } else { "bytes" }
}

/// What was done to a panel, and the panel then.
type Mutant = (String, Value);

fn with(panel: Panel<'_>, pointer: &str, value: Value) -> Value {
    let mut json = panel.json.clone();
    *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{}: {pointer}", panel.title())) = value;
    json
}

fn without(panel: Panel<'_>, holder: &str, name: &str) -> Value {
    let mut json = panel.json.clone();
    json.pointer_mut(holder).and_then(Value::as_object_mut).map(|members| members.remove(name));
    json
}

/// Every way to spoil one panel.
fn mutants(context: &Context, panel: Panel<'_>) -> Vec<Mutant> {
    let mut all = vec![("it has no title".to_owned(), without(panel, "", "title"))];
    if panel.kind() == "text" {
        return all;
    }
    all.push(("it has no description".to_owned(), without(panel, "", "description")));
    all.push((
        "nothing says what it shows without data".to_owned(),
        without(panel, "/fieldConfig/defaults", "noValue"),
    ));
    all.push(("it asks nothing".to_owned(), with(panel, "/targets", json!([]))));
    if !panel.unit().is_empty() {
        let unit = "/fieldConfig/defaults/unit";
        all.push(("its unit is misspelt".to_owned(), with(panel, unit, json!(panel.unit().to_owned() + WRONG))));
    }
    for (index, target) in panel.targets().into_iter().enumerate() {
        all.extend(of_target(context, panel, index, target));
    }
    for (index, of) in panel.overrides().iter().enumerate() {
        for (which, property) in super::model::list(of, "properties").iter().enumerate() {
            if property["id"] == "unit" {
                let pointer = format!("/fieldConfig/overrides/{index}/properties/{which}/value");
                let unit = property["value"].as_str().unwrap_or_default().to_owned() + WRONG;
                all.push((format!("the unit of its override {index} is misspelt"), with(panel, &pointer, json!(unit))));
            }
        }
    }
    all
}

fn of_target(context: &Context, panel: Panel<'_>, index: usize, target: Target<'_>) -> Vec<Mutant> {
    let (mut all, id, expr) = (Vec::new(), target.ref_id(), target.expr());
    let pointer = |member: &str| format!("/targets/{index}/{member}");
    let mut changed = |what: String, expr: String| all.push((what, with(panel, &pointer("expr"), json!(expr))));
    let expression = query::parse(expr).unwrap_or_else(|error| panic!("{}: {id}: {error}", panel.title()));
    let (mut names, mut labels) = (BTreeSet::new(), BTreeSet::new());
    selectors(expression.tree(), &mut |selector| {
        names.extend(selector.name.clone());
        // That a label is not there or not this is true of one that no series has; only where it is asked for, it counts.
        let asked = selector.matchers.matchers.iter().filter(|matcher| !matches!(matcher.op, MatchOp::NotRe(_)));
        labels.extend(asked.map(|matcher| matcher.name.clone()));
    });
    for name in &names {
        changed(format!("{id}: {name} is renamed"), word(expr, name, &format!("{name}{WRONG}")));
    }
    for label in &labels {
        let matcher = Regex::new(&format!(r"\b{label}(\s*(?:=|!=|=~)\s*[\x22'`])")).expect("a label is no pattern");
        let expr = matcher.replacen(expr, 1, format!("{label}{WRONG}$1")).into_owned();
        changed(format!("{id}: the label {label} is renamed where it is matched"), expr);
    }
    for found in GROUPING.captures_iter(expr) {
        let group = found.get(1).expect("in the pattern");
        for label in group.as_str().split(',').map(str::trim).filter(|label| !label.is_empty()) {
            let renamed = word(group.as_str(), label, &format!("{label}{WRONG}"));
            let expr = format!("{}{renamed}{}", &expr[..group.start()], &expr[group.end()..]);
            changed(format!("{id}: the label {label} is renamed in `{}`", &found[0]), expr);
        }
    }
    if expr.contains("$__rate_interval") {
        changed(format!("{id}: the window of a rate is a number"), expr.replacen("$__rate_interval", "5m", 1));
    }
    for esc in [", esc2=\"\"", "esc2=\"\", ", "esc2=\"\""].into_iter().filter(|esc| expr.contains(esc)).take(1) {
        changed(format!("{id}: alerts are counted with their copies"), expr.replacen(esc, "", 1));
    }
    let unit = panel.unit_of(target).unwrap_or_default();
    let own = panel.unit() == unit && !unit.is_empty();
    if own && context.quantities.complaint(&expression, other_unit(unit)).is_some() && panel.kind() != "heatmap" {
        let defaults = "/fieldConfig/defaults/unit";
        all.push((
            format!("{id}: it is shown in {}", other_unit(unit)),
            with(panel, defaults, json!(other_unit(unit))),
        ));
    }
    for label in target.legend_labels() {
        let legend = target.legend().replace(&format!("{{{{{label}}}}}"), &format!("{{{{{label}{WRONG}}}}}"));
        all.push((
            format!("{id}: its legend shows {label}{WRONG}"),
            with(panel, &pointer("legendFormat"), json!(legend)),
        ));
    }
    all.push((format!("{id}: it asks whatever is the default"), with(panel, &pointer("datasource"), Value::Null)));
    all
}

/// The text with one word, the first, replaced; names have colons in them.
fn word(text: &str, word: &str, by: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
    let found = text.match_indices(word).find(|(at, _)| {
        let (before, after) = (&text[..*at], &text[at + word.len()..]);
        !before.ends_with(part) && !after.starts_with(part)
    });
    let (at, _) = found.unwrap_or_else(|| panic!("no {word} in {text}"));
    format!("{}{by}{}", &text[..at], &text[at + word.len()..])
}

/// What is found in a panel, by rule, and how often.
fn found(context: &Context, dashboard: &Dashboard, json: &Value) -> Vec<Finding> {
    lint::of_panel(context, dashboard, Panel { json, folded: false })
}

#[test]
fn every_panel_that_is_spoiled_is_noticed() {
    let dashboards = Dashboard::all(Path::new(SHIPPED));
    let context = Context::of(Path::new(SHIPPED), &dashboards);
    let (begun, mut tried, mut unnoticed) = (Instant::now(), 0, Vec::new());
    for dashboard in &dashboards {
        for panel in dashboard.shown() {
            let before = found(&context, dashboard, panel.json);
            for (what, json) in mutants(&context, panel) {
                tried += 1;
                if json == *panel.json || found(&context, dashboard, &json).len() <= before.len() {
                    unnoticed.push(format!(
                        "{}: panel \"{}\": nobody notices when {what}",
                        dashboard.file,
                        panel.title()
                    ));
                }
            }
        }
        // What belongs to the dashboard as a whole, taken away one by one.
        let before = lint::of_frame(&context, dashboard).len();
        for (list, name) in [("/templating/list", "variable"), ("/annotations/list", "annotation"), ("/links", "link")]
        {
            let count = dashboard.json.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
            for index in 0..count {
                let mut spoiled = dashboard.clone();
                let removed = spoiled.json.pointer_mut(list).and_then(Value::as_array_mut).map(|all| all.remove(index));
                let grafanas = removed.is_some_and(|removed| removed["builtIn"] == 1);
                tried += 1;
                if !grafanas && lint::of_frame(&context, &spoiled).len() <= before {
                    unnoticed.push(format!("{}: nobody notices when {name} {index} is not there", dashboard.file));
                }
            }
        }
    }
    crate::bundle::none(&unnoticed);
    assert!(tried > 20 * dashboards.len(), "only {tried} ways to spoil {} dashboards", dashboards.len());
    println!("{tried} ways to spoil {} dashboards, in {:.1} s", dashboards.len(), begun.elapsed().as_secs_f64());
}
