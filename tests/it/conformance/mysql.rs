//! MySQL and MariaDB, as the conformance suite has them.

use std::path::PathBuf;
use std::thread;

use vitrin::collector::Reason;

use super::faults::Fault;
use crate::mysql::{lies, make_account};
use crate::support::certificates::Certificates;
use crate::support::front::At;
use crate::support::mariadb::{Database, block_on, is_mariadb};

/// Who talks to it.
pub(super) const COLLECTORS: &[&str] = &["mysql", "mysql_tables", "mysql_digests", "mysql_shop", "mysql_queries"];

/// One where all is well, one without TLS and with another password, and some whose certificates differ.
pub(super) struct Subject {
    well: Database,
    plain: Database,
    expired: Database,
    self_signed: Database,
    /// It takes no connections without TLS, either.
    wrong_name: Database,
    certificates: Certificates,
    _others: Certificates,
}

impl Subject {
    pub(super) fn start() -> Self {
        let certificates = Certificates::of("IP:127.0.0.1");
        certificates.sign_expired("expired", "IP:127.0.0.1");
        certificates.sign("other", "DNS:db.example");
        let others = Certificates::of("IP:127.0.0.1");
        let off = if is_mariadb() { "--skip-ssl" } else { "--tls-version=" };
        let (well, plain, expired, self_signed, wrong_name) = thread::scope(|scope| {
            let tls = |name, certificates, more: &'static [&'static str]| {
                scope.spawn(move || database(&encrypted(name, certificates), more, "secret"))
            };
            let well = tls("server", &certificates, &["--performance-schema=ON", "--max-connections=800"]);
            let expired = tls("expired", &certificates, &[]);
            let self_signed = tls("server", &others, &[]);
            let wrong_name = tls("other", &certificates, &["--require-secure-transport=ON"]);
            let plain = database(&[], &[off], "another");
            let [well, expired, self_signed, wrong_name] =
                [well, expired, self_signed, wrong_name].map(|server| server.join().unwrap());
            (well, plain, expired, self_signed, wrong_name)
        });
        Self { well, plain, expired, self_signed, wrong_name, certificates, _others: others }
    }

    fn password(&self) -> PathBuf {
        self.well.daemon.folder().join("password")
    }
}

/// The options of a server that shows this certificate.
fn encrypted(name: &str, certificates: &Certificates) -> Vec<String> {
    let files = certificates.options_of(name, ["--ssl-ca", "--ssl-cert", "--ssl-key"]);
    files.chunks(2).map(|option| option.join("=")).collect()
}

/// The tables of a shop, with nothing in them.
async fn shop(database: &Database) {
    let order = "CREATE TABLE shop.oc_order (order_id INT PRIMARY KEY, store_id INT, order_status_id INT, \
                 total DECIMAL(15,4), currency_code VARCHAR(3), currency_value DECIMAL(15,8), date_added DATETIME)";
    database.run(&["CREATE DATABASE shop", order]).await;
}

/// A server with the account `vitrin` and this password.
fn database(tls: &[String], more: &[&str], password: &str) -> Database {
    let options: Vec<_> = tls.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let database = Database::start(&options);
    block_on(async {
        make_account(&database).await;
        shop(&database).await;
        database.run(&[&format!("ALTER USER vitrin@'%' IDENTIFIED BY '{password}'")]).await;
    });
    database
}

impl super::Subject for Subject {
    fn topic(&self) -> &'static str {
        "mysql"
    }

    fn collectors(&self) -> &'static [&'static str] {
        COLLECTORS
    }

    fn patient(&self) -> &'static [&'static str] {
        &["mysql_tables", "mysql_digests", "mysql_shop"]
    }

    fn up(&self) -> &'static str {
        "mysql_up"
    }

    fn settings(&self, port: u16, tls: bool) -> String {
        let password = self.password();
        let account = format!(
            "address = '127.0.0.1:{port}'\nuser = 'vitrin'\npassword = {{ file = '{}' }}\ndigests = 5\n\
             shop = 'opencart4'\n",
            password.display()
        );
        let ca = self.certificates.file("ca.pem");
        let tls = tls.then(|| format!("tls.mode = 'verify-full'\ntls.ca_file = '{}'\n", ca.display()));
        account + &tls.unwrap_or_default()
    }

    fn queries(&self, targets: &[String]) -> String {
        let query = "sql = 'SELECT 42 AS answer'\nvalues = ['answer']\nevery = '3s'";
        format!("[mysql.queries.conformance]\n{query}\ntargets = {targets:?}\n")
    }

    fn server(&self, _: bool) -> At {
        At::Port(self.well.port())
    }

    fn flawed(&self, fault: Fault) -> Option<At> {
        let server = match fault {
            Fault::WrongPassword | Fault::TlsToPlain => &self.plain,
            Fault::PlainToTls | Fault::WrongName => &self.wrong_name,
            Fault::Expired => &self.expired,
            Fault::SelfSigned => &self.self_signed,
            _ => return None,
        };
        Some(At::Port(server.port()))
    }

    fn endless(&self) -> (Vec<u8>, Vec<u8>) {
        lies::endless_rows()
    }

    fn waits(&self) -> bool {
        false
    }

    fn longest(&self) -> usize {
        60_000
    }

    fn otherwise(&self, fault: Fault) -> Option<&'static [Reason]> {
        // MySQL says that it wants TLS, MariaDB that it does not know us.
        (fault == Fault::PlainToTls).then_some(&[Reason::Tls, Reason::Auth])
    }
}
