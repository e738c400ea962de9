//! The numbers that a shop may change: each belongs to one alert, which compares with it in the right direction.

use promql_parser::parser::{BinaryExpr, Expr};

use super::expression::{Expression, parts, pinned, selectors};
use super::files::{Bundle, Rule, rules_file};

/// The table, as a complaint says it.
const TABLE: &str = "src/config/objectives/thresholds.tsv";

/// The series of the numbers.
pub(super) const THRESHOLD: &str = "alert:threshold";

/// Everything that is wrong between the table of thresholds and the alerts.
pub(super) fn complaints(bundle: &Bundle) -> Vec<String> {
    let mut complaints = Vec::new();
    for row in &bundle.thresholds {
        let alert = bundle.alerts().find(|(_, rule)| rule.alert == row.alert);
        let what = match alert {
            None => Some("there is no such alert".to_owned()),
            Some((_, rule)) if rule.label("severity") != row.severity => {
                Some(format!("its severity is {} here and {} in its rule", row.severity, rule.label("severity")))
            }
            Some((file, rule)) => direction(rule, &row.bound).map(|what| format!("{what} in {}", rules_file(file))),
        };
        complaints.extend(what.map(|what| format!("{TABLE}: {}: {what}", row.alert)));
    }
    for (file, rule) in bundle.alerts() {
        let Ok(expression) = Expression::parse(&rule.expr) else { continue };
        selectors(expression.tree(), &mut |selector| {
            if selector.name.as_deref() != Some(THRESHOLD) {
                return;
            }
            let what = match pinned(selector, "alert") {
                Some(alert) if alert != rule.name() => format!("it compares with the threshold of {alert}"),
                Some(alert) if bundle.thresholds.iter().all(|row| row.alert != alert) => {
                    format!("its threshold is not in {TABLE}")
                }
                Some(_) => return,
                None => format!("{selector} is every alert's threshold: say which by `alert=\"...\"`"),
            };
            complaints.push(format!("{}: {}: {what}", rules_file(file), rule.name()));
        });
    }
    complaints
}

/// What is wrong with how an alert compares with its threshold.
fn direction(rule: &Rule, bound: &str) -> Option<String> {
    let expression = Expression::parse(&rule.expr).ok()?;
    let mut bounds = Vec::new();
    comparisons(expression.tree(), &mut |binary| bounds.extend(bound_by(binary)));
    match bounds.as_slice() {
        [] => Some(format!("it is compared with no {THRESHOLD}{{alert=\"{}\"}}", rule.alert)),
        bounds if bounds.iter().any(|found| *found != bound) => {
            Some(format!("it is a {bound} bound and compared as one that is {}", bounds.join(" and ")))
        }
        _ => None,
    }
}

/// Shows every comparison of a tree.
fn comparisons<'a>(tree: &'a Expr, see: &mut impl FnMut(&'a BinaryExpr)) {
    if let Expr::Binary(binary) = tree
        && binary.op.is_comparison_operator()
    {
        see(binary);
    }
    for part in parts(tree) {
        comparisons(part, see);
    }
}

/// Which bound the threshold in this comparison is, if there is one.
fn bound_by(binary: &BinaryExpr) -> Option<&'static str> {
    let (left, right) = (compares(&binary.lhs), compares(&binary.rhs));
    match (binary.op.to_string().as_str(), left, right) {
        (_, false, false) => None,
        (">" | ">=", false, true) | ("<" | "<=", true, false) => Some("upper"),
        ("<" | "<=", false, true) | (">" | ">=", true, false) => Some("lower"),
        _ => Some("neither upper nor lower"),
    }
}

/// Whether a threshold is what this side comes to, and not only part of a comparison within it.
fn compares(tree: &Expr) -> bool {
    match tree {
        Expr::VectorSelector(selector) => selector.name.as_deref() == Some(THRESHOLD),
        Expr::Binary(binary) if binary.op.is_comparison_operator() => false,
        _ => parts(tree).into_iter().any(compares),
    }
}
