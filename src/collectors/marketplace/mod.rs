//! Marketplaces from the seller's side: how quick their APIs are, whether they take the shop's credentials, how much they
//! let it do, and what they say of the business.
//!
//! All that is known of a marketplace is in its preset, a file of TOML. A target is one account; its probes are made on
//! timers of their own, and a scrape is told what they came to.

pub mod config;
pub mod exchange;
mod explain;
pub mod judge;
mod limits;
pub mod metrics;
mod pace;
pub mod preset;
mod refusals;
pub mod result;
mod running;
mod skip;
mod standing;
mod tally;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::collector::{Collector, Context, Failure};
use crate::metric::Catalogue;
use crate::snapshot::Snapshot;

pub use config::section;
pub use explain::requests;
pub use preset::Account;
use running::Running;

/// What is left of the time for an answer once all probes had theirs.
const REST: Duration = Duration::from_millis(500);

/// Watches one account.
#[derive(Debug)]
pub struct Marketplace {
    running: Arc<Running>,
    serving: bool,
}

impl Collector for Marketplace {
    const NAME: &'static str = "marketplace";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(metrics::METRICS)];
    /// For who asks all probes once; a scrape is told at once.
    const TIMEOUT: Duration = Duration::from_secs(30);
    type Config = Account;

    fn new(account: &Account, context: &Context) -> Self {
        let running = Running::new(account, context);
        if context.serving {
            running.start();
        }
        Self { running, serving: context.serving }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        if !self.serving {
            // What was not reached in time is as unknown as before.
            timeout(out.time_left().saturating_sub(REST), self.running.once()).await.ok();
        }
        self.running.report(out);
        // What is known of an account that is down is true all the same.
        out.keep();
        self.running.complain(out)
    }
}

/// Asks each probe of an account once, and says step by step what the answer was taken for, and whether all were good.
pub async fn explain(name: &str, account: &Account, context: &Context) -> (String, bool) {
    let running = Running::new(account, context);
    running.once().await;
    let (text, is_good) = running.explained();
    (format!("{name}: {}, {}\n{text}", account.marketplace, account.environment), is_good)
}
