//! Who may do anything in a MySQL or MariaDB of this machine: where root talks to it, and what it tells root.

use std::path::Path;

use super::account::{alter, create};
use super::client::Client;
use super::config::{Config, Tls};
use super::discover::ACCOUNTS;
use crate::config::types::Address;
use crate::remedy::Service;

/// Where the server of this machine that has the usual port listens, too.
pub(super) const SOCKETS: [&str; 3] = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];
const USUAL_PORT: u16 = 3306;

/// What asking a server for its facts may cost in rows.
const ROWS: usize = 100;

/// Where root of this machine talks to the server; `None` when it is another machine's, or nobody known to run one is
/// there.
pub(super) fn administrators(config: &Config, service: &Service) -> Option<Address> {
    let usual = || SOCKETS.into_iter().find(|path| Path::new(path).exists());
    let place = match &config.address {
        // Another port is another server, whose socket is not the usual one.
        Address::Tcp { port: USUAL_PORT, .. } if config.address.is_local() && usual().is_some() => {
            usual().map(|socket| Address::Unix(socket.into()))
        }
        address => address.is_local().then(|| address.clone()),
    };
    place.filter(|place| service.trusts(place, &ACCOUNTS))
}

/// Root's login without a password, where the server lets root in so.
pub(super) fn root(address: &Address) -> Config {
    Config {
        address: address.clone(),
        user: "root".to_owned(),
        password: None,
        tls: Tls::default(),
        digests: super::Top::default(),
        tables: super::Top::default(),
        queries: std::collections::BTreeMap::new(),
        transactions: false,
        shop: None,
    }
}

/// What a superuser can tell.
#[derive(Debug, Default)]
pub(super) struct Facts {
    exists: Option<bool>,
    pub(super) has_plugin: Option<bool>,
}

impl Facts {
    /// Reads them with root's login without a password, where we are root and the server lets root in so.
    pub(super) async fn of(address: &Address, user: &str, host: &str, service: &Service) -> Self {
        if !service.superuser {
            return Self::default();
        }
        let Ok(mut client) = Client::connect(&root(address)).await else { return Self::default() };
        // Both names have been looked at: they hold nothing but letters, digits and `._-%:`.
        let exists = format!("SELECT COUNT(*) AS n FROM mysql.user WHERE user = '{user}' AND host = '{host}'");
        let plugin = "SELECT COUNT(*) AS n FROM information_schema.plugins WHERE plugin_name = 'auth_socket'";
        let mut counts = [None, None];
        for (count, statement) in counts.iter_mut().zip([exists.as_str(), plugin]) {
            let rows = client.query(statement, ROWS).await.ok();
            *count = rows.and_then(|rows| rows.iter().next()?.number("n")).map(|number| number > 0.0);
        }
        let [exists, has_plugin] = counts;
        Self { exists, has_plugin }
    }

    /// The statements that make the account, or set right one that is there.
    pub(super) fn account(&self, name: &str, identified: &str) -> String {
        match self.exists {
            Some(false) => create(name, identified),
            Some(true) => alter(name, identified),
            None => create(name, identified) + &alter(name, identified),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_s_client_is_sent_to_no_stranger() {
        use std::os::unix::fs::{FileTypeExt as _, chown};
        use std::os::unix::net::UnixListener;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mysql.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        assert!(std::fs::metadata(&path).unwrap().file_type().is_socket());
        let config: Config = toml::from_str(&format!("address = '{}'\nuser = 'vitrin'", path.display())).unwrap();
        let service = Service::of("vitrin", &crate::collector::Paths::default(), false).unwrap();
        assert!(administrators(&config, &service).is_some());
        chown(&path, Some(12_345), None).expect("only root can give a socket away: run the tests as root");
        assert!(administrators(&config, &service).is_none());
        let nobody: Config = toml::from_str("address = '127.0.0.1:1'\nuser = 'vitrin'").unwrap();
        assert!(administrators(&nobody, &service).is_none());
    }
}
