//! OpenCart's files in real servers, set up as far as somebody would who has read half of the documentation; and programs
//! run where nginx' configuration is this one's.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use vitrin::collectors::access_log::format::Format;

use super::certificates::Certificates;
use super::daemon::{copy, folder, free_port};
use super::exporter::Exporter;
use super::mariadb::{Database, block_on, is_mariadb};
use super::nginx::Nginx;
use super::php_fpm::PhpFpm;
use super::redis::RedisServer;

/// In every secret of the shop, and nowhere else.
pub(crate) const CANARY: &str = "canary";

/// Who runs the exporter: nobody, in Debian's group of the web server, as the documentation has it for FPM's socket.
const NOBODY: u32 = 65_534;
const WEB: u32 = 33;

/// Whom the exporter logs in to the database as, and with what.
const USER: &str = "exporter";
const PASSWORD: &str = "canary-of-the-exporter";

/// What Redis asks for.
const CACHE: &str = "canary-of-the-cache";

/// OpenCart 3, as far as anybody looks at it.
const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/security/hosts/stock/root/var/www/shop");

/// Its one pool.
const POOL: &str = "pm = static\npm.max_children = 2\npm.status_path = /status\nrequest_terminate_timeout = 60s\n";

/// Where a program finds this nginx' configuration in the usual place.
const INSIDE: &str = "mount --bind \"$1\" /etc/nginx; shift; exec \"$@\"";

/// The running servers.
pub(crate) struct Storefront {
    pub(crate) nginx: Nginx,
    tls: u16,
    php: PhpFpm,
    database: Database,
    redis: RedisServer,
    certificates: Certificates,
    home: TempDir,
}

impl Storefront {
    /// Starts all servers. Only root can.
    pub(crate) fn start() -> Self {
        let home = folder();
        let shop = home.path().join("shop");
        copy(Path::new(FILES), &shop);
        deploy(&shop, &shop.display().to_string());
        let mut index = fs::read_to_string(shop.join("index.php")).unwrap();
        index += "setcookie('OCSESSID', session_create_id(), 0, '/');\n";
        fs::write(shop.join("index.php"), index).unwrap();
        let certificates = Certificates::of("DNS:shop.example");
        let php = PhpFpm::start(&[("shop", POOL)]);
        let tls = free_port();
        let server = format!(
            "listen 127.0.0.1:{tls} ssl;\nserver_name shop.example;\nssl_certificate {};\nssl_certificate_key {};\n\
             root {};\nindex index.php;\n\
             location ~ \\.php$ {{\nfastcgi_pass unix:{};\n\
             fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n\
             fastcgi_param QUERY_STRING $query_string;\nfastcgi_param REQUEST_METHOD $request_method;\n}}\n",
            certificates.file("server.pem").display(),
            certificates.file("server.key").display(),
            shop.display(),
            php.socket("shop").display(),
        );
        let nginx = Nginx::logging(Format::RECOMMENDED, &server);
        let redis = RedisServer::start(&[]);
        redis.ask(&["CONFIG", "SET", "requirepass", CACHE]);
        let front = Self { nginx, tls, php, database: database(), redis, certificates, home };
        for (name, secret) in [("mysql-password", PASSWORD), ("redis-password", CACHE)] {
            let file = front.home.path().join(name);
            fs::write(&file, secret).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
            chown(&file, None, Some(WEB)).unwrap();
        }
        // The build may lie where nobody can go.
        copy(Path::new(env!("CARGO_BIN_EXE_vitrin")), &front.program());
        front
    }

    /// Where the facts are to be.
    pub(crate) fn facts(&self) -> PathBuf {
        self.home.path().join("facts.json")
    }

    /// The servers, without `[security]`.
    pub(crate) fn servers(&self) -> String {
        let home = self.home.path().display();
        format!(
            "[mysql.targets.main]\naddress = '127.0.0.1:{}'\nuser = '{USER}'\n\
             password = {{ file = '{home}/mysql-password' }}\n\
             [redis.targets.main]\nurl = '{}'\npassword = {{ file = '{home}/redis-password' }}\n\
             [php_fpm.targets.main]\n{}[nginx.targets.main]\nurl = 'http://127.0.0.1:{}/stub_status'\n",
            self.database.port(),
            self.redis.url(),
            self.php.table(""),
            self.nginx.port,
        )
    }

    /// `[security]`, with further lines.
    pub(crate) fn security(&self, more: &str) -> String {
        format!(
            "[security]\nurl = 'https://shop.example:{tls}/'\nca_file = '{}'\nfacts = '{}'\n{more}\n\
             resolve = {{ 'shop.example:{tls}' = '127.0.0.1:{tls}', 'shop.example:80' = '127.0.0.1:{}' }}\n",
            self.certificates.file("ca.pem").display(),
            self.facts().display(),
            self.nginx.port,
            tls = self.tls,
        )
    }

    /// Everything.
    pub(crate) fn configuration(&self) -> String {
        self.servers() + &self.security("")
    }

    /// The exporter, as nobody.
    pub(crate) fn exporter(&self, config: &str) -> Exporter {
        Exporter::start_by(self.nobody(&[]), config)
    }

    /// What one of the program's commands says to nobody.
    pub(crate) fn says(&self, config: &str, words: &[&str]) -> Output {
        let file = self.home.path().join("vitrin.toml");
        fs::write(&file, config).unwrap();
        self.nobody(words).arg("--config.file").arg(file).output().unwrap()
    }

