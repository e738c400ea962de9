//! Answers as samples: labels from closed lists, rows that differ in nothing that is shown put together.

use std::collections::{BTreeMap, BTreeSet};

use super::metrics::{Merge, named};
use super::statement::SEPARATOR;
use crate::collector::{Failure, Reason};
use crate::collectors::mysql::rows::{Row, Rows};
use crate::metric::Desc;

/// The most values of one label in one answer; the rest is `other`.
const VALUES: usize = 20;

/// The longest value of a label.
const VALUE_BYTES: usize = 40;

/// How far the server's clock may be ahead of ours.
const SKEW: f64 = 600.0;

/// All states that an order, a job or a listing can be shown in.
const STATES: [&str; 18] = [
    "active",
    "cancelled",
    "complete",
    "error",
    "failed",
    "inactive",
    "missed",
    "pending",
    "processing",
    "refunded",
    "rejected",
    "running",
    "shipped",
    "success",
    "synced",
    "syncing",
    "unfinished",
    "other",
];

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) desc: &'static Desc,
    pub(super) labels: Vec<String>,
    pub(super) value: f64,
}

/// The samples in an answer, and what is wrong with it; `now` is Unix time.
///
/// A column whose name is that of a metric holds its values, with the labels that its name goes on with; the labels that
/// are not in it are the columns of their names. NULL is no sample.
pub(super) fn samples(rows: &Rows, now: f64) -> (Vec<Sample>, Vec<Failure>) {
    let shown = Shown::of(rows);
    let mut sums: BTreeMap<(&str, Vec<String>), (&'static Desc, f64)> = BTreeMap::new();
    let mut complaints = BTreeMap::new();
    for row in rows.iter() {
        for (column, text) in row.cells() {
            let mut parts = column.split(SEPARATOR);
            let Some(desc) = parts.next().and_then(named) else { continue };
            // The statement's own words, as long as the server tells the truth.
            let given: Vec<_> = parts.filter_map(|label| legal("window", label)).collect();
            if given.len() != column.matches(SEPARATOR).count() || given.len() > desc.labels.len() {
                complaints.insert(column.to_owned(), (Reason::Protocol, "has labels that it was not given".to_owned()));
                continue;
            }
            let Some(value) = crate::collectors::mysql::rows::number(text) else {
                complaints.insert(column.to_owned(), (Reason::Protocol, "holds a value that is no number".to_owned()));
                continue;
            };
            // As many as are given are the last of them.
            let from_row = desc.labels.len() - given.len();
            let mut labels: Vec<_> = desc.labels[..from_row].iter().map(|label| shown.value(label, row)).collect();
            labels.extend(given);
            if desc.name.ends_with("_timestamp_seconds") && value > now + SKEW {
                let message = "is in the future: the shop writes its times in another time zone than its server has; \
                               say which in `time_zone` of [mysql.targets.<name>.shop]";
                complaints.insert(column.to_owned(), (Reason::Protocol, message.to_owned()));
                continue;
            }
            // The sum of different currencies is nothing.
            if desc.labels.iter().zip(&labels).any(|(label, value)| label == "currency" && value == OTHER) {
                complaints.insert(column.to_owned(), (Reason::Limit, "has too many currencies".to_owned()));
                continue;
            }
            sums.entry((&desc.name, labels))
                .and_modify(|(_, sum)| *sum = Merge::of(desc).apply(*sum, value))
                .or_insert((desc, value));
        }
    }
    let samples = sums.into_iter().map(|((_, labels), (desc, value))| Sample { desc, labels, value }).collect();
    let failures = complaints.into_iter().map(|(column, (reason, what))| {
        let name = column.split(SEPARATOR).next().unwrap_or_default().to_owned();
        Failure::message(reason, format!("{name} {what}"))
    });
    let mut failures: Vec<_> = failures.collect();
    failures.dedup_by_key(|failure| failure.to_string());
    (samples, failures)
}

/// What all else is called.
const OTHER: &str = "other";

/// The values that are shown of each label.
struct Shown<'a>(BTreeMap<&'a str, BTreeSet<String>>);

impl<'a> Shown<'a> {
    fn of(rows: &'a Rows) -> Self {
        let labels =
            rows.columns().iter().filter(|column| named(column.split(SEPARATOR).next().unwrap_or(column)).is_none());
        let of_label = |label: &'a String| {
            let values: BTreeSet<_> = rows.iter().filter_map(|row| legal(label, row.text(label)?)).collect();
            (label.as_str(), values.into_iter().take(VALUES).collect())
        };
        Self(labels.map(of_label).collect())
    }

    fn value(&self, label: &str, row: Row<'_>) -> String {
        let value = row.text(label).and_then(|text| legal(label, text));
        let is_shown = |value: &String| self.0.get(label).is_some_and(|shown| shown.contains(value));
        value.filter(is_shown).unwrap_or_else(|| OTHER.to_owned())
    }
}

