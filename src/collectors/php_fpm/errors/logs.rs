//! Which logs a target has.

use std::path::{Path, PathBuf};

use super::super::config::Config;
use super::super::configuration::Configuration;
use super::super::log::Log;
use crate::glob;

/// The logs of a master, as FPM's configuration and ours name them: the host's paths, some with `*`.
pub(super) fn patterns(configuration: &Configuration, config: &Config) -> Vec<String> {
    let logs = configuration.pools.iter().filter_map(|pool| pool.error_log.as_ref()).chain(&configuration.error_log);
    let named = logs.filter_map(|log| match log {
        // FPM's is one file, whatever letters are in its name.
        Log::File(path) => path.to_str().filter(|path| !glob::is_pattern(path)).map(str::to_owned),
        Log::Elsewhere(_) => None,
    });
    let mut patterns: Vec<_> = named.chain(config.error_logs.iter().cloned()).collect();
    patterns.sort();
    patterns.dedup();
    patterns
}

/// The logs of pools alone, which are made when PHP has something to say: that one is missing is no failure.
pub(super) fn of_pools(configuration: &Configuration) -> Vec<&Path> {
    let logs = configuration.pools.iter().filter_map(|pool| pool.error_log.as_ref());
    let files = logs.filter_map(|log| if let Log::File(path) = log { Some(path.as_path()) } else { None });
    files.filter(|path| configuration.error_log.as_ref() != Some(&Log::File(path.to_path_buf()))).collect()
}

/// Those that are there, as the host names them.
pub(super) fn files(root: &Path, configuration: &Configuration, config: &Config) -> Vec<PathBuf> {
    let found = patterns(configuration, config).into_iter().flat_map(|pattern| glob::expand(root, &pattern));
    let mut files: Vec<_> = found.map(|path| Path::new("/").join(path.strip_prefix(root).unwrap_or(&path))).collect();
    files.sort();
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::php_fpm::configuration::Pool;

    fn pool(name: &str, log: Option<Log>) -> Pool {
        Pool {
            name: Some(name.to_owned()),
            listen: Err(String::new()),
            status_listen: None,
            status_path: None,
            chroot: false,
            error_log: log,
            catches_output: false,
            manager: None,
            access: None,
        }
    }

    #[test]
    fn each_file_is_named_once_and_what_is_no_file_not_at_all() {
        let file = |path: &str| Some(Log::File(path.into()));
        let elsewhere = || Some(Log::Elsewhere("syslog".to_owned()));
        let pools = [
            pool("a", file("/log/php.log")),
            pool("b", file("/log/php.log")),
            pool("c", file("/log/fpm.log")),
            pool("d", file("/log/[x].log")),
            pool("e", elsewhere()),
            pool("f", None),
        ];
        let configuration = Configuration { pools: pools.into(), process_max: None, error_log: file("/log/fpm.log") };
        let config: Config = toml::from_str("error_logs = ['/srv/*/php.log', '/log/php.log']").unwrap();
        assert_eq!(patterns(&configuration, &config), ["/log/fpm.log", "/log/php.log", "/srv/*/php.log"]);
        assert_eq!(of_pools(&configuration), ["/log/php.log", "/log/php.log", "/log/[x].log"].map(Path::new));

        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("srv/shop")).unwrap();
        std::fs::write(root.path().join("srv/shop/php.log"), "").unwrap();
        assert_eq!(files(root.path(), &configuration, &config), [Path::new("/srv/shop/php.log")]);
        let silent = Configuration { error_log: elsewhere(), ..Configuration::default() };
        assert_eq!(patterns(&silent, &toml::from_str("").unwrap()), [""; 0]);
    }
}
