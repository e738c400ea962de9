//! MySQL or MariaDB, by counts and settings alone: views of root's, in a schema of their own, count what nobody may read.

use serde::{Deserialize, Serialize};

use super::unknown;
use super::views::SCHEMA;
use crate::collector::{Context, Reason};
use crate::collectors::mysql;
use crate::collectors::mysql::inquiry::{Answers, Inquiry, Row, inquire};
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::config::types::Address;

/// What is asked, in the order in which the answers are read. `secure_file_priv` apart, because a list of variables does not
/// tell NULL from empty.
const INQUIRIES: [Inquiry; 5] = [
    Inquiry {
        what: "its settings",
        statement: "SHOW GLOBAL VARIABLES WHERE Variable_name IN \
                    ('local_infile', 'require_secure_transport', 'have_ssl', 'ssl_cert')",
        view: None,
    },
    Inquiry { what: "its settings", statement: "SELECT @@GLOBAL.secure_file_priv AS folder", view: None },
    Inquiry {
        what: "the counts of its accounts",
        statement: "SELECT * FROM vitrin_security.accounts",
        view: Some("accounts"),
    },
    Inquiry {
        what: "the counts of the shop's account",
        statement: "SELECT * FROM vitrin_security.shop_account",
        view: Some("shop_account"),
    },
    Inquiry { what: "the counts of the shop", statement: "SELECT * FROM vitrin_security.shop", view: Some("shop") },
];

/// MySQL or MariaDB: numbers and settings alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Database {
    /// Where we reach it.
    pub(crate) address: Address,
    /// Whom we log in as.
    pub(crate) user: String,
    /// Whether it is MariaDB.
    pub(crate) is_mariadb: bool,
    /// Its settings.
    pub(crate) settings: Known<Settings>,
    /// Its accounts.
    pub(crate) accounts: Known<Accounts>,
    /// The account that the shop has.
    pub(crate) shop_account: Known<ShopAccount>,
    /// What the shop's own tables say of its security.
    pub(crate) shop: Known<ShopCounts>,
}

/// Settings of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// `local_infile`: whether a server may ask its clients for files of theirs.
    pub(crate) local_infile: bool,
    /// `secure_file_priv`: where the server may read and write files for those with FILE.
    pub(crate) files: Files,
    /// `require_secure_transport`; off where it is not known.
    pub(crate) requires_tls: bool,
    /// Whether it can speak TLS.
    pub(crate) offers_tls: bool,
}

/// Where a server may read and write files for those with the right FILE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Files {
    /// Nowhere.
    Nowhere,
    /// In one folder.
    Folder,
    /// Wherever its user may.
    Anywhere,
}

/// Counts of the server's accounts; locked ones and roles are not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accounts {
    /// Those without a name.
    pub(crate) anonymous: u64,
    /// Those that are let in without a password, a certificate or a word of the operating system.
    pub(crate) without_password: u64,
    /// `root` of other hosts than this one.
    pub(crate) remote_root: u64,
    /// Rights on `test` and schemas beginning so for everybody, and a schema `test`: in MySQL, where a view does not see
    /// schemas as its maker does, one that has a table.
    pub(crate) test: u64,
}

/// Counts of the shop's account of the database: the rows of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShopAccount {
    /// Its name, as whoever made the views has given it.
    pub(crate) name: String,
    /// The shop's schema, likewise.
    pub(crate) schema: String,
    /// For how many hosts there is one.
    pub(crate) hosts: u64,
    /// How many of them are any host.
    pub(crate) any_host: u64,
    /// How many have a right on the whole server.
    pub(crate) global: u64,
    /// How many may hand their rights on.
    pub(crate) grant: u64,
    /// How many rights there are on the server's own schemas, or on schemas by a pattern.
    pub(crate) server_schemas: u64,
    /// How many rights there are on other schemas.
    pub(crate) other_schemas: u64,
    /// How many roles it has.
    pub(crate) roles: u64,
}

/// What the shop's own tables say of its security.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShopCounts {
    /// Whose tables they are: `opencart`, `wordpress`, `magento`.
    pub(crate) engine: String,
    /// Active accounts of its administration.
    pub(crate) administrators: u64,
    /// Those whose password is hashed by bcrypt or Argon2.
    pub(crate) strong: u64,
    /// Enabled accounts of its API, and those of them that no address is listed for; OpenCart alone.
    pub(crate) api: Option<Api>,
    /// Whether administrators need a second factor; `None` where the shop knows no such setting.
    pub(crate) second_factor: Option<bool>,
    /// Whether the shop shows errors of its own; `None` where it does not say.
    pub(crate) error_display: Option<bool>,
    /// After how many failures a customer has to wait; `None` where it does not say.
    pub(crate) login_attempts: Option<u64>,
}

