//! What must outlive the program: the first score, what limited the last one, and since when updates wait.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tracing::warn;

use super::outside::Active;
use super::score::METHODOLOGY;
use super::system;
use super::verdict::Cap;
use crate::collector::Collector as _;
use crate::config::types::TargetName;
use crate::state::{self, Claim, Slot};

/// The number of the form of [`Kept`]; what another version has kept is left alone.
const VERSION: u32 = 1;

/// What outlives the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    version: u32,
    /// By methodology: the score that later ones are compared with.
    baselines: BTreeMap<String, Baseline>,
    /// What limited the last score.
    pub(super) caps: BTreeSet<Cap>,
    /// When what is done seldom was last done, in seconds since 1970.
    turns: BTreeMap<String, i64>,
    /// What the active checks have found, until the same is seen to be over.
    pub(super) active: Active,
    /// What the operating system's part compares with: since when updates wait, above all.
    pub(super) system: system::Memory,
}

/// A score to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Baseline {
    score: f64,
    /// The part of the points that was known then.
    coverage: f64,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            version: VERSION,
            baselines: BTreeMap::new(),
            caps: BTreeSet::new(),
            turns: BTreeMap::new(),
            active: Active::default(),
            system: system::Memory::default(),
        }
    }
}

impl Kept {
    /// The first score of this methodology that knew as much as was ever known: this one, when there is none yet, or when
    /// more is known than then. To grant a right is no improvement of the shop.
    pub(super) fn baseline(&mut self, score: f64, coverage: f64) -> f64 {
        const MORE: f64 = 1e-6;
        let first = self.baselines.entry(METHODOLOGY.to_owned()).or_insert(Baseline { score, coverage });
        if coverage > first.coverage + MORE {
            *first = Baseline { score, coverage };
        }
        first.score
    }

    /// Whether something is due that is done once in a period; then it is done.
    pub(super) fn is_turn(&mut self, name: &str, every: Duration, now: i64) -> bool {
        let last = self.turns.get(name).copied();
        // A clock that was put back holds nobody up.
        let is_due = last.is_none_or(|last| now < last || now.abs_diff(last) >= every.as_secs());
        if is_due {
            self.turns.insert(name.to_owned(), now);
        }
        is_due
    }

    /// What the service keeps in this folder, for whoever looks once beside it; nothing where that cannot be read.
    pub(super) fn of_service(folder: &Path) -> Self {
        let saved = state::peek(folder, super::Security::NAME, &TargetName::main()).ok().flatten();
        let kept = saved.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        kept.filter(|kept| kept.version == VERSION).unwrap_or_default()
    }
}

/// Where it is kept, if it is.
#[derive(Debug, Default)]
pub(super) struct Place(Mutex<Option<Claim>>);

impl Place {
    /// Takes the place, and returns what was kept there.
    pub(super) async fn take(&self, slot: Slot) -> Kept {
        // It waits for whoever has the slot.
        let Ok(Some(claim)) = spawn_blocking(move || slot.claim()).await else { return Kept::default() };
        let saved = claim.load().map_err(anyhow::Error::from).and_then(|bytes| {
            bytes.map(|bytes| serde_json::from_slice::<Kept>(&bytes).map_err(anyhow::Error::from)).transpose()
        });
        *self.0.lock().expect(NO_PANIC) = Some(claim);
        match saved {
            Ok(kept) => kept.filter(|kept| kept.version == VERSION).unwrap_or_default(),
            Err(error) => {
                warn!("the first score and the age of updates start anew, what was kept cannot be read: {error:#}");
                Kept::default()
            }
        }
    }

    /// Keeps it, if there is a place.
    pub(super) fn save(&self, kept: &Kept) {
        let claim = self.0.lock().expect(NO_PANIC);
        let Some(claim) = claim.as_ref() else { return };
        match serde_json::to_vec(kept) {
            Ok(bytes) => claim.save(&bytes),
            Err(error) => warn!("the first score and the age of updates cannot be kept: {error}"),
        }
    }
}

const NO_PANIC: &str = "no code panics while it holds this lock";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_that_is_granted_is_no_improvement() {
        let mut kept = Kept::default();
        assert_eq!(kept.baseline(43.0, 0.7), 43.0);
        assert_eq!(kept.baseline(50.0, 0.7), 43.0, "better, by as much as is known");
        assert_eq!(kept.baseline(62.0, 0.9), 62.0, "more is known than before");
        assert_eq!(kept.baseline(55.0, 0.6), 62.0);
    }

    #[test]
    fn what_is_done_once_a_week_is_not_done_at_each_start() {
        let week = Duration::from_hours(7 * 24);
        let mut kept = Kept::default();
        assert!(kept.is_turn("logins", week, 1_000_000));
        let mut again: Kept = serde_json::from_slice(&serde_json::to_vec(&kept).unwrap()).unwrap();
        assert!(!again.is_turn("logins", week, 1_000_060));
        assert!(again.is_turn("logins", week, 1_000_000 + 7 * 86_400));
    }
}
