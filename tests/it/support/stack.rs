//! The servers of one small shop, real and a little used, and what Vitrin is told of them.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use vitrin::collectors::access_log::format::Format;

use super::daemon::Daemon;
use super::mariadb::{Database, block_on, is_mariadb};
use super::nginx::Nginx;
use super::php_fpm::PhpFpm;
use super::redis::RedisServer;

/// What exporters log in with; the database listens on loopback only, for as long as the stack runs.
const USER: &str = "exporter";
const PASSWORD: &str = "only-for-this-run";

/// What the shop's database and cache hold.
const TABLES: usize = 150;
const KEYS: usize = 20_000;

/// Its one pool.
const POOL: &str = "pm = dynamic\npm.max_children = 8\npm.start_servers = 4\npm.min_spare_servers = 2\n\
                    pm.max_spare_servers = 6\npm.status_path = /status\nping.path = /ping";

/// The running servers.
pub(crate) struct Stack {
    database: Database,
    pub(crate) redis: RedisServer,
    pub(crate) nginx: Nginx,
    php_fpm: PhpFpm,
}

impl Stack {
    /// Starts all servers and fills them.
    pub(crate) fn start() -> Self {
        let nginx = Nginx::logging(Format::RECOMMENDED, "");
        let (redis, php_fpm) = (RedisServer::start(&[]), PhpFpm::start(&[("shop", POOL)]));
        fill(&redis);
        Self { database: database(), redis, nginx, php_fpm }
    }

    /// Each server under the name of the collector that asks it, and how that one's families start.
    pub(crate) fn servers(&self) -> [(&'static str, &'static str, &Daemon); 4] {
        [
            ("mysql", "mysql_", &self.database.daemon),
            ("redis", "redis_", &self.redis.daemon),
            ("nginx", "nginx_", &self.nginx.daemon),
            ("php_fpm", "phpfpm_", &self.php_fpm.daemon),
        ]
    }

    /// A configuration with one target of each kind; the host needs none.
    pub(crate) fn configuration(&self) -> String {
        format!("{}[php_fpm.targets.main]\n{}", self.without_php(), self.php_fpm.table(""))
    }

    /// The same with everything on that is off by default, but for systemd, which the machine need not have.
    pub(crate) fn everything(&self) -> String {
        let main = "[mysql.targets.main]\n";
        let mysql =
            self.without_php().replace(main, &format!("{main}digests = 20\ntransactions = true\nshop = 'opencart4'\n"));
        let host = "[host]\nmdadm = true\nreboot_required = true\n";
        let php_fpm = format!("[php_fpm.targets.main]\n{}", self.php_fpm.table("processes = true"));
        let groups = "[redis.targets.main.key_groups.cache]\npattern = 'cache:*'\n";
        let queries = "[mysql.queries.rows]\nsql = 'SELECT COUNT(*) AS n FROM shop.t1'\nvalues = ['n']\n";
        let access_log = format!(
            "[access_log.targets.main]\nfiles = ['{}']\nformat = 'combined_timed'\nshop = 'opencart4'\n",
            self.nginx.access_log().display()
        );
        let probe = format!("[probe.targets.main]\nhttp = '{}'\n", self.stub_status());
        let marketplace = format!(
            "[marketplace.targets.main]\npreset = 'generic'\n\
             vars = {{ base_url = 'http://127.0.0.1:{}', path = '/stub_status' }}\n",
            self.nginx.port
        );
        let folder = self.database.daemon.folder().join("textfile");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("backup.prom"), "shop_backup_size_bytes 1e9\n").unwrap();
        let textfile = format!("[textfile]\nfolder = '{}'\n", folder.display());
        let security = "[security]\n";
        mysql + groups + queries + host + &php_fpm + &access_log + &probe + &marketplace + &textfile + security
    }

    /// The same but for PHP-FPM, which no exporter in Debian watches.
    pub(crate) fn without_php(&self) -> String {
        let file = self.database.daemon.folder().join("password");
        fs::write(&file, PASSWORD).unwrap();
        let mysql = format!(
            "[mysql.targets.main]\naddress = '127.0.0.1:{}'\nuser = '{USER}'\npassword = {{ file = '{}' }}\n",
            self.database.port(),
            file.display(),
        );
        let redis = format!("[redis.targets.main]\nurl = '{}'\n", self.redis_url());
        let nginx = format!("[nginx.targets.main]\nurl = '{}'\n", self.stub_status());
        mysql + &redis + &nginx
    }

    /// The `[client]` section that MySQL's own programs and mysqld_exporter read.
    pub(crate) fn mysql_client(&self) -> String {
        format!("user={USER}\npassword={PASSWORD}\nhost=127.0.0.1\nport={}", self.database.port())
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn php_fpm(&self) -> &PhpFpm {
        &self.php_fpm
    }

    pub(crate) fn redis_url(&self) -> String {
        self.redis.url()
    }

    pub(crate) fn stub_status(&self) -> String {
        format!("http://127.0.0.1:{}/stub_status", self.nginx.port)
    }
}

