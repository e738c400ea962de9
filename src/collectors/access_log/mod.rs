//! The shop's own traffic, from the access logs of nginx and Apache: how much, how quick, how well, and who tries the
//! doors.
//!
//! A thread of each target's follows its logs and counts. A scrape makes it catch up, keep what it knows, and tell.

pub mod classes;
mod config;
mod discover;
pub mod format;
pub mod line;
mod reader;
mod remedy;
pub mod route;
pub mod security;
pub mod tally;

use std::path::PathBuf;
use std::sync::mpsc::Sender;

use tokio::sync::oneshot;

use crate::collector::{Collector, Context, Failure, Reason};
use crate::metric::Catalogue;
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;

pub use config::Config;
pub(super) use config::promised;
pub use discover::DISCOVERY;
use reader::Asked;

/// Follows the logs of one target.
#[derive(Debug)]
pub struct AccessLog {
    reader: Sender<Asked>,
    config: Config,
    root: PathBuf,
}

impl Collector for AccessLog {
    const NAME: &'static str = "access_log";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(tally::METRICS), Catalogue::List(security::METRICS)];
    type Config = Config;

    fn new(config: &Config, context: &Context) -> Self {
        let reader = reader::start(config, context);
        Self { reader, config: config.clone(), root: context.paths.root.clone() }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let (answer, answered) = oneshot::channel();
        // The thread fills it, and hands it back.
        let snapshot = std::mem::take(out);
        let ended = || Failure::message(Reason::Bug, "the thread that reads the logs has ended");
        self.reader.send(Asked { snapshot, answer }).map_err(|_| ended())?;
        let (snapshot, result) = answered.await.map_err(|_| ended())?;
        *out = snapshot;
        result
    }

    async fn remedies(&self, run: Complaints<'_>, service: &Service) -> Vec<Remedy> {
        remedy::ways(&self.root, &self.config, run, service)
    }
}
