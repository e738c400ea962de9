//! Redis and Valkey: server, cluster node or Sentinel, read in one round trip at each scrape.
//!
//! The least that an ACL user needs is in `remedy`, and in docs/backends.md.

mod administrator;
mod commands;
mod connection;
mod discover;
mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod info;
pub(in crate::collectors) mod inquiry;
mod key_groups;
mod keyspace;
mod refusal;
mod remedy;
mod replication;
mod sentinel;
mod settings;
mod tls;
mod url;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use crate::collector::{Collector, Context, Failure, Gate, Paths, Reason};
use crate::config::secret::Secret;
use crate::metric::{Catalogue, Metric};
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;
use crate::tls::Settings;

use connection::{Answers, Connection, Mode, Question};
use info::Info;

pub use connection::Endpoint;
pub use discover::DISCOVERY;
pub use key_groups::{Groups, KeyGroup, KeyGroups, Scan};
pub use url::RedisUrl;

crate::metrics! {
    DropIn as METRICS;
    /// Whether the server answered INFO at this scrape: 1 or 0.
    UP = Gauge("redis_up", None, []);
}

const INFO: Question = Question { command: "INFO", argument: Some("all") };
const SLOWLOG_LENGTH: Question = Question { command: "SLOWLOG LEN", argument: None };
const SLOWLOG_LAST: Question = Question { command: "SLOWLOG GET", argument: Some("1") };
const LATENCY_LATEST: Question = Question { command: "LATENCY LATEST", argument: None };
/// Since Redis 7.0.
const LATENCY_HISTOGRAM: Question = Question { command: "LATENCY HISTOGRAM", argument: None };
const CLUSTER_INFO: Question = Question { command: "CLUSTER INFO", argument: None };

/// One target: `[redis.targets.<name>]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Config {
    /// Where the server is, and who we are there.
    pub endpoint: Endpoint,
    /// The groups of keys to count.
    pub key_groups: Groups,
    /// How to look for them.
    pub scan: Scan,
}

/// The target as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    url: RedisUrl,
    user: Option<String>,
    password: Option<Secret>,
    tls: Option<Settings>,
    #[serde(default)]
    key_groups: Groups,
    #[serde(default)]
    key_group_scan: Scan,
}

impl TryFrom<Written> for Config {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        if written.tls.is_some() && !written.url.tls {
            return Err(format!("`tls` is set, but `{}` does not speak TLS\nwrite rediss:// in the url", written.url));
        }
        let tls = written.tls.unwrap_or_default();
        tls.check()?;
        if written.key_group_scan.time.0 >= KeyGroups::TIMEOUT {
            return Err(
                "`key_group_scan.time` leaves no time to report what was found\nwrite at most \"25s\"".to_owned()
            );
        }
        Ok(Self {
            endpoint: Endpoint { url: written.url, user: written.user, password: written.password, tls },
            key_groups: written.key_groups,
            scan: written.key_group_scan,
        })
    }
}

/// Watches one server.
pub struct Redis {
    config: Config,
    paths: Paths,
    gate: Arc<Gate>,
    /// The connection between two scrapes; taken out while it is in use, so that one dropped halfway is not used again.
    kept: Mutex<Option<Connection>>,
}

impl Collector for Redis {
    const NAME: &'static str = "redis";
    const METRICS: &'static [Catalogue] = &[
        Catalogue::List(METRICS),
        info::TABLES[0],
        info::TABLES[1],
        Catalogue::List(info::METRICS),
        Catalogue::List(info::OWN),
        Catalogue::List(commands::METRICS),
        Catalogue::List(keyspace::METRICS),
        Catalogue::List(replication::METRICS),
        Catalogue::List(sentinel::METRICS),
        Catalogue::List(settings::METRICS),
    ];
    const UP: Option<&'static Metric<0>> = Some(&UP);
    type Config = Config;

    fn new(config: &Config, context: &Context) -> Self {
        let gate = context.gate(&config.endpoint.url.address.to_string());
        Self { config: config.clone(), paths: context.paths.clone(), gate, kept: Mutex::new(None) }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let _permit = self.gate.scrape.acquire().await.expect("gates are never closed");
        let mut connection = match self.take_kept() {
            Some(connection) => connection,
            None => self.config.endpoint.connect().await?,
        };
        let reading = |failure: Failure| failure.context(format!("reading {}", self.config.endpoint));
        read(&mut connection, out).await.map_err(reading)?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        Ok(())
    }

    async fn remedies(&self, run: Complaints<'_>, service: &Service) -> Vec<Remedy> {
        let _permit = self.gate.slow.acquire().await.expect("gates are never closed");
        remedy::remedies(&self.config, run, service, &self.paths).await
    }
}

impl Redis {
    fn take_kept(&self) -> Option<Connection> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.and_then(|mut connection| connection.is_fresh().then_some(connection))
    }
}

