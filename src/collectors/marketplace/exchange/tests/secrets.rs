//! What was asked, and with what, is told to the one who was asked and to nobody else.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncWriteExt as _, DuplexStream};
use tracing::level_filters::LevelFilter;

use super::identity::Authority;
use super::*;

/// In every part of a request that may be secret.
const CANARY: &str = "kanarya-7c1e";

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn question() -> Question {
    Request::post(format!("https://api.example/{CANARY}/orders?token={CANARY}"))
        .header("Authorization", format!("Bearer {CANARY}"))
        .header(format!("X-{CANARY}"), CANARY)
        .body(Full::from(format!("secret={CANARY}")))
        .unwrap()
}

#[tokio::test]
async fn nothing_of_a_request_is_shown_though_the_server_repeats_it() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(lines.finish());
    tracing::trace!("the log is read");

    let authority = Authority::new();
    let acceptor = authority.server(&["api.example"], [2020, 2040]);
    let repeat = |before: &str, after: &str| format!("{before}{CANARY}{after}");
    let mut shown = Vec::new();
    for says in [
        repeat("HTTP/1.1 200 ", "\r\nContent-Length: 0\r\n\r\n"),
        repeat("HTTP/1.1 200 OK\r\nX-Again: ", "\r\nContent-Length: 0\r\n\r\n"),
        repeat("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", ""),
        repeat("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", ""),
        repeat("HTTP/1.1 200 OK\r\nContent-Length: ", "\r\n\r\n"),
        repeat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "\r\n"),
        repeat("HTTP/1.1 200 OK\r\n", "\r\n\r\n"),
        repeat("", "\r\n\r\n"),
    ] {
        let server = async |far: DuplexStream| {
            let mut stream = acceptor.accept(far).await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(format!("secret={CANARY}").as_bytes()) {
                stream.read_buf(&mut request).await.unwrap();
            }
            stream.write_all(says.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        };
        let exchanged = piped(question(), &authority.way(), server).await;
        shown.push(format!("{exchanged:?} {exchanged:#?} {}", fault(&exchanged)));
    }
    let (listener, address) = listening().await;
    drop(listener);
    let way = Way { resolve: [("api.example:443".into(), address)].into(), ..authority.way() };
    let refused = exchange(question(), &way).await;
    shown.push(format!("{refused:?} {}", fault(&refused)));
    let with_login = Request::get(format!("https://{CANARY}@api.example/")).body(Full::default()).unwrap();
    let nowhere = exchange(with_login, &way).await;
    shown.push(format!("{nowhere:?} {}", fault(&nowhere)));

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log is read"));
    shown.push(log);
    let numbers = CANARY.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    for text in shown {
        assert!(!text.contains(CANARY) && !text.contains(&numbers), "{text}");
    }
}
