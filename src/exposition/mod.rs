//! Outcomes to text: one page, written in the format the scraper asked for.
//!
//! All formats carry the same sample names, so a counter whose drop-in name lacks `_total` is `unknown` in OpenMetrics,
//! which would rename it, and a summary is `unknown` in OpenMetrics and protobuf. Native histograms are in protobuf alone.

mod lines;
mod negotiate;
mod number;
mod openmetrics;
mod press;
mod protobuf;
mod text;
mod wire;

use std::sync::Arc;

use bytes::Bytes;

pub use negotiate::{Format, accepts_gzip, format_for};

use crate::config::types::MAIN;
use crate::metric::{Desc, Tier};
use crate::schedule::Outcome;
use crate::snapshot::{Findings, Group, Number, Summary, Value};

/// Everything that one answer shows.
#[derive(Debug)]
pub struct Page {
    outcomes: Vec<Arc<Outcome>>,
    /// What speaks of the program itself, and so of no target.
    own: Findings,
    /// Whether the series of a target may carry its name.
    named: bool,
}

/// What one target gave one family.
#[derive(Debug)]
struct Part<'a> {
    desc: &'a Desc,
    /// The value of the `target` label, for series that carry it.
    target: Option<&'a str>,
    group: Group<'a>,
}

impl Page {
    /// A page of the jobs' outcomes and the program's own samples.
    #[must_use]
    pub fn new(outcomes: Vec<Arc<Outcome>>, own: Findings) -> Arc<Self> {
        Arc::new(Self { outcomes, own, named: true })
    }

    /// A page about one target, whose series do not carry its name: the scraper has given it another, as `instance`.
    #[must_use]
    pub fn of_one(outcomes: Vec<Arc<Outcome>>, own: Findings) -> Arc<Self> {
        Arc::new(Self { outcomes, own, named: false })
    }

    /// Writes the page.
    #[must_use]
    pub fn render(self: &Arc<Self>, format: Format, gzip: bool) -> Bytes {
        match format {
            Format::Text => text::write(self, gzip),
            Format::OpenMetrics(_) => openmetrics::write(self, gzip),
            Format::Protobuf { native_histograms } => protobuf::write(self, native_histograms, gzip),
        }
    }

    /// What the targets gave the families, in the order of these' names: the parts of one family stand together.
    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = Vec::with_capacity(1_024);
        let jobs = self.outcomes.iter().map(|outcome| (&outcome.findings, Some(&*outcome.target)));
        for (findings, target) in jobs.chain([(&self.own, None)]) {
            parts.extend(findings.families().map(|(family, group)| {
                let target = target.filter(|target| self.named && (family.tier == Tier::Own || *target != MAIN));
                Part { desc: family, target, group }
            }));
        }
        // Stable, and quick with what comes in sorted runs.
        parts.sort_by(|a, b| a.desc.name.cmp(&b.desc.name));
        parts
    }
}

impl<'a> Part<'a> {
    fn is_of_the_same_family(&self, other: &Self) -> bool {
        self.desc.name == other.desc.name
    }

    /// Names and values of each series' labels, and its value.
    fn samples(&self) -> impl Iterator<Item = (impl Iterator<Item = (&'a str, &'a str)> + Clone, &'a Value)> {
        let (desc, target) = (self.desc, self.target.map(|target| ("target", target)));
        self.group
            .samples()
            .map(move |(values, value)| (desc.labels.iter().map(AsRef::as_ref).zip(values).chain(target), value))
    }
}

/// The series of a family of summaries.
fn summaries<'a>(
    family: &[Part<'a>],
) -> impl Iterator<Item = (impl Iterator<Item = (&'a str, &'a str)> + Clone, &'a Summary)> {
    family.iter().flat_map(Part::samples).filter_map(|(labels, value)| match value {
        Value::Summary(summary) => Some((labels, &**summary)),
        _ => None,
    })
}

