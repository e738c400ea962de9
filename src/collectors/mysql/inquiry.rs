//! What the security score asks of a database server: a few statements, one connection, within the budget of slow jobs.

use std::collections::BTreeMap;
use std::time::Duration;

use super::config::Config;
use super::connection::Connection;
use super::flavour::Flavour;
use crate::collector::{Context, Failure, Reason};

/// How long the server works on each statement.
const LIMIT: Duration = Duration::from_secs(2);

/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(10);

/// The views of counts that this account may read.
const VIEWS: &str = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'vitrin_security'";

/// A row: text by column; NULL is not in it.
pub(in crate::collectors) type Row = BTreeMap<String, String>;

/// What a server has answered.
#[derive(Debug)]
pub(in crate::collectors) struct Answers {
    /// Whether it is MariaDB.
    pub(in crate::collectors) is_mariadb: bool,
    /// The rows of each statement, in their order.
    pub(in crate::collectors) rows: Vec<Result<Vec<Row>, Failure>>,
}

/// A statement of our own: nothing is ever pasted into it.
#[derive(Clone, Copy, Debug)]
pub(in crate::collectors) struct Inquiry {
    /// What it asks for, for messages.
    pub(in crate::collectors) what: &'static str,
    /// The statement.
    pub(in crate::collectors) statement: &'static str,
    /// The view that it needs; without it nothing is asked.
    pub(in crate::collectors) view: Option<&'static str>,
}

/// Puts these questions to a server. What needs a view of `schema` that is not there, or not ours to read, is not asked: each
/// refusal would count among the server's denied accesses.
///
/// # Errors
/// When the server cannot be asked at all.
pub(in crate::collectors) async fn inquire(
    config: &Config,
    context: &Context,
    inquiries: &[Inquiry],
) -> Result<Answers, Failure> {
    let gate = super::gate(config, context);
    let _permit = gate.slow.acquire().await.map_err(|closed| Failure::new(Reason::Bug, closed))?;
    let asked = async {
        let mut connection = Connection::open(config, LIMIT).await?;
        let views = connection.ask("the views that may be read", VIEWS).await?;
        let views: Vec<_> = views.iter().filter_map(|row| row.at(0)).collect();
        let mut rows = Vec::new();
        for Inquiry { what, statement, view } in inquiries {
            if let Some(view) = view.filter(|view| !views.contains(view)) {
                let message = format!("there is no view vitrin_security.{view}, or not for this account to read");
                rows.push(Err(Failure::message(Reason::Permission, message)));
                continue;
            }
            rows.push(connection.ask(what, statement).await.map(|rows| {
                let row = |row: super::rows::Row<'_>| {
                    row.cells().map(|(column, text)| (column.to_owned(), text.to_owned())).collect()
                };
                rows.iter().map(row).collect()
            }));
            if connection.is_broken() {
                break;
            }
        }
        Ok(Answers { is_mariadb: connection.server().flavour == Flavour::MariaDb, rows })
    };
    let silence = || Failure::message(Reason::Timeout, format!("no end of the answers in {WHOLE:?}"));
    tokio::time::timeout(WHOLE, asked).await.unwrap_or_else(|_| Err(silence()))
}
