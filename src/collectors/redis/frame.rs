//! How long a RESP2 reply is, found out without keeping more than a limited part of it.
//!
//! The `redis` crate decodes replies, but has no limits: a header that announces 512 MiB is believed. So a reply is
//! first measured here, and only a whole one of honest size is given to the crate.
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/>

use crate::collector::{Failure, Reason};

/// The largest reply we read. `INFO ALL` of a busy server has 100 KiB, a batch of `SCAN` as much.
pub(super) const REPLY_BYTES: usize = 8 << 20;

/// How many values one reply may hold, arrays inside arrays counted too.
const REPLY_VALUES: usize = 200_000;

/// How many replies of the largest size the commands that are sent together may have.
const REPLIES: usize = 2;

/// How large the replies to commands that were sent together are.
#[derive(Default)]
pub(super) struct Size {
    bytes: usize,
    values: usize,
}

impl Size {
    /// Adds a reply of this length, which the frame has measured.
    ///
    /// # Errors
    /// `limit` when they are too large together, each of them honest or not.
    pub(super) fn add(&mut self, length: usize, frame: &Frame) -> Result<(), Failure> {
        self.bytes += length;
        self.values += frame.values;
        if self.bytes > REPLIES * REPLY_BYTES || self.values > REPLIES * REPLY_VALUES {
            return Err(too_large());
        }
        Ok(())
    }
}

/// A reply that is arriving: how far it was read, and how many values are still to come.
pub(super) struct Frame {
    at: usize,
    missing: usize,
    values: usize,
}

impl Frame {
    /// A reply of which nothing has been seen.
    pub(super) fn new() -> Self {
        Self { at: 0, missing: 1, values: 0 }
    }

    /// The length of the reply that `bytes` begins with, or `None` while it is not all there.
    ///
    /// Called again with more bytes, it goes on where it stopped.
    ///
    /// # Errors
    /// `limit` when the reply is, or says that it will be, too large; `protocol` and `tls` when it is no RESP2.
    pub(super) fn length(&mut self, bytes: &[u8]) -> Result<Option<usize>, Failure> {
        while self.missing > 0 {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let Some(end) = memchr::memchr(b'\n', rest) else {
                if let Some(first) = rest.first() {
                    known(*first)?;
                }
                return if bytes.len() > REPLY_BYTES { Err(too_large()) } else { Ok(None) };
            };
            known(rest[0])?;
            // The decoder ends a line at both bytes, and would wait for the other one.
            let line = rest[..end].strip_suffix(b"\r").ok_or_else(|| not_resp("a line without a carriage return"))?;
            let (kind, text) = line.split_first().ok_or_else(|| not_resp("an empty line"))?;
            let mut next = self.at + end + 1;
            let mut inner = 0;
            match (kind, number(text)) {
                (b'$' | b'*', Some(-1)) | (b'+' | b'-' | b':', _) => {}
                // The text and its line end.
                (b'$', Some(length)) => next = next.saturating_add(size(length)?).saturating_add(2),
                (b'*', Some(length)) => inner = size(length)?,
                _ => return Err(not_resp("a length that is not a number")),
            }
            self.values += inner + 1;
            if next > REPLY_BYTES || self.values > REPLY_VALUES {
                return Err(too_large());
            }
            if next > bytes.len() {
                self.values -= inner + 1;
                return Ok(None);
            }
            self.at = next;
            self.missing += inner;
            self.missing -= 1;
        }
        Ok(Some(self.at))
    }
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn size(length: i64) -> Result<usize, Failure> {
    match usize::try_from(length) {
        Ok(size) if size <= REPLY_BYTES => Ok(size),
        Ok(_) => Err(too_large()),
        Err(_) => Err(not_resp("a negative length")),
    }
}

fn known(kind: u8) -> Result<(), Failure> {
    match kind {
        b'+' | b'-' | b':' | b'$' | b'*' => Ok(()),
        // A TLS alert record: the other side wanted a handshake.
        0x15 => Err(Failure::message(Reason::Tls, "the server speaks TLS; write rediss:// in its url")),
        other => Err(not_resp(&format!("a reply that starts with {:?}", char::from(other)))),
    }
}

fn not_resp(what: &str) -> Failure {
    Failure::message(Reason::Protocol, format!("{what}, which no Redis says"))
}

fn too_large() -> Failure {
    Failure::message(Reason::Limit, format!("a reply of more than {REPLY_BYTES} bytes or {REPLY_VALUES} values"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn length(bytes: &[u8]) -> Result<Option<usize>, Reason> {
        Frame::new().length(bytes).map_err(|failure| failure.reason)
    }

    #[test]
    fn a_reply_is_as_long_as_all_its_parts() {
        for reply in ["+OK\r\n", "-ERR no\r\n", ":-3\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "$3\r\na\r\n\r\n"] {
            assert_eq!(length(reply.as_bytes()), Ok(Some(reply.len())), "{reply}");
        }
        let nested = "*2\r\n*2\r\n$1\r\na\r\n:1\r\n*1\r\n*-1\r\n";
        assert_eq!(length(format!("{nested}+next\r\n").as_bytes()), Ok(Some(nested.len())));
    }

    #[test]
    fn a_reply_that_announces_too_much_is_refused_before_it_arrives() {
        for reply in ["$1000000000\r\n", "*1000000000\r\n", "$9223372036854775807\r\n", "*200000\r\n*1\r\n"] {
            assert_eq!(length(reply.as_bytes()), Err(Reason::Limit), "{reply}");
        }
        assert_eq!(length(&vec![b'+'; REPLY_BYTES + 1]), Err(Reason::Limit));
    }

    #[test]
    fn what_no_redis_says_is_a_protocol_error() {
        for reply in ["HTTP/1.1 400 Bad Request\r\n", "\r\n", "$x\r\n", "*-2\r\n", "%1\r\n", "+OK\n"] {
            assert_eq!(length(reply.as_bytes()), Err(Reason::Protocol), "{reply}");
        }
        // Alerts of TLS, whose last byte is what went wrong: 10 is an unexpected message.
        for alert in [70, 10] {
            assert_eq!(length(&[0x15, 3, 1, 0, 2, 2, alert]), Err(Reason::Tls));
        }
    }

    proptest! {
        #[test]
        fn a_reply_that_comes_in_pieces_is_measured_the_same(cut in 0_usize..40) {
            let reply = b"*3\r\n$5\r\nhello\r\n*2\r\n:1\r\n+a\r\n$-1\r\n";
            let mut frame = Frame::new();
            let cut = cut.min(reply.len() - 1);
            prop_assert_eq!(frame.length(&reply[..cut]).unwrap(), None);
            prop_assert_eq!(frame.length(reply).unwrap(), Some(reply.len()));
        }

        #[test]
        fn no_bytes_make_it_panic_and_a_measured_reply_can_be_decoded(bytes in "[-+:$*0-9a\r\n]{0,40}") {
            if let Ok(Some(length)) = Frame::new().length(bytes.as_bytes()) {
                prop_assert!(length <= bytes.len());
                // It may still be refused, for example for its line ends; it may not wait for more, or panic.
                drop(redis::parse_redis_value(&bytes.as_bytes()[..length]));
            }
        }
    }
}
