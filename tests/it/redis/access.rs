//! Who may come in, by which way, and what they may see.

use std::fs;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use vitrin::collector::Reason;

use super::{collector, of};
use crate::support::certificates::Certificates;
use crate::support::daemon::folder;
use crate::support::found::Found;
use crate::support::redis::RedisServer;

/// The rights that the collector's documentation asks for.
const LEAST: [&str; 10] = [
    "-@all",
    "+client|setname",
    "+info",
    "+config|get",
    "+slowlog|len",
    "+slowlog|get",
    "+latency|latest",
    "+latency|histogram",
    "+cluster|info",
    "resetchannels",
];

/// Makes the ACL user `vitrin` with the password `s3cret pass`.
fn grant(server: &RedisServer, rights: &[&str]) {
    server.ask(&[&["ACL", "SETUSER", "vitrin", "reset", "on", ">s3cret pass"], rights].concat());
}

#[tokio::test]
async fn the_documented_rights_are_enough_and_none_is_too_many() {
    let server = RedisServer::start(&[]);
    let secrets = folder();
    let file = secrets.path().join("password");
    fs::write(&file, "s3cret pass\n").unwrap();
    let text = format!("url = '{}'\nuser = 'vitrin'\npassword = {{ file = '{}' }}", server.url(), file.display());

    grant(&server, &LEAST);
    let all = Found::by(&of(&server)).await.unwrap();
    let found = Found::by(&collector(&text)).await.unwrap();
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    assert_eq!(found.names().symmetric_difference(&all.names()).collect::<Vec<_>>(), Vec::<&String>::new());

    grant(&server, &["-@all", "+info"]);
    let collector = collector(&text);
    for _ in 0..3 {
        let found = Found::by(&collector).await.unwrap();
        let gaps: Vec<_> = found.gaps.iter().map(|gap| (gap.reason, gap.to_string())).collect();
        assert_eq!(gaps.len(), 5, "{gaps:?}");
        assert!(gaps.iter().all(|(reason, _)| *reason == Reason::Permission));
        assert!(gaps.iter().any(|(_, text)| text.contains("CONFIG GET") && text.contains("+config|get")), "{gaps:?}");
        // Unknown, so absent: the databases without keys.
        assert!(found.get("redis_db_keys", &[("db", "db15")]).is_none());
    }
    // Asked once on the connection (six settings, four others, the name), not at each scrape.
    assert!(server.info("errorstat_NOPERM").trim_start_matches("count=").parse::<u32>().unwrap() <= 11);
}

#[tokio::test]
async fn a_password_may_be_any_bytes_of_any_number() {
    let server = RedisServer::start(&[]);
    // The account that changes the password is not the one that has it.
    server.ask(&["ACL", "SETUSER", "control", "on", "nopass", "+@all"]);
    let secrets = folder();
    let file = secrets.path().join("password");
    let text = format!("url = '{}'\npassword = {{ file = '{}' }}", server.url(), file.display());
    let mut runner = TestRunner::deterministic();
    let bytes = proptest::collection::vec(proptest::num::u8::ANY, 1..600);
    let random = (0..30).map(|_| bytes.new_tree(&mut runner).unwrap().current());
    // Redis reads no longer word of somebody who has not logged in.
    let longest = vec![b'x'; 16 << 10];
    let known =
        [(0..=255).rev().collect(), b"\r\n*1\r\n$4\r\nPING\r\n ".to_vec(), b"\n\n".to_vec(), vec![0; 3], longest];
    for password in known.into_iter().chain(random) {
        let client = redis::Client::open(format!("redis://control:any@127.0.0.1:{}", server.port)).unwrap();
        let mut control = client.get_connection().unwrap();
        redis::cmd("CONFIG").arg("SET").arg("requirepass").arg(&password).exec(&mut control).unwrap();
        // One line end is the editor's; before it, a carriage return would be a part of it.
        let end: &[u8] = if password.ends_with(b"\r") { b"" } else { b"\n" };
        fs::write(&file, [&password[..], end].concat()).unwrap();
        let kept = collector(&text);
        Found::by(&kept).await.unwrap_or_else(|failure| panic!("{}: {failure}", password.escape_ascii()));
    }
}

#[tokio::test]
async fn a_wrong_or_missing_password_is_an_auth_failure_that_does_not_show_it() {
    let server = RedisServer::start(&[]);
    grant(&server, &LEAST);
    server.ask(&["CONFIG", "SET", "requirepass", "other"]);
    let secrets = folder();
    let file = secrets.path().join("password");
    let text = format!("url = '{}'\nuser = 'vitrin'\npassword = {{ file = '{}' }}", server.url(), file.display());
    fs::write(&file, "hunter2").unwrap();
    let collector_with_password = collector(&text);
    for collector in [&collector_with_password, &of(&server)] {
        let failure = Found::by(collector).await.err().unwrap();
        assert_eq!(failure.reason, Reason::Auth, "{failure}");
        assert!(!failure.to_string().contains("hunter2"), "{failure}");
    }
    // The file is read again at each connect.
    fs::write(&file, "s3cret pass").unwrap();
    Found::by(&collector_with_password).await.unwrap();
}

