//! A FastCGI server that answers with the script it is given, so that what nginx hands over is seen as it is.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Starts one, for as long as the test runs; its port.
pub(super) fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A client that has gone away asks for nothing any more.
            answer(stream).ok();
        }
    });
    port
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut parameters = Vec::new();
    loop {
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let mut content = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]]))];
        stream.read_exact(&mut content)?;
        io::copy(&mut (&stream).take(u64::from(head[6])), &mut io::sink())?;
        match (head[1], content.is_empty()) {
            (4, false) => parameters.extend(content),
            // The request's body has ended.
            (5, true) => break,
            _ => {}
        }
    }
    let value = |wanted: &str| {
        pairs(&parameters)
            .find(|(name, _)| *name == wanted.as_bytes())
            .map_or("", |(_, value)| std::str::from_utf8(value).unwrap())
    };
    let text = format!("Content-Type: text/plain\r\n\r\nPHP {} [{}]", value("SCRIPT_FILENAME"), value("PATH_INFO"));
    let [high, low] = u16::try_from(text.len()).unwrap().to_be_bytes();
    let end = [1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    stream.write_all(&[&[1, 6, 0, 1, high, low, 0, 0], text.as_bytes(), &[1, 6, 0, 1, 0, 0, 0, 0], &end].concat())
}

/// The pairs of a FastCGI request; the last of a name counts, so they come from behind.
fn pairs(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let length = |bytes: &mut &[u8]| -> usize {
        let first = usize::from(bytes[0]);
        if first < 128 {
            *bytes = &bytes[1..];
            return first;
        }
        let long = u32::from_be_bytes([bytes[0] & 0x7f, bytes[1], bytes[2], bytes[3]]);
        *bytes = &bytes[4..];
        usize::try_from(long).unwrap()
    };
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (name, value) = (length(&mut bytes), length(&mut bytes));
        let (pair, rest) = bytes.split_at(name + value);
        found.push(pair.split_at(name));
        bytes = rest;
    }
    found.into_iter().rev()
}
