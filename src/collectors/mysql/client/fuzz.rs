//! What must hold whatever is at the other end of the connection.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use tokio::io::AsyncWrite;

use super::packets::{Packets, Stream};
use super::{Client, login};
use crate::collectors::mysql::config::Config;
use crate::config::secret::with_environment;

/// The password that nobody may hear.
const PASSWORD: &[u8] = b"canary-8f1d2c";

/// How many rows are asked for.
const ROWS: usize = 20;

/// The server's side of a login; the first byte says whether others could listen.
pub(crate) fn login(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let is_private = first & 1 == 1;
    let told = Told::default();
    let stream = conversation(bytes, &told);
    let mut version = String::new();
    let answer = login::log_in(config(is_private), stream, &mut version).now_or_never().expect("all bytes are there");
    assert!(version.len() <= 3 * bytes.len());
    let told = told.0.lock().expect("nothing panics while it writes");
    assert!(is_private || !holds_password(&told), "the password was sent for all to hear");
    assert!(told.len() < 8 << 10, "{} bytes for a login", told.len());
    if let Err(failure) = answer {
        assert!(!holds_password(failure.to_string().as_bytes()), "{failure}");
        assert!(failure.to_string().len() < 1_000, "{failure}");
    }
}

/// Answers to statements, as text and prepared; the first byte says which.
pub(crate) fn answer(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let packets = Packets::over(conversation(bytes, &Told::default()));
    let mut client = Client { packets, id: 7, broken: false };
    for turn in 0..3 {
        let answer = if first >> turn & 1 == 0 {
            client.query("SHOW STATUS", ROWS).now_or_never()
        } else {
            client.prepared("SELECT 1", ROWS).now_or_never()
        };
        match answer.expect("all bytes are there") {
            Ok(rows) => {
                assert!(!client.is_broken());
                assert!(rows.len() <= ROWS && rows.cells() % rows.columns().len().max(1) == 0);
                // A cell that is written in few bytes is shown in 30 at most, one of text in three for each of its own.
                assert!(rows.bytes() <= 30 * bytes.len(), "{} of {}", rows.bytes(), bytes.len());
                for row in rows.iter() {
                    assert!(row.cells().count() <= rows.columns().len());
                }
            }
            Err(failure) => assert!(failure.to_string().len() < 1_000, "{failure}"),
        }
        if client.is_broken() {
            return;
        }
    }
}

/// A stream on which these bytes come, and that remembers what is said.
fn conversation(bytes: &[u8], told: &Told) -> Box<dyn Stream> {
    Box::new(tokio::io::join(io::Cursor::new(bytes.to_vec()), told.clone()))
}

fn config(is_private: bool) -> &'static Config {
    static CONFIGS: OnceLock<[Config; 2]> = OnceLock::new();
    let configs = CONFIGS.get_or_init(|| {
        ["127.0.0.1:3306", "/run/not/there.sock"].map(|address| {
            let text = format!("address = '{address}'\nuser = 'vitrin'\npassword = {{ env = 'SECRET' }}");
            let password = String::from_utf8_lossy(PASSWORD).into_owned();
            let environment = [("SECRET".to_owned(), password)].into_iter().collect();
            with_environment(environment, false, || toml::from_str(&text)).0.expect("it is a good configuration")
        })
    });
    &configs[usize::from(is_private)]
}

fn holds_password(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, PASSWORD).is_some()
}

/// What we have said.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl AsyncWrite for Told {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().expect("nothing panics while it writes").extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
