//! The process list: how many threads do what, and for how long they have been at it.
//!
//! `SHOW PROCESSLIST` and not `information_schema.processlist`, which costs a temporary table on disk at each scrape
//! (measured on MariaDB 10.11, 11.8 and MySQL 9.7).

use std::collections::BTreeMap;

use super::rows::Rows;
use crate::snapshot::Snapshot;

/// What the answer is called. Without PROCESS it is not refused: it holds our own thread alone.
pub(super) const PART: &str = "the process list";
/// The statement; of the text of queries it sends the first 100 characters, which we drop.
pub(super) const STATEMENT: &str = "SHOW PROCESSLIST";

/// The most pairs of command and state; the rest is `other`. A busy server has a dozen.
const PAIRS: usize = 64;

crate::metrics! {
    DropIn as METRICS;
    /// Threads by what they do: `Command` and `State` of SHOW PROCESSLIST, without our own thread.
    THREADS = Gauge("mysql_info_schema_processlist_threads", None, ["command", "state"]);
    /// Seconds that threads have been in their present state, summed up: `Time` of SHOW PROCESSLIST, without our own thread.
    SECONDS = Gauge("mysql_info_schema_processlist_seconds", Seconds, ["command", "state"]);
}

/// Counts the threads; `own` is our connection's id.
pub(super) fn report(rows: &Rows, own: u32, out: &mut Snapshot) {
    let own = own.to_string();
    let mut pairs: BTreeMap<(String, String), (u32, f64)> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.text("id") != Some(&own)) {
        let mut pair = (word(row.text("command")), word(row.text("state")));
        if pairs.len() >= PAIRS && !pairs.contains_key(&pair) {
            pair = ("other".to_owned(), "other".to_owned());
        }
        let (threads, seconds) = pairs.entry(pair).or_default();
        *threads += 1;
        // MariaDB shows threads of its own with times before they were born.
        *seconds += row.number("time").filter(|time| (0.0..f64::from(i32::MAX)).contains(time)).unwrap_or(0.0);
    }
    for ((command, state), (threads, seconds)) in &pairs {
        out.push(&THREADS, [command, state], *threads);
        out.push(&SECONDS, [command, state], *seconds);
    }
}

/// `Waiting for table metadata lock` as a label value: `waiting_for_table_metadata_lock`.
fn word(text: Option<&str>) -> String {
    let words = text.unwrap_or_default().chars().filter(|c| !";,:.()".contains(*c)).map(|c| match c {
        ' ' | '-' => '_',
        c => c.to_ascii_lowercase(),
    });
    let word: String = words.collect();
    if word.is_empty() { "unknown".to_owned() } else { word }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect;

    use super::*;
    use crate::collectors::mysql::shown;

    #[test]
    fn threads_are_counted_by_what_they_do_without_our_own() {
        let recorded = include_str!("../../../tests/fixtures/mysql/mysql-9.7-processlist.txt");
        let mut out = Snapshot::default();
        report(&Rows::recorded(recorded), 24, &mut out);
        expect![[r#"
            mysql_info_schema_processlist_threads ["binlog_dump", "source_has_sent_all_binlog_to_replica_waiting_for_more_updates"] Number(1.0)
            mysql_info_schema_processlist_threads ["daemon", "waiting_on_empty_queue"] Number(1.0)
        "#]]
        .assert_eq(&shown(out, "mysql_info_schema_processlist_threads"));
    }

    #[test]
    fn states_without_end_become_other() {
        let mut text = "Id\tCommand\tTime\tState\n".to_owned();
        for id in 1..=100 {
            writeln!(text, "{id}\tQuery\t4294967295\tstate {id}").unwrap();
        }
        let mut out = Snapshot::default();
        report(&Rows::recorded(&text), 1, &mut out);
        assert_eq!(out.len(), 2 * (PAIRS + 1));
        let text = shown(out, "mysql_info_schema_processlist");
        assert!(text.contains("threads [\"other\", \"other\"] Number(35.0)"), "{text}");
        assert!(text.contains("seconds [\"other\", \"other\"] Number(0.0)"), "{text}");
    }
}
