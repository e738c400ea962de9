//! Statement digests: what the most expensive statements cost, from `performance_schema`, on a timer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::config::Config;
use super::connection::Connection;
use super::query_time::PICOSECONDS;
use super::rows::{Row, Rows};
use super::top::{Figures, Ranking};
use crate::collector::{Collector, Context, Failure, Gate, Reason};
use crate::metric::{Catalogue, Metric};
use crate::snapshot::Snapshot;

/// How much of a statement's text becomes a label; as much as `mysqld_exporter` shows.
const TEXT_CHARACTERS: usize = 120;

/// The columns of a digest, its metric, and what its value is divided by.
static COLUMNS: [(&str, &Metric<3>, f64); super::top::FIGURES] = [
    ("count_star", &STATEMENTS, 1.0),
    ("sum_timer_wait", &SECONDS, PICOSECONDS),
    ("sum_lock_time", &LOCK_SECONDS, PICOSECONDS),
    ("sum_errors", &ERRORS, 1.0),
    ("sum_warnings", &WARNINGS, 1.0),
    ("sum_rows_affected", &ROWS_AFFECTED, 1.0),
    ("sum_rows_sent", &ROWS_SENT, 1.0),
    ("sum_rows_examined", &ROWS_EXAMINED, 1.0),
    ("sum_created_tmp_tables", &TMP_TABLES, 1.0),
    ("sum_created_tmp_disk_tables", &TMP_DISK_TABLES, 1.0),
    ("sum_sort_merge_passes", &SORT_MERGE_PASSES, 1.0),
    ("sum_sort_rows", &SORT_ROWS, 1.0),
    ("sum_no_index_used", &NO_INDEX_USED, 1.0),
];

/// The applications' digests: not the server's own schemas.
const SOURCE: &str = "FROM performance_schema.events_statements_summary_by_digest WHERE (schema_name IS NULL OR \
     schema_name NOT IN ('mysql', 'performance_schema', 'information_schema', 'sys'))";

crate::metrics! {
    DropIn as METRICS;
    /// Executions of the statements with this digest, since the server started or its statistics were truncated.
    STATEMENTS = Counter("mysql_perf_schema_events_statements_total", None, ["schema", "digest", "digest_text"]);
    /// Time that the statements with this digest took: `sum_timer_wait`.
    SECONDS = Counter("mysql_perf_schema_events_statements_seconds_total", Seconds, ["schema", "digest", "digest_text"]);
    /// Time that the statements with this digest waited for table locks: `sum_lock_time`.
    LOCK_SECONDS = Counter(
        "mysql_perf_schema_events_statements_lock_time_seconds_total", Seconds, ["schema", "digest", "digest_text"]
    );
    /// Errors raised by the statements with this digest: `sum_errors`.
    ERRORS = Counter("mysql_perf_schema_events_statements_errors_total", None, ["schema", "digest", "digest_text"]);
    /// Warnings raised by the statements with this digest: `sum_warnings`.
    WARNINGS = Counter("mysql_perf_schema_events_statements_warnings_total", None, ["schema", "digest", "digest_text"]);
    /// Rows changed by the statements with this digest: `sum_rows_affected`.
    ROWS_AFFECTED = Counter(
        "mysql_perf_schema_events_statements_rows_affected_total", None, ["schema", "digest", "digest_text"]
    );
    /// Rows sent to clients by the statements with this digest: `sum_rows_sent`.
    ROWS_SENT = Counter("mysql_perf_schema_events_statements_rows_sent_total", None, ["schema", "digest", "digest_text"]);
    /// Rows read by the statements with this digest; far more than were sent means a missing index: `sum_rows_examined`.
    ROWS_EXAMINED = Counter(
        "mysql_perf_schema_events_statements_rows_examined_total", None, ["schema", "digest", "digest_text"]
    );
    /// Temporary tables made by the statements with this digest: `sum_created_tmp_tables`.
    TMP_TABLES = Counter("mysql_perf_schema_events_statements_tmp_tables_total", None, ["schema", "digest", "digest_text"]);
    /// Temporary tables that went to disk for the statements with this digest: `sum_created_tmp_disk_tables`.
    TMP_DISK_TABLES = Counter(
        "mysql_perf_schema_events_statements_tmp_disk_tables_total", None, ["schema", "digest", "digest_text"]
    );
    /// Merge passes of sorts that did not fit the sort buffer, for the statements with this digest: `sum_sort_merge_passes`.
    SORT_MERGE_PASSES = Counter(
        "mysql_perf_schema_events_statements_sort_merge_passes_total", None, ["schema", "digest", "digest_text"]
    );
    /// Rows sorted by the statements with this digest: `sum_sort_rows`.
    SORT_ROWS = Counter("mysql_perf_schema_events_statements_sort_rows_total", None, ["schema", "digest", "digest_text"]);
    /// Executions of the statements with this digest that read a whole table: `sum_no_index_used`.
    NO_INDEX_USED = Counter(
        "mysql_perf_schema_events_statements_no_index_used_total", None, ["schema", "digest", "digest_text"]
    );
}