/// The database with the shop's tables and the exporters' account.
fn database() -> Database {
    let database = Database::start(&["--performance-schema=ON", "--log-bin=bin"]);
    let rights = if is_mariadb() {
        "PROCESS, SLAVE MONITOR, BINLOG MONITOR, SELECT"
    } else {
        "PROCESS, REPLICATION CLIENT, SELECT"
    };
    let account = [
        format!("CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"),
        format!("GRANT {rights} ON *.* TO '{USER}'@'127.0.0.1'"),
        "CREATE DATABASE shop".to_owned(),
        "CREATE TABLE shop.oc_order (order_id INT AUTO_INCREMENT PRIMARY KEY, total DECIMAL(15,4), order_status_id INT, \
         currency_code VARCHAR(3), currency_value DECIMAL(15,8) DEFAULT 1, store_id INT DEFAULT 0, date_added DATETIME)"
            .to_owned(),
        "INSERT INTO shop.oc_order (total, order_status_id, currency_code, date_added) VALUES (1, 2, 'TRY', NOW())"
            .to_owned(),
    ];
    let table = |number| {
        [
            format!("CREATE TABLE shop.t{number} (id INT PRIMARY KEY, name VARCHAR(80), KEY (name))"),
            format!("INSERT INTO shop.t{number} VALUES (1, 'a'), (2, 'b')"),
        ]
    };
    let statements: Vec<_> = account.into_iter().chain((0..TABLES).flat_map(table)).collect();
    let statements: Vec<_> = statements.iter().map(String::as_str).collect();
    block_on(database.run(&statements));
    database
}

fn fill(redis: &RedisServer) {
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port)).unwrap();
    for key in 0..KEYS {
        stream.write_all(format!("SET cache:{key} {key} EX 86400\r\n").as_bytes()).unwrap();
    }
    stream.write_all(b"QUIT\r\n").unwrap();
    let mut replies = String::new();
    stream.read_to_string(&mut replies).unwrap();
    assert_eq!(replies.matches("+OK\r\n").count(), KEYS + 1);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Stack;
    use crate::support::exporter::Exporter;

    /// What the bench calls every collector.
    #[test]
    fn every_collector_watches_the_stack_when_everything_is_on() {
        let stack = Stack::start();
        let exporter = Exporter::start(&stack.everything());
        let page = exporter.scrape();
        let jobs = || page.samples("vitrin_up");
        assert!(jobs().all(|job| job.value == 1.0), "{:?}; the log:\n{}", jobs().collect::<Vec<_>>(), exporter.log());
        let collectors: BTreeSet<_> = jobs().map(|job| job.labels["collector"].as_str()).collect();
        assert_eq!(collectors, vitrin::collectors::all().into_iter().map(|(name, _)| name).collect());
    }
}
