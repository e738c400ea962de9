//! Query time: how many statements the server has executed and how long they took, from the best source it has.
//!
//! The answer to "how long does a query take" on a MariaDB as Debian ships it, with `performance_schema` off, depends on
//! its version: the status of newer ones counts `Query_time` (10.11.19 and 11.8 do), in older ones only the plugin
//! `query_response_time` and `userstat` know. Without any of them the metrics are absent.

use super::rows::Rows;
use super::value::numeric;
use crate::snapshot::Snapshot;

/// What the answer is called; needs SELECT on the table.
pub(super) const PART: &str = "performance_schema's statement summary";
/// The statement: SQL statements and executions of prepared ones, without the protocol's pings and goodbyes, and without
/// a replica's binlog dump, which lasts for days. A few hundred rows in memory, no temporary table.
pub(super) const STATEMENT: &str = "SELECT SUM(count_star) AS statements, SUM(sum_timer_wait) AS picoseconds \
     FROM performance_schema.events_statements_summary_global_by_event_name \
     WHERE event_name LIKE 'statement/sql/%' OR event_name = 'statement/com/Execute'";

crate::metrics! {
    Own as METRICS;
    /// Time that statements took on the server, from their arrival to their last row, by where it was read: `performance_schema`, the plugin `query_response_time`, or MariaDB's status fields `Query_time` or, with userstat, `Busy_time`.
    SECONDS = Counter("mysql_statement_seconds_total", Seconds, ["source"]);
    /// Statements whose time is in `mysql_statement_seconds_total`, by the same sources; `Questions` for the status fields.
    STATEMENTS = Counter("mysql_statements_total", None, ["source"]);
    /// Mean time a statement took since the server or its statistics started; for the present, divide the rates of `mysql_statement_seconds_total` and `mysql_statements_total`.
    MEAN = Gauge("mysql_statement_mean_seconds", Seconds, ["source"]);
}

/// Picoseconds in a second.
pub(super) const PICOSECONDS: f64 = 1e12;

/// Where the time was read: the values of `source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    PerformanceSchema,
    QueryResponseTime,
    QueryTime,
    UserStatistics,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::PerformanceSchema => "performance_schema",
            Self::QueryResponseTime => "query_response_time",
            Self::QueryTime => "query_time",
            Self::UserStatistics => "userstat",
        }
    }
}

/// Whether `performance_schema` is on, by the server's variables.
pub(super) fn has_performance_schema(variables: &Rows) -> bool {
    variables.setting("performance_schema").and_then(numeric) == Some(1.0)
}

/// Statements and seconds from `performance_schema`'s answer.
pub(super) fn of_performance_schema(rows: &Rows) -> Option<(f64, f64)> {
    let row = rows.iter().next()?;
    Some((row.number("statements")?, row.number("picoseconds")? / PICOSECONDS))
}

/// Statements and seconds from MariaDB's status, and which field told the seconds.
pub(super) fn of_status(status: &Rows, variables: &Rows) -> Option<(Source, (f64, f64))> {
    let field = |name| status.setting(name).and_then(numeric);
    let statements = field("questions")?;
    if let Some(seconds) = field("query_time") {
        return Some((Source::QueryTime, (statements, seconds)));
    }
    // The field is there, and stays 0, without userstat.
    let measured = variables.setting("userstat").and_then(numeric) == Some(1.0);
    Some((Source::UserStatistics, (statements, field("busy_time").filter(|_| measured)?)))
}

/// Reports statements and seconds.
pub(super) fn report(source: Source, (statements, seconds): (f64, f64), out: &mut Snapshot) {
    let labels = [source.as_str()];
    out.push(&STATEMENTS, labels, statements);
    out.push(&SECONDS, labels, seconds);
    if statements > 0.0 {
        out.push(&MEAN, labels, seconds / statements);
    }
}