/// Reads the digests of one server every minute.
#[derive(Debug)]
pub struct Digests {
    config: Config,
    gate: Arc<Gate>,
    ranking: Mutex<Ranking>,
}

impl Collector for Digests {
    const NAME: &'static str = "mysql_digests";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(METRICS)];
    const TIMEOUT: Duration = Duration::from_secs(10);
    type Config = Config;

    fn wanted(config: &Config) -> bool {
        config.digests.0 > 0
    }

    fn every(_: &Config) -> Option<Duration> {
        Some(Duration::from_mins(1))
    }

    fn new(config: &Config, context: &Context) -> Self {
        Self { config: config.clone(), gate: super::gate(config, context), ranking: Mutex::default() }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let _permit = self.gate.slow.acquire().await.map_err(|error| Failure::new(Reason::Bug, error))?;
        let mut connection = Connection::open(&self.config, Self::TIMEOUT).await?;
        let switch = connection.ask("performance_schema", "SELECT @@performance_schema AS switch").await?;
        // A server without it has nothing to show, and nothing is wrong with that.
        if switch.iter().next().and_then(|row| row.number("switch")) != Some(1.0) {
            return Ok(());
        }
        let columns = COLUMNS.map(|(column, ..)| column).join(", ");
        let sums = COLUMNS.map(|(column, ..)| format!("SUM({column}) AS {column}")).join(", ");
        let total = connection.ask("the sum of all digests", &format!("SELECT {sums} {SOURCE}")).await?;
        let top = format!(
            "SELECT IFNULL(schema_name, 'NONE') AS name, digest, LEFT(digest_text, {TEXT_CHARACTERS}) AS digest_text, \
             {columns} {SOURCE} AND digest IS NOT NULL ORDER BY sum_timer_wait DESC LIMIT {}",
            self.config.digests.0
        );
        let top = connection.ask("the digests", &top).await?;
        let mut ranking = self.ranking.lock().expect("no code panics while it holds this lock");
        report(&total, &top, &mut ranking, out);
        Ok(())
    }
}

fn figures(row: Row<'_>) -> Figures {
    Figures(COLUMNS.map(|(column, _, divisor)| row.number(column).unwrap_or(0.0) / divisor))
}

/// Reports the digests one by one and the rest as `other`.
pub(super) fn report(total: &Rows, top: &Rows, ranking: &mut Ranking, out: &mut Snapshot) {
    let Some(total) = total.iter().next() else { return };
    let key = |row: Row<'_>| ["name", "digest"].map(|column| row.text(column).unwrap_or_default().to_owned());
    let ranked: Vec<_> = top.iter().map(|row| (key(row), figures(row))).collect();
    let other = ranking.other(&figures(total), &ranked);
    for (row, ([schema, digest], figures)) in top.iter().zip(&ranked) {
        push(figures, [schema, digest, row.text("digest_text").unwrap_or_default()], out);
    }
    push(&other, ["other", "other", "other"], out);
}

fn push(figures: &Figures, labels: [&str; 3], out: &mut Snapshot) {
    for ((_, metric, _), value) in COLUMNS.iter().zip(figures.0) {
        out.push(metric, labels, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::mysql::shown;

    #[test]
    fn digests_have_seconds_and_the_rest_is_other() {
        let top = include_str!("../../../tests/fixtures/mysql/mysql-9.7-digests.txt");
        let total = format!("{}\n{}", COLUMNS.map(|(column, ..)| column).join("\t"), ["1e13"; 13].join("\t"));
        let mut out = Snapshot::default();
        report(&Rows::recorded(&total), &Rows::recorded(top), &mut Ranking::default(), &mut out);
        let text = shown(out, "mysql_perf_schema_events_statements_seconds_total");
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains("`total` ) VALUES (...) /* , ... */\"] Number(0.002073014)"), "{text}");
        assert!(text.contains("[\"other\", \"other\", \"other\"] Number(9.99"), "{text}");
    }
}
