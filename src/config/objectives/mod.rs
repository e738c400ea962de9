//! `[objectives]`: what the shop promises and where its alerts begin, in one place.
//!
//! What is configured here is shown as series, which the rules in `prometheus/` compare with: a reload moves an alert.
//! What is not configured is not shown: several Vitrins watch one shop, and one that was told nothing has no say. The
//! rules hold the same defaults, which `prometheus/rules/thresholds.yml` gets from here.

mod number;
mod points;
mod slo;
mod thresholds;
mod unit;

use std::time::Duration;

use serde::Deserialize;

use super::types::Period;
use crate::snapshot::Snapshot;

pub use points::Points;
pub use slo::{SLOS, Slo, SloNumbers, Slos};
pub use thresholds::{Bound, Threshold, Thresholds, thresholds};

crate::metrics! {
    Own as METRICS;

    /// How far a shopper's mean request may be from what it usually is, where `[objectives]` says so.
    HTTP_CONSISTENCY = Gauge("shop_http_consistency_objective_seconds", Seconds, []);
    /// What a statement may take in the mean, where `[objectives]` says so.
    QUERY_TIME = Gauge("mysql_query_time_objective_seconds", Seconds, []);
    /// What the security score of this machine is to be, of 100, where `[objectives]` says so.
    SECURITY_SCORE = Gauge("security_score_objective", None, []);
    /// The part of all events that has to be good, where `[objectives]` says so.
    SLO_RATIO = Gauge("slo_objective_ratio", Ratio, ["slo"]);
    /// How many bad events it takes before a burning error budget is believed, where `[objectives]` says so.
    SLO_MIN_BAD_EVENTS = Gauge("slo_min_bad_events", None, ["slo"]);
    /// The number that an alert compares with, in the unit that docs/objectives.md gives, where `[objectives]` says so.
    THRESHOLD = Gauge("alert_threshold", None, ["alert", "severity"]);
}

/// A promise that is a length of time.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// Its key in `[objectives]`.
    pub key: &'static str,
    /// What holds when nobody says otherwise.
    pub default: Duration,
    /// The series that shows it.
    pub series: &'static str,
    /// The series that the rules make of that, by shop.
    pub recorded: &'static str,
    /// What is promised.
    pub meaning: &'static str,
}

/// All promises that are lengths of time.
pub const PROMISES: [Promise; 3] = [HTTP_LATENCY_PROMISE, HTTP_CONSISTENCY_PROMISE, QUERY_TIME_PROMISE];

const HTTP_LATENCY_PROMISE: Promise = Promise {
    key: "http_latency",
    default: Duration::from_millis(100),
    series: "shop_http_latency_objective_seconds",
    recorded: "shop:http_latency_objective:seconds",
    meaning: "What a request of a shopper's may take.",
};

const HTTP_CONSISTENCY_PROMISE: Promise = Promise {
    key: "http_consistency",
    default: Duration::from_millis(20),
    series: "shop_http_consistency_objective_seconds",
    recorded: "shop:http_consistency_objective:seconds",
    meaning: "How far the mean request may be from what it usually is.",
};

const QUERY_TIME_PROMISE: Promise = Promise {
    key: "query_time",
    default: Duration::from_millis(30),
    series: "mysql_query_time_objective_seconds",
    recorded: "mysql:query_time_objective:seconds",
    meaning: "What a statement of the database may take in the mean.",
};

/// The promise that is a number of points.
#[derive(Clone, Copy, Debug)]
pub struct PointsPromise {
    /// Its key in `[objectives]`.
    pub key: &'static str,
    /// What holds when nobody says otherwise.
    pub default: f64,
    /// The series that shows it.
    pub series: &'static str,
    /// The series that the rules make of that, by shop.
    pub recorded: &'static str,
    /// What is promised.
    pub meaning: &'static str,
}

/// What the security score is to be.
pub const SECURITY_SCORE_PROMISE: PointsPromise = PointsPromise {
    key: "security_score",
    default: 98.0,
    series: "security_score_objective",
    recorded: "security:score_objective:points",
    meaning: "What the security score of each machine is to be, of 100.",
};

