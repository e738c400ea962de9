//! Whether the tests of the rules bite: each alert is spoiled in several ways, and some case must fail each time.
//!
//! promtool evaluates every rule of every file at every step of every case. So each alert is looked at alone, with the
//! rules that it is made of, and all ways to spoil it stand beside it as alerts of their own: one short run for each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use promql_parser::parser::{self, Expr};
use serde_json::{Value, json};

use super::alerts::WATCHDOG;
use super::expression::{Expression, pinned, selectors};
use super::files::{Bundle, Rule, Rules, tests_file, yaml};
use super::latch::{self, HELD};
use super::thresholds::THRESHOLD;
use super::tools::promtool_tests;
use crate::support::daemon::folder;

/// What spoiled alerts are called: their own name, this and a number.
const MARK: &str = "Spoiled";

/// That it is over when vitrin dies.
const UNHELD: &str = "nothing holds it";

/// How many of an alert's comparisons are turned round, one at a time.
const COMPARISONS: usize = 8;

/// Every way to spoil an alert of the bundle that no test notices.
pub(super) fn complaints(bundle: &Bundle) -> Vec<String> {
    let mut files = BTreeMap::new();
    for name in bundle.tests.keys() {
        let path = bundle.root.join(tests_file(name));
        files.insert(name.as_str(), yaml::<Value>(&path, &fs::read_to_string(&path).unwrap()));
    }
    // The watchdog compares nothing.
    let alerts = bundle.alerts().filter(|(file, rule)| files.contains_key(file) && rule.alert != WATCHDOG);
    let alerts: Vec<_> = alerts.collect();
    let left = Mutex::new(alerts.into_iter());
    let complaints = Mutex::new(Vec::new());
    let released = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap().next();
                    let Some((file, rule)) = next else { return };
                    let (found, held) = of_alert(bundle, &files[file], file, rule);
                    released.lock().unwrap().extend(held.then(|| file.to_owned()));
                    complaints.lock().unwrap().extend(found);
                }
            });
        }
    });
    let mut complaints = complaints.into_inner().unwrap();
    complaints.extend(unheld_files(bundle, &released.into_inner().unwrap()));
    complaints.sort();
    complaints
}

/// Files of which no case notices when alerts are not held. One case is enough: `latch` sees to it that all are alike.
fn unheld_files(bundle: &Bundle, noticed: &BTreeSet<String>) -> Vec<String> {
    let holding =
        bundle.rules.keys().filter(|file| bundle.every_rule().any(|(of, rule)| of == *file && rule.record == HELD));
    let silent = holding.filter(|file| bundle.tests.contains_key(*file) && !noticed.contains(*file));
    silent
        .map(|file| format!("{}: no case notices that nothing holds alerts when vitrin dies", tests_file(file)))
        .collect()
}

/// What is spoiled in an alert, and the alert then.
fn mutants(rule: &Rule) -> Vec<(String, Rule)> {
    let mut mutants = Vec::new();
    if !rule.waits.is_empty() {
        mutants.push(("it does not wait".to_owned(), Rule { waits: String::new(), ..rule.clone() }));
    }
    for turn in 0..COMPARISONS {
        let mut text = String::new();
        if let Some(other) = in_main(rule, |tree| nth(tree, turn, &mut |part| turned(part, &mut text))) {
            mutants.push((format!("`{text}` is turned round"), other));
        }
    }
    for (what, by) in [("its threshold is doubled", "* 2"), ("its threshold is halved", "/ 2")] {
        let other = in_main(rule, |tree| nth(tree, 0, &mut |part| scaled(part, by)));
        mutants.extend(other.map(|other| (what.to_owned(), other)));
    }
    mutants.extend(unheld(rule).map(|other| (UNHELD.to_owned(), other)));
    mutants
        .into_iter()
        .enumerate()
        .map(|(index, (what, other))| (what, Rule { alert: format!("{}{MARK}{index}", rule.alert), ..other }))
        .collect()
}