/// Asks everything and reports it.
async fn read(connection: &mut Connection, out: &mut Snapshot) -> Result<(), Failure> {
    let mode = connection.mode();
    let (mut answers, gaps) = connection.answers(&questions(mode)).await?;
    let info = match answers.remove(&INFO) {
        Some(reply) => refusal::text(&reply)?,
        None => return Err(gaps.into_iter().last().unwrap_or_else(|| Failure::message(Reason::Bug, "no INFO"))),
    };
    for gap in gaps {
        out.gap(gap);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    report(&Info::parse(&info), &answers, mode, now, out);
    if mode == Mode::Sentinel {
        sentinel::collect(connection, out).await?;
    }
    Ok(())
}

/// What to ask a server of this kind. `INFO` comes last: the sums in it belong to the histograms before it.
fn questions(mode: Mode) -> Vec<Question> {
    let mut questions = Vec::new();
    // A Sentinel knows none of these.
    if mode != Mode::Sentinel {
        questions.extend(settings::questions(mode == Mode::Cluster));
        questions.extend([SLOWLOG_LENGTH, SLOWLOG_LAST, LATENCY_LATEST, LATENCY_HISTOGRAM]);
    }
    if mode == Mode::Cluster {
        questions.push(CLUSTER_INFO);
    }
    questions.push(INFO);
    questions
}

/// Turns the answers into samples; one that is not understood is a gap.
fn report(info: &Info<'_>, answers: &Answers, mode: Mode, now: f64, out: &mut Snapshot) {
    info::report(info, now, out);
    commands::report(info, out);
    replication::report(info, out);
    sentinel::report(info, out);
    let databases = settings::databases(answers, mode == Mode::Cluster).unwrap_or_default();
    keyspace::report(info, databases, out);

    let note = |result: Result<(), Failure>, out: &mut Snapshot| {
        if let Err(failure) = result {
            out.gap(failure);
        }
    };
    note(settings::report(answers, out), out);
    if let Some(reply) = answers.get(&LATENCY_HISTOGRAM) {
        note(commands::report_histograms(reply, info, out), out);
    }
    if let Some(reply) = answers.get(&LATENCY_LATEST) {
        note(commands::report_spikes(reply, out), out);
    }
    if let Some(reply) = answers.get(&SLOWLOG_LENGTH) {
        note(commands::report_slowlog_length(reply, out), out);
    }
    if let Some(reply) = answers.get(&SLOWLOG_LAST) {
        note(commands::report_slowlog_last(reply, out), out);
    }
    if let Some(reply) = answers.get(&CLUSTER_INFO) {
        note(refusal::text(reply).map(|text| info::report_cluster(&text, out)), out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::Value;

    /// Name, label values and value of a series.
    pub(super) type Series = (String, Vec<String>, Value);

    /// What a report pushes; it must not push anything twice.
    pub(super) fn series(report: impl FnOnce(&mut Snapshot)) -> Vec<Series> {
        let mut out = Snapshot::default();
        report(&mut out);
        let (findings, _, dropped) = out.finish();
        assert!(dropped.is_empty(), "{dropped:?}");
        let mut found = Vec::new();
        for (family, group) in findings.families() {
            for (labels, value) in group.samples() {
                found.push((family.name.to_string(), labels.map(str::to_owned).collect(), value.clone()));
            }
        }
        found
    }

    /// The number of one series.
    pub(super) fn number_of(found: &[Series], name: &str, labels: &[&str]) -> Option<f64> {
        let (.., value) = found.iter().find(|(found, given, _)| found == name && given == labels)?;
        match value {
            Value::Number(number) => Some(*number),
            other => panic!("{name}{labels:?} is {other:?}"),
        }
    }

    /// A recorded reply.
    pub(super) fn reply(bytes: &[u8]) -> redis::Value {
        redis::parse_redis_value(bytes).unwrap()
    }

    fn config(text: &str) -> Result<Config, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_target_needs_no_more_than_an_address() {
        let config = config("url = 'redis://cache:6379/2'").unwrap();
        assert_eq!(config.endpoint.url.db, 2);
        assert!(!KeyGroups::wanted(&config));
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused_with_a_hint() {
        for (text, message) in [
            ("url = 'redis://cache'\ntls = { insecure = true }", "write rediss://"),
            ("url = 'rediss://cache'\ntls = { cert_file = '/a' }", "set cert_file and key_file"),
            ("url = 'redis://cache'\nkey_group_scan.time = '1m'", "at most \"25s\""),
            ("url = 'redis://me:hunter2@cache'", "password = {"),
            ("url = 'redis://cache'\npassword = 'hunter2'", "a secret does not belong in this file"),
        ] {
            let error = config(text).unwrap_err();
            assert!(error.contains(message) && !error.contains("hunter2"), "{error}");
        }
        assert!(config("url = 'redis://cache'\ntypo = 1").is_err());
    }

    proptest! {
        #[test]
        fn no_info_makes_it_panic(cut in 0_usize..9000, junk in "[a-z0-9_:=,.#\r\n-]{0,80}", kept in 0_usize..9000) {
            let recorded = include_str!("../../../tests/fixtures/redis/redis-8.0.6-info.txt");
            let (cut, kept) = (cut.min(recorded.len()), kept.min(recorded.len()));
            let text = format!("{}{junk}{}", &recorded[..cut], &recorded[kept..]);
            report(&Info::parse(&text), &Answers::new(), Mode::Standalone, 0.0, &mut Snapshot::default());
        }
    }
}