/// What the shop promises.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objectives {
    /// What a request of a shopper's may take. The access log counts by it and shows it, whether it was configured or
    /// not.
    pub http_latency: Period,
    /// How far the mean request may be from what it usually is.
    pub http_consistency: Option<Period>,
    /// What a statement of the database may take in the mean.
    pub query_time: Option<Period>,
    /// What the security score of each machine is to be, of 100.
    pub security_score: Option<Points>,
    /// The service level objectives.
    pub slo: Slos,
    /// Where alerts begin.
    pub thresholds: Thresholds,
}

impl Default for Objectives {
    fn default() -> Self {
        Self {
            http_latency: Period(HTTP_LATENCY_PROMISE.default),
            http_consistency: None,
            query_time: None,
            security_score: None,
            slo: Slos::default(),
            thresholds: Thresholds::default(),
        }
    }
}

impl Objectives {
    /// Pushes what is configured; of `http_latency`, the access log tells for each target.
    pub(crate) fn report(&self, out: &mut Snapshot) {
        for (metric, period) in [(&HTTP_CONSISTENCY, self.http_consistency), (&QUERY_TIME, self.query_time)] {
            if let Some(Period(time)) = period {
                out.push(metric, [], time.as_secs_f64());
            }
        }
        if let Some(Points(points)) = self.security_score {
            out.push(&SECURITY_SCORE, [], points);
        }
        for (slo, numbers) in self.slo.iter() {
            if let Some(ratio) = numbers.ratio {
                out.push(&SLO_RATIO, [slo.name], ratio);
            }
            if let Some(events) = numbers.min_bad_events {
                out.push(&SLO_MIN_BAD_EVENTS, [slo.name], events);
            }
        }
        for (threshold, value) in self.thresholds.iter() {
            out.push(&THRESHOLD, [threshold.alert, threshold.severity], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Value;

    fn shown(text: &str) -> Vec<(String, f64)> {
        let mut out = Snapshot::unlimited();
        toml::from_str::<Objectives>(text).unwrap().report(&mut out);
        let (findings, _, _) = out.finish();
        let samples = findings.families().flat_map(|(family, group)| {
            let name = family.name.to_string();
            group.samples().map(move |(labels, value)| {
                let Value::Number(number) = value else { panic!("{name} is no number") };
                (labels.fold(name.clone(), |name, label| name + " " + label), *number)
            })
        });
        samples.collect()
    }

    #[test]
    fn what_is_not_configured_is_not_shown() {
        assert_eq!(shown(""), []);
        // It speaks by the access log, which is not there.
        assert_eq!(shown("http_latency = '80ms'"), []);
    }

    #[test]
    fn what_is_configured_is_shown_in_base_units() {
        let all = "http_consistency = '25ms'\nquery_time = '1500us'\nsecurity_score = 95.5\n\
                   [slo.availability]\nratio = 0.999\n[slo.errors]\nmin_bad_events = 20\n\
                   [thresholds]\nRedisHitRatioLow = 0.9\nVitrinCollectorStale = '10m'\nPhpFpmQueueing = 8\n";
        let mut shown = shown(all);
        shown.sort_by(|a, b| a.0.cmp(&b.0));
        let expected = [
            ("alert_threshold PhpFpmQueueing critical", 8.0),
            ("alert_threshold RedisHitRatioLow warning", 0.9),
            ("alert_threshold VitrinCollectorStale warning", 600.0),
            ("mysql_query_time_objective_seconds", 0.0015),
            ("security_score_objective", 95.5),
            ("shop_http_consistency_objective_seconds", 0.025),
            ("slo_min_bad_events errors", 20.0),
            ("slo_objective_ratio availability", 0.999),
        ];
        assert_eq!(shown, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn a_promise_is_shown_by_a_series_of_the_catalogue() {
        let catalogue = crate::collectors::catalogue();
        for series in PROMISES.map(|promise| promise.series).into_iter().chain([SECURITY_SCORE_PROMISE.series]) {
            assert!(catalogue.iter().any(|desc| desc.name == series), "{series}");
        }
    }
}
