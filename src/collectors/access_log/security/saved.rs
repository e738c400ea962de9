//! What is kept over a restart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::waiting::{SavedWaiting, Waiting};
use super::{Counted, Signals};

/// What is kept over a restart: the counters, and the logins that wait. How full buckets are is not: a client that is at
/// it during a restart has to overdo it once more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    attempts: BTreeMap<String, u64>,
    violations: BTreeMap<String, u64>,
    incidents: BTreeMap<String, u64>,
    calls: BTreeMap<String, u64>,
    abuse: BTreeMap<String, u64>,
    limits: BTreeMap<String, u64>,
    evictions: u64,
    waiting: Option<SavedWaiting>,
}

impl Signals {
    /// What is to be kept over a restart.
    #[must_use]
    pub fn save(&self) -> Saved {
        let waiting = SavedWaiting { key: self.clients.key(), logins: self.waiting.saved() };
        Saved {
            attempts: self.counted.attempts.saved(),
            violations: self.counted.violations.saved(),
            incidents: self.counted.incidents.saved(),
            calls: self.counted.calls.saved(),
            abuse: self.counted.abuse.saved(),
            limits: self.counted.limits.saved(),
            evictions: self.evictions(),
            // The key makes hashes into addresses again: it is kept only for as long as it is needed.
            waiting: (!waiting.logins.is_empty()).then_some(waiting),
        }
    }

    /// Goes on from what was kept; to be called before anything was seen.
    pub fn restore(&mut self, saved: Saved) {
        self.counted = Counted {
            attempts: Counts::restored(&saved.attempts),
            violations: Counts::restored(&saved.violations),
            incidents: Counts::restored(&saved.incidents),
            calls: Counts::restored(&saved.calls),
            abuse: Counts::restored(&saved.abuse),
            limits: Counts::restored(&saved.limits),
            evictions: saved.evictions,
        };
        if let Some(waiting) = saved.waiting {
            self.clients.rekey(waiting.key);
            self.waiting = Waiting::restored(waiting.logins);
        }
    }
}
