//! Replication: of a replica its master, of a master its replicas.

use crate::snapshot::Snapshot;

use super::info::{Info, number, part};

crate::metrics! {
    DropIn as METRICS;
    /// Always 1 on a replica; the labels name its master and say whether it refuses writes.
    SLAVE_INFO = Gauge("redis_slave_info", None, ["master_host", "master_port", "read_only"]);
    /// Whether the link of this replica to its master is up: 1 or 0.
    LINK_UP = Gauge("redis_master_link_up", None, ["master_host", "master_port"]);
    /// Seconds since this replica last heard from its master; -1 while the link is down.
    LAST_IO = Gauge("redis_master_last_io_seconds_ago", None, ["master_host", "master_port"]);
    /// Whether this replica is receiving a full copy from its master: 1 or 0.
    SYNC_IN_PROGRESS = Gauge("redis_master_sync_in_progress", None, ["master_host", "master_port"]);
    /// How far this replica has applied the replication stream of its master.
    REPL_OFFSET = Gauge("redis_slave_repl_offset", None, ["master_host", "master_port"]);
    /// How far each replica has acknowledged the replication stream; the distance to `redis_master_repl_offset` is what it lags behind.
    CONNECTED_OFFSET = Gauge("redis_connected_slave_offset_bytes", Bytes, ["slave_ip", "slave_port", "slave_state"]);
    /// Seconds since each replica last acknowledged anything.
    CONNECTED_LAG = Gauge("redis_connected_slave_lag_seconds", Seconds, ["slave_ip", "slave_port", "slave_state"]);
}

/// Both sides, as far as this server has them.
pub(super) fn report(info: &Info<'_>, out: &mut Snapshot) {
    if let (Some(host), Some(port)) = (info.get("master_host"), info.get("master_port")) {
        let master = [host, port];
        out.push(&SLAVE_INFO, [host, port, info.get("slave_read_only").unwrap_or_default()], 1.0);
        if let Some(status) = info.get("master_link_status") {
            out.push(&LINK_UP, master, status == "up");
        }
        for (metric, field) in [
            (&LAST_IO, "master_last_io_seconds_ago"),
            (&SYNC_IN_PROGRESS, "master_sync_in_progress"),
            (&REPL_OFFSET, "slave_repl_offset"),
        ] {
            if let Some(value) = info.number(field) {
                out.push(metric, master, value);
            }
        }
    }
    // `slave0:ip=...`; other fields that start with `slave` have no address in them.
    for (_, replica) in info.with_prefix("slave") {
        let (Some(ip), Some(port), Some(state)) = (part(replica, "ip"), part(replica, "port"), part(replica, "state"))
        else {
            continue;
        };
        let replica_labels = [ip, port, state];
        if let Some(offset) = part(replica, "offset").and_then(number) {
            out.push(&CONNECTED_OFFSET, replica_labels, offset);
        }
        if let Some(lag) = part(replica, "lag").and_then(number) {
            out.push(&CONNECTED_LAG, replica_labels, lag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::redis::tests::{number_of, series};

    #[test]
    fn a_master_shows_its_replicas() {
        let text = include_str!("../../../tests/fixtures/redis/redis-7.0.15-master-info.txt");
        let found = series(|out| report(&Info::parse(text), out));
        let replica = ["127.0.0.1", "17002", "online"];
        assert_eq!(number_of(&found, "redis_connected_slave_offset_bytes", &replica), Some(65711.0));
        assert_eq!(number_of(&found, "redis_connected_slave_lag_seconds", &replica), Some(1.0));
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_replica_shows_its_master() {
        let text = include_str!("../../../tests/fixtures/redis/redis-7.0.15-replica-info.txt");
        let found = series(|out| report(&Info::parse(text), out));
        let master = ["127.0.0.1", "17001"];
        assert_eq!(number_of(&found, "redis_slave_info", &["127.0.0.1", "17001", "1"]), Some(1.0));
        assert_eq!(number_of(&found, "redis_master_link_up", &master), Some(1.0));
        assert_eq!(number_of(&found, "redis_slave_repl_offset", &master), Some(65711.0));
        assert_eq!(found.len(), 5, "{found:?}");
    }
}
