//! FPM's own configuration: `php-fpm.conf`, what it includes, and the pools in them.

use std::collections::{BTreeMap, HashMap};

use super::line::{ERROR_LOG, GLOBAL_KEYS, PHP_ERROR_LOGS, POST_MAX_SIZE, PROCESS_MAX};
use super::listen::{Listen, bound, listen};
use super::log::Log;

/// What FPM is configured to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Configuration {
    /// Its pools, in the order of their names.
    pub(super) pools: Vec<Pool>,
    /// `process.max`: the most processes all pools together may have; 0 when there is no such limit.
    pub(super) process_max: Option<u64>,
    /// `error_log` of the master; `None` without FPM's configuration.
    pub(super) error_log: Option<Log>,
}

/// One pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pool {
    /// Its name; `None` for an address given without FPM's configuration, whose pool says its name itself.
    pub(super) name: Option<String>,
    /// `listen`.
    pub(super) listen: Listen,
    /// `pm.status_listen`.
    pub(super) status_listen: Option<Listen>,
    /// `pm.status_path`.
    pub(super) status_path: Option<String>,
    /// Whether its workers see another root file system.
    pub(super) chroot: bool,
    /// `error_log` of its PHP, where the pool says it.
    pub(super) error_log: Option<Log>,
    /// Whether FPM's log has what its workers write, PHP's errors among it.
    pub(super) catches_output: bool,
    /// How it manages its processes; `None` without FPM's configuration.
    pub(super) manager: Option<Manager>,
    /// Who may reach it, and as whom it works; `None` without FPM's configuration.
    pub(super) access: Option<Access>,
}

/// Who may reach a pool, and as whom it works, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// `listen`, as it is bound: [`Pool::listen`] is where it is asked, which for a pool that listens on all addresses is
    /// the loopback one.
    pub(super) bound: Listen,
    /// `listen.allowed_clients`.
    pub(super) allowed_clients: Option<String>,
    /// `user`: a name or a number.
    pub(super) user: Option<String>,
    /// `group`: a name or a number.
    pub(super) group: Option<String>,
    /// `php_admin_value[post_max_size]`.
    pub(super) post_max_size: Option<String>,
}

impl Pool {
    /// Where to ask for its status: where workers of its own wait for that, else where everybody asks.
    pub(super) fn status_address(&self) -> &Listen {
        self.status_listen.as_ref().unwrap_or(&self.listen)
    }
}

/// The `pm.*` directives, with FPM's defaults; `None` for one that is not set and has none, or whose value cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manager {
    /// `pm`: `static`, `dynamic` or `ondemand`.
    pub(super) kind: String,
    /// `pm.max_children`.
    pub(super) max_children: Option<u64>,
    /// `pm.start_servers`.
    pub(super) start_servers: Option<u64>,
    /// `pm.min_spare_servers`.
    pub(super) min_spare_servers: Option<u64>,
    /// `pm.max_spare_servers`.
    pub(super) max_spare_servers: Option<u64>,
    /// `pm.max_requests`.
    pub(super) max_requests: Option<u64>,
    /// `pm.process_idle_timeout`, in seconds.
    pub(super) process_idle_timeout: Option<u64>,
    /// `request_terminate_timeout`, in seconds.
    pub(super) request_terminate_timeout: Option<u64>,
    /// `request_slowlog_timeout`, in seconds.
    pub(super) request_slowlog_timeout: Option<u64>,
}

/// The sections read so far. A section that comes again adds to the first: Docker's images write `[www]` twice.
#[derive(Debug, Default)]
pub(super) struct Sections {
    /// The pool that lines belong to; `None` is `[global]`.
    current: Option<String>,
    pools: BTreeMap<String, HashMap<&'static str, String>>,
    global: HashMap<&'static str, String>,
}

impl Sections {
    /// Begins a section.
    pub(super) fn begin(&mut self, name: String) {
        if name.eq_ignore_ascii_case("global") {
            self.current = None;
            return;
        }
        self.pools.entry(name.clone()).or_default();
        self.current = Some(name);
    }

    /// Sets a directive of the section.
    pub(super) fn set(&mut self, key: &'static str, value: &str) {
        match &self.current {
            Some(pool) if !GLOBAL_KEYS.contains(&key) => {
                let value = value.replace("$pool", pool);
                self.pools.entry(pool.clone()).or_default().insert(key, value);
            }
            None if GLOBAL_KEYS.contains(&key) => {
                self.global.insert(key, value.to_owned());
            }
            _ => {}
        }
    }

