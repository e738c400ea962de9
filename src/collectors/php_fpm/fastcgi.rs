//! FastCGI, as much of it as asking one question takes
//! (<https://fastcgi-archives.github.io/FastCGI_Specification.html>).
//!
//! One request per connection: FPM ties a worker to a connection for as long as it is open.

use std::fmt::Write as _;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::collector::{Failure, Reason};

const VERSION: u8 = 1;
const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;
const GET_VALUES: u8 = 9;
const GET_VALUES_RESULT: u8 = 10;

/// The one request of a connection.
const REQUEST: u16 = 1;
/// Not a request: the server is asked about itself.
const MANAGEMENT: u16 = 0;
const RESPONDER: u16 = 1;

/// How much of what a script complained about we keep, for the log.
const STDERR_BYTES: usize = 500;

const NOT_FASTCGI: &str = "what listens there does not speak FastCGI";

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The HTTP status; 200 when the script did not set one.
    pub(super) status: u16,
    /// What follows the headers.
    pub(super) body: Vec<u8>,
    /// The start of what FPM or the script complained about.
    pub(super) stderr: String,
}

/// Sends one request with these parameters and no body, and reads the answer of at most `limit` bytes on the wire.
pub(super) async fn request(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    params: &[(&str, &str)],
    limit: usize,
) -> Result<Answer, Failure> {
    stream.write_all(&encode(params)).await.map_err(Failure::io)?;
    let (stdout, stderr) = receive(&mut stream, limit).await?;
    Ok(answer(&stdout, &stderr))
}

/// Asks what every FastCGI server must know about itself: a worker answers, and nothing is run, counted or logged.
pub(super) async fn ping(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Failure> {
    let mut wire = Vec::new();
    let name = b"FCGI_MPXS_CONNS";
    let content = [&[15, 0], &name[..]].concat();
    record(GET_VALUES, MANAGEMENT, &content, &mut wire);
    stream.write_all(&wire).await.map_err(Failure::io)?;
    let mut header = [0; 8];
    stream.read_exact(&mut header).await.map_err(cut_off)?;
    if header[..2] != [VERSION, GET_VALUES_RESULT] {
        return Err(Failure::message(Reason::Protocol, NOT_FASTCGI));
    }
    Ok(())
}

/// A whole request: begin, parameters, and an empty body.
fn encode(params: &[(&str, &str)]) -> Vec<u8> {
    let mut pairs = Vec::new();
    for (name, value) in params {
        encode_length(name.len(), &mut pairs);
        encode_length(value.len(), &mut pairs);
        pairs.extend_from_slice(name.as_bytes());
        pairs.extend_from_slice(value.as_bytes());
    }
    let mut wire = Vec::new();
    let [role_high, role_low] = RESPONDER.to_be_bytes();
    // No flags: the server closes the connection after its answer.
    record(BEGIN_REQUEST, REQUEST, &[role_high, role_low, 0, 0, 0, 0, 0, 0], &mut wire);
    for chunk in pairs.chunks(usize::from(u16::MAX)) {
        record(PARAMS, REQUEST, chunk, &mut wire);
    }
    record(PARAMS, REQUEST, &[], &mut wire);
    record(STDIN, REQUEST, &[], &mut wire);
    wire
}

fn encode_length(length: usize, wire: &mut Vec<u8>) {
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => wire.push(short),
        _ => {
            let long = u32::try_from(length).expect("a parameter is a path or a word, never 2 GiB") | 0x8000_0000;
            wire.extend_from_slice(&long.to_be_bytes());
        }
    }
}

fn record(kind: u8, request: u16, content: &[u8], wire: &mut Vec<u8>) {
    let length = u16::try_from(content.len()).expect("contents are cut to what a record holds");
    wire.extend_from_slice(&[VERSION, kind]);
    wire.extend_from_slice(&request.to_be_bytes());
    wire.extend_from_slice(&length.to_be_bytes());
    // No padding, and a reserved byte.
    wire.extend_from_slice(&[0, 0]);
    wire.extend_from_slice(content);
}

/// Reads records up to the end of the request: standard output and the start of standard error.
async fn receive(stream: &mut (impl AsyncRead + Unpin), limit: usize) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut content = Vec::new();
    let mut read = 0;
    loop {
        let mut header = [0; 8];
        stream.read_exact(&mut header).await.map_err(cut_off)?;
        let [version, kind, id_high, id_low, length_high, length_low, padding, _] = header;
        if version != VERSION || u16::from_be_bytes([id_high, id_low]) != REQUEST {
            return Err(Failure::message(Reason::Protocol, NOT_FASTCGI));
        }
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let padded = length + usize::from(padding);
        read += header.len() + padded;
        if read > limit {
            return Err(Failure::message(Reason::Limit, format!("the answer is larger than {limit} bytes")));
        }
        content.resize(padded, 0);
        stream.read_exact(&mut content).await.map_err(cut_off)?;
        let content = &content[..length];
        match kind {
            STDOUT => stdout.extend_from_slice(content),
            STDERR => stderr.extend_from_slice(&content[..length.min(STDERR_BYTES - stderr.len())]),
            END_REQUEST => return ended(content).map(|()| (stdout, stderr)),
            other => {
                return Err(Failure::message(Reason::Protocol, format!("a FastCGI record of type {other}, unasked")));
            }
        }
    }
}

