//! The alerting bundle, held to the metrics that exist, to the program's own tables, and to itself.
//!
//! A check is a function from a bundle to what is wrong with it. Each is asked twice: about the bundle that we ship, of
//! which nothing may be wrong, and about a small one (`example/`) that is spoiled, of which it must say so.

pub(crate) mod alerts;
pub(crate) mod catalogue;
pub(crate) mod expression;
mod expressions;
pub(crate) mod files;
mod foreign;
mod identity;
pub(crate) mod labels;
mod latch;
mod mutations;
mod runbooks;
pub(crate) mod spoiled;
mod thresholds;
mod tools;
mod unit_tests;
mod values;

use files::Bundle;

/// Fails with all complaints.
#[track_caller]
pub(crate) fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n\n{}\n", complaints.len(), complaints.join("\n\n"));
}

#[test]
fn there_is_a_bundle() {
    let bundle = Bundle::shipped();
    let alerts = bundle.alerts().count();
    assert!(alerts > 40 && bundle.runbooks.len() >= alerts, "{alerts} alerts, {} runbooks", bundle.runbooks.len());
    for topic in [
        "host",
        "php_fpm",
        "mysql",
        "shop_database",
        "redis",
        "nginx",
        "access_log",
        "probe",
        "marketplace",
        "security",
        "slo",
        "vitrin",
    ] {
        assert!(bundle.alerts().any(|(file, _)| file == topic), "no alert of {topic}");
    }
}

#[test]
fn every_expression_selects_what_exists_by_labels_that_it_has() {
    none(&expressions::complaints(&Bundle::shipped()));
}

#[test]
fn every_alert_says_who_it_is_where_it_starts_and_what_to_do() {
    none(&alerts::complaints(&Bundle::shipped()));
}

#[test]
fn every_alert_made_of_our_series_outlives_vitrin() {
    none(&latch::complaints(&Bundle::shipped()));
}

#[test]
fn whoever_tells_alerts_apart_does_it_by_the_same_labels() {
    none(&identity::complaints(&Bundle::shipped()));
}

#[test]
fn every_threshold_belongs_to_one_alert_that_compares_with_it() {
    none(&thresholds::complaints(&Bundle::shipped()));
}

#[test]
fn every_alert_is_tested_firing_and_quiet() {
    none(&unit_tests::complaints(&Bundle::shipped()));
}

#[test]
fn every_alert_has_a_runbook_of_things_that_exist() {
    none(&runbooks::complaints(&Bundle::shipped()));
}

#[test]
fn shellcheck_finds_nothing_in_runbooks() {
    none(&runbooks::shellcheck(&Bundle::shipped()));
}

#[test]
fn promtool_takes_the_rules_and_their_tests() {
    none(&tools::promtool(&Bundle::shipped()));
}

#[test]
fn amtool_takes_the_configuration_with_its_templates() {
    none(&tools::amtool(&Bundle::shipped()));
}

#[test]
fn the_tests_of_the_rules_notice_every_spoiled_alert() {
    none(&mutations::complaints(&Bundle::shipped()));
}
