//! Alerts that fired when vitrin died go on firing: the rule that holds them, and every alert's part in it.

use promql_parser::parser::{Expr, LabelModifier};

use super::catalogue::{Catalogue, IDENTITY};
use super::expression::{Expression, parts, pinned, selectors};
use super::files::{Bundle, Group, Rule, rules_file};

/// What holds alerts.
pub(super) const HELD: &str = "alert:held";

/// Everything that is wrong with how a bundle holds its alerts.
pub(super) fn complaints(bundle: &Bundle) -> Vec<String> {
    let catalogue = Catalogue::of(bundle);
    let mut complaints = Vec::new();
    for (file, rules) in &bundle.rules {
        let mut holding = false;
        for group in &rules.groups {
            let holds = group.rules.iter().any(|rule| !rule.alert.is_empty() && uses(&rule.expr));
            holding |= holds;
            if holds {
                complaints.extend(rule_of(file, group).map(|what| format!("{}: {what}", rules_file(file))));
            }
        }
        let has_rule = rules.groups.iter().flat_map(|group| &group.rules).any(|rule| rule.record == HELD);
        if has_rule && !holding {
            complaints.push(format!("{}: {HELD} is recorded, and no alert uses it", rules_file(file)));
        }
    }
    complaints.extend(one_form(bundle));
    for (file, rule) in bundle.alerts() {
        let Ok(expression) = Expression::parse(&rule.expr) else { continue };
        let main = without(&expression);
        let made_of_ours = catalogue.is_from_exported(&main);
        let what = match (latch(expression.tree()), made_of_ours) {
            (Err(what), _) => Some(what),
            (Ok(None), true) => Some(format!(
                "when vitrin dies, it would be over: end its expression with `{}`",
                wanted(&catalogue, &main, file, &rule.alert)
            )),
            (Ok(Some(_)), false) => {
                Some("it does not depend on vitrin's series, and so needs nothing that holds it".to_owned())
            }
            (Ok(None), false) => None,
            (Ok(Some(text)), true) => {
                let wanted = wanted(&catalogue, &main, file, &rule.alert);
                (normal(&text) != normal(&wanted)).then(|| format!("it is held by `{text}`, not by `{wanted}`"))
            }
        };
        complaints.extend(what.map(|what| format!("{}: {}: {what}", rules_file(file), rule.alert)));
    }
    complaints
}

/// Who holds alerts otherwise than the first file does.
fn one_form(bundle: &Bundle) -> Vec<String> {
    let rules = bundle.every_rule().filter(|(_, rule)| rule.record == HELD);
    let form = |(file, rule): (&str, &Rule)| {
        let text = rule.expr.replace(&format!("component=\"{file}\""), "component=\"\"");
        // What is parsed is the same however it is laid out.
        (file.to_owned(), Expression::parse(&text).map_or(text, |expression| expression.tree().to_string()))
    };
    let forms: Vec<_> = rules.map(form).collect();
    let Some(((first, form), others)) = forms.split_first() else { return Vec::new() };
    let different = others.iter().filter(|(_, other)| other != form);
    different
        .map(|(file, _)| format!("{}: {HELD} is another than in {}", rules_file(file), rules_file(first)))
        .collect()
}

/// What is wrong with the rule that holds the alerts of this group.
fn rule_of(file: &str, group: &Group) -> Option<String> {
    let Some(rule) = group.rules.iter().find(|rule| rule.record == HELD) else {
        return Some(format!("the group {} has alerts that are held, and no rule that records {HELD}", group.name));
    };
    let first = group.rules.first().is_some_and(|rule| rule.record == HELD);
    // Both are parsed, so that only the meaning counts; what does not parse is said elsewhere.
    let Ok(expression) = Expression::parse(&rule.expr) else { return None };
    if !first {
        Some(format!(
            "{HELD} is not the first rule of the group {}: an alert before it would forget itself",
            group.name
        ))
    } else if let Some(names) = grouped(expression.tree()).into_iter().find(|names| *names != identity()) {
        Some(format!("{HELD} is grouped by {names:?} and not by {:?}", identity()))
    } else if let Some(part) = parts_of(file).into_iter().find(|part| !normal(&rule.expr).contains(part)) {
        Some(format!("{HELD} has not `{part}` in\n{}", rule.expr))
    } else if rule.labels.len() != 1 || rule.label("component") != file {
        Some(format!("{HELD} has the labels {:?}, not {{component: {file}}}", rule.labels))
    } else {
        None
    }
}

