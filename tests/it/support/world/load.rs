//! Shoppers: a gentle, steady stream of requests, so that there is something to measure and something to break.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How often each shopper asks for a page, and how long it waits for one.
const EVERY: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(2);

/// Shoppers at a time.
const SHOPPERS: usize = 2;

/// Shoppers that come until this is dropped.
pub(crate) struct Load {
    /// Whether they ask for what needs PHP.
    shopping: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    /// Their threads end with it.
    _end: Vec<mpsc::Sender<()>>,
}

impl Load {
    pub(crate) fn on(port: u16) -> Self {
        let (shopping, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
        let shopper = |_| {
            let (end, over) = mpsc::channel();
            let (shopping, asked) = (shopping.clone(), asked.clone());
            thread::spawn(move || {
                while over.recv_timeout(EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                    // What does not answer is for vitrin to notice.
                    get(port, "/static").ok();
                    if shopping.load(Ordering::Relaxed) {
                        get(port, "/index.php").ok();
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
            end
        };
        let end = (0..SHOPPERS).map(shopper).collect();
        Self { shopping, asked, _end: end }
    }

    /// Whether shoppers look at pages of PHP from now on, or at what nginx alone can answer.
    pub(crate) fn shop(&self, shopping: bool) {
        self.shopping.store(shopping, Ordering::Relaxed);
    }

    /// How many rounds they have made.
    pub(crate) fn rounds(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Who have come so far; the shop sees a hundred of them.
static CUSTOMERS: AtomicU64 = AtomicU64::new(0);

/// One request, and whatever comes of it.
pub(crate) fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let customer = CUSTOMERS.fetch_add(1, Ordering::Relaxed) % 100 + 1;
    let head = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nX-Real-IP: 198.51.100.{customer}\r\n");
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
