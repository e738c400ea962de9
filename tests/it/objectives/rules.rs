//! `prometheus/rules/thresholds.yml`, made from the tables of the code. `UPDATE_EXPECT=1` writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::expect_file;
use vitrin::config::objectives::{Bound, PROMISES, SECURITY_SCORE_PROMISE, SLOS, thresholds};

/// What stands before the rules.
const HEAD: &str = include_str!("thresholds-head.yml");

/// The series of each vitrin, beside those of the promises.
const SERIES: [&str; 3] = ["alert_threshold", "slo_objective_ratio", "slo_min_bad_events"];

/// A series by shop: what the vitrins say, else the default.
struct Recorded<'a> {
    name: &'a str,
    meaning: &'a str,
    strictest: &'a str,
    /// The series of each vitrin, with a matcher.
    of: String,
    default: String,
    labels: String,
}

impl Recorded<'_> {
    fn rule(&self) -> String {
        let Self { name, meaning, strictest, of, default, labels } = self;
        let labels = if labels.is_empty() { String::new() } else { format!("        labels: {{{labels}}}\n") };
        format!(
            "      # {meaning}\n      - record: {name}\n        expr: |\n          {strictest} by (shop) ({of})\n          \
             or group by (shop) (up) * {default}\n{labels}"
        )
    }
}

/// The series that a rule keeps for each vitrin.
fn kept(series: &str) -> String {
    format!("instance:{series}:last1h")
}

fn keeping(series: &str) -> String {
    format!(
        "      - record: {}\n        expr: |\n          {series}\n          \
         or (last_over_time({series}[1h]) unless on (shop, job, instance) up == 1)\n",
        kept(series)
    )
}

fn promises() -> String {
    let promise = |promise: &vitrin::config::objectives::Promise| Recorded {
        name: promise.recorded,
        meaning: promise.meaning,
        strictest: "min",
        of: kept(promise.series),
        default: promise.default.as_secs_f64().to_string(),
        labels: String::new(),
    };
    let points = Recorded {
        name: SECURITY_SCORE_PROMISE.recorded,
        meaning: SECURITY_SCORE_PROMISE.meaning,
        strictest: "max",
        of: kept(SECURITY_SCORE_PROMISE.series),
        default: SECURITY_SCORE_PROMISE.default.to_string(),
        labels: String::new(),
    };
    PROMISES.iter().map(|one| promise(one).rule()).chain([points.rule()]).collect()
}

/// The series of each vitrin that the rules keep, in their order.
fn series() -> impl Iterator<Item = &'static str> {
    SERIES.into_iter().chain(PROMISES.iter().map(|promise| promise.series)).chain([SECURITY_SCORE_PROMISE.series])
}

fn slos() -> String {
    let mut text = String::new();
    for slo in SLOS {
        let (matcher, labels) = (format!("{{slo=\"{}\"}}", slo.name), format!("slo: {}", slo.name));
        let ratio = Recorded {
            name: "slo:objective:ratio",
            meaning: slo.meaning,
            strictest: "max",
            of: kept("slo_objective_ratio") + &matcher,
            default: slo.ratio.to_string(),
            labels: labels.clone(),
        };
        let events = Recorded {
            name: "slo:min_bad_events",
            meaning: "Fewer bad ones than this say nothing.",
            strictest: "min",
            of: kept("slo_min_bad_events") + &matcher,
            default: slo.min_bad_events.to_string(),
            labels,
        };
        text += &(ratio.rule() + &events.rule());
    }
    text
}

fn alerts() -> String {
    let (mut text, mut topic) = (String::new(), "");
    for threshold in thresholds() {
        if threshold.topic != topic {
            topic = threshold.topic;
            write!(text, "\n      # --- {topic}\n\n").unwrap();
        }
        let strictest = match threshold.bound {
            Bound::Upper => "min",
            Bound::Lower => "max",
        };
        let rule = Recorded {
            name: "alert:threshold",
            meaning: threshold.meaning,
            strictest,
            of: format!("{}{{alert=\"{}\"}}", kept("alert_threshold"), threshold.alert),
            default: threshold.default.to_string(),
            labels: format!("alert: {}, severity: {}", threshold.alert, threshold.severity),
        };
        text += &rule.rule();
    }
    text
}

#[test]
fn the_rules_hold_the_numbers_of_the_code() {
    let keeping: String = series().map(keeping).collect();
    let text = format!("{HEAD}{keeping}\n      # --- What the shop promises.\n\n{}{}{}", promises(), slos(), alerts());
    expect_file!["../../../prometheus/rules/thresholds.yml"].assert_eq(&text);
}

#[test]
fn every_series_of_the_objectives_has_its_rule() {
    let known: BTreeSet<_> = series().collect();
    let catalogue = vitrin::collectors::catalogue();
    let shown = catalogue.iter().map(|desc| &*desc.name);
    let shown = shown
        .filter(|name| {
            let promised = name.ends_with("_objective") || name.ends_with("_objective_seconds");
            promised || name.starts_with("slo_") || *name == "alert_threshold"
        })
        // An account's own, which is there whenever the account is.
        .filter(|name| !name.starts_with("marketplace_"));
    assert_eq!(shown.collect::<BTreeSet<_>>(), known);
}
