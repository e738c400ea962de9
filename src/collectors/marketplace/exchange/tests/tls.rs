//! Who is trusted, what is agreed on, and what is known of certificates that are not good enough.

use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, DuplexStream};
use tokio_rustls::TlsAcceptor;

use super::identity::{Authority, self_signed};
use super::*;

/// 2030-01-01.
const END_OF_2029: f64 = 1_893_456_000.0;

/// What comes of a server that agrees on TLS, hears the request and has nothing to say.
async fn agreed(uri: &str, way: &Way, acceptor: &TlsAcceptor) -> Exchanged {
    let server = async |far: DuplexStream| {
        let Ok(mut stream) = acceptor.accept(far).await else { return };
        let mut request = Vec::new();
        if stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    };
    piped(get(uri), way, server).await
}

#[tokio::test]
async fn a_bad_certificate_is_told_with_its_end_and_hears_no_request() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let way = authority.way();
    let name = &["api.example"];
    for (acceptor, expiry, says) in [
        (
            authority.server(name, [2020, 2022]),
            1_640_995_200.0,
            "the certificate of `rcgen self signed cert` expired at 2022-01-01T00:00:00Z",
        ),
        (
            authority.server(&["shop.example"], [2020, 2030]),
            END_OF_2029,
            "the certificate is for `shop.example`, not for `api.example`",
        ),
        (self_signed(name, [2020, 2030]), END_OF_2029, "the certificate is signed by itself"),
        (
            stranger.server(name, [2020, 2030]),
            END_OF_2029,
            "the certificate was signed by `authority`, who is not trusted",
        ),
    ] {
        let exchanged = agreed("https://api.example/", &way, &acceptor).await;
        assert_eq!(fault(&exchanged), format!("tls_error: agreeing on TLS: {says}"));
        assert_eq!(exchanged.certificate_expiry, Some(expiry), "{says}");
        assert_eq!(seen(&exchanged), ["tls"]);
    }
    let exchanged = agreed("https://api.example/", &way, &authority.server(name, [2020, 2030])).await;
    assert_eq!(exchanged.answer.unwrap().status, 204);
    assert_eq!(exchanged.certificate_expiry, Some(END_OF_2029));
}

#[tokio::test]
async fn a_certificate_that_outlives_its_authority_ends_with_it() {
    let authority = Authority::new();
    let exchanged =
        agreed("https://api.example/", &authority.way(), &authority.server(&["api.example"], [2020, 2100])).await;
    // 2040-01-01: the authority's own is among those that were shown.
    assert_eq!(exchanged.certificate_expiry, Some(2_208_988_800.0));
}

#[tokio::test]
async fn an_authority_of_ours_is_trusted_besides_the_systems() {
    let authority = Authority::new();
    let system = Way::default().trust().unwrap();
    let both = authority.way().trust().unwrap();
    assert_eq!(both.roots.anchors.len(), system.roots.anchors.len() + 1);
}

#[tokio::test]
async fn the_server_is_told_the_name_and_http_1_1_alone() {
    let authority = Authority::new();
    let acceptor = authority.server(&["api.example"], [2020, 2040]);
    let (listener, address) = listening().await;
    let server = async {
        let mut stream = acceptor.accept(taken(&listener).await).await.unwrap();
        let (_, connection) = stream.get_ref();
        assert_eq!(connection.server_name(), Some("api.example"));
        assert_eq!(connection.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert!(heard(&mut stream).await.contains("\r\nhost: api.example\r\n"));
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    };
    // Where the name leads is nobody's concern.
    let way = Way { resolve: [("api.example:443".into(), address)].into(), ..authority.way() };
    let exchanged = meanwhile(get("https://API.example/"), &way, server).await;
    assert_eq!(exchanged.answer.as_ref().unwrap().status, 204);
    assert_eq!(seen(&exchanged), ["connect", "tls", "processing", "transfer"]);
}

#[tokio::test]
async fn what_does_not_speak_tls_is_told_as_such() {
    let authority = Authority::new();
    let way = authority.way();
    for (says, message) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "the server does not speak TLS on this port: is it plain HTTP?"),
        (b"\x16\x03\x03\x00\x04\xff\xff\xff\xff", ""),
        (b"", "the server hung up during the handshake: "),
    ] {
        let server = async |mut far: DuplexStream| {
            far.write_all(says).await.unwrap();
        };
        let exchanged = piped(get("https://api.example/"), &way, server).await;
        let fault = fault(&exchanged);
        assert!(fault.starts_with(&format!("tls_error: agreeing on TLS: {message}")), "{fault}");
        assert_eq!((seen(&exchanged), exchanged.certificate_expiry), (vec!["tls"], None));
    }
}

#[tokio::test]
async fn tls_where_none_was_expected_is_no_answer() {
    let acceptor = self_signed(&["api.example"], [2020, 2040]);
    let server = async |far: DuplexStream| assert!(acceptor.accept(far).await.is_err());
    let exchanged = piped(get("http://api.example/"), &Way::default(), server).await;
    let fault = fault(&exchanged);
    assert!(fault.starts_with("invalid_response: "), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_is_waited_for_no_longer_than_it_may_take() {
    let authority = Authority::new();
    let way = authority.way();
    let server = async |far: DuplexStream| {
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(far);
    };
    let exchanged = piped(get("https://api.example/"), &way, server).await;
    assert_eq!(fault(&exchanged), "timeout: agreeing on TLS: not done within 3s");
    assert_eq!(seen(&exchanged), ["tls"]);
    assert_eq!(exchanged.total.as_secs(), 3);
}
