//! What can be asked of this shop: the queries of its sets whose tables and columns are there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::answer::{self, Sample};
use super::config::Shop;
use super::layout::{Columns, Place, possible};
use super::set::{self, Query};
use super::since::{self, Bound};
use super::statement;
use crate::collector::{Failure, Reason};
use crate::collectors::mysql::connection::Connection;

/// The most rows of an answer; one more and the question has failed.
const ROWS: usize = 500;

/// Where the shop is and what can be asked of it.
#[derive(Debug)]
pub(super) struct Layout {
    /// The zone that the shop writes its times in; the server's when absent.
    pub(super) time_zone: Option<String>,
    pub(super) questions: Vec<Arc<Question>>,
}

/// What a look that came to its end has found: the shop, or why there is not one to be seen.
pub(super) type Verdict = Result<Layout, Failure>;

impl Layout {
    /// Looks for the shop in the server.
    ///
    /// # Errors
    /// When the server does not tell.
    pub(super) async fn look(connection: &mut Connection, shop: &Shop) -> Result<Verdict, Failure> {
        let sets = set::of(shop.system);
        let columns = match Columns::read(connection, shop, &sets).await {
            Err(failure) if failure.reason == Reason::Permission => return Ok(Err(failure)),
            columns => columns?,
        };
        let place = match Place::of(shop, &sets, &columns) {
            Ok(place) => place,
            Err(failure) => return Ok(Err(failure)),
        };
        let of_system = || sets.iter().find_map(|set| set.time_zone.clone());
        let time_zone = shop.time_zone.as_ref().map(|zone| zone.as_str().to_owned()).or_else(of_system);
        let found = possible(&place, &sets, &columns).into_iter();
        let questions = found.map(|(set, query, tables)| {
            let bound = Bound::of(query, &tables, &place, &columns);
            Arc::new(Question::new(query, query.every(set), place.quoted(tables), bound))
        });
        Ok(Ok(Self { time_zone, questions: questions.collect() }))
    }
}

/// A query of a set, with the tables of this shop.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) every: Duration,
    sql: String,
    /// The tables' names in a statement.
    tables: BTreeMap<String, String>,
    /// What the last weeks are looked up by, where the table has it.
    since: Option<Bound>,
}

impl Question {
    fn new(query: &Query, every: Duration, tables: BTreeMap<&str, String>, since: Option<Bound>) -> Self {
        Self {
            name: query.name.clone(),
            every,
            sql: query.sql.clone(),
            tables: tables.into_iter().map(|(table, name)| (table.to_owned(), name)).collect(),
            since,
        }
    }

    /// One of this name that asks nothing.
    #[cfg(test)]
    pub(super) fn named(name: &str, every: Duration) -> Self {
        Self { name: name.to_owned(), every, sql: String::new(), tables: BTreeMap::new(), since: None }
    }

    /// Asks it; beside the samples there may be complaints about some that are not shown.
    pub(super) async fn ask(&self, connection: &mut Connection) -> Result<(Vec<Sample>, Vec<Failure>), Failure> {
        let since = match &self.since {
            Some(bound) => bound.condition(since::first_key(connection, bound).await?),
            None => since::ALL.to_owned(),
        };
        let tables = self.tables.iter().map(|(table, name)| (table.as_str(), name.clone())).collect();
        let sql = statement::filled(&self.sql, &tables, Some(&since))
            .ok_or_else(|| Failure::message(Reason::Bug, "a place in the statement was not filled"))?;
        let rows = connection.prepared(&sql, ROWS).await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(answer::samples(&rows, now.as_secs_f64()))
    }
}
