//! What the files for `promtool test rules` must hold: each alert fires once and stays quiet once.

use super::alerts::WATCHDOG;
use super::catalogue::{FIXED, IDENTITY};
use super::files::{Bundle, Look, Tests, rules_file, tests_file};

/// What the tests of every file give for the labels that `prometheus.yml` adds.
const EXTERNAL: [(&str, &str); 2] = [("runbooks", "https://runbooks.example"), ("grafana", "https://grafana.example")];

/// Everything that is wrong between the rules and what tests them.
pub(super) fn complaints(bundle: &Bundle) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in bundle.rules.keys() {
        match bundle.tests.get(file) {
            None => complaints.push(format!("{}: nothing tests it: write {}", rules_file(file), tests_file(file))),
            Some(tests) if tests.rule_files.iter().all(|path| *path != format!("../rules/{file}.yml")) => {
                complaints.push(format!("{}: it does not load ../rules/{file}.yml", tests_file(file)));
            }
            Some(_) => {}
        }
    }
    for (file, tests) in &bundle.tests {
        let wrong = tests_of(bundle, file, tests);
        complaints.extend(wrong.into_iter().map(|what| format!("{}: {what}", tests_file(file))));
    }
    for (file, rule) in bundle.alerts() {
        let Some(tests) = bundle.tests.get(file) else { continue };
        let looks: Vec<&Look> = looks(tests).filter(|look| look.alertname == rule.alert).collect();
        let mut missing = Vec::new();
        if looks.iter().all(|look| look.exp_alerts.is_empty()) {
            missing.push("fires");
        }
        // The dead man's switch has nothing to be quiet about.
        if looks.iter().all(|look| !look.exp_alerts.is_empty()) && rule.alert != WATCHDOG {
            missing.push("stays quiet");
        }
        complaints.extend(
            missing
                .iter()
                .map(|what| format!("{}: {}: there is no case in which it {what}", tests_file(file), rule.alert)),
        );
    }
    complaints
}

/// What is wrong in one file of tests.
fn tests_of(bundle: &Bundle, file: &str, tests: &Tests) -> Vec<String> {
    let mut wrong = Vec::new();
    if !bundle.rules.contains_key(file) {
        wrong.push(format!("there is no {}", rules_file(file)));
    }
    for case in &tests.tests {
        if case.name.is_empty() {
            wrong.push("a case has no name".to_owned());
        }
        let told = case.alert_rule_test.iter().any(|look| !look.exp_alerts.is_empty());
        for (name, value) in EXTERNAL {
            let given = case.external_labels.get(name).map(String::as_str);
            if told && given != Some(value) {
                wrong.push(format!("{}: its external label {name} is {given:?}, not {value}", case.name));
            }
        }
        for series in &case.input_series {
            // One that watches the watchers looks for just that.
            if file != "monitoring" && series.series.starts_with("up{") && !series.series.contains("shop=") {
                wrong.push(format!("{}: {} has no shop, as every target has", case.name, series.series));
            }
        }
    }
    for look in looks(tests) {
        let Some((_, rule)) = bundle.every_rule().find(|(_, rule)| rule.alert == look.alertname) else {
            wrong.push(format!(
                "{}: there is no such alert: the look at {} finds nothing, ever",
                look.alertname, look.eval_time
            ));
            continue;
        };
        for expected in &look.exp_alerts {
            let who = format!("{} at {}", look.alertname, look.eval_time);
            for name in expected.exp_labels.keys() {
                let known = IDENTITY.contains(&name.as_str()) || FIXED.contains(&name.as_str());
                if !known && !rule.climbs() && look.alertname != WATCHDOG {
                    wrong.push(format!("{who}: `{name}` is not a label of an alert"));
                }
            }
            if expected.exp_annotations.is_empty() {
                wrong.push(format!("{who}: it expects no annotations: write them out"));
            }
        }
    }
    wrong
}

fn looks(tests: &Tests) -> impl Iterator<Item = &Look> {
    tests.tests.iter().flat_map(|case| &case.alert_rule_test)
}
