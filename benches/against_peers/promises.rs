//! What is promised of a release build; README and design name the same figures.

use std::time::Duration;

use crate::cost::Cost;
use crate::promise::Promise;
use crate::report::{Report, megabytes, milliseconds};

const RSS_MEGABYTES: f64 = 20.0;
const PROGRAM_MEGABYTES: f64 = 15.0;
const CPU_PART_OF_PEERS: f64 = 0.25;
const FIRST_PAGE_MILLISECONDS: f64 = 50.0;

/// What 200 scrapes at once should not exceed; aimed at, not promised.
pub(crate) const CROWD_MEGABYTES: f64 = 5.0;

impl Report {
    /// What is promised of ours with every collector on, each with its verdict. Where there are several figures, of
    /// several ways to ask and several generations of peers, the worst counts.
    pub(crate) fn promises(&self) -> Vec<Promise> {
        let (ours, cost) = self.everything();
        let sums: Vec<_> = self.generations().into_iter().map(|peers| self.sum(&peers)).collect();
        let pairs = || sums.iter().flat_map(|sum| sum.scrapes.iter().zip(&cost.scrapes));
        let part = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
        let cpu = pairs().map(|(theirs, ours)| part(ours.cpu, theirs.cpu)).fold(0.0, f64::max);
        let slow = pairs().max_by(|a, b| part(a.1.p99, a.0.p50).total_cmp(&part(b.1.p99, b.0.p50)));
        let slow = slow.map(|(theirs, ours)| (ours.p99, theirs.p50)).expect("there are peers");
        let starts = self.starts.iter().filter(|start| start.promised).map(|start| milliseconds(start.median));
        let first_page = starts.fold(0.0, f64::max);
        vec![
            Promise::below("resident memory", megabytes(cost.rss), RSS_MEGABYTES, " MB"),
            Promise::below("CPU of a scrape, as a part of the peers' together", cpu, CPU_PART_OF_PEERS, ""),
            Promise::below(
                "p99, below the median of the slowest peer",
                milliseconds(slow.0),
                milliseconds(slow.1),
                " ms",
            ),
            Promise::below("size of the program", megabytes(ours.program), PROGRAM_MEGABYTES, " MB"),
            Promise::below("start to first page, the slower of two", first_page, FIRST_PAGE_MILLISECONDS, " ms"),
        ]
    }

    /// What these exporters cost together.
    pub(crate) fn sum(&self, peers: &[usize]) -> Cost {
        Cost::sum(peers.iter().map(|&index| &self.costs[index]))
    }
}
