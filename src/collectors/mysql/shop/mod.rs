//! The shop's own heartbeat, from its database: the newest order, orders and revenue, cron, queues, and how far its
//! marketplaces are behind. Aggregates alone; nothing about a person leaves the server, or is read.
//!
//! Why not `[mysql.queries]`: rules and runbooks need names that are the same in every shop, and a query fails where a
//! table or a column is not there, which differs from shop to shop. Here the tables are looked for first, by their columns,
//! and only what is there and may be read is asked.

mod answer;
mod config;
mod layout;
mod metrics;
mod question;
mod remedy;
mod set;
mod since;
mod state;
mod statement;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub use config::{Name, Shop, System, TimeZone};

use super::config::Config;
use super::connection::Connection;
use crate::collector::{Collector, Context, Failure, Gate, Reason};
use crate::metric::Catalogue;
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;
use question::Layout;
use state::State;

/// How often we look whether a question is due; looking costs the server nothing.
const LOOK: Duration = Duration::from_secs(10);

/// How long the server works on each question.
const LIMIT: Duration = Duration::from_secs(2);

/// How much longer we wait than the server works, so that the server's own words come first.
const GRACE: Duration = Duration::from_millis(500);

/// How long the server may look for tables: it opens each table of a schema to tell its columns.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// How long it may for all schemas together: a look that were cut off by the end of a run would begin again at the next.
const LOOKS_LIMIT: Duration = Duration::from_secs(20);

/// How long a run goes on to its next question: as many locked tables as there are would last longer than a run may.
const ASKING: Duration = Duration::from_secs(30);

/// Reports an answer as if it had just come, for the fuzzers.
#[cfg(any(test, fuzzing))]
pub(super) fn report(rows: &super::rows::Rows, out: &mut Snapshot) {
    let (samples, complaints) = answer::samples(rows, 1_800_000_000.0);
    for answer::Sample { desc, labels, value } in &samples {
        let labels: Vec<_> = labels.iter().map(String::as_str).collect();
        out.push_family(crate::metric::Family::Declared(desc), &labels, *value);
    }
    for complaint in complaints {
        out.gap(complaint);
    }
}

/// Asks one server about the shop in it.
#[derive(Debug)]
pub struct ShopDatabase {
    config: Config,
    gate: Arc<Gate>,
    state: Mutex<State>,
}

impl Collector for ShopDatabase {
    const NAME: &'static str = "mysql_shop";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(metrics::METRICS), Catalogue::List(metrics::HEALTH)];
    const TIMEOUT: Duration = Duration::from_mins(1);
    type Config = Config;

    fn wanted(config: &Config) -> bool {
        config.shop.is_some()
    }

    fn every(_: &Config) -> Option<Duration> {
        Some(LOOK)
    }

    fn new(config: &Config, context: &Context) -> Self {
        Self { config: config.clone(), gate: super::gate(config, context), state: Mutex::default() }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let reached = match &self.config.shop {
            Some(shop) => self.run(shop, out).await,
            None => Ok(()),
        };
        self.state().report(out);
        // What the questions that were not due have found is as good as before.
        out.keep();
        reached
    }

    async fn remedies(&self, run: Complaints<'_>, service: &Service) -> Vec<Remedy> {
        let (Some(shop), Ok(_permit)) = (&self.config.shop, self.gate.slow.acquire().await) else { return Vec::new() };
        remedy::remedies(&self.config, shop, run, service).await.into_iter().collect()
    }
}

impl ShopDatabase {
    /// Asks what is due; a question that fails is a gap.
    ///
    /// # Errors
    /// When the server cannot be asked, or no shop is found in it.
    async fn run(&self, shop: &Shop, out: &mut Snapshot) -> Result<(), Failure> {
        let layout = self.state().layout()?;
        if layout.is_some() && self.state().due().is_empty() {
            return Ok(());
        }
        let _permit = self.gate.slow.acquire().await.map_err(|error| Failure::new(Reason::Bug, error))?;
        let layout = match layout {
            Some(layout) => layout,
            None => self.look(shop, out).await?,
        };
        let (mut connection, mut lost) = (None, None);
        // Not in the line of the loop, which would hold the lock for all of it.
        let due = self.state().due();
        let started = Instant::now();
        for question in due {
            let begun = Instant::now();
            // The rest is due in the next run, when these rest.
            if begun.duration_since(started) > ASKING {
                break;
            }
            let (answer, is_broken) = match self.connected(&mut connection, &layout).await {
                Ok(connection) => {
                    let asked = tokio::time::timeout(LIMIT + GRACE, question.ask(connection)).await;
                    let silence = || Failure::message(Reason::Timeout, format!("no answer in {:?}", LIMIT + GRACE));
                    (asked.unwrap_or_else(|_| Err(silence())), connection.is_broken())
                }
                Err(failure) => (Err(failure), true),
            };
            // A server that was lost before this question, and may be back.
            lost.take().into_iter().for_each(|failure| out.gap(failure));
            let failed = self.state().note(&question, begun, answer, out);
            let Some(failure) = failed else { continue };
            // What is too large or takes too long is the question's fault.
            let is_lost = is_broken && !matches!(failure.reason, Reason::Limit | Reason::Timeout);
            if is_lost { lost = Some(failure) } else { out.gap(failure) }
        }
        lost.map_or(Ok(()), Err)
    }

    /// Looks for the shop's tables; what comes of it is remembered either way.
    async fn look(&self, shop: &Shop, out: &mut Snapshot) -> Result<Arc<Layout>, Failure> {
        let mut connection = Connection::open(&self.config, LOOK_LIMIT).await?;
        let begun = Instant::now();
        let looked = tokio::time::timeout(LOOKS_LIMIT, Layout::look(&mut connection, shop)).await;
        let silence = || Failure::message(Reason::Timeout, format!("no end in {LOOKS_LIMIT:?}"));
        let looked = looked.unwrap_or_else(|_| Err(silence()));
        let doing = |failure: Failure| failure.context("looking for the shop's tables");
        self.state().keep(begun, looked.map(|verdict| verdict.map_err(doing)).map_err(doing), out)
    }

    /// The connection of this run, in the shop's time zone; made at its first question, and again when it is lost.
    async fn connected<'a>(
        &self,
        connection: &'a mut Option<Connection>,
        layout: &Layout,
    ) -> Result<&'a mut Connection, Failure> {
        connection.take_if(|connection| connection.is_broken());
        if connection.is_none() {
            let mut opened = Connection::open(&self.config, LIMIT).await?;
            if let Some(zone) = &layout.time_zone {
                // The configuration's, whose letters were looked at, or that of a set.
                opened.ask("the time zone", &format!("SET SESSION time_zone = '{zone}'")).await?;
            }
            *connection = Some(opened);
        }
        Ok(connection.as_mut().expect("it was filled just above"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}
