//! A round: each part is looked at when it is due, then all of them are judged, and added up.
//!
//! Files are read in a thread, servers are asked beside each other; whoever hangs costs its own part alone.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, timeout};

use super::asked::Asked;
use super::check::Check;
use super::held::Held;
use super::kept::{Kept, Place};
use super::on_disk::{Near, OnDisk, Watches};
use super::outside::Encryption;
use super::score::Score;
use super::seen::{Seen, Servers};
use super::subject::Subject;
use super::system::System;
use super::verdict::{Cause, Unknown};
use crate::collector::{Context, Failure, Reason};
use crate::config::types::Address;
use crate::net::threads::Threads;

/// How often there is a round: sockets, the facts and Redis are looked at in each.
pub(super) const OFTEN: Duration = Duration::from_mins(1);

/// How often configurations and files are read, and PHP and the database asked.
pub(super) const NOW_AND_THEN: Duration = Duration::from_mins(5);

/// How long files may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a round is about, beside its score.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// When, in seconds since 1970.
    pub(super) now: i64,
    /// The first score of this methodology.
    pub(super) baseline: Option<f64>,
    /// When root wrote the facts.
    pub(super) facts_written: Option<i64>,
    /// When what a check is about was last seen, in seconds since 1970; those of the last round are not there.
    times: BTreeMap<Check, i64>,
}

impl Looked {
    /// When what a check is about was last seen, in seconds since 1970; `None` before the first time.
    pub(super) fn at(&self, check: Check) -> Option<i64> {
        self.times.get(&check).copied()
    }
}

/// The rounds of one shop.
#[derive(Debug)]
pub(super) struct Round {
    /// What outlives the program; `None` before the first round.
    kept: Option<Kept>,
    place: Place,
    /// For files, which may hang.
    threads: Threads,
    /// For procfs and the facts, which do not.
    near: Threads,
    /// Taken along by the thread that looks.
    watches: Option<Watches>,
    files: Held<OnDisk>,
    asked: Asked,
}

impl Default for Round {
    fn default() -> Self {
        Self {
            kept: None,
            place: Place::default(),
            threads: Threads::default(),
            near: Threads::default(),
            watches: Some(Watches::default()),
            files: Held::new(NOW_AND_THEN),
            asked: Asked::default(),
        }
    }
}

impl Round {
    /// Looks at what is due.
    ///
    /// # Errors
    /// `bug`, when a thread of ours panics; `timeout`, when the file system hangs.
    pub(super) async fn look(&mut self, subject: &Subject, context: &Context) -> Result<Seen, Failure> {
        if self.kept.is_none() {
            self.kept = Some(match context.slot.clone() {
                Some(slot) => self.place.take(slot).await,
                // Whoever looks once sees what the service remembers.
                None => Kept::of_service(&subject.state),
            });
        }
        let now = now();
        self.read(subject, context, now).await?;
        let disk = self.files.known();
        // Boxed, as it holds what each server is asked with.
        Box::pin(self.asked.ask(subject, context, &disk, now, self.kept.get_or_insert_default())).await;
        let near = self.near(subject, context, now).await?;
        let files = |unknown: &Unknown| unknown.clone();
        let disk = disk.as_ref();
        let renewal = disk.map(|disk| disk.renewal.clone()).map_err(files);
        Ok(Seen {
            config: subject.config.clone(),
            now,
            listeners: near.listeners,
            has_public_ipv6: near.has_public_ipv6,
            routing: near.routing,
            cache_in_sight: near.cache_in_sight,
            facts: near.facts,
            at_boot: disk.map_err(files).and_then(|disk| disk.at_boot.clone()),
            servers: servers(subject),
            front: disk.map_err(files).and_then(|disk| disk.front.clone()),
            shop: disk.map_err(files).and_then(|disk| disk.shop.clone()),
            pools: disk.map_err(files).and_then(|disk| disk.pools.clone()),
            php: self.asked.php.known(),
            database: self.asked.database.known(),
            cache: self.asked.cache.known(),
            pages: self.asked.pages.known(),
            encryption: Ok(Encryption {
                certificate: self.asked.certificate.known(),
                offers: self.asked.offers.known(),
                renewal,
            }),
            system: System {
                crowdsec: self.asked.crowdsec.known(),
                alerting: self.asked.alerting.known(),
                ..disk.map(|disk| disk.system.clone()).unwrap_or_default()
            },
            active: self.asked.active.clone(),
        })
    }

