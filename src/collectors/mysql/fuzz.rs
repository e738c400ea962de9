//! What must hold whatever a server's answer says.

pub(crate) use super::client::fuzz::{answer, login};

use super::flavour::Server;
use super::rows::Rows;
use super::{
    digests, innodb, processlist, query_time, replication, response_time, shop, status, tables, top::Ranking, value,
    variables,
};
use crate::fuzz::judge;
use crate::snapshot::Snapshot;

/// The first line names the answer, the second its columns, and each other is a row; tabs part cells.
pub(crate) fn report(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some((name, text)) = text.split_once('\n') else { return };
    let rows = rows(text);
    let mut out = Snapshot::default();
    match name {
        "cmp" => innodb::report_cmp(&rows, &mut out),
        "cmpmem" => innodb::report_cmpmem(&rows, &mut out),
        "digests" => {
            let mut ranking = Ranking::default();
            digests::report(&rows, &rows, &mut ranking, &mut Snapshot::default());
            digests::report(&rows, &rows, &mut ranking, &mut out);
        }
        "full_scans" => tables::report_full_scans(&rows, &mut out),
        "processlist" => processlist::report(&rows, 7, &mut out),
        "replication" => replication::report(&rows, &mut out),
        "response_time" => {
            let time = response_time::report(&rows, &mut out);
            query_time::report(query_time::Source::QueryResponseTime, time, &mut out);
        }
        "shop" => shop::report(&rows, &mut out),
        "sizes" => tables::report_sizes(&rows, 2, &mut out),
        "status" => {
            status::report(&rows, &mut out);
            innodb::report_history(rows.setting("innodb_history_list_length").and_then(value::numeric), &mut out);
        }
        "unused" => tables::report_unused(&rows, 2, &mut out),
        "usage" => {
            variables::report_usage(&rows, &rows, &mut out);
            if let Some((source, time)) = query_time::of_status(&rows, &rows) {
                query_time::report(source, time, &mut out);
            }
            if let Some(time) = query_time::of_performance_schema(&rows) {
                query_time::report(query_time::Source::PerformanceSchema, time, &mut out);
            }
        }
        "variables" => variables::report(&rows, &mut out),
        "version" => version(text),
        _ => return,
    }
    judge(out, bytes);
}

/// Rows of a text; a row that is too short ends in NULL, as no row of a server does.
fn rows(text: &str) -> Rows {
    let mut lines = text.lines();
    let columns: Vec<_> = lines.next().unwrap_or_default().split('\t').collect();
    let mut rows = Rows::of(&columns);
    for line in lines {
        let mut cells = line.split('\t').map(|cell| (cell != "NULL").then_some(cell));
        for _ in &columns {
            rows.push(cells.next().flatten());
        }
    }
    rows
}

fn version(text: &str) {
    if let Some(server) = Server::parse(text, "") {
        let (major, minor, patch) = server.version;
        let again = Server::parse(&format!("{major}.{minor}.{patch}-{:?}", server.flavour), "");
        assert_eq!(again, Some(server));
    }
}