/// A label's value as it may be shown; `None` when it is one of `other`.
fn legal(label: &str, text: &str) -> Option<String> {
    match label {
        "status" => {
            let text = text.to_ascii_lowercase();
            STATES.contains(&text.as_str()).then_some(text)
        }
        "currency" => {
            let text = text.to_ascii_uppercase();
            (text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())).then_some(text)
        }
        _ => {
            let text = text.trim().to_ascii_lowercase();
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
            let good = (1..=VALUE_BYTES).contains(&text.len()) && text.bytes().all(plain);
            good.then_some(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const NOW: f64 = 1_800_000_000.0;

    fn shown(rows: &str) -> (Vec<String>, Vec<String>) {
        let (samples, failures) = samples(&Rows::recorded(rows), NOW);
        let line = |sample: Sample| format!("{} {:?} {}", sample.desc.name, sample.labels, sample.value);
        (samples.into_iter().map(line).collect(), failures.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn rows_that_differ_in_what_is_no_label_are_one_series() {
        let rows = "channel\tcurrency\tstatus\tshop_orders_recent:2h:0\tshop_orders_status_recent:2h\t\
                    shop_orders_revenue_recent:2h\n\
                    store_0\tTRY\tpending\t1\t1\t10.50\nstore_0\tTRY\tcomplete\t2\t2\t4\nstore_0\tEUR\tpending\t3\t3\t7";
        let (samples, failures) = shown(rows);
        assert_eq!(
            samples,
            [
                "shop_orders_recent [\"store_0\", \"2h\", \"0\"] 6",
                "shop_orders_revenue_recent [\"store_0\", \"EUR\", \"2h\"] 7",
                "shop_orders_revenue_recent [\"store_0\", \"TRY\", \"2h\"] 14.5",
                "shop_orders_status_recent [\"complete\", \"2h\"] 2",
                "shop_orders_status_recent [\"pending\", \"2h\"] 4",
            ]
        );
        assert!(failures.is_empty(), "{failures:?}");
    }

    #[test]
    fn what_no_list_knows_is_other_and_there_are_few_of_the_rest() {
        let (samples, _) =
            shown("queue\tstatus\tshop_queue_jobs\nAda Lovelace <a@b>\tlost\t2\nasync\tpending\t1\nNULL\tpending\t4");
        assert_eq!(
            samples,
            [
                "shop_queue_jobs [\"async\", \"pending\"] 1",
                "shop_queue_jobs [\"other\", \"other\"] 2",
                "shop_queue_jobs [\"other\", \"pending\"] 4",
            ]
        );
        let mut rows = "code\tshop_cron_last_success_timestamp_seconds".to_owned();
        for job in 0..1_000 {
            write!(rows, "\njob{job}\t{}", 1_700_000_000 + job).unwrap();
        }
        let (samples, _) = shown(&rows);
        assert_eq!(samples.len(), VALUES + 1);
        // The one that ran the longest ago, of those that have no series of their own.
        assert!(samples.iter().any(|line| line.contains("[\"other\"] 170000000")), "{samples:?}");
    }

    #[test]
    fn a_moment_to_come_is_a_wrong_time_zone_and_not_shown() {
        let (samples, failures) = shown("shop_orders_newest_timestamp_seconds\n1800010800");
        assert!(samples.is_empty(), "{samples:?}");
        assert!(matches!(failures.as_slice(), [failure] if failure.contains("in the future")), "{failures:?}");
        assert_eq!(shown("shop_orders_newest_timestamp_seconds\n1800000500").0.len(), 1);
        assert_eq!(shown("shop_orders_newest_timestamp_seconds\nNULL"), (vec![], vec![]));
    }

    #[test]
    fn a_server_that_makes_columns_up_makes_no_series() {
        let (samples, failures) =
            shown("shop_orders_newest_timestamp_seconds:a:b\tshop_orders_recent:Ada Lovelace:0\tshop_nothing\n1\t2\t3");
        assert!(samples.is_empty(), "{samples:?}");
        assert_eq!(failures.len(), 2, "{failures:?}");
    }

    #[test]
    fn currencies_are_never_added_up() {
        let (samples, failures) =
            shown("channel\tcurrency\tshop_orders_revenue_recent:2h\nweb\tTRY\t1\nweb\tzloty\t2\nweb\t\t3");
        assert_eq!(samples, ["shop_orders_revenue_recent [\"web\", \"TRY\", \"2h\"] 1"]);
        assert_eq!(failures, ["shop_orders_revenue_recent has too many currencies"]);
    }
}
