//! What stands between Prometheus and vitrin, so that the one thing of their talk that is a length of time can be put
//! right.
//!
//! Prometheus says how long a scrape may take, and vitrin keeps half a second of that for bringing the page home. Of a
//! compressed limit (0.25 s) nothing would be left. The relay says a limit of which [`PATIENCE`] is left.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::support::daemon::free_port;

/// How long vitrin may wait for its servers: all but a fifth of the shipped 15 s, compressed.
pub(crate) const PATIENCE: Duration = Duration::from_millis(200);

/// What vitrin keeps back.
const RESERVE: Duration = Duration::from_millis(500);

const HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// Listens on a port of its own and leads to this one; returns its own.
pub(crate) fn start(to: u16) -> u16 {
    let port = free_port();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            // When one side is gone, so is the scrape; Prometheus counts it.
            thread::spawn(move || forward(&stream, to).ok());
        }
    });
    port
}

/// One request and its answer; the connection ends with it.
fn forward(client: &TcpStream, to: u16) -> io::Result<()> {
    let mut lines = BufReader::new(client);
    let mut head = String::new();
    let said = format!("{HEADER}: {}\r\n", (PATIENCE + RESERVE).as_secs_f64());
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim_end().is_empty() {
            break;
        }
        match line.split_once(':').map(|(name, _)| name.to_lowercase()).as_deref() {
            Some(HEADER) => head += &said,
            Some("connection") => {}
            _ => head.push_str(&line),
        }
    }
    let mut server = TcpStream::connect(("127.0.0.1", to))?;
    server.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    let mut client = client;
    let mut page = Vec::new();
    server.read_to_end(&mut page)?;
    client.write_all(&page)?;
    client.shutdown(Shutdown::Both)
}
