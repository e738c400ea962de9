//! Groups of keys, counted on a timer by a `SCAN` that has limits and leaves the server its breath.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::collector::{Collector, Context, Failure, Gate, Paths, Reason};
use crate::config::types::{Period, TargetName};
use crate::metric::Catalogue;
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;

use super::Config;
use super::commands::{array, string};
use super::connection::Connection;
use super::refusal::server_failure;

/// Keys the server looks at in one `SCAN`: well under a millisecond of its single thread.
const BATCH: u32 = 500;

/// Elements of a collection that `MEMORY USAGE` looks at; the rest is estimated from them.
const SAMPLES: u32 = 5;

crate::metrics! {
    DropIn as METRICS;
    /// Keys of each configured group, counted by SCAN; with `redis_key_group_scan_complete` 0, those found until the scan reached its limit.
    COUNT = Gauge("redis_key_group_count", None, ["db", "key_group"]);
    /// Memory of the keys counted in each group, by MEMORY USAGE; large collections are estimated from a few elements.
    MEMORY = Gauge("redis_key_group_memory_usage_bytes", Bytes, ["db", "key_group"]);
}

crate::metrics! {
    Own as OWN;
    /// Whether the last scan for this group saw the whole database (1), or stopped at a limit of `key_group_scan` (0).
    COMPLETE = Gauge("redis_key_group_scan_complete", None, ["db", "key_group"]);
}

/// Name and pattern of each group.
pub type Groups = BTreeMap<TargetName, KeyGroup>;

/// One group: `[redis.targets.<target>.key_groups.<name>]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyGroup {
    /// Which keys, as `SCAN ... MATCH` understands it: `session:*`.
    pub pattern: String,
    /// In which database; that of the URL when absent.
    pub db: Option<u32>,
}

/// Limits of the scan: `key_group_scan` of a target.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scan {
    /// How often.
    pub every: Period,
    /// How long one scan for all groups may take.
    pub time: Period,
    /// How many keys of the database are looked at for each group.
    pub max_keys: u64,
    /// Whether to ask for the memory of each key found.
    pub memory: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            every: Period(Duration::from_mins(5)),
            time: Period(Duration::from_secs(20)),
            max_keys: 10_000_000,
            memory: true,
        }
    }
}

/// Counts the groups of one server.
pub struct KeyGroups {
    config: Config,
    paths: Paths,
    gate: Arc<Gate>,
}

impl Collector for KeyGroups {
    const NAME: &'static str = "redis_key_groups";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(METRICS), Catalogue::List(OWN)];
    const TIMEOUT: Duration = Duration::from_secs(30);
    type Config = Config;

    fn wanted(config: &Config) -> bool {
        !config.key_groups.is_empty()
    }

    fn every(config: &Config) -> Option<Duration> {
        Some(config.scan.every.0)
    }

    fn new(config: &Config, context: &Context) -> Self {
        Self {
            config: config.clone(),
            paths: context.paths.clone(),
            gate: context.gate(&config.endpoint.url.address.to_string()),
        }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let _permit = self.gate.slow.acquire().await.expect("gates are never closed");
        let Config { endpoint, key_groups, scan } = &self.config;
        let connection = endpoint.connect().await?;
        let mut scanner = Scanner { connection, db: 0, memory: scan.memory };
        let end = Instant::now() + scan.time.0;
        for (done, (name, group)) in key_groups.iter().enumerate() {
            let left = end.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(key_groups.len() - done).unwrap_or(u32::MAX);
            let db = group.db.unwrap_or(endpoint.url.db);
            let limit = Limit { until: Instant::now() + share, keys: scan.max_keys };
            let found = scanner.count(db, &group.pattern, &limit, out).await.map_err(|failure| {
                failure.context(format!("counting the key group {} of {endpoint}", name.as_str()))
            })?;
            let labels = [&format!("db{db}"), name.as_str()];
            out.push(&COUNT, labels, found.keys);
            if let Some(bytes) = found.bytes {
                out.push(&MEMORY, labels, bytes);
            }
            out.push(&COMPLETE, labels, found.complete);
        }
        Ok(())
    }

    async fn remedies(&self, run: Complaints<'_>, service: &Service) -> Vec<Remedy> {
        let _permit = self.gate.slow.acquire().await.expect("gates are never closed");
        super::remedy::remedies(&self.config, run, service, &self.paths).await
    }
}

