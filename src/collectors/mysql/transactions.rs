//! Open transactions, who waits for whom, and deadlocks: at the scrape, as a transaction that stops the shop does so now.
//!
//! Only when something waits is it asked who is in the way: on MySQL that costs as much as there are locks.

use super::connection::Connection;
use super::flavour::{Flavour, Server};
use super::query_time::has_performance_schema;
use super::rows::{Row, Rows};
use super::{part, rows};
use crate::collector::Failure;
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    Own as METRICS;
    /// Open InnoDB transactions by age, each in one group: at least as old as the label says and younger than the next of 0s, 1s, 10s, 1m and 10m.
    OPEN = Gauge("mysql_open_transactions", None, ["age"]);
    /// Age of the oldest open InnoDB transaction, in whole seconds; 0 when none is open.
    OLDEST = Gauge("mysql_oldest_transaction_seconds", Seconds, []);
    /// Rows that the oldest open InnoDB transaction has locked, as InnoDB estimates it; 0 when none is open.
    OLDEST_LOCKED = Gauge("mysql_oldest_transaction_locked_rows", None, []);
    /// Rows that the oldest open InnoDB transaction has changed; 0 when none is open.
    OLDEST_MODIFIED = Gauge("mysql_oldest_transaction_modified_rows", None, []);
    /// InnoDB transactions that wait for a lock now.
    WAITING = Gauge("mysql_waiting_transactions", None, []);
    /// How long an InnoDB transaction has waited for a lock by now, the longest of all, in whole seconds; 0 when none waits.
    LONGEST_WAIT = Gauge("mysql_longest_lock_wait_seconds", Seconds, []);
    /// InnoDB transactions that hold a lock which another one waits for now.
    BLOCKING = Gauge("mysql_blocking_transactions", None, []);
    /// Deadlocks that InnoDB has ended by rolling a transaction back: `lock_deadlocks` of `INNODB_METRICS`.
    DEADLOCKS = Counter("mysql_deadlocks_total", None, []);
    /// Waits for a lock that InnoDB has given up after `innodb_lock_wait_timeout`: `lock_timeouts` of `INNODB_METRICS`.
    TIMEOUTS = Counter("mysql_lock_wait_timeouts_total", None, []);
}

/// Asks and reports.
pub(super) async fn read(connection: &mut Connection, variables: &Rows, out: &mut Snapshot) -> Result<(), Failure> {
    let server = connection.server();
    if let Some(rows) = part(connection, PART, STATEMENT, out).await? {
        let waiting = report(&rows, out);
        match waits_statement(server, has_performance_schema(variables)) {
            Some(_) if waiting == 0 => out.push(&BLOCKING, [], 0),
            Some(statement) => {
                if let Some(rows) = part(connection, WAITS, statement, out).await? {
                    report_blocking(&rows, out);
                }
            }
            None => {}
        }
    }
    if let Some(rows) = part(connection, DEADLOCKS_PART, deadlocks_statement(server), out).await? {
        report_deadlocks(&rows, out);
    }
    Ok(())
}

/// What the first answer is called; it needs PROCESS.
const PART: &str = "INNODB_TRX";

/// The first statement: a row for each open transaction, of which there are at most as many as connections.
///
/// InnoDB has its times in the zone of the machine, `NOW()` has that of the session.
const STATEMENT: &str = "SELECT trx_state = 'LOCK WAIT' AS waits, trx_rows_locked AS locked, \
     trx_rows_modified AS modified, \
     TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(NOW(), @@session.time_zone, 'SYSTEM')) AS age, \
     TIMESTAMPDIFF(SECOND, trx_wait_started, CONVERT_TZ(NOW(), @@session.time_zone, 'SYSTEM')) AS waited \
     FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID()";

/// What the second answer is called; in MySQL it needs SELECT on the table.
const WAITS: &str = "the lock waits";

/// The second statement, asked when something waits; `None` where the server does not keep the answer.
fn waits_statement(server: Server, has_performance_schema: bool) -> Option<&'static str> {
    const OLD: &str = "SELECT COUNT(DISTINCT blocking_trx_id) AS blocking FROM information_schema.innodb_lock_waits";
    const NEW: &str =
        "SELECT COUNT(DISTINCT blocking_engine_transaction_id) AS blocking FROM performance_schema.data_lock_waits";
    match server.flavour {
        Flavour::MariaDb => Some(OLD),
        Flavour::MySql if server.version < (8, 0, 1) => Some(OLD),
        Flavour::MySql => has_performance_schema.then_some(NEW),
    }
}

/// What the third answer is called; it needs PROCESS.
const DEADLOCKS_PART: &str = "INNODB_METRICS of locks";

/// The third statement: counters that somebody has switched off say nothing.
const fn deadlocks_statement(server: Server) -> &'static str {
    match server.flavour {
        Flavour::MariaDb => {
            "SELECT name, count FROM information_schema.innodb_metrics \
             WHERE name IN ('lock_deadlocks', 'lock_timeouts') AND enabled = 1"
        }
        Flavour::MySql => {
            "SELECT name, count FROM information_schema.innodb_metrics \
             WHERE name IN ('lock_deadlocks', 'lock_timeouts') AND status = 'enabled'"
        }
    }
}

/// The groups of ages, from the oldest on, and what each begins at, in seconds.
const AGES: [(&str, f64); 5] = [("10m", 600.0), ("1m", 60.0), ("10s", 10.0), ("1s", 1.0), ("0s", 0.0)];

