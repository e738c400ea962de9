//! What a server of before TLS 1.3 answers in clear: its choice, its certificates, or that it wants none of it.

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::collector::{Failure, Reason};

/// The most that is read of an answer: four times what OpenSSL takes for a chain.
const ANSWER_BYTES: usize = 4 * 100 * 1024;

/// The longest record: 16 KiB and what old encryption adds (RFC 5246, section 6.2.3).
const RECORD_BYTES: usize = (1 << 14) + 2048;

/// What stands before each record: kind, version, length.
const HEADER: usize = 5;

/// How much of the answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The server's choice.
    Choice,
    /// Its certificates too.
    Certificates,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It agreed.
    Agreed(Flight),
    /// It said no, by the number of an alert (RFC 5246, section 7.2).
    Refused(u8),
}

/// What a server says before it waits for the client again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flight {
    /// The version that it chose.
    pub(crate) version: u16,
    /// The suite that it chose.
    pub(crate) suite: u16,
    /// Its certificates, its own first; `None` until they have come.
    pub(crate) certificates: Option<Vec<CertificateDer<'static>>>,
}

/// Reads as much of an answer as is wanted.
///
/// # Errors
/// `protocol` when it is not TLS, `limit` when it has no end, and what reading gives.
pub(crate) async fn read<S: AsyncRead + Unpin>(stream: &mut S, wanted: Wanted) -> Result<Answer, Failure> {
    let mut reader = Reader::default();
    let mut record = Vec::new();
    loop {
        let mut header = [0; HEADER];
        stream.read_exact(&mut header).await.map_err(Failure::io)?;
        record.resize(reader.expect(header)?, 0);
        stream.read_exact(&mut record).await.map_err(Failure::io)?;
        if let Some(answer) = reader.take(header[0], &record, wanted)? {
            return Ok(answer);
        }
    }
}

/// Puts the messages of an answer together, which begin and end where they like in its records.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    messages: Vec<u8>,
    flight: Flight,
    read: usize,
}

impl Reader {
    /// How many bytes follow a header.
    pub(crate) fn expect(&mut self, header: [u8; HEADER]) -> Result<usize, Failure> {
        let [kind, major, _, high, low] = header;
        // Handshakes and alerts; nothing else may come before the client's turn.
        if !matches!(kind, 21 | 22) || major != 3 {
            return Err(protocol("the answer is not TLS"));
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 || length > RECORD_BYTES {
            return Err(protocol("a record of TLS with an impossible length"));
        }
        self.read += HEADER + length;
        if self.read > ANSWER_BYTES {
            return Err(Failure::message(Reason::Limit, "the answer is larger than 400 KiB"));
        }
        Ok(length)
    }

    /// Takes a record; the answer when it is complete.
    pub(crate) fn take(&mut self, kind: u8, record: &[u8], wanted: Wanted) -> Result<Option<Answer>, Failure> {
        if kind == 21 {
            return match record {
                // A warning, that the name is not known for example; the answer follows.
                [1, description, ..] if *description != 0 => Ok(None),
                [_, description, ..] => Ok(Some(Answer::Refused(*description))),
                _ => Err(protocol("half an alert")),
            };
        }
        self.messages.extend(record);
        let mut left = self.messages.as_slice();
        let mut answer = None;
        while answer.is_none()
            && let Some((kind, content, rest)) = message(left)
        {
            answer = self.flight.message(kind, content, wanted)?;
            left = rest;
        }
        let done = self.messages.len() - left.len();
        self.messages.drain(..done);
        Ok(answer)
    }
}

/// The kind and content of the first message, and what follows it; `None` until all of it has come.
fn message(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (content, rest) = with_length(rest)?;
    Some((*kind, content, rest))
}

impl Flight {
    /// Takes a message; the answer when nothing more is wanted.
    fn message(&mut self, kind: u8, content: &[u8], wanted: Wanted) -> Result<Option<Answer>, Failure> {
        match (kind, self.version) {
            // "Let us begin anew", which a server may say at any time; and what else it says before it waits: its part
            // of the key exchange, whom it wants a certificate from, the status of its own.
            (0, _) | (12 | 13 | 22, 1..) => return Ok(None),
            (2, 0) => {
                (self.version, self.suite) = choice(content).ok_or_else(|| protocol("half a ServerHello"))?;
                if wanted == Wanted::Certificates {
                    return Ok(None);
                }
            }
            (11, 1..) if self.certificates.is_none() => {
                let chain = certificates(content).ok_or_else(|| protocol("a broken list of certificates"))?;
                self.certificates = Some(chain);
            }
            // The end of what comes in clear. There were no certificates, as with a suite that needs none.
            (14, 1..) => {}
            _ => return Err(protocol("a message of TLS that has no place here")),
        }
        Ok(Some(Answer::Agreed(std::mem::take(self))))
    }
}

/// The version and suite of a `ServerHello`.
fn choice(content: &[u8]) -> Option<(u16, u16)> {
    let number = |at: usize| Some(u16::from_be_bytes(content.get(at..at + 2)?.try_into().ok()?));
    // Behind the version and 32 random bytes the session's name, and before the suite.
    let version = number(0).filter(|version| version >> 8 == 3)?;
    let session = usize::from(*content.get(34)?);
    Some((version, number(35 + session)?))
}

/// The certificates of a list.
fn certificates(content: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let (mut list, rest) = with_length(content)?;
    if !rest.is_empty() {
        return None;
    }
    let mut certificates = Vec::new();
    while !list.is_empty() {
        let (certificate, rest) = with_length(list)?;
        certificates.push(certificate.to_vec().into());
        list = rest;
    }
    Some(certificates)
}

/// What stands behind its length in three bytes, and what follows it.
fn with_length(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(3)?;
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

fn protocol(message: &'static str) -> Failure {
    Failure::message(Reason::Protocol, message)
}
