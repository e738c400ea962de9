//! What can be watched on this machine without anybody saying so: found, named, and asked whether it lets us in.
//!
//! What is found is written as the tables of a configuration and read from there: what is watched without a file is what
//! `vitrin init` writes into one.

mod file;
mod names;
mod search;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collector::Context;
use crate::collectors::DISCOVERIES;
use crate::config::secret::Environment;
use crate::config::types::{MAIN, TargetName};
use crate::config::{self, Config};
use crate::schedule::Job;

/// What was found, at one look or at several.
#[derive(Clone, Default)]
pub struct Discovered {
    /// By topic and place.
    found: BTreeMap<(&'static str, String), Found>,
    /// How many looks there have been.
    looks: u32,
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
    /// The ways there were when it was asked.
    ways: Vec<String>,
    /// Why it does not let us in; `None` when it does.
    pub locked: Option<Locked>,
}

/// Why a server does not let us in.
#[derive(Clone)]
pub struct Locked {
    /// What happened, on one line.
    pub why: String,
    /// What asked it, and knows the ways out ([`Job::remedies`]).
    pub job: Arc<Job>,
    /// How often it was asked.
    tries: u32,
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
    /// Everything that was found, topic by topic: `main`, then the others in the order of their names.
    pub fn found(&self) -> impl Iterator<Item = &Found> {
        DISCOVERIES.iter().flat_map(|discovery| {
            let mut found: Vec<_> = self.found.values().filter(|found| found.topic == discovery.topic).collect();
            found.sort_by_key(|found| (found.target.as_str() != MAIN, &found.target));
            found
        })
    }

    /// What was found and does not let us in.
    pub fn locked(&self) -> impl Iterator<Item = (&Found, &Locked)> {
        self.found().filter_map(|found| Some((found, found.locked.as_ref()?)))
    }

    /// The configuration that it comes to: the host, and what lets us in.
    #[must_use]
    pub fn open(&self, environment: &Environment) -> Config {
        configuration(self.found().filter(|found| found.locked.is_none()), environment)
    }

    /// The same with what does not let us in: for those who want to know why.
    #[must_use]
    pub fn all(&self, environment: &Environment) -> Config {
        configuration(self.found(), environment)
    }
}

/// The configuration with these targets.
fn configuration<'a>(found: impl Iterator<Item = &'a Found>, environment: &Environment) -> Config {
    let text: String = found.map(|found| section(found.topic, &found.target, &found.table)).collect();
    // Each of the tables has been read before, or the server would not be among them.
    config::parse_found(&text, environment).unwrap_or_default()
}

/// A target as a configuration has it.
fn section(topic: &str, target: &TargetName, table: &str) -> String {
    let name = target.as_str();
    // A bare key holds no dots.
    let name = if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() };
    format!("[{topic}.targets.{name}]\n{table}")
}
