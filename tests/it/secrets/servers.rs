//! The passwords of databases and of pools.

use std::fmt::Write as _;
use std::fs;

use super::assert_absent;
use crate::support::daemon::folder;
use crate::support::exporter::Exporter;
use crate::support::mariadb::Database;
use crate::support::php_fpm::PhpFpm;
use crate::support::redis::RedisServer;

/// In every secret of this test.
const CANARY: &str = "kanarya-5e1f";

#[tokio::test]
async fn no_secret_leaves_the_program() {
    let database = Database::start(&[]);
    database
        .run(&[
            &format!("CREATE USER vitrin@'%' IDENTIFIED BY 'right-{CANARY}'"),
            "GRANT SELECT, PROCESS ON *.* TO vitrin@'%'",
        ])
        .await;
    let redis = RedisServer::start(&["--user", "vitrin", "on", &format!(">right-{CANARY}"), "+@all", "~*"]);
    let pool = format!("pm = static\npm.max_children = 1\npm.status_path = /status\nenv[SHOP_KEY] = pool-{CANARY}");
    let php_fpm = PhpFpm::start(&[("shop", &pool)]);
    let folder = folder();
    for kind in ["right", "wrong"] {
        fs::write(folder.path().join(kind), format!("{kind}-{CANARY}\n")).unwrap();
    }

    let here = folder.path().display();
    let mut config = format!("[php_fpm.targets.main]\n{}", php_fpm.table(""));
    for (target, tls) in [("right", "disable"), ("wrong", "disable"), ("wrong_tls", "verify-full")] {
        let file = target.split('_').next().unwrap();
        write!(
            config,
            "[mysql.targets.{target}]\naddress = '127.0.0.1:{}'\nuser = 'vitrin'\ntls.mode = '{tls}'\n\
             password = {{ file = '{here}/{file}' }}\n\
             [redis.targets.{target}]\nurl = '{}'\nuser = 'vitrin'\npassword = {{ file = '{here}/{file}' }}\n",
            database.port(),
            redis.url(),
        )
        .unwrap();
    }
    for style in ["text", "json"] {
        let exporter = Exporter::start_with(&config, &["--log.level=trace", &format!("--log.format={style}")]);
        let page = exporter.scrape();
        for (collector, target, up) in
            [("mysql", "right", 1.0), ("redis", "right", 1.0), ("mysql", "wrong", 0.0), ("redis", "wrong", 0.0)]
        {
            let labels = [("collector", collector), ("target", target)];
            assert_eq!(page.number("vitrin_up", &labels), up, "{collector}/{target}\n{}", exporter.log());
        }
        let mut shown = vec![
            ("the metrics", exporter.get("/metrics", &[]).text()),
            ("the landing page", exporter.get("/", &[]).text()),
            ("the argument list", fs::read_to_string(format!("/proc/{}/cmdline", exporter.pid())).unwrap()),
        ];
        shown.push(("the log", exporter.stop().1));
        for (place, text) in shown {
            assert_absent([CANARY], &format!("{place} ({style})"), &text);
        }
    }
}
