//! What is found without a configuration, on a machine where only the servers of each test run.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use vitrin::collector::{Context, Paths};
use vitrin::config::secret::Environment;
use vitrin::discovery::{Discovered, discover};

use crate::support::daemon::{copy, eventually, folder, free_port};
use crate::support::document::Document;
use crate::support::exporter::Exporter;
use crate::support::mariadb::{Database, block_on};
use crate::support::nginx::Nginx;
use crate::support::redis::RedisServer;
use crate::support::scrape::Series;
use crate::support::sight::procfs_with;
use crate::support::stack::Stack;

/// What is found with this procfs and this root.
fn found(procfs: &TempDir, root: &Path) -> Discovered {
    let paths = Paths { proc: procfs.path().to_owned(), root: root.to_owned(), ..Paths::default() };
    block_on(async { discover(&Context::new(paths), &Environment::default()).await })
}

/// Each target, and why it is closed, if it is.
fn shown(discovered: &Discovered) -> Vec<(String, Option<String>)> {
    let shown = discovered.found().map(|found| {
        (format!("{}/{}", found.topic, found.target.as_str()), found.locked.as_ref().map(|locked| locked.why.clone()))
    });
    shown.collect()
}

#[test]
fn a_whole_stack_is_found_and_served() {
    let stack = Stack::start();
    // Stands for the account that logs in by who it is; the user of this test is not called so.
    block_on(stack.database().run(&["CREATE USER vitrin@localhost"]));
    let servers: Vec<_> = stack.servers().iter().map(|(_, _, server)| *server).collect();
    let procfs = procfs_with(&servers);
    let exporter = Exporter::start_without_configuration(&[&format!("--path.procfs={}", procfs.path().display())]);
    // Each found thing that answers is there from the first scrape on, unless the machine is very slow.
    eventually("all to be served", || {
        let page = exporter.scrape();
        ["php_fpm", "mysql", "redis", "nginx"]
            .iter()
            .all(|&topic| page.get("vitrin_up", &[("collector", topic), ("target", "main")]) == Some(1.0))
    });
    let page = exporter.get("/", &[]).text();
    assert!(page.contains("There is no configuration") && !page.contains("closed"), "{page}");
}

#[test]
fn a_server_with_a_password_is_closed_until_there_is_one_for_us() {
    let redis = RedisServer::start(&[]);
    redis.ask(&["CONFIG", "SET", "requirepass", "canary"]);
    let (procfs, root) = (procfs_with(&[&redis.daemon]), folder());
    let closed = shown(&found(&procfs, root.path()));
    let [(target, Some(why))] = &closed[..] else { panic!("{closed:?}") };
    assert!(target == "redis/main" && why.contains("NOAUTH"), "{target}: {why}");

    fs::create_dir_all(root.path().join("etc/vitrin")).unwrap();
    fs::write(root.path().join("etc/vitrin/redis.password"), "for-us\n").unwrap();
    let client = redis::Client::open(format!("redis://:canary@127.0.0.1:{}", redis.port)).unwrap();
    let user = ["SETUSER", "vitrin", "on", ">for-us", "+client|setname", "+info", "+slowlog|len", "+slowlog|get"];
    redis::cmd("ACL").arg(&user).exec(&mut client.get_connection().unwrap()).unwrap();
    let open = found(&procfs, root.path());
    assert_eq!(shown(&open), [("redis/main".to_owned(), None)]);
    let table = open.found().next().unwrap().table.clone();
    assert!(table.contains("user = \"vitrin\"\npassword = { file = ") && !table.contains("for-us"), "{table}");
}

#[test]
fn several_servers_of_a_kind_are_called_by_what_tells_them_apart() {
    let (a, b) = (RedisServer::start(&[]), RedisServer::start(&[]));
    let procfs = procfs_with(&[&a.daemon, &b.daemon]);
    let second = a.port.max(b.port);
    let expected = vec![("redis/main".to_owned(), None), (format!("redis/{second}"), None)];
    // The same at each look, so that no series changes its name at the next start.
    for _ in 0..3 {
        assert_eq!(shown(&found(&procfs, Path::new("/"))), expected);
    }
}

#[test]
fn a_machine_with_nothing_on_it_still_shows_itself() {
    let procfs = procfs_with(&[]);
    assert!(shown(&found(&procfs, Path::new("/"))).is_empty());
    let exporter = Exporter::start_without_configuration(&[&format!("--path.procfs={}", procfs.path().display())]);
    assert!(exporter.scrape().get("vitrin_up", &[("collector", "host"), ("target", "main")]).is_some());
    let page = exporter.get("/", &[]).text();
    assert!(page.contains("no PHP-FPM, MySQL, Redis or nginx was found"), "{page}");
}

