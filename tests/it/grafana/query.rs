//! A query of a dashboard with its variables, read as PromQL.
//!
//! What Grafana puts in for its own variables stands for itself here: lengths of time that nobody writes.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use promql_parser::parser::{Call, Expr};
use regex::{Captures, Regex};

use crate::bundle::expression::{Expression, parts};

/// `$__rate_interval`, `$__interval` and `$__range`, as they stand in a tree.
pub(super) const RATE: Duration = Duration::from_secs(311);
pub(super) const INTERVAL: Duration = Duration::from_secs(67);
pub(super) const RANGE: Duration = Duration::from_secs(21_611);

/// Grafana's own variables, and what they are for the parser.
const OWN: [(&str, &str); 6] = [
    ("__rate_interval", "311s"),
    ("__interval_ms", "67000"),
    ("__interval", "67s"),
    ("__range_s", "21611"),
    ("__range_ms", "21611000"),
    ("__range", "21611s"),
];

/// `$name`, `${name}`, `${name:format}` and `[[name]]`; `$1` is a pattern's group.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$([A-Za-z_]\w*)|\$\{([A-Za-z_][\w.]*)(?::\w+)?\}|\[\[([A-Za-z_]\w*)(?::\w+)?\]\]")
        .expect("a constant")
});

/// The names of the variables in a text, as `job` and `__url_time_range`.
pub(super) fn variables(text: &str) -> BTreeSet<&str> {
    let name = |found: Captures<'_>| text.get(found.iter().skip(1).flatten().next()?.range());
    VARIABLE.captures_iter(text).filter_map(name).collect()
}

/// The text with each variable replaced by what `value` says of its name; nothing leaves it as it is.
pub(crate) fn replaced(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let new = |found: &Captures<'_>| {
        let name = found.iter().skip(1).flatten().next().map_or("", |name| name.as_str());
        value(name).unwrap_or_else(|| found[0].to_owned())
    };
    VARIABLE.replace_all(text, new).into_owned()
}

/// An expression, its variables standing for anything.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    let value = |name: &str| {
        let own = OWN.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        Some(own.unwrap_or(".+").to_owned())
    };
    Expression::parse(&replaced(text, value))
}

/// The lengths of time in a tree, with the function that looks back over each.
pub(super) fn ranges(tree: &Expr) -> Vec<(&'static str, Duration)> {
    let mut found = Vec::new();
    collect_ranges(tree, "", &mut found);
    found
}

fn collect_ranges(tree: &Expr, function: &'static str, found: &mut Vec<(&'static str, Duration)>) {
    match tree {
        Expr::MatrixSelector(matrix) => found.push((function, matrix.range)),
        Expr::Subquery(subquery) => found.push((function, subquery.range)),
        _ => {}
    }
    let inside = if let Expr::Call(Call { func, .. }) = tree { func.name } else { function };
    for part in parts(tree) {
        collect_ranges(part, inside, found);
    }
}

#[test]
fn variables_are_found_however_they_are_written() {
    let text = "rate(a{b=~\"$b\", c=\"${c:regex}\", d=\"[[d]]\"}[$__rate_interval])";
    assert_eq!(variables(text), BTreeSet::from(["__rate_interval", "b", "c", "d"]));
    assert_eq!(ranges(parse(text).unwrap().tree()), [("rate", RATE)]);
}
