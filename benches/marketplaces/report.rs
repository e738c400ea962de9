//! What was measured, in words for `docs/performance.md`.

use std::fmt;
use std::time::Duration;

use crate::accounts::PROBES;
use crate::cost::{Cost, FORMS};
use crate::machine::Machine;
use crate::support::scrape::Page;
use crate::table::Table;

/// What nine accounts should not exceed, in resident memory and the processor's time of a scrape; aimed at, not promised.
const RSS_MEGABYTES: f64 = 3.0;
const CPU_MILLISECONDS: f64 = 0.3;

/// All figures of a run.
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) scrapes: usize,
    /// Alone and beside every collector: first both without accounts, then both with.
    pub(crate) costs: Vec<Cost>,
    /// Of the accounts.
    pub(crate) series: usize,
    /// The processor's time for a request to a marketplace.
    pub(crate) request: Duration,
}

/// Beside what the accounts are.
const BESIDE: [&str; 2] = ["nothing else", "every other collector"];

impl Report {
    /// What the accounts cost beside all else: what one costs more than the other.
    fn accounts(&self, beside: usize) -> More {
        let [without, with] = [&self.costs[beside], &self.costs[beside + BESIDE.len()]];
        let more = |of: fn(&Cost) -> u64| megabytes(of(with)) - megabytes(of(without));
        let cpu = |form: usize| milliseconds(with.scrapes[form].cpu) - milliseconds(without.scrapes[form].cpu);
        More { rss: more(|cost| cost.rss), anonymous: more(|cost| cost.anonymous), cpu: std::array::from_fn(cpu) }
    }
}

/// By how much one costs more than another: megabytes, and milliseconds of the processor in each form.
struct More {
    rss: f64,
    anonymous: f64,
    cpu: [f64; FORMS.len()],
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { date, processors, kernel, debian, load } = &self.machine;
        writeln!(f, "Measured on {date}: {processors}, Linux {kernel}, {debian}; load before the run {load}.")?;
        writeln!(f, "{PROBES} probes with {} series; {} scrapes in each form.\n", self.series, self.scrapes)?;
        let goal = |unit: &str, goal: f64| format!("{unit} more (goal: {goal})");
        let (memory_goal, cpu_goal) = (goal("MB", RSS_MEGABYTES), goal("ms", CPU_MILLISECONDS));
        let by_goal = |more: f64, goal: f64| format!("{:.1}×", more / goal);
        let accounts = "the accounts beside";
        let mut memory =
            Table::new(&[accounts, "RSS MB without them", "with", &memory_goal, "of it anonymous", "by goal"]);
        let head = ["a scrape", accounts, "CPU ms without them", "with", &cpu_goal, "by goal", "kB with"];
        let mut cpu = Table::new(&head);
        for (beside, what) in BESIDE.into_iter().enumerate() {
            let (more, pair) = (self.accounts(beside), [beside, beside + BESIDE.len()].map(|index| &self.costs[index]));
            let rss = pair.map(|cost| megabytes(cost.rss));
            let figures = [rss[0], rss[1], more.rss, more.anonymous].map(|megabytes| format!("{megabytes:.2}"));
            memory.row(what, figures.into_iter().chain([by_goal(more.rss, RSS_MEGABYTES)]));
            for (form, how) in FORMS.iter().enumerate() {
                let scrapes = pair.map(|cost| cost.scrapes[form]);
                let [without, with] = scrapes.map(|scrape| milliseconds(scrape.cpu));
                let times = [without, with, more.cpu[form]].map(|time| format!("{time:.2}"));
                let kilobytes = format!("{:.1}", megabytes(scrapes[1].bytes as u64) * 1e3);
                let last = [by_goal(more.cpu[form], CPU_MILLISECONDS), kilobytes];
                cpu.row(how.name, [what.to_owned()].into_iter().chain(times).chain(last));
            }
        }
        writeln!(f, "{memory}\n{cpu}")?;
        let request = milliseconds(self.request);
        writeln!(f, "A request to a marketplace, with its TLS handshake: {request:.2} ms of the processor.")
    }
}

/// How many series a page has.
pub(crate) fn series(page: &Page) -> usize {
    page.families.iter().map(|family| family.series.len()).sum()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
