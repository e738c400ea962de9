//! Tables: sizes, indexes that nothing uses, and statements that read whole tables, on a timer.

use std::sync::Arc;
use std::time::Duration;

use super::config::Config;
use super::connection::Connection;
use super::rows::Rows;
use crate::collector::{Collector, Context, Failure, Gate, Reason};
use crate::metric::Catalogue;
use crate::snapshot::Snapshot;

/// The sizes of all tables we may see; from the server's own statistics, which InnoDB estimates.
const SIZES: &str = "SELECT table_schema AS name, table_name AS tab, table_rows AS row_count, data_length, index_length, \
     data_free FROM information_schema.tables WHERE table_type = 'BASE TABLE' \
     AND table_schema NOT IN ('mysql', 'performance_schema', 'information_schema', 'sys')";

/// Indexes that no statement has read since the server started; unique ones have another purpose.
const UNUSED: &str = "SELECT i.object_schema AS name, i.object_name AS tab, i.index_name AS idx \
     FROM performance_schema.table_io_waits_summary_by_index_usage i \
     JOIN information_schema.statistics s ON s.table_schema = i.object_schema AND s.table_name = i.object_name \
     AND s.index_name = i.index_name AND s.seq_in_index = 1 AND s.non_unique = 1 \
     WHERE i.count_star = 0 AND i.object_schema NOT IN ('mysql', 'performance_schema', 'information_schema', 'sys')";

/// Statements that read whole tables.
const FULL_SCANS: &str = "SELECT COUNT(*) AS digests, SUM(sum_no_index_used) AS statements \
     FROM performance_schema.events_statements_summary_by_digest WHERE sum_no_index_used > 0 AND (schema_name IS NULL OR \
     schema_name NOT IN ('mysql', 'performance_schema', 'information_schema', 'sys'))";

crate::metrics! {
    DropIn as METRICS;
    /// Bytes of a table's data, indexes and free space, as `information_schema.tables` estimates them; MySQL's are up to `information_schema_stats_expiry` (a day) old; small tables are summed up as `other`.
    TABLE_SIZE = Gauge("mysql_info_schema_table_size", Bytes, ["schema", "table", "component"]);
    /// Rows of a table, as `information_schema.tables` estimates them; MySQL's are up to `information_schema_stats_expiry` (a day) old; small tables are summed up as `other`.
    TABLE_ROWS = Gauge("mysql_info_schema_table_rows", None, ["schema", "table"]);
}

crate::metrics! {
    Own as OWN;
    /// Base tables outside the server's own schemas that this account may see.
    TABLES = Gauge("mysql_tables", None, []);
    /// Indexes that no statement has read since the server started, without primary and unique keys: each makes writes slower.
    UNUSED_INDEXES = Gauge("mysql_unused_indexes", None, []);
    /// An index that no statement has read since the server started, of those that `mysql_unused_indexes` counts; always 1.
    UNUSED_INDEX = Gauge("mysql_unused_index_info", None, ["schema", "table", "index"]);
    /// Kinds of statements (digests) that read a whole table at least once since the statistics started.
    FULL_SCAN_DIGESTS = Gauge("mysql_full_scan_digests", None, []);
    /// Statements that read a whole table, of all digests that `performance_schema` has: `sum_no_index_used`.
    FULL_SCANS_TOTAL = Counter("mysql_full_scan_statements_total", None, []);
}

/// Reads the tables of one server every five minutes.
#[derive(Debug)]
pub struct Tables {
    config: Config,
    gate: Arc<Gate>,
}

impl Collector for Tables {
    const NAME: &'static str = "mysql_tables";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(METRICS), Catalogue::List(OWN)];
    const TIMEOUT: Duration = Duration::from_secs(30);
    type Config = Config;

    fn wanted(config: &Config) -> bool {
        config.tables.0 > 0
    }

    fn every(_: &Config) -> Option<Duration> {
        Some(Duration::from_mins(5))
    }

    fn new(config: &Config, context: &Context) -> Self {
        Self { config: config.clone(), gate: super::gate(config, context) }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let _permit = self.gate.slow.acquire().await.map_err(|error| Failure::new(Reason::Bug, error))?;
        let mut connection = Connection::open(&self.config, Self::TIMEOUT).await?;
        let sizes = connection.ask("the tables", SIZES).await?;
        report_sizes(&sizes, self.config.tables.0, out);
        let switch = connection.ask("performance_schema", "SELECT @@performance_schema AS switch").await?;
        if switch.iter().next().and_then(|row| row.number("switch")) != Some(1.0) {
            return Ok(());
        }
        if let Some(rows) = super::part(&mut connection, "the use of indexes", UNUSED, out).await? {
            report_unused(&rows, self.config.tables.0, out);
        }
        if let Some(rows) = super::part(&mut connection, "the digests", FULL_SCANS, out).await? {
            report_full_scans(&rows, out);
        }
        Ok(())
    }
}

/// The components of a table's size.
const COMPONENTS: [&str; 3] = ["data_length", "index_length", "data_free"];

/// Reports the largest tables one by one and the rest as `other`.
pub(super) fn report_sizes(rows: &Rows, top: usize, out: &mut Snapshot) {
    let mut tables: Vec<_> = rows
        .iter()
        .map(|row| {
            let sizes = COMPONENTS.map(|component| row.number(component).unwrap_or(0.0));
            let place = ["name", "tab"].map(|column| row.text(column).unwrap_or_default());
            (place, sizes, row.number("row_count"))
        })
        .collect();
    tables.sort_by(|(a_place, a, _), (b_place, b, _)| {
        (b[0] + b[1]).total_cmp(&(a[0] + a[1])).then_with(|| a_place.cmp(b_place))
    });
    out.push(&TABLES, [], tables.len());
    for ([schema, table], sizes, row_count) in tables.iter().take(top) {
        for (component, size) in COMPONENTS.iter().zip(sizes) {
            out.push(&TABLE_SIZE, [schema, table, component], *size);
        }
        if let Some(row_count) = row_count {
            out.push(&TABLE_ROWS, [schema, table], *row_count);
        }
    }
    let rest = tables.get(top..).unwrap_or_default();
    if rest.is_empty() {
        return;
    }
    for (index, component) in COMPONENTS.iter().enumerate() {
        let sum: f64 = rest.iter().map(|(_, sizes, _)| sizes[index]).sum();
        out.push(&TABLE_SIZE, ["other", "other", component], sum);
    }
    let sum: f64 = rest.iter().filter_map(|(.., row_count)| *row_count).sum();
    out.push(&TABLE_ROWS, ["other", "other"], sum);
}

/// Reports how many indexes are unused, and the first of them by name.
pub(super) fn report_unused(rows: &Rows, top: usize, out: &mut Snapshot) {
    out.push(&UNUSED_INDEXES, [], rows.len());
    let mut indexes: Vec<_> =
        rows.iter().map(|row| ["name", "tab", "idx"].map(|column| row.text(column).unwrap_or_default())).collect();
    indexes.sort_unstable();
    for index in indexes.into_iter().take(top) {
        out.push(&UNUSED_INDEX, index, 1.0);
    }
}

pub(super) fn report_full_scans(rows: &Rows, out: &mut Snapshot) {
    let Some(row) = rows.iter().next() else { return };
    if let Some(digests) = row.number("digests") {
        out.push(&FULL_SCAN_DIGESTS, [], digests);
        // The sum of no rows is NULL.
        out.push(&FULL_SCANS_TOTAL, [], row.number("statements").unwrap_or(0.0));
    }
}