#[tokio::test]
async fn a_password_that_nobody_asked_for_is_an_auth_failure() {
    let server = RedisServer::start(&[]);
    let secrets = folder();
    let file = secrets.path().join("password");
    fs::write(&file, "hunter2").unwrap();
    let text = format!("url = '{}'\npassword = {{ file = '{}' }}", server.url(), file.display());
    let failure = Found::by(&collector(&text)).await.err().unwrap();
    assert_eq!(failure.reason, Reason::Auth, "{failure}");
    assert!(!failure.to_string().contains("hunter2"), "{failure}");
}

#[tokio::test]
async fn a_unix_socket_is_as_good_as_a_port() {
    let server = RedisServer::start(&[]);
    let found = Found::by(&collector(&format!("url = 'unix://{}'", server.socket().display()))).await.unwrap();
    assert_eq!(found.names(), Found::by(&of(&server)).await.unwrap().names());
    let failure = Found::by(&collector("url = 'unix:///nowhere/redis.sock'")).await.err().unwrap();
    assert_eq!(failure.reason, Reason::Connect, "{failure}");
}

#[tokio::test]
async fn tls_trusts_who_it_is_told_to() {
    let certificates = Certificates::of("DNS:localhost,IP:127.0.0.1");
    let server = RedisServer::tls(&certificates, &["--tls-auth-clients", "no"]);
    let ca = certificates.file("ca.pem");
    let url = |host| format!("url = 'rediss://{host}:{}'\n", server.port);
    let trusting = format!("tls = {{ ca_file = '{}' }}", ca.display());
    for good in [
        url("localhost") + &trusting,
        url("127.0.0.1") + &trusting,
        url("127.0.0.1") + &format!("tls = {{ ca_file = '{}', server_name = 'localhost' }}", ca.display()),
        url("127.0.0.1") + "tls = { insecure = true }",
    ] {
        Found::by(&collector(&good)).await.unwrap();
    }
    for bad in [
        url("localhost"),
        url("localhost") + &format!("tls = {{ ca_file = '{}', server_name = 'other' }}", ca.display()),
    ] {
        let failure = Found::by(&collector(&bad)).await.err().unwrap();
        assert_eq!(failure.reason, Reason::Tls, "{bad}: {failure}");
    }
    // The server expects a handshake, answers with an alert, and closes; either may arrive first.
    let failure = Found::by(&collector(&format!("url = 'redis://127.0.0.1:{}'", server.port))).await.err().unwrap();
    assert!([Reason::Tls, Reason::Protocol].contains(&failure.reason), "{failure}");
    assert!(failure.to_string().contains("write rediss:// in its url"), "{failure}");
}

#[tokio::test]
async fn a_server_may_ask_for_our_certificate() {
    let certificates = Certificates::of("DNS:localhost,IP:127.0.0.1");
    let server = RedisServer::tls(&certificates, &["--tls-auth-clients", "yes"]);
    let [ca, cert, key] = ["ca.pem", "client.pem", "client.key"].map(|name| certificates.file(name));
    let (ca, cert, key) = (ca.display(), cert.display(), key.display());
    let url = format!("url = 'rediss://localhost:{}'\n", server.port);
    let text = format!("{url}tls = {{ ca_file = '{ca}', cert_file = '{cert}', key_file = '{key}' }}");
    Found::by(&collector(&text)).await.unwrap();
    let failure = Found::by(&collector(&format!("{url}tls = {{ ca_file = '{ca}' }}"))).await.err().unwrap();
    assert_eq!(failure.reason, Reason::Tls, "{failure}");
}

#[tokio::test]
async fn tls_to_a_server_without_it_says_what_may_be_wrong() {
    let server = RedisServer::start(&[]);
    let text = format!("url = 'rediss://127.0.0.1:{}'\ntls = {{ insecure = true }}", server.port);
    let failure = Found::by(&collector(&text)).await.err().unwrap();
    // The server takes the handshake for the beginning of a command and waits for its end, or, when there is a line
    // end among the random bytes, answers with an error.
    match failure.reason {
        Reason::Timeout => assert!(failure.to_string().contains("speaks no TLS"), "{failure}"),
        reason => assert_eq!(reason, Reason::Tls, "{failure}"),
    }
}
