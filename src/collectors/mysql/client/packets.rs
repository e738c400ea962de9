//! Packets: a length, a number in the conversation, and that many bytes. No more of them are taken than the caller
//! allows, and memory is taken for what has come, not for what was announced.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::bytes::Bytes;
use super::stranger;
use crate::collector::{Failure, Reason};
use crate::collectors::mysql::failure;

/// The longest packet there can be is one byte shorter: a packet of this length is continued in the next.
const CONTINUED: usize = 0xff_ffff;

/// How much memory is kept from one packet to the next conversation.
const KEPT_BYTES: usize = 64 << 10;

/// What a packet that says why something failed begins with.
const ERROR: u8 = 0xff;

/// Something to talk over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

/// Both directions of a connection, packet by packet.
pub(super) struct Packets {
    stream: BufReader<Box<dyn Stream>>,
    payload: Vec<u8>,
    number: u8,
    refused: bool,
}

impl Packets {
    /// Packets over this stream, from the first on.
    pub(super) fn over(stream: Box<dyn Stream>) -> Self {
        Self { stream: BufReader::new(stream), payload: Vec::new(), number: 0, refused: false }
    }

    /// The stream beneath, to be wrapped in TLS. Nothing may have come yet: it would count as encrypted.
    pub(super) fn into_stream(self) -> Result<Box<dyn Stream>, Failure> {
        if self.stream.buffer().is_empty() { Ok(self.stream.into_inner()) } else { Err(stranger()) }
    }

    /// The same conversation, over what is now a stream of its own.
    pub(super) fn numbered(self, number: u8) -> Self {
        Self { number, ..self }
    }

    /// Whether this conversation ended with the server's saying, in its place, that something failed: it can be asked
    /// something else.
    pub(super) const fn is_refused(&self) -> bool {
        self.refused
    }

    /// Begins a new conversation: packets are numbered from 0 again.
    pub(super) fn begin(&mut self) {
        self.number = 0;
        self.refused = false;
        self.payload.clear();
        self.payload.shrink_to(KEPT_BYTES);
    }

    /// Reads the next packet, of `most` bytes at most. A packet with an error is a failure.
    pub(super) async fn read(&mut self, most: usize) -> Result<&[u8], Failure> {
        self.fetch(most).await?;
        Ok(&self.payload)
    }

    async fn fetch(&mut self, most: usize) -> Result<(), Failure> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header).await.map_err(closed)?;
        let [low, middle, high, number] = header;
        let length = u32::from_le_bytes([low, middle, high, 0]) as usize;
        if length > most {
            return Err(Failure::message(Reason::Limit, format!("a packet of more than {most} bytes")));
        }
        self.payload.clear();
        let taken = (&mut self.stream).take(length as u64).read_to_end(&mut self.payload).await.map_err(closed)?;
        if taken < length {
            return Err(closed(io::ErrorKind::UnexpectedEof.into()));
        }
        // A server that closes the connection may say why before it was asked anything.
        if self.payload.first() == Some(&ERROR) {
            let failure = error(&self.payload)?;
            self.refused = number == self.number;
            return Err(failure);
        }
        if number != self.number {
            return Err(stranger());
        }
        self.number = number.wrapping_add(1);
        Ok(())
    }

    /// Reads the next packet of a login: whoever sends more than `most` bytes is no server.
    pub(super) async fn read_login(&mut self, most: usize) -> Result<&[u8], Failure> {
        match self.fetch(most).await {
            Ok(()) => Ok(&self.payload),
            Err(failure) if failure.reason == Reason::Limit && !self.refused => Err(stranger()),
            Err(failure) => Err(failure),
        }
    }

    /// Sends one packet.
    pub(super) async fn write(&mut self, payload: &[u8]) -> Result<(), Failure> {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        if payload.len() >= CONTINUED {
            return Err(Failure::message(Reason::Limit, "a statement of more than 16 MiB"));
        }
        let [low, middle, high, _] = length.to_le_bytes();
        let packet = [&[low, middle, high, self.number], payload].concat();
        self.number = self.number.wrapping_add(1);
        self.stream.write_all(&packet).await.map_err(failure::io)?;
        self.stream.flush().await.map_err(failure::io)
    }
}

fn closed(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::message(Reason::Protocol, "the server closed the connection"),
        _ => failure::io(error),
    }
}

/// The failure in an error packet: a code, its SQL state (not before we have logged in), and a text.
fn error(payload: &[u8]) -> Result<Failure, Failure> {
    let mut bytes = Bytes(payload);
    bytes.byte()?;
    let code = bytes.short()?;
    if bytes.0.first() == Some(&b'#') {
        bytes.take(6)?;
    }
    Ok(failure::server(code, &String::from_utf8_lossy(bytes.0)))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    /// Reads the first packet of these bytes, of a hundred bytes at most.
    fn first(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let stream = tokio_test_stream(bytes.to_vec());
        let mut packets = Packets::over(stream);
        packets.read(100).now_or_never().expect("all bytes are there").map(<[u8]>::to_vec)
    }

    fn tokio_test_stream(bytes: Vec<u8>) -> Box<dyn Stream> {
        Box::new(tokio::io::join(io::Cursor::new(bytes), tokio::io::sink()))
    }

    #[test]
    fn a_packet_is_read_within_its_limits() {
        assert_eq!(first(b"\x02\0\0\0ab").unwrap(), b"ab");
        assert_eq!(first(b"\0\0\0\0").unwrap(), b"");
        for (bytes, reason) in [
            (&b"\x65\0\0\0"[..], Reason::Limit),
            (b"\xff\xff\xff\0", Reason::Limit),
            (b"\x02\0\0\x01ab", Reason::Protocol),
            (b"\x02\0\0\0a", Reason::Protocol),
            (b"\x02\0", Reason::Protocol),
            (b"\x01\0\0\0\xff", Reason::Protocol),
            (b"\x0d\0\0\0\xff\x15\x04#28000Away", Reason::Auth),
            (b"\x07\0\0\0\xff\x10\x04Full", Reason::Limit),
        ] {
            assert_eq!(first(bytes).unwrap_err().reason, reason, "{bytes:?}");
        }
        assert_eq!(first(b"\x0d\0\0\0\xff\x15\x04#28000Away").unwrap_err().to_string(), "Away (1045)");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_a_failure(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(payload) = first(&bytes) {
                prop_assert!(payload.len() <= 100 && payload.len() + 4 <= bytes.len());
            }
        }
    }
}