/// Every way to spoil this alert that no case of its file notices; and whether one does that nothing holds it.
fn of_alert(bundle: &Bundle, tests: &Value, file: &str, rule: &Rule) -> (Vec<String>, bool) {
    let mutants = mutants(rule);
    let folder = folder();
    let mut names = Vec::new();
    for loaded in &bundle.tests[file].rule_files {
        let stem = Path::new(loaded).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let Some(rules) = bundle.rules.get(stem) else { continue };
        let rules = needed(bundle, rules, rule, &mutants);
        fs::write(folder.path().join(stem), serde_json::to_vec(&rules).unwrap()).unwrap();
        names.push(stem);
    }
    let cases: Vec<Value> =
        array(&tests["tests"]).iter().filter_map(|case| spoiled_case(case, rule, &mutants)).collect();
    let mut spoiled = json!({"rule_files": names, "tests": cases});
    for key in ["evaluation_interval", "group_eval_order"] {
        if !tests[key].is_null() {
            spoiled[key] = tests[key].clone();
        }
    }
    let path = folder.path().join("tests");
    fs::write(&path, serde_json::to_vec(&spoiled).unwrap()).unwrap();
    let (good, words) = promtool_tests(&path);
    let noticed = failed(&words);
    let of_file = |what: String| format!("{}: {what}", tests_file(file));
    if good || noticed.is_empty() || noticed.contains(rule.alert.as_str()) {
        let what =
            if good { "notices nothing at all".to_owned() } else { format!("cannot be looked at alone:\n{words}") };
        return (vec![of_file(format!("{} {what}", rule.alert))], false);
    }
    let (mut complaints, mut held) = (Vec::new(), false);
    for (what, mutant) in &mutants {
        if what == UNHELD {
            held = noticed.contains(mutant.alert.as_str());
        } else if !noticed.contains(mutant.alert.as_str()) {
            complaints.push(of_file(format!("{}: no case notices that {what}", rule.alert)));
        }
    }
    (complaints, held)
}

/// The rules that an alert is made of, with the alert and what it may be spoiled to.
fn needed(bundle: &Bundle, rules: &Rules, rule: &Rule, mutants: &[(String, Rule)]) -> Rules {
    let names = made_of(bundle, rule);
    let mut rules = rules.clone();
    for group in &mut rules.groups {
        let mut kept = Vec::new();
        for other in group.rules.drain(..) {
            let ours = other.alert == rule.alert;
            let threshold = other.record == THRESHOLD && !names.contains(other.label("alert"));
            let held = other.record == HELD && other.label("component") != rule.label("component");
            if ours || (names.contains(other.name()) && !threshold && !held) {
                kept.push(other);
            }
            if ours {
                kept.extend(mutants.iter().map(|(_, mutant)| mutant.clone()));
            }
        }
        group.rules = kept;
    }
    rules.groups.retain(|group| !group.rules.is_empty());
    rules
}

/// The names of all series and alerts that an alert and its texts are made of, directly or not; its own, too.
fn made_of(bundle: &Bundle, rule: &Rule) -> BTreeSet<String> {
    let mut names = BTreeSet::from([rule.alert.clone()]);
    let texts: String = rule.annotations.values().map(String::as_str).collect();
    for (_, other) in bundle.every_rule().filter(|(_, other)| !other.record.is_empty()) {
        if texts.contains(&other.record) {
            names.insert(other.record.clone());
        }
    }
    let mut left = vec![rule.expr.clone()];
    left.extend(
        bundle.every_rule().filter(|(_, other)| names.contains(&other.record)).map(|(_, other)| other.expr.clone()),
    );
    while let Some(text) = left.pop() {
        let Ok(expression) = Expression::parse(&text) else { continue };
        let mut used: BTreeSet<&str> = expression.selected();
        // An alert may say nothing while another one fires.
        selectors(expression.tree(), &mut |selector| used.extend(pinned(selector, "alertname")));
        for name in used {
            if names.insert(name.to_owned()) {
                let made_by = bundle.every_rule().filter(|(_, other)| other.name() == name);
                left.extend(made_by.map(|(_, other)| other.expr.clone()));
            }
        }
    }
    names
}

