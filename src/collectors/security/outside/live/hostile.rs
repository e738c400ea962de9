//! Servers that behave as none should: each costs its own answer, and no more.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::collectors::security::outside::active::files::ask_files;
use crate::collectors::security::outside::certificate::{is_hang_up, look_at_certificate};
use crate::collectors::security::outside::offers::ask_versions_and_suites;
use crate::collectors::security::outside::pages::ask_pages;
use crate::collectors::security::outside::pages::{Pages, Plain};
use crate::collectors::security::outside::sample;
use crate::collectors::security::outside::visitor::Visitor;
use crate::collectors::security::verdict::Cause;

const PATIENCE: Duration = Duration::from_millis(300);

/// A visitor of a shop that is here, by HTTP and by HTTPS.
fn visitor(listener: &TcpListener) -> Visitor {
    let place = listener.local_addr().unwrap();
    let config = format!(
        "url = 'https://shop.example/'\nresolve = {{ 'shop.example:443' = '{place}', 'shop.example:80' = '{place}' }}"
    );
    Visitor::of(&sample::seen(&config).config).unwrap().within(PATIENCE)
}

/// What is found of a server that answers each request by HTTP so; the rest of its words does not end when it is `endless`.
async fn pages(answer: &str, endless: &str) -> Pages {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let visitor = visitor(&listener);
    let serve = async {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") && stream.read_buf(&mut asked).await.is_ok_and(|read| read > 0) {}
            stream.write_all(answer.as_bytes()).await.ok();
            while !endless.is_empty() && stream.write_all(endless.as_bytes()).await.is_ok() {}
        }
    };
    let admin = Ok(Some("/admin/".to_owned()));
    tokio::select! {
        pages = ask_pages(&visitor, &admin, "") => pages,
        () = serve => panic!("the server ended first"),
    }
}

#[tokio::test]
async fn silence_is_waited_for_once_for_each_question() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let visitor = visitor(&listener);
    let begun = Instant::now();
    let mut held = Vec::new();
    let keep = async {
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    };
    let (pages, certificate, offers) = tokio::select! {
        told = async {
            let pages = ask_pages(&visitor, &Ok(Some("/admin/".to_owned())), "").await;
            (pages, look_at_certificate(&visitor).await, ask_versions_and_suites(&visitor).await)
        } => told,
        () = keep => panic!("the server ended first"),
    };
    // Six pages, a certificate, and two questions, after which nobody is asked any more.
    assert!(begun.elapsed() < PATIENCE * 12, "{:?}", begun.elapsed());
    assert_eq!(pages.shop.unwrap_err().cause, Cause::Timeout);
    assert_eq!(pages.plain_admin.unwrap_err().cause, Cause::Timeout);
    assert!(pages.crossings.iter().all(|one| one.as_ref().is_err_and(|unknown| unknown.cause == Cause::Timeout)));
    assert_eq!(certificate.unwrap_err().cause, Cause::Timeout);
    let offers = offers.unwrap();
    let all = offers.versions.iter().chain(&offers.suites);
    assert!(all.into_iter().all(|known| known.as_ref().is_err_and(|unknown| unknown.cause == Cause::Timeout)));
}

/// What comes of asking somebody who takes each connection so.
async fn asked<T>(take: impl AsyncFn(TcpStream), ask: impl AsyncFnOnce(Visitor) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let visitor = visitor(&listener);
    let serve = async {
        while let Ok((stream, _)) = listener.accept().await {
            take(stream).await;
        }
    };
    tokio::select! {
        told = ask(visitor) => told,
        () = serve => panic!("the server ended first"),
    }
}

#[tokio::test]
async fn files_are_not_asked_for_of_who_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let visitor = visitor(&listener);
    let begun = Instant::now();
    // The kernel takes the connections, and nobody ever answers.
    let files = ask_files(&visitor, &[], None).await;
    assert_eq!(files.unwrap_err().cause, Cause::Timeout);
    assert!(begun.elapsed() < PATIENCE * 3, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn who_hangs_up_has_not_said_that_there_is_no_https() {
    let hang_up = async |stream: TcpStream| drop(stream);
    let unknown = asked(hang_up, async |visitor| look_at_certificate(&visitor).await).await.unwrap_err();
    assert!(unknown.cause == Cause::Unreachable && is_hang_up(&unknown), "{unknown:?}");
    let after_hello = async |mut stream: TcpStream| {
        assert!(stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0));
    };
    let unknown = asked(after_hello, async |visitor| look_at_certificate(&visitor).await).await.unwrap_err();
    assert!(unknown.cause == Cause::Unreachable && is_hang_up(&unknown), "{unknown:?}");
    let speaks_http = async |mut stream: TcpStream| {
        assert!(stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0));
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok();
    };
    let shown = asked(speaks_http, async |visitor| look_at_certificate(&visitor).await).await.unwrap();
    assert!(!shown.is_tls, "{shown:?}");
}

#[tokio::test]
async fn a_port_that_is_closed_is_told_as_that() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let visitor = visitor(&listener);
    drop(listener);
    let pages = ask_pages(&visitor, &Ok(None), "").await;
    assert_eq!(pages.shop.unwrap_err().cause, Cause::Unreachable);
    assert_eq!(pages.plain_shop, Ok(Plain::Closed));
    assert_eq!(pages.plain_admin, Ok(None));
    assert_eq!(look_at_certificate(&visitor).await.unwrap_err().cause, Cause::Unreachable);
    assert_eq!(ask_versions_and_suites(&visitor).await.unwrap_err().cause, Cause::Unreachable);
}

#[tokio::test]
async fn a_head_or_body_without_end_is_not_read_to_it() {
    let line = format!("X-Padding: {}\r\n", "x".repeat(1000));
    let found = pages("HTTP/1.1 200 OK\r\n", &line).await.plain_shop.unwrap_err();
    assert_eq!(found.cause, Cause::Unparsable, "{found:?}");
    let body = pages("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n", &"x".repeat(4096)).await;
    let Ok(Plain::Open(visit)) = body.plain_shop else { panic!("{body:?}") };
    assert_eq!(visit.last().unwrap().values("server").collect::<Vec<_>>(), ["nginx"]);
    // A body that is promised and does not come takes nothing from the head.
    let late = pages("HTTP/1.1 200 OK\r\nServer: late\r\nContent-Length: 9\r\n\r\n", "").await;
    let Ok(Plain::Open(visit)) = late.plain_shop else { panic!("{late:?}") };
    assert_eq!(visit.last().unwrap().values("server").collect::<Vec<_>>(), ["late"]);
}

#[tokio::test]
async fn redirects_are_followed_three_times_and_to_nobody_else() {
    let round =
        pages("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "").await;
    let Ok(Plain::Open(visit)) = round.plain_shop else { panic!("{round:?}") };
    assert_eq!(visit.answers.len(), 4);
    for elsewhere in
        ["http://127.0.0.1:1/", "http://shop.example:22/", "http://shop.example.evil/", "file:///etc/passwd"]
    {
        let answer =
            format!("HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let Ok(Plain::Open(visit)) = pages(&answer, "").await.plain_shop else { panic!("{elsewhere}") };
        assert_eq!(visit.answers.len(), 1, "{elsewhere}");
    }
}
