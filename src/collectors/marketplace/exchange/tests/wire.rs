//! What is said, and what is made of a good answer.

use std::time::{Duration, SystemTime};

use expect_test::expect;
use tokio::io::{AsyncWriteExt as _, DuplexStream};

use super::*;

/// What the server hears, and what comes of what it says.
async fn heard_and_told(question: Question, says: &[u8]) -> (String, Exchanged) {
    let mut request = String::new();
    let server = async |mut far: DuplexStream| {
        request = heard(&mut far).await;
        far.write_all(says).await.unwrap();
    };
    let exchanged = piped(question, &Way::default(), server).await;
    (request, exchanged)
}

const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn a_request_is_written_as_it_stands_with_what_every_one_has() {
    let question = Request::post("https://API.example:8443/orders?size=1&q=%C5%9F#top")
        .header("X-Api-Key", "key")
        .header("Host", "other.example")
        .header("Accept-Encoding", "gzip")
        .header("Connection", "keep-alive")
        .header("Content-Length", "7")
        .body(Full::default())
        .unwrap();
    let sent = Outgoing::new(question).unwrap();
    assert_eq!(sent.origin(), "https://api.example:8443");
    // By a pipe without TLS.
    let question = Request::from_parts(sent.request.into_parts().0, Full::default());
    let (mut parts, body) = question.into_parts();
    parts.uri = format!("http://api.example:8443{}", parts.uri).parse().unwrap();
    let (request, _) = heard_and_told(Request::from_parts(parts, body), NO_CONTENT).await;
    expect![[r#"
        POST /orders?size=1&q=%C5%9F HTTP/1.1
        x-api-key: key
        host: api.example:8443
        accept-encoding: identity
        connection: close
        content-length: 0

    "#]]
    .assert_eq(&request.replace('\r', ""));

    let (request, _) = heard_and_told(get("http://[::1]:80"), NO_CONTENT).await;
    expect![[r#"
        GET / HTTP/1.1
        host: [::1]
        connection: close
        accept-encoding: identity

    "#]]
    .assert_eq(&request.replace('\r', ""));
}

#[tokio::test]
async fn a_body_is_sent_with_its_length() {
    let question = Request::post("http://api.example/").header("Content-Length", "99");
    let question = question.header("Transfer-Encoding", "chunked").body(Full::from("a=1&b=2")).unwrap();
    let mut request = Vec::new();
    let server = async |mut far: DuplexStream| {
        while !request.ends_with(b"b=2") {
            far.read_buf(&mut request).await.unwrap();
        }
        far.write_all(NO_CONTENT).await.unwrap();
    };
    let exchanged = piped(question, &Way::default(), server).await;
    assert_eq!(exchanged.answer.unwrap().status, 204);
    let request = String::from_utf8(request).unwrap();
    assert!(request.contains("\r\ncontent-length: 7\r\n") && request.ends_with("\r\n\r\na=1&b=2"), "{request}");
}

#[tokio::test]
async fn an_answer_ends_where_its_kind_ends() {
    let head = Request::head("http://api.example/").body(Full::default()).unwrap();
    for (question, says, body) in [
        (get("http://api.example/"), &b"HTTP/1.1 204 No Content\r\n\r\nno body"[..], ""),
        (get("http://api.example/"), b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", ""),
        (head, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", ""),
        (get("http://api.example/"), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
        (get("http://api.example/"), b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nshop, and more", "shop"),
        (get("http://api.example/"), b"HTTP/1.0 200 OK\r\n\r\nshop", "shop"),
        (get("http://api.example/"), b"HTTP/1.1 200\r\n\r\nshop", "shop"),
        (get("http://api.example/"), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nsh\r\n2\r\nop\r\n0\r\nT: t\r\n\r\n", "shop"),
        (get("http://api.example/"), b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nshop", "shop"),
    ] {
        let (_, exchanged) = heard_and_told(question, says).await;
        let answer = exchanged.answer.as_ref().unwrap();
        assert_eq!(String::from_utf8_lossy(&answer.body), body, "{}", String::from_utf8_lossy(says));
        assert_eq!(seen(&exchanged), ["processing", "transfer"]);
    }
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_read() {
    let size = Limits::default().body;
    for head in [format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n"), "HTTP/1.1 200 OK\r\n\r\n".into()] {
        let says = [head.as_bytes(), &vec![b'x'; size]].concat();
        let server = async |mut far: DuplexStream| {
            heard(&mut far).await;
            far.write_all(&says).await.unwrap();
        };
        let exchanged = piped(get("http://api.example/"), &Way::default(), server).await;
        assert_eq!(exchanged.answer.unwrap().body.len(), size);
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let (_, exchanged) = heard_and_told(
        get("http://api.example/"),
        b"HTTP/1.1 302 Found\r\nLocation: https://login.example/\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let answer = exchanged.answer.unwrap();
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["location"]),
        (302, &"https://login.example/".parse().unwrap())
    );
}

#[tokio::test]
async fn an_address_of_ipv6_is_gone_to_as_it_stands() {
    let listener = TcpListener::bind("[::1]:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = async {
        let mut stream = taken(&listener).await;
        assert!(heard(&mut stream).await.contains(&format!("\r\nhost: [::1]:{port}\r\n")));
        stream.write_all(NO_CONTENT).await.unwrap();
    };
    let exchanged = meanwhile(get(&format!("http://[::1]:{port}/")), &Way::default(), server).await;
    assert_eq!(exchanged.answer.as_ref().unwrap().status, 204);
    assert_eq!(seen(&exchanged), ["connect", "processing", "transfer"]);
    assert_eq!(exchanged.certificate_expiry, None);
}

#[tokio::test]
async fn a_place_that_was_named_is_gone_to_instead() {
    let (listener, address) = listening().await;
    for (uri, place, host) in [
        ("http://api.invalid/", "api.invalid:80", "api.invalid"),
        ("http://api.invalid:8080/", "api.invalid:8080", "api.invalid:8080"),
        ("http://[2001:db8::1]/", "[2001:db8::1]:80", "[2001:db8::1]"),
    ] {
        let server = async {
            let mut stream = taken(&listener).await;
            assert!(heard(&mut stream).await.contains(&format!("\r\nhost: {host}\r\n")));
            stream.write_all(NO_CONTENT).await.unwrap();
        };
        // Also where only the other kind of address counts: somebody has said where it is.
        let ip = crate::net::connect::Family::V6;
        let way = Way { resolve: [(place.to_owned(), address)].into(), ip, ..Way::default() };
        let exchanged = meanwhile(get(uri), &way, server).await;
        assert_eq!(exchanged.answer.as_ref().unwrap().status, 204);
        assert_eq!(seen(&exchanged), ["connect", "processing", "transfer"]);
    }
}

#[tokio::test]
async fn the_other_clock_is_told() {
    let in_an_hour = httpdate::fmt_http_date(SystemTime::now() + Duration::from_hours(1));
    let says = format!("HTTP/1.1 204 No Content\r\nDate: {in_an_hour}\r\n\r\n");
    let (_, exchanged) = heard_and_told(get("http://api.example/"), says.as_bytes()).await;
    let skew = exchanged.clock_skew.unwrap();
    // As many seconds less as this test was held up.
    assert!(skew <= 3_600.0 && skew > 3_000.0 && skew.fract() == 0.0, "{skew}");
    let (_, exchanged) = heard_and_told(get("http://api.example/"), NO_CONTENT).await;
    assert_eq!(exchanged.clock_skew, None);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_no_slow_clock() {
    for before in [0, 4, 7] {
        let server = async |mut far: DuplexStream| {
            heard(&mut far).await;
            tokio::time::sleep(Duration::from_secs(8)).await;
            // The time of day stands still meanwhile.
            let date = httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(before));
            far.write_all(format!("HTTP/1.1 204 No Content\r\nDate: {date}\r\n\r\n").as_bytes()).await.unwrap();
        };
        let exchanged = piped(get("http://api.example/"), &Way::default(), server).await;
        assert_eq!(exchanged.clock_skew, Some(0.0), "{before}");
    }
}
