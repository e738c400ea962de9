//! THE list: the one place that names every collector.

pub mod host;
pub mod mysql;
pub mod nginx;
pub mod php_fpm;
pub mod redis;

use std::sync::Arc;

use serde::Deserialize;

use crate::collector::{Collector, Context};
use crate::config::exposition::Exposition;
use crate::config::types::Section;
use crate::metric::{Catalogue, Desc};
use crate::schedule::Job;
use crate::{process, schedule, server};

/// The tables of the configuration: one for each topic, and how all of it is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sections {
    /// How pages are written.
    pub exposition: Exposition,
    /// The machine itself.
    pub host: host::Config,
    /// MySQL or MariaDB.
    #[serde(deserialize_with = "mysql::section")]
    pub mysql: Section<mysql::Config>,
    /// nginx.
    pub nginx: Section<nginx::Config>,
    /// PHP-FPM with OPcache.
    pub php_fpm: Section<php_fpm::Config>,
    /// Redis or Valkey.
    pub redis: Section<redis::Config>,
}

impl Sections {
    /// The jobs that the configuration asks for.
    #[must_use]
    pub fn jobs(&self, context: &Context) -> Vec<Arc<Job>> {
        // Without `..`: the compiler asks for a topic that is forgotten here.
        let Self { exposition: _, host, mysql, nginx, php_fpm, redis } = self;
        let mut jobs = Jobs { list: Vec::new(), context };
        jobs.add::<host::Host>(&host.section());
        jobs.add::<php_fpm::PhpFpm>(php_fpm);
        jobs.add::<mysql::Mysql>(mysql);
        jobs.add::<mysql::Tables>(mysql);
        jobs.add::<mysql::Digests>(mysql);
        jobs.add::<mysql::Queries>(mysql);
        jobs.add::<redis::Redis>(redis);
        jobs.add::<redis::KeyGroups>(redis);
        jobs.add::<nginx::Nginx>(nginx);
        jobs.list
    }
}

/// Every family the program can show, in the order of their names.
#[must_use]
pub fn catalogue() -> Vec<&'static Desc> {
    let own = [process::METRICS, schedule::METRICS, server::METRICS].map(Catalogue::List);
    let collectors = [
        host::Host::METRICS,
        php_fpm::PhpFpm::METRICS,
        mysql::Mysql::METRICS,
        mysql::Tables::METRICS,
        mysql::Digests::METRICS,
        mysql::Queries::METRICS,
        redis::Redis::METRICS,
        redis::KeyGroups::METRICS,
        nginx::Nginx::METRICS,
    ];
    let all = own.into_iter().chain(collectors.into_iter().flatten().copied());
    let mut families: Vec<_> = all.flat_map(Catalogue::families).collect();
    families.sort_by(|a, b| a.name.cmp(&b.name));
    families
}

struct Jobs<'a> {
    list: Vec<Arc<Job>>,
    context: &'a Context,
}

impl Jobs<'_> {
    /// One job for each of the topic's targets that wants this collector.
    fn add<C: Collector>(&mut self, section: &Section<C::Config>) {
        for (name, config) in section.targets.iter().filter(|(_, config)| C::wanted(config)) {
            // The topic's time limit is that of a scrape; what runs on a timer may take longer.
            let timeout = section.timeout.filter(|_| C::every(config).is_none()).map(|period| period.0);
            self.list.push(Job::new::<C>(name, config, timeout, self.context));
        }
    }
}
