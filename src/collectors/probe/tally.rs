//! What a target's probes came to since the program started, however seldom somebody looks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::ending::Ending;
use crate::histogram::Histogram;
use crate::snapshot::Snapshot;

crate::metrics! {
    Own as METRICS;
    /// Probes since Vitrin started, by how they ended: ok, or what was wrong; each has all results from the start.
    RESULTS = Counter("probe_results_total", None, ["result"]);
    /// How long the probes took that ended well, from looking up the name to the last byte, with all redirects.
    OK_DURATION = Histogram("probe_ok_duration_seconds", Seconds, []);
}

/// Upper bounds, in seconds: a page's usual times, with the objective of 100 ms exactly.
const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0];

/// The counts of one target.
#[derive(Debug)]
pub(super) struct Tally(Mutex<Counts>);

#[derive(Clone, Debug)]
struct Counts {
    results: [u64; Ending::ALL.len()],
    durations: Arc<Histogram>,
}

impl Default for Tally {
    fn default() -> Self {
        let durations = Histogram::observing(&BOUNDS).into();
        Self(Mutex::new(Counts { results: Default::default(), durations }))
    }
}

impl Tally {
    /// Counts a probe, and shows all that was counted.
    pub(super) fn count(&self, ending: Ending, took: Duration, out: &mut Snapshot) {
        let mut counts = self.0.lock().expect("no code panics while it holds this lock");
        counts.results[ending as usize] += 1;
        if ending == Ending::Ok {
            Arc::make_mut(&mut counts.durations).observe(took.as_secs_f64());
        }
        for ending in Ending::ALL {
            out.push(&RESULTS, [ending.as_str()], counts.results[ending as usize]);
        }
        out.push_histogram(&OK_DURATION, [], counts.durations.clone());
    }
}
