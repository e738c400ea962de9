//! The account that Vitrin needs in a MySQL or MariaDB: how it is made, and its least rights.

use super::flavour::{Flavour, Server};
use super::rows::Rows;

/// The most connections the account may have: Vitrin has two at a time, and two more while it is restarted.
const CONNECTIONS: &str = "WITH MAX_USER_CONNECTIONS 4";

/// A right, where it holds, and what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Right {
    pub(super) name: &'static str,
    pub(super) on: &'static str,
    pub(super) shows: &'static str,
}

impl Server {
    /// The rights that show everything; none of them reads a row of the shop.
    pub(super) fn rights(self) -> [Right; 4] {
        let replication = match self.flavour {
            Flavour::MariaDb => "SLAVE MONITOR",
            Flavour::MySql => "REPLICATION CLIENT",
        };
        [
            Right { name: "PROCESS", on: "*.*", shows: "the process list and InnoDB's compression" },
            Right { name: replication, on: "*.*", shows: "the replication status" },
            Right { name: "SHOW VIEW", on: "*.*", shows: "the sizes of tables" },
            Right {
                name: "SELECT",
                on: "performance_schema.*",
                shows: "query time, digests and unused indexes where performance_schema is on",
            },
        ]
    }

    /// How messages call it.
    pub(super) const fn shown(self) -> &'static str {
        match self.flavour {
            Flavour::MariaDb => "MariaDB",
            Flavour::MySql => "MySQL",
        }
    }

    /// The client that root has beside it.
    pub(super) const fn client(self) -> &'static str {
        match self.flavour {
            Flavour::MariaDb => "mariadb",
            Flavour::MySql => "mysql",
        }
    }

    /// How an account is told by who is at the other end of the socket.
    pub(super) const fn by_socket(self) -> &'static str {
        match self.flavour {
            Flavour::MariaDb => "IDENTIFIED VIA unix_socket",
            Flavour::MySql => "IDENTIFIED WITH auth_socket",
        }
    }
}

/// `vitrin@localhost`, in quotes where it needs some; `None` for names that no line of a shell should hold.
pub(super) fn account(user: &str, host: &str) -> Option<String> {
    Some(format!("{}@{}", part(user)?, part(host)?))
}

fn part(name: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-%:".contains(c);
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(legal) {
        return None;
    }
    Some(if name.chars().all(bare) { name.to_owned() } else { format!("'{name}'") })
}

/// The statement that makes an account.
pub(super) fn create(account: &str, identified: &str) -> String {
    format!("CREATE USER IF NOT EXISTS {account} {identified} {CONNECTIONS};\n")
}

/// The statement that lets an account that is there in as Vitrin would.
pub(super) fn alter(account: &str, identified: &str) -> String {
    format!("ALTER USER {account} {identified};\n")
}

/// The statements that give rights, those on the same thing together.
pub(super) fn grants(account: &str, rights: &[Right]) -> String {
    let mut statements = Vec::new();
    for group in rights.chunk_by(|a, b| a.on == b.on) {
        let names: Vec<_> = group.iter().map(|right| right.name).collect();
        statements.push(format!("GRANT {} ON {} TO {account};\n", names.join(", "), group[0].on));
    }
    statements.concat()
}

/// Which of these rights the answer to SHOW GRANTS does not name.
pub(super) fn missing(rows: &Rows, rights: &[Right]) -> Vec<Right> {
    let lines: Vec<_> = rows.iter().filter_map(|row| row.at(0)).filter_map(granted).collect();
    let has = |right: &Right| {
        lines.iter().any(|(names, on)| {
            let here = on == "*.*" || on == right.on;
            here && names.iter().any(|name| *name == right.name || *name == "ALL PRIVILEGES" || *name == "ALL")
        })
    };
    rights.iter().copied().filter(|right| !has(right)).collect()
}

/// The rights of a line, and what they are on.
fn granted(line: &str) -> Option<(Vec<&str>, String)> {
    let (names, rest) = line.strip_prefix("GRANT ")?.split_once(" ON ")?;
    let (on, _) = rest.split_once(" TO ")?;
    Some((names.split(',').map(str::trim).collect(), on.replace(['`', '"', '\\'], "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(version: &str) -> Server {
        Server::parse(version, "").unwrap()
    }

    fn lacks(version: &str, grants: &[&str]) -> Vec<&'static str> {
        let rows = Rows::recorded(&format!("Grants for vitrin@localhost\n{}", grants.join("\n")));
        missing(&rows, &server(version).rights()).iter().map(|right| right.name).collect()
    }

    #[test]
    fn rights_are_known_however_a_server_writes_them() {
        let socket = "GRANT USAGE ON *.* TO `vitrin`@`localhost` IDENTIFIED VIA unix_socket";
        let all = ["PROCESS", "SLAVE MONITOR", "SHOW VIEW", "SELECT"];
        assert_eq!(lacks("10.11.19-MariaDB", &[socket]), all);
        let some = "GRANT PROCESS, SHOW VIEW, SLAVE MONITOR ON *.* TO `vitrin`@`localhost`";
        assert_eq!(lacks("10.11.19-MariaDB", &[some]), ["SELECT"]);
        let schema = "GRANT SELECT ON `performance_schema`.* TO `vitrin`@`localhost`";
        assert!(lacks("9.7.4", &["GRANT PROCESS, REPLICATION CLIENT, SHOW VIEW ON *.* TO `v`@`%`", schema]).is_empty());
        assert!(lacks("9.7.4", &["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"]).is_empty());
        assert_eq!(lacks("9.7.4", &["GRANT ALL PRIVILEGES ON `shop`.* TO `vitrin`@`localhost`"]).len(), 4);
    }

    #[test]
    fn an_account_that_a_shell_might_misread_is_none() {
        assert_eq!(account("vitrin", "localhost").unwrap(), "vitrin@localhost");
        assert_eq!(account("vitrin", "10.0.0.7").unwrap(), "vitrin@'10.0.0.7'");
        for user in ["$(id)", "a`b", "o'neill", "", "a b"] {
            assert_eq!(account(user, "localhost"), None);
        }
    }
}
