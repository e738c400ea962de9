//! The views through which a database counts what nobody but root may read: accounts, hashes, settings of the shop.
//!
//! They lie in a schema of their own and run with the rights of whoever makes them (`SQL SECURITY DEFINER`); an account that
//! may read the schema learns counts, and nothing else. None of them has a password, a hash or a name of a person in it.

use std::fmt::Write as _;

/// The schema that the views are in.
pub(super) const SCHEMA: &str = "vitrin_security";

/// Whose server it is: where accounts are kept differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Server {
    /// MariaDB 10.4 and later.
    Mariadb,
    /// MySQL 8.0 and later.
    Mysql,
    /// MySQL 5.7.
    #[value(name = "mysql57")]
    Mysql57,
}

/// Whose tables the shop's are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    /// OpenCart 3 and 4.
    Opencart,
    /// WordPress, with WooCommerce or without.
    Wordpress,
    /// Magento 2.
    Magento,
}

/// What the views are made for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    /// The server.
    pub(crate) server: Server,
    /// The shop.
    pub(crate) engine: Engine,
    /// The schema that the shop's tables are in.
    pub(crate) schema: &'a str,
    /// What the names of its tables begin with; empty for nothing.
    pub(crate) prefix: &'a str,
    /// The account that the shop logs in with.
    pub(crate) account: &'a str,
    /// The account that may read the views, user and host.
    pub(crate) reader: (&'a str, &'a str),
}

/// Whether a name means itself in a statement, wherever it stands: letters, digits, `_`, `-` and `.`.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// The statements that make the schema and its views, and let the reader read them.
pub(crate) fn statements(wanted: &Wanted<'_>) -> String {
    let accounts = match wanted.server {
        Server::Mariadb => include_str!("views/mariadb.sql"),
        Server::Mysql => include_str!("views/mysql.sql"),
        Server::Mysql57 => include_str!("views/mysql57.sql"),
    };
    let shop = match wanted.engine {
        Engine::Opencart => include_str!("views/opencart.sql"),
        Engine::Wordpress => include_str!("views/wordpress.sql"),
        Engine::Magento => include_str!("views/magento.sql"),
    };
    let mut text = format!(
        "-- Views of counts for Vitrin's security score: no password, no hash, no name of a person. Run it as root.\n\
         CREATE SCHEMA IF NOT EXISTS {SCHEMA};\n\n{accounts}\n{shop}\n"
    );
    for (place, name) in [("{schema}", wanted.schema), ("{prefix}", wanted.prefix), ("{account}", wanted.account)] {
        text = text.replace(place, name);
    }
    let (user, host) = wanted.reader;
    writeln!(text, "GRANT SELECT ON {SCHEMA}.* TO '{user}'@'{host}';").expect("writing into a String never fails");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_are_filled_in_and_no_view_selects_a_secret() {
        for server in [Server::Mariadb, Server::Mysql, Server::Mysql57] {
            for engine in [Engine::Opencart, Engine::Wordpress, Engine::Magento] {
                let wanted = Wanted {
                    server,
                    engine,
                    schema: "store",
                    prefix: "xy_",
                    account: "buyer",
                    reader: ("vitrin", "localhost"),
                };
                let text = statements(&wanted);
                for place in ["{schema}", "{prefix}", "{account}"] {
                    assert!(!text.contains(place), "{server:?} {engine:?}: {place} is left");
                }
                assert_eq!(text.matches("SQL SECURITY DEFINER VIEW vitrin_security.").count(), 3);
                assert!(text.contains("`store`.`xy_") && text.ends_with("TO 'vitrin'@'localhost';\n"), "{text}");
            }
        }
    }

    #[test]
    fn names_that_a_statement_could_misread_are_refused() {
        for name in ["oc_", "shop-2", "a.b"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "a'b", "a`b", "a b", "{schema}", "a\\", "ä", &"x".repeat(65)] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
