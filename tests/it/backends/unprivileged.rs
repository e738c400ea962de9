//! The whole shop, set up as the documentation has it and watched by a user without rights of its own.

use std::path::Path;
use std::process::Command;

use super::{apply, document, grants, redis};
use crate::support::daemon::{eventually, folder, free_port};
use crate::support::document::Document;
use crate::support::exporter::Exporter;
use crate::support::fresh::only_root_can;
use crate::support::mariadb::{Database, is_mariadb};
use crate::support::nginx::Nginx;
use crate::support::php_fpm::PhpFpm;
use crate::support::scrape::Page;

/// The user and the group that the exporter is given as good as none, and the sockets'.
const NOBODY: (u32, u32) = (65_534, 33);

/// A pool as Debian has it, but for what the documentation adds; only root gives a socket away.
const POOL: &str = "pm = static\npm.max_children = 2\n";
const CLOSED: &str = "listen.owner = www-data\nlisten.group = www-data\nlisten.mode = 0660\n";

/// Every job that there is.
const JOBS: [&str; 9] = [
    "host",
    "mysql",
    "mysql_digests",
    "mysql_tables",
    "nginx",
    "php_fpm",
    "php_fpm_errors",
    "redis",
    "redis_key_groups",
];

/// Who the exporter runs as.
fn me() -> String {
    let mut command = Command::new("id");
    command.arg("-un").arg(NOBODY.0.to_string());
    String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
}

/// A database whose account logs in by who is at the other end of the socket: here, the exporter's user.
async fn database(document: &Document) -> Database {
    let database = Database::start(&["--performance-schema=ON"]);
    if is_mariadb() {
        apply(&database, document.block("mariadb-socket")).await;
        apply(&database, &grants(document)).await;
    } else {
        apply(&database, document.block("mysql")).await;
    }
    database.run(&[&format!("RENAME USER vitrin@localhost TO '{}'@localhost", me())]).await;
    database
}

/// PHP-FPM with the pool's lines, its status socket in `home`, the script installed there, and its log open.
fn php_fpm(document: &Document, home: &Path) -> (PhpFpm, String) {
    let here = home.display().to_string();
    let lines = document.with("php-fpm-pool", &[("/run/php", &here)]);
    let master = PhpFpm::start(&[("shop", &format!("{POOL}{CLOSED}{lines}"))]);
    let install = document.with("opcache", &[("/usr/share/vitrin", &here)]);
    let install = install.replace("vitrin opcache-script", &format!("{} opcache-script", env!("CARGO_BIN_EXE_vitrin")));
    let log = master.file("fpm.log").display().to_string();
    let open = document.with("error-log", &[("vitrin", "www-data"), ("/var/log/php8.2-fpm.log", &log)]);
    let mut command = Command::new("sh");
    command.args(["-euc", &(install + &open)]);
    assert!(command.status().unwrap().success(), "{command:?}");
    let configuration = master.configuration();
    let table = format!("configuration = '{}'\nopcache_script = '{here}/opcache.php'\n", configuration.display());
    (master, table)
}

/// What is missing from the backends; the machine may well have mount points that are closed to this user.
fn missing(page: &Page) -> Vec<String> {
    let failures = page.samples("vitrin_collect_failures_total").filter(|series| series.value > 0.0);
    failures.filter(|series| series.labels["collector"] != "host").map(|series| format!("{series:?}")).collect()
}

#[tokio::test]
async fn a_user_without_rights_of_its_own_sees_the_whole_shop() {
    only_root_can("be somebody else");
    let (document, home) = (document(), folder());
    let database = database(&document).await;
    let (cache, redis_user) = redis(&document, home.path());
    let (_master, php_fpm) = php_fpm(&document, home.path());
    let port = free_port().to_string();
    let _nginx = Nginx::beside(&document.with("nginx", &[("8080", &port)]));
    let config = format!(
        "[mysql.targets.main]\naddress = '{}'\nuser = '{}'\ndigests = 5\n\
         [redis.targets.main]\nurl = '{}'\n{redis_user}key_groups.sessions.pattern = 'session:*'\n\
         [php_fpm.targets.main]\n{php_fpm}[nginx.targets.main]\nurl = 'http://127.0.0.1:{port}/stub_status'\n",
        database.socket().display(),
        me(),
        cache.url(),
    );
    let exporter = Exporter::start_as(NOBODY, &config);
    let mut page = exporter.scrape();
    eventually("all jobs to have run", || {
        page = exporter.scrape();
        page.samples("vitrin_up").count() >= JOBS.len()
    });
    for collector in JOBS {
        let up = page.get("vitrin_up", &[("collector", collector), ("target", "main")]);
        assert_eq!(up, Some(1.0), "{collector}; the log:\n{}", exporter.log());
    }
    assert_eq!(missing(&page), Vec::<String>::new(), "the log:\n{}", exporter.log());
    for name in ["phpfpm_opcache_enabled", "mysql_statements_total", "redis_key_group_count"] {
        assert!(page.samples(name).next().is_some(), "{name}");
    }
    // Whoever may not open the sockets of PHP-FPM is told what to do.
    let stranger = Exporter::start_as((NOBODY.0, NOBODY.0), &format!("[php_fpm.targets.main]\n{php_fpm}"));
    let page = stranger.scrape();
    assert_eq!(page.number("vitrin_up", &[("collector", "php_fpm"), ("target", "main")]), 0.0);
    assert!(stranger.log().contains("listen.group"), "{}", stranger.log());
}