    /// Reads configurations and files, when they are due.
    async fn read(&mut self, subject: &Subject, context: &Context, now: i64) -> Result<(), Failure> {
        let is_behind = self.watches.as_ref().is_some_and(Watches::is_behind);
        if !is_behind && !self.files.is_due(Instant::now()) {
            return Ok(());
        }
        let (subject, paths) = (subject.clone(), context.paths.clone());
        let mut watches = self.watches.take().unwrap_or_default();
        let mut memory = self.kept.get_or_insert_default().system.clone();
        let looked = self.threads.run(move || {
            let found = OnDisk::look(&subject, &paths, now, &mut watches, &mut memory);
            (found, watches, memory)
        });
        let found = match timeout(PATIENCE, looked).await {
            Ok(looked) => {
                let (found, watches, memory) = looked?;
                self.watches = Some(watches);
                self.kept.get_or_insert_default().system = memory;
                Ok(found)
            }
            Err(_) => Err(Unknown::new(Cause::Timeout, format!("the files were not read within {PATIENCE:?}"))),
        };
        self.files.note(Instant::now(), now, found);
        Ok(())
    }

    /// Looks at what changes at any time, and costs nothing.
    async fn near(&self, subject: &Subject, context: &Context, now: i64) -> Result<Near, Failure> {
        let (facts, paths) = (subject.config.facts.clone(), context.paths.clone());
        let look = self.near.run(move || Near::look(&facts, &paths, now));
        let late = |_| Ok(Near::unknown(&Unknown::new(Cause::Timeout, format!("not read within {PATIENCE:?}"))));
        timeout(PATIENCE, look).await.unwrap_or_else(late)
    }

    /// Judges what was seen, and adds it up. Some judges ask the file system once more: they are in a thread, too.
    ///
    /// # Errors
    /// `bug`, when a judge panics; `timeout`, when the file system hangs.
    pub(super) async fn score(&mut self, seen: Seen) -> Result<(Score, Looked), Failure> {
        let judged = self.threads.run(move || (super::judge(&seen), seen));
        let late =
            |_| Err(Failure::message(Reason::Timeout, format!("the shop's files did not answer in {PATIENCE:?}")));
        let (verdicts, seen) = timeout(PATIENCE, judged).await.unwrap_or_else(late)?;
        let kept = self.kept.get_or_insert_default();
        let score = Score::of(verdicts, &kept.caps);
        kept.caps.clone_from(&score.caps);
        let baseline = Some(kept.baseline(score.lower(), score.coverage()));
        self.place.save(kept);
        let facts_written = seen.facts.as_ref().ok().map(|facts| facts.written);
        let times =
            Check::ALL.into_iter().filter_map(|check| Some((check, self.seen_at(check, &seen, facts_written)?)));
        let times = times.collect();
        Ok((score, Looked { now: seen.now, baseline, facts_written, times }))
    }

    /// When what a check is about was last seen.
    fn seen_at(&self, check: Check, seen: &Seen, facts_written: Option<i64>) -> Option<i64> {
        match Part::of(check) {
            Part::Near => Some(seen.now),
            Part::Facts => facts_written,
            Part::Files => self.files.seen(),
            Part::Php => self.asked.php.seen(),
            Part::Database => self.asked.database.seen(),
            Part::Cache => self.asked.cache.seen(),
            Part::Pages => self.asked.pages.seen(),
            Part::Certificate => self.asked.certificate.seen(),
            Part::Offers => self.asked.offers.seen(),
        }
    }
}

/// What a check is about, above all.
enum Part {
    Near,
    Facts,
    Files,
    Php,
    Database,
    Cache,
    Pages,
    Certificate,
    Offers,
}

impl Part {
    const fn of(check: Check) -> Self {
        match check {
            Check::Fw03 | Check::Fw04 | Check::Fw05 | Check::Fw06 => Self::Near,
            Check::Fw01 | Check::Fw02 | Check::Fw10 | Check::Fw11 | Check::Dd06 | Check::Dd07 | Check::Tls08 => {
                Self::Facts
            }
            Check::Api18 | Check::Api19 => Self::Php,
            Check::Api08 | Check::Api15 | Check::Api16 | Check::Api17 | Check::Api20 | Check::Api21 | Check::Api22 => {
                Self::Database
            }
            Check::Api23 => Self::Cache,
            Check::Api09 | Check::Api10 | Check::Api11 | Check::Api12 | Check::Api13 | Check::Tls06 | Check::Tls07 => {
                Self::Pages
            }
            Check::Tls01 | Check::Tls02 | Check::Tls03 => Self::Certificate,
            Check::Tls04 | Check::Tls05 => Self::Offers,
            _ => Self::Files,
        }
    }
}

/// Where the configuration says that databases and caches are.
fn servers(subject: &Subject) -> Servers {
    let address = |config: &crate::collectors::redis::Config| -> Address { config.endpoint.url.address.clone() };
    Servers {
        databases: subject.mysql.iter().map(|config| config.address.clone()).collect(),
        caches: subject.redis.iter().map(address).collect(),
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
