//! The operator's own queries: one read-only `SELECT` each, with a time limit, a row limit and a pause between two runs.

mod config;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::config::Config;
use super::connection::Connection;
use super::rows::Rows;
use crate::collector::{Collector, Context, Failure, Gate, Reason};
use crate::config::types::MetricName;
use crate::metric::{Catalogue, Desc, Family, Kind, Tier, Unit};
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;

pub use config::Query;

/// How often we look whether a query is due; looking costs the server nothing.
const LOOK: Duration = Duration::from_secs(10);

/// After this many periods without a success, the last rows are too old to show.
const STALE_PERIODS: u32 = 3;

/// How much longer we wait than the server works on a query, so that the server's own words come first.
const GRACE: Duration = Duration::from_millis(500);

/// The longest label value that is kept whole.
const LABEL_BYTES: usize = 200;

crate::metrics! {
    Own as METRICS;
    /// When the query `[mysql.queries.<name>]` last gave rows that could be shown, as Unix time.
    LAST_SUCCESS = Gauge("mysql_query_last_success_timestamp_seconds", Seconds, ["query"]);
}

/// Runs the queries of one server, each when it is due.
#[derive(Debug)]
pub struct Queries {
    config: Config,
    gate: Arc<Gate>,
    known: Mutex<BTreeMap<MetricName, Known>>,
    /// Why there was no connection at the end of the last run.
    lost: Mutex<Option<(Reason, String)>>,
}

const NO_PANIC: &str = "no code panics while it holds this lock";

/// What is known of one query.
#[derive(Debug, Default)]
struct Known {
    begun: Option<Instant>,
    /// When it last succeeded, by our clock and by the wall's.
    succeeded: Option<(Instant, Duration)>,
    /// What it found then; empty again when it fails.
    samples: Vec<Sample>,
}

/// One sample of a query.
#[derive(Clone, Debug)]
struct Sample {
    family: Family,
    labels: Vec<String>,
    value: f64,
}

impl Queries {
    /// The queries whose pause is over; they count as begun from now on.
    fn due(&self) -> Vec<(MetricName, Arc<Query>)> {
        let mut known = self.known();
        let mut due = Vec::new();
        for (name, query) in &self.config.queries {
            let known = known.entry(name.clone()).or_default();
            if known.begun.is_none_or(|begun| begun.elapsed() >= query.every.0) {
                known.begun = Some(Instant::now());
                due.push((name.clone(), query.clone()));
            }
        }
        due
    }

    /// Runs the queries that are due; one that fails is a gap.
    ///
    /// # Errors
    /// When, at the last of them, there was no connection to ask on any more.
    async fn run(&self, due: Vec<(MetricName, Arc<Query>)>, out: &mut Snapshot) -> Result<(), Failure> {
        let _permit = self.gate.slow.acquire().await.map_err(|error| Failure::new(Reason::Bug, error))?;
        let (mut connection, mut lost) = (None, None);
        for (name, query) in due {
            let samples = match connected(&mut connection, &self.config, query.timeout.0).await {
                Ok(connection) => ask(connection, &name, &query).await,
                Err(failure) => Err(failure),
            };
            let broken = connection.take_if(|connection| connection.is_broken()).is_some();
            // A server that was lost before this query, and may be back.
            lost.take().into_iter().for_each(|failure| out.gap(failure));
            let mut known = self.known();
            let known = known.entry(name.clone()).or_default();
            match samples {
                Ok(samples) => {
                    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                    known.succeeded = Some((Instant::now(), wall));
                    known.samples = samples;
                }
                Err(failure) => {
                    known.samples.clear();
                    // What is too large or takes too long is left, and the connection with it: the query's fault.
                    let its_fault = broken && matches!(failure.reason, Reason::Limit | Reason::Timeout);
                    let is_lost = connection.is_none() && !its_fault;
                    let failure = failure.context(format!("running the query `{}`", name.as_str()));
                    if is_lost { lost = Some(failure) } else { out.gap(failure) }
                }
            }
        }
        lost.map_or(Ok(()), Err)
    }

