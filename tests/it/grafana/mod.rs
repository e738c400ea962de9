//! The dashboards, held to the metrics that exist, to the rules of a good dashboard, and to themselves.
//!
//! There is no Grafana here. What stands in for it: the one canonical form ([`canonical`]), the rules that a machine can
//! hold ([`lint`]), Grafana's own schema ([`schema`]), and a real Prometheus that is asked everything ([`live`]).
//! That the checks notice is shown twice: by a small bundle that is spoiled ([`spoiled`]), and by spoiling every panel
//! that we ship ([`mutations`]).

mod canonical;
mod findings;
mod lint;
mod live;
mod model;
mod mutations;
mod provisioning;
mod quantity;
mod query;
mod schema;
mod spoiled;

use std::collections::BTreeSet;
use std::path::Path;

use findings::Finding;
use lint::Context;
use model::Dashboard;

use crate::bundle::files::{SHIPPED, rows};
use crate::bundle::none;

/// The series that dashboards ask for, and what they show of them.
pub(crate) fn texts() -> String {
    let dashboards = Dashboard::all(Path::new(SHIPPED));
    dashboards.iter().flat_map(|dashboard| [dashboard.json.to_string(), "\n".to_owned()]).collect()
}

/// Findings that are put up with: file, panel, rule and why.
type Excuse = [String; 4];

/// Those of what we ship.
fn excused() -> Vec<Excuse> {
    rows(&Path::new(SHIPPED).join("tests/it/grafana/excused.tsv"), |row| row)
}

/// Everything that is wrong with the dashboards of the repository at `root`, and excuses that nothing needs.
fn complaints(root: &Path, excused: &[Excuse]) -> Vec<String> {
    let dashboards = Dashboard::all(root);
    let context = Context::of(root, &dashboards);
    let mut findings = lint::of_all(&context, &dashboards);
    findings.extend(dashboards.iter().flat_map(|dashboard| lint::of_dashboard(&context, dashboard)));
    let mut used = BTreeSet::new();
    let mut complaints = Vec::new();
    for finding in &findings {
        match excused.iter().position(|row| excuses(row, finding)) {
            Some(row) => _ = used.insert(row),
            None => complaints.push(finding.to_string()),
        }
    }
    for (index, [file, panel, rule, why]) in excused.iter().enumerate() {
        if !used.contains(&index) {
            complaints.push(format!("excused.tsv: {file}: panel \"{panel}\" needs no excuse for {rule}"));
        }
        if !why.ends_with('.') {
            complaints.push(format!("excused.tsv: {file}: panel \"{panel}\": the reason is no sentence: {why}"));
        }
    }
    complaints
}

fn excuses([file, panel, rule, _]: &Excuse, finding: &Finding) -> bool {
    *file == finding.file && *panel == finding.panel && *rule == finding.rule
}

#[test]
fn every_dashboard_is_a_good_one() {
    none(&complaints(Path::new(SHIPPED), &excused()));
}

#[test]
fn what_grafana_is_given_at_its_start_is_right() {
    none(&provisioning::complaints(Path::new(SHIPPED)));
}