fn cut_off(error: std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            Failure::message(Reason::Protocol, "the connection was closed before the end of the answer")
        }
        _ => Failure::io(error),
    }
}

/// The protocol status of an `END_REQUEST`.
fn ended(content: &[u8]) -> Result<(), Failure> {
    match content.get(4) {
        Some(0) => Ok(()),
        Some(status) => Err(Failure::message(Reason::Protocol, format!("the request was rejected, status {status}"))),
        None => Err(Failure::message(Reason::Protocol, "an END_REQUEST record without a status")),
    }
}

/// Takes standard output apart: CGI headers, an empty line, the body.
fn answer(stdout: &[u8], stderr: &[u8]) -> Answer {
    let (head, body) = split(stdout, b"\r\n\r\n").or_else(|| split(stdout, b"\n\n")).unwrap_or((&[], stdout));
    let status = String::from_utf8_lossy(head)
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let value = value.trim().get(..3)?;
            name.eq_ignore_ascii_case("Status").then(|| value.parse().ok())?
        })
        .unwrap_or(200);
    Answer { status, body: body.to_vec(), stderr: printable(stderr) }
}

fn split<'a>(text: &'a [u8], end: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, end)?;
    Some((&text[..at], &text[at + end.len()..]))
}

/// One line of text that can stand in a log.
fn printable(bytes: &[u8]) -> String {
    let mut line = String::new();
    for character in String::from_utf8_lossy(bytes).trim().chars() {
        if character.is_control() {
            write!(line, "{}", character.escape_default()).expect("a string takes everything");
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1 << 20;

    async fn told(wire: &[u8]) -> Result<Answer, Failure> {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        far.write_all(wire).await.unwrap();
        far.shutdown().await.unwrap();
        request(near, &[("SCRIPT_NAME", "/status")], LIMIT).await
    }

    fn wire(records: &[(u8, &[u8])]) -> Vec<u8> {
        let mut wire = Vec::new();
        for (kind, content) in records {
            record(*kind, REQUEST, content, &mut wire);
        }
        wire
    }

    const DONE: (u8, &[u8]) = (END_REQUEST, &[0; 8]);

    #[tokio::test]
    async fn an_answer_in_pieces_is_put_together() {
        let wire = wire(&[
            (STDOUT, b"Status: 404 Not Found\r\nContent-type: text/html\r\n"),
            (STDERR, b"Primary script unknown\n"),
            (STDOUT, b"\r\nFile not "),
            (STDOUT, b"found.\n"),
            DONE,
        ]);
        let answer = told(&wire).await.unwrap();
        assert_eq!(answer.status, 404);
        assert_eq!(answer.body, b"File not found.\n");
        assert_eq!(answer.stderr, "Primary script unknown");
    }

    #[tokio::test]
    async fn what_is_not_fastcgi_is_a_protocol_failure() {
        for reply in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"", b"\x01\x06\x00\x01\x00\x05\x00\x00abc"] {
            assert_eq!(told(reply).await.unwrap_err().reason, Reason::Protocol);
        }
        let overloaded = wire(&[(END_REQUEST, &[0, 0, 0, 0, 2, 0, 0, 0])]);
        let failure = told(&overloaded).await.unwrap_err();
        assert_eq!(failure.to_string(), "the request was rejected, status 2");
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut_at_the_limit() {
        let chunk = vec![b' '; 60_000];
        let wire = wire(&[(STDOUT, &chunk[..]); 17]);
        let (near, mut far) = tokio::io::duplex(wire.len());
        far.write_all(&wire).await.unwrap();
        assert_eq!(request(near, &[], LIMIT / 2).await.unwrap_err().reason, Reason::Limit);
    }

    #[tokio::test]
    async fn complaints_are_cut_and_made_printable() {
        let long = [b'x'; 400];
        let wire = wire(&[(STDERR, b"a\x1b[31m\nb"), (STDERR, &long), (STDERR, &long), (STDOUT, b"\n\nok"), DONE]);
        let answer = told(&wire).await.unwrap();
        assert!(answer.stderr.starts_with(r"a\u{1b}[31m\nb"), "{}", answer.stderr);
        assert!(answer.stderr.len() < STDERR_BYTES + 20);
        assert_eq!((answer.status, answer.body), (200, b"ok".to_vec()));
    }

    #[test]
    fn long_parameters_have_long_lengths() {
        let value = "v".repeat(300);
        let wire = encode(&[("N", &value)]);
        // After the begin record and the header of the parameters.
        assert_eq!(wire[24..29], [1, 0x80, 0, 1, 44]);
        assert_eq!(wire[29], b'N');
    }

    proptest! {
        #[test]
        fn no_answer_panics(stdout: Vec<u8>, stderr: Vec<u8>) {
            answer(&stdout, &stderr);
        }

        #[test]
        fn no_wire_panics(bytes: Vec<u8>) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let result = runtime.block_on(receive(&mut &bytes[..], LIMIT));
            prop_assert!(result.is_err() || bytes.len() >= 16);
        }
    }
}
