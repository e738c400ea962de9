//! The four servers, each behind a proxy, and what can be done to them.

use std::fs;

use tempfile::TempDir;

use super::Trouble;
use crate::support::daemon::{copy, folder};
use crate::support::mariadb::{Database, block_on};
use crate::support::nginx::Nginx;
use crate::support::php_fpm::PhpFpm;
use crate::support::proxy::{Fault, Place, Proxy};
use crate::support::redis::RedisServer;
use crate::support::scrape::Page;

/// Who asks.
const USER: &str = "vitrin";

/// The OPcache script as the repository has it.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/vitrin-opcache.php");

const POOL: &str = "pm = static\npm.max_children = 3\npm.status_path = /status";

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    Mysql,
    Redis,
    Nginx,
    PhpFpm,
}

impl Backend {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Mysql, Self::Redis, Self::Nginx, Self::PhpFpm];

    /// The collector that asks it.
    pub(super) const fn collector(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Redis => "redis",
            Self::Nginx => "nginx",
            Self::PhpFpm => "php_fpm",
        }
    }

    /// How the names of its families start.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Mysql => "mysql_",
            Self::Redis => "redis_",
            Self::Nginx => "nginx_",
            Self::PhpFpm => "phpfpm_",
        }
    }

    /// Whether it asks for one.
    pub(super) const fn has_password(self) -> bool {
        matches!(self, Self::Mysql | Self::Redis)
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// Whether a page says that a server is up, with samples of it.
pub(super) fn is_up(page: &Page, backend: Backend) -> bool {
    let labels = [("collector", backend.collector()), ("target", "main")];
    let sample = match backend {
        Backend::Mysql => page.get("mysql_global_status_uptime", &[]).is_some(),
        Backend::Redis => page.get("redis_uptime_in_seconds", &[]).is_some(),
        Backend::Nginx => page.get("nginx_http_requests_total", &[]).is_some(),
        Backend::PhpFpm => page.samples("phpfpm_up").any(|series| series.value == 1.0),
    };
    page.get("vitrin_up", &labels) == Some(1.0) && sample
}

/// The servers, and where the exporter believes they are.
pub(super) struct Shop {
    database: Database,
    redis: RedisServer,
    nginx: Nginx,
    php_fpm: PhpFpm,
    proxies: [Proxy; 4],
    /// Holds the password files and the OPcache script, which outlive the servers.
    folder: TempDir,
    /// What the servers want now.
    password: String,
    changes: usize,
}

impl Shop {
    /// Starts them.
    pub(super) fn start() -> Self {
        let folder = folder();
        copy(SCRIPT.as_ref(), &folder.path().join("opcache.php"));
        let password = "first".to_owned();
        let (database, redis) = (database(&password), redis(&password));
        let (nginx, php_fpm) = (Nginx::start(""), PhpFpm::start(&[("shop", POOL)]));
        let places = [
            Place::Port(database.port()),
            Place::Port(redis.port),
            Place::Port(nginx.port),
            Place::Socket(php_fpm.socket("shop")),
        ];
        let proxies = places.map(Proxy::to);
        let shop = Self { database, redis, nginx, php_fpm, proxies, folder, password, changes: 0 };
        Backend::ALL
            .into_iter()
            .filter(|backend| backend.has_password())
            .for_each(|backend| shop.write_password(backend));
        shop
    }

    /// A configuration with one target of each kind.
    pub(super) fn configuration(&self) -> String {
        let [mysql, redis, nginx, php_fpm] = Backend::ALL.map(|backend| self.proxies[backend.index()].port());
        let here = self.folder.path().display();
        format!(
            "[mysql.targets.main]\naddress = '127.0.0.1:{mysql}'\nuser = '{USER}'\npassword = {{ file = '{here}/mysql' }}\n\
             [redis.targets.main]\nurl = 'redis://127.0.0.1:{redis}'\npassword = {{ file = '{here}/redis' }}\n\
             [nginx.targets.main]\nurl = 'http://127.0.0.1:{nginx}/stub_status'\n\
             [php_fpm.targets.main]\npools = ['127.0.0.1:{php_fpm}']\nopcache_script = '{here}/opcache.php'\n"
        )
    }

    /// The trouble begins.
    pub(super) fn begin(&mut self, backend: Backend, trouble: Trouble) {
        let proxy = backend.index();
        match trouble {
            Trouble::Between(fault) => self.proxies[proxy].set(fault),
            Trouble::Restart => self.restart(backend),
            Trouble::Password => {
                self.changes += 1;
                self.password = format!("changed-{}\u{e7}\u{1f511}", self.changes);
                match backend {
                    Backend::Mysql => block_on(
                        self.database
                            .run(&[&format!("ALTER USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{}'", self.password)]),
                    ),
                    _ => drop(self.redis.ask_as("control", &["CONFIG", "SET", "requirepass", &self.password])),
                }
                // Servers ask for it when somebody connects.
                self.proxies[proxy].set(Fault::None);
            }
        }
    }

    /// The trouble ends.
    pub(super) fn end(&self, backend: Backend, trouble: Trouble) {
        match trouble {
            Trouble::Between(_) => self.proxies[backend.index()].set(Fault::None),
            Trouble::Restart => {}
            Trouble::Password => self.write_password(backend),
        }
    }

    /// A fresh server in the place of the old one.
    fn restart(&mut self, backend: Backend) {
        let place = match backend {
            Backend::Mysql => {
                self.database = database(&self.password);
                Place::Port(self.database.port())
            }
            Backend::Redis => {
                self.redis = redis(&self.password);
                Place::Port(self.redis.port)
            }
            Backend::Nginx => {
                self.nginx = Nginx::start("");
                Place::Port(self.nginx.port)
            }
            Backend::PhpFpm => {
                self.php_fpm = PhpFpm::start(&[("shop", POOL)]);
                Place::Socket(self.php_fpm.socket("shop"))
            }
        };
        self.proxies[backend.index()].lead_to(place);
        self.write_password(backend);
    }

    fn write_password(&self, backend: Backend) {
        // In one step: the exporter may be reading it.
        let file = self.folder.path().join(backend.collector());
        let new = file.with_extension("new");
        fs::write(&new, &self.password).unwrap();
        fs::rename(new, file).unwrap();
    }
}

fn database(password: &str) -> Database {
    let database = Database::start(&["--performance-schema=ON"]);
    block_on(database.run(&[
        &format!("CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{password}'"),
        &format!("GRANT PROCESS, SELECT ON *.* TO '{USER}'@'127.0.0.1'"),
    ]));
    database
}

/// A server whose clients need the password; but for the harness, which has a user of its own.
fn redis(password: &str) -> RedisServer {
    let server = RedisServer::start(&[]);
    server.ask(&["ACL", "SETUSER", "control", "on", "nopass", "+@all", "~*"]);
    server.ask(&["CONFIG", "SET", "requirepass", password]);
    server
}
