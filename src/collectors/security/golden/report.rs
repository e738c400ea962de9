//! What people and programs are told of an example host.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::{expect, expect_file};
use serde_json::Value;

use super::{NOW, hosts, judged};
use crate::collectors::security::report::Report;

/// What `vitrin security` prints there, and where it is meanwhile.
fn report(name: &str) -> (Report, String) {
    let (host, score) = judged(name);
    (Report::of(&score, host.config(), 98.0, NOW), host.root().display().to_string())
}

#[test]
fn all_that_is_printed_of_a_host_is_as_it_was_read() {
    for name in ["open-redis", "stock-unprivileged"] {
        let (report, root) = report(name);
        expect_file![hosts().join(name).join("report.txt")].assert_eq(&report.to_string().replace(&root, ""));
    }
}

/// The keys of a document, each by its path with the types of its values; `?` is one that not all of a list have.
fn shape(value: &Value, path: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(all) => {
            let objects: Vec<_> = all.iter().filter_map(Value::as_object).collect();
            let keys: BTreeSet<_> = objects.iter().flat_map(|object| object.keys()).collect();
            for key in keys {
                let some = if objects.iter().all(|object| object.contains_key(key)) { "" } else { "?" };
                for value in objects.iter().filter_map(|object| object.get(key)) {
                    shape(value, &format!("{path}[].{key}{some}"), found);
                }
            }
            "array"
        }
        Value::Object(object) => {
            for (key, value) in object {
                shape(value, &format!("{path}.{key}"), found);
            }
            "object"
        }
    };
    found.entry(path.to_owned()).or_default().insert(kind.to_owned());
}

#[test]
fn programs_are_told_by_these_keys() {
    let mut found = BTreeMap::new();
    shape(&serde_json::to_value(report("stock-unprivileged").0).unwrap(), "", &mut found);
    let lines = found.iter().map(|(path, kinds)| format!("{path}: {}\n", Vec::from_iter(kinds.clone()).join(" or ")));
    expect![[r#"
        : object
        .caps: array
        .categories: array
        .categories[].category: string
        .categories[].of: number
        .categories[].points: number
        .categories[].score: number
        .checks: array
        .checks[].category: string
        .checks[].cause?: string
        .checks[].check: string
        .checks[].fix?: string
        .checks[].missing: number
        .checks[].mode: string
        .checks[].points: number
        .checks[].privilege: string
        .checks[].seen: string
        .checks[].state: string
        .checks[].tier: string
        .checks[].title: string
        .checks[].waived: bool
        .coverage_ratio: number
        .methodology: string
        .objective: number
        .score: number
        .upper_bound: number
    "#]]
    .assert_eq(&lines.collect::<String>());
}
