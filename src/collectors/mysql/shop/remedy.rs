//! The rights that show a shop's tables: those columns that are read, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::LOOK_LIMIT;
use super::config::Shop;
use super::layout::{Columns, Place, possible};
use super::set;
use super::statement::quoted;
use crate::collector::Reason;
use crate::collectors::mysql::account::account;
use crate::collectors::mysql::administrator::{administrators, root};
use crate::collectors::mysql::config::Config;
use crate::collectors::mysql::connection::Connection;
use crate::collectors::mysql::remedy::{host, sql};
use crate::remedy::{Complaints, Remedy, Service};

/// Tables, as a statement names them, and columns of theirs.
type Rights = BTreeMap<String, BTreeSet<String>>;

/// What is missing of the shop's tables.
pub(super) async fn remedies(config: &Config, shop: &Shop, run: Complaints<'_>, service: &Service) -> Option<Remedy> {
    let denied = run.iter().any(|failure| failure.reason == Reason::Permission);
    let Ok(mut connection) = Connection::open(config, LOOK_LIMIT).await else { return None };
    let host = host(&mut connection).await;
    let name = account(&config.user, host.as_deref().unwrap_or("localhost"))?;
    let server = connection.server();
    let seen = rights(&mut connection, shop).await.unwrap_or_default();
    let (user, address) = (&config.user, &config.address);
    let why = format!(
        "{user} may not read what tells the shop's orders, cron and queues in {} at {address}; no column that holds \
         people or a secret is among them.",
        server.shown()
    );
    let place = administrators(config, service).filter(|_| service.superuser);
    if let Some(place) = place
        && let Ok(mut administrator) = Connection::open(&root(&place), LOOK_LIMIT).await
    {
        let all = rights(&mut administrator, shop).await?;
        let missing = grants(&name, &without(all, &seen));
        if missing.is_empty() {
            return None;
        }
        let remedy = Remedy::mend(why, sql(server, &place, &missing, true));
        return Some(if denied { remedy } else { remedy.as_more() });
    }
    // Which tables there are, only who may see them can say.
    denied.then(|| {
        let question = question(&name, shop);
        Remedy::by_hand(why, format!("On {address}, as its administrator: run what this prints.\n{question}"))
    })
}

/// The columns of this shop that would be read, of those that this connection may read; `None` when it sees no shop.
async fn rights(connection: &mut Connection, shop: &Shop) -> Option<Rights> {
    let sets = set::of(shop.system);
    let columns = Columns::read(connection, shop, &sets).await.ok()?;
    let place = Place::of(shop, &sets, &columns).ok()?;
    let mut rights = Rights::new();
    for (_, query, tables) in possible(&place, &sets, &columns) {
        for (table, name) in tables {
            let counter = place.counter(&name, &columns).filter(|_| query.goes_by_counter(table));
            let needed = query.needs.get(table).into_iter().flatten().cloned();
            rights.entry(quoted(&place.schema, &name)).or_default().extend(needed.chain(counter.map(str::to_owned)));
        }
    }
    Some(rights)
}

/// These rights without those.
fn without(rights: Rights, seen: &Rights) -> Rights {
    let missing = rights.into_iter().map(|(table, columns)| {
        let seen = seen.get(&table);
        let missing = columns.into_iter().filter(|column| seen.is_none_or(|seen| !seen.contains(column)));
        (table, missing.collect::<BTreeSet<_>>())
    });
    missing.filter(|(_, columns)| !columns.is_empty()).collect()
}

/// The statements that give them.
fn grants(account: &str, rights: &Rights) -> String {
    let mut text = String::new();
    for (table, columns) in rights {
        let columns: Vec<_> = columns.iter().map(|column| format!("`{column}`")).collect();
        writeln!(text, "GRANT SELECT ({}) ON {table} TO {account};", columns.join(", ")).unwrap_or_default();
    }
    text
}

