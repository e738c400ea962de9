//! A delay shows in the phase that it is in, and in no other.

use std::sync::mpsc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::{AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpSocket;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::identity::Authority;
use super::*;

/// From well within the objective to far beyond it.
const DELAYS: [u64; 4] = [20, 80, 150, 400];

/// How late a server is with each of its words.
#[derive(Clone, Copy, Default)]
struct Late {
    tls: Duration,
    /// An interim answer comes at once, and the answer after this.
    after_interim: Duration,
    head: Duration,
    /// Between the first byte of the header and the rest of it.
    within_head: Duration,
    body: Duration,
    /// Between two parts of the body.
    within_body: Duration,
}

impl Late {
    async fn serve(self, far: DuplexStream, acceptor: TlsAcceptor) {
        sleep(self.tls).await;
        let mut stream = acceptor.accept(far).await.unwrap();
        heard(&mut stream).await;
        if !self.after_interim.is_zero() {
            say(&mut stream, b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n").await;
            sleep(self.after_interim).await;
        }
        sleep(self.head).await;
        say(&mut stream, b"H").await;
        sleep(self.within_head).await;
        say(&mut stream, b"TTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").await;
        sleep(self.body).await;
        say(&mut stream, b"sh").await;
        sleep(self.within_body).await;
        say(&mut stream, b"op").await;
        std::future::pending::<()>().await;
    }
}

/// Says it now, and not together with what follows.
async fn say(stream: &mut (impl tokio::io::AsyncWrite + Unpin), bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

/// How long each phase took in whole milliseconds, and nothing where it was not.
fn milliseconds(exchanged: &Exchanged) -> [Option<u128>; 5] {
    exchanged.phases.map(|time| time.map(|time| time.as_millis()))
}

#[tokio::test(start_paused = true)]
async fn each_delay_shows_in_its_phase_alone() {
    let authority = Authority::new();
    let acceptor = authority.server(&["api.example"], [2020, 2040]);
    for delay in DELAYS {
        let time = Duration::from_millis(delay);
        for (phase, late) in [
            (Phase::Tls, Late { tls: time, ..Late::default() }),
            (Phase::Processing, Late { head: time, ..Late::default() }),
            (Phase::Processing, Late { after_interim: time, ..Late::default() }),
            (Phase::Transfer, Late { within_head: time, ..Late::default() }),
            (Phase::Transfer, Late { body: time, ..Late::default() }),
            (Phase::Transfer, Late { within_body: time, ..Late::default() }),
        ] {
            let server = |far| late.serve(far, acceptor.clone());
            let exchanged = piped(get("https://api.example/"), &authority.way(), server).await;
            assert_eq!(exchanged.answer.as_ref().unwrap().body, b"shop");
            let times = milliseconds(&exchanged);
            for one in [Phase::Tls, Phase::Processing, Phase::Transfer] {
                let took = times[one as usize].unwrap();
                // A timer may be a millisecond late.
                let expected = if one == phase { u128::from(delay)..=u128::from(delay) + 1 } else { 0..=0 };
                assert!(expected.contains(&took), "{delay} ms in {phase:?}: {times:?}");
            }
            assert_eq!(exchanged.total, exchanged.phases.iter().flatten().sum::<Duration>());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_interim_answer_that_comes_together_with_the_answer_is_no_reason_to_wait() {
    let server = async |mut far: DuplexStream| {
        heard(&mut far).await;
        sleep(Duration::from_millis(80)).await;
        say(&mut far, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").await;
        sleep(Duration::from_millis(20)).await;
        say(&mut far, b"shop").await;
    };
    let exchanged = piped(get("http://api.example/"), &Way::default(), server).await;
    let times = milliseconds(&exchanged).map(|time| time.map(|time| time / 10));
    assert_eq!(times, [None, None, None, Some(8), Some(2)]);
}

#[tokio::test]
async fn a_program_that_is_late_to_accept_shows_in_the_phase_after() {
    let authority = Authority::new();
    let acceptor = authority.server(&["127.0.0.1"], [2020, 2040]);
    let late = Duration::from_millis(150);
    let (listener, address) = listening().await;
    let server = async {
        sleep(late).await;
        let mut stream = taken(&listener).await;
        heard(&mut stream).await;
        say(&mut stream, b"HTTP/1.1 204 No Content\r\n\r\n").await;
    };
    let plain = meanwhile(get(&format!("http://{address}/")), &Way::default(), server).await;
    assert_eq!(seen(&plain), ["connect", "processing", "transfer"]);
    assert!(plain.phases[Phase::Processing as usize].unwrap() >= late, "{plain:?}");

    let server = async {
        sleep(late).await;
        let mut stream = acceptor.accept(taken(&listener).await).await.unwrap();
        heard(&mut stream).await;
        say(&mut stream, b"HTTP/1.1 204 No Content\r\n\r\n").await;
    };
    let encrypted = meanwhile(get(&format!("https://{address}/")), &authority.way(), server).await;
    assert_eq!(seen(&encrypted), ["connect", "tls", "processing", "transfer"]);
    assert!(encrypted.phases[Phase::Tls as usize].unwrap() >= late, "{encrypted:?}");
    for exchanged in [plain, encrypted] {
        assert_eq!(exchanged.answer.unwrap().status, 204);
        assert!(exchanged.total >= exchanged.phases.iter().flatten().sum::<Duration>());
    }
}

#[tokio::test]
async fn a_connection_that_is_late_shows_in_connect() {
    // One waits to be accepted, and nobody else may.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let waits = TcpStream::connect(address).await.unwrap();
    let server = async {
        // The first attempt has been dropped by now; the next one comes a second later (RFC 6298, section 2).
        drop(taken(&listener).await);
        let mut stream = taken(&listener).await;
        heard(&mut stream).await;
        say(&mut stream, b"HTTP/1.1 204 No Content\r\n\r\n").await;
    };
    let way = Way { timeouts: Timeouts { connect: Duration::from_secs(30), ..Timeouts::default() }, ..Way::default() };
    let exchanged = meanwhile(get(&format!("http://{address}/")), &way, server).await;
    drop(waits);
    assert_eq!(exchanged.answer.as_ref().unwrap().status, 204);
    assert!(exchanged.phases[Phase::Connect as usize].unwrap() >= Duration::from_millis(500), "{exchanged:?}");
}

#[tokio::test]
async fn a_resolver_that_is_late_shows_in_resolve() {
    let (listener, address) = listening().await;
    let way = Way { ip: crate::net::connect::Family::V4, ..Way::default() };
    let late = Duration::from_millis(150);
    // All threads of the account look up something else meanwhile.
    let releases = [(); 2].map(|()| {
        let (release, hangs) = mpsc::channel::<()>();
        assert!(way.threads.run(move || hangs.recv().is_err()).now_or_never().is_none());
        release
    });
    let server = async {
        sleep(late).await;
        drop(releases);
        let mut stream = taken(&listener).await;
        heard(&mut stream).await;
        say(&mut stream, b"HTTP/1.1 204 No Content\r\n\r\n").await;
    };
    let exchanged = meanwhile(get(&format!("http://localhost:{}/", address.port())), &way, server).await;
    assert_eq!(exchanged.answer.as_ref().unwrap().status, 204);
    assert_eq!(seen(&exchanged), ["resolve", "connect", "processing", "transfer"]);
    assert!(exchanged.phases[Phase::Resolve as usize].unwrap() >= late, "{exchanged:?}");
}
