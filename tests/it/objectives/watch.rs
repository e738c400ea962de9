//! A real Prometheus with the rules as they are shipped, quickened.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use tempfile::TempDir;

use crate::support::daemon::{eventually, folder};
use crate::support::exporter::Exporter;
use crate::support::prometheus::Prometheus;

/// The rules of a group, as often as we scrape; alerts fire at once.
static TIMES: LazyLock<[(Regex, &str); 2]> = LazyLock::new(|| {
    let regex = |text| Regex::new(text).unwrap();
    [
        (regex(r"(?m)^( +)interval: \w+$"), "${1}interval: 1s"),
        (regex(r"(?m)^( +)(keep_firing_)?for: \w+$"), "${1}${2}for: 0s"),
    ]
});

/// Several evaluations of each group.
const SOME_SECONDS: f64 = 3.0;

/// A Prometheus that scrapes Vitrins of one shop.
pub(super) struct Watch {
    prometheus: Prometheus,
    _rules: TempDir,
}

impl Watch {
    /// Starts one that scrapes these, each by its `instance`, and evaluates these files of `prometheus/rules`.
    pub(super) fn start(vitrins: &[(&str, &Exporter)], rules: &[&str]) -> Self {
        let kept = folder();
        for name in rules {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("prometheus/rules").join(name);
            let shipped = fs::read_to_string(file).unwrap();
            let quickened = TIMES.iter().fold(shipped, |text, (found, by)| found.replace_all(&text, *by).into_owned());
            fs::write(kept.path().join(name), quickened).unwrap();
        }
        let mut config = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\nrule_files: ['{}/*.yml']\n\
             scrape_configs:\n  - job_name: vitrin\n    static_configs:\n",
            kept.path().display()
        );
        for (instance, exporter) in vitrins {
            let labels = format!("{{ shop: main, instance: '{instance}' }}");
            writeln!(config, "      - {{ targets: ['{}'], labels: {labels} }}", exporter.address()).unwrap();
        }
        let prometheus = Prometheus::start(&config);
        prometheus.expect_all_up();
        Self { prometheus, _rules: kept }
    }

    /// Waits until an alert compares with this number.
    #[track_caller]
    pub(super) fn expect_threshold(&self, alert: &str, number: f64) {
        self.prometheus.answer(&format!("alert:threshold{{shop=\"main\", alert=\"{alert}\"}} == {number}"));
    }

    /// Waits until an alert fires.
    #[track_caller]
    pub(super) fn expect_firing(&self, alert: &str) {
        self.prometheus.answer(&firing(alert));
    }

    /// Waits until an alert does not fire.
    #[track_caller]
    pub(super) fn expect_quiet(&self, alert: &str) {
        eventually(&format!("{alert} to be over"), || self.prometheus.query(&firing(alert)).is_empty());
    }

    /// Waits until some seconds of Prometheus' have passed since it found this instance dead; gives the moment.
    #[track_caller]
    pub(super) fn expect_dead(&self, instance: &str) -> f64 {
        let dead = format!("timestamp(up{{instance=\"{instance}\"}} == 0)");
        let since = self.prometheus.answer(&dead)[0].1;
        let later = since + SOME_SECONDS;
        self.prometheus.answer(&format!("max(timestamp(alert:threshold)) > {later}"));
        later
    }

    /// Waits until Prometheus has found after this moment that an alert fires.
    #[track_caller]
    pub(super) fn expect_firing_after(&self, moment: f64, alert: &str) {
        self.prometheus.answer(&format!("timestamp({}) > {moment}", firing(alert)));
    }
}

fn firing(alert: &str) -> String {
    format!("ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}}")
}
