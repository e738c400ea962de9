//! MySQL, MariaDB and Percona Server: status, variables, replication, InnoDB, threads and query time at each scrape;
//! tables, digests, the shop's own tables and the operator's queries on timers.
//!
//! One connection, kept between scrapes, six to nine statements, no temporary table on disk, and no statement that
//! fails: what differs between servers is known from their version, and what this account may not see is asked for once
//! in a connection's life (ten minutes) and then counted as a gap.

mod account;
mod administrator;
mod client;
mod config;
mod connection;
mod digests;
mod discover;
mod failure;
mod flavour;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod innodb;
pub(in crate::collectors) mod inquiry;
mod processlist;
mod queries;
mod query_time;
mod remedy;
mod replication;
mod replication_names;
mod response_time;
mod rows;
pub mod shop;
mod status;
mod tables;
mod top;
mod transactions;
mod value;
mod variables;

use std::sync::Arc;
use std::time::Duration;

pub use config::{Config, Tls, TlsMode, Top, section};
pub use digests::Digests;
pub use discover::DISCOVERY;
pub use queries::{Queries, Query};
pub use shop::ShopDatabase;
pub use tables::Tables;

use crate::collector::{Collector, Context, Failure, Gate, Reason};
use crate::metric::{Catalogue, Metric};
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;
use connection::{Connection, Kept};
use flavour::Flavour;
use query_time::Source;
use rows::Rows;

crate::metrics! {
    DropIn as UP_METRIC;
    /// 1 when the last scrape reached MySQL or MariaDB, logged in and read its status; 0 when not.
    UP = Gauge("mysql_up", None, []);
}

/// Reads one server at each scrape.
#[derive(Debug)]
pub struct Mysql {
    config: Config,
    gate: Arc<Gate>,
    kept: Kept,
}

impl Collector for Mysql {
    const NAME: &'static str = "mysql";
    const METRICS: &'static [Catalogue] = &[
        Catalogue::List(UP_METRIC),
        Catalogue::List(status::METRICS),
        Catalogue::Table { table: &status::STATUS, open: true },
        Catalogue::List(variables::METRICS),
        Catalogue::List(variables::OWN),
        Catalogue::Table { table: &variables::VARIABLES, open: true },
        Catalogue::List(replication_names::METRICS),
        Catalogue::List(innodb::METRICS),
        Catalogue::List(processlist::METRICS),
        Catalogue::List(response_time::METRICS),
        Catalogue::List(query_time::METRICS),
        Catalogue::List(transactions::METRICS),
    ];
    const UP: Option<&'static Metric<0>> = Some(&UP);
    const TIMEOUT: Duration = Duration::from_secs(5);
    type Config = Config;

    fn new(config: &Config, context: &Context) -> Self {
        Self { config: config.clone(), gate: gate(config, context), kept: Kept::default() }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let _permit = self.gate.scrape.acquire().await.map_err(|error| Failure::new(Reason::Bug, error))?;
        let (mut connection, status) = self.begin().await?;
        let read = read(&mut connection, &status, &self.config, out).await;
        self.kept.keep(connection);
        read
    }

    async fn remedies(&self, run: Complaints<'_>, service: &Service) -> Vec<Remedy> {
        let Ok(_permit) = self.gate.slow.acquire().await else { return Vec::new() };
        remedy::remedies(&self.config, run, service).await
    }
}

impl Mysql {
    /// A connection and the answer to the first question: the kept one, or, where the server has closed it meanwhile, a
    /// new one.
    async fn begin(&self) -> Result<(Connection, Rows), Failure> {
        if let Some(mut kept) = self.kept.take()
            && let Ok(status) = ask_for_status(&mut kept).await
        {
            return Ok((kept, status));
        }
        let mut connection = Connection::open(&self.config, Self::TIMEOUT).await?;
        let status = ask_for_status(&mut connection).await?;
        Ok((connection, status))
    }
}

/// The gate of the server, shared by all that talk to it.
fn gate(config: &Config, context: &Context) -> Arc<Gate> {
    context.gate(&config.address.to_string())
}

async fn ask_for_status(connection: &mut Connection) -> Result<Rows, Failure> {
    connection.ask("the status", status::STATEMENT).await
}

