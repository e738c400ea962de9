//! Where the shop's tables are: its schema, its prefix, and which tables and columns this account may read.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{Name, Shop};
use super::set::{Query, Set};
use super::statement::quoted;
use crate::collector::{Failure, Reason};
use crate::collectors::mysql::connection::Connection;
use crate::collectors::mysql::rows::Rows;

/// The columns that may be read, of tables that may be the shop's.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// Schema and table, and the table's columns in lower case.
    tables: BTreeMap<(String, String), BTreeSet<String>>,
    /// The columns that the server itself counts up at each new row.
    counters: BTreeMap<(String, String), String>,
}

/// The schemas that may hold a shop.
const SCHEMAS: &str = "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name NOT IN \
                       ('mysql', 'performance_schema', 'information_schema', 'sys')";

/// The most schemas that are looked into where none is named.
const MOST_SCHEMAS: usize = 50;

/// The statement that lists the columns of a schema. It sees what the account may see: with rights to some, those.
fn statement(schema: &str, sets: &[Set]) -> String {
    let tables: BTreeSet<_> = sets.iter().flat_map(|set| &set.queries).flat_map(|query| query.needs.keys()).collect();
    let tables: Vec<_> =
        tables.iter().map(|table| format!("table_name LIKE '%{}'", table.replace('_', "\\_"))).collect();
    // Names hold nothing that a statement could misread. Of one schema alone: a server opens every table of those that it
    // is asked about.
    format!(
        "SELECT table_schema AS place, table_name AS tab, column_name AS col, extra LIKE '%auto_increment%' AS is_counter \
         FROM information_schema.columns WHERE table_schema = '{schema}' AND privileges LIKE '%select%' \
         AND ({})",
        tables.join(" OR ")
    )
}

impl Columns {
    /// Those of the shop's schema or, where none is named, of all.
    ///
    /// # Errors
    /// When the server does not tell, or has too many schemas to look into each.
    pub(super) async fn read(connection: &mut Connection, shop: &Shop, sets: &[Set]) -> Result<Self, Failure> {
        let schemas = if let Some(schema) = &shop.schema {
            vec![schema.as_str().to_owned()]
        } else {
            let rows = connection.ask("the schemas", SCHEMAS).await?;
            let names = rows.iter().filter_map(|row| row.text("name"));
            names.filter(|name| Name::is_legal(name)).map(str::to_owned).collect()
        };
        if schemas.len() > MOST_SCHEMAS {
            let message = format!("{} schemas are too many to look into each; say which in `schema`", schemas.len());
            return Err(Failure::message(Reason::Limit, message));
        }
        let mut columns = Self::default();
        for schema in schemas {
            columns.add(&connection.ask("the columns that may be read", &statement(&schema, sets)).await?);
        }
        Ok(columns)
    }

    fn add(&mut self, rows: &Rows) {
        for row in rows.iter() {
            let [Some(place), Some(table), Some(column)] = ["place", "tab", "col"].map(|name| row.text(name)) else {
                continue;
            };
            if Name::is_legal(place) && Name::is_legal(table) {
                let table = (place.to_owned(), table.to_owned());
                if row.number("is_counter") == Some(1.0) && Name::is_legal(column) {
                    self.counters.insert(table.clone(), column.to_ascii_lowercase());
                }
                self.tables.entry(table).or_default().insert(column.to_ascii_lowercase());
            }
        }
    }

    fn has(&self, schema: &str, table: &str, wanted: &[String]) -> bool {
        let known = self.tables.get(&(schema.to_owned(), table.to_owned()));
        known.is_some_and(|known| wanted.iter().all(|column| known.contains(&column.to_ascii_lowercase())))
    }
}

/// The shop among the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) schema: String,
    pub(super) prefix: String,
}

impl Place {
    /// The one shop there is.
    ///
    /// # Errors
    /// When there is none to be seen, or more than one.
    pub(super) fn of(shop: &Shop, sets: &[Set], columns: &Columns) -> Result<Self, Failure> {
        let marker = sets.iter().find_map(|set| set.marker.as_ref()).expect("each system has a table to be found by");
        let is_wanted = |prefix: &str| shop.prefix.as_ref().is_none_or(|wanted| wanted.as_str() == prefix);
        let candidates = columns.tables.keys().filter_map(|(schema, table)| {
            let prefix = table.strip_suffix(&marker.table)?;
            let is_it = is_wanted(prefix) && columns.has(schema, table, &marker.columns);
            is_it.then(|| Self { schema: schema.clone(), prefix: prefix.to_owned() })
        });
        let mut candidates: Vec<_> = candidates.collect();
        if candidates.len() > 1 {
            let shown: Vec<_> = candidates.iter().take(5).map(|place| place.table(&marker.table)).collect();
            let message = format!("several shops: {}; say which in `schema` and `prefix`", shown.join(", "));
            return Err(Failure::message(Reason::Protocol, message));
        }
        candidates.pop().ok_or_else(|| {
            let prefix = shop.prefix.as_ref().map_or("<prefix>", Name::as_str);
            let schema = shop.schema.as_ref().map_or("any schema", Name::as_str);
            let columns = marker.columns.join(", ");
            let message = format!(
                "no table {prefix}{} with the columns {columns} may be read in {schema}: `vitrin check` has the rights",
                marker.table
            );
            Failure::message(Reason::Permission, message)
        })
    }