/// A case with the looks at this alert only, and the same looks at what it is spoiled to.
fn spoiled_case(case: &Value, rule: &Rule, mutants: &[(String, Rule)]) -> Option<Value> {
    let looks: Vec<&Value> =
        array(&case["alert_rule_test"]).iter().filter(|look| look["alertname"] == rule.alert.as_str()).collect();
    if looks.is_empty() {
        return None;
    }
    let names = [rule.alert.as_str()].into_iter().chain(mutants.iter().map(|(_, mutant)| mutant.alert.as_str()));
    let all: Vec<Value> = names
        .flat_map(|name| {
            looks.iter().map(move |look| {
                let mut look = (*look).clone();
                look["alertname"] = json!(name);
                look
            })
        })
        .collect();
    let mut case = case.clone();
    case["alert_rule_test"] = json!(all);
    case.as_object_mut()?.remove("promql_expr_test");
    Some(case)
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The alerts whose cases failed, as promtool names them.
fn failed(words: &str) -> BTreeSet<&str> {
    let names = words.split("alertname:").skip(1);
    names.map(|rest| rest.trim_start().split([',', ' ', '\n']).next().unwrap_or_default()).collect()
}

/// A rule whose expression, but for what holds it, is changed.
fn in_main(rule: &Rule, change: impl FnOnce(&mut Expr) -> bool) -> Option<Rule> {
    let mut tree = parser::parse(&rule.expr).ok()?;
    let held = Expression::parse(&rule.expr).is_ok_and(|whole| latch::without(&whole).tree() != whole.tree());
    let main = match &mut tree {
        Expr::Binary(binary) if held => &mut *binary.lhs,
        tree => tree,
    };
    change(main).then(|| Rule { expr: tree.to_string(), ..rule.clone() })
}

/// Changes the part of a tree that is the `turn`th to be willing; whether there was one.
fn nth(tree: &mut Expr, turn: usize, change: &mut dyn FnMut(&mut Expr) -> bool) -> bool {
    let mut left = turn;
    walk(tree, &mut |part| {
        let mut tried = part.clone();
        if !change(&mut tried) {
            return false;
        }
        let ours = left == 0;
        if ours {
            *part = tried;
        } else {
            left -= 1;
        }
        ours
    })
}

/// Shows every part of a tree until one is taken; whether one was.
fn walk(tree: &mut Expr, take: &mut dyn FnMut(&mut Expr) -> bool) -> bool {
    if take(tree) {
        return true;
    }
    match tree {
        Expr::Aggregate(aggregate) => walk(&mut aggregate.expr, take),
        Expr::Binary(binary) => walk(&mut binary.lhs, take) || walk(&mut binary.rhs, take),
        Expr::Call(call) => call.args.args.iter_mut().any(|part| walk(part, take)),
        Expr::Paren(paren) => walk(&mut paren.expr, take),
        Expr::Subquery(subquery) => walk(&mut subquery.expr, take),
        Expr::Unary(unary) => walk(&mut unary.expr, take),
        _ => false,
    }
}

/// Turns a comparison round; `was` becomes its text.
fn turned(tree: &mut Expr, was: &mut String) -> bool {
    let text = tree.to_string();
    let Expr::Binary(binary) = tree else { return false };
    let other = match binary.op.to_string().as_str() {
        ">" => "a < a",
        ">=" => "a <= a",
        "<" => "a > a",
        "<=" => "a >= a",
        "==" => "a != a",
        "!=" => "a == a",
        _ => return false,
    };
    // The parser makes tokens from text alone.
    let Ok(Expr::Binary(other)) = parser::parse(other) else { return false };
    binary.op = other.op;
    *was = text;
    true
}

/// Multiplies or divides an alert's threshold.
fn scaled(tree: &mut Expr, by: &str) -> bool {
    let Expr::VectorSelector(selector) = &*tree else { return false };
    if selector.name.as_deref() != Some(THRESHOLD) {
        return false;
    }
    *tree = parser::parse(&format!("({selector} {by})")).expect("a product of what was parsed");
    true
}

fn unheld(rule: &Rule) -> Option<Rule> {
    let whole = Expression::parse(&rule.expr).ok()?;
    let main = latch::without(&whole);
    (main.tree() != whole.tree()).then(|| Rule { expr: main.tree().to_string(), ..rule.clone() })
}
