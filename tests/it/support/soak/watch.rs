//! What must hold over a long time: nothing grows, and no counter goes back.

use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Display};

use crate::support::exporter::Exporter;
use crate::support::process;
use crate::support::scrape::{Page, Series};

/// How much more of each there may be in the last quarter than in the second, and why that is no leak.
const LIMITS: [(&str, u64, &str); 3] = [
    ("memory of its own (RssAnon), KiB", 1_536, "the allocator keeps pages of one arena for each worker thread"),
    ("open file descriptors", 4, "connections are kept, one for the scrape and one for the timers of each server"),
    ("threads", 1, "a thread that asks drivers or mounts is alive or has just ended"),
];

/// How many complaints are kept.
const COMPLAINTS: usize = 20;

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Broken promises.
    pub(super) complaints: Vec<String>,
    counters: HashMap<(String, String), f64>,
    /// The names of counters; OpenMetrics calls some of them unknown.
    names: BTreeSet<String>,
    compared: u64,
    weights: Vec<[u64; LIMITS.len()]>,
    /// The medians of the second and of the last quarter.
    medians: [[u64; LIMITS.len()]; 2],
}

impl Watch {
    /// Notes a broken promise.
    pub(super) fn complain(&mut self, complaint: String) {
        if self.complaints.len() < COMPLAINTS {
            self.complaints.push(complaint);
        }
    }

    /// Forgets the counters of families whose names start so.
    pub(super) fn forget(&mut self, prefix: &str) {
        self.counters.retain(|(name, _), _| !name.starts_with(prefix));
    }

    /// Compares every counter with what it was; those of the families that start with `exempt` are not looked at.
    pub(super) fn look(&mut self, page: &Page, exempt: Option<&str>) {
        for family in &page.families {
            let is_counter = matches!(family.kind.as_str(), "counter" | "histogram");
            if is_counter {
                self.names.insert(family.name.clone());
            }
            if !self.names.contains(&family.name) || exempt.is_some_and(|prefix| family.name.starts_with(prefix)) {
                continue;
            }
            for series in &family.series {
                self.compare(series);
            }
        }
    }

    fn compare(&mut self, series: &Series) {
        let key = (series.name.clone(), format!("{:?}", series.labels));
        let before = self.counters.insert(key, series.value);
        self.compared += u64::from(before.is_some());
        if let Some(before) = before.filter(|before| series.value < *before) {
            self.complain(format!("{}{:?} went from {before} to {}", series.name, series.labels, series.value));
        }
    }

    /// Notes what the process has.
    pub(super) fn weigh(&mut self, exporter: &Exporter) {
        let pid = exporter.pid();
        let count = |number: usize| u64::try_from(number).expect("a number of things in one process");
        let weight = [process::anonymous_bytes(pid) >> 10, count(exporter.fds()), count(process::threads(pid))];
        self.weights.push(weight);
    }

    /// Compares the last quarter with the second.
    pub(super) fn settle(&mut self, scrapes: usize) {
        let quarter = self.weights.len() / 4;
        assert!(quarter > 0, "{scrapes} scrapes are too few to tell anything");
        let parts = [quarter..2 * quarter, 3 * quarter..self.weights.len()];
        self.medians =
            parts.map(|part| std::array::from_fn(|what| median(self.weights[part.clone()].iter().map(|w| w[what]))));
        let [second, last] = self.medians;
        for ((what, limit, _), (second, last)) in LIMITS.iter().zip(second.iter().zip(last)) {
            if last > second + limit {
                self.complain(format!("{what}: {second} in the second quarter, {last} in the last"));
            }
        }
        if self.compared == 0 {
            self.complain("no counter was ever compared".to_owned());
        }
    }
}

fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}

/// The figures as Markdown.
impl Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| median | second quarter | last quarter | may grow by | because |\n|---|--:|--:|--:|---|")?;
        let [second, last] = self.medians;
        for ((what, limit, why), (second, last)) in LIMITS.iter().zip(second.iter().zip(last)) {
            writeln!(f, "| {what} | {second} | {last} | {limit} | {why} |")?;
        }
        writeln!(
            f,
            "\n{} counters were compared {} times with what they were a scrape before; none went back but with a \
             restart of its server.",
            self.counters.len(),
            self.compared
        )
    }
}
