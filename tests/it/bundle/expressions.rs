//! Every expression of every rule, held against the catalogue; and the groups that they stand in.

use std::collections::BTreeSet;

use super::alerts::duration;
use super::catalogue::Catalogue;
use super::expression::Expression;
use super::files::{Bundle, rules_file};

/// How often groups are evaluated: the first of a file, and the longest that another may wait.
const INTERVAL: &str = "30s";
const LONGEST: u64 = 300;

/// Everything that is wrong with the expressions of a bundle.
pub(super) fn complaints(bundle: &Bundle) -> Vec<String> {
    let catalogue = Catalogue::of(bundle);
    let mut complaints = Vec::new();
    for (file, rule) in bundle.every_rule() {
        let wrong = match Expression::parse(&rule.expr) {
            Ok(expression) => expression.check(&catalogue),
            Err(error) => vec![error],
        };
        let path = rules_file(file);
        let expr = rule.expr.trim_end().replace('\n', "\n    ");
        complaints.extend(wrong.iter().map(|what| format!("{path}: {}: {what}\n    {expr}", rule.name())));
        if rule.record.is_empty() == rule.alert.is_empty() {
            complaints.push(format!("{path}: {:?} is not one of a record and an alert", rule.name()));
        }
    }
    let mut groups = BTreeSet::new();
    for (file, rules) in &bundle.rules {
        let mut wrong = Vec::new();
        for (index, group) in rules.groups.iter().enumerate() {
            if index == 0 && group.name != *file {
                wrong.push(format!("its first group is named {}, not {file}", group.name));
            }
            if !groups.insert(&group.name) {
                wrong.push(format!("there is another group named {}", group.name));
            }
            let seconds = duration(&group.interval).map(|interval| interval.as_secs()).unwrap_or_default();
            if (index == 0 && group.interval != INTERVAL) || !(15..=LONGEST).contains(&seconds) {
                wrong.push(format!(
                    "the group {} is evaluated every {:?}: the first every {INTERVAL}, others every 15s to {LONGEST}s",
                    group.name, group.interval
                ));
            }
        }
        complaints.extend(wrong.into_iter().map(|what| format!("{}: {what}", rules_file(file))));
    }
    complaints
}