/// What tells alerts from each other.
fn identity() -> Vec<&'static str> {
    ["alertname"].into_iter().chain(IDENTITY).collect()
}

/// What each part of a tree is grouped by.
fn grouped(tree: &Expr) -> Vec<Vec<&str>> {
    let own = match tree {
        Expr::Aggregate(aggregate) => {
            aggregate.modifier.as_ref().map(|by| by.labels().labels.iter().map(String::as_str).collect())
        }
        _ => None,
    };
    own.into_iter().chain(parts(tree).into_iter().flat_map(grouped)).collect()
}

/// What the rule of a topic must hold: alerts of an instance go by their instance, others by their shop.
fn parts_of(topic: &str) -> [String; 4] {
    let firing = format!("(ALERTS{{alertstate=\"firing\", esc2=\"\", component=\"{topic}\", instance");
    [
        format!("{firing}!=\"\"}})"),
        format!("{firing}=\"\"}})"),
        "and on (shop, instance)".to_owned(),
        "and on (shop) ".to_owned(),
    ]
}

/// How an alert is held: on all the labels that its expression leaves.
fn wanted(catalogue: &Catalogue, main: &Expression, file: &str, alert: &str) -> String {
    let labels = main.labels(catalogue);
    let on: Vec<&str> = IDENTITY.into_iter().filter(|name| labels.has(name)).collect();
    format!("or on ({}) {HELD}{{alertname=\"{alert}\", component=\"{file}\"}}", on.join(", "))
}

/// An expression without the part that holds it.
pub(super) fn without(expression: &Expression) -> Expression {
    match expression.tree() {
        Expr::Binary(binary) if binary.op.to_string() == "or" && uses_in(&binary.rhs) => {
            Expression::of((*binary.lhs).clone())
        }
        tree => Expression::of(tree.clone()),
    }
}

/// The part that holds an alert; fails when it stands elsewhere than at the end.
fn latch(tree: &Expr) -> Result<Option<String>, String> {
    let times = count(tree);
    match tree {
        _ if times == 0 => Ok(None),
        Expr::Binary(binary) if binary.op.to_string() == "or" && times == 1 && uses_in(&binary.rhs) => {
            let on = match binary.modifier.as_ref().and_then(|modifier| modifier.matching.as_ref()) {
                Some(LabelModifier::Include(names)) => {
                    let at = |name: &String| IDENTITY.iter().position(|known| known == name);
                    let mut names = names.labels.clone();
                    names.sort_by_key(at);
                    names.join(", ")
                }
                _ => return Err(format!("`or {HELD}` says no `on (...)`")),
            };
            let Expr::VectorSelector(selector) = &*binary.rhs else {
                return Err(format!("something is done to {HELD}"));
            };
            let pin = |label| pinned(selector, label).unwrap_or_default();
            Ok(Some(format!(
                "or on ({on}) {HELD}{{alertname=\"{}\", component=\"{}\"}}",
                pin("alertname"),
                pin("component")
            )))
        }
        _ => Err(format!("{HELD} must stand once, at the end, after an `or`")),
    }
}

fn uses(expression: &str) -> bool {
    Expression::parse(expression).is_ok_and(|expression| uses_in(expression.tree()))
}

fn uses_in(tree: &Expr) -> bool {
    count(tree) > 0
}

fn count(tree: &Expr) -> usize {
    let mut times = 0;
    selectors(tree, &mut |selector| times += usize::from(selector.name.as_deref() == Some(HELD)));
    times
}

fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
