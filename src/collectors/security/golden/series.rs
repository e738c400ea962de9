//! The series that the program shows of each host, as a test for promtool.

use std::fmt::Write as _;

use super::expected::TOLERANCE;
use crate::collectors::security::Config;
use crate::collectors::security::metrics;
use crate::collectors::security::round::Looked;
use crate::collectors::security::score::Score;
use crate::snapshot::{Snapshot, Value};

/// How the test begins.
const HEAD: &str = "\
# Written by the tests of the security collector (UPDATE_EXPECT=1): what it shows of these hosts, which were judged by hand.
# Prometheus makes the score once more of what each check is worth.
rule_files: [../../../../prometheus/rules/thresholds.yml, ../../../../prometheus/rules/security.yml]
evaluation_interval: 1m

tests:
  - name: \"Prometheus comes to the same numbers as the program, for every example host\"
    interval: 1m
    input_series:
";

/// What is the same: what Prometheus makes, and what the program shows, by the labels that both have.
const SAME: [(&str, &str, &str); 4] = [
    ("security:score:points", "security_score", "instance"),
    ("security:upper:points", "security_score_upper_bound", "instance"),
    ("security:coverage:ratio", "security_score_coverage_ratio", "instance"),
    ("security:category:points", "security_category_score", "instance, category"),
];

/// The families that these come from.
const FAMILIES: [&str; 8] = [
    "security_category_score",
    "security_check_ratio",
    "security_check_status",
    "security_check_weight",
    "security_score",
    "security_score_cap",
    "security_score_coverage_ratio",
    "security_score_upper_bound",
];

/// Series of hosts.
#[derive(Default)]
pub(super) struct Series {
    hosts: Vec<(String, f64)>,
    lines: String,
}

impl Series {
    /// Adds what is shown of a host.
    pub(super) fn add(&mut self, host: &str, score: &Score, config: &Config) {
        let mut out = Snapshot::unlimited();
        metrics::report(score, &Looked::default(), config, &mut out);
        let (findings, failures, _) = out.finish();
        assert!(failures.is_empty(), "{failures:?}");
        for (family, group) in findings.families().filter(|(family, _)| FAMILIES.contains(&&*family.name)) {
            for (values, value) in group.samples() {
                let Value::Number(number) = value else { panic!("{} is no number", family.name) };
                let own = family.labels.iter().zip(values).map(|(name, value)| format!(",{name}=\"{value}\""));
                let own: String = own.collect();
                let labels = format!("job=\"vitrin\",shop=\"main\",instance=\"{host}\",target=\"main\"{own}");
                writeln!(self.lines, "      - {{series: '{}{{{labels}}}', values: '{number}x2'}}", family.name)
                    .unwrap();
            }
        }
        self.hosts.push((host.to_owned(), score.lower()));
    }

    /// The whole file.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{HEAD}{}    promql_expr_test:\n", self.lines);
        let mut asks = |expression: &str, samples: &str| {
            writeln!(text, "      - expr: {expression}\n        eval_time: 2m\n        exp_samples:{samples}").unwrap();
        };
        for (made, shown, labels) in SAME {
            // None is further apart; and what is compared is there, on both sides, once for each host.
            asks(&format!("abs({made} - on ({labels}) {shown}) >= {TOLERANCE:e}"), " []");
            let count = self.hosts.len() * if labels.contains("category") { 5 } else { 1 };
            asks(
                &format!("count({made} - on ({labels}) {shown})"),
                &format!("\n          - {{labels: '{{}}', value: {count}}}"),
            );
        }
        for (host, score) in &self.hosts {
            // To the thousandth, for whoever reads it here.
            let samples = format!("\n          - {{labels: '{{}}', value: {score:.3}}}");
            asks(&format!("round(sum(security:score:points{{instance=\"{host}\"}}), 0.001)"), &samples);
        }
        text
    }
}
