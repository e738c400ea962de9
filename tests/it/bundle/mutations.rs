//! Whether the tests of the rules bite: each alert is spoiled in several ways, and some case must fail each time.
//!
//! All alerts of a file are spoiled at once, each for itself, and promtool names those whose cases fail. So it takes
//! one run for each file and way.

use std::collections::BTreeSet;
use std::fs;

use promql_parser::parser::{self, Expr};

use super::expression::Expression;
use super::files::{Bundle, Rule, rules_file, tests_file};
use super::latch;
use super::thresholds::THRESHOLD;
use super::tools::Copy;

/// A way to spoil an alert; `None` when there is nothing to be spoiled so.
struct Mutation {
    what: &'static str,
    spoil: fn(&Rule, usize) -> Option<Rule>,
    /// How often an alert may be spoiled so: each comparison in turn, say.
    turns: usize,
}

const MUTATIONS: [Mutation; 5] = [
    Mutation { what: "it does not wait", spoil: |rule, _| changed(rule, |rule| rule.waits.clear()), turns: 1 },
    Mutation {
        what: "a comparison is the other way round",
        spoil: |rule, turn| in_main(rule, |tree| nth(tree, turn, &turned)),
        turns: 6,
    },
    Mutation {
        what: "its threshold is doubled",
        spoil: |rule, _| in_main(rule, |tree| nth(tree, 0, &|tree| scaled(tree, "* 2"))),
        turns: 1,
    },
    Mutation {
        what: "its threshold is halved",
        spoil: |rule, _| in_main(rule, |tree| nth(tree, 0, &|tree| scaled(tree, "/ 2"))),
        turns: 1,
    },
    Mutation { what: "nothing holds it", spoil: |rule, _| unheld(rule), turns: 1 },
];

/// The alerts that can be spoiled without a test that notices; why, beside each.
const UNNOTICED: [(&str, &str, &str); 0] = [];

/// Every way to spoil an alert of the bundle that no test notices.
pub(super) fn complaints(bundle: &Bundle) -> Vec<String> {
    let copy = Copy::of(bundle);
    let mut complaints = Vec::new();
    for (file, rules) in &bundle.rules {
        if !bundle.tests.contains_key(file) {
            continue;
        }
        let original = fs::read(copy.path(&rules_file(file))).unwrap();
        for mutation in &MUTATIONS {
            for turn in 0..mutation.turns {
                let mut spoiled = BTreeSet::new();
                let mut mutant = rules.clone();
                for rule in mutant.groups.iter_mut().flat_map(|group| &mut group.rules) {
                    if rule.alert.is_empty() || rule.climbs() {
                        continue;
                    }
                    if let Some(other) = (mutation.spoil)(rule, turn) {
                        spoiled.insert(rule.alert.clone());
                        *rule = other;
                    }
                }
                if spoiled.is_empty() {
                    break;
                }
                // JSON is YAML.
                fs::write(copy.path(&rules_file(file)), serde_json::to_vec(&mutant).unwrap()).unwrap();
                let (_, words) = copy.promtool(["test", "rules"], &tests_file(file));
                let noticed = failed(&words);
                if noticed.is_empty() && !words.contains("SUCCESS") {
                    complaints.push(format!(
                        "{}: {}: promtool could not look:\n{words}",
                        rules_file(file),
                        mutation.what
                    ));
                }
                complaints.extend(
                    spoiled
                        .iter()
                        .filter(|alert| !noticed.contains(alert.as_str()))
                        .filter(|alert| !excused(alert, mutation.what))
                        .map(|alert| {
                            format!(
                                "{}: no case of {alert} notices that {} (number {})",
                                tests_file(file),
                                mutation.what,
                                turn + 1
                            )
                        }),
                );
            }
        }
        fs::write(copy.path(&rules_file(file)), original).unwrap();
    }
    complaints
}

fn excused(alert: &str, what: &str) -> bool {
    UNNOTICED.iter().any(|(name, mutation, _)| *name == alert && *mutation == what)
}

/// The alerts whose cases failed, as promtool names them.
fn failed(words: &str) -> BTreeSet<&str> {
    let names = words.split("alertname:").skip(1);
    names.map(|rest| rest.trim_start().split([',', ' ', '\n']).next().unwrap_or_default()).collect()
}

fn changed(rule: &Rule, change: impl Fn(&mut Rule)) -> Option<Rule> {
    let mut other = rule.clone();
    change(&mut other);
    (other.waits != rule.waits || other.expr != rule.expr).then_some(other)
}

/// A rule whose expression, but for what holds it, is changed.
fn in_main(rule: &Rule, change: impl Fn(&mut Expr) -> bool) -> Option<Rule> {
    let mut tree = parser::parse(&rule.expr).ok()?;
    let held =
        Expression::parse(&rule.expr).ok().filter(|whole| latch::without(whole).tree() != whole.tree()).is_some();
    let main = match &mut tree {
        Expr::Binary(binary) if held => &mut *binary.lhs,
        tree => tree,
    };
    change(main).then(|| Rule { expr: tree.to_string(), ..rule.clone() })
}

/// Changes the part of a tree that is the `turn`th to be willing; whether there was one.
fn nth(tree: &mut Expr, turn: usize, change: &dyn Fn(&mut Expr) -> bool) -> bool {
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

/// Turns a comparison round.
fn turned(tree: &mut Expr) -> bool {
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
