//! The databases: how many keys each holds, and how many of them expire.

use crate::snapshot::Snapshot;

use super::info::{Info, number, part};

/// How many databases without keys are shown: some people configure thousands.
const EMPTY_DATABASES: u32 = 256;

crate::metrics! {
    DropIn as METRICS;
    /// Keys in each database; databases without keys are 0.
    KEYS = Gauge("redis_db_keys", None, ["db"]);
    /// Keys with an expiry in each database.
    EXPIRING = Gauge("redis_db_keys_expiring", None, ["db"]);
    /// Mean time that the keys with an expiry have left, as estimated by the server from a sample.
    AVG_TTL = Gauge("redis_db_avg_ttl_seconds", Seconds, ["db"]);
    /// Keys of which a part expires by itself, such as a field of a hash (`subexpiry` on Redis, `keys_with_volatile_items` on Valkey).
    EXPIRING_ITEMS = Gauge("redis_db_keys_with_expiring_items", None, ["db"]);
}

/// The databases in `INFO`, and the rest of the `databases` there are, where their number is known.
pub(super) fn report(info: &Info<'_>, databases: Option<u32>, out: &mut Snapshot) {
    let is_number = |(index, _): &(&str, &str)| index.parse::<u32>().is_ok();
    for (index, value) in info.with_prefix("db").filter(is_number) {
        let db = format!("db{index}");
        let of = |name| part(value, name).and_then(number);
        if let Some(keys) = of("keys") {
            out.push(&KEYS, [&db], keys);
        }
        if let Some(expiring) = of("expires") {
            out.push(&EXPIRING, [&db], expiring);
        }
        if let Some(milliseconds) = of("avg_ttl") {
            out.push(&AVG_TTL, [&db], milliseconds / 1e3);
        }
        if let Some(expiring) = of("subexpiry").or_else(|| of("keys_with_volatile_items")) {
            out.push(&EXPIRING_ITEMS, [&db], expiring);
        }
    }
    for db in (0..databases.unwrap_or(0).min(EMPTY_DATABASES)).map(|index| format!("db{index}")) {
        if info.get(&db).is_none() {
            out.push(&KEYS, [&db], 0.0);
            out.push(&EXPIRING, [&db], 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::redis::tests::{number_of, series};

    #[test]
    fn databases_without_keys_are_0_when_their_number_is_known() {
        let text = include_str!("../../../tests/fixtures/redis/redis-8.0.6-info.txt");
        let found = series(|out| report(&Info::parse(text), Some(16), out));
        assert_eq!(number_of(&found, "redis_db_keys", &["db0"]), Some(5.0));
        assert_eq!(number_of(&found, "redis_db_keys", &["db15"]), Some(0.0));
        assert_eq!(number_of(&found, "redis_db_keys_expiring", &["db3"]), Some(1.0));
        assert_eq!(number_of(&found, "redis_db_avg_ttl_seconds", &["db3"]), Some(499.919));
        assert_eq!(number_of(&found, "redis_db_keys_with_expiring_items", &["db0"]), Some(0.0));
        assert_eq!(number_of(&found, "redis_db_avg_ttl_seconds", &["db1"]), None);

        let found = series(|out| report(&Info::parse(text), None, out));
        assert_eq!(number_of(&found, "redis_db_keys", &["db15"]), None);
    }

    #[test]
    fn a_field_that_only_starts_like_a_database_is_none() {
        let text = "db0_distrib_strings_sizes:1=4\r\ndbx:keys=1\r\ndb1:keys=2,expires=nan\r\n";
        let found = series(|out| report(&Info::parse(text), None, out));
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