    /// How the last run ended, which is how it is while nothing is due.
    fn lost(&self) -> Result<(), Failure> {
        let lost = self.lost.lock().expect(NO_PANIC).clone();
        lost.map_or(Ok(()), |(reason, why)| Err(Failure::message(reason, why)))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<MetricName, Known>> {
        self.known.lock().expect(NO_PANIC)
    }

    fn report(&self, out: &mut Snapshot) {
        let known = self.known();
        // The column `b_c` of `a` and the column `c` of `a_b` are one name, and may differ in their labels.
        let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, known) in known.iter() {
            let Some((succeeded, wall)) = known.succeeded else { continue };
            out.push(&LAST_SUCCESS, [name.as_str()], wall.as_secs_f64());
            let every = self.config.queries.get(name).map_or(LOOK, |query| query.every.0).max(LOOK);
            if succeeded.elapsed() > every * STALE_PERIODS {
                if !known.samples.is_empty() {
                    let message = format!("the rows of the query `{}` are too old to show", name.as_str());
                    out.gap(Failure::message(Reason::Stale, message));
                }
                continue;
            }
            if let Some(sample) = known.samples.iter().find(|sample| taken.contains_key(sample.family.name.as_ref())) {
                let message = format!(
                    "the queries `{}` and `{}` both make {}; give one of them another name",
                    taken[sample.family.name.as_ref()],
                    name.as_str(),
                    sample.family.name
                );
                out.gap(Failure::message(Reason::Protocol, message));
                continue;
            }
            for sample in &known.samples {
                taken.entry(&sample.family.name).or_insert(name.as_str());
            }
            for sample in &known.samples {
                let labels: Vec<_> = sample.labels.iter().map(String::as_str).collect();
                out.push_family(sample.family.clone(), &labels, sample.value);
            }
        }
    }
}

impl Collector for Queries {
    const NAME: &'static str = "mysql_queries";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(METRICS)];
    const TIMEOUT: Duration = Duration::from_mins(1);
    type Config = Config;

    fn wanted(config: &Config) -> bool {
        !config.queries.is_empty()
    }

    fn every(config: &Config) -> Option<Duration> {
        let shortest = config.queries.values().map(|query| query.every.0).min();
        Some(shortest.map_or(LOOK, |every| every.min(LOOK)))
    }

    fn new(config: &Config, context: &Context) -> Self {
        Self {
            config: config.clone(),
            gate: super::gate(config, context),
            known: Mutex::default(),
            lost: Mutex::default(),
        }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let due = self.due();
        let reached = if due.is_empty() { self.lost() } else { self.run(due, out).await };
        *self.lost.lock().expect(NO_PANIC) =
            reached.as_ref().err().map(|failure| (failure.reason, failure.to_string()));
        self.report(out);
        // What the queries that were not due have found is as good as before, and when each last succeeded is true.
        out.keep();
        reached
    }

    async fn remedies(&self, run: Complaints<'_>, _service: &Service) -> Vec<Remedy> {
        // Which columns the shop wants to show, only its people can say.
        let denied = run.gaps.iter().filter(|gap| gap.reason == Reason::Permission);
        let remedy = |gap: &Failure| {
            let right = format!("GRANT SELECT (column, column) ON schema.table TO {}@localhost;\n", self.config.user);
            Remedy::by_hand(format!("{} may not read what a query of yours asks for: {gap}.", self.config.user), right)
        };
        denied.map(remedy).collect()
    }
}

/// The connection of this run, made at its first query.
async fn connected<'a>(
    connection: &'a mut Option<Connection>,
    config: &Config,
    limit: Duration,
) -> Result<&'a mut Connection, Failure> {
    if connection.is_none() {
        *connection = Some(Connection::open(config, limit).await?);
    }
    let connection = connection.as_mut().expect("it was filled just above");
    connection.limit(limit).await?;
    Ok(connection)
}

