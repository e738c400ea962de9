//! Reading the logs: which ones, how far, and what they said; and keeping that.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::counts::{Counts, Saved};
use super::line::entries;
use super::logs;
use crate::collector::{Context, Failure, Reason};
use crate::collectors::php_fpm::config::Config;
use crate::collectors::php_fpm::source;
use crate::follow::{self, Follower, Limits, Positions, Start};
use crate::state::{Claim, Slot};

/// How much of each log is read by who looks once.
const SAMPLE: u64 = 1 << 20;

/// The logs of one master.
#[derive(Debug)]
pub(super) struct Reader {
    config: Config,
    root: PathBuf,
    start: Start,
    /// Where counts are kept; taken when it is claimed.
    slot: Option<Slot>,
    claim: Option<Claim>,
    configuration: Option<source::Reading>,
    patterns: Vec<String>,
    follower: Option<Follower>,
    counts: Counts,
    /// Why what was kept could not be used, until it is told.
    trouble: Option<Failure>,
    /// Whether another has taken over.
    stopped: bool,
}

/// What has been read.
pub(super) struct Told {
    pub(super) counts: Counts,
    pub(super) followed: follow::Counts,
    /// The logs that could not be read.
    pub(super) failures: Vec<Failure>,
    /// Whether any file is named at all.
    pub(super) is_anything_named: bool,
}

/// What is kept over a restart.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    counts: Saved,
    positions: Positions,
}

impl Reader {
    pub(super) fn new(config: Config, context: &Context) -> Self {
        Self {
            config,
            root: context.paths.root.clone(),
            // Who serves counts what happens from now on; who looks once shows what there is.
            start: if context.serving { Start::End } else { Start::Sample(SAMPLE) },
            slot: context.slot.clone(),
            claim: None,
            configuration: None,
            patterns: Vec::new(),
            follower: None,
            counts: Counts::default(),
            trouble: None,
            stopped: false,
        }
    }

    /// Reads what there is until then, and keeps what came of it; blocks.
    pub(super) fn read_and_save(&mut self, until: Instant) -> Result<Told, Failure> {
        let mut told = self.read(until)?;
        self.save();
        told.failures.extend(self.trouble.take());
        Ok(told)
    }

    /// Reads what there is until then; blocks.
    pub(super) fn read(&mut self, until: Instant) -> Result<Told, Failure> {
        if self.stopped {
            return Err(Failure::message(Reason::Stale, "its configuration has been replaced"));
        }
        let configuration = self.config.source.read(&self.root, &mut self.configuration)?;
        let patterns = logs::patterns(&configuration, &self.config);
        if self.follower.is_none() || patterns != self.patterns {
            let positions = match &self.follower {
                Some(follower) => Some(follower.positions()),
                None => self.restored(),
            };
            let mut follower = Follower::new(&self.root, patterns.clone(), self.start, Limits::default());
            if let Some(positions) = positions {
                follower.resume(positions);
            }
            (self.follower, self.patterns) = (Some(follower), patterns);
        }
        let Some(follower) = &mut self.follower else { return Err(Failure::message(Reason::Bug, "no logs")) };
        let counts = &mut self.counts;
        let progress = follower.read(until, |line| entries(line, |entry| counts.add(entry)));
        let of_pools = logs::of_pools(&configuration);
        let is_no_failure = |failure: &Failure| {
            let text = || failure.to_string();
            failure.reason == Reason::Connect
                && of_pools.iter().any(|log| text().contains(&format!("{}: ", log.display())))
        };
        let mut failures = progress.failures;
        failures.retain(|failure| !is_no_failure(failure));
        let is_anything_named = !self.patterns.is_empty();
        Ok(Told { counts: counts.clone(), followed: follower.counts().clone(), failures, is_anything_named })
    }

    /// Keeps what has been read for who comes after.
    fn save(&self) {
        if let (Some(claim), Some(follower)) = (&self.claim, &self.follower) {
            let kept = Kept { counts: self.counts.saved(), positions: follower.positions() };
            claim.save(&serde_json::to_vec(&kept).expect("numbers and texts can be written"));
        }
    }

    /// Lets go of what is kept, for good.
    pub(super) fn stop(&mut self) {
        self.save();
        self.claim = None;
        self.follower = None;
        self.stopped = true;
    }

    /// Claims what was kept before, if there is a place for it, and goes on counting from there.
    fn restored(&mut self) -> Option<Positions> {
        self.claim = self.slot.take()?.claim();
        let kept = self.claim.as_ref()?.load().and_then(|bytes| {
            bytes.map(|bytes| serde_json::from_slice::<Kept>(&bytes).map_err(io::Error::from)).transpose()
        });
        match kept {
            Ok(kept) => {
                let kept = kept?;
                self.counts = Counts::restored(&kept.counts);
                Some(kept.positions)
            }
            Err(error) => {
                self.trouble = Some(Failure::new(Reason::Protocol, error).context("counting errors starts anew"));
                None
            }
        }
    }
}
