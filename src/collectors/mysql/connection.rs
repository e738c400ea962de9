//! One connection: made, asked within limits, kept between scrapes, and closed without waiting for anyone.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::client::Client;
use super::config::Config;
use super::flavour::Server;
use super::rows::Rows;
use crate::collector::{Failure, Reason};

/// The most rows of one answer: ten thousand tables are a large shop's.
const ANSWER_ROWS: usize = 50_000;

/// How long a connection is used: privileges granted meanwhile, and a changed password, are noticed then.
const LIFETIME: Duration = Duration::from_mins(10);

/// A connection and what we know of the server at its other end.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    server: Server,
    born: Instant,
    /// Why a part was refused: asking again would be one more failing statement, at every scrape.
    refused: BTreeMap<&'static str, String>,
}

impl Connection {
    /// Connects and prepares the session; the server ends each of our queries after `limit`.
    pub(super) async fn open(config: &Config, limit: Duration) -> Result<Self, Failure> {
        let place = || format!("connecting to MySQL at {}", config.address);
        let client = Client::connect(config).await.map_err(|failure| failure.context(place()))?;
        let unknown = Server { flavour: super::flavour::Flavour::MySql, version: (0, 0, 0) };
        let (born, refused) = (Instant::now(), BTreeMap::new());
        let mut connection = Self { client, server: unknown, born, refused };
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
    pub(super) const fn id(&self) -> u32 {
        self.client.id()
    }

    /// Whether it can be asked again: not after an answer that was not read to its end.
    pub(super) const fn is_broken(&self) -> bool {
        self.client.is_broken()
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
        let answer = self.client.query(statement, ANSWER_ROWS).await;
        answer.map_err(|failure| failure.context(format!("asking for {what}")))
    }

    /// Runs a statement of the operator's as a prepared one: it is one statement, or the server refuses it, and one that
    /// answers with columns, or it is not run. `INTO OUTFILE` writes in a read-only transaction too, but has none.
    pub(super) async fn prepared(&mut self, statement: &str, most: usize) -> Result<Rows, Failure> {
        self.client.prepared(statement, most).await
    }
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