/// An ending of a sample's name, and its value where the source of the summary tells it.
type Total = (&'static str, fn(&Summary) -> Option<f64>);

/// What a summary has beside its quantiles.
const TOTALS: [Total; 2] = [("_count", |summary| summary.count.map(Number::number)), ("_sum", |summary| summary.sum)];

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::histogram::Histogram;
    use crate::schedule::Tally;
    use crate::snapshot::Snapshot;

    crate::metrics! {
        DropIn as _PEER;
        /// Connections accepted.
        ACCEPTED = Counter("peer_accepted", None, []);
        /// Times a "quoted" \ thing
        /// was done.
        TIMES = Summary("peer_times_usec", None, ["command"]);
    }
    crate::metrics! {
        Own as _OWN;
        /// Calls.
        CALLS = Counter("shop_calls_total", None, ["path"]);
        /// Time used.
        TIME = Counter("shop_time_seconds_total", Seconds, []);
        /// How long calls took.
        DURATION = Histogram("shop_duration_seconds", Seconds, []);
        /// The share of hits.
        HITS = Gauge("shop_hit_ratio", Ratio, []);
    }

    fn outcome(target: &str) -> Arc<Outcome> {
        let mut out = Snapshot::default();
        out.push(&ACCEPTED, [], 7_u64);
        out.push(&HITS, [], 0.25);
        out.push(&TIME, [], 1.5);
        out.push(&CALLS, ["a\"b\\c\nd"], 18_446_744_073_709_551_615_u64);
        let mut duration = Histogram::observing(&[0.1, 1.0]);
        for seconds in [0.0, 0.1, 0.65] {
            duration.observe(seconds);
        }
        out.push_histogram(&DURATION, [], duration);
        out.push_summary(
            &TIMES,
            ["get"],
            Summary { quantiles: vec![(0.5, 3.0), (1.0, 9.5)], count: Some(4), sum: None },
        );
        Arc::new(Outcome {
            id: 0,
            collector: "shop",
            target: target.into(),
            duration: Duration::ZERO,
            ended: SystemTime::UNIX_EPOCH,
            findings: out.finish().0,
            failure: None,
            gaps: Vec::new(),
            tally: Tally::default(),
        })
    }

    pub(super) fn page(targets: &[&str]) -> Arc<Page> {
        Page::new(targets.iter().map(|target| outcome(target)).collect(), Findings::default())
    }

    fn render(targets: &[&str], format: Format) -> String {
        String::from_utf8(page(targets).render(format, false).to_vec()).unwrap()
    }

    #[test]
    fn text_0_0_4() {
        expect_test::expect![[r##"
            # HELP peer_accepted Connections accepted.
            # TYPE peer_accepted counter
            peer_accepted{target="cache"} 7
            # HELP peer_times_usec Times a "quoted" \\ thing was done.
            # TYPE peer_times_usec summary
            peer_times_usec{command="get",target="cache",quantile="0.5"} 3
            peer_times_usec{command="get",target="cache",quantile="1.0"} 9.5
            peer_times_usec_count{command="get",target="cache"} 4
            # HELP shop_calls_total Calls.
            # TYPE shop_calls_total counter
            shop_calls_total{path="a\"b\\c\nd",target="cache"} 18446744073709552000
            # HELP shop_duration_seconds How long calls took.
            # TYPE shop_duration_seconds histogram
            shop_duration_seconds_bucket{target="cache",le="0.1"} 2
            shop_duration_seconds_bucket{target="cache",le="1.0"} 3
            shop_duration_seconds_bucket{target="cache",le="+Inf"} 3
            shop_duration_seconds_sum{target="cache"} 0.75
            shop_duration_seconds_count{target="cache"} 3
            # HELP shop_hit_ratio The share of hits.
            # TYPE shop_hit_ratio gauge
            shop_hit_ratio{target="cache"} 0.25
            # HELP shop_time_seconds_total Time used.
            # TYPE shop_time_seconds_total counter
            shop_time_seconds_total{target="cache"} 1.5
        "##]]
        .assert_eq(&render(&["cache"], Format::Text));
    }

    #[test]
    fn openmetrics() {
        expect_test::expect![[r##"
            # HELP peer_accepted Connections accepted.
            # TYPE peer_accepted unknown
            peer_accepted{target="cache"} 7
            # HELP peer_times_usec Times a \"quoted\" \\ thing was done.
            # TYPE peer_times_usec unknown
            peer_times_usec{command="get",target="cache",quantile="0.5"} 3
            peer_times_usec{command="get",target="cache",quantile="1.0"} 9.5
            # HELP peer_times_usec_count Times a \"quoted\" \\ thing was done.
            # TYPE peer_times_usec_count unknown
            peer_times_usec_count{command="get",target="cache"} 4
            # HELP shop_calls Calls.
            # TYPE shop_calls counter
            shop_calls_total{path="a\"b\\c\nd",target="cache"} 18446744073709552000
            # HELP shop_duration_seconds How long calls took.
            # TYPE shop_duration_seconds histogram
            # UNIT shop_duration_seconds seconds
            shop_duration_seconds_bucket{target="cache",le="0.1"} 2
            shop_duration_seconds_bucket{target="cache",le="1.0"} 3
            shop_duration_seconds_bucket{target="cache",le="+Inf"} 3
            shop_duration_seconds_sum{target="cache"} 0.75
            shop_duration_seconds_count{target="cache"} 3
            # HELP shop_hit_ratio The share of hits.
            # TYPE shop_hit_ratio gauge
            # UNIT shop_hit_ratio ratio
            shop_hit_ratio{target="cache"} 0.25
            # HELP shop_time_seconds Time used.
            # TYPE shop_time_seconds counter
            # UNIT shop_time_seconds seconds
            shop_time_seconds_total{target="cache"} 1.5
            # EOF
        "##]]
        .assert_eq(&render(&["cache"], Format::OpenMetrics("1.0.0")));
    }

    #[test]
    fn a_drop_in_of_the_main_target_carries_no_target_label_and_our_own_does() {
        let text = render(&[MAIN], Format::Text);
        assert!(text.contains("\npeer_accepted 7\n"), "{text}");
        assert!(text.contains("\nshop_hit_ratio{target=\"main\"} 0.25\n"), "{text}");
    }

    #[test]
    fn two_targets_share_one_family() {
        let text = render(&[MAIN, "cache"], Format::Text);
        assert_eq!(text.matches("# TYPE peer_accepted counter").count(), 1);
        assert!(text.contains("\npeer_accepted 7\npeer_accepted{target=\"cache\"} 7\n"), "{text}");
    }
    #[test]
    fn a_counter_whose_name_a_server_took_is_unknown_in_openmetrics() {
        let mut out = Snapshot::default();
        out.push(&CALLS, ["a"], 1_u64);
        let desc = Desc { name: "shop_calls".into(), ..ACCEPTED.desc().clone() };
        let found = Desc { kind: crate::metric::Kind::Unknown, ..desc };
        out.push_family(crate::metric::Family::Found(Arc::new(found)), &[], 2_u64);
        let page = Page::new(Vec::new(), out.finish().0);
        let text = String::from_utf8(page.render(Format::OpenMetrics("1.0.0"), false).to_vec()).unwrap();
        expect_test::expect![[r##"
            # HELP shop_calls Connections accepted.
            # TYPE shop_calls unknown
            shop_calls 2
            # HELP shop_calls_total Calls.
            # TYPE shop_calls_total unknown
            shop_calls_total{path="a"} 1
            # EOF
        "##]]
        .assert_eq(&text);
    }
}
