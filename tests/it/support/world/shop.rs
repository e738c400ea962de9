//! The shop that is broken: nginx before PHP-FPM, whose page asks MySQL and Redis, and a replica of the database.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::TempDir;
use vitrin::collectors::access_log::format::Format;

use crate::support::certificates::Certificates;
use crate::support::daemon::{eventually, folder, free_port};
use crate::support::mariadb::{Database, block_on, is_mariadb};
use crate::support::nginx::Nginx;
use crate::support::php_fpm::PhpFpm;
use crate::support::redis::RedisServer;

/// The accounts of the shop, of vitrin and of the replica; the servers listen on loopback, for as long as the run lasts.
pub(crate) const PASSWORD: &str = "only-for-this-run";

/// Processes of the one pool.
pub(crate) const CHILDREN: usize = 5;

/// Connections that the database takes.
pub(crate) const CONNECTIONS: u32 = 30;

/// What the page needs of its servers; whatever is missing makes it an error 500. Without a cart it does.
const PAGE: &str = r#"<?php
set_error_handler(function ($number, $text) { throw new ErrorException($text); });
$db = mysqli_init();
$db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 1);
$db->options(MYSQLI_OPT_READ_TIMEOUT, 1);
$db->real_connect('localhost', 'shop', '{password}', 'shop', 0, '{socket}');
for ($id = 1; $id <= 3; $id++) $db->query("SELECT name FROM goods WHERE id = $id")->fetch_all();
$redis = fsockopen('127.0.0.1', {redis}, $error, $text, 1);
stream_set_timeout($redis, 1);
foreach (["SET cart:1 book", "GET cart:1", "GET cart:1", "GET cart:1"] as $command) {
  fwrite($redis, "$command\r\n");
  $reply = fgets($redis);
  if ($reply === false) throw new Exception("redis has gone");
  if ($reply[0] === '$' && $reply !== "$-1\r\n") fgets($redis);
}
echo 'open';
"#;

/// The running servers.
pub(crate) struct Shop {
    pub(crate) database: Database,
    pub(crate) replica: Database,
    pub(crate) redis: RedisServer,
    pub(crate) php_fpm: PhpFpm,
    pub(crate) nginx: Nginx,
    /// Where nginx speaks TLS, and by which certificates.
    encrypted: u16,
    certificates: Certificates,
    /// Holds what several of them use.
    folder: TempDir,
}

impl Shop {
    /// Starts all of it, with a replica that follows and a page that answers.
    pub(crate) fn start() -> Self {
        let folder = folder();
        let connections = format!("--max-connections={CONNECTIONS}");
        let database = Database::start(&["--performance-schema=ON", "--log-bin=bin", &connections]);
        let replica = Database::start(&["--performance-schema=ON", "--relay-log=relay", "--read-only=1"]);
        let redis = RedisServer::start(&[]);
        block_on(prepare(&database));
        block_on(follow(&database, &replica));
        let pool = format!(
            "pm = static\npm.max_children = {CHILDREN}\npm.status_path = /status\nlisten.backlog = 128\n\
             pm.status_listen = {}\nrequest_terminate_timeout = 300s",
            folder.path().join("status.sock").display()
        );
        // As little as PHP allows, so that it can be filled.
        let php_fpm = PhpFpm::with(
            &["opcache.memory_consumption=8", "opcache.interned_strings_buffer=1", "display_errors=0"],
            &[("shop", &pool)],
        );
        let page = PAGE.replace("{password}", PASSWORD).replace("{redis}", &redis.port.to_string());
        php_fpm.script("index.php", &page.replace("{socket}", &database.socket().display().to_string()));
        php_fpm.script("slow.php", "<?php usleep((int) $_GET['ms'] * 1000); echo 'done';");
        let home = php_fpm.file("").display().to_string();
        let locations = format!(
            "set_real_ip_from 127.0.0.1;\nreal_ip_header X-Real-IP;\nlocation = /static {{ return 200 'static'; }}\n\
             location / {{\nfastcgi_param SCRIPT_FILENAME {home}$script;\nfastcgi_param SCRIPT_NAME $uri;\n\
             fastcgi_param REQUEST_METHOD $request_method;\nfastcgi_param QUERY_STRING $args;\n\
             fastcgi_read_timeout 5s;\nset $script /index.php;\nif ($uri ~ \\.php$) {{ set $script $uri; }}\n\
             fastcgi_pass unix:{}; }}\n",
            php_fpm.socket("shop").display()
        );
        let (certificates, encrypted) = (Certificates::of("DNS:localhost,IP:127.0.0.1"), free_port());
        let beside = format!(
            "{}\nserver {{ listen 127.0.0.1:{encrypted} ssl; ssl_certificate {}; ssl_certificate_key {}; }}",
            Format::RECOMMENDED,
            certificates.file("server.pem").display(),
            certificates.file("server.key").display(),
        );
        let nginx = Nginx::logging(&beside, &locations);
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
        let shop = Self { database, replica, redis, php_fpm, nginx, encrypted, certificates, folder };
        eventually("the shop to be open", || shop.nginx.get("/").text() == "open");
        shop
    }

