//! InnoDB: page compression by page size, and how much undo history waits for the purge.

use super::rows::Rows;
use crate::snapshot::Snapshot;

/// What the first answer is called; all three need PROCESS.
pub(super) const CMP: &str = "INNODB_CMP";
/// The first statement.
pub(super) const CMP_STATEMENT: &str = "SELECT page_size, compress_ops, compress_ops_ok, compress_time, \
     uncompress_ops, uncompress_time FROM information_schema.innodb_cmp";

/// What the second answer is called.
pub(super) const CMPMEM: &str = "INNODB_CMPMEM";
/// The second statement.
pub(super) const CMPMEM_STATEMENT: &str = "SELECT page_size, buffer_pool_instance, pages_used, pages_free, \
     relocation_ops, relocation_time FROM information_schema.innodb_cmpmem";

/// What the third answer is called.
pub(super) const HISTORY: &str = "INNODB_METRICS";
/// The third statement; MariaDB has the number in its status.
pub(super) const HISTORY_STATEMENT: &str =
    "SELECT count AS length FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'";

crate::metrics! {
    DropIn as METRICS;
    /// Times a B-tree page of this size was compressed: `compress_ops` of `INNODB_CMP`.
    COMPRESS_OPS = Counter("mysql_info_schema_innodb_cmp_compress_ops_total", None, ["page_size"]);
    /// Times a B-tree page of this size was compressed and then fitted: `compress_ops_ok` of `INNODB_CMP`.
    COMPRESS_OPS_OK = Counter("mysql_info_schema_innodb_cmp_compress_ops_ok_total", None, ["page_size"]);
    /// Time spent compressing B-tree pages of this size, in whole seconds: `compress_time` of `INNODB_CMP`.
    COMPRESS_TIME = Counter("mysql_info_schema_innodb_cmp_compress_time_seconds_total", Seconds, ["page_size"]);
    /// Times a B-tree page of this size was uncompressed: `uncompress_ops` of `INNODB_CMP`.
    UNCOMPRESS_OPS = Counter("mysql_info_schema_innodb_cmp_uncompress_ops_total", None, ["page_size"]);
    /// Time spent uncompressing B-tree pages of this size, in whole seconds: `uncompress_time` of `INNODB_CMP`.
    UNCOMPRESS_TIME = Counter("mysql_info_schema_innodb_cmp_uncompress_time_seconds_total", Seconds, ["page_size"]);
    /// Blocks of this size in use by compressed pages: `pages_used` of `INNODB_CMPMEM`; goes down too, whatever its name says.
    PAGES_USED = Unknown("mysql_info_schema_innodb_cmpmem_pages_used_total", None, ["page_size", "buffer_pool"]);
    /// Free blocks of this size for compressed pages: `pages_free` of `INNODB_CMPMEM`; goes down too, whatever its name says.
    PAGES_FREE = Unknown("mysql_info_schema_innodb_cmpmem_pages_free_total", None, ["page_size", "buffer_pool"]);
    /// Times a block of this size was moved to make room: `relocation_ops` of `INNODB_CMPMEM`.
    RELOCATION_OPS = Counter("mysql_info_schema_innodb_cmpmem_relocation_ops_total", None, ["page_size", "buffer_pool"]);
    /// Time spent moving blocks of this size: `relocation_time` of `INNODB_CMPMEM`, which has microseconds.
    RELOCATION_TIME = Counter(
        "mysql_info_schema_innodb_cmpmem_relocation_time_seconds_total", Seconds, ["page_size", "buffer_pool"]
    );
    /// Undo records that the purge has not removed; grows as long as one old transaction stays open: `trx_rseg_history_len`.
    HISTORY_LENGTH = Gauge("mysql_info_schema_innodb_metrics_transaction_trx_rseg_history_len", None, []);
}

/// Microseconds in a second.
const MICROSECONDS: f64 = 1e6;

/// Reports `INNODB_CMP`.
pub(super) fn report_cmp(rows: &Rows, out: &mut Snapshot) {
    for row in rows.iter() {
        let Some(size) = row.text("page_size") else { continue };
        for (metric, column) in [
            (&COMPRESS_OPS, "compress_ops"),
            (&COMPRESS_OPS_OK, "compress_ops_ok"),
            (&COMPRESS_TIME, "compress_time"),
            (&UNCOMPRESS_OPS, "uncompress_ops"),
            (&UNCOMPRESS_TIME, "uncompress_time"),
        ] {
            if let Some(value) = row.number(column) {
                out.push(metric, [size], value);
            }
        }
    }
}

/// Reports `INNODB_CMPMEM`.
pub(super) fn report_cmpmem(rows: &Rows, out: &mut Snapshot) {
    for row in rows.iter() {
        let (Some(size), Some(pool)) = (row.text("page_size"), row.text("buffer_pool_instance")) else { continue };
        for (metric, column, divisor) in [
            (&PAGES_USED, "pages_used", 1.0),
            (&PAGES_FREE, "pages_free", 1.0),
            (&RELOCATION_OPS, "relocation_ops", 1.0),
            (&RELOCATION_TIME, "relocation_time", MICROSECONDS),
        ] {
            if let Some(value) = row.number(column) {
                out.push(metric, [size, pool], value / divisor);
            }
        }
    }
}

/// Reports the length of the history list from MySQL's `INNODB_METRICS` or from MariaDB's status.
pub(super) fn report_history(length: Option<f64>, out: &mut Snapshot) {
    if let Some(length) = length {
        out.push(&HISTORY_LENGTH, [], length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::mysql::shown;

    #[test]
    fn relocation_time_is_seconds() {
        let recorded = include_str!("../../../tests/fixtures/mysql/mysql-9.7-cmpmem.txt");
        let mut out = Snapshot::default();
        report_cmpmem(&Rows::recorded(recorded), &mut out);
        assert_eq!(out.len(), 20);
        let mut out = Snapshot::default();
        let busy = "page_size\tbuffer_pool_instance\trelocation_time\n8192\t0\t1500000";
        report_cmpmem(&Rows::recorded(busy), &mut out);
        assert_eq!(
            shown(out, "mysql_"),
            "mysql_info_schema_innodb_cmpmem_relocation_time_seconds_total [\"8192\", \"0\"] Number(1.5)\n"
        );
    }
}
