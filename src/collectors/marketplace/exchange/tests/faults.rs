//! What goes wrong has its outcome, and the phase that it went wrong in is known.

use std::cell::Cell;
use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect;
use tokio::io::{AsyncWriteExt as _, DuplexStream};
use tokio::time::sleep;

use super::*;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\n";

/// What comes of a server that hears the request, says this and hangs up.
async fn told(says: &[u8]) -> String {
    let server = async |mut far: DuplexStream| {
        heard(&mut far).await;
        // Whoever has heard enough hangs up first.
        far.write_all(says).await.ok();
    };
    fault(&piped(get("http://api.example/"), &Way::default(), server).await)
}

#[tokio::test]
async fn what_is_no_whole_answer_says_what_is_wrong_with_it() {
    let mut lines = String::new();
    for (what, says) in [
        ("nothing", b"".to_vec()),
        ("garbage", b"\xff\xfe\x00\x80garbage\r\n\r\n".to_vec()),
        ("another protocol", b"220 mail.example ESMTP\r\n".to_vec()),
        ("HTTP/2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00".to_vec()),
        ("no whole status line", b"HTTP/1.1 20".to_vec()),
        ("no whole header", [OK, b"Content-Le"].concat()),
        ("a header that is none", [OK, b"Content Length: 4\r\n\r\nshop"].concat()),
        ("a length that is none", [OK, b"Content-Length: many\r\n\r\nshop"].concat()),
        ("two lengths", [OK, b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nshop!"].concat()),
        ("a torn body", [OK, b"Content-Length: 10\r\n\r\nshop"].concat()),
        ("a torn chunk", [OK, b"Transfer-Encoding: chunked\r\n\r\n4\r\nsh"].concat()),
        ("no last chunk", [OK, b"Transfer-Encoding: chunked\r\n\r\n4\r\nshop\r\n"].concat()),
        ("a chunk without a size", [OK, b"Transfer-Encoding: chunked\r\n\r\nshop\r\n"].concat()),
        ("a body after a chunk", [OK, b"Transfer-Encoding: chunked\r\n\r\n4\r\nshopping\r\n"].concat()),
        ("only an interim answer", b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        ("101 lines", [OK, &b"A: b\r\n".repeat(101), b"\r\n"].concat()),
        ("70 KiB of header", [OK, b"A: ", &b"b".repeat(70 << 10), b"\r\n\r\n"].concat()),
        ("300 KiB that are announced", [OK, b"Content-Length: 307200\r\n\r\n"].concat()),
        ("300 KiB until the end", [OK, b"\r\n", &b"b".repeat(300 << 10)].concat()),
    ] {
        writeln!(lines, "{what}: {}", told(&says).await).unwrap();
    }
    expect![[r#"
        nothing: invalid_response: waiting for the answer: connection closed before message completed
        garbage: invalid_response: waiting for the answer: invalid HTTP version parsed
        another protocol: invalid_response: waiting for the answer: invalid HTTP version parsed
        HTTP/2: invalid_response: waiting for the answer: invalid HTTP version parsed
        no whole status line: invalid_response: waiting for the answer: connection closed before message completed
        no whole header: invalid_response: waiting for the answer: connection closed before message completed
        a header that is none: invalid_response: waiting for the answer: invalid HTTP header parsed
        a length that is none: invalid_response: waiting for the answer: invalid content-length parsed
        two lengths: invalid_response: waiting for the answer: invalid content-length parsed
        a torn body: invalid_response: reading the body after 4 bytes: error reading a body from connection: end of file before message length reached
        a torn chunk: invalid_response: reading the body after 2 bytes: error reading a body from connection: end of file before message length reached
        no last chunk: invalid_response: reading the body after 4 bytes: error reading a body from connection: unexpected EOF during chunk size line
        a chunk without a size: invalid_response: reading the body after 0 bytes: error reading a body from connection: Invalid chunk size line: missing size digit
        a body after a chunk: invalid_response: reading the body after 4 bytes: error reading a body from connection: Invalid chunk body CR
        only an interim answer: invalid_response: waiting for the answer: connection closed before message completed
        101 lines: invalid_response: waiting for the answer: message head is too large
        70 KiB of header: invalid_response: waiting for the answer: message head is too large
        300 KiB that are announced: invalid_response: a body of 307200 bytes is announced, more than the 262144 that are read
        300 KiB until the end: invalid_response: the body is larger than 262144 bytes
    "#]].assert_eq(&lines);
}

#[tokio::test]
async fn what_is_larger_than_the_limit_is_not_read_to_its_end() {
    let way = Way { limits: Limits { header: 8 << 10, body: 100 << 10 }, ..Way::default() };
    let announces = [OK, b"Content-Length: 104857600\r\n\r\n"].concat();
    let chunk = [&b"4000\r\n"[..], &[b'x'; 0x4000], b"\r\n"].concat();
    for (head, again, most) in [
        (&announces[..], &[b'x'; 16 << 10][..], 1),
        (&[OK, b"\r\n"].concat(), &[b'x'; 16 << 10], 200 << 10),
        (&[OK, b"Transfer-Encoding: chunked\r\n\r\n"].concat(), &chunk, 200 << 10),
        // Lines without end, or a line: the header is no larger than it may be.
        (OK, b"X-Again: and again\r\n", 32 << 10),
        (b"HTTP/1.1 200 ", b"and again ", 32 << 10),
    ] {
        let written = Cell::new(0);
        let server = async |mut far: DuplexStream| {
            heard(&mut far).await;
            far.write_all(head).await.unwrap();
            while written.get() < 100 << 20 && far.write_all(again).await.is_ok() {
                written.set(written.get() + again.len());
            }
        };
        let exchanged = piped(get("http://api.example/"), &way, server).await;
        let fault = exchanged.answer.unwrap_err();
        assert_eq!((fault.outcome, fault.failure.reason), (Outcome::InvalidResponse, Reason::Limit));
        // The pipe holds 64 KiB, and hyper's buffer some.
        assert!(written.get() < most + (128 << 10), "{}: {} bytes", fault.failure, written.get());
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_waited_for_no_longer_than_all_of_it_may_take() {
    for (says, phase) in [
        (&b""[..], Phase::Processing),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Phase::Processing),
        (b"HTTP/1.1 200", Phase::Transfer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", Phase::Transfer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsho", Phase::Transfer),
        (b"HTTP/1.1 200 OK\r\n\r\nshop", Phase::Transfer),
    ] {
        let server = async |mut far: DuplexStream| {
            heard(&mut far).await;
            sleep(Duration::from_secs(2)).await;
            far.write_all(says).await.unwrap();
            std::future::pending::<()>().await;
        };
        let exchanged = piped(get("http://api.example/"), &Way::default(), server).await;
        let doing = if phase == Phase::Processing { "waiting for the answer" } else { "reading the answer" };
        assert_eq!(fault(&exchanged), format!("timeout: {doing}: not done within 10s"));
        let times = exchanged.phases.map(|time| time.map(|time| time.as_secs()));
        let expected = if phase == Phase::Processing { (Some(10), None) } else { (Some(2), Some(8)) };
        assert_eq!((times[3], times[4]), expected, "{says:?}");
        assert_eq!(exchanged.total.as_secs(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn interim_answers_without_end_are_no_answer() {
    let server = async |mut far: DuplexStream| {
        heard(&mut far).await;
        loop {
            far.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").await.unwrap();
            sleep(Duration::from_millis(100)).await;
        }
    };
    let exchanged = piped(get("http://api.example/"), &Way::default(), server).await;
    assert_eq!(fault(&exchanged), "timeout: waiting for the answer: not done within 10s");
    assert_eq!(seen(&exchanged), ["processing"]);
}

#[tokio::test]
async fn a_reset_in_the_middle_of_an_answer_is_no_answer() {
    let (listener, address) = listening().await;
    let server = async {
        let mut stream = taken(&listener).await;
        heard(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").await.unwrap();
        stream.set_zero_linger().unwrap();
    };
    let exchanged = meanwhile(get(&format!("http://{address}/")), &Way::default(), server).await;
    let fault = exchanged.answer.as_ref().unwrap_err();
    assert_eq!(fault.outcome, Outcome::InvalidResponse);
    assert!(fault.failure.to_string().starts_with(&format!("asking http://{address}: ")), "{}", fault.failure);
}

#[tokio::test]
async fn who_does_not_listen_refuses_and_nothing_is_said_of_later_phases() {
    let (listener, address) = listening().await;
    drop(listener);
    let exchanged = exchange(get(&format!("https://{address}/orders?since=1")), &Way::default()).await;
    let says =
        format!("connect_error: asking https://{address}: connecting to {address}: Connection refused (os error 111)");
    assert_eq!(fault(&exchanged), says);
    assert_eq!(seen(&exchanged), ["connect"]);
}

#[tokio::test]
async fn a_name_that_is_none_is_told_as_such() {
    let exchanged = exchange(get("http://api.invalid/"), &Way::default()).await;
    let says = fault(&exchanged);
    assert!(says.starts_with("dns_error: asking http://api.invalid: `api.invalid` does not resolve: "), "{says}");
    assert_eq!(seen(&exchanged), ["resolve"]);

    let way = Way { ip: crate::net::connect::Family::V6, ..Way::default() };
    let exchanged = exchange(get("http://127.0.0.1/"), &way).await;
    let says = "dns_error: asking http://127.0.0.1: `127.0.0.1` has no address of IPv6, only of the other kind";
    assert_eq!(fault(&exchanged), says);
    assert_eq!(seen(&exchanged), [""; 0]);
}

#[tokio::test]
async fn what_accepts_no_connection_is_waited_for_no_longer_than_a_connection_may_take() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let waits = TcpStream::connect(address).await.unwrap();
    let timeouts = Timeouts { connect: Duration::from_millis(50), ..Timeouts::default() };
    let way = Way { timeouts, ..Way::default() };
    let exchanged = exchange(get(&format!("http://{address}/")), &way).await;
    drop((waits, listener));
    assert_eq!(fault(&exchanged), format!("timeout: asking http://{address}: connecting to {address}: no answer"));
    assert_eq!(seen(&exchanged), ["connect"]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_mistake_of_ours() {
    for (uri, says) in [
        ("/orders", "its address begins with neither https:// nor http://"),
        ("ftp://api.example/", "its address begins with neither https:// nor http://"),
        ("https://user:password@api.example/", "its address has a login in it, which is no part of an address"),
        ("https://api.example:99999/", "its port is none"),
    ] {
        let exchanged = exchange(get(uri), &Way::default()).await;
        assert_eq!(fault(&exchanged), format!("config_error: a request that goes nowhere: {says}"));
        assert_eq!(seen(&exchanged), [""; 0]);
    }
    let way = Way { extra_ca_file: Some("/nowhere/ca.pem".into()), ..Way::default() };
    let exchanged = exchange(get("https://127.0.0.1/"), &way).await;
    assert_eq!(fault(&exchanged), "config_error: reading /nowhere/ca.pem: No such file or directory (os error 2)");
}
