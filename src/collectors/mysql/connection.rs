//! One connection: made, asked within limits, kept between scrapes, and closed without waiting for anyone.
//!
//! One limit is missing, and the driver (0.37) has no option for it: it believes the number of columns that an answer
//! announces, and keeps the description of each. Whoever is at the other end (the server or, without TLS, anyone
//! between) can end the process by announcing so many that 32 bytes for each are more than the machine has memory and
//! swap, and can fill the memory with descriptions until the deadline. An announcement alone takes no memory while it
//! fits, and is a panic, which costs this target alone, from half of the address space on.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, TryStreamExt};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};

use super::config::Config;
use super::failure;
use super::flavour::Server;
use super::options;
use super::rows::Rows;
use crate::collector::{Failure, Reason};

/// The most rows of one answer: ten thousand tables are a large shop's.
const ANSWER_ROWS: usize = 50_000;

/// The most text of one answer.
const ANSWER_BYTES: usize = 8 << 20;

/// The most cells of one answer: NULL has no text, but it costs memory too.
const ANSWER_CELLS: usize = 500_000;

/// How long a connection is used: privileges granted meanwhile, and a changed password, are noticed then.
const LIFETIME: Duration = Duration::from_mins(10);

/// A connection and what we know of the server at its other end.
#[derive(Debug)]
pub(super) struct Connection {
    /// There until the drop.
    driver: Option<Conn>,
    server: Server,
    born: Instant,
    /// Why a part was refused: asking again would be one more failing statement, at every scrape.
    refused: BTreeMap<&'static str, String>,
    /// An answer was not read to its end.
    broken: bool,
}

impl Connection {
    /// Connects and prepares the session; the server ends each of our queries after `limit`.
    pub(super) async fn open(config: &Config, limit: Duration) -> Result<Self, Failure> {
        let place = || format!("connecting to MySQL at {}", config.address);
        let driver = options::connect(config).await.map_err(|failure| failure.context(place()))?;
        let unknown = Server { flavour: super::flavour::Flavour::MySql, version: (0, 0, 0) };
        let (born, refused) = (Instant::now(), BTreeMap::new());
        let mut connection = Self { driver: Some(driver), server: unknown, born, refused, broken: false };
        connection.prepare(limit).await.map_err(|failure| failure.context(place()))?;
        Ok(connection)
    }

    /// Asks which server this is, and makes the session harmless: it reads only, waits for locks no longer than for
    /// anything else, and is not closed between two scrapes.
    async fn prepare(&mut self, limit: Duration) -> Result<(), Failure> {
        let answer =
            self.ask("the server's version", "SELECT @@version AS version, @@version_comment AS comment").await?;
        let row = answer.iter().next();
        let text = |column| row.and_then(|row| row.text(column)).unwrap_or_default();
        self.server = Server::parse(text("version"), text("comment"))
            .ok_or_else(|| Failure::message(Reason::Protocol, format!("`{}` is no version", text("version"))))?;
        self.limit(limit).await?;
        let seconds = limit.as_secs().max(1);
        self.ask("the session", &format!("SET SESSION lock_wait_timeout = {seconds}, SESSION wait_timeout = 3600"))
            .await?;
        self.ask("the session", "SET SESSION TRANSACTION READ ONLY").await?;
        Ok(())
    }

    /// Sets how long the server works on each of the queries that follow.
    pub(super) async fn limit(&mut self, limit: Duration) -> Result<(), Failure> {
        self.ask("the time limit", &self.server.time_limit_statement(limit)).await?;
        Ok(())
    }

    /// Which server it is.
    pub(super) const fn server(&self) -> Server {
        self.server
    }

    /// The id the server's process list shows us under.
    pub(super) fn id(&self) -> u32 {
        self.driver.as_ref().map_or(0, Conn::id)
    }

    /// Whether it can be asked again: not after an I/O error, nor after an answer cut short.
    pub(super) fn is_broken(&self) -> bool {
        self.broken || self.driver.as_ref().is_none_or(Conn::is_disconnected)
    }

    /// Whether this part was asked for and refused.
    pub(super) fn is_refused(&self, what: &str) -> bool {
        self.refused.contains_key(what)
    }

    /// Asks for `what`, which this account may not be allowed to see: once refused it is not asked for again as long
    /// as the connection lives.
    pub(super) async fn part(&mut self, what: &'static str, statement: &str) -> Result<Rows, Failure> {
        if let Some(refusal) = self.refused.get(what) {
            return Err(Failure::message(Reason::Permission, refusal.clone()));
        }
        let answer = self.ask(what, statement).await;
        if let Err(failure) = &answer
            && failure.reason == Reason::Permission
        {
            self.refused.insert(what, failure.to_string());
        }
        answer
    }

