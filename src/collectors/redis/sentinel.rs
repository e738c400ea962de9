//! A Sentinel: the masters it watches, and who else does.

use redis::{Cmd, Value};

use crate::collector::Failure;
use crate::metric::Metric;
use crate::snapshot::Snapshot;

use super::commands::{after, array, string};
use super::connection::Connection;
use super::info::{Info, number, part};
use super::refusal::server_failure;

/// How many masters one Sentinel is asked about; a shop has a handful.
const MASTERS: usize = 64;

/// Questions about each master.
/// What a Sentinel's user needs, of `SENTINEL`.
pub(super) const COMMANDS: [&str; 4] = ["masters", "ckquorum", "sentinels", "replicas"];

const QUESTIONS: [&str; 3] = ["CKQUORUM", "SENTINELS", "REPLICAS"];

crate::metrics! {
    DropIn as METRICS;
    /// Whether this Sentinel believes that the master is up: 1 when its status is ok, else 0.
    STATUS = Gauge("redis_sentinel_master_status", None, ["master_name", "master_address", "master_status"]);
    /// Replicas of the master that this Sentinel knows.
    SLAVES = Gauge("redis_sentinel_master_slaves", None, ["master_name", "master_address"]);
    /// Sentinels that watch the master, this one included.
    SENTINELS = Gauge("redis_sentinel_master_sentinels", None, ["master_name", "master_address"]);
    /// Replicas of the master that this Sentinel does not think are down.
    OK_SLAVES = Gauge("redis_sentinel_master_ok_slaves", None, ["master_name", "master_address"]);
    /// Sentinels of the master that this one does not think are down, itself included.
    OK_SENTINELS = Gauge("redis_sentinel_master_ok_sentinels", None, ["master_name", "master_address"]);
    /// Whether enough Sentinels can be reached to agree on a failover and to do it (SENTINEL CKQUORUM): 1 or 0.
    QUORUM_STATUS = Gauge("redis_sentinel_master_ckquorum_status", None, ["master_name"]);
    /// Sentinels that must agree that the master is down (`quorum`).
    SETTING_QUORUM = Gauge("redis_sentinel_master_setting_ckquorum", None, ["master_name", "master_address"]);
    /// Milliseconds after which a failover is given up (`failover-timeout`).
    SETTING_FAILOVER = Gauge("redis_sentinel_master_setting_failover_timeout", None, ["master_name", "master_address"]);
    /// Replicas that are pointed at the new master at a time (`parallel-syncs`).
    SETTING_SYNCS = Gauge("redis_sentinel_master_setting_parallel_syncs", None, ["master_name", "master_address"]);
    /// Milliseconds of silence after which the master counts as down (`down-after-milliseconds`).
    SETTING_DOWN_AFTER = Gauge("redis_sentinel_master_setting_down_after_milliseconds", None, ["master_name", "master_address"]);
    /// Version of the configuration of the master; it rises with each failover.
    CONFIG_EPOCH = Gauge("redis_sentinel_master_config_epoch", None, ["master_name", "master_address"]);
    /// How long ago the master last answered a ping.
    LAST_OK_PING = Gauge("redis_sentinel_master_last_ok_ping_reply_seconds", Seconds, ["master_name", "master_address"]);
}

/// Fields of `SENTINEL MASTERS` that are one number each.
const NUMBERS: [(&str, &Metric<2>); 5] = [
    ("quorum", &SETTING_QUORUM),
    ("failover-timeout", &SETTING_FAILOVER),
    ("parallel-syncs", &SETTING_SYNCS),
    ("down-after-milliseconds", &SETTING_DOWN_AFTER),
    ("config-epoch", &CONFIG_EPOCH),
];

/// Asks about all masters and reports: one question for the list, then all that concerns each at once.
///
/// # Errors
/// When the connection broke; what the Sentinel would not say is a gap.
pub(super) async fn collect(connection: &mut Connection, out: &mut Snapshot) -> Result<(), Failure> {
    let mut reply = connection.ask(&[command(&["MASTERS"])]).await?;
    let masters = reply.pop().unwrap_or(Value::Nil);
    if let Value::ServerError(error) = &masters {
        out.gap(server_failure(error).context("asking SENTINEL MASTERS"));
        return Ok(());
    }
    let masters: Vec<Master<'_>> = array(&masters)?.iter().take(MASTERS).map(Master::new).collect::<Result<_, _>>()?;
    let commands: Vec<Cmd> =
        masters.iter().flat_map(|master| QUESTIONS.map(|question| command(&[question, master.name]))).collect();
    let replies = connection.ask(&commands).await?;
    for (master, replies) in masters.iter().zip(replies.chunks_exact(QUESTIONS.len())) {
        report_master(master, out);
        if let [quorum, sentinels, replicas] = replies {
            report_peers(master, quorum, sentinels, replicas, out);
        }
    }
    Ok(())
}

fn command(arguments: &[&str]) -> Cmd {
    redis::cmd("SENTINEL").arg(arguments).take()
}

/// One entry of `SENTINEL MASTERS`.
struct Master<'a> {
    fields: &'a [Value],
    name: &'a str,
    address: String,
}

impl<'a> Master<'a> {
    fn new(entry: &'a Value) -> Result<Self, Failure> {
        let fields = array(entry)?;
        let of = |name| after(fields, name).map(string).transpose().map(Option::unwrap_or_default);
        Ok(Self { fields, name: of("name")?, address: format!("{}:{}", of("ip")?, of("port")?) })
    }

    fn number(&self, name: &str) -> Option<f64> {
        after(self.fields, name).and_then(|value| string(value).ok()).and_then(number)
    }
}