    /// What vitrin watches, and how often; each server may take as long as Prometheus waits for a page.
    pub(crate) fn targets(&self) -> String {
        let mut text = String::new();
        let patience = super::relay::PATIENCE.as_millis() * 3 / 4;
        let password = self.password();
        writeln!(text, "[mysql]\ntimeout = '{patience}ms'\n").unwrap();
        for (name, database) in [("main", &self.database), ("replica", &self.replica)] {
            let (port, password) = (database.port(), password.display());
            writeln!(
                text,
                "[mysql.targets.{name}]\naddress = '127.0.0.1:{port}'\nuser = 'vitrin'\npassword = {{ file = '{password}' }}",
            )
            .unwrap();
        }
        let page = format!("http://127.0.0.1:{}", self.nginx.port);
        writeln!(
            text,
            "[redis]\ntimeout = '{patience}ms'\n[redis.targets.main]\nurl = '{}'\n\
             [nginx]\ntimeout = '{patience}ms'\n[nginx.targets.main]\nurl = '{page}/stub_status'\n\
             [php_fpm]\ntimeout = '{patience}ms'\n[php_fpm.targets.main]\n{}\n\
             [access_log.targets.main]\nfiles = ['{}']\nformat = 'combined_timed'\nshop = 'opencart4'\n\
             [probe]\nevery = '1s'\ntimeout = '900ms'\n[probe.targets.shop]\nhttp = '{page}/'\n\
             [probe.targets.port]\ntls = {{ address = '127.0.0.1:{}', ca_file = '{}' }}\n\
             [probe.targets.files]\ncertificates = ['{}']\n",
            self.redis.url(),
            self.php_fpm.table(""),
            self.nginx.access_log().display(),
            self.encrypted,
            self.certificates.file("ca.pem").display(),
            self.certificates.file("server.pem").display(),
        )
        .unwrap();
        text
    }

    /// The file that holds the one password.
    pub(crate) fn password(&self) -> PathBuf {
        self.file("password")
    }

    /// A place for what a drill needs to keep.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The shop's table and all accounts.
async fn prepare(database: &Database) {
    let (vitrin, replica) = if is_mariadb() {
        ("PROCESS, SLAVE MONITOR, BINLOG MONITOR, SELECT", "REPLICATION SLAVE")
    } else {
        ("PROCESS, REPLICATION CLIENT, SELECT", "REPLICATION SLAVE")
    };
    let user = |name: &str, host: &str| format!("CREATE USER {name}@'{host}' IDENTIFIED BY '{PASSWORD}'");
    database
        .run(&[
            &user("vitrin", "127.0.0.1"),
            &format!("GRANT {vitrin} ON *.* TO vitrin@'127.0.0.1'"),
            &user("follower", "%"),
            &format!("GRANT {replica} ON *.* TO follower@'%'"),
            &user("shop", "localhost"),
            "CREATE DATABASE shop",
            "GRANT ALL ON shop.* TO shop@localhost",
            "CREATE TABLE shop.goods (id INT PRIMARY KEY, name VARCHAR(80))",
            "INSERT INTO shop.goods VALUES (1, 'book'), (2, 'pen'), (3, 'lamp')",
        ])
        .await;
}

/// Makes the replica a copy of the primary from its first event on, and waits until it is.
async fn follow(primary: &Database, replica: &Database) {
    let (position, port) = ("bin.000001", primary.port());
    let (change, start) = if is_mariadb() {
        let change = format!(
            "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='follower', MASTER_CONNECT_RETRY=1, \
             MASTER_PASSWORD='{PASSWORD}', MASTER_LOG_FILE='{position}', MASTER_LOG_POS=4"
        );
        (change, "START SLAVE")
    } else {
        let change = format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, SOURCE_USER='follower', SOURCE_CONNECT_RETRY=1, \
             SOURCE_RETRY_COUNT=86400, \
             SOURCE_PASSWORD='{PASSWORD}', SOURCE_LOG_FILE='{position}', SOURCE_LOG_POS=4, GET_SOURCE_PUBLIC_KEY=1"
        );
        (change, "START REPLICA")
    };
    replica.run(&[&change, start]).await;
    // The accounts come with the rest.
    eventually("the replica to have the shop", || {
        let tables =
            block_on(replica.ask("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'shop'"));
        tables[0][0] == "1"
    });
}
