//! A small blocking HTTP/1.1 client: it sends exactly what it is told and hides nothing of the answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use flate2::read::GzDecoder;

/// Longer than any deadline that a test sets.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// In the order they came, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The value of the first header of this name, which is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, unpacked when it came as gzip.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        match self.header("content-encoding") {
            Some("gzip") => GzDecoder::new(self.body.as_slice()).read_to_string(&mut text).map(drop),
            None => self.body.as_slice().read_to_string(&mut text).map(drop),
            Some(other) => panic!("the body came in an encoding nobody asked for: {other}"),
        }
        .expect("a body of text");
        text
    }
}

/// One request on a connection of its own.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> io::Result<Response> {
    let closing: Vec<_> = headers.iter().copied().chain([("Connection", "close")]).collect();
    Connection::open(address)?.ask(method, path, &closing)
}

/// A connection that is kept from one request to the next.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host: address.to_string() })
    }

    /// Sends a request with `Host` and these headers, in this order, and reads the whole answer.
    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> io::Result<Response> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        for (name, value) in headers {
            for part in [name, ": ", value, "\r\n"] {
                request.push_str(part);
            }
        }
        self.send((request + "\r\n").as_bytes())?;
        self.answer(method)
    }

    /// Sends bytes as they are: for requests that no client should send.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Reads an answer to a request of this method.
    pub(crate) fn answer(&mut self, method: &str) -> io::Result<Response> {
        let status = self.line()?.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("not a status line"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| io::Error::other("not a header"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut response = Response { status, headers, body: Vec::new() };
        response.body = match (method, status, response.header("content-length"), response.header("transfer-encoding"))
        {
            ("HEAD", ..) | (_, 204 | 304, ..) => Vec::new(),
            (_, _, _, Some("chunked")) => self.chunks()?,
            (_, _, Some(length), _) => self.exactly(length.parse().map_err(io::Error::other)?)?,
            _ => {
                let mut body = Vec::new();
                self.stream.read_to_end(&mut body)?;
                body
            }
        };
        Ok(response)
    }

    /// A line without its end; the end of the stream is an error.
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line()?, 16).map_err(io::Error::other)?;
            let chunk = self.exactly(length)?;
            // The line end after the chunk; after the last one, the empty trailer.
            self.line()?;
            if length == 0 {
                return Ok(body);
            }
            body.extend(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Connection, ask};
    use crate::support::broken::{Answer, Broken};

    #[test]
    fn bodies_end_by_length_by_chunks_or_with_the_connection() {
        for head in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nhello",
        ] {
            let server = Broken::tcp(Answer::then_close(head.as_bytes()));
            let response = ask(server.address(), "GET", "/", &[("Accept", "*/*")]).unwrap();
            assert_eq!((response.status, response.text().as_str()), (200, "hello"), "{head:?}");
        }
    }

    #[test]
    fn an_answer_to_head_has_no_body() {
        let server = Broken::tcp(Answer::then_close(b"HTTP/1.1 405 No\r\nContent-Length: 5\r\nAllow: GET\r\n\r\n"));
        let response = ask(server.address(), "HEAD", "/", &[]).unwrap();
        assert_eq!((response.status, response.header("allow"), response.body.len()), (405, Some("GET"), 0));
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error() {
        let server = Broken::tcp(Answer::then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"));
        assert!(Connection::open(server.address()).unwrap().ask("GET", "/", &[]).is_err());
    }
}
