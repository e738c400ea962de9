//! What one client can take from others: requests, connections, patience.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Folder, TLS, hash};
use crate::support::daemon::{Ending, eventually};
use crate::support::exporter::Exporter;
use crate::support::http::{Connection, ask};
use crate::support::scrape::Page;

/// As many connections as Vitrin keeps.
const CONNECTIONS: usize = 256;

#[test]
fn above_the_rate_limit_a_client_is_told_to_come_later() {
    // An hour, so that no slow machine sees the bucket fill again.
    let folder = Folder::with("rate_limit:\n  interval: 1h\n  burst: 3\n");
    let exporter = folder.exporter();
    let statuses = [(); 5].map(|()| folder.http(exporter.address(), "/metrics", "").status);
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let refused = folder.http(exporter.address(), "/-/healthy", "");
    assert!(refused.status == 429 && refused.text.contains("\r\nretry-after: 1\r\n"), "{refused:?}");
    // Another address has a bucket of its own.
    assert_eq!(folder.http(exporter.address(), "/metrics", "--interface 127.0.0.2").status, 200);
}

/// Keeps all connections taken by clients that send a request a byte at a time and never end it.
fn dribble(address: SocketAddr, stop: &AtomicBool) {
    let open = || TcpStream::connect(address).ok();
    let mut crowd: Vec<_> = (0..CONNECTIONS).map(|_| open()).collect();
    while !stop.load(Ordering::Relaxed) {
        for connection in &mut crowd {
            let sent = connection.as_mut().is_some_and(|connection| connection.write_all(b"G").is_ok());
            if !sent {
                *connection = open();
            }
        }
    }
}

#[test]
fn a_scrape_gets_through_while_dribblers_take_every_connection() {
    let exporter = Exporter::start("");
    let mut kept = Connection::open(exporter.address()).unwrap();
    let mut turned_out = || {
        let page = Page::parse(&kept.ask("GET", "/metrics", &[]).unwrap().text()).unwrap();
        page.number("vitrin_web_refused_total", &[("reason", "crowd")])
    };
    assert_eq!(turned_out(), 0.0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let ending = Ending(&stop);
        scope.spawn(|| dribble(exporter.address(), &stop));
        eventually("all connections to be taken, and one to be turned out for the next", || turned_out() >= 1.0);
        for _ in 0..5 {
            // Who is slow to ask may be turned out by those that came since, and comes again.
            let scrape = || ask(exporter.address(), "GET", "/metrics", &[]).is_ok_and(|answer| answer.status == 200);
            eventually("a scrape on a new connection", scrape);
            // On the connection that is kept.
            turned_out();
        }
        // Dribblers whose time is over make room, too, and come again.
        eventually("more to be turned out", || turned_out() >= 5.0);
        drop(ending);
    });
    assert!(exporter.fds() < CONNECTIONS + 50, "{}", exporter.fds());
}

#[test]
fn who_has_no_password_does_not_push_out_who_has() {
    let folder = Folder::with(&format!("basic_auth_users:\n  alice: {}\n", hash("open-sesame")));
    let exporter = folder.exporter();
    let mut kept = Connection::open(exporter.address()).unwrap();
    // Base64 of `alice:open-sesame`.
    let alice = [("Authorization", "Basic YWxpY2U6b3Blbi1zZXNhbWU=")];
    assert_eq!(kept.ask("GET", "/-/ready", &alice).unwrap().status, 200);
    let mut strangers = Vec::new();
    for _ in 0..2 * CONNECTIONS {
        let mut stranger = Connection::open(exporter.address()).unwrap();
        assert_eq!(stranger.ask("GET", "/-/ready", &[]).unwrap().status, 401);
        strangers.push(stranger);
    }
    let page = Page::parse(&kept.ask("GET", "/metrics", &alice).unwrap().text()).unwrap();
    assert!(page.number("vitrin_web_refused_total", &[("reason", "crowd")]) >= 257.0);
}

#[test]
fn who_connects_and_does_not_ask_is_sent_away_and_who_asked_may_stay() {
    let folder = Folder::with(TLS);
    let encrypted = folder.exporter();
    let plain = Exporter::start("");
    let mut kept = Connection::open(plain.address()).unwrap();
    kept.ask("GET", "/-/ready", &[]).unwrap();
    let silent = [
        (plain.address(), &b""[..]),
        (plain.address(), b"GET /metrics HTTP/1.1\r\nHost:"),
        (encrypted.address(), b""),
        // The head of a TLS record whose end never comes.
        (encrypted.address(), b"\x16\x03\x01\x02\x00\x01\x00"),
    ];
    let connections = silent.map(|(address, bytes)| {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.write_all(bytes).unwrap();
        connection
    });
    for mut connection in connections {
        let mut answer = Vec::new();
        // Ends when the server closes, and with a reset where something was left unread.
        connection.read_to_end(&mut answer).unwrap_or_default();
        assert_eq!(answer, b"");
    }
    assert_eq!(kept.ask("GET", "/-/ready", &[]).unwrap().status, 200);
}