/// When to stop.
struct Limit {
    until: Instant,
    keys: u64,
}

/// What was counted.
#[derive(Default)]
struct Count {
    keys: u64,
    /// Absent when it was not asked for, or may not be.
    bytes: Option<u64>,
    complete: bool,
}

struct Scanner {
    connection: Connection,
    /// The database that is selected.
    db: u32,
    memory: bool,
}

impl Scanner {
    async fn count(&mut self, db: u32, pattern: &str, limit: &Limit, out: &mut Snapshot) -> Result<Count, Failure> {
        self.select(db).await?;
        let mut found = Count { bytes: self.memory.then_some(0), ..Count::default() };
        let mut cursor = "0".to_owned();
        let mut seen = 0;
        loop {
            let begun = Instant::now();
            let scan = redis::cmd("SCAN").arg(&cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(BATCH).take();
            let reply = self.ask_one(scan).await?;
            let keys;
            (cursor, keys) = batch(&reply)?;
            found.keys += u64::try_from(keys.len()).unwrap_or(u64::MAX);
            if let Some(bytes) = found.bytes.as_mut() {
                match self.memory(keys).await? {
                    Ok(usage) => *bytes += usage,
                    Err(failure) => {
                        out.gap(failure);
                        found.bytes = None;
                        self.memory = false;
                    }
                }
            }
            seen += u64::from(BATCH);
            found.complete = cursor == "0";
            if found.complete || seen >= limit.keys || Instant::now() >= limit.until {
                return Ok(found);
            }
            // As long a rest as the work took: others have the server to themselves half of the time.
            sleep(begun.elapsed()).await;
        }
    }

    async fn select(&mut self, db: u32) -> Result<(), Failure> {
        if self.db != db {
            self.ask_one(redis::cmd("SELECT").arg(db).take()).await?;
            self.db = db;
        }
        Ok(())
    }

    async fn ask_one(&mut self, command: Cmd) -> Result<Value, Failure> {
        match self.connection.ask(&[command]).await?.pop() {
            Some(Value::ServerError(error)) => Err(server_failure(&error)),
            Some(value) => Ok(value),
            None => Err(Failure::message(Reason::Bug, "no reply to one command")),
        }
    }

    /// The memory of these keys together; inside, why the server would not say.
    async fn memory(&mut self, keys: &[Value]) -> Result<Result<u64, Failure>, Failure> {
        let commands: Vec<Cmd> = keys.iter().filter_map(usage).collect();
        if commands.is_empty() {
            return Ok(Ok(0));
        }
        let mut bytes = 0;
        for reply in self.connection.ask(&commands).await? {
            match reply {
                Value::Int(usage) => bytes += u64::try_from(usage).unwrap_or_default(),
                Value::ServerError(error) => {
                    return Ok(Err(server_failure(&error).context("asking MEMORY USAGE of the keys of a group")));
                }
                // The key is gone.
                _ => {}
            }
        }
        Ok(Ok(bytes))
    }
}

fn usage(key: &Value) -> Option<Cmd> {
    match key {
        Value::BulkString(key) => {
            Some(redis::cmd("MEMORY").arg("USAGE").arg(key.as_slice()).arg("SAMPLES").arg(SAMPLES).take())
        }
        _ => None,
    }
}

/// The next cursor and the keys in a reply to `SCAN`.
fn batch(reply: &Value) -> Result<(String, &[Value]), Failure> {
    match array(reply)? {
        [cursor, keys] => Ok((string(cursor)?.to_owned(), array(keys)?)),
        _ => Err(Failure::message(Reason::Protocol, "the reply to SCAN is not a cursor and keys")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::redis::tests::reply;

    #[test]
    fn a_batch_is_a_cursor_and_keys() {
        let scanned = reply(b"*2\r\n$2\r\n17\r\n*2\r\n$1\r\na\r\n$2\r\n\xff\xfe\r\n");
        let (cursor, keys) = batch(&scanned).unwrap();
        assert_eq!((cursor.as_str(), keys.len()), ("17", 2));
        assert_eq!(keys.iter().filter_map(usage).count(), 2);
        assert_eq!(batch(&Value::Array(Vec::new())).unwrap_err().reason, Reason::Protocol);
    }

    #[test]
    fn the_scan_ends_before_its_run_does() {
        assert!(Scan::default().time.0 < KeyGroups::TIMEOUT);
    }
}
