//! The limits a Redis is configured with. Only these are asked for: `CONFIG GET *` would bring the passwords too.

use crate::collector::Failure;
use crate::metric::Metric;
use crate::snapshot::Snapshot;

use super::commands::{after, array, string};
use super::connection::{Answers, Question};
use super::info::number;

crate::metrics! {
    DropIn as METRICS;
    /// The most clients the server lets in at a time (`maxclients` of its configuration).
    MAXCLIENTS = Gauge("redis_config_maxclients", None, []);
    /// Bytes above which keys are evicted or writes refused (`maxmemory` of its configuration); 0 is no limit.
    MAXMEMORY = Gauge("redis_config_maxmemory", None, []);
    /// I/O threads the server is configured with (`io-threads`).
    IO_THREADS = Gauge("redis_config_io_threads", None, []);
    /// Bytes of the replication backlog as configured (`repl-backlog-size`).
    REPL_BACKLOG = Gauge("redis_config_repl_backlog_size", None, []);
    /// Output buffer at which a client of this class is disconnected: at once (hard), or after a time (soft); 0 is never.
    OUTPUT_BUFFER = Gauge("redis_config_client_output_buffer_limit_bytes", Bytes, ["class", "limit"]);
    /// How long a client of this class may stay above its soft limit.
    OVERCOME = Gauge("redis_config_client_output_buffer_limit_overcome_seconds", Seconds, ["class", "limit"]);
}

/// Settings that are one number.
const NUMBERS: [(&str, &Metric<0>); 4] = [
    ("maxclients", &MAXCLIENTS),
    ("maxmemory", &MAXMEMORY),
    ("io-threads", &IO_THREADS),
    ("repl-backlog-size", &REPL_BACKLOG),
];
const OUTPUT_BUFFER_LIMIT: &str = "client-output-buffer-limit";
const DATABASES: &str = "databases";
/// Valkey 9 has several databases in a cluster, too.
const CLUSTER_DATABASES: &str = "cluster-databases";

/// What to ask. One setting a command, as servers before 7.0 take no more.
pub(super) fn questions(cluster: bool) -> impl Iterator<Item = Question> {
    let databases = if cluster { CLUSTER_DATABASES } else { DATABASES };
    let names = NUMBERS.iter().map(|(name, _)| *name).chain([OUTPUT_BUFFER_LIMIT, databases]);
    names.map(question)
}

fn question(name: &'static str) -> Question {
    Question { command: "CONFIG GET", argument: Some(name) }
}

/// The setting, if it was answered and exists in this version.
fn setting<'a>(answers: &'a Answers, name: &'static str) -> Result<Option<&'a str>, Failure> {
    let Some(answer) = answers.get(&question(name)) else { return Ok(None) };
    after(array(answer)?, name).map(string).transpose()
}

/// How many databases there are, when the server says.
pub(super) fn databases(answers: &Answers, cluster: bool) -> Result<Option<u32>, Failure> {
    if cluster {
        // Others have one, and no such setting.
        let asked = answers.contains_key(&question(CLUSTER_DATABASES));
        let told = setting(answers, CLUSTER_DATABASES)?.and_then(|value| value.parse().ok());
        return Ok(told.or(asked.then_some(1)));
    }
    Ok(setting(answers, DATABASES)?.and_then(|value| value.parse().ok()))
}

/// The limits.
///
/// # Errors
/// `protocol` when an answer is not a list of names and values.
pub(super) fn report(answers: &Answers, out: &mut Snapshot) -> Result<(), Failure> {
    for (name, metric) in NUMBERS {
        if let Some(value) = setting(answers, name)?.and_then(number) {
            out.push(metric, [], value);
        }
    }
    let limits: Vec<&str> = setting(answers, OUTPUT_BUFFER_LIMIT)?.unwrap_or_default().split_whitespace().collect();
    for limit in limits.chunks_exact(4) {
        let [class, hard, soft, seconds] = limit else { continue };
        for (kind, value) in [("hard", hard), ("soft", soft)] {
            if let Some(bytes) = number(value) {
                out.push(&OUTPUT_BUFFER, [class, kind], bytes);
            }
        }
        if let Some(seconds) = number(seconds) {
            out.push(&OVERCOME, [class, "soft"], seconds);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;
    use crate::collectors::redis::tests::{number_of, reply, series};

    fn pair(name: &str, value: &str) -> Value {
        Value::Array(vec![Value::BulkString(name.into()), Value::BulkString(value.into())])
    }

    #[test]
    fn output_buffer_limits_are_split_by_class() {
        let answer = reply(include_bytes!("../../../tests/fixtures/redis/redis-7.0.15-config-get.resp"));
        let answers = Answers::from([(question(OUTPUT_BUFFER_LIMIT), answer)]);
        let found = series(|out| report(&answers, out).unwrap());
        let bytes = "redis_config_client_output_buffer_limit_bytes";
        assert_eq!(number_of(&found, bytes, &["pubsub", "hard"]), Some(33_554_432.0));
        assert_eq!(number_of(&found, bytes, &["slave", "soft"]), Some(67_108_864.0));
        let seconds = "redis_config_client_output_buffer_limit_overcome_seconds";
        assert_eq!(number_of(&found, seconds, &["pubsub", "soft"]), Some(60.0));
        assert_eq!(found.len(), 9);
    }

    #[test]
    fn the_number_of_databases_is_known_only_when_told() {
        let told = Answers::from([(question(DATABASES), pair("databases", "32"))]);
        assert_eq!(databases(&told, false).unwrap(), Some(32));
        assert_eq!(databases(&Answers::new(), false).unwrap(), None);
        assert_eq!(databases(&Answers::new(), true).unwrap(), None);
        let none = Answers::from([(question(CLUSTER_DATABASES), Value::Array(Vec::new()))]);
        assert_eq!(databases(&none, true).unwrap(), Some(1));
    }
}
