//! The parts of what the exporter does with a line, one after the other, each with all before it.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use vitrin::collectors::access_log::Config;
use vitrin::collectors::access_log::classes::Route;
use vitrin::collectors::access_log::security::{Signals, Surroundings};
use vitrin::collectors::access_log::tally::Tally;

use crate::{Cost, log};

/// Rounds, of which the quickest counts: whatever else runs on the machine only ever adds.
const ROUNDS: usize = 5;

/// So many lines are enough to see whether lines allocate.
const ALLOCATING: usize = 200_000;

/// A part, with all before it.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) cost: Cost,
}

/// The collector's own parts, as a configuration makes them.
struct Parts {
    config: Config,
    tally: Tally,
    signals: Signals,
}

impl Parts {
    fn new() -> Self {
        let text = format!("files = ['/access.log']\nformat = '''{}'''\nshop = 'opencart3'", log::FORMAT);
        let config: Config = toml::from_str(&text).unwrap();
        let around = Surroundings { shops: &config.shops, has_error_log: false, own_agent: None };
        let signals = Signals::new(&config.security, around);
        Self { tally: Tally::new("", [], 100_000), signals, config }
    }

    /// All that is done with a line.
    fn count(&mut self, line: &[u8]) {
        let line = self.config.format.parse(line).unwrap();
        let route = self.config.routes.route(&line);
        self.tally.count(&line, route);
        self.signals.see(&line, route);
    }
}

/// What each part costs.
pub(crate) fn of(log: &[u8]) -> Vec<Stage> {
    let mut parts = Parts::new();
    let Parts { config, tally, .. } = &mut parts;
    let splitting = cost(log, |line| {
        black_box(line);
    });
    let parsing = cost(log, |line| {
        black_box(config.format.parse(line).unwrap());
    });
    let counting = cost(log, |line| tally.count(&config.format.parse(line).unwrap(), Route::Other));
    let routing = cost(log, |line| {
        let line = config.format.parse(line).unwrap();
        tally.count(&line, config.routes.route(&line));
    });
    let all = cost(log, |line| parts.count(line));
    [
        ("the line found", splitting),
        ("its fields read", parsing),
        ("counted, with both times", counting),
        ("by the kind of page", routing),
        ("and looked at for signs of an attack", all),
    ]
    .map(|(name, cost)| Stage { name, cost })
    .into()
}

/// How often something was allocated while lines were read and counted, and while they were looked at for signs of an
/// attack as well, behind as many lines that made what has to be made once. The latter remembers clients, in tables that
/// grow to their bounds.
pub(crate) fn allocations(log: &[u8]) -> [u64; 2] {
    let mut parts = Parts::new();
    let counted = allocated(log, |line| {
        let Parts { config, tally, .. } = &mut parts;
        let line = config.format.parse(line).unwrap();
        tally.count(&line, config.routes.route(&line));
    });
    let mut parts = Parts::new();
    [counted, allocated(log, |line| parts.count(line))]
}

fn allocated(log: &[u8], mut each: impl FnMut(&[u8])) -> u64 {
    let half = lines(log).take(2 * ALLOCATING).count() / 2;
    lines(log).take(half).for_each(&mut each);
    // It would write a file when it is dropped, if it were not for testing.
    let profiler = dhat::Profiler::builder().testing().build();
    lines(log).skip(half).take(half).for_each(&mut each);
    let allocations = dhat::HeapStats::get().total_blocks;
    drop(profiler);
    allocations
}

fn cost(log: &[u8], mut each: impl FnMut(&[u8])) -> Cost {
    let mut count = 0;
    let mut round = || {
        let begun = time();
        count = 0;
        for line in lines(log) {
            each(line);
            count += 1;
        }
        time().saturating_sub(begun)
    };
    let cpu = (0..ROUNDS).map(|_| round()).min().unwrap();
    Cost { lines: count, cpu }
}

fn lines(log: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    memchr::memchr_iter(b'\n', log).map(move |end| {
        let line = &log[from..end];
        from = end + 1;
        line
    })
}

/// The processor's time of this thread.
fn time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}