/// Accounts of an API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Api {
    /// Those that are enabled.
    pub(crate) enabled: u64,
    /// Those of them that no address is listed for.
    pub(crate) without_addresses: u64,
}

/// Asks these servers in turn: the first whose views are there is the shop's; without one, the first that answers.
pub(crate) async fn ask_databases(servers: &[&mysql::Config], context: &Context) -> Known<Database> {
    let mut first = Err(Unknown::new(Cause::NotConfigured, "no database is configured ([mysql.targets.<name>])"));
    for (index, server) in servers.iter().enumerate() {
        let found = ask_database(server, context).await;
        if found.as_ref().is_ok_and(|database| database.accounts.is_ok()) {
            return found;
        }
        if index == 0 || first.is_err() && found.is_ok() {
            first = found;
        }
    }
    first
}

/// Asks one server.
pub(crate) async fn ask_database(config: &mysql::Config, context: &Context) -> Known<Database> {
    let answers = inquire(config, context, &INQUIRIES).await.map_err(|failure| unknown(&failure))?;
    Ok(Database::of(config.address.clone(), config.user.clone(), answers))
}

impl Database {
    fn of(address: Address, user: String, answers: Answers) -> Self {
        let Answers { is_mariadb, rows } = answers;
        let broken = || Unknown::new(Cause::Unreachable, "the connection was lost before the answer");
        let mut rows = rows.into_iter().map(|rows| {
            rows.map_err(|failure| match failure.reason {
                // 1356 comes as a protocol's error: a view whose tables are gone, or whose maker may no longer read them.
                Reason::Protocol if failure.to_string().contains(SCHEMA) => {
                    Unknown::new(Cause::Permission, failure.to_string())
                }
                _ => unknown(&failure),
            })
        });
        let mut next = || rows.next().unwrap_or_else(|| Err(broken()));
        let (variables, folder) = (next(), next());
        Self {
            address,
            user,
            is_mariadb,
            settings: variables.and_then(|rows| Settings::of(&rows, first(folder)?.get("folder"), is_mariadb)),
            accounts: first(next()).and_then(|row| Accounts::of(&row)),
            shop_account: first(next()).and_then(|row| ShopAccount::of(&row)),
            shop: first(next()).and_then(|row| ShopCounts::of(&row)),
        }
    }
}

fn first(rows: Known<Vec<Row>>) -> Known<Row> {
    rows?.into_iter().next().ok_or_else(|| Unknown::new(Cause::Unparsable, "the database answered with no row"))
}

impl Settings {
    /// `folder` is `secure_file_priv`, `None` for NULL: in MySQL that is nowhere, in MariaDB, whose default it is, anywhere.
    fn of(rows: &[Row], folder: Option<&String>, is_mariadb: bool) -> Known<Self> {
        let setting = |name: &str| {
            let row = rows.iter().find(|row| row.get("variable_name").is_some_and(|found| found == name))?;
            row.get("value").map(String::as_str)
        };
        let is_on = |name: &str| setting(name).is_some_and(|value| value.eq_ignore_ascii_case("on") || value == "1");
        let Some(_) = setting("local_infile") else {
            return Err(Unknown::new(Cause::Unparsable, "the database does not know `local_infile`"));
        };
        Ok(Self {
            local_infile: is_on("local_infile"),
            files: match folder.map(String::as_str) {
                None if !is_mariadb => Files::Nowhere,
                None | Some("") => Files::Anywhere,
                Some(_) => Files::Folder,
            },
            requires_tls: is_on("require_secure_transport"),
            // `have_ssl` is gone from MySQL 8.4 on, which makes itself a certificate.
            offers_tls: match setting("have_ssl") {
                Some(have) => have.eq_ignore_ascii_case("yes"),
                None => setting("ssl_cert").is_some_and(|file| !file.is_empty()),
            },
        })
    }
}

fn count(row: &Row, column: &str) -> Known<u64> {
    optional(row, column)?.ok_or_else(|| {
        Unknown::new(Cause::Unparsable, format!("a view of {SCHEMA} has no count `{column}`; make it anew"))
    })
}

fn optional(row: &Row, column: &str) -> Known<Option<u64>> {
    let wrong =
        |_| Unknown::new(Cause::Unparsable, format!("`{column}` of a view of {SCHEMA} is no count; make it anew"));
    row.get(column).map(|text| text.parse().map_err(wrong)).transpose()
}