/// Runs one query inside a read-only transaction that is rolled back, whatever comes of it.
async fn ask(connection: &mut Connection, name: &MetricName, query: &Query) -> Result<Vec<Sample>, Failure> {
    connection.ask("a read-only transaction", "START TRANSACTION READ ONLY").await?;
    let asked =
        tokio::time::timeout(query.timeout.0 + GRACE, connection.prepared(query.sql.as_str(), query.rows)).await;
    let Ok(answer) = asked else {
        return Err(Failure::message(Reason::Timeout, format!("no answer in {:?}", query.timeout.0 + GRACE)));
    };
    if !connection.is_broken() {
        connection.ask("the end of the transaction", "ROLLBACK").await?;
    }
    samples(name, query, &answer?)
}

/// The samples in an answer; NULL is no sample, and a value that is no number is a mistake in the query.
fn samples(name: &MetricName, query: &Query, rows: &Rows) -> Result<Vec<Sample>, Failure> {
    for column in query.values.iter().chain(&query.labels) {
        if !rows.columns().iter().any(|known| known == column.as_str()) {
            let message = format!("the answer has no column `{}`, but {:?}", column.as_str(), rows.columns());
            return Err(Failure::message(Reason::Protocol, message));
        }
    }
    let families: Vec<_> = query.values.iter().map(|column| family(name, query, column)).collect();
    let mut samples = Vec::new();
    for row in rows.iter() {
        let labels: Vec<_> =
            query.labels.iter().map(|label| shortened(row.text(label.as_str()).unwrap_or_default())).collect();
        for (column, family) in query.values.iter().zip(&families) {
            let Some(text) = row.text(column.as_str()) else { continue };
            let Some(value) = super::rows::number(text) else {
                let message = format!("the column `{}` holds a value that is no number", column.as_str());
                return Err(Failure::message(Reason::Protocol, message));
            };
            samples.push(Sample { family: family.clone(), labels: labels.clone(), value });
        }
    }
    Ok(samples)
}

fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(LABEL_BYTES)].to_owned()
}

/// The family of a value column; one whose name ends in `_total` is a counter, others are gauges.
fn family(name: &MetricName, query: &Query, column: &MetricName) -> Family {
    let (name, column) = (name.as_str(), column.as_str());
    let base = column.strip_suffix("_total");
    let unit = Unit::ALL.into_iter().find(|unit| {
        let suffix = unit.suffix();
        !suffix.is_empty() && base.unwrap_or(column).split('_').next_back() == Some(suffix)
    });
    Family::Found(Arc::new(Desc {
        name: format!("mysql_query_{name}_{column}").into(),
        kind: if base.is_some() { Kind::Counter } else { Kind::Gauge },
        unit: unit.unwrap_or(Unit::None),
        tier: Tier::Own,
        labels: query.labels.iter().map(|label| Cow::Owned(label.as_str().to_owned())).collect(),
        help: query.help(name, column).into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn values_become_samples_with_their_labels() {
        let query = query(
            "sql = 'SELECT status, orders, revenue_total FROM x'\nvalues = ['orders', 'revenue_total']\n\
             labels = ['status']\nhelp = 'Orders of today.'",
        );
        let rows = Rows::recorded("status\torders\trevenue_total\nnew\t3\t10.50\npaid\tNULL\t7");
        let samples = samples(&"shop".parse().unwrap(), &query, &rows).unwrap();
        let shown: Vec<_> =
            samples.iter().map(|s| (s.family.name.as_ref(), s.family.kind, s.labels[0].as_str(), s.value)).collect();
        assert_eq!(
            shown,
            [
                ("mysql_query_shop_orders", Kind::Gauge, "new", 3.0),
                ("mysql_query_shop_revenue_total", Kind::Counter, "new", 10.5),
                ("mysql_query_shop_revenue_total", Kind::Counter, "paid", 7.0),
            ]
        );
        assert_eq!(samples[0].family.help, "Orders of today. Column `orders` of the query `shop`.");
    }

    #[test]
    fn an_answer_that_is_not_what_was_configured_is_a_failure() {
        let query = query("sql = 'SELECT 1'\nvalues = ['orders']");
        for (rows, message) in [("n\n1", "has no column `orders`"), ("orders\nmany", "is no number")] {
            let failure = samples(&"shop".parse().unwrap(), &query, &Rows::recorded(rows)).unwrap_err();
            assert!(failure.to_string().contains(message), "{failure}");
        }
    }
}
