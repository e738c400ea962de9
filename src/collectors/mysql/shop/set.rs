//! The questions to each system's tables: `sets/*.toml`, read when the configuration asks for them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::config::System;
use crate::config::types::Period;

/// The questions to one system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    /// What every shop of the system has, by which it is found.
    pub(super) marker: Option<Marker>,
    /// The time zone that the system writes in, whatever its server's is.
    pub(super) time_zone: Option<String>,
    /// Whether a table may also be there without the prefix.
    #[serde(default)]
    pub(super) bare: bool,
    /// The least time between two runs of a query that does not say.
    #[serde(default = "minute")]
    every: Period,
    #[serde(rename = "query")]
    pub(super) queries: Vec<Query>,
}

/// A table, and columns of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marker {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

/// A table whose key grows with time, by which the rows of the last weeks are found where no index leads to them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    pub(super) table: String,
    /// The key; when absent, the column that the server counts up, and the whole table is read where it has none.
    pub(super) key: Option<String>,
    pub(super) time: String,
    /// Which rows' times count, where others are in the table too.
    pub(super) only: Option<String>,
}

/// One question.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Of several of one name, the first whose tables and columns are there is asked.
    pub(super) name: String,
    /// The least time between two runs; the set's when absent.
    every: Option<Period>,
    /// What `{marketplace}` stands for, one after the other.
    #[serde(default)]
    for_each: Vec<String>,
    /// The tables, without their prefix, and the columns that it reads.
    pub(super) needs: BTreeMap<String, Vec<String>>,
    /// What `{since}` stands for: that a row is of the last weeks.
    pub(super) since: Option<Since>,
    /// The statement, with `{table}`, `{since}` and `{recent metric | time | value}`.
    pub(super) sql: String,
}

const fn minute() -> Period {
    Period(Duration::from_mins(1))
}

/// The place in a query that `for_each` fills.
const EACH: &str = "{marketplace}";

impl Query {
    /// The least time between two runs.
    pub(super) fn every(&self, set: &Set) -> Duration {
        self.every.unwrap_or(set.every).0
    }

    /// Whether it goes by the column of this table that the server counts up, which no list of columns names.
    pub(super) fn goes_by_counter(&self, table: &str) -> bool {
        self.since.as_ref().is_some_and(|since| since.key.is_none() && since.table == table)
    }

    /// One query for each of `for_each`, or itself.
    fn expanded(self) -> Vec<Self> {
        if self.for_each.is_empty() {
            return vec![self];
        }
        let one = |word: &String| Self {
            name: self.name.replace(EACH, word),
            every: self.every,
            for_each: Vec::new(),
            needs: self.needs.iter().map(|(table, columns)| (table.replace(EACH, word), columns.clone())).collect(),
            since: self.since.clone().map(|since| Since { table: since.table.replace(EACH, word), ..since }),
            sql: self.sql.replace(EACH, word),
        };
        self.for_each.iter().map(one).collect()
    }
}

const OPENCART: &str = include_str!("sets/opencart.toml");
const WOOCOMMERCE: &str = include_str!("sets/woocommerce.toml");
const WOOCOMMERCE_POSTS: &str = include_str!("sets/woocommerce_posts.toml");
const MAGENTO2: &str = include_str!("sets/magento2.toml");
const MARKETPLACES: &str = include_str!("sets/marketplaces.toml");

/// The sets of a system: its own first.
pub(super) fn of(system: System) -> Vec<Set> {
    let texts: &[&str] = match system {
        System::Magento2 => &[MAGENTO2],
        System::OpenCart3 | System::OpenCart4 => &[OPENCART, MARKETPLACES],
        System::WooCommerce => &[WOOCOMMERCE],
        System::WooCommercePosts => &[WOOCOMMERCE_POSTS],
    };
    texts.iter().map(|text| parse(text).expect("a test reads each of them")).collect()
}

