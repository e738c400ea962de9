//! The table, and the promises that it must bear out.

use std::fmt;
use std::time::Duration;

use super::cost::Cost;

const MEGABYTE: f64 = 1e6;

/// What is promised of a release build; README and design name the same figures.
const RSS_MEGABYTES: f64 = 20.0;
const BINARY_MEGABYTES: f64 = 15.0;
const CPU_PART_OF_PEERS: f64 = 0.25;

/// All that was measured in one run.
pub(crate) struct Report {
    pub(crate) peers: Vec<(&'static str, Cost)>,
    /// Ours with the collectors that stand in for these peers, and with all of them.
    pub(crate) same: Cost,
    pub(crate) all: Cost,
    /// Size of our program.
    pub(crate) binary: u64,
}

/// A promise, what was measured, and whether it was kept.
pub(crate) struct Promise {
    what: &'static str,
    measured: String,
    pub(crate) kept: bool,
}

impl Report {
    fn sum(&self) -> Cost {
        Cost::sum(self.peers.iter().map(|(_, cost)| *cost))
    }

    /// What is promised, each with its verdict.
    pub(crate) fn promises(&self) -> Vec<Promise> {
        let sum = self.sum();
        let at_most = |what, measured: f64, limit: f64, unit: &str| Promise {
            what,
            measured: format!("{measured:.2}{unit}, at most {limit}{unit}"),
            kept: measured <= limit,
        };
        let part = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
        let slowest = sum.plain.p50;
        vec![
            at_most("resident memory, all collectors", megabytes(self.all.rss), RSS_MEGABYTES, " MB"),
            at_most("size of the program", megabytes(self.binary), BINARY_MEGABYTES, " MB"),
            at_most("CPU beside the peers'", part(self.same.plain.cpu, sum.plain.cpu), CPU_PART_OF_PEERS, ""),
            at_most("CPU beside the peers', gzip", part(self.same.gzip.cpu, sum.gzip.cpu), CPU_PART_OF_PEERS, ""),
            Promise {
                what: "p99 under the slowest peer's p50",
                measured: format!("{:.2} ms, {:.2} ms", milliseconds(self.same.plain.p99), milliseconds(slowest)),
                kept: self.same.plain.p99 < slowest,
            },
        ]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| exporter | RSS MB | of it anonymous | CPU ms | gzip | p50 ms | p99 ms | gzip p50 | p99 | bytes | gzip |"
        )?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for (name, cost) in &self.peers {
            row(f, name, cost)?;
        }
        let sum = self.sum();
        row(f, "**the peers together** (times: the slowest)", &sum)?;
        row(f, "**vitrin, what they give**", &self.same)?;
        row(f, "**vitrin, all collectors**", &self.all)?;
        write!(f, "| the peers' by ours |")?;
        let bytes = |bytes: usize| megabytes(bytes as u64);
        let pairs = [
            (megabytes(sum.rss), megabytes(self.same.rss)),
            (megabytes(sum.anonymous), megabytes(self.same.anonymous)),
            (milliseconds(sum.plain.cpu), milliseconds(self.same.plain.cpu)),
            (milliseconds(sum.gzip.cpu), milliseconds(self.same.gzip.cpu)),
            (milliseconds(sum.plain.p50), milliseconds(self.same.plain.p50)),
            (milliseconds(sum.plain.p99), milliseconds(self.same.plain.p99)),
            (milliseconds(sum.gzip.p50), milliseconds(self.same.gzip.p50)),
            (milliseconds(sum.gzip.p99), milliseconds(self.same.gzip.p99)),
            (bytes(sum.plain.bytes), bytes(self.same.plain.bytes)),
            (bytes(sum.gzip.bytes), bytes(self.same.gzip.bytes)),
        ];
        for (theirs, ours) in pairs {
            write!(f, " {:.1}x |", theirs / ours)?;
        }
        writeln!(f, "\n")?;
        for Promise { what, measured, kept } in self.promises() {
            writeln!(f, "{} {what}: {measured}", if kept { "kept  " } else { "BROKEN" })?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, cost: &Cost) -> fmt::Result {
    let Cost { rss, anonymous, plain, gzip } = cost;
    write!(f, "| {name} | {:.1} | {:.1} |", megabytes(*rss), megabytes(*anonymous))?;
    for time in [plain.cpu, gzip.cpu, plain.p50, plain.p99, gzip.p50, gzip.p99] {
        write!(f, " {:.2} |", milliseconds(time))?;
    }
    writeln!(f, " {} | {} |", plain.bytes, gzip.bytes)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MEGABYTE
}