/// Reads all that is read at a scrape.
async fn read(connection: &mut Connection, status: &Rows, config: &Config, out: &mut Snapshot) -> Result<(), Failure> {
    status::report(status, out);
    let variables = connection.ask("the variables", variables::STATEMENT).await?;
    variables::report(&variables, out);
    variables::report_usage(status, &variables, out);

    let server = connection.server();
    if let Some(rows) = part(connection, replication::PART, server.replication_statement(), out).await? {
        replication::report(&rows, out);
    }
    if let Some(rows) = part(connection, innodb::CMP, innodb::CMP_STATEMENT, out).await? {
        innodb::report_cmp(&rows, out);
    }
    if let Some(rows) = part(connection, innodb::CMPMEM, innodb::CMPMEM_STATEMENT, out).await? {
        innodb::report_cmpmem(&rows, out);
    }
    read_history(connection, status, out).await?;
    read_processlist(connection, out).await?;
    if config.transactions {
        transactions::read(connection, &variables, out).await?;
    }
    read_query_time(connection, status, &variables, out).await
}

/// Asks for a part: `None`, and a gap, when there is none to be had and the rest can go on without it.
async fn part(
    connection: &mut Connection,
    what: &'static str,
    statement: &str,
    out: &mut Snapshot,
) -> Result<Option<Rows>, Failure> {
    match connection.part(what, statement).await {
        Ok(rows) => Ok(Some(rows)),
        Err(failure) if connection.is_broken() => Err(failure),
        Err(failure) => {
            out.gap(failure);
            Ok(None)
        }
    }
}

async fn read_history(connection: &mut Connection, status: &Rows, out: &mut Snapshot) -> Result<(), Failure> {
    let length = match connection.server().flavour {
        Flavour::MariaDb => status.setting("innodb_history_list_length").and_then(value::numeric),
        Flavour::MySql => {
            let rows = part(connection, innodb::HISTORY, innodb::HISTORY_STATEMENT, out).await?;
            rows.and_then(|rows| rows.iter().next()?.number("length"))
        }
    };
    innodb::report_history(length, out);
    Ok(())
}

async fn read_processlist(connection: &mut Connection, out: &mut Snapshot) -> Result<(), Failure> {
    // INNODB_CMP needs the same privilege and says so; the process list would be short without a word.
    if connection.is_refused(innodb::CMP) {
        out.gap(Failure::message(Reason::Permission, "the process list shows other threads only with PROCESS"));
    } else if let Some(rows) = part(connection, processlist::PART, processlist::STATEMENT, out).await? {
        processlist::report(&rows, connection.id(), out);
    }
    Ok(())
}

async fn read_query_time(
    connection: &mut Connection,
    status: &Rows,
    variables: &Rows,
    out: &mut Snapshot,
) -> Result<(), Failure> {
    let mut measured = None;
    if query_time::has_performance_schema(variables)
        && let Some(rows) = part(connection, query_time::PART, query_time::STATEMENT, out).await?
    {
        measured = query_time::of_performance_schema(&rows).map(|time| (Source::PerformanceSchema, time));
    }
    if variables.setting(response_time::SWITCH).and_then(value::numeric) == Some(1.0)
        && let Some(rows) = part(connection, response_time::PART, response_time::STATEMENT, out).await?
    {
        let time = response_time::report(&rows, out);
        measured = measured.or(Some((Source::QueryResponseTime, time)));
    }
    if let Some((source, time)) = measured.or_else(|| query_time::of_status(status, variables)) {
        query_time::report(source, time, out);
    }
    Ok(())
}

/// The samples of a run as text, one a line, of the families whose names begin so.
#[cfg(test)]
fn shown(out: Snapshot, names: &str) -> String {
    use std::fmt::Write as _;

    let (findings, ..) = out.finish();
    let mut text = String::new();
    for (family, group) in findings.families().filter(|(family, _)| family.name.starts_with(names)) {
        for (labels, value) in group.samples() {
            let labels: Vec<_> = labels.collect();
            writeln!(text, "{} {labels:?} {value:?}", family.name).unwrap();
        }
    }
    text
}