    /// All has been read; relative paths begin at `prefix`.
    pub(super) fn finish(self, prefix: &str) -> Configuration {
        let pools = self.pools.into_iter().map(|(name, set)| pool(name, &set, prefix)).collect();
        let get = |key: &str| self.global.get(key).map(String::as_str);
        Configuration {
            pools,
            process_max: get(PROCESS_MAX).and_then(|text| text.parse().ok()),
            error_log: Some(Log::of_master(get(ERROR_LOG), prefix)),
        }
    }
}

fn pool(name: String, set: &HashMap<&'static str, String>, prefix: &str) -> Pool {
    let get = |key: &str| set.get(key).map(String::as_str);
    let number = |key: &str| get(key)?.parse().ok();
    // Set, and not a number: a variable of FPM's environment, which only FPM knows.
    let number_or = |default, key: &str| get(key).map_or(Some(default), |text| text.parse().ok());
    let seconds_or = |default, key: &str| get(key).map_or(Some(default), seconds);
    let prefix = get("prefix").unwrap_or(prefix);
    let unset = || Err("`listen` is not set".to_owned());
    Pool {
        listen: get("listen").map_or_else(unset, |text| listen(text, prefix)),
        status_listen: get("pm.status_listen").map(|text| listen(text, prefix)),
        // What FPM takes for the path when only the listener is set.
        status_path: get("pm.status_path").or(get("pm.status_listen").map(|_| "/")).map(str::to_owned),
        chroot: get("chroot").is_some(),
        error_log: PHP_ERROR_LOGS.iter().find_map(|key| get(key)).map(|text| Log::of_pool(text, get("chroot"))),
        catches_output: get("catch_workers_output").is_some_and(is_on),
        manager: get("pm").map(|kind| Manager {
            kind: kind.to_ascii_lowercase(),
            max_children: number("pm.max_children"),
            start_servers: match get("pm.start_servers") {
                Some(text) => text.parse().ok(),
                None => start_servers(number("pm.min_spare_servers"), number("pm.max_spare_servers")),
            },
            min_spare_servers: number("pm.min_spare_servers"),
            max_spare_servers: number("pm.max_spare_servers"),
            max_requests: number_or(0, "pm.max_requests"),
            process_idle_timeout: seconds_or(10, "pm.process_idle_timeout"),
            request_terminate_timeout: seconds_or(0, "request_terminate_timeout"),
            request_slowlog_timeout: seconds_or(0, "request_slowlog_timeout"),
        }),
        access: Some(Access {
            bound: get("listen").map_or_else(unset, |text| bound(text, prefix)),
            allowed_clients: get("listen.allowed_clients").map(str::to_owned),
            user: get("user").map(str::to_owned),
            group: get("group").map(str::to_owned),
            post_max_size: get(POST_MAX_SIZE).map(str::to_owned),
        }),
        name: Some(name),
    }
}

/// A switch, as FPM reads it (`fpm_conf_set_boolean`).
fn is_on(text: &str) -> bool {
    ["1", "yes", "true", "on"].iter().any(|on| on.eq_ignore_ascii_case(text))
}

/// What FPM starts a dynamic pool with when it is not told (`fpm_conf_process_all_pools`).
fn start_servers(min_spare: Option<u64>, max_spare: Option<u64>) -> Option<u64> {
    let (min, max) = (min_spare?, max_spare?);
    Some(min + max.saturating_sub(min) / 2)
}

