//! The first row of the last weeks, by bisection of a key that grows with time.
//!
//! `OpenCart` has no index on the time of an order, WordPress one that begins with the status. A million orders would be
//! read for those of a month, each minute; twenty looks at the key find where the month begins.

use std::collections::BTreeMap;

use super::layout::{Columns, Place};
use super::metrics::DAYS;
use super::set::{Query, Since};
use super::statement::quoted;
use crate::collector::{Failure, Reason};
use crate::collectors::mysql::connection::Connection;
use crate::collectors::mysql::rows::{Row, Rows};

/// A key has 64 bits, so that more looks than that find nothing.
const LOOKS: u32 = 64;

/// How many rows a look takes in: a few that were put in later with an older time, as an import does, do not lead it
/// astray.
const ROWS: u32 = 20;

/// What is true of every row: where there is no key to find the last weeks by.
pub(super) const ALL: &str = "TRUE";

/// A table of this shop, and the key that its rows of the last weeks are looked up by.
#[derive(Debug)]
pub(super) struct Bound {
    /// As a statement names it.
    table: String,
    key: String,
    time: String,
    /// Which rows' times count, as a condition.
    only: String,
}

impl Bound {
    /// That of a query; `None` when it has none, or the table has no key that may be read.
    pub(super) fn of(query: &Query, tables: &BTreeMap<&str, String>, place: &Place, columns: &Columns) -> Option<Self> {
        let Since { table, key, time, only } = query.since.as_ref()?;
        let table = tables.get(table.as_str())?;
        let key = key.as_deref().or_else(|| place.counter(table, columns))?.to_owned();
        let only = only.clone().unwrap_or_else(|| ALL.to_owned());
        Some(Self { table: quoted(&place.schema, table), key, time: time.clone(), only })
    }

    /// That a row has this key or a later one.
    pub(super) fn condition(&self, first: u64) -> String {
        format!("`{}` >= {first}", self.key)
    }
}

/// The first key of the last weeks in this table, 0 when it is empty; at most the last one there is, so that the newest
/// row is read however old it is.
///
/// The statement itself compares times. Where more rows than a look takes in were put in later with an older time, and a
/// look meets nothing but these, what was put in before them is not found.
pub(super) async fn first_key(connection: &mut Connection, bound: &Bound) -> Result<u64, Failure> {
    let Bound { table, key, time, only } = bound;
    let ends = format!("SELECT MIN(`{key}`) AS low, MAX(`{key}`) AS high FROM {table}");
    let ends = connection.ask("the first and the last row", &ends).await?;
    let Some((mut low, last)) = ends.iter().next().and_then(|row| whole(row, "low").zip(whole(row, "high"))) else {
        return Ok(0);
    };
    let mut high = last;
    for _ in 0..LOOKS {
        if low >= high {
            break;
        }
        let middle = low + (high - low) / 2;
        // Within IF(), a condition brings no index into play but that of the key.
        let look = format!(
            "SELECT MAX(id) AS id, MIN(is_old) AS is_old FROM (SELECT `{key}` AS id, \
             COALESCE(`{time}` < NOW() - INTERVAL {DAYS} DAY, 0) AS is_old FROM {table} \
             WHERE `{key}` >= {middle} AND IF({only}, 1, 0) ORDER BY `{key}` LIMIT {ROWS}) AS seen"
        );
        let rows = connection.ask("some rows' times", &look).await?;
        match at(&rows) {
            // Rows may be missing in between: what was found stands for all from `middle` on.
            Some((id, true)) => low = id.checked_add(1).ok_or_else(stranger)?,
            _ => high = middle,
        }
    }
    Ok(low.min(last))
}

fn whole(row: Row<'_>, column: &str) -> Option<u64> {
    row.text(column)?.parse().ok()
}

/// The last key that was found, and whether all of the rows are older than we need.
fn at(rows: &Rows) -> Option<(u64, bool)> {
    let row = rows.iter().next()?;
    Some((whole(row, "id")?, row.number("is_old") == Some(1.0)))
}

fn stranger() -> Failure {
    Failure::message(Reason::Protocol, "no key of a row is that large")
}
