//! By what databases, caches and PHP-FPM are known, whoever looks for them.

use std::ops::RangeInclusive;

/// A family of servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    /// The ports that they have when nobody says otherwise.
    pub(crate) ports: &'static [u16],
    /// The accounts that their packages make.
    pub(crate) accounts: &'static [&'static str],
    /// Their processes, as `/proc/<pid>/comm` has them.
    pub(crate) processes: &'static [&'static str],
    /// What the names of their sockets hold.
    pub(crate) sockets: &'static [&'static str],
}

/// MySQL and MariaDB: the protocol's port, that of MySQL's X protocol, and MySQL's for administration.
pub(crate) const DATABASE: Family = Family {
    ports: &[3306, 33_060, 33_062],
    accounts: &["mysql", "mariadb"],
    processes: &["mysqld*", "mariadbd*"],
    sockets: &["mysql", "mariadb"],
};

/// Redis and its kin: plain, with TLS as its documentation has it, the cluster's bus, Sentinel's.
pub(crate) const CACHE: Family = Family {
    ports: &[6379, 6380, 16_379, 26_379],
    accounts: &["redis", "valkey", "keydb", "dfly"],
    processes: &["redis-server*", "valkey-server*", "keydb-server*", "dragonfly*"],
    sockets: &["redis", "valkey", "keydb", "dragonfly"],
};

/// The ports at which masters of PHP-FPM listen by custom, one after the other.
pub(crate) const PHP: RangeInclusive<u16> = 9000..=9009;

impl Family {
    /// Whether an account is one of theirs.
    pub(crate) fn is_account(&self, account: Option<&String>) -> bool {
        account.is_some_and(|account| self.accounts.contains(&account.as_str()))
    }
}