    /// The same to root.
    pub(crate) fn says_to_root(&self, words: &[&str]) -> Output {
        self.inside().arg(self.program()).args(words).output().unwrap()
    }

    fn nobody(&self, words: &[&str]) -> Command {
        let mut command = self.inside();
        command.args(["setpriv", &format!("--reuid={NOBODY}"), &format!("--regid={WEB}"), "--clear-groups"]);
        command.arg(self.program()).args(words);
        command
    }

    fn inside(&self) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-euc", INSIDE, "sh"]);
        command.arg(self.nginx.daemon.folder());
        command
    }

    fn program(&self) -> PathBuf {
        self.home.path().join("vitrin")
    }

    /// How often each server was asked so far, but for these questions themselves.
    pub(crate) fn asked(&self) -> Asked {
        let log = fs::read_to_string(self.nginx.access_log()).unwrap();
        let status = [("SCRIPT_NAME", "/status"), ("QUERY_STRING", "")];
        let status = self.php.run("shop", Path::new("/status"), &status).answer();
        let connections = status.lines().find_map(|line| line.strip_prefix("accepted conn:"));
        let connections = connections.unwrap_or_else(|| panic!("{status}")).trim().parse::<u64>().unwrap();
        Asked {
            nginx: log.lines().count() as u64,
            php: connections,
            // By the socket, and the server counts this one, too.
            database: block_on(self.database.status("Connections")),
            redis: self.connections_to_redis(),
        }
    }

    fn connections_to_redis(&self) -> u64 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.redis.port)).unwrap();
        stream.write_all(format!("AUTH {CACHE}\r\nINFO stats\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let count = text.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        count.unwrap_or_else(|| panic!("{text}")).trim().parse().unwrap()
    }
}

/// How often servers were asked; each look costs one, of all but nginx.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) nginx: u64,
    pub(crate) php: u64,
    pub(crate) database: f64,
    pub(crate) redis: u64,
}

impl Asked {
    /// The same after one more look.
    pub(crate) const fn and_one_look(self) -> Self {
        Self { nginx: self.nginx, php: self.php + 1, database: self.database + 1.0, redis: self.redis + 1 }
    }
}

/// Makes the files those of a shop that lies here.
fn deploy(folder: &Path, here: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            deploy(&path, here);
        } else if path.file_name().is_some_and(|name| name == "config.php") {
            let text = fs::read_to_string(&path).unwrap().replace("/var/www/shop", here);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            chown(&path, None, Some(WEB)).unwrap();
        }
    }
}

/// The shop's database, with the views that count.
fn database() -> Database {
    let database = Database::start(&["--performance-schema=ON"]);
    let rights = if is_mariadb() { "PROCESS, SLAVE MONITOR, BINLOG MONITOR" } else { "PROCESS, REPLICATION CLIENT" };
    let account = [
        "CREATE DATABASE shop".to_owned(),
        "CREATE USER shop@localhost IDENTIFIED BY 'canary-of-the-database'".to_owned(),
        "GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO shop@localhost".to_owned(),
        format!("CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"),
        format!("GRANT {rights} ON *.* TO '{USER}'@'127.0.0.1'"),
        "CREATE TABLE shop.oc_user (user_id INT PRIMARY KEY, username VARCHAR(20), password VARCHAR(255), status INT)"
            .to_owned(),
        "INSERT INTO shop.oc_user VALUES (1, 'admin', '$2y$10$canary-of-the-administrator', 1)".to_owned(),
        "CREATE TABLE shop.oc_api (api_id INT PRIMARY KEY, username VARCHAR(64), `key` TEXT, status INT)".to_owned(),
        "INSERT INTO shop.oc_api VALUES (1, 'Default', 'canary-of-the-api', 1)".to_owned(),
        "CREATE TABLE shop.oc_api_ip (api_ip_id INT PRIMARY KEY, api_id INT, ip VARCHAR(40))".to_owned(),
        "CREATE TABLE shop.oc_setting (setting_id INT PRIMARY KEY, store_id INT, code VARCHAR(128), `key` VARCHAR(128), \
         value TEXT, serialized INT)"
            .to_owned(),
        "INSERT INTO shop.oc_setting VALUES (1, 0, 'config', 'config_login_attempts', '5', 0), \
         (2, 0, 'config', 'config_mail_smtp_password', 'canary-of-the-mail', 0), \
         (3, 0, 'config', 'config_error_display', '0', 0)"
            .to_owned(),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrin"));
    let server = if is_mariadb() { "mariadb" } else { "mysql" };
    command.args(["security-views", "--server", server, "--schema", "shop", "--account", "shop"]);
    command.args(["--user", USER, "--host", "127.0.0.1"]);
    let printed = command.output().unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let printed = String::from_utf8(printed.stdout).unwrap();
    let views: Vec<_> = printed.lines().filter(|line| !line.starts_with("--")).collect();
    let views = views.join("\n");
    let statements: Vec<_> = account.iter().map(String::as_str).chain(views.split(";\n")).map(str::trim).collect();
    let statements: Vec<_> = statements.into_iter().filter(|statement| !statement.is_empty()).collect();
    block_on(database.run(&statements));
    database
}
