//! A page is valid in each format whatever it is made of, and holds what went in.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::exposition::{Format, Page};
use crate::histogram::Histogram;
use crate::metric::{Desc, Family, Kind, Table, Tier, Unit};
use crate::schedule::{Outcome, Tally};
use crate::snapshot::{FAMILY_SERIES, Findings, RUN_SERIES, Snapshot, Summary, Value};

/// The reader that the tests read the program's pages with: what a lenient scraper would forgive is an error there.
#[path = "../../tests/it/support/scrape/mod.rs"]
#[cfg_attr(fuzzing, expect(dead_code, reason = "the tests use more of it"))]
mod strict;

/// Ends a run, and reads what would be shown of it: in one format while fuzzing, which has many inputs, else in both.
pub(crate) fn judge(out: Snapshot, input: &[u8]) {
    let (findings, gaps, _) = out.finish();
    let outcome = Outcome {
        id: 0,
        collector: "fuzz",
        target: "main".into(),
        duration: Duration::ZERO,
        ended: SystemTime::UNIX_EPOCH,
        findings,
        failure: None,
        gaps,
        tally: Tally::default(),
    };
    let complaint = outcome.complaint();
    assert!(complaint.chars().count() <= 1_001 && !complaint.contains(char::is_control), "{complaint:?}");
    if outcome.findings.is_empty() {
        return;
    }
    assert!(outcome.findings.len() <= RUN_SERIES);
    let outcome = Arc::new(outcome);
    let page = Page::new(vec![outcome.clone()], Findings::default());
    for (index, format) in [Format::Text, Format::OpenMetrics("1.0.0")].into_iter().enumerate() {
        if cfg!(fuzzing) && input.len() % 2 != index {
            continue;
        }
        let text = page.render(format, false);
        let text = str::from_utf8(&text).expect("a page is text");
        let read = strict::Page::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        compare(&outcome.findings, &read, format);
    }
}

/// Asserts that the page says what was found: HELP, labels and values, nothing more and nothing less.
fn compare(findings: &Findings, page: &strict::Page, format: Format) {
    let mut read = page.families.iter();
    for (family, group) in findings.families() {
        let mut shown = read.next().unwrap_or_else(|| panic!("{} is not shown", family.name));
        assert_eq!(shown.name, family.name);
        assert_eq!(shown.help, family.help, "{}", family.name);
        assert!(group.samples().count() <= FAMILY_SERIES);
        let mut series = shown.series.iter();
        for (labels, value) in group.samples() {
            for (suffix, number) in numbers(value, format) {
                let Some(one) = series.next() else { panic!("{}: a sample is missing", family.name) };
                assert_eq!(one.name.strip_prefix(&*family.name), Some(suffix));
                // Zero has no sign on a page.
                assert_eq!(one.value, number, "{}", family.name);
                for (name, label) in family.labels.iter().zip(labels.clone()) {
                    assert_eq!(one.labels.get(&**name).map(String::as_str), Some(label), "{}", family.name);
                }
                let own = usize::from(family.tier == Tier::Own)
                    + usize::from(matches!(value, Value::Summary(_)) && suffix.is_empty());
                let bound = usize::from(suffix == "_bucket");
                assert_eq!(one.labels.len(), family.labels.len() + own + bound, "{:?}", one.labels);
            }
        }
        // OpenMetrics has count and sum of a summary as families of their own.
        if format != Format::Text && family.kind == Kind::Summary {
            let parts =
                ["_count", "_sum"].into_iter().filter(|part| has(group.samples().map(|(_, value)| value), part));
            for part in parts {
                shown = read.next().expect("a summary has its parts");
                assert_eq!(shown.name.strip_prefix(&*family.name), Some(part));
            }
        } else {
            assert!(series.next().is_none(), "{}: more samples than were found", family.name);
        }
    }
    assert!(read.next().is_none(), "more families than were found");
}

/// Whether one of the summaries has this part.
fn has<'a>(mut values: impl Iterator<Item = &'a Value>, part: &str) -> bool {
    values.any(|value| match value {
        Value::Summary(summary) if part == "_count" => summary.count.is_some(),
        Value::Summary(summary) => summary.sum.is_some(),
        _ => false,
    })
}