    /// Asks for `what` in the text protocol. Statements are our own: nothing is ever pasted into them.
    pub(super) async fn ask(&mut self, what: &str, statement: &str) -> Result<Rows, Failure> {
        let doing = || format!("asking for {what}");
        let driver = self.driver.as_mut().expect("the driver's connection is there until the drop");
        let answer = async {
            let mut result = driver.query_iter(statement).await.map_err(|error| failure::of(&error))?;
            let mut rows = Rows::of(result.columns_ref().iter().map(mysql_async::Column::name_str));
            if let Some(mut stream) = result.stream::<Row>().await.map_err(|error| failure::of(&error))? {
                while let Some(row) = stream.try_next().await.map_err(|error| failure::of(&error))? {
                    take(&mut rows, row, ANSWER_ROWS)?;
                }
            }
            Ok(rows)
        }
        .await;
        self.mend(answer).map_err(|failure: Failure| failure.context(doing()))
    }

    /// Runs a statement of the operator's as a prepared one: it is one statement, or the server refuses it, and one that
    /// answers with columns, or it is not run. `INTO OUTFILE` writes in a read-only transaction too, but has none.
    pub(super) async fn prepared(&mut self, statement: &str, most: usize) -> Result<Rows, Failure> {
        let driver = self.driver.as_mut().expect("the driver's connection is there until the drop");
        let answer = async {
            let prepared = driver.prep(statement).await.map_err(|error| failure::of(&error))?;
            if prepared.num_columns() == 0 {
                driver.close(prepared).await.map_err(|error| failure::of(&error))?;
                return Err(Failure::message(
                    Reason::Protocol,
                    "it gives no columns, so it was not run; take INTO out",
                ));
            }
            let mut result = driver.exec_iter(&prepared, ()).await.map_err(|error| failure::of(&error))?;
            let mut rows = Rows::of(result.columns_ref().iter().map(mysql_async::Column::name_str));
            if let Some(mut stream) = result.stream::<Row>().await.map_err(|error| failure::of(&error))? {
                while let Some(row) = stream.try_next().await.map_err(|error| failure::of(&error))? {
                    take(&mut rows, row, most)?;
                }
            }
            result.drop_result().await.map_err(|error| failure::of(&error))?;
            driver.close(prepared).await.map_err(|error| failure::of(&error))?;
            Ok(rows)
        }
        .await;
        self.mend(answer)
    }

    /// Notes that an answer will not be waited for.
    pub(super) const fn give_up(&mut self) {
        self.broken = true;
    }

    /// Notes when an answer was left half read, by our own limits.
    fn mend(&mut self, answer: Result<Rows, Failure>) -> Result<Rows, Failure> {
        self.broken |= matches!(&answer, Err(failure) if failure.reason == Reason::Limit);
        answer
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The driver would say goodbye from a task of its own, which first reads the rest of an answer under way: for
        // ever, when the server hangs. Polled once, the farewell is sent if it can be, and the socket is closed.
        if let Some(driver) = self.driver.take() {
            driver.disconnect().now_or_never();
        }
    }
}

/// Adds a row of the driver's to an answer.
fn take(rows: &mut Rows, row: Row, most: usize) -> Result<(), Failure> {
    if rows.len() >= most {
        return Err(Failure::message(Reason::Limit, format!("more than {most} rows")));
    }
    if rows.cells() + row.len() > ANSWER_CELLS {
        return Err(Failure::message(Reason::Limit, format!("more than {ANSWER_CELLS} cells")));
    }
    for value in row.unwrap() {
        match value {
            Value::NULL => rows.push(None),
            Value::Bytes(bytes) => rows.push(Some(&String::from_utf8_lossy(&bytes))),
            // Of the binary protocol. What is no number is quoted as in SQL.
            Value::Int(number) => rows.push(Some(&number.to_string())),
            Value::UInt(number) => rows.push(Some(&number.to_string())),
            Value::Float(number) => rows.push(Some(&number.to_string())),
            Value::Double(number) => rows.push(Some(&number.to_string())),
            moment => rows.push(Some(moment.as_sql(true).trim_matches('\''))),
        }
    }
    if rows.bytes() > ANSWER_BYTES {
        return Err(Failure::message(Reason::Limit, format!("more than {} MiB", ANSWER_BYTES >> 20)));
    }
    Ok(())
}

/// The place of a connection that is kept between scrapes; empty while it is in use, so that a scrape that is given up
/// halfway takes its connection with it.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<Connection>>);

impl Kept {
    /// Takes the kept connection out, if there is one that is still good.
    pub(super) fn take(&self) -> Option<Connection> {
        self.lock().take().filter(|connection| connection.born.elapsed() < LIFETIME)
    }

    /// Puts a connection back.
    pub(super) fn keep(&self, connection: Connection) {
        if !connection.is_broken() {
            *self.lock() = Some(connection);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}