/// A name that whoever made the views has given: letters that need no quotes.
fn name(row: &Row, column: &str) -> Known<String> {
    let name = row.get(column).filter(|name| super::views::is_plain(name)).cloned();
    name.ok_or_else(|| {
        Unknown::new(Cause::Unparsable, format!("a view of {SCHEMA} has no name in `{column}`; make it anew"))
    })
}

impl Accounts {
    fn of(row: &Row) -> Known<Self> {
        Ok(Self {
            anonymous: count(row, "anonymous")?,
            without_password: count(row, "without_password")?,
            remote_root: count(row, "remote_root")?,
            test: count(row, "test")?,
        })
    }
}

impl ShopAccount {
    fn of(row: &Row) -> Known<Self> {
        Ok(Self {
            name: name(row, "account")?,
            schema: name(row, "shop_schema")?,
            hosts: count(row, "hosts")?,
            any_host: count(row, "any_host")?,
            global: count(row, "global_rights")?,
            grant: count(row, "grant_options")?,
            server_schemas: count(row, "server_schemas")?,
            other_schemas: count(row, "other_schemas")?,
            roles: count(row, "roles")?,
        })
    }
}

impl ShopCounts {
    fn of(row: &Row) -> Known<Self> {
        let switch = |column| Ok::<_, Unknown>(optional(row, column)?.map(|on| on != 0));
        let api = match optional(row, "api_enabled")? {
            Some(enabled) => Some(Api { enabled, without_addresses: count(row, "api_without_addresses")? }),
            None => None,
        };
        Ok(Self {
            engine: name(row, "engine")?,
            administrators: count(row, "administrators")?,
            strong: count(row, "strong")?,
            api,
            second_factor: switch("second_factor")?,
            error_display: switch("error_display")?,
            login_attempts: optional(row, "login_attempts")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::Failure;

    fn row(cells: &[(&str, &str)]) -> Row {
        cells.iter().map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect()
    }

    fn variables(infile: &str) -> Vec<Row> {
        vec![row(&[("variable_name", "local_infile"), ("value", infile)])]
    }

    #[test]
    fn null_is_nowhere_in_mysql_and_anywhere_in_mariadb() {
        for (folder, is_mariadb, files) in [
            (None, false, Files::Nowhere),
            (None, true, Files::Anywhere),
            (Some(""), false, Files::Anywhere),
            (Some("/var/lib/mysql-files/"), true, Files::Folder),
        ] {
            let folder = folder.map(str::to_owned);
            assert_eq!(Settings::of(&variables("OFF"), folder.as_ref(), is_mariadb).unwrap().files, files);
        }
        assert!(Settings::of(&variables("ON"), None, true).unwrap().local_infile);
        assert!(Settings::of(&[], None, true).is_err());
    }

    #[test]
    fn a_view_that_is_not_there_is_for_root_to_make() {
        let refused = |reason, text: &'static str| Err(Failure::message(reason, text));
        let database = Database::of(
            "/run/a.sock".parse().unwrap(),
            "vitrin".to_owned(),
            Answers {
                is_mariadb: true,
                rows: vec![
                    Ok(variables("OFF")),
                    Ok(vec![Row::new()]),
                    refused(
                        Reason::Permission,
                        "there is no view vitrin_security.accounts, or not for this account to read",
                    ),
                    refused(Reason::Protocol, "View 'vitrin_security.shop_account' references invalid table(s) (1356)"),
                ],
            },
        );
        assert_eq!(database.accounts.unwrap_err().cause, Cause::Permission);
        assert_eq!(database.shop_account.unwrap_err().cause, Cause::Permission);
        assert_eq!(database.shop.unwrap_err().cause, Cause::Unreachable);
        assert!(database.settings.is_ok());
    }

    #[test]
    fn what_a_view_says_that_is_no_count_is_not_repeated() {
        let bad = row(&[("anonymous", "canary"), ("without_password", "0")]);
        let unknown = Accounts::of(&bad).unwrap_err();
        assert_eq!(unknown.cause, Cause::Unparsable);
        assert!(!unknown.why.contains("canary"));
        let shop = row(&[("engine", "opencart"), ("administrators", "2"), ("strong", "1"), ("error_display", "1")]);
        let shop = ShopCounts::of(&shop).unwrap();
        assert_eq!((shop.error_display, shop.second_factor, shop.api), (Some(true), None, None));
        assert!(ShopCounts::of(&row(&[("engine", "'; DROP")])).is_err());
    }
}
