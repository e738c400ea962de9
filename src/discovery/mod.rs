//! What can be watched on this machine without anybody saying so: found, named, and asked once whether it lets us in.
//!
//! What is found is written as the tables of a configuration and read from there: what is watched without a file is what
//! `vitrin init` writes into one.

mod file;
mod names;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::task::spawn_blocking;

use crate::collector::{Context, Failure, Paths, Reason};
use crate::collectors::DISCOVERIES;
use crate::config::secret::Environment;
use crate::config::types::TargetName;
use crate::config::{self, Config};
use crate::machine::{Machine, Sighting};
use crate::schedule::Job;

/// The most servers of one topic; more belong into a configuration.
const SERVERS: usize = 32;

/// What was found, at one look or at several.
#[derive(Clone, Default)]
pub struct Discovered {
    /// By topic and place.
    found: BTreeMap<(&'static str, String), Found>,
}

/// A server that was found.
#[derive(Clone)]
pub struct Found {
    /// The topic: `mysql`.
    pub topic: &'static str,
    /// What its target is called.
    pub target: TargetName,
    /// Why it is thought to be there: "mariadbd listens at /run/mysqld/mysqld.sock".
    pub seen: String,
    /// What stands in its target's table: the way that leads in or, when none does, the first.
    pub table: String,
    /// Why it does not let us in; `None` when it does.
    pub locked: Option<Locked>,
}

/// Why a server does not let us in.
#[derive(Clone)]
pub struct Locked {
    /// What happened, on one line.
    pub why: String,
    /// What asks it; `None` when not even that can be: [`Locked::why`] says what to do then.
    pub job: Option<Arc<Job>>,
}

/// Looks once: what runs here, and whether it lets us in.
///
/// Nothing is changed by it, and nobody's credentials are used but those that are meant for us.
pub async fn discover(context: &Context, environment: &Environment) -> Discovered {
    let mut discovered = Discovered::default();
    discovered.look(context, environment).await;
    discovered
}

impl Discovered {
    /// Everything that was found, topic by topic, in the order of the targets' names.
    pub fn found(&self) -> impl Iterator<Item = &Found> {
        DISCOVERIES.iter().flat_map(|discovery| {
            let mut found: Vec<_> = self.found.values().filter(|found| found.topic == discovery.topic).collect();
            found.sort_by(|a, b| {
                (a.target.as_str() != "main", &a.target).cmp(&(b.target.as_str() != "main", &b.target))
            });
            found
        })
    }

    /// What was found and does not let us in.
    pub fn locked(&self) -> impl Iterator<Item = (&Found, &Locked)> {
        self.found().filter_map(|found| Some((found, found.locked.as_ref()?)))
    }

    /// The configuration that it comes to: the host and what lets us in.
    #[must_use]
    pub fn open(&self, environment: &Environment) -> Config {
        configuration(self.found().filter(|found| found.locked.is_none()), environment)
    }

    /// The same with what does not let us in, as far as it can be asked at all.
    #[must_use]
    pub fn all(&self, environment: &Environment) -> Config {
        let can_be_asked = |found: &&Found| found.locked.as_ref().is_none_or(|locked| locked.job.is_some());
        configuration(self.found().filter(can_be_asked), environment)
    }

