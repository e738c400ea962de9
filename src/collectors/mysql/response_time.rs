//! The plugin `query_response_time` of MariaDB and Percona Server 5.7: a histogram of all statements' times.

use super::rows::{Rows, number};
use crate::histogram::Histogram;
use crate::snapshot::Snapshot;

/// What the answer is called.
pub(super) const PART: &str = "QUERY_RESPONSE_TIME";
/// The statement.
pub(super) const STATEMENT: &str = "SELECT time, count, total FROM information_schema.query_response_time";

/// The variable that is there when the plugin is, and on when it measures.
pub(super) const SWITCH: &str = "query_response_time_stats";

crate::metrics! {
    DropIn as METRICS;
    /// Statements by how long they took, from the plugin `query_response_time`, since it was switched on or flushed.
    RESPONSE_TIME = Histogram("mysql_info_schema_query_response_time_seconds", Seconds, []);
}

/// Reports the histogram, and returns the number of statements and the seconds they took in all.
pub(super) fn report(rows: &Rows, out: &mut Snapshot) -> (f64, f64) {
    let mut histogram = Histogram::default();
    let mut statements = 0.0;
    for row in rows.iter() {
        let count = row.text("count").and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
        statements += row.number("count").unwrap_or(0.0);
        histogram.sum += row.number("total").unwrap_or(0.0);
        // The last row is `TOO LONG`: slower than the longest bound.
        let bound = row.text("time").and_then(number).unwrap_or(f64::INFINITY);
        histogram.buckets.push((bound, count));
    }
    let seconds = histogram.sum;
    if !histogram.buckets.is_empty() {
        out.push_histogram(&RESPONSE_TIME, [], histogram);
    }
    (statements, seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_long_is_the_last_bucket() {
        let recorded = include_str!("../../../tests/fixtures/mysql/mariadb-10.11-response-time.txt");
        let mut out = Snapshot::default();
        let (statements, seconds) = report(&Rows::recorded(recorded), &mut out);
        assert!((statements - 5.0).abs() < 1e-9 && (seconds - 0.200_319).abs() < 1e-9, "{statements} {seconds}");
        assert_eq!(out.len(), 1);
    }
}
