//! A question as it is sent: with the tables of this shop, and the windows written out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::metrics::{WEEKS, WINDOWS, named};

/// What stands between the name of a metric and its labels in a column's name.
pub(super) const SEPARATOR: char = ':';

/// The statement with each `{...}` filled in; `None` when there is one that nobody knows.
pub(super) fn filled(sql: &str, tables: &BTreeMap<&str, String>, since: Option<&str>) -> Option<String> {
    let mut text = String::with_capacity(sql.len() * 2);
    let mut rest = sql.trim();
    while let Some((before, inside)) = rest.split_once('{') {
        let (inside, after) = inside.split_once('}')?;
        text.push_str(before);
        if inside == "since" {
            text.push_str(since?);
        } else if let Some(recent) = inside.strip_prefix("recent ") {
            let mut parts = recent.splitn(3, " | ");
            windows(parts.next()?, parts.next()?, parts.next()?, &mut text)?;
        } else {
            text.push_str(tables.get(inside)?);
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

/// A sum for each window, of now and, where the metric has such a label, of the weeks before: all of them at one look at
/// the rows. The server compares its columns with its own clock.
fn windows(metric: &str, time: &str, value: &str, text: &mut String) -> Option<()> {
    let weeks = if named(metric)?.labels.iter().any(|label| label == "weeks_ago") { WEEKS } else { 0 };
    let mut between = "";
    for (window, hours) in WINDOWS {
        for week in 0..=weeks {
            let end = format!("NOW() - INTERVAL {} DAY", week * 7);
            let label = if weeks > 0 { format!("{SEPARATOR}{week}") } else { String::new() };
            write!(
                text,
                "{between}COALESCE(SUM(IF({time} > {end} - INTERVAL {hours} HOUR AND {time} <= {end}, {value}, 0)), 0) \
                 AS `{metric}{SEPARATOR}{window}{label}`"
            )
            .ok()?;
            between = ", ";
        }
    }
    Some(())
}

/// A table's name in a statement.
pub(super) fn quoted(schema: &str, table: &str) -> String {
    format!("`{}`.`{}`", schema.replace('`', "``"), table.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_windows_and_the_first_key_are_filled_in() {
        let tables = BTreeMap::from([("order", quoted("shop", "oc_order"))]);
        let text = filled(
            "SELECT {recent shop_orders_status_recent | t | 1} FROM {order} WHERE {since}",
            &tables,
            Some("id >= 9"),
        );
        assert_eq!(
            text.unwrap(),
            "SELECT COALESCE(SUM(IF(t > NOW() - INTERVAL 0 DAY - INTERVAL 2 HOUR AND t <= NOW() - INTERVAL 0 DAY, 1, 0)), \
             0) AS `shop_orders_status_recent:2h`, COALESCE(SUM(IF(t > NOW() - INTERVAL 0 DAY - INTERVAL 24 HOUR AND t \
             <= NOW() - INTERVAL 0 DAY, 1, 0)), 0) AS `shop_orders_status_recent:1d` FROM `shop`.`oc_order` WHERE id >= 9"
        );
        let weeks = filled("{recent shop_orders_recent | t | 1}", &tables, None).unwrap();
        assert_eq!(weeks.matches(" AS `").count(), 10);
        assert!(weeks.ends_with("<= NOW() - INTERVAL 28 DAY, 1, 0)), 0) AS `shop_orders_recent:1d:4`"), "{weeks}");
    }

    #[test]
    fn what_nobody_knows_is_no_statement() {
        for sql in ["{nothing}", "{since}", "{recent shop_nothing | t | 1}", "{recent shop_orders_recent}", "a { b"] {
            assert_eq!(filled(sql, &BTreeMap::new(), None), None, "{sql}");
        }
    }
}