fn parse(text: &str) -> Result<Set, toml::de::Error> {
    let mut set: Set = toml::from_str(text)?;
    set.queries = set.queries.into_iter().flat_map(Query::expanded).collect();
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::mysql::shop::statement;

    /// Words of columns that hold people, what they wrote, or secrets.
    const PERSONAL: [&str; 18] = [
        "name", "mail", "phone", "address", "city", "postcode", "ip", "agent", "comment", "note", "customer", "user",
        "value", "data", "body", "payload", "message", "setting",
    ];

    /// Columns with such a word in them that hold none.
    const INNOCENT: [(&str, &str); 4] =
        [("order", "currency_value"), ("queue", "name"), ("sales_order", "send_email"), ("sales_order", "email_sent")];

    fn all() -> impl Iterator<Item = Set> {
        System::ALL.into_iter().flat_map(of)
    }

    #[test]
    fn no_column_that_holds_people_or_secrets_is_read() {
        for set in all() {
            for query in &set.queries {
                for (table, column) in
                    query.needs.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (table, column)))
                {
                    let words: Vec<_> = column.split('_').collect();
                    let is_personal = PERSONAL.iter().any(|word| words.contains(word));
                    let is_innocent = INNOCENT.contains(&(table, column));
                    assert!(!is_personal || is_innocent, "{}: {table}.{column}", query.name);
                }
                assert!(!query.sql.contains('*') || query.sql.contains("total * currency_value"), "{}", query.name);
            }
        }
    }

    #[test]
    fn every_question_is_one_statement_of_tables_that_it_names() {
        for set in all() {
            for query in &set.queries {
                let tables: BTreeMap<_, _> =
                    query.needs.keys().map(|table| (table.as_str(), format!("`shop`.`x_{table}`"))).collect();
                let text = statement::filled(&query.sql, &tables, Some("id >= 7")).unwrap();
                assert!(!text.contains(['{', '}', ';', '|']), "{}: {text}", query.name);
                assert!(text.trim_start().starts_with("SELECT ") && text.contains("`shop`.`x_"), "{text}");
                assert_eq!(query.sql.contains("{since}"), query.since.is_some(), "{}", query.name);
                if let Some(Since { table, key, time, .. }) = &query.since {
                    let needed = |column| query.needs[table].contains(column);
                    assert!(needed(time) && key.as_ref().is_none_or(needed), "{}", query.name);
                }
            }
        }
    }

    #[test]
    fn what_may_read_a_whole_table_is_asked_every_five_minutes() {
        let set = parse(MARKETPLACES).unwrap();
        for query in &set.queries {
            assert_eq!(query.every(&set), Duration::from_mins(5), "{}", query.name);
        }
        let set = parse(OPENCART).unwrap();
        let every: Vec<_> = set.queries.iter().map(|query| query.every(&set).as_secs()).collect();
        assert_eq!(every, [60, 300, 60]);
    }

    #[test]
    fn orders_and_imports_of_marketplaces_are_read_by_their_key() {
        for query in parse(MARKETPLACES).unwrap().queries {
            let of_orders = ["orders_", "imports_", "unlinked_", "webhooks_"];
            let is_bound = of_orders.iter().any(|beginning| query.name.starts_with(beginning));
            assert_eq!(query.since.is_some(), is_bound, "{}", query.name);
        }
    }

    #[test]
    fn what_a_shop_is_found_by_is_granted_with_the_rest() {
        for system in System::ALL {
            let sets = of(system);
            let marker = sets[0].marker.as_ref().unwrap();
            let granted: Vec<_> =
                sets[0].queries.iter().filter_map(|query| query.needs.get(&marker.table)).flatten().collect();
            assert!(marker.columns.iter().all(|column| granted.contains(&column)), "{}", system.as_str());
        }
    }

    #[test]
    fn a_query_for_each_marketplace_is_one_query_each() {
        let names: Vec<_> = parse(MARKETPLACES).unwrap().queries.into_iter().map(|query| query.name).collect();
        assert!(names.iter().any(|name| name == "imports_trendyol"), "{names:?}");
        assert!(names.iter().all(|name| name.len() < 40 && !name.contains('{')), "{names:?}");
    }
}
