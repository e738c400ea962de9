//! THE list: the one place that names every collector.

pub mod access_log;
pub mod host;
pub mod marketplace;
pub mod mysql;
pub mod nginx;
pub mod php_fpm;
pub mod probe;
pub mod redis;

pub mod security;
pub mod textfile;

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::collector::{Collector, Context};
use crate::config::exposition::Exposition;
use crate::config::objectives::{self, Objectives};
use crate::config::types::{Address, Section};
use crate::machine::{Discovery, Machine, quoted};
use crate::metric::{Catalogue, Desc};
use crate::schedule::Job;
use crate::state::{self, StateDir};
use crate::{follow, process, schedule, server};

/// The tables of the configuration: one for each topic, and how all of it is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sections {
    /// Where what must outlive the program is kept.
    pub state_dir: Option<StateDir>,
    /// How pages are written.
    pub exposition: Exposition,
    /// What the shop promises.
    pub objectives: Objectives,
    /// The shop's traffic, by its access logs.
    pub access_log: Section<access_log::Config>,
    /// The machine itself.
    pub host: host::Config,
    /// Marketplaces, an account each.
    #[serde(deserialize_with = "marketplace::section")]
    pub marketplace: Section<marketplace::Account>,
    /// MySQL or MariaDB.
    #[serde(deserialize_with = "mysql::section")]
    pub mysql: Section<mysql::Config>,
    /// nginx.
    pub nginx: Section<nginx::Config>,
    /// PHP-FPM with OPcache.
    pub php_fpm: Section<php_fpm::Config>,
    /// The shop from outside.
    #[serde(deserialize_with = "probe::section")]
    pub probe: Section<probe::Config>,
    /// Redis or Valkey.
    pub redis: Section<redis::Config>,
    /// How secure the shop is; nobody looks without it.
    pub security: Option<security::Config>,
    /// Numbers that scripts leave in files.
    pub textfile: textfile::Config,
}

impl Sections {
    /// The jobs that the configuration asks for: those of `present` that would be made again as they are, the others new.
    #[must_use]
    pub fn jobs(&self, context: &Context, present: &[Arc<Job>]) -> Vec<Arc<Job>> {
        // Without `..`: the compiler asks for a topic that is forgotten here.
        let Self {
            state_dir: _,
            exposition: _,
            objectives,
            access_log,
            host,
            marketplace,
            mysql,
            nginx,
            php_fpm,
            probe,
            redis,
            security: _,
            textfile,
        } = self;
        let mut jobs = Jobs { list: Vec::new(), context, present };
        jobs.add::<host::Host>(&host.section());
        jobs.add::<php_fpm::PhpFpm>(php_fpm);
        jobs.add::<php_fpm::PhpFpmErrors>(php_fpm);
        jobs.add::<mysql::Mysql>(mysql);
        jobs.add::<mysql::Tables>(mysql);
        jobs.add::<mysql::Digests>(mysql);
        jobs.add::<mysql::ShopDatabase>(mysql);
        jobs.add::<mysql::Queries>(mysql);
        jobs.add::<redis::Redis>(redis);
        jobs.add::<redis::KeyGroups>(redis);
        jobs.add::<nginx::Nginx>(nginx);
        jobs.add::<access_log::AccessLog>(&access_log::promised(access_log, objectives));
        jobs.add::<probe::Probe>(probe);
        jobs.add::<marketplace::Marketplace>(marketplace);
        jobs.add::<security::Security>(&security::Subject::section(self));
        jobs.add::<textfile::Textfile>(&textfile.section());
        jobs.list
    }
}

/// How each topic finds its servers on a machine, in the order in which they are shown.
pub const DISCOVERIES: [Discovery; 5] =
    [php_fpm::DISCOVERY, mysql::DISCOVERY, redis::DISCOVERY, nginx::DISCOVERY, access_log::DISCOVERY];

/// The line for the password of a topic's account that is kept where documents and `vitrin check` say; `None` when there
/// is none, or when the server at this address does not run as one of these users.
fn password_file(machine: &Machine, topic: &str, address: &Address, accounts: &[&str]) -> Option<String> {
    machine.trusts(address, accounts).then_some(())?;
    let path = machine.inside(Path::new(PASSWORDS)).join(format!("{topic}.password"));
    let path = path.is_file().then(|| path.to_str().map(quoted))??;
    Some(format!("password = {{ file = {path} }}\n"))
}

/// Where passwords are kept.
const PASSWORDS: &str = "/etc/vitrin";

/// Every collector: its name, and what it may emit.
#[must_use]
pub fn all() -> [(&'static str, &'static [Catalogue]); 16] {
    fn entry<C: Collector>() -> (&'static str, &'static [Catalogue]) {
        (C::NAME, C::METRICS)
    }
    [
        entry::<host::Host>(),
        entry::<php_fpm::PhpFpm>(),
        entry::<php_fpm::PhpFpmErrors>(),
        entry::<mysql::Mysql>(),
        entry::<mysql::Tables>(),
        entry::<mysql::Digests>(),
        entry::<mysql::ShopDatabase>(),
        entry::<mysql::Queries>(),
        entry::<redis::Redis>(),
        entry::<redis::KeyGroups>(),
        entry::<nginx::Nginx>(),
        entry::<access_log::AccessLog>(),
        entry::<probe::Probe>(),
        entry::<marketplace::Marketplace>(),
        entry::<security::Security>(),
        entry::<textfile::Textfile>(),
    ]
}

/// Every family the program can show, in the order of their names.
#[must_use]
pub fn catalogue() -> Vec<&'static Desc> {
    let own = [
        follow::METRICS,
        objectives::METRICS,
        process::METRICS,
        schedule::METRICS,
        server::METRICS,
        server::WEB_METRICS,
        state::METRICS,
    ];
    let own = own.map(Catalogue::List);
    let collectors = all().into_iter().flat_map(|(_, metrics)| metrics).copied();
    let mut families: Vec<_> = own.into_iter().chain(collectors).flat_map(Catalogue::families).collect();
    families.sort_by(|a, b| a.name.cmp(&b.name));
    families
}

struct Jobs<'a> {
    list: Vec<Arc<Job>>,
    context: &'a Context,
    present: &'a [Arc<Job>],
}

impl Jobs<'_> {
    /// One job for each of the topic's targets that wants this collector.
    fn add<C: Collector>(&mut self, section: &Section<C::Config>) {
        debug_assert!(all().iter().any(|(name, _)| *name == C::NAME), "{} is not in `all`", C::NAME);
        for (name, config) in section.targets.iter().filter(|(_, config)| C::wanted(config)) {
            // The topic's time limit is that of a scrape; what runs on a timer may take longer.
            let timeout = section.timeout.filter(|_| C::every(config).is_none()).map(|period| period.0);
            let present = self.present.iter().find(|job| job.is::<C>(name, config, timeout));
            self.list.push(present.map_or_else(|| Job::new::<C>(name, config, timeout, self.context), Arc::clone));
        }
    }
}
