//! The text of `INFO`: its fields, and those that are one number under one name.

use std::collections::HashMap;

use crate::metric::{Catalogue, Table};
use crate::snapshot::Snapshot;

/// Fields of `INFO` that become one series each. Servers add fields with every version; one that is not in the table
/// is left alone.
static FIELDS: Table = Table::new("INFO", "redis_", include_str!("info.tsv"));

/// Fields of `CLUSTER INFO`.
static CLUSTER: Table = Table::new("CLUSTER INFO", "redis_", include_str!("cluster.tsv"));

/// The families of both tables.
pub(super) const TABLES: [Catalogue; 2] =
    [Catalogue::Table { table: &FIELDS, open: false }, Catalogue::Table { table: &CLUSTER, open: true }];

crate::metrics! {
    DropIn as METRICS;
    /// Always 1; the labels say what the server is: role, version, build, mode, system, eviction policy and port.
    INSTANCE_INFO = Gauge("redis_instance_info", None, ["role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy", "tcp_port", "valkey_version", "valkey_release_stage"]);
    /// When the server started, in Unix time: its clock (`server_time_usec`) less `uptime_in_seconds`.
    START_TIME = Gauge("redis_start_time_seconds", Seconds, []);
    /// How long the last fork for a save or rewrite took (`latest_fork_usec`).
    LATEST_FORK = Gauge("redis_latest_fork_seconds", Seconds, []);
}

crate::metrics! {
    Own as OWN;
    /// Lookups of keys that found one, since the server's start or CONFIG RESETSTAT; absent before the first lookup.
    HIT_RATIO = Gauge("redis_keyspace_hit_ratio", Ratio, []);
}

/// The fields of an `INFO` reply, in their order and by name.
pub(super) struct Info<'a> {
    fields: Vec<(&'a str, &'a str)>,
    by_name: HashMap<&'a str, &'a str>,
}

impl<'a> Info<'a> {
    /// Takes the text apart: `name:value` on each line. Section titles and anything else are passed over.
    pub(super) fn parse(text: &'a str) -> Self {
        let fields: Vec<_> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name, value.trim_end()))
            .collect();
        let by_name = fields.iter().copied().collect();
        Self { fields, by_name }
    }

    /// The value of a field.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.by_name.get(name).copied()
    }

    /// The value of a field that is a number.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(number)
    }

    /// The fields whose names start with `prefix`, and what follows it.
    pub(super) fn with_prefix<'b>(&'b self, prefix: &'b str) -> impl Iterator<Item = (&'a str, &'a str)> + 'b {
        self.fields.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, *value)))
    }
}

/// A number, as the server writes it; `nan` and what is none are absent.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The parts of a value like `calls=7,usec=9`, by name: newer servers append some.
pub(super) fn part<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// A state that the server writes as a word, or a number.
fn state(text: &str) -> Option<f64> {
    match text {
        "ok" => Some(1.0),
        "fail" | "err" => Some(0.0),
        other => number(other),
    }
}

/// The fields that are one series each, and what describes the server. `now` is Unix time, for servers (before 7.0)
/// that do not tell their own.
pub(super) fn report(info: &Info<'_>, now: f64, out: &mut Snapshot) {
    for (name, value) in &info.fields {
        if let (Some(family), Some(value)) = (FIELDS.get(name), state(value)) {
            out.push_family(family, &[], value);
        }
    }
    let of = |name| info.get(name).unwrap_or_default();
    let mode = info.get("redis_mode").or_else(|| info.get("server_mode")).unwrap_or_default();
    out.push(
        &INSTANCE_INFO,
        [
            of("role"),
            of("redis_version"),
            of("redis_build_id"),
            mode,
            of("os"),
            of("maxmemory_policy"),
            of("tcp_port"),
            of("valkey_version"),
            of("valkey_release_stage"),
        ],
        1.0,
    );
    if let Some(uptime) = info.number("uptime_in_seconds") {
        let now = info.number("server_time_usec").map_or(now, |usec| usec / 1e6);
        out.push(&START_TIME, [], now.floor() - uptime);
    }
    if let Some(usec) = info.number("latest_fork_usec") {
        out.push(&LATEST_FORK, [], usec / 1e6);
    }
    if let (Some(hits), Some(misses)) = (info.number("keyspace_hits"), info.number("keyspace_misses"))
        && hits + misses > 0.0
    {
        out.push(&HIT_RATIO, [], hits / (hits + misses));
    }
}

