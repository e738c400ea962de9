//! What was measured, in words for `docs/performance.md`.

use std::fmt;
use std::time::Duration;

use crate::cost::{Cost, FORMS};
use crate::machine::Machine;
use crate::rounds::Spent;
use crate::support::scrape::Page;
use crate::table::Table;

/// What a round should not exceed in the processor's time; aimed at, not promised.
const ROUND_MILLISECONDS: f64 = 150.0;

/// All figures of a run.
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// What it costs root to write the facts.
    pub(crate) facts: Duration,
    /// Up to the first score.
    pub(crate) first: Spent,
    /// The rounds after it.
    pub(crate) rounds: Vec<Spent>,
    /// Of the score.
    pub(crate) series: usize,
    pub(crate) scrapes: usize,
    /// Without the score, and with it.
    pub(crate) costs: Vec<Cost>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { date, processors, kernel, debian, load } = &self.machine;
        writeln!(f, "Measured on {date}: {processors}, Linux {kernel}, {debian}; load before the run {load}.")?;
        writeln!(f, "{} series of the score; {} scrapes in each form.\n", self.series, self.scrapes)?;
        let goal = format!("CPU ms (goal: {ROUND_MILLISECONDS})");
        let mut rounds = Table::new(&["what", &goal, "by goal", "CPU ms of programs it runs"]);
        let mut row = |what: &str, spent: Spent| {
            let itself = milliseconds(spent.itself);
            let cells = [
                format!("{itself:.1}"),
                format!("{:.2}×", itself / ROUND_MILLISECONDS),
                format!("{:.1}", milliseconds(spent.children)),
            ];
            rounds.row(what, cells);
        };
        row("the first round, in which everything is due", self.first);
        let count = u32::try_from(self.rounds.len()).expect("some dozens");
        let together = self.rounds.iter().fold(Spent::default(), |sum, &round| sum + round);
        row(&format!("a round, the mean of {count} after it"), together / count.max(1));
        row("the dearest of these", self.rounds.iter().copied().max().unwrap_or_default());
        writeln!(f, "{rounds}")?;
        let facts = milliseconds(self.facts);
        writeln!(f, "`vitrin facts`, with all that it runs: {facts:.0} ms of the processor, each time.\n")?;
        let [without, with] = [&self.costs[0], &self.costs[1]];
        let mut memory = Table::new(&["memory", "MB without the score", "with", "MB more"]);
        let mut row = |what: &str, of: fn(&Cost) -> u64| {
            let [without, with] = [without, with].map(|cost| megabytes(of(cost)));
            memory.row(what, [without, with, with - without].map(|figure| format!("{figure:.2}")));
        };
        row("resident", |cost| cost.rss);
        row("of it anonymous", |cost| cost.anonymous);
        writeln!(f, "{memory}")?;
        let mut scrapes = Table::new(&["a scrape", "CPU ms without the score", "with", "ms more"]);
        for (form, how) in FORMS.iter().enumerate() {
            let [without, with] = [without, with].map(|cost| milliseconds(cost.scrapes[form].cpu));
            scrapes.row(how.name, [without, with, with - without].map(|figure| format!("{figure:.2}")));
        }
        write!(f, "{scrapes}")
    }
}

/// How many series of the score a page has.
pub(crate) fn series(page: &Page) -> usize {
    let families = page.families.iter().filter(|family| family.name.starts_with("security_"));
    families.map(|family| family.series.len()).sum()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
