//! What was measured, in words for `docs/performance.md`.

use std::fmt;

use crate::Cost;
use crate::following::Memory;
use crate::machine::Machine;
use crate::promise::{Promise, verdicts};
use crate::stages::Stage;
use crate::table::Table;

/// Lines in a second of the processor's time, read and counted.
const SPEED: f64 = 6e6;

/// How many times as quick as each of the others, which tell neither pages nor attacks apart.
const TIMES: f64 = 15.0;

/// How much memory may grow in the second half of what is followed, in bytes: by then the heap has found its size.
const GROWTH: u64 = 1 << 19;

/// All figures of a run.
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) lines: u64,
    /// Of a line.
    pub(crate) bytes: u64,
    pub(crate) stages: Vec<Stage>,
    /// Of the lines read and counted, and looked at for signs of an attack as well.
    pub(crate) allocations: [u64; 2],
    pub(crate) exporter: Cost,
    pub(crate) mtail: Cost,
    pub(crate) goaccess: Cost,
    pub(crate) memory: Memory,
}

impl Report {
    /// What the figures have to bear out.
    pub(crate) fn promises(&self) -> Vec<Promise> {
        let counted = self.stages[2].cost.speed();
        let times = |other: Cost| self.exporter.speed() / other.speed();
        let growth = self.memory.all - self.memory.half;
        let quicker = |what, other| Promise {
            what,
            measured: format!("{:.0}×", times(other)),
            limit: format!("{TIMES:.0}×"),
            kept: times(other) >= TIMES,
        };
        vec![
            Promise {
                what: "lines a second, read and counted",
                measured: millions(counted),
                limit: millions(SPEED),
                kept: counted >= SPEED,
            },
            quicker("the exporter, by mtail", self.mtail),
            quicker("the exporter, by GoAccess", self.goaccess),
            Promise {
                what: "allocations of 200,000 lines, read and counted",
                measured: self.allocations[0].to_string(),
                limit: "0".to_owned(),
                kept: self.allocations[0] == 0,
            },
            Promise {
                what: "growth of memory in the second half of ten gigabytes",
                measured: megabytes(growth),
                limit: megabytes(GROWTH),
                kept: growth <= GROWTH,
            },
        ]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { date, processors, kernel, debian, load } = &self.machine;
        writeln!(f, "Measured on {date}: {processors}, Linux {kernel}, {debian}; load before the run {load}.")?;
        writeln!(f, "{} lines of {} bytes; all times are the processor's.\n", self.lines, self.bytes)?;
        writeln!(f, "{}", verdicts(self.promises()))?;
        let mut costs = Table::new(&["reader", "lines a second", "ns a line", "as the exporter, times"]);
        let mut row = |name: &str, cost: Cost| {
            let times = self.exporter.speed() / cost.speed();
            costs.row(name, [millions(cost.speed()), format!("{:.0}", 1e9 / cost.speed()), format!("{times:.2}")]);
        };
        for Stage { name, cost } in &self.stages {
            row(name, *cost);
        }
        row("**the exporter**, the file read and scrapes answered", self.exporter);
        row("mtail: requests, bytes and both times by method", self.mtail);
        row("GoAccess, a report in JSON", self.goaccess);
        writeln!(f, "{costs}")?;
        let [_, looked_at] = self.allocations;
        writeln!(
            f,
            "Looking for signs of an attack as well allocates {looked_at} times: for what is posted, and to remember clients.\n"
        )?;
        let Memory { bytes, first, half, all } = self.memory;
        writeln!(
            f,
            "Following {:.1} GB of log, rotated every half gigabyte: at most {} resident in the first, {} in the first half, {} in all.\n",
            gigabytes(bytes),
            megabytes(first),
            megabytes(half),
            megabytes(all)
        )
    }
}

fn millions(number: f64) -> String {
    format!("{:.2} M", number / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / f64::from(1 << 20))
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}
