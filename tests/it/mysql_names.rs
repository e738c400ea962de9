//! The names tables of MySQL and MariaDB: well formed, without what has families of its own, and complete for
//! the servers we have seen.

use std::collections::{BTreeSet, HashSet};

use vitrin::metric::{Desc, Kind, Table, Unit};

const STATUS_TEXT: &str = include_str!("../../src/collectors/mysql/status.tsv");
const VARIABLES_TEXT: &str = include_str!("../../src/collectors/mysql/variables.tsv");

static STATUS: Table = Table::new("SHOW GLOBAL STATUS", "mysql_global_status_", STATUS_TEXT);
static VARIABLES: Table = Table::new("SHOW GLOBAL VARIABLES", "mysql_global_variables_", VARIABLES_TEXT);

/// The fields that mysqld_exporter 0.14 or 0.19 shows as a family of their own for a server, with and without
/// Performance Schema, Galera and the plugins it comes with.
macro_rules! fields {
    ($what:literal) => {
        [
            include_str!(concat!("../fixtures/mysql/mariadb-10.11-", $what, "-fields.txt")),
            include_str!(concat!("../fixtures/mysql/mariadb-11.8-", $what, "-fields.txt")),
            include_str!(concat!("../fixtures/mysql/mysql-9.7-", $what, "-fields.txt")),
        ]
    };
}

/// The fields of a table with their families, in the order of its lines.
fn rows(table: &'static Table, text: &'static str) -> Vec<(&'static str, &'static Desc)> {
    let families = table.families();
    let rows: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (field, name) = line.split_once('\t').unwrap();
            let name = name.split('\t').next().unwrap();
            let found = families.binary_search_by(|desc| desc.name.as_ref().cmp(name));
            (field, families[found.unwrap_or_else(|_| panic!("no family {name}"))])
        })
        .collect();
    assert_eq!(rows.len(), families.len());
    rows
}

fn all_rows() -> Vec<(&'static str, &'static Desc)> {
    [rows(&STATUS, STATUS_TEXT), rows(&VARIABLES, VARIABLES_TEXT)].concat()
}

#[test]
fn rows_are_in_the_order_of_their_fields() {
    for rows in [rows(&STATUS, STATUS_TEXT), rows(&VARIABLES, VARIABLES_TEXT)] {
        for pair in rows.windows(2) {
            assert!(pair[0].0 < pair[1].0, "`{}` before `{}`", pair[0].0, pair[1].0);
        }
    }
}

#[test]
fn a_name_is_the_one_an_unknown_field_would_get_and_occurs_once() {
    for (table, text) in [(&STATUS, STATUS_TEXT), (&VARIABLES, VARIABLES_TEXT)] {
        let mut names = HashSet::new();
        for (field, desc) in rows(table, text) {
            // A suffix that no server uses makes the field unknown to the table.
            let unknown = table.get_or_unknown(&format!("{field}#"));
            assert_eq!(unknown.name.strip_suffix('_'), Some(desc.name.as_ref()), "{field}");
            assert_eq!(field, field.to_ascii_lowercase());
            assert!(names.insert(&desc.name), "{} twice", desc.name);
        }
    }
}

#[test]
fn help_is_a_sentence_of_its_own() {
    let mut helps = HashSet::new();
    for (field, desc) in all_rows() {
        let help = desc.help.as_ref();
        assert!(help.ends_with('.') && !help.ends_with(".."), "{field}: {help}");
        assert!(help.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()), "{field}: {help}");
        assert!(help.is_ascii() && !help.contains(['\\', '"', '|']), "{field}: {help}");
        assert!((4..=18).contains(&help.split(' ').count()), "{field}: {help}");
        assert!(!help.contains("  ") && help.len() <= 110, "{field}: {help}");
        assert_ne!(help.trim_end_matches('.').to_lowercase().replace(' ', "_"), field);
        assert!(helps.insert(help), "{field} shares its help: {help}");
    }
}

#[test]
fn a_unit_is_the_one_the_help_speaks_of() {
    const OTHER_UNITS: [&str; 9] =
        ["illisecond", "icrosecond", "anosecond", "Minutes", "Days", "MiB", "KiB", "ercent", "Pages"];
    for (field, desc) in all_rows() {
        let other = OTHER_UNITS.into_iter().find(|unit| desc.help.contains(unit));
        assert!(desc.unit == Unit::None || other.is_none(), "{field} is in {:?}: {}", desc.unit, desc.help);
        assert!(matches!(desc.unit, Unit::None | Unit::Bytes | Unit::Seconds | Unit::Ratio), "{field}");
    }
}

#[test]
fn a_status_field_is_a_counter_or_a_gauge_and_a_variable_is_a_gauge() {
    for (field, desc) in rows(&STATUS, STATUS_TEXT) {
        assert!(matches!(desc.kind, Kind::Counter | Kind::Gauge), "{field}");
    }
    for (field, desc) in rows(&VARIABLES, VARIABLES_TEXT) {
        assert_eq!(desc.kind, Kind::Gauge, "{field}");
    }
}

#[test]
fn fields_that_become_labels_have_no_row() {
    const GROUPS: [&str; 6] =
        ["com_", "handler_", "connection_errors_", "innodb_buffer_pool_pages_", "innodb_rows_", "performance_schema_"];
    for (field, _) in rows(&STATUS, STATUS_TEXT) {
        assert!(!GROUPS.iter().any(|group| field.starts_with(group)), "{field}");
    }
}

#[test]
fn every_field_that_mysqld_exporter_shows_has_a_row() {
    for (table, lists) in [(&STATUS, fields!("status")), (&VARIABLES, fields!("variables"))] {
        for list in lists {
            assert!(list.lines().count() > 250, "the recorded list is cut short");
            let missing: BTreeSet<_> = list.lines().filter(|field| table.get(field).is_none()).collect();
            assert!(missing.is_empty(), "no row for {missing:?}");
        }
    }
}