/// A length of time: a number of seconds, or one with `s`, `m`, `h` or `d`.
fn seconds(text: &str) -> Option<u64> {
    let unit = match text.bytes().last()? {
        b'm' => 60,
        b'h' => 60 * 60,
        b'd' => 24 * 60 * 60,
        _ => 1,
    };
    text.trim_end_matches(['s', 'm', 'h', 'd']).trim_end().parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::collectors::php_fpm::line::{Line, line};
    use crate::config::types::Address;

    fn parse(text: &str) -> Configuration {
        let mut sections = Sections::default();
        for found in text.lines().filter_map(line) {
            match found {
                Line::Section(name) => sections.begin(name),
                Line::Set(key, value) => sections.set(key, &value),
                Line::Include(_) => {}
            }
        }
        sections.finish("/usr/local")
    }

    #[test]
    fn debians_pool_is_read() {
        let configuration = parse(include_str!("../../../tests/fixtures/php_fpm/php-fpm-8.2-www.conf"));
        let [pool] = &configuration.pools[..] else { panic!("{configuration:?}") };
        assert_eq!(pool.name.as_deref(), Some("www"));
        assert_eq!(pool.listen, Ok(Address::Unix("/run/php/php8.2-fpm.sock".into())));
        assert_eq!((&pool.status_listen, &pool.status_path, pool.chroot), (&None, &None, false));
        let manager = pool.manager.as_ref().unwrap();
        assert_eq!(manager.kind, "dynamic");
        assert_eq!((manager.max_children, manager.start_servers), (Some(5), Some(2)));
        assert_eq!((manager.min_spare_servers, manager.max_spare_servers), (Some(1), Some(3)));
        assert_eq!((manager.max_requests, manager.process_idle_timeout), (Some(0), Some(10)));
    }

    #[test]
    fn comments_quotes_and_the_pools_name_are_understood() {
        let configuration = parse(
            "; a comment\n[shop] ; another\nlisten = \"/run/$pool.sock\" ; why\n\
             pm = ondemand;no space\npm.status_path='/s;t'\nrequest_terminate_timeout = 2m\npm.max_requests =\n",
        );
        let pool = &configuration.pools[0];
        assert_eq!(pool.listen, Ok(Address::Unix("/run/shop.sock".into())));
        assert_eq!(pool.status_path.as_deref(), Some("/s;t"));
        let manager = pool.manager.as_ref().unwrap();
        assert_eq!((manager.kind.as_str(), manager.request_terminate_timeout), ("ondemand", Some(120)));
    }

    #[test]
    fn odd_spellings_are_read_as_fpm_reads_them() {
        let configuration = parse(
            "Process.Max = 7\n[shop]\nLISTEN = /run/'$pool'-\"x\".sock\npm = Dynamic\nPM.max_children = \"04\";c\n\
             pm.process_idle_timeout = 90 s\npm.status_listen = 9001\n",
        );
        assert_eq!(configuration.process_max, Some(7));
        let pool = &configuration.pools[0];
        assert_eq!(pool.listen, Ok(Address::Unix("/run/shop-x.sock".into())));
        assert_eq!(pool.status_path.as_deref(), Some("/"), "its default with a listener of its own");
        let manager = pool.manager.as_ref().unwrap();
        assert_eq!((manager.kind.as_str(), manager.max_children), ("dynamic", Some(4)));
        assert_eq!(manager.process_idle_timeout, Some(90));
    }

    #[test]
    fn each_has_its_error_log() {
        let configuration = parse(
            "error_log = log/fpm.log\n[a]\nlisten = 9000\nphp_value[error_log] = /b\ncatch_workers_output = Yes\n\
             php_admin_value[error_log] = /var/log/$pool.log\n[b]\nlisten = 9001\nerror_log = /no/directive\n",
        );
        assert_eq!(configuration.error_log, Some(Log::File("/usr/local/var/log/fpm.log".into())));
        let [a, b] = &configuration.pools[..] else { panic!("{configuration:?}") };
        assert_eq!((&a.error_log, a.catches_output), (&Some(Log::File("/var/log/a.log".into())), true));
        assert_eq!((&b.error_log, b.catches_output), (&None, false));
    }

    #[test]
    fn what_a_variable_sets_is_unknown_and_not_the_default() {
        let spares = "pm.min_spare_servers = 1\npm.max_spare_servers = 4\n";
        for (line, servers) in [("", Some(2)), ("pm.start_servers = ${START}\n", None)] {
            let configuration = parse(&format!("[shop]\npm = dynamic\n{spares}{line}"));
            assert_eq!(configuration.pools[0].manager.as_ref().unwrap().start_servers, servers);
        }
        let configuration = parse(
            "[shop]\nlisten = 9000\npm = ondemand\npm.max_children = ${CHILDREN}\npm.max_requests = ${REQUESTS}\n\
             pm.process_idle_timeout = ${IDLE}\nrequest_terminate_timeout = ${TERMINATE}\n",
        );
        let manager = configuration.pools[0].manager.as_ref().unwrap();
        assert_eq!((manager.max_children, manager.max_requests, manager.process_idle_timeout), (None, None, None));
        assert_eq!((manager.request_terminate_timeout, manager.request_slowlog_timeout), (None, Some(0)));
    }

    #[test]
    fn a_section_that_comes_again_adds_to_the_first() {
        let configuration =
            parse("[www]\nlisten = 127.0.0.1:9000\npm = dynamic\n[global]\nprocess.max = 9\n[www]\nlisten = 9001\n");
        assert_eq!(configuration.process_max, Some(9));
        assert_eq!(configuration.pools.len(), 1);
        assert_eq!(configuration.pools[0].listen, Ok("127.0.0.1:9001".parse().unwrap()));
        assert_eq!(configuration.pools[0].manager.as_ref().unwrap().kind, "dynamic");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[\[\]=;"'$a-z.0-9 \n]{0,80}"#, any: String) {
            parse(&text);
            parse(&any);
        }
    }
}