fn report_master(master: &Master<'_>, out: &mut Snapshot) {
    let labels = [master.name, &master.address];
    for (name, metric) in NUMBERS {
        if let Some(value) = master.number(name) {
            out.push(metric, labels, value);
        }
    }
    if let Some(milliseconds) = master.number("last-ok-ping-reply") {
        out.push(&LAST_OK_PING, labels, milliseconds / 1e3);
    }
}

fn report_peers(master: &Master<'_>, quorum: &Value, sentinels: &Value, replicas: &Value, out: &mut Snapshot) {
    let labels = [master.name, &master.address];
    // No quorum is an error reply: NOQUORUM.
    match quorum {
        Value::ServerError(error) if error.code() != "NOQUORUM" => {
            out.gap(server_failure(error).context("asking SENTINEL CKQUORUM"));
        }
        answer => out.push(&QUORUM_STATUS, [master.name], !matches!(answer, Value::ServerError(_))),
    }
    if let Some(others) = well(sentinels) {
        out.push(&OK_SENTINELS, labels, others + 1);
    }
    if let Some(replicas) = well(replicas) {
        out.push(&OK_SLAVES, labels, replicas);
    }
}

/// How many of the listed servers are not flagged as down.
fn well(servers: &Value) -> Option<usize> {
    let flags = |server| after(array(server).ok()?, "flags").and_then(|flags| string(flags).ok());
    let servers = array(servers).ok()?;
    Some(servers.iter().filter_map(flags).filter(|flags| !flags.contains("_down")).count())
}

/// The masters in `INFO`: `master0:name=shop,status=ok,address=127.0.0.1:6379,slaves=1,sentinels=3`.
pub(super) fn report(info: &Info<'_>, out: &mut Snapshot) {
    for (_, master) in info.with_prefix("master").filter(|(index, _)| index.parse::<u32>().is_ok()) {
        let of = |name| part(master, name);
        let (Some(name), Some(status), Some(address)) = (of("name"), of("status"), of("address")) else { continue };
        out.push(&STATUS, [name, address, status], status == "ok");
        if let Some(slaves) = of("slaves").and_then(number) {
            out.push(&SLAVES, [name, address], slaves);
        }
        if let Some(sentinels) = of("sentinels").and_then(number) {
            out.push(&SENTINELS, [name, address], sentinels);
        }
    }
}

/// A reply in the place of each that a Sentinel gives.
#[cfg(any(test, fuzzing))]
pub(super) fn report_any(reply: &Value, out: &mut Snapshot) {
    for master in array(reply).into_iter().flatten().take(MASTERS).filter_map(|entry| Master::new(entry).ok()) {
        report_master(&master, out);
        report_peers(&master, reply, reply, reply, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::redis::tests::{number_of, reply, series};

    const SHOP: [&str; 2] = ["shop", "127.0.0.1:17001"];

    #[test]
    fn a_master_that_is_down_is_0_and_says_so() {
        let text = include_str!("../../../tests/fixtures/redis/redis-7.0.15-sentinel-info.txt");
        let found = series(|out| report(&Info::parse(text), out));
        let status = "redis_sentinel_master_status";
        assert_eq!(number_of(&found, status, &["shop", "127.0.0.1:17001", "ok"]), Some(1.0));
        assert_eq!(number_of(&found, status, &["lost", "127.0.0.1:17999", "odown"]), Some(0.0));
        assert_eq!(number_of(&found, "redis_sentinel_master_slaves", &SHOP), Some(1.0));
    }

    #[test]
    fn settings_and_peers_of_a_master_are_read() {
        let masters = reply(include_bytes!("../../../tests/fixtures/redis/redis-7.0.15-sentinel-masters.resp"));
        let sentinels = reply(include_bytes!("../../../tests/fixtures/redis/redis-7.0.15-sentinel-sentinels.resp"));
        let replicas = reply(include_bytes!("../../../tests/fixtures/redis/redis-7.0.15-sentinel-replicas.resp"));
        let found = series(|out| {
            for entry in array(&masters).unwrap() {
                report_master(&Master::new(entry).unwrap(), out);
            }
            let shop = array(&masters).unwrap().iter().map(|entry| Master::new(entry).unwrap());
            let shop = shop.into_iter().find(|master| master.name == "shop").unwrap();
            report_peers(&shop, &Value::Okay, &sentinels, &replicas, out);
        });
        assert_eq!(number_of(&found, "redis_sentinel_master_setting_failover_timeout", &SHOP), Some(180_000.0));
        assert_eq!(number_of(&found, "redis_sentinel_master_setting_ckquorum", &SHOP), Some(1.0));
        assert_eq!(number_of(&found, "redis_sentinel_master_ok_sentinels", &SHOP), Some(2.0));
        assert_eq!(number_of(&found, "redis_sentinel_master_ok_slaves", &SHOP), Some(1.0));
        assert_eq!(number_of(&found, "redis_sentinel_master_ckquorum_status", &["shop"]), Some(1.0));
    }

    #[test]
    fn without_a_quorum_it_is_0() {
        let error = reply(b"-NOQUORUM 1 usable Sentinels. Not enough available Sentinels\r\n");
        let master = Master { fields: &[], name: "shop", address: "a:1".to_owned() };
        let found = series(|out| report_peers(&master, &error, &Value::Nil, &Value::Nil, out));
        assert_eq!(number_of(&found, "redis_sentinel_master_ckquorum_status", &["shop"]), Some(0.0));
        assert_eq!(found.len(), 1);
    }
}