/// Reports the open transactions, and says how many of them wait.
fn report(rows: &Rows, out: &mut Snapshot) -> usize {
    // An hour that the clock is set back by is no age below zero.
    let seconds = |row: Row<'_>, column| row.number(column).map(|seconds| seconds.max(0.0));
    let (mut waiting, mut longest) = (0, 0.0_f64);
    for row in rows.iter().filter(|row| row.number("waits") == Some(1.0)) {
        waiting += 1;
        longest = longest.max(seconds(row, "waited").unwrap_or(0.0));
    }
    // Where the ages are not known, which one is the oldest is not either.
    let ages: Option<Vec<_>> = rows.iter().map(|row| Some((seconds(row, "age")?, row))).collect();
    if let Some(ages) = ages {
        report_ages(&ages, out);
    }
    out.push(&WAITING, [], waiting);
    out.push(&LONGEST_WAIT, [], longest);
    waiting
}

fn report_ages(ages: &[(f64, Row<'_>)], out: &mut Snapshot) {
    let mut groups = [0_usize; AGES.len()];
    for (age, _) in ages {
        let group = AGES.iter().position(|(_, least)| age >= least).unwrap_or(AGES.len() - 1);
        groups[group] += 1;
    }
    for ((age, _), transactions) in AGES.iter().zip(groups) {
        out.push(&OPEN, [age], transactions);
    }
    let oldest = ages.iter().max_by(|(a, _), (b, _)| a.total_cmp(b));
    out.push(&OLDEST, [], oldest.map_or(0.0, |(age, _)| *age));
    for (metric, column) in [(&OLDEST_LOCKED, "locked"), (&OLDEST_MODIFIED, "modified")] {
        if let Some(rows) = oldest.map_or(Some(0.0), |(_, row)| row.number(column)) {
            out.push(metric, [], rows);
        }
    }
}

/// Reports how many are in the way.
fn report_blocking(rows: &Rows, out: &mut Snapshot) {
    if let Some(blocking) = rows.iter().next().and_then(|row| row.number("blocking")) {
        out.push(&BLOCKING, [], blocking);
    }
}

/// Reports the counters that are switched on.
fn report_deadlocks(rows: &Rows, out: &mut Snapshot) {
    let counters: [(&str, &'static Metric<0>); 2] = [("lock_deadlocks", &DEADLOCKS), ("lock_timeouts", &TIMEOUTS)];
    for (name, metric) in counters {
        if let Some(count) = rows.setting(name).and_then(rows::number) {
            out.push(metric, [], count);
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::collectors::mysql::shown;

    fn reported(rows: &str) -> String {
        let mut out = Snapshot::default();
        report(&Rows::recorded(&format!("waits\tlocked\tmodified\tage\twaited{rows}")), &mut out);
        shown(out, "mysql_")
    }

    #[test]
    fn transactions_are_grouped_by_age_and_the_oldest_is_told_apart() {
        let rows = "\n0\t3\t2\t75\tNULL\n1\t1\t0\t74\t20\n1\t1\t0\t3\t3\n0\t0\t0\t0\tNULL\n0\t9\t9\t-3600\tNULL";
        expect![[r#"
            mysql_longest_lock_wait_seconds [] Number(20.0)
            mysql_oldest_transaction_locked_rows [] Number(3.0)
            mysql_oldest_transaction_modified_rows [] Number(2.0)
            mysql_oldest_transaction_seconds [] Number(75.0)
            mysql_open_transactions ["0s"] Number(2.0)
            mysql_open_transactions ["10m"] Number(0.0)
            mysql_open_transactions ["10s"] Number(0.0)
            mysql_open_transactions ["1m"] Number(2.0)
            mysql_open_transactions ["1s"] Number(1.0)
            mysql_waiting_transactions [] Number(2.0)
        "#]]
        .assert_eq(&reported(rows));
    }

    #[test]
    fn without_transactions_nothing_is_locked() {
        let text = reported("");
        assert_eq!(text.lines().count(), 10, "{text}");
        assert!(text.lines().all(|line| line.ends_with("Number(0.0)")), "{text}");
        let unknown = reported("\n1\t3\t2\tNULL\tNULL");
        assert_eq!(
            unknown,
            "mysql_longest_lock_wait_seconds [] Number(0.0)\nmysql_waiting_transactions [] Number(1.0)\n"
        );
    }

    #[test]
    fn a_counter_that_is_switched_off_is_absent() {
        let mut out = Snapshot::default();
        report_deadlocks(&Rows::recorded("name\tcount\nlock_deadlocks\t2"), &mut out);
        assert_eq!(shown(out, "mysql_"), "mysql_deadlocks_total [] Number(2.0)\n");
    }

    #[test]
    fn each_server_is_asked_where_it_keeps_its_lock_waits() {
        for (version, performance_schema, expected) in [
            ("10.11.19-MariaDB", false, Some("information_schema.innodb_lock_waits")),
            ("5.7.44", false, Some("information_schema.innodb_lock_waits")),
            ("9.7.4", true, Some("performance_schema.data_lock_waits")),
            ("9.7.4", false, None),
        ] {
            let statement = waits_statement(Server::parse(version, "").unwrap(), performance_schema);
            assert_eq!(statement.and_then(|statement| statement.rsplit(' ').next()), expected, "{version}");
        }
    }
}