#[test]
fn with_a_configuration_nothing_is_looked_for() {
    let redis = RedisServer::start(&[]);
    let procfs = procfs_with(&[&redis.daemon]);
    let exporter = Exporter::start_with("", &[&format!("--path.procfs={}", procfs.path().display())]);
    assert!(exporter.scrape().get("vitrin_up", &[("collector", "redis"), ("target", "main")]).is_none());
    assert!(!exporter.get("/", &[]).text().contains("There is no configuration"));
}

/// Runs the program as a user without rights, whose home is this folder.
fn as_somebody(home: &TempDir, arguments: &[&str]) -> Output {
    const NOBODY: u32 = 65_534;
    // The build may lie where that user cannot go.
    let program = home.path().join("vitrin");
    copy(Path::new(env!("CARGO_BIN_EXE_vitrin")), &program);
    Command::new(program).args(arguments).env("HOME", home.path()).uid(NOBODY).gid(NOBODY).output().unwrap()
}

#[test]
fn an_option_file_in_our_home_lets_us_in_and_its_password_is_shown_to_nobody() {
    let database = Database::start(&[]);
    block_on(database.run(&["CREATE USER shop@localhost IDENTIFIED BY 'Tr0ub4dor \"x\" #1'"]));
    let (procfs, home) = (procfs_with(&[&database.daemon]), folder());
    fs::write(home.path().join(".my.cnf"), "[client]\nuser = shop\npassword = 'Tr0ub4dor \"x\" #1'\n").unwrap();
    let procfs = format!("--path.procfs={}", procfs.path().display());
    let said = as_somebody(&home, &["collect", "mysql/main", &procfs]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    let file = as_somebody(&home, &["init", "--stdout", &procfs]);
    let text = String::from_utf8_lossy(&file.stdout);
    assert!(text.contains("user = \"shop\"\npassword = { option_file = \""), "{text}");
    for output in [said, file] {
        let words = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&words).contains("Tr0ub4dor"), "{}", String::from_utf8_lossy(&words));
    }
}

/// Asks an nginx for a page of this host's.
fn visit(port: u16, host: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET /sepet HTTP/1.0\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn the_logs_of_a_running_nginx_are_found_by_host_and_format_and_followed() {
    let block = Document::read("docs/access-log.md").block("recommended").to_owned();
    let (format, _) = block.split_once("access_log").unwrap();
    let port = free_port();
    let nginx = Nginx::beside(&format!(
        "{format}\nlog_format brief '$remote_addr [$time_local] \"$request\" $status';\n\
         server {{ listen 127.0.0.1:{port}; server_name a.example www.a.example; root {{home}}/a;\n\
           access_log {{home}}/a.log combined_timed; location / {{ return 200 a; }} }}\n\
         server {{ listen 127.0.0.1:{port}; server_name b.example; access_log {{home}}/b.log brief;\n\
           location / {{ return 200 b; }} }}\n\
         server {{ listen 127.0.0.1:{port}; server_name c.example; access_log off; location / {{ return 200 c; }} }}\n"
    ));
    let shop = nginx.daemon.folder().join("a");
    fs::create_dir_all(shop.join("system")).unwrap();
    fs::write(shop.join("system/startup.php"), "").unwrap();
    fs::write(shop.join("index.php"), "<?php\ndefine('VERSION', '4.1.0.3');\n").unwrap();
    fs::set_permissions(nginx.daemon.folder(), fs::Permissions::from_mode(0o755)).unwrap();

    let procfs = procfs_with(&[&nginx.daemon]);
    let exporter = Exporter::start_without_configuration(&[&format!("--path.procfs={}", procfs.path().display())]);
    let is_of = |series: &Series, target, host| series.labels["target"] == target && series.labels["vhost"] == host;
    // What was written before the log was found is not counted.
    eventually("requests to be counted", || {
        for host in ["www.a.example", "b.example", "c.example"] {
            visit(port, host);
        }
        let page = exporter.scrape();
        let mut logs = [("main", "a.example"), ("b.example", "b.example")].into_iter();
        logs.all(|(target, host)| page.samples("shop_http_requests_total").any(|series| is_of(series, target, host)))
    });
    // What lines do not say is absent.
    let page = exporter.scrape();
    let timed: Vec<_> = page.samples("shop_http_request_duration_seconds_count").collect();
    assert!(!timed.is_empty() && timed.iter().all(|series| is_of(series, "main", "a.example")), "{timed:?}");
    let page = exporter.get("/", &[]).text();
    let seen = "a.log in the format combined_timed; the files that it serves are those of opencart4";
    assert!(page.contains("access_log/main") && page.contains(seen), "{page}");
    assert!(page.contains("b.log do not say how long requests took"), "{page}");
}
