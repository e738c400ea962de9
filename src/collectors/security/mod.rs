//! How secure the shop is, as one number that does not flatter: 59 checks of what really holds, and what is not known
//! counts as nothing.

mod asked;
mod backends;
pub(crate) mod check;
mod config;
mod document;
pub(crate) mod facts;
mod firewall;
mod front;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
#[cfg(test)]
mod golden;
mod held;
mod kept;
mod known;
mod metrics;
mod on_disk;
mod outside;
mod remedy;
mod report;
mod round;
mod score;
mod seen;
mod shop;
mod subject;
mod system;
mod verdict;

use std::time::Duration;

use tokio::sync::Mutex;

use crate::collector::{Collector, Context, Failure};
use crate::metric::Catalogue;
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;

pub(crate) use backends::views;
pub use config::Config;
pub use document::markdown;
use remedy::Missed;
pub use report::Report;
use round::{OFTEN, Round};
use seen::Seen;
pub(crate) use shop::Manifest;
pub use subject::Subject;
use verdict::{Cause, Unknown, Verdicts};

/// Looks at the shop's security, in rounds of its own.
pub struct Security {
    subject: Subject,
    context: Context,
    round: Mutex<Round>,
    /// What was not known at the end of the last round, and why the facts were not.
    missed: Mutex<(Missed, Option<Unknown>)>,
}

impl Collector for Security {
    const NAME: &'static str = "security";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(metrics::METRICS)];
    const TIMEOUT: Duration = Duration::from_mins(2);
    type Config = Subject;

    fn every(_: &Subject) -> Option<Duration> {
        Some(OFTEN)
    }

    fn new(subject: &Subject, context: &Context) -> Self {
        Self { subject: subject.clone(), context: context.clone(), round: Mutex::default(), missed: Mutex::default() }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let mut round = self.round.lock().await;
        let seen = round.look(&self.subject, &self.context).await?;
        let facts = seen.facts.as_ref().err().cloned();
        let (score, looked) = round.score(seen).await?;
        *self.missed.lock().await = (Missed::of(&score), facts);
        metrics::report(&score, &looked, &self.subject.config, out);
        Ok(())
    }

    async fn remedies(&self, run: Complaints<'_>, _service: &Service) -> Vec<Remedy> {
        let (missed, facts) = self.missed.lock().await.clone();
        // What failed as a whole has said nothing of its parts.
        if run.is_empty() { remedy::ways(missed, facts.as_ref(), &self.context.paths.root) } else { Vec::new() }
    }
}

/// Looks at all of it once, for a person.
///
/// # Errors
/// `bug`, when a part of it panics.
pub async fn look(subject: &Subject, objective: f64, context: &Context) -> Result<Report, Failure> {
    let mut round = Round::default();
    let seen = round.look(subject, context).await?;
    let (score, looked) = round.score(seen).await?;
    Ok(Report::of(&score, &subject.config, objective, looked.now))
}

/// Judges some checks, which are its alone.
type Judge = fn(&Seen, &mut Verdicts);

/// All of them. To tell what nginx would serve, it is looked whether files are there: who does, may hang, and is alone.
const JUDGES: [Judge; 3] = [judge_firewall, judge_front, judge_others];

fn judge_firewall(seen: &Seen, verdicts: &mut Verdicts) {
    let countries = if seen.config.geo_policy.declared {
        let front = seen.front.as_ref().map_err(Clone::clone);
        front.and_then(|front| Ok(firewall::InFront { is_enforced: front.geo()?, written: front.geo_written() }))
    } else {
        Err(Unknown::new(Cause::NotConfigured, "no policy on countries is declared"))
    };
    firewall::judge(seen, &countries, verdicts);
}

fn judge_front(seen: &Seen, verdicts: &mut Verdicts) {
    let attempts = seen
        .database
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|database| database.shop.as_ref().map(|shop| shop.login_attempts).map_err(Clone::clone));
    front::judge(seen, &attempts, verdicts);
}

fn judge_others(seen: &Seen, verdicts: &mut Verdicts) {
    outside::judge(seen, verdicts);
    shop::judge(seen, verdicts);
    backends::judge(seen, verdicts);
    system::judge(seen, verdicts);
}

/// Judges what was seen, check by check.
#[cfg(test)]
fn judge(seen: &Seen) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for judge in JUDGES {
        judge(seen, &mut verdicts);
    }
    outside::lower(seen, &mut verdicts);
    verdicts
}
