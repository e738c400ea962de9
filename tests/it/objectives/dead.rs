//! Alerts that compare with a number, while the exporter that said it is dead.

use super::watch::Watch;
use crate::support::exporter::Exporter;

const ALERT: &str = "HostMemoryLow";
const FIRING: &str = "[objectives.thresholds]\nHostMemoryLow = 0.0001\n";

#[test]
fn a_dead_exporter_does_not_silence_the_alerts_of_others_that_compare_with_its_number() {
    let told = Exporter::start(&format!("[host]\nenabled = false\n{FIRING}"));
    let other = Exporter::start("");
    let watch = Watch::start(&[("web1:22100", &told), ("db1:22100", &other)], &["thresholds.yml", "host.yml"]);
    watch.expect_firing(ALERT);
    told.stop();
    let later = watch.expect_dead("web1:22100");
    watch.expect_threshold(ALERT, 0.0001);
    watch.expect_firing_after(later, ALERT);
}

#[test]
fn a_dead_exporter_does_not_silence_its_own_alerts() {
    let exporter = Exporter::start(FIRING);
    let watch = Watch::start(&[("web1:22100", &exporter)], &["thresholds.yml", "host.yml"]);
    watch.expect_firing(ALERT);
    exporter.stop();
    let later = watch.expect_dead("web1:22100");
    watch.expect_firing_after(later, ALERT);
}

#[test]
fn a_dead_exporter_that_nobody_told_anything_leaves_the_defaults_in_force() {
    let exporter = Exporter::start("");
    let watch = Watch::start(&[("web1:22100", &exporter)], &["thresholds.yml", "host.yml"]);
    watch.expect_threshold(ALERT, 0.92);
    exporter.stop();
    watch.expect_dead("web1:22100");
    watch.expect_threshold(ALERT, 0.92);
}
