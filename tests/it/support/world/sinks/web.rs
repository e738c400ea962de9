//! A web server that takes what Alertmanager posts: a phone each below `/phone/`, and the dead man's switch.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::Value;

use crate::support::world::timeline::{Labels, Timeline, What};

/// Where phones are.
pub(crate) const PHONE: &str = "/phone/";

/// The running server.
pub(crate) struct Web {
    pub(crate) port: u16,
}

impl Web {
    pub(crate) fn start(timeline: &Timeline) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let timeline = timeline.clone();
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let timeline = timeline.clone();
                // A client that hangs up has said all that it had to say.
                thread::spawn(move || serve(&stream, &timeline).ok());
            }
        });
        Self { port }
    }
}

fn serve(stream: &TcpStream, timeline: &Timeline) -> io::Result<()> {
    let mut lines = BufReader::new(stream);
    loop {
        let (mut path, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if path.is_empty() {
                line.split(' ').nth(1).unwrap_or_default().clone_into(&mut path);
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body)?;
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        record(&path, &body, timeline);
    }
}

/// Writes one post down: the JSON of Alertmanager's webhook.
fn record(path: &str, body: &[u8], timeline: &Timeline) {
    let Some(person) = path.strip_prefix(PHONE) else {
        timeline.add(What::Ping);
        return;
    };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    for firing in [true, false] {
        let status = if firing { "firing" } else { "resolved" };
        let alerts = body["alerts"].as_array().into_iter().flatten().filter(|alert| alert["status"] == status);
        let labels = |alert: &Value| serde_json::from_value::<Labels>(alert["labels"].clone()).unwrap_or_default();
        let alerts: Vec<_> = alerts.map(labels).collect();
        if !alerts.is_empty() {
            timeline.add(What::Phone { person: person.to_owned(), firing, alerts });
        }
    }
}