/// The samples that a value is written as: the end of the name, and the number.
fn numbers(value: &Value, format: Format) -> Vec<(&'static str, f64)> {
    use crate::snapshot::Number as _;
    match value {
        Value::Number(number) => vec![("", *number)],
        Value::Histogram(histogram) => {
            let mut below = 0;
            let buckets = histogram.buckets.iter().map(|(_, count)| {
                below += count;
                ("_bucket", below.number())
            });
            let buckets: Vec<_> = buckets.collect();
            let rest = [("_sum", histogram.sum), ("_count", histogram.count().number())];
            [&buckets[..], &rest].concat()
        }
        Value::Summary(summary) => {
            let quantiles = summary.quantiles.iter().map(|(_, value)| ("", *value));
            let sum = summary.sum.map(|sum| ("_sum", sum));
            let count = summary.count.map(|count| ("_count", count.number()));
            let rest = sum.into_iter().chain(count).filter(|_| format == Format::Text);
            quantiles.chain(rest).collect()
        }
    }
}

crate::metrics! {
    DropIn as _PEER;
    /// A counter under another exporter's name.
    ACCEPTED = Counter("peer_accepted", None, ["a", "b"]);
    /// A summary.
    TIMES = Summary("peer_times_usec", None, ["command"]);
}

crate::metrics! {
    Own as _OWN;
    /// A counter.
    CALLS = Counter("shop_calls_total", None, ["path"]);
    /// A counter with a unit.
    TIME = Counter("shop_time_seconds_total", Seconds, []);
    /// A histogram.
    DURATION = Histogram("shop_duration_seconds", Seconds, ["path"]);
    /// A gauge.
    HITS = Gauge("shop_hit_ratio", Ratio, ["path"]);
}

/// A table whose fields are named by whoever is at the other end.
static FIELDS: Table = Table::new("FIELDS", "shop_", "calls\tshop_calls_total\tcounter\t-\tCalls.\n");

/// Samples of every kind with any labels, names and numbers, as the bytes say.
pub(super) fn page(bytes: &[u8]) {
    let mut out = Snapshot::default();
    let mut left = bytes;
    while let Some((kind, rest)) = left.split_first() {
        let (number, rest) = taken(rest);
        let (text, rest) = text(rest);
        left = rest;
        let value = f64::from_bits(number);
        match kind % 9 {
            0 => out.push(&ACCEPTED, [&text, "b"], value),
            1 => out.push(&ACCEPTED, ["a", &text], number),
            2 => out.push(&CALLS, [&text], value),
            3 => out.push(&TIME, [], value),
            4 => out.push(&HITS, [&text], value),
            5 => out.push_histogram(&DURATION, [&text], histogram(number)),
            6 => out.push_summary(&TIMES, [&text], summary(number)),
            7 => out.push_family(FIELDS.get_or_unknown(&text), &[], value),
            _ => out.push_family(said(&text), &["x"], value),
        }
    }
    judge(out, bytes);
}

/// The next eight bytes as a number; the missing ones are 0.
fn taken(bytes: &[u8]) -> (u64, &[u8]) {
    let (head, rest) = bytes.split_at(bytes.len().min(8));
    let mut number = [0; 8];
    number[..head.len()].copy_from_slice(head);
    (u64::from_le_bytes(number), rest)
}

/// A text behind its length.
fn text(bytes: &[u8]) -> (Cow<'_, str>, &[u8]) {
    let Some((length, rest)) = bytes.split_first() else { return (Cow::Borrowed(""), bytes) };
    let (text, rest) = rest.split_at(rest.len().min(usize::from(*length)));
    (String::from_utf8_lossy(text), rest)
}

/// A family whose HELP is any text.
fn said(help: &str) -> Family {
    Family::Found(Arc::new(Desc {
        name: "query_orders".into(),
        kind: Kind::Gauge,
        unit: Unit::None,
        tier: Tier::DropIn,
        labels: vec![Cow::Borrowed("shelf")].into(),
        help: help.to_owned().into(),
    }))
}

fn histogram(number: u64) -> Histogram {
    let [a, b, c, d, ..] = number.to_le_bytes();
    let bounds = [f64::from(a) / 8.0, f64::from(a) / 8.0 + f64::from(b) + 0.5];
    Histogram {
        buckets: bounds.into_iter().zip([c, d].map(u64::from)).collect(),
        sum: f64::from(a) * f64::from(d),
        native: None,
    }
}

fn summary(number: u64) -> Summary {
    let [a, b, c, flags, ..] = number.to_le_bytes();
    let quantiles = [(0.5, f64::from(a)), (f64::from(b) / 600.0 + 0.55, f64::from(c))];
    Summary {
        quantiles: quantiles.into_iter().take(usize::from(flags & 3)).collect(),
        count: (flags & 4 != 0).then_some(number),
        sum: (flags & 8 != 0).then_some(f64::from(c)),
    }
}
