//! What can be configured about a query of the operator's.

use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::config::types::{MAIN, MetricName, Period, TargetName};

/// The most rows that can be asked for: a thousand series of one query are a mistake.
const MOST_ROWS: usize = 1_000;

/// The most time that can be asked for.
const MOST_TIME: Duration = Duration::from_secs(20);

/// Label names that belong to Prometheus or to us.
const TAKEN: [&str; 8] = ["collector", "instance", "job", "le", "quantile", "query", "target", "reason"];

/// One query: `[mysql.queries.<name>]`.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(try_from = "Raw")]
pub struct Query {
    /// The statement.
    pub sql: Sql,
    /// The first sentence of the metrics' HELP.
    pub help: Option<String>,
    /// Columns that become metrics, `mysql_query_<name>_<column>`.
    pub values: Vec<MetricName>,
    /// Columns that become labels.
    pub labels: Vec<MetricName>,
    /// The least time between two runs.
    pub every: Period,
    /// The most time of a run, on the server and here.
    pub timeout: Period,
    /// The most rows of an answer; one more and the query has failed.
    pub rows: usize,
    /// The servers it runs on.
    pub targets: Vec<TargetName>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    sql: Sql,
    help: Option<String>,
    values: Vec<MetricName>,
    #[serde(default)]
    labels: Vec<MetricName>,
    #[serde(default = "minute")]
    every: Period,
    #[serde(default = "two_seconds")]
    timeout: Period,
    #[serde(default = "hundred")]
    rows: usize,
    #[serde(default = "main_target")]
    targets: Vec<TargetName>,
}

const fn minute() -> Period {
    Period(Duration::from_mins(1))
}

const fn two_seconds() -> Period {
    Period(Duration::from_secs(2))
}

const fn hundred() -> usize {
    100
}

fn main_target() -> Vec<TargetName> {
    vec![MAIN.parse().expect("`main` is a name")]
}

impl TryFrom<Raw> for Query {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let Raw { sql, help, values, labels, every, timeout, rows, targets } = raw;
        if values.is_empty() {
            return Err("`values` names no column\nname at least one that holds a number".to_owned());
        }
        let mut columns: Vec<_> = values.iter().chain(&labels).map(MetricName::as_str).collect();
        columns.sort_unstable();
        if let Some([twice, _]) = columns.array_windows().find(|[a, b]| a == b) {
            return Err(format!("the column `{twice}` is named twice\na column is one value or one label"));
        }
        if let Some(taken) = labels.iter().find(|label| TAKEN.contains(&label.as_str())) {
            return Err(format!("the label `{}` is taken\ngive the column another name with AS", taken.as_str()));
        }
        if !(1..=MOST_ROWS).contains(&rows) {
            return Err(format!("`rows` is {rows}, not from 1 to {MOST_ROWS}\ngroup or limit the rows in the query"));
        }
        if timeout.0 > MOST_TIME {
            return Err(
                "`timeout` is longer than 20s\na query that takes so long belongs in a table of its own".to_owned()
            );
        }
        if help.as_ref().is_some_and(|help| help.contains(['\n', '\\']) || !help.ends_with('.')) {
            return Err("`help` is not a sentence\none line that ends with a full stop, without `\\`".to_owned());
        }
        Ok(Self { sql, help, values, labels, every, timeout, rows, targets })
    }
}

impl Query {
    /// The HELP of a column's metric.
    pub(super) fn help(&self, name: &str, column: &str) -> String {
        let source = format!("Column `{column}` of the query `{name}`.");
        self.help.as_ref().map_or(source.clone(), |help| format!("{help} {source}"))
    }
}

/// A statement that asks: it begins with SELECT, WITH, SHOW, TABLE or VALUES. That it changes nothing is the read-only
/// transaction's and the account's business, that it is one statement the prepared statement's; this is a third lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql(String);

impl Sql {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sql {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_end_matches(';');
        let first: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
        if ["SELECT", "WITH", "SHOW", "TABLE", "VALUES"].contains(&first.to_ascii_uppercase().as_str()) {
            return Ok(Self(text.to_owned()));
        }
        Err("`sql` is not a question\nit begins with SELECT, WITH, SHOW, TABLE or VALUES; put a comment behind that word"
            .to_owned())
    }
}

impl<'de> Deserialize<'de> for Sql {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_defaults_for_all_but_its_statement_and_values() {
        let query: Query = toml::from_str("sql = ' select 1 AS n; '\nvalues = ['n']").unwrap();
        assert_eq!(query.sql.as_str(), "select 1 AS n");
        assert_eq!((query.every, query.timeout, query.rows), (minute(), two_seconds(), 100));
        assert_eq!(query.targets, main_target());
        assert_eq!(query.help("a", "n"), "Column `n` of the query `a`.");
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        for (text, message) in [
            ("sql = 'DELETE FROM orders'\nvalues = ['n']", "is not a question"),
            ("sql = '/*! DROP TABLE a */'\nvalues = ['n']", "is not a question"),
            ("sql = 'SELECT 1'\nvalues = []", "names no column"),
            ("sql = 'SELECT 1'\nvalues = ['n']\nlabels = ['n']", "named twice"),
            ("sql = 'SELECT 1'\nvalues = ['n']\nlabels = ['target']", "is taken"),
            ("sql = 'SELECT 1'\nvalues = ['n']\nrows = 0", "not from 1 to 1000"),
            ("sql = 'SELECT 1'\nvalues = ['n']\ntimeout = '1m'", "longer than 20s"),
            ("sql = 'SELECT 1'\nvalues = ['n']\nhelp = 'orders'", "is not a sentence"),
            ("sql = 'SELECT 1'\nvalues = ['N']", "cannot be part of a metric's name"),
            ("sql = 'SELECT 1'\nvalues = ['n']\nlimit = 3", "unknown field `limit`"),
        ] {
            let error = toml::from_str::<Query>(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
