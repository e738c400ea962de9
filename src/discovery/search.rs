//! A look at the machine: what is new is asked, what did not let us in is asked again.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::task::spawn_blocking;

use super::{Discovered, Found, Locked, names, section};
use crate::collector::{Context, Paths};
use crate::collectors::DISCOVERIES;
use crate::config;
use crate::config::secret::Environment;
use crate::config::types::TargetName;
use crate::machine::{Discovery, Machine, Sighting};
use crate::schedule::Job;

/// The most servers of one topic; more belong into a configuration.
const SERVERS: usize = 32;

/// How often a server that does not let us in is asked at each look, and at which looks from then on: each time is a line
/// in that server's log.
const EAGER_TRIES: u32 = 15;
const PATIENT_LOOKS: u32 = 15;

impl Discovered {
    /// Looks again. What let us in once stays, whatever has become of it: that it is down is for the metrics to say.
    pub(crate) async fn look(&mut self, context: &Context, environment: &Environment) {
        self.looks = self.looks.wrapping_add(1);
        let sightings = sightings(&context.paths, environment.home()).await;
        self.found.retain(|(topic, place), found| {
            let is_it = |(other, sighting): &(&str, Sighting)| other == topic && sighting.place == *place;
            found.locked.is_none() || sightings.iter().any(is_it)
        });
        let mut asked: Vec<Asked> = Vec::new();
        for (topic, sighting) in sightings {
            let known = self.found.get(&(topic, sighting.place.clone()));
            let (target, before) = match known {
                None => (self.name(topic, &sighting, &asked), None),
                Some(Found { target, locked: Some(locked), .. }) if self.is_due(locked) => {
                    (target.clone(), Some(locked.clone()))
                }
                Some(_) => continue,
            };
            asked.push(Asked { topic, target, sighting, before });
        }
        let answers = asked.into_iter().map(async |asked| {
            let place = (asked.topic, asked.sighting.place.clone());
            Some((place, asked.answer(context, environment).await?))
        });
        self.found.extend(join_all(answers).await.into_iter().flatten());
    }

    fn is_due(&self, locked: &Locked) -> bool {
        locked.tries < EAGER_TRIES || self.looks.is_multiple_of(PATIENT_LOOKS)
    }

    /// What a server is called that was never seen before.
    fn name(&self, topic: &str, sighting: &Sighting, asked: &[Asked]) -> TargetName {
        let known = self.found.values().map(|found| (found.topic, &found.target));
        let taken: Vec<_> = known.chain(asked.iter().map(|asked| (asked.topic, &asked.target))).collect();
        names::free(&sighting.name, |name| taken.contains(&(topic, name)))
    }
}

/// What all topics see.
async fn sightings(paths: &Paths, home: Option<PathBuf>) -> Vec<(&'static str, Sighting)> {
    let paths = paths.clone();
    let look = move || {
        let names: Vec<_> = DISCOVERIES.iter().flat_map(|discovery| discovery.processes).copied().collect();
        let machine = Machine::look(&paths, home, &names);
        let seen = |discovery: &Discovery| -> Vec<_> {
            let sightings = (discovery.look)(&machine).into_iter().take(SERVERS);
            sightings.map(|sighting| (discovery.topic, sighting)).collect()
        };
        DISCOVERIES.iter().flat_map(seen).collect()
    };
    // It ends early only as the program does.
    spawn_blocking(look).await.unwrap_or_default()
}

/// A server that is asked whether it lets us in.
struct Asked {
    topic: &'static str,
    target: TargetName,
    sighting: Sighting,
    /// What came of it before.
    before: Option<Locked>,
}

impl Asked {
    /// Tries the ways to watch it, up to the first that leads in; `None` when none can be written down.
    async fn answer(self, context: &Context, environment: &Environment) -> Option<Found> {
        let mut first = None;
        for table in &self.sighting.ways {
            let Some(job) = self.job(table, context, environment) else { continue };
            let outcome = job.ask().await;
            if outcome.failure.is_none() {
                return Some(self.found(table.clone(), None));
            }
            let locked = Locked {
                why: outcome.complaint(),
                job,
                tries: self.before.as_ref().map_or(1, |before| before.tries + 1),
            };
            first.get_or_insert((table.clone(), locked));
        }
        let (table, locked) = first?;
        Some(self.found(table, Some(locked)))
    }

    /// The job that watches it in this way, the same as before where there was one: it knows the ways out. `None` for a
    /// path that no configuration takes.
    fn job(&self, table: &str, context: &Context, environment: &Environment) -> Option<Arc<Job>> {
        let text = section(self.topic, &self.target, table);
        let before: Vec<_> = self.before.iter().map(|before| before.job.clone()).collect();
        let jobs = config::parse_found(&text, environment).ok()?.collectors.jobs(context, &before);
        jobs.into_iter().find(|job| job.collector() == self.topic)
    }

    fn found(&self, table: String, locked: Option<Locked>) -> Found {
        let (topic, target, seen) = (self.topic, self.target.clone(), self.sighting.seen.clone());
        Found { topic, target, seen, table, locked }
    }
}
