//! Who tells one alert from another: the escalation, the inhibition and the acknowledge link, all by the same labels.

use std::collections::BTreeSet;
use std::fs;

use promql_parser::parser::{Expr, LabelModifier};
use serde::Deserialize;

use super::catalogue::IDENTITY;
use super::expression::{Expression, parts};
use super::files::{Bundle, Rule, rules_file, texts, yaml};

/// `alertmanager.yml`, as far as we look into it.
#[derive(Debug, Deserialize)]
struct Configuration {
    #[serde(default)]
    inhibit_rules: Vec<Inhibition>,
}

#[derive(Debug, Deserialize)]
struct Inhibition {
    #[serde(default)]
    source_matchers: Vec<String>,
    #[serde(default)]
    equal: Vec<String>,
}

/// Where it stands.
const ALERTMANAGER: &str = "alertmanager/alertmanager.yml";

/// Everything that is wrong with who tells alerts apart.
pub(super) fn complaints(bundle: &Bundle) -> Vec<String> {
    let mut complaints = Vec::new();
    let copies: Vec<_> = bundle.every_rule().filter(|(_, rule)| rule.climbs()).collect();
    if copies.is_empty() {
        complaints.push("prometheus/rules: no alert climbs".to_owned());
    }
    for (file, rule) in copies {
        complaints.extend(copy(rule).into_iter().map(|what| format!("{}: {}: {what}", rules_file(file), rule.alert)));
    }
    complaints.extend(inhibition(bundle).into_iter().map(|what| format!("{ALERTMANAGER}: {what}")));
    complaints.extend(link(bundle));
    complaints
}

fn all() -> BTreeSet<&'static str> {
    IDENTITY.into_iter().chain(["alertname"]).collect()
}

/// What is wrong with a copy that climbs: it is told from others, and finds its original, by every label.
fn copy(rule: &Rule) -> Vec<String> {
    let Ok(expression) = Expression::parse(&rule.expr) else { return Vec::new() };
    let mut wrong = Vec::new();
    let mut matched = Vec::new();
    matches(expression.tree(), &mut matched);
    if matched.is_empty() {
        wrong.push("it is matched with no acknowledgement: `unless on (...) incident_acknowledged`".to_owned());
    }
    for names in matched {
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        wrong.extend(differs(&names).map(|how| format!("`on (...)` {how}")));
    }
    for (annotation, text) in &rule.annotations {
        if text.contains("ALERTS") {
            let missing: Vec<_> = IDENTITY.into_iter().filter(|name| !text.contains(&format!("{name}=%q"))).collect();
            if !missing.is_empty() {
                wrong.push(format!(
                    "its {annotation} asks for another alert's: {} is not asked for",
                    missing.join(", ")
                ));
            }
        }
    }
    wrong
}

/// What each operator of a tree matches on.
fn matches<'a>(tree: &'a Expr, found: &mut Vec<&'a [String]>) {
    if let Expr::Binary(binary) = tree
        && let Some(LabelModifier::Include(names)) = binary.modifier.as_ref().and_then(|it| it.matching.as_ref())
    {
        found.push(&names.labels);
    }
    for part in parts(tree) {
        matches(part, found);
    }
}

fn differs(names: &BTreeSet<&str>) -> Option<String> {
    let all = all();
    let missing: Vec<_> = all.difference(names).copied().collect();
    let foreign: Vec<_> = names.difference(&all).copied().collect();
    (!missing.is_empty() || !foreign.is_empty()).then(|| {
        format!("lacks [{}] and has [{}] that no alert is told apart by", missing.join(", "), foreign.join(", "))
    })
}

/// A cause silences its shop's symptoms; everything else silences the same alert only.
fn inhibition(bundle: &Bundle) -> Vec<String> {
    let path = bundle.root.join(ALERTMANAGER);
    let configuration: Configuration = yaml(&path, &fs::read_to_string(&path).unwrap());
    if configuration.inhibit_rules.is_empty() {
        return vec!["nothing is inhibited".to_owned()];
    }
    let mut wrong = Vec::new();
    for rule in &configuration.inhibit_rules {
        let equal: BTreeSet<&str> = rule.equal.iter().map(String::as_str).collect();
        let by_cause = rule.source_matchers.iter().any(|matcher| matcher.replace(['"', ' '], "") == "cause=true");
        if !equal.contains("shop") {
            wrong.push(format!("{:?} silences other shops: `equal` lacks shop", rule.source_matchers));
        } else if !by_cause {
            // One alert that silences another has another name.
            let by_name = rule.source_matchers.iter().any(|matcher| matcher.starts_with("alertname"));
            let equal = if by_name { equal.into_iter().chain(["alertname"]).collect() } else { equal };
            wrong.extend(differs(&equal).map(|how| format!("`equal` of {:?} {how}", rule.source_matchers)));
        }
    }
    wrong
}

/// The link by which somebody acknowledges names the alert by every label.
fn link(bundle: &Bundle) -> Option<String> {
    let templates: String = texts(&bundle.root.join("alertmanager/templates"), "tmpl").map(|(_, text)| text).collect();
    if !templates.contains("/#/silences/new?filter=") {
        return Some("alertmanager/templates: no link acknowledges".to_owned());
    }
    let by_name =
        |name: &&str| templates.contains(&format!("Labels.{name}")) || templates.contains(&format!("{name}%3D"));
    let missing: Vec<_> = IDENTITY.into_iter().filter(|name| !by_name(name)).collect();
    let pairs = templates.contains(".SortedPairs");
    (!missing.is_empty() && !pairs)
        .then(|| format!("alertmanager/templates: the acknowledge link leaves out {}", missing.join(", ")))
}