/// A statement that prints those that this shop's tables need, for an administrator whom we cannot ask. As we do, it looks
/// for tables with all the columns of a question, beside the one that such a shop is found by: another program's `queue`
/// may hold anything.
fn question(account: &str, shop: &Shop) -> String {
    let sets = set::of(shop.system);
    let marker = sets.iter().find_map(|set| set.marker.as_ref()).expect("each system has a table to be found by");
    let quoted = |columns: &[String]| columns.iter().map(|column| format!("'{column}'")).collect::<Vec<_>>().join(", ");
    let mut needed = BTreeSet::new();
    for (set, query) in sets.iter().flat_map(|set| set.queries.iter().map(move |query| (set, query))) {
        for (table, columns) in &query.needs {
            let (bare, count, counter) = (u8::from(set.bare), columns.len(), u8::from(query.goes_by_counter(table)));
            let columns = columns.join(",");
            needed.insert(format!(
                "'{table}' AS tab, '{columns}' AS cols, {count} AS n, {bare} AS bare, {counter} AS counter"
            ));
        }
    }
    let needed: Vec<_> = needed.into_iter().collect();
    let schema = shop.schema.as_ref().map_or_else(
        || "table_schema NOT IN ('mysql', 'performance_schema', 'information_schema', 'sys')".to_owned(),
        |schema| format!("table_schema = '{}'", schema.as_str()),
    );
    let found_by = shop.prefix.as_ref().map_or_else(
        || format!("table_name LIKE '%{}'", marker.table.replace('_', "\\_")),
        |prefix| format!("table_name = '{}{}'", prefix.as_str(), marker.table),
    );
    format!(
        "SELECT CONCAT('GRANT SELECT (`', GROUP_CONCAT(DISTINCT c.column_name ORDER BY c.column_name SEPARATOR '`, `'), \
         '`) ON `', c.table_schema, '`.`', c.table_name, '` TO {account};') AS rights\n\
         FROM information_schema.columns AS c JOIN (\n    \
         SELECT t.table_schema AS place, t.table_name AS tab, needed.cols, needed.counter\n    \
         FROM information_schema.columns AS t JOIN (\n        \
         SELECT table_schema AS place, LEFT(table_name, CHAR_LENGTH(table_name) - {length}) AS prefix\n        \
         FROM information_schema.columns WHERE {schema} AND {found_by}\n        \
         AND column_name IN ({columns})\n        \
         GROUP BY table_schema, table_name HAVING COUNT(*) = {count}\n    \
         ) AS shop ON t.table_schema = shop.place JOIN (\n        \
         SELECT {needed}\n    \
         ) AS needed ON t.table_name = CONCAT(shop.prefix, needed.tab) OR needed.bare AND t.table_name = needed.tab\n    \
         WHERE FIND_IN_SET(t.column_name, needed.cols)\n    \
         GROUP BY t.table_schema, t.table_name, needed.cols, needed.counter, needed.n\n    \
         HAVING COUNT(DISTINCT t.column_name) = needed.n\n\
         ) AS found ON c.table_schema = found.place AND c.table_name = found.tab\n\
         WHERE FIND_IN_SET(c.column_name, found.cols) OR found.counter AND c.extra LIKE '%auto_increment%'\n\
         GROUP BY c.table_schema, c.table_name ORDER BY c.table_schema, c.table_name;\n",
        account = account.replace('\'', "''"),
        length = marker.table.len(),
        columns = quoted(&marker.columns),
        count = marker.columns.len(),
        needed = needed.join("\n        UNION ALL SELECT "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(tables: &[(&str, &[&str])]) -> Rights {
        tables
            .iter()
            .map(|(table, columns)| ((*table).to_owned(), columns.iter().map(|c| (*c).to_owned()).collect()))
            .collect()
    }

    #[test]
    fn only_what_is_missing_is_granted() {
        let all = some(&[("`shop`.`oc_order`", &["order_id", "total"]), ("`shop`.`oc_cron`", &["code"])]);
        let seen = some(&[("`shop`.`oc_order`", &["order_id"])]);
        assert_eq!(
            grants("vitrin@localhost", &without(all.clone(), &seen)),
            "GRANT SELECT (`code`) ON `shop`.`oc_cron` TO vitrin@localhost;\n\
             GRANT SELECT (`total`) ON `shop`.`oc_order` TO vitrin@localhost;\n"
        );
        assert!(without(all.clone(), &all).is_empty());
    }
}