/// The fields of `CLUSTER INFO`.
pub(super) fn report_cluster(text: &str, out: &mut Snapshot) {
    for (name, value) in Info::parse(text).with_prefix("cluster_") {
        if let Some(value) = state(value) {
            out.push_family(CLUSTER.get_or_unknown(&format!("cluster_{name}")), &[], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::redis::tests::{number_of, series};

    const REDIS_7: &str = include_str!("../../../tests/fixtures/redis/redis-7.0.15-info.txt");
    const VALKEY_9: &str = include_str!("../../../tests/fixtures/redis/valkey-9.1.2-info.txt");
    const CLUSTER_9: &str = include_str!("../../../tests/fixtures/redis/valkey-9.1.2-cluster-info.txt");

    #[test]
    fn fields_get_their_names_and_states_become_numbers() {
        let found = series(|out| report(&Info::parse(REDIS_7), 0.0, out));
        assert_eq!(number_of(&found, "redis_memory_used_bytes", &[]), Some(1_209_744.0));
        assert_eq!(number_of(&found, "redis_rdb_last_bgsave_status", &[]), Some(1.0));
        assert_eq!(number_of(&found, "redis_total_system_memory_bytes", &[]), Some(25_276_510_208.0));
        assert_eq!(number_of(&found, "redis_start_time_seconds", &[]), Some(1_795_381_472.0));
        assert_eq!(number_of(&found, "redis_keyspace_hit_ratio", &[]), Some(2.0 / 3.0));
    }

    #[test]
    fn the_server_is_described_without_what_changes_at_each_start() {
        let found = series(|out| report(&Info::parse(VALKEY_9), 0.0, out));
        let labels =
            ["master", "7.2.4", "9108e8f1788612b", "standalone", "Linux", "noeviction", "17004", "9.1.2", "ga"];
        let (_, given, _) = found.iter().find(|(name, ..)| name == "redis_instance_info").unwrap();
        for (label, wanted) in given.iter().zip(labels) {
            assert!(label.starts_with(wanted), "{label} is not {wanted}");
        }
    }

    #[test]
    fn a_ratio_of_no_lookups_is_absent_and_so_is_nan() {
        let text =
            "keyspace_hits:0\r\nkeyspace_misses:0\r\nmem_fragmentation_ratio:nan\r\nused_memory:7\r\nodd line\r\n";
        let found = series(|out| report(&Info::parse(text), 0.0, out));
        assert_eq!(number_of(&found, "redis_keyspace_hit_ratio", &[]), None);
        assert_eq!(number_of(&found, "redis_mem_fragmentation_ratio", &[]), None);
        assert_eq!(number_of(&found, "redis_memory_used_bytes", &[]), Some(7.0));
    }

    #[test]
    fn a_field_of_the_cluster_that_is_new_is_unknown_but_there() {
        let found = series(|out| report_cluster(&format!("{CLUSTER_9}cluster_new-thing:4\r\n"), out));
        assert_eq!(number_of(&found, "redis_cluster_state", &[]), Some(1.0));
        assert_eq!(number_of(&found, "redis_cluster_messages_sent_total", &[]), Some(0.0));
        assert_eq!(number_of(&found, "redis_cluster_new_thing", &[]), Some(4.0));
    }

    #[test]
    fn the_tables_are_well_formed() {
        for family in TABLES.iter().flat_map(|table| table.families()) {
            assert!(family.help.ends_with('.'), "{}: {}", family.name, family.help);
            assert!(family.name.starts_with("redis_"), "{}", family.name);
        }
    }
}
