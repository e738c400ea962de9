//! The servers of one small shop, real and a little used, and what Vitrin is told of them.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use super::daemon::{Daemon, folder, free_port, listens, listens_on, program};

/// What exporters log in with; MariaDB listens on loopback only, for as long as the stack runs.
const USER: &str = "exporter";
const PASSWORD: &str = "only-for-this-run";

/// What the shop's database and cache hold.
const TABLES: usize = 150;
const KEYS: usize = 20_000;

/// The running servers.
pub(crate) struct Stack {
    mariadb: Daemon,
    mariadb_port: u16,
    redis: Daemon,
    redis_port: u16,
    nginx: Daemon,
    nginx_port: u16,
    php_fpm: Daemon,
}

impl Stack {
    /// Starts all servers and fills them.
    pub(crate) fn start() -> Self {
        let (mariadb, mariadb_port) = mariadb();
        let (redis, redis_port) = redis();
        let (nginx, nginx_port) = nginx();
        Self { mariadb, mariadb_port, redis, redis_port, nginx, nginx_port, php_fpm: php_fpm() }
    }

    /// Each server under the name of the collector that asks it, which is also how its families start.
    pub(crate) fn servers(&self) -> [(&'static str, &'static str, &Daemon); 4] {
        [
            ("mysql", "mysql_", &self.mariadb),
            ("redis", "redis_", &self.redis),
            ("nginx", "nginx_", &self.nginx),
            ("php_fpm", "phpfpm_", &self.php_fpm),
        ]
    }

    /// A configuration with one target of each kind; the host needs none.
    pub(crate) fn configuration(&self) -> String {
        let php_fpm = self.php_fpm.folder().join("php-fpm.conf");
        format!("{}[php_fpm.targets.main]\nconfiguration = '{}'\n", self.without_php(), php_fpm.display())
    }

    /// The same but for PHP-FPM, which no exporter in Debian watches.
    pub(crate) fn without_php(&self) -> String {
        let file = self.mariadb.folder().join("password");
        fs::write(&file, PASSWORD).unwrap();
        let mysql = format!(
            "[mysql.targets.main]\naddress = '127.0.0.1:{}'\nuser = '{USER}'\npassword = {{ file = '{}' }}\n",
            self.mariadb_port,
            file.display(),
        );
        let redis = format!("[redis.targets.main]\nurl = '{}'\n", self.redis_url());
        let nginx = format!("[nginx.targets.main]\nurl = '{}'\n", self.stub_status());
        mysql + &redis + &nginx
    }

    /// The `[client]` section that MySQL's own programs and mysqld_exporter read.
    pub(crate) fn mysql_client(&self) -> String {
        format!("user={USER}\npassword={PASSWORD}\nhost=127.0.0.1\nport={}", self.mariadb_port)
    }

    pub(crate) fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.redis_port)
    }

    pub(crate) fn stub_status(&self) -> String {
        format!("http://127.0.0.1:{}/stub_status", self.nginx_port)
    }
}

fn mariadb() -> (Daemon, u16) {
    let (folder, port) = (folder(), free_port());
    let data = format!("--datadir={}", folder.path().join("data").display());
    let socket = folder.path().join("socket");
    let socket_option = format!("--socket={}", socket.display());
    let made = program(&["mariadb-install-db"])
        .args(["--no-defaults", "--user=root", "--auth-root-authentication-method=normal", &data])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut command = program(&["mariadbd"]);
    command.args(["--no-defaults", "--user=root", "--bind-address=127.0.0.1", "--performance-schema=ON"]);
    command.arg(format!("--port={port}")).args([&data, &socket_option]);
    let mut daemon = Daemon::start("mariadbd", command, folder);
    daemon.wait_until(|| listens_on(&socket));
    let user = format!(
        "CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
         GRANT PROCESS, REPLICA MONITOR, SLAVE MONITOR, BINLOG MONITOR, SELECT ON *.* TO '{USER}'@'127.0.0.1';
         CREATE DATABASE shop;"
    );
    let table = |number| {
        format!(
            "CREATE TABLE shop.t{number} (id INT PRIMARY KEY, name VARCHAR(80), KEY (name));
             INSERT INTO shop.t{number} VALUES (1, 'a'), (2, 'b');"
        )
    };
    let sql: Vec<_> = std::iter::once(user).chain((0..TABLES).map(table)).collect();
    let sql = sql.concat();
    let filled = program(&["mariadb"]).args(["--no-defaults", "--user=root", &socket_option, "-e", &sql]).output();
    let filled = filled.unwrap();
    assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stderr));
    (daemon, port)
}

fn redis() -> (Daemon, u16) {
    let (folder, port) = (folder(), free_port());
    let mut command = program(&["redis-server", "valkey-server"]);
    command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string(), "--dir"]).arg(folder.path());
    let mut daemon = Daemon::start("redis", command, folder);
    daemon.wait_until(|| listens(port));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    for key in 0..KEYS {
        stream.write_all(format!("SET cache:{key} {key} EX 86400\r\n").as_bytes()).unwrap();
    }
    stream.write_all(b"QUIT\r\n").unwrap();
    let mut replies = String::new();
    stream.read_to_string(&mut replies).unwrap();
    assert_eq!(replies.matches("+OK\r\n").count(), KEYS + 1);
    (daemon, port)
}

fn nginx() -> (Daemon, u16) {
    let (folder, port) = (folder(), free_port());
    let configuration = format!(
        "daemon off;\npid nginx.pid;\nerror_log error.log;\nevents {{}}\nhttp {{\n  access_log off;\n\
         server {{ listen 127.0.0.1:{port}; location /stub_status {{ stub_status; }} }}\n}}\n"
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, configuration).unwrap();
    let mut command = program(&["nginx"]);
    command.arg("-p").arg(folder.path()).arg("-c").arg(&file).arg("-e").arg(folder.path().join("error.log"));
    let mut daemon = Daemon::start("nginx", command, folder);
    daemon.wait_until(|| listens(port));
    (daemon, port)
}

fn php_fpm() -> Daemon {
    let folder = folder();
    let here = folder.path().display();
    let configuration = format!(
        "[global]\nerror_log = {here}/error.log\ndaemonize = no\n[shop]\nlisten = {here}/shop.sock\nuser = www-data\n\
         pm = dynamic\npm.max_children = 8\npm.start_servers = 4\npm.min_spare_servers = 2\npm.max_spare_servers = 6\n\
         pm.status_path = /status\nping.path = /ping\nlisten.owner = root\n"
    );
    let file = folder.path().join("php-fpm.conf");
    fs::write(&file, configuration).unwrap();
    let socket = folder.path().join("shop.sock");
    let mut command = program(&["php-fpm8.2", "php-fpm8.4", "php-fpm"]);
    command.args(["--nodaemonize", "--fpm-config"]).arg(&file);
    let mut daemon = Daemon::start("php-fpm", command, folder);
    daemon.wait_until(|| listens_on(&socket));
    daemon
}