    fn table(&self, name: &str) -> String {
        format!("{}.{}{name}", self.schema, self.prefix)
    }

    /// The tables that a query needs, as they are called here; `None` when one of them, or a column, is not there.
    pub(super) fn tables<'a>(
        &self,
        query: &'a Query,
        bare: bool,
        columns: &Columns,
    ) -> Option<BTreeMap<&'a str, String>> {
        let found = query.needs.iter().map(|(table, wanted)| {
            let with_prefix = format!("{}{table}", self.prefix);
            let names = [Some(with_prefix.as_str()), bare.then_some(table.as_str())];
            names
                .into_iter()
                .flatten()
                .find(|name| columns.has(&self.schema, name, wanted))
                .map(|name| (table.as_str(), name.to_owned()))
        });
        found.collect()
    }

    /// The same, quoted for a statement.
    pub(super) fn quoted<'a>(&self, tables: BTreeMap<&'a str, String>) -> BTreeMap<&'a str, String> {
        tables.into_iter().map(|(table, name)| (table, quoted(&self.schema, &name))).collect()
    }

    /// The column that grows with each new row of this table, which may be read.
    pub(super) fn counter<'a>(&self, table: &str, columns: &'a Columns) -> Option<&'a str> {
        columns.counters.get(&(self.schema.clone(), table.to_owned())).map(String::as_str)
    }
}

/// Which queries can be asked of this shop, and of which tables: of several of one name the first.
pub(super) fn possible<'a>(
    place: &Place,
    sets: &'a [Set],
    columns: &Columns,
) -> Vec<(&'a Set, &'a Query, BTreeMap<&'a str, String>)> {
    let mut names = BTreeSet::new();
    let mut possible = Vec::new();
    for set in sets {
        for query in &set.queries {
            if let Some(tables) = place.tables(query, set.bare, columns)
                && names.insert(query.name.as_str())
            {
                possible.push((set, query, tables));
            }
        }
    }
    possible
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::collectors::mysql::shop::config::System;
    use crate::collectors::mysql::shop::set;

    const ORDER: &str = "order_id store_id order_status_id total currency_code currency_value date_added";

    fn columns(tables: &[(&str, &str, &str)]) -> Columns {
        let mut text = "place\ttab\tcol".to_owned();
        for (schema, table, columns) in tables {
            for column in columns.split(' ') {
                write!(text, "\n{schema}\t{table}\t{column}").unwrap();
            }
        }
        let mut columns = Columns::default();
        columns.add(&Rows::recorded(&text));
        columns
    }

    fn shop(text: &str) -> Shop {
        toml::from_str::<BTreeMap<String, Shop>>(&format!("shop = {text}")).unwrap().remove("shop").unwrap()
    }

    #[test]
    fn a_shop_is_found_by_its_columns_whatever_its_prefix() {
        let sets = set::of(System::OpenCart4);
        let seen = columns(&[
            ("erp", "purchase_order", "id supplier total date_added"),
            ("web", "oc_order", ORDER),
            ("web", "oc_cron", "code status"),
        ]);
        let place = Place::of(&shop("'opencart4'"), &sets, &seen).unwrap();
        assert_eq!(place, Place { schema: "web".into(), prefix: "oc_".into() });
        let names: Vec<_> = possible(&place, &sets, &seen).iter().map(|(_, query, _)| query.name.as_str()).collect();
        assert_eq!(names, ["newest_order", "orders"]);
    }

    #[test]
    fn none_and_several_say_what_to_write() {
        let sets = set::of(System::OpenCart4);
        let several = columns(&[("web", "oc_order", ORDER), ("web", "old_order", ORDER)]);
        let failure = Place::of(&shop("'opencart4'"), &sets, &several).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "several shops: web.oc_order, web.old_order; say which in `schema` and `prefix`"
        );
        let one = Place::of(&shop("{ system = 'opencart4', prefix = 'old_' }"), &sets, &several).unwrap();
        assert_eq!(one.prefix, "old_");
        let failure = Place::of(&shop("{ system = 'opencart4', prefix = 'shop_' }"), &sets, &several).unwrap_err();
        assert_eq!(failure.reason, Reason::Permission);
        assert!(failure.to_string().starts_with("no table shop_order with the columns order_id, "), "{failure}");
    }

    #[test]
    fn of_two_generations_the_first_that_is_there_is_asked_and_a_prefix_may_be_missing() {
        let sets = set::of(System::OpenCart4);
        let seen = columns(&[
            ("web", "oc_order", ORDER),
            ("web", "meschain_sync_queue", "marketplace status created_at"),
            ("web", "oc_trendyol_products", "status sync_status"),
        ]);
        let place = Place::of(&shop("'opencart4'"), &sets, &seen).unwrap();
        let found = possible(&place, &sets, &seen);
        let asked: Vec<_> =
            found.iter().map(|(_, query, tables)| (query.name.as_str(), tables.values().next())).collect();
        assert_eq!(
            asked[2..],
            [
                ("listings_trendyol", Some(&"oc_trendyol_products".to_owned())),
                ("sync_queue", Some(&"meschain_sync_queue".to_owned())),
            ]
        );
        assert!(!found.last().unwrap().1.sql.contains("scheduled_at"));
    }

    #[test]
    fn a_name_that_a_statement_could_misread_is_not_seen() {
        let seen = columns(&[("we`b", "oc_order", ORDER), ("web", "oc'_order", ORDER)]);
        assert!(seen.tables.is_empty());
    }
}
