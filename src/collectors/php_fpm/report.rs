//! What was found of all pools of a target as samples.

use std::collections::HashMap;
use std::path::PathBuf;

use super::backlog::Backlog;
use super::configuration::Pool;
use super::status::Status;
use super::{PhpFpm, pool};
use crate::collector::{Failure, Reason};
use crate::config::types::Address;
use crate::snapshot::Snapshot;

/// One pool at one scrape.
pub(super) struct Asked<'a> {
    pub(super) pool: &'a Pool,
    pub(super) uri: String,
    pub(super) result: Result<Option<Status>, Failure>,
}

/// A pool's configured name and its `scrape_uri`, which is empty when its `listen` cannot be told.
pub(super) type Identity = (Option<String>, String);

/// What is known of a pool from earlier scrapes.
#[derive(Debug, Default)]
pub(super) struct Memory {
    failures: u64,
    name: String,
}

impl PhpFpm {
    /// Pushes what is known of each pool, and returns what is not.
    pub(super) fn report(
        &self,
        asked: Vec<Asked<'_>>,
        backlogs: &HashMap<PathBuf, Backlog>,
        out: &mut Snapshot,
    ) -> Vec<Failure> {
        let mut memory = self.memory.lock().expect("no code panics while it holds this lock");
        memory.retain(|(name, uri), _| asked.iter().any(|asked| asked.pool.name == *name && asked.uri == *uri));
        let mut room = pool::CHILDREN;
        let mut failures = Vec::new();
        for Asked { pool, uri, result } in asked {
            let known = memory.entry((pool.name.clone(), uri.clone())).or_default();
            if let (None, Ok(Some(status))) = (&pool.name, &result) {
                known.name.clone_from(&status.head.pool);
            }
            // A pool given by its address has no name before its first answer.
            let name = pool.name.as_ref().unwrap_or(&known.name).as_str();
            pool.report(out);
            out.push(&pool::UP, [name, &uri], result.is_ok());
            let socket = pool.listen.as_ref().ok().and_then(Address::socket);
            if let Some(backlog) = socket.and_then(|socket| backlogs.get(socket)) {
                out.push(&pool::LISTEN_QUEUE, [name, &uri], backlog.waiting);
                out.push(&pool::LISTEN_QUEUE_LENGTH, [name, &uri], backlog.limit);
            }
            known.failures += u64::from(result.is_err());
            out.push(&pool::SCRAPE_FAILURES, [name, &uri], known.failures);
            match result {
                Ok(Some(status)) => {
                    status.report(name, &uri, socket.is_none(), out);
                    pool.report_use(&status, out);
                    if self.config.processes {
                        match status.report_children(name, &uri, room, out) {
                            Ok(children) => room -= children,
                            Err(failure) => {
                                room = 0;
                                failures.push(failure.context(format!("the children of pool {name}")));
                            }
                        }
                    }
                }
                Ok(None) => failures.push(Failure::message(
                    Reason::Protocol,
                    format!("pool {name} has no status page: set `pm.status_path = /status` and reload FPM"),
                )),
                Err(failure) => failures.push(failure),
            }
        }
        failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::{Collector as _, Context, Paths};
    use crate::collectors::php_fpm::{Config, fastcgi, status};

    #[test]
    fn the_queue_of_a_socket_that_the_kernel_does_not_know_is_absent() {
        let body = include_bytes!("../../../tests/fixtures/php_fpm/php-fpm-8.4-status.json").to_vec();
        for (listen, there) in [(Address::Unix("/none.sock".into()), false), ("127.0.0.1:9000".parse().unwrap(), true)]
        {
            let config: Config = toml::from_str("").unwrap();
            let watched = PhpFpm::new(&config, &Context::new(Paths::default()));
            let pool = Pool {
                name: None,
                listen: Ok(listen),
                status_listen: None,
                status_path: None,
                chroot: false,
                error_log: None,
                catches_output: false,
                manager: None,
                access: None,
            };
            let answer = fastcgi::Answer { status: 200, body: body.clone(), stderr: String::new() };
            let asked = Asked { pool: &pool, uri: String::new(), result: status::parse(&answer).map(Some) };
            let mut out = Snapshot::default();
            assert!(watched.report(vec![asked], &HashMap::new(), &mut out).is_empty());
            let findings = out.finish().0;
            let names: Vec<_> = findings.families().map(|(family, _)| family.name.to_string()).collect();
            for name in ["phpfpm_listen_queue", "phpfpm_listen_queue_length"] {
                assert_eq!(names.iter().any(|found| found == name), there, "{name}");
            }
            assert!(names.iter().any(|found| found == "phpfpm_total_processes"));
        }
    }
}
