//! What lets Vitrin count all errors: the right to read the logs, and logs where there are none.

use std::path::Path;

use super::super::config::Config;
use super::super::configuration::{Configuration, Pool};
use super::super::log::Log;
use super::logs::files;
use crate::remedy::{Remedy, Service, reading};

/// Where nginx of packages writes its errors.
const NGINX: &str = "/var/log/nginx/error.log";

/// What is missing of this master's logs.
pub(super) fn remedies(
    configuration: &Configuration,
    main: Option<&Path>,
    config: &Config,
    root: &Path,
    service: &Service,
) -> Vec<Remedy> {
    let mut found: Vec<Remedy> = Vec::new();
    for file in files(root, configuration, config) {
        let remedy = reading(root, &file, service);
        // Logs mostly share a group.
        found
            .extend(remedy.filter(|remedy| remedy.run.is_empty() || found.iter().all(|other| other.run != remedy.run)));
    }
    if let (Some(Log::Elsewhere(place)), Some(main)) = (&configuration.error_log, main) {
        let why = format!(
            "FPM writes its errors to {place}, where Vitrin does not look: with a file, crashes and full pools are \
             counted."
        );
        let line = format!("In [global] of {}:\nerror_log = /var/log/php-fpm.log\n", main.display());
        found.push(Remedy::by_hand(why, line).as_more());
    }
    found.extend(unlogged(configuration, config));
    found
}

/// The pools whose errors go nowhere that is read.
fn unlogged(configuration: &Configuration, config: &Config) -> Option<Remedy> {
    let is_silent = |log: &Option<Log>| !matches!(log, Some(Log::File(_)));
    let caught = !is_silent(&configuration.error_log);
    let silent =
        configuration.pools.iter().filter(|pool| is_silent(&pool.error_log) && !(caught && pool.catches_output));
    let names: Vec<_> = silent.map(Pool::shown).collect();
    if !config.error_logs.is_empty() || names.is_empty() {
        return None;
    }
    let why = format!(
        "PHP's errors in {} go to the web server, unless php.ini says otherwise: with its log, or php.ini's, they are \
         counted.",
        names.join(", ")
    );
    Some(Remedy::by_hand(why, format!("In the table of this target in vitrin.toml:\nerror_logs = [\"{NGINX}\"]\n")).as_more())
}
