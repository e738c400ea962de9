//! Servers of long ago, which can't be had any more: SSL 3.0, RC4, 3DES and suites for export are built into no OpenSSL of
//! today. What is said in clear they say as the standards have it (RFC 6101, RFC 5246).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::now;
use super::word;
use crate::collectors::security::check::Check;
use crate::collectors::security::judge;
use crate::collectors::security::outside::encryption::{Encryption, Leaf, Shown};
use crate::collectors::security::outside::groups::Group;
use crate::collectors::security::outside::offers::ask_versions_and_suites;
use crate::collectors::security::outside::sample;
use crate::collectors::security::outside::visitor::Visitor;

/// What a server speaks, and how it says no.
#[derive(Clone, Copy)]
struct Old {
    /// The newest version.
    newest: u16,
    /// The oldest.
    oldest: u16,
    suites: &'static [u16],
    /// What it says to what it does not speak; it hangs up without a word when that is empty.
    no: &'static [u8],
}

const ALERT: &[u8] = &[21, 3, 0, 0, 2, 2, 40];

impl Old {
    /// Answers the first message of each who comes.
    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            self.answer(stream).await;
        }
    }

    async fn answer(self, mut stream: TcpStream) -> Option<()> {
        let mut header = [0; 5];
        stream.read_exact(&mut header).await.ok()?;
        let mut hello = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        stream.read_exact(&mut hello).await.ok()?;
        let number = |at: usize| u16::from_be_bytes([hello[at], hello[at + 1]]);
        let offered = number(4);
        let suites = 39 + usize::from(hello[38]);
        let listed = (suites + 2..suites + 2 + usize::from(number(suites))).step_by(2).map(number);
        let suite = listed.into_iter().find(|suite| self.suites.contains(suite));
        let reply = match suite.filter(|_| offered >= self.oldest) {
            Some(suite) => {
                let [high, low] = self.newest.min(offered).to_be_bytes();
                let [first, second] = suite.to_be_bytes();
                let body = [&[high, low][..], &[7; 32], &[0, first, second, 0]].concat();
                [&[22, 3, 0, 0, 42, 2, 0, 0, 38][..], &body].concat()
            }
            None => self.no.to_vec(),
        };
        stream.write_all(&reply).await.ok()
    }
}

/// A server at a free port, for as long as the other lasts.
async fn beside<T>(serve: impl AsyncFnOnce(TcpListener), ask: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::select! {
        told = ask(place) => told,
        () = serve(listener) => panic!("the server ended first"),
    }
}

/// What comes of TLS-04 and TLS-05 of such a server, whose certificate is a good one.
async fn told(old: Old) -> String {
    beside(
        async |listener| old.serve(listener).await,
        async |place| {
            let mut seen =
                sample::seen(&format!("url = 'https://shop.example/'\nresolve = {{ 'shop.example:443' = '{place}' }}"));
            let leaf = Leaf {
                not_before: now() - 1,
                not_after: now() + 9,
                key: "rsa".to_owned(),
                bits: 2048,
                signature: "rsa_sha256".to_owned(),
            };
            let shown = Shown { is_tls: true, failure: None, leaf: Some(leaf), flaws: Vec::new() };
            let offers = ask_versions_and_suites(&Visitor::of(&seen.config).unwrap()).await;
            seen.encryption = Ok(Encryption { certificate: Ok(shown), offers, renewal: sample::unasked() });
            let verdicts = judge(&seen);
            let [four, five] = [&verdicts[&Check::Tls04], &verdicts[&Check::Tls05]];
            format!("{}: {} | {}: {}", word(four), four.seen, word(five), five.seen)
        },
    )
    .await
}

#[tokio::test]
async fn what_no_openssl_speaks_any_more_is_found_out_all_the_same() {
    let server = Old { newest: 0x0303, oldest: 0x0303, suites: &[], no: ALERT };
    let only = |suites| Old { suites, ..server };
    for (old, says) in [
        (
            Old { newest: 0x0300, oldest: 0x0300, suites: &[0x0005, 0x000a], no: ALERT },
            "fail (legacy_tls): the server agrees to SSL 3.0 | fail (weak_cipher): the server agrees to RC4 and 3DES",
        ),
        (
            Old { newest: 0x0301, oldest: 0x0300, suites: &[0x0003], no: &[] },
            "fail (legacy_tls): the server agrees to SSL 3.0 and TLS 1.0 | fail (weak_cipher): the server agrees to EXPORT",
        ),
        (
            only(&[0xc011, 0xc02f]),
            "half: the server agrees to TLS 1.2, and not to TLS 1.3 | fail (weak_cipher): the server agrees to RC4",
        ),
        (
            only(&[0xc012, 0xc02f]),
            "half: the server agrees to TLS 1.2, and not to TLS 1.3 | fail (weak_cipher): the server agrees to 3DES",
        ),
        (
            only(&[0x0018]),
            "half: the server agrees to TLS 1.2, and not to TLS 1.3 | fail (weak_cipher): the server agrees to anonymous suites",
        ),
        (
            only(&[0xc02f]),
            "half: the server agrees to TLS 1.2, and not to TLS 1.3 | pass: the server agrees to AEAD suites with forward secrecy alone; \
             the key is rsa of 2048 bits, signed with rsa_sha256",
        ),
        // Who hangs up on what they do not speak has answered, since they answer something else.
        (
            Old { no: &[], ..only(&[0xc02f]) },
            "half: the server agrees to TLS 1.2, and not to TLS 1.3 | pass: the server agrees to AEAD suites with forward secrecy alone; \
             the key is rsa of 2048 bits, signed with rsa_sha256",
        ),
        (only(&[]), "fail: the server agrees to no version of TLS | fail: the server agrees to no cipher suite"),
        // Who hangs up on everything has said nothing.
        (
            Old { no: &[], ..only(&[]) },
            "unparsable: the server hangs up on every question | unparsable: the server hangs up on every question",
        ),
        (
            Old { no: b"HTTP/1.1 400 Bad Request\r\n\r\n", ..only(&[]) },
            "unparsable: the answer is not TLS | unparsable: the answer is not TLS",
        ),
    ] {
        assert_eq!(told(old).await, says);
    }
}

#[tokio::test]
async fn a_suite_that_was_not_offered_is_no_answer() {
    for group in Group::ALL {
        assert!(!group.suites().contains(&0x1301), "{group:?}");
    }
    let picks = async |listener: TcpListener| {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut begun = [0; 64];
            stream.read_exact(&mut begun).await.ok();
            let body = [&[3, 3][..], &[7; 32], &[0, 0x13, 0x01, 0]].concat();
            stream.write_all(&[&[22, 3, 3, 0, 42, 2, 0, 0, 38][..], &body].concat()).await.ok();
        }
    };
    let offers = beside(picks, async |place| {
        let config = format!("url = 'https://shop.example/'\nresolve = {{ 'shop.example:443' = '{place}' }}");
        ask_versions_and_suites(&Visitor::of(&sample::seen(&config).config).unwrap()).await.unwrap()
    })
    .await;
    assert!(offers.suites.iter().all(Result::is_err), "{offers:?}");
}
