//! The database's accounts and settings: API-20, API-21, API-22.

use super::{database, part, wrong};
use crate::collectors::security::backends::database::Files;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cause, Known, Unknown, Verdict};

/// API-20: no account without a name, none that is let in without a password.
pub(super) fn passwords(seen: &Seen) -> Known<Verdict> {
    let database = database(seen)?;
    let accounts = part(&database.accounts)?;
    let (anonymous, empty) = (accounts.anonymous, accounts.without_password);
    if anonymous == 0 && empty == 0 {
        return Ok(Verdict::pass("every account of the database has a name, and is let in by more than that"));
    }
    let (table, column) = if database.is_mariadb {
        ("mysql.global_priv", "JSON_VALUE(Priv, '$.authentication_string')")
    } else {
        ("mysql.user", "authentication_string")
    };
    let mut fixes = Vec::new();
    if anonymous > 0 {
        fixes.push(
            "DROP USER ''@'localhost'; and likewise for the other hosts of SELECT Host FROM mysql.user WHERE User = ''",
        );
    }
    let list =
        format!("SELECT User, Host FROM {table} WHERE COALESCE({column}, '') = ''; then ALTER USER … IDENTIFIED BY …");
    if empty > 0 {
        fixes.push(&list);
    }
    Ok(Verdict::fail(
        format!("accounts of the database without a name: {anonymous}; let in without a password: {empty}"),
        fixes.join("\n"),
    ))
}

/// API-21: nothing of a fresh installation, no shop account of any host, no files of clients or everywhere.
///
/// `secure_file_priv` of NULL is nowhere in MySQL, and anywhere in MariaDB.
pub(super) fn tidy(seen: &Seen) -> Known<Verdict> {
    let database = database(seen)?;
    let accounts = part(&database.accounts);
    let (root, test) =
        (accounts.clone().map(|accounts| accounts.remote_root > 0), accounts.map(|accounts| accounts.test > 0));
    let account = part(&database.shop_account);
    let bad = wrong(&[
        (root, "root may log in from other hosts"),
        (test, "the schema `test` is there, or everybody has rights on schemas called so"),
        (
            account.as_ref().map(|account| account.any_host > 0).map_err(Clone::clone),
            "the shop's account may log in from any host",
        ),
    ]);
    let name = account.map_or("the shop's user", |account| account.name.as_str());
    if let Ok(bad) = &bad
        && !bad.is_empty()
    {
        let fixes: Vec<_> = bad
            .iter()
            .map(|bad| match *bad {
                "root may log in from other hosts" => {
                    "DROP USER 'root'@'%'; and likewise for its other hosts".to_owned()
                }
                "the shop's account may log in from any host" => {
                    format!("RENAME USER '{name}'@'%' TO '{name}'@'localhost';")
                }
                _ => "DROP DATABASE IF EXISTS test; DELETE FROM mysql.db WHERE User IN ('', 'PUBLIC') AND Db LIKE 'test%'; FLUSH PRIVILEGES;"
                    .to_owned(),
            })
            .collect();
        return Ok(Verdict::fail(bad.join("; "), fixes.join("\n")));
    }
    bad?;
    let settings = part(&database.settings)?;
    let (mut told, mut fixes) = (Vec::new(), Vec::new());
    if settings.local_infile {
        told.push("local_infile is on");
        fixes.push("local_infile = OFF");
    }
    if settings.files == Files::Anywhere {
        told.push("secure_file_priv limits no files");
        fixes.push(if database.is_mariadb {
            "secure_file_priv = /var/lib/mysql-files"
        } else {
            "secure_file_priv = NULL"
        });
    }
    Ok(if told.is_empty() {
        Verdict::pass("no root of other hosts, no test schema, no shop account of any host, and files are limited")
    } else {
        Verdict::partial(told.join("; "), format!("[mysqld] of the server's configuration:\n{}", fixes.join("\n")))
    })
}

/// API-22: the shop's account has rights on the shop's schema, and on nothing else.
pub(super) fn least_rights(seen: &Seen) -> Known<Verdict> {
    let account = part(&database(seen)?.shop_account)?;
    let (name, schema) = (&account.name, &account.schema);
    if account.hosts == 0 {
        let why = format!("there is no account `{name}` in the database; is it the shop's?");
        return Err(Unknown::new(Cause::NotConfigured, why));
    }
    let host = if account.any_host > 0 { "%" } else { "localhost" };
    let fix = format!(
        "REVOKE ALL PRIVILEGES, GRANT OPTION FROM '{name}'@'{host}';\n\
         GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, CREATE TEMPORARY TABLES, LOCK TABLES \
         ON `{schema}`.* TO '{name}'@'{host}';"
    );
    if account.global > 0 || account.server_schemas > 0 {
        let what =
            if account.global > 0 { "the whole server" } else { "the server's own schemas, or schemas by a pattern" };
        return Ok(Verdict::fail(format!("the shop's account `{name}` has rights on {what}"), fix));
    }
    if account.roles > 0 {
        let why = format!("the shop's account `{name}` has roles, whose rights are not looked at");
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    let mut told = Vec::new();
    if account.grant > 0 {
        told.push("may hand its rights on");
    }
    if account.other_schemas > 0 {
        told.push("has rights on other schemas, too");
    }
    Ok(if told.is_empty() {
        Verdict::pass(format!("the shop's account `{name}` has rights on `{schema}` alone"))
    } else {
        Verdict::partial(format!("the shop's account `{name}` {}", told.join(" and ")), fix)
    })
}
