//! The replication status: one row for each channel a replica reads from; none on a server that is no replica.

use std::borrow::Cow;
use std::sync::Arc;

use super::replication_names::{GTID_SLAVE_POS, METRICS};
use super::rows::{Row, Rows};
use super::value::numeric;
use crate::metric::{Desc, Family, Kind, Tier, Unit};
use crate::snapshot::Snapshot;

/// What the answer is called; needs REPLICATION CLIENT (MySQL) or SLAVE MONITOR (MariaDB).
pub(super) const PART: &str = "the replication status";

/// The labels of every column's family.
const LABELS: [&str; 4] = ["master_host", "master_uuid", "channel_name", "connection_name"];

/// Turns the answer into samples: each column that holds a number, and the domains of MariaDB's GTID position.
pub(super) fn report(rows: &Rows, out: &mut Snapshot) {
    for row in rows.iter() {
        let labels = LABELS.map(|label| of_either_age(row, label));
        for (column, text) in row.cells() {
            let name = old_words(column);
            if is_text(&name) {
                continue;
            }
            if let Some(value) = numeric(text) {
                out.push_family(family(&name), &labels, value);
            }
        }
        for gtid in row.text("gtid_slave_pos").unwrap_or_default().split(',') {
            let mut parts = gtid.trim().split('-');
            if let [Some(domain), Some(server), Some(sequence)] = std::array::from_fn(|_| parts.next())
                && let Some(sequence) = numeric(sequence)
            {
                let [host, uuid, channel, connection] = labels;
                out.push(&GTID_SLAVE_POS, [host, uuid, channel, connection, domain, server], sequence);
            }
        }
    }
}

fn of_either_age<'a>(row: Row<'a>, name: &str) -> &'a str {
    row.cells().find(|(column, _)| old_words(column) == name).map_or("", |(_, text)| text)
}

/// `seconds_behind_source` is `seconds_behind_master` since MySQL 8.4; `replicate_do_db` has never changed.
fn old_words(column: &str) -> String {
    let words: Vec<_> = column
        .split('_')
        .map(|word| match word {
            "source" => "master",
            "replica" => "slave",
            word => word,
        })
        .collect();
    words.join("_")
}

/// Columns that hold names, filters and positions of the operator's own, whatever they look like.
fn is_text(name: &str) -> bool {
    LABELS.contains(&name)
        || name.starts_with("replicate_")
        || ["master_user", "master_log_file", "relay_log_file", "gtid_slave_pos", "gtid_io_pos"].contains(&name)
}

fn family(name: &str) -> Family {
    let known = METRICS.iter().find(|desc| desc.name.strip_prefix("mysql_slave_status_") == Some(name));
    known.map_or_else(|| unknown(name), |desc| Family::Declared(desc))
}

/// A column of a server newer than this list.
fn unknown(name: &str) -> Family {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    Family::Found(Arc::new(Desc {
        name: format!("mysql_slave_status_{}", name.chars().map(legal).collect::<String>()).into(),
        kind: Kind::Unknown,
        unit: Unit::None,
        tier: Tier::DropIn,
        labels: LABELS.map(Cow::Borrowed).to_vec().into(),
        help: format!("`{name}` of the replication status; its meaning is not in Vitrin's list.").into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::mysql::shown;

    fn reported(recorded: &str) -> String {
        let mut out = Snapshot::default();
        report(&Rows::recorded(recorded), &mut out);
        shown(out, "mysql_slave_status_")
    }

    const MYSQL: &str = include_str!("../../../tests/fixtures/mysql/mysql-9.7-replication.txt");
    const MARIADB: &str = include_str!("../../../tests/fixtures/mysql/mariadb-10.11-replication.txt");
    const CONNECTING: &str = include_str!("../../../tests/fixtures/mysql/mariadb-11.8-replication.txt");

    #[test]
    fn source_and_replica_keep_their_old_names() {
        let text = reported(MYSQL);
        let labels = "[\"127.0.0.1\", \"7f1382eb-e6b8-11f1-8dd3-02fc00000001\", \"\", \"\"]";
        for line in ["seconds_behind_master LABELS Number(0.0)", "slave_io_running LABELS Number(1.0)"] {
            assert!(text.contains(&line.replace("LABELS", labels)), "{line} in\n{text}");
        }
        assert!(!text.contains("source") && !text.contains("replica_"), "{text}");
        assert!(!text.contains("master_user") && !text.contains("log_file"), "{text}");
    }

    #[test]
    fn mariadb_s_domains_have_a_series_each() {
        let text = reported(MARIADB);
        let line = "gtid_slave_pos [\"127.0.0.1\", \"\", \"\", \"\", \"0\", \"34012\"] Number(8.0)";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn a_replica_that_still_connects_does_not_run() {
        let text = reported(CONNECTING);
        assert!(text.contains("slave_io_running [\"127.0.0.1\", \"\", \"\", \"\"] Number(0.0)"), "{text}");
    }

    #[test]
    fn every_recorded_column_is_in_the_list() {
        for recorded in [MYSQL, MARIADB, CONNECTING] {
            for row in Rows::recorded(recorded).iter() {
                for (column, text) in row.cells() {
                    let name = old_words(column);
                    let known = matches!(family(&name), Family::Declared(_));
                    assert!(known || is_text(&name) || numeric(text).is_none(), "{column}");
                }
            }
        }
    }
}