    /// Looks again. What let us in once stays, whatever has become of it: that it is down is then for the metrics to say.
    pub(crate) async fn look(&mut self, context: &Context, environment: &Environment) {
        let sightings = sightings(&context.paths, environment.home()).await;
        self.found.retain(|(topic, place), found| {
            let is_it = |(other, sighting): &(&str, Sighting)| other == topic && sighting.place == *place;
            found.locked.is_none() || sightings.iter().any(is_it)
        });
        let mut asked = Vec::new();
        for (topic, sighting) in sightings {
            let place = (topic, sighting.place.clone());
            let target = match self.found.get(&place) {
                Some(found) if found.locked.is_none() => continue,
                Some(found) => found.target.clone(),
                None => {
                    let taken = |name: &TargetName| {
                        let known = self.found.iter().map(|((topic, _), found)| (*topic, &found.target));
                        known
                            .chain(asked.iter().map(|(_, (topic, target, _))| (*topic, target)))
                            .any(|other| other == (topic, name))
                    };
                    names::free(&sighting.name, taken)
                }
            };
            asked.push((place, (topic, target, sighting)));
        }
        let answers = asked.into_iter().map(async |(place, (topic, target, sighting))| {
            (place, found(topic, target, sighting, context, environment).await)
        });
        self.found.extend(join_all(answers).await);
    }
}

/// What all topics see.
async fn sightings(paths: &Paths, home: Option<PathBuf>) -> Vec<(&'static str, Sighting)> {
    let paths = paths.clone();
    let look = move || {
        let names: Vec<_> = DISCOVERIES.iter().flat_map(|discovery| discovery.processes).copied().collect();
        let machine = Machine::look(&paths, home, &names);
        let seen = |discovery: &crate::machine::Discovery| {
            let topic = discovery.topic;
            (discovery.look)(&machine)
                .into_iter()
                .take(SERVERS)
                .map(move |sighting| (topic, sighting))
                .collect::<Vec<_>>()
        };
        DISCOVERIES.iter().flat_map(seen).collect()
    };
    // It ends early only as the program does.
    spawn_blocking(look).await.unwrap_or_default()
}

/// Tries the ways to watch a server, up to the first that leads in.
async fn found(
    topic: &'static str,
    target: TargetName,
    sighting: Sighting,
    context: &Context,
    environment: &Environment,
) -> Found {
    let mut first = None;
    for table in &sighting.ways {
        let locked = match job(topic, &target, table, context, environment) {
            Ok(job) => {
                let outcome = job.ask().await;
                if outcome.failure.is_none() {
                    first = Some((table.clone(), None));
                    break;
                }
                Locked { why: outcome.complaint(), job: Some(job) }
            }
            Err(failure) => Locked { why: one_line(&failure.to_string()), job: None },
        };
        first.get_or_insert((table.clone(), Some(locked)));
    }
    let (table, locked) = first.unwrap_or_default();
    Found { topic, target, seen: sighting.seen, table, locked }
}

/// The job that watches a server in this way.
fn job(
    topic: &str,
    target: &TargetName,
    table: &str,
    context: &Context,
    environment: &Environment,
) -> Result<Arc<Job>, Failure> {
    let text = format!("[host]\nenabled = false\n{}", section(topic, target, table));
    let config = config::parse_with(Path::new("discovered"), &text, environment)
        .map_err(|problem| Failure::message(Reason::Permission, problem.words()))?;
    let jobs = config.collectors.jobs(context, &[]);
    let job = jobs.into_iter().find(|job| job.collector() == topic);
    job.ok_or_else(|| Failure::message(Reason::Bug, format!("a target of {topic} without a job")))
}

/// A target as a configuration has it.
pub(crate) fn section(topic: &str, target: &TargetName, table: &str) -> String {
    // A name may hold dots.
    let name = target.as_str();
    let name = if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() };
    format!("[{topic}.targets.{name}]\n{table}")
}

/// The configuration with these targets.
fn configuration<'a>(found: impl Iterator<Item = &'a Found>, environment: &Environment) -> Config {
    let mut text = String::new();
    for found in found {
        let section = section(found.topic, &found.target, &found.table);
        // A file of it may have gone meanwhile; what was asked a moment ago is left out then, until it is back.
        if config::parse_with(Path::new("discovered"), &section, environment).is_ok() {
            text.push_str(&section);
        }
    }
    config::parse_with(Path::new("discovered"), &text, environment).unwrap_or_default()
}

/// Servers have a say in what went wrong.
fn one_line(text: &str) -> String {
    text.chars().take(1_000).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
