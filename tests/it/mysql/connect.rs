//! Every way in, and every way of being kept out.

use std::fmt::Write as _;
use std::time::Duration;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use vitrin::collector::{Failure, Reason};
use vitrin::collectors::mysql::{Config, Mysql};

use super::{collector, config, make_account};
use crate::support::broken::refusing;
use crate::support::certificates::Certificates;
use crate::support::found::Found;
use crate::support::mariadb::{Database, is_mariadb};
use crate::support::process::connections_to;

/// A configuration of its own, with a password from a file beside the server's.
fn of(database: &Database, address: &str, user: &str, password: Option<&str>, lines: &str) -> Config {
    let file = database.daemon.folder().join("given");
    let mut text = format!("address = '{address}'\nuser = '{user}'\n");
    if let Some(password) = password {
        std::fs::write(&file, format!("{password}\n")).unwrap();
        writeln!(text, "password = {{ file = '{}' }}", file.display()).unwrap();
    }
    toml::from_str(&(text + lines)).unwrap()
}

async fn run(config: &Config) -> Result<Found, Failure> {
    Found::by(&collector::<Mysql>(config)).await
}

/// A failed run.
async fn failure(config: &Config) -> Failure {
    match run(config).await {
        Ok(_) => panic!("it succeeded"),
        Err(failure) => failure,
    }
}

#[tokio::test]
async fn socket_and_tcp_both_work() {
    let database = Database::start(&[]);
    make_account(&database).await;
    let tcp = format!("127.0.0.1:{}", database.port());
    for address in [database.socket().display().to_string(), tcp] {
        let found = run(&of(&database, &address, "vitrin", Some("secret"), "")).await.unwrap();
        assert!(found.number("mysql_global_status_uptime", &[]) >= 0.0);
    }
}

#[tokio::test]
async fn who_is_kept_out_learns_why() {
    let mut database = Database::start(&["--max-connections=10"]);
    make_account(&database).await;
    let socket = database.socket().display().to_string();
    let wrong = failure(&of(&database, &socket, "vitrin", Some("wrong"), "")).await;
    assert_eq!(wrong.reason, Reason::Auth, "{wrong}");
    assert!(wrong.to_string().starts_with(&format!("connecting to MySQL at {socket}: ")), "{wrong}");
    assert!(!wrong.to_string().contains("wrong"), "{wrong}");

    database.run(&["ALTER USER vitrin@'%' WITH MAX_USER_CONNECTIONS 1"]).await;
    let one = of(&database, &socket, "vitrin", Some("secret"), "");
    let held = collector::<Mysql>(&one);
    Found::by(&held).await.unwrap();
    assert_eq!(failure(&one).await.reason, Reason::Limit);
    drop(held);

    let nobody = of(&database, &refusing().to_string(), "vitrin", None, "");
    assert_eq!(failure(&nobody).await.reason, Reason::Connect);
    database.daemon.kill();
    let gone = failure(&of(&database, &socket, "vitrin", Some("secret"), "")).await;
    assert_eq!(gone.reason, Reason::Connect, "{gone}");
}

#[tokio::test]
async fn any_password_works() {
    let options: &[&str] = if is_mariadb() { &["--plugin-load-add=auth_ed25519"] } else { &[] };
    let database = Database::start(options);
    database.run(&["CREATE USER odd@'%' IDENTIFIED BY ''"]).await;
    // The server's default, and on MariaDB its modern way too: each scrambles in its own manner.
    let ways: &[_] = if is_mariadb() { &["BY '{}'", "VIA ed25519 USING PASSWORD('{}')"] } else { &["BY '{}'"] };
    // Where others could listen, so that no way sends the password as it is.
    let tcp = format!("127.0.0.1:{}", database.port());
    let mut runner = TestRunner::deterministic();
    let text = proptest::collection::vec(proptest::char::range('\u{1}', '\u{2fff}'), 1..40);
    let ascii = proptest::collection::vec(proptest::char::range(' ', '~'), 1..40);
    let known = ["pa?ss", "a#b;c", "a@b:c/d", "$HOME%40", "'\"`\\", "  ", "käse€😀", &"x".repeat(200)];
    let random: Vec<String> = (0..30)
        .map(|index| {
            let characters = if index % 2 == 0 { ascii.new_tree(&mut runner) } else { text.new_tree(&mut runner) };
            characters.unwrap().current().into_iter().collect()
        })
        .collect();
    for password in known.into_iter().map(str::to_owned).chain(random) {
        let quoted = password.replace('\\', "\\\\").replace('\'', "''");
        for way in ways {
            let statement = format!("ALTER USER odd@'%' IDENTIFIED {}", way.replace("{}", &quoted));
            database.run(&[&statement]).await;
            let config = of(&database, &tcp, "odd", Some(&password), "");
            run(&config).await.unwrap_or_else(|failure| panic!("{password:?} {way}: {failure}"));
        }
    }
}

