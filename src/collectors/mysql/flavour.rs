//! Which server this is: names and columns differ between MySQL and MariaDB, and between their versions.

/// The two families of servers; Percona Server and the clouds' MySQL are MySQL, Galera clusters are what they are
/// built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    MariaDb,
    MySql,
}

/// Flavour and version of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) flavour: Flavour,
    /// Major, minor, patch. Never compared across flavours: MariaDB 10.3 is not newer than MySQL 8.4.
    pub(super) version: (u32, u32, u32),
}

impl Server {
    /// From `@@version` (`10.11.19-MariaDB-0+deb12u1-log`, `9.7.4`) and `@@version_comment`, which names MariaDB also
    /// where a vendor rewrote the version.
    pub(super) fn parse(version: &str, comment: &str) -> Option<Self> {
        let says_mariadb = |text: &str| text.to_ascii_lowercase().contains("mariadb");
        let flavour = if says_mariadb(version) || says_mariadb(comment) { Flavour::MariaDb } else { Flavour::MySql };
        let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        let [major, minor, patch] = std::array::from_fn(|_| numbers.next().and_then(Result::ok));
        Some(Self { flavour, version: (major?, minor?, patch.unwrap_or(0)) })
    }

    /// The statement that lists the replication channels. MySQL 8.4 knows only the second spelling of its own; MariaDB
    /// knows all of its spellings and has one that lists named connections too.
    pub(super) fn replication_statement(self) -> &'static str {
        match self.flavour {
            Flavour::MariaDb => "SHOW ALL SLAVES STATUS",
            Flavour::MySql if self.version >= (8, 0, 22) => "SHOW REPLICA STATUS",
            Flavour::MySql => "SHOW SLAVE STATUS",
        }
    }

    /// The statement that limits, for this session, how long the server works on a query of ours: a query goes on when
    /// its client has gone. MySQL limits `SELECT` alone; nothing else of ours can take long.
    pub(super) fn time_limit_statement(self, limit: std::time::Duration) -> String {
        match self.flavour {
            Flavour::MariaDb => format!("SET SESSION max_statement_time = {}", limit.as_secs_f64()),
            Flavour::MySql => format!("SET SESSION max_execution_time = {}", limit.as_millis().max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flavour_and_version_come_from_what_servers_say() {
        for (version, comment, flavour, numbers) in [
            ("10.11.19-MariaDB-0+deb12u1-log", "Debian 12", Flavour::MariaDb, (10, 11, 19)),
            ("11.8.9-MariaDB-4 from Debian", "-- Please help", Flavour::MariaDb, (11, 8, 9)),
            ("9.7.4-2", "(Debian)", Flavour::MySql, (9, 7, 4)),
            ("8.0.36-28", "Percona Server (GPL), Release 28", Flavour::MySql, (8, 0, 36)),
            ("5.7.44-log", "MySQL Community Server (GPL)", Flavour::MySql, (5, 7, 44)),
        ] {
            assert_eq!(Server::parse(version, comment), Some(Server { flavour, version: numbers }), "{version}");
        }
        assert_eq!(Server::parse("", ""), None);
    }

    #[test]
    fn each_server_gets_the_replication_statement_it_knows() {
        for (version, statement) in [
            ("10.5.1-MariaDB", "SHOW ALL SLAVES STATUS"),
            ("5.7.44", "SHOW SLAVE STATUS"),
            ("8.0.21", "SHOW SLAVE STATUS"),
            ("8.0.22", "SHOW REPLICA STATUS"),
            ("9.7.4", "SHOW REPLICA STATUS"),
        ] {
            assert_eq!(Server::parse(version, "").unwrap().replication_statement(), statement, "{version}");
        }
    }
}
