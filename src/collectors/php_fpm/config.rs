//! `[php_fpm.targets.<name>]`: which FPM master, and what of it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::source::{Source, is_socket_pattern};
use crate::config::types::Address;

/// Where packages install the OPcache script.
const SCRIPT: &str = "/usr/share/vitrin/opcache.php";

/// The status path that pools given by address have, when none is named.
const STATUS_PATH: &str = "/status";

/// One FPM master. All paths are the host's, without `--path.rootfs`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Table")]
pub struct Config {
    pub(super) source: Source,
    pub(super) processes: bool,
    pub(super) opcache: bool,
    pub(super) opcache_script: PathBuf,
    pub(super) errors: bool,
    pub(super) error_logs: Vec<String>,
}

impl Config {
    /// The master with this configuration file, as it is watched without a `vitrin.toml`.
    #[must_use]
    pub fn of(configuration: &Path) -> Self {
        Self {
            source: Source::Configuration(Some(configuration.to_owned())),
            processes: false,
            opcache: true,
            opcache_script: SCRIPT.into(),
            errors: true,
            error_logs: Vec::new(),
        }
    }
}

/// The keys as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    configuration: Option<PathBuf>,
    pools: Option<Vec<String>>,
    status_path: Option<String>,
    #[serde(default)]
    processes: bool,
    #[serde(default = "on")]
    opcache: bool,
    #[serde(default = "script")]
    opcache_script: PathBuf,
    errors: Option<bool>,
    #[serde(default)]
    error_logs: Vec<String>,
}

fn on() -> bool {
    true
}

fn script() -> PathBuf {
    SCRIPT.into()
}

impl TryFrom<Table> for Config {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let source = match (table.configuration, table.pools, table.status_path) {
            (Some(_), Some(_), _) => {
                return Err("`configuration` and `pools` exclude each other\n`configuration` names all the pools; \
                            remove one of the two"
                    .to_owned());
            }
            (_, None, Some(_)) => {
                return Err("`status_path` goes with `pools`\nwith `configuration` it is read from each pool's \
                            `pm.status_path`"
                    .to_owned());
            }
            (_, Some(pools), status_path) => addresses(pools, status_path)?,
            (configuration, None, None) => Source::Configuration(absolute("configuration", configuration)?),
        };
        let opcache_script = absolute("opcache_script", Some(table.opcache_script))?.unwrap_or_else(script);
        if table.errors == Some(false) && !table.error_logs.is_empty() {
            return Err("`errors` is false, but `error_logs` names some\nremove one of the two".to_owned());
        }
        // Without a configuration nothing says where the logs are.
        let errors = table.errors.unwrap_or(true)
            && (!table.error_logs.is_empty() || matches!(source, Source::Configuration(_)));
        Ok(Self {
            source,
            processes: table.processes,
            opcache: table.opcache,
            opcache_script,
            errors,
            error_logs: patterns(table.error_logs)?,
        })
    }
}

/// The most patterns of error logs that one target may name.
const PATTERNS: usize = 32;

fn patterns(logs: Vec<String>) -> Result<Vec<String>, String> {
    if logs.len() > PATTERNS {
        return Err(format!(
            "`error_logs` names {} files\nat most {PATTERNS}; one with `*` stands for many",
            logs.len()
        ));
    }
    match logs.iter().find(|log| !log.starts_with('/') || log.ends_with('/')) {
        Some(log) => Err(format!(
            "error_logs: `{log}` is not an absolute path of a file\nbegin it with `/`; `*` stands for any part of a name"
        )),
        None => Ok(logs),
    }
}

fn addresses(pools: Vec<String>, status_path: Option<String>) -> Result<Source, String> {
    if pools.is_empty() {
        return Err(
            "`pools` is empty\nlist addresses, for example [\"/run/php/*.sock\", \"127.0.0.1:9000\"]".to_owned()
        );
    }
    for pool in pools.iter().filter(|pool| !is_socket_pattern(pool)) {
        pool.parse::<Address>()?;
    }
    let status_path = status_path.unwrap_or_else(|| STATUS_PATH.to_owned());
    if !status_path.starts_with('/') || status_path.contains(['?', '#']) {
        return Err(format!("`{status_path}` is not a status path\nwrite it as `pm.status_path` has it: \"/status\""));
    }
    Ok(Source::Addresses { addresses: pools, status_path })
}

fn absolute(key: &str, path: Option<PathBuf>) -> Result<Option<PathBuf>, String> {
    match path {
        Some(path) if !path.is_absolute() => {
            Err(format!("{key}: `{}` is not an absolute path\nbegin it with `/`", path.display()))
        }
        path => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn an_empty_table_looks_in_the_usual_places() {
        let config = parse("").unwrap();
        assert!(matches!(config.source, Source::Configuration(None)));
        assert!(config.opcache && !config.processes);
        assert_eq!(config.opcache_script, Path::new(SCRIPT));
        assert!(config.errors && config.error_logs.is_empty());
    }

    #[test]
    fn errors_are_looked_for_where_something_says_where_they_are() {
        for (text, errors) in [
            ("configuration = '/a'", true),
            ("configuration = '/a'\nerrors = false", false),
            ("pools = ['/a']", false),
            ("pools = ['/a']\nerrors = true", false),
            ("pools = ['/a']\nerror_logs = ['/b']", true),
        ] {
            assert_eq!(parse(text).unwrap().errors, errors, "{text}");
        }
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (text, says) in [
            ("configuration = '/a'\npools = ['/b']", "exclude each other"),
            ("status_path = '/s'", "goes with `pools`"),
            ("pools = []", "`pools` is empty"),
            ("pools = ['http://x']", "is not an address"),
            ("pools = ['/a']\nstatus_path = 'status'", "is not a status path"),
            ("configuration = 'a.conf'", "absolute path"),
            ("opcache_script = 'a.php'", "absolute path"),
            ("opcash = true", "unknown field"),
            ("errors = false\nerror_logs = ['/b']", "names some"),
            ("error_logs = ['b.log']", "`b.log` is not an absolute path"),
            ("error_logs = ['/var/log/']", "absolute path of a file"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(says), "{text}: {message}");
        }
    }
}