#[tokio::test]
async fn each_server_s_own_ways_to_log_in_work() {
    let options: &[&str] = if is_mariadb() { &["--plugin-load-add=auth_ed25519"] } else { &[] };
    let database = Database::start(options);
    let tcp = format!("127.0.0.1:{}", database.port());
    let statement = if is_mariadb() {
        "CREATE USER modern@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret')"
    } else {
        "CREATE USER modern@'%' IDENTIFIED WITH caching_sha2_password BY 'secret'"
    };
    database.run(&[statement]).await;
    // The first login of caching_sha2_password sends the password encrypted, the second one a hash.
    for _ in 0..2 {
        run(&of(&database, &tcp, "modern", Some("secret"), "")).await.unwrap();
    }
    assert_eq!(failure(&of(&database, &tcp, "modern", Some("wrong"), "")).await.reason, Reason::Auth);
    if is_mariadb() {
        let me = String::from_utf8(std::process::Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        database.run(&[&format!("CREATE OR REPLACE USER '{}'@localhost IDENTIFIED VIA unix_socket", me.trim())]).await;
        let socket = database.socket().display().to_string();
        run(&of(&database, &socket, me.trim(), None, "")).await.unwrap();
        assert_eq!(failure(&of(&database, &socket, "modern2", None, "")).await.reason, Reason::Auth);
    }
}

fn with_tls(certificates: &Certificates) -> Database {
    let files = certificates.options(["--ssl-ca", "--ssl-cert", "--ssl-key"]);
    let files: Vec<_> = files.chunks(2).map(|option| option.join("=")).collect();
    Database::start(&files.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test]
async fn each_tls_mode_demands_what_it_says() {
    let certificates = Certificates::of("DNS:db.example");
    let database = with_tls(&certificates);
    make_account(&database).await;
    database.run(&["ALTER USER vitrin@'%' REQUIRE SSL"]).await;
    let local = format!("127.0.0.1:{}", database.port());
    let ca = certificates.file("ca.pem").display().to_string();
    let with = |address: &str, mode: &str, ca: &str| {
        let ca = if ca.is_empty() { String::new() } else { format!("tls.ca_file = '{ca}'\n") };
        of(&database, address, "vitrin", Some("secret"), &format!("tls.mode = '{mode}'\n{ca}"))
    };
    let encrypted = |found: &Found| found.number("mysql_global_status_ssl_finished_accepts", &[]);

    assert_eq!(failure(&with(&local, "disable", "")).await.reason, Reason::Auth);
    assert!(encrypted(&run(&with(&local, "require", "")).await.unwrap()) >= 1.0);
    run(&with(&local, "verify-ca", &ca)).await.unwrap();
    // The certificate is for db.example.
    let other_name = failure(&with(&local, "verify-full", &ca)).await;
    assert_eq!(other_name.reason, Reason::Tls, "{other_name}");
    for mode in ["verify-ca", "verify-full"] {
        let unknown = failure(&with(&local, mode, "")).await;
        assert_eq!(unknown.reason, Reason::Tls, "{mode}: {unknown}");
    }
    let missing = failure(&with(&local, "verify-full", "/nonexistent.pem")).await;
    assert_eq!(missing.reason, Reason::Tls, "{missing}");
    // A certificate for the address itself.
    let certificates = Certificates::of("IP:127.0.0.1");
    let database = with_tls(&certificates);
    make_account(&database).await;
    let ca = certificates.file("ca.pem").display().to_string();
    let lines = format!("tls.mode = 'verify-full'\ntls.ca_file = '{ca}'\n");
    let address = format!("127.0.0.1:{}", database.port());
    run(&of(&database, &address, "vitrin", Some("secret"), &lines)).await.unwrap();
}

#[tokio::test]
async fn a_certificate_of_ours_is_shown_to_a_server_that_demands_one() {
    let certificates = Certificates::of("DNS:db.example");
    let database = with_tls(&certificates);
    make_account(&database).await;
    database.run(&["ALTER USER vitrin@'%' REQUIRE X509"]).await;
    let address = format!("127.0.0.1:{}", database.port());
    let file = |name: &str| certificates.file(name).display().to_string();
    let mut lines = format!("tls.mode = 'verify-ca'\ntls.ca_file = '{}'\n", file("ca.pem"));
    assert_eq!(failure(&of(&database, &address, "vitrin", Some("secret"), &lines)).await.reason, Reason::Auth);
    // The server's own, of the authority that it trusts.
    writeln!(lines, "tls.cert_file = '{}'\ntls.key_file = '{}'", file("server.pem"), file("server.key")).unwrap();
    run(&of(&database, &address, "vitrin", Some("secret"), &lines)).await.unwrap();
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_demanded() {
    let off = if is_mariadb() { "--skip-ssl" } else { "--tls-version=" };
    let database = Database::start(&[off]);
    make_account(&database).await;
    let address = format!("127.0.0.1:{}", database.port());
    let plain = failure(&of(&database, &address, "vitrin", Some("secret"), "tls.mode = 'require'")).await;
    assert_eq!(plain.reason, Reason::Tls, "{plain}");
}

#[tokio::test]
async fn a_hung_server_costs_no_descriptors_and_is_found_again() {
    let database = Database::start(&[]);
    make_account(&database).await;
    let address = format!("127.0.0.1:{}", database.port());
    let mysql = collector::<Mysql>(&of(&database, &address, "vitrin", Some("secret"), ""));
    Found::by(&mysql).await.unwrap();
    database.daemon.hang();
    for _ in 0..40 {
        let run = tokio::time::timeout(Duration::from_millis(20), Found::by(&mysql)).await;
        assert!(run.is_err(), "it answered");
    }
    let held = connections_to(database.port());
    database.daemon.resume();
    assert!(held <= 1, "{held} connections are held");
    let found = Found::by(&mysql).await.unwrap();
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
}

#[tokio::test]
async fn a_restarted_server_is_not_down_for_one_scrape() {
    let database = Database::start(&[]);
    make_account(&database).await;
    let mysql = collector::<Mysql>(&config(&database, ""));
    Found::by(&mysql).await.unwrap();
    let ours = "SELECT id FROM information_schema.processlist WHERE user = 'vitrin'";
    let id = database.ask(ours).await[0][0].clone();
    database.run(&[&format!("KILL {id}")]).await;
    Found::by(&mysql).await.unwrap();
    assert_ne!(database.ask(ours).await[0][0], id);
}
