//! A number in `vitrin.toml`, all the way to an alert of a real Prometheus.

use super::watch::Watch;
use crate::support::exporter::Exporter;
use crate::support::http::ask;

/// An alert whose measure every machine has; it is nowhere near 0 or 1 of it.
const ALERT: &str = "HostMemoryLow";

fn with(number: &str) -> String {
    format!("[objectives.thresholds]\n{ALERT} = {number}\n")
}

#[test]
fn a_number_in_the_configuration_and_a_reload_move_an_alert() {
    let exporter = Exporter::start("");
    let watch = Watch::start(&[("web1:22100", &exporter)], &["thresholds.yml", "host.yml"]);
    watch.expect_threshold(ALERT, 0.92);
    watch.expect_quiet(ALERT);

    exporter.configure(&with("0.0001"));
    exporter.hang_up();
    watch.expect_threshold(ALERT, 0.0001);
    watch.expect_firing(ALERT);

    let reload = || assert_eq!(ask(exporter.address(), "POST", "/-/reload", &[]).unwrap().status, 200);
    exporter.configure(&with("0.9999"));
    reload();
    watch.expect_threshold(ALERT, 0.9999);
    watch.expect_quiet(ALERT);

    exporter.configure("");
    reload();
    watch.expect_threshold(ALERT, 0.92);
}
