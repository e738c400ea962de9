//! A round: each part is looked at when it is due, then all of them are judged, and added up.
//!
//! Files are read in threads, servers are asked beside each other; whoever hangs costs its own part alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::asked::Asked;
use super::check::Check;
use super::kept::{Kept, Place};
use super::on_disk::{OnDisk, PATIENCE, in_time};
use super::outside::Encryption;
use super::score::Score;
use super::seen::{Seen, Servers};
use super::subject::Subject;
use super::system::System;
use super::verdict::{Verdict, Verdicts};
use super::{JUDGES, outside};
use crate::collector::{Context, Failure};
use crate::collectors::host::errand::Errand;
use crate::config::types::Address;

/// How often there is a round: sockets, the facts and Redis are looked at in each.
pub(super) const OFTEN: Duration = Duration::from_mins(1);

/// How often configurations and files are read, and PHP and the database asked.
pub(super) const NOW_AND_THEN: Duration = Duration::from_mins(5);

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
pub(super) struct Round {
    /// What outlives the program; `None` before the first round.
    kept: Option<Kept>,
    place: Place,
    disk: OnDisk,
    asked: Asked,
    /// The threads of those who judge: some ask the file system once more.
    judges: [Errand; JUDGES.len()],
}

impl Default for Round {
    fn default() -> Self {
        Self {
            kept: None,
            place: Place::default(),
            disk: OnDisk::default(),
            asked: Asked::default(),
            judges: JUDGES.map(|_| Errand::new("security-judge")),
        }
    }
}

impl Round {
    /// Looks at what is due.
    ///
    /// # Errors
    /// `bug`, when a thread of ours panics; `limit`, when none can be started.
    pub(super) async fn look(&mut self, subject: &Subject, context: &Context) -> Result<Seen, Failure> {
        if self.kept.is_none() {
            self.kept = Some(match context.slot.clone() {
                Some(slot) => self.place.take(slot).await,
                // Whoever looks once sees what the service remembers.
                None => Kept::of_service(&subject.state),
            });
        }
        let (now, kept) = (now(), self.kept.get_or_insert_default());
        self.disk.read(subject, &context.paths, now, &mut kept.system).await?;
        // Boxed, as it holds what each server is asked with.
        Box::pin(self.asked.ask(subject, context, &self.disk, now, kept)).await;
        let (near, facts) = self.disk.near(&subject.config.facts, &context.paths, now).await?;
        let configured = self.disk.configured();
        Ok(Seen {
            config: subject.config.clone(),
            now,
            listeners: near.listeners,
            has_public_ipv6: near.has_public_ipv6,
            routing: near.routing,
            cache_in_sight: near.cache_in_sight,
            facts,
            at_boot: configured.clone().and_then(|configured| configured.at_boot.clone()),
            servers: servers(subject),
            front: configured.clone().and_then(|configured| configured.front.clone()),
            shop: self.disk.shop().cloned(),
            pools: configured.clone().and_then(|configured| configured.pools.clone()),
            php: self.asked.php.known(),
            database: self.asked.database.known(),
            cache: self.asked.cache.known(),
            pages: self.asked.pages.known(),
            encryption: Ok(Encryption {
                certificate: self.asked.certificate.known(),
                offers: self.asked.offers.known(),
                renewal: configured.map(|configured| configured.renewal.clone()),
            }),
            system: System {
                crowdsec: self.asked.crowdsec.known(),
                alerting: self.asked.alerting.known(),
                ..self.disk.system().unwrap_or_else(|why| System::unknown(&why))
            },
            active: self.asked.active.clone(),
        })
    }

    /// Judges what was seen, and adds it up.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub(super) async fn score(&mut self, seen: Seen) -> Result<(Score, Looked), Failure> {
        let seen = Arc::new(seen);
        let verdicts = self.judged(&seen).await?;
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

    /// What came of each check. Who judges beside a file system that hangs leaves its own checks unknown.
    async fn judged(&self, seen: &Arc<Seen>) -> Result<Verdicts, Failure> {
        let (mut verdicts, mut late) = (Verdicts::new(), None);
        for (errand, judge) in self.judges.iter().zip(JUDGES) {
            let seen = seen.clone();
            let judged = errand.run(PATIENCE, move || {
                let mut verdicts = Verdicts::new();
                judge(&seen, &mut verdicts);
                verdicts
            });
            match in_time(judged.await)? {
                Ok(judged) => verdicts.extend(judged),
                Err(unknown) => late = Some(unknown),
            }
        }
        if let Some(unknown) = late {
            for check in Check::ALL {
                verdicts.entry(check).or_insert_with(|| Verdict::from(&unknown));
            }
        }
        outside::lower(seen, &mut verdicts);
        Ok(verdicts)
    }

    /// When what a check is about was last seen.
    fn seen_at(&self, check: Check, seen: &Seen, facts_written: Option<i64>) -> Option<i64> {
        match Part::of(check) {
            Part::Near => Some(seen.now),
            Part::Facts => facts_written,
            Part::Configured => self.disk.configured_at(),
            Part::Shop => self.disk.shop_at(),
            Part::System => self.disk.system_at(),
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
    Configured,
    Shop,
    System,
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
            Check::Api04 | Check::Api07 | Check::Mon05 => Self::Shop,
            Check::Dd05 | Check::Fw08 | Check::Mon03 | Check::Mon04 | Check::Mon06 | Check::Mon07 | Check::Mon08 => {
                Self::System
            }
            _ => Self::Configured,
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
