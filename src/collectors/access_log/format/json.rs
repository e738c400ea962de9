//! Lines that are JSON objects, with their fields in any order: nginx, Apache and Caddy can write such.
//!
//! Nothing is copied, so escapes stay as they are. What is not asked for is skipped; of objects inside the object those
//! of Caddy's log are read, too: `request` and, in it, `headers`.

use memchr::memchr2;

use super::meaning::{Bytes, Field, Known, Meaning, WITH_QUERY, of_nginx};
use super::time::Clock;
use super::unparsed::{Unparsed, Why};
use super::value::put;
use crate::collectors::access_log::line::Line;

/// How deep objects and arrays may lie in one another.
const DEPTH: usize = 16;

/// What a field of an object says: nginx' variables by their names, and what others call the same.
fn of_key(key: &[u8]) -> Known {
    use Meaning as M;
    let known = |meaning, rank| Known::new(meaning, rank, Bytes::Any);
    match key {
        b"t" | b"ts" | b"time" | b"timestamp" | b"@timestamp" => known(M::Time(Clock::Any), 0),
        b"ip" | b"client_ip" | b"remote_ip" | b"client" => known(M::Client, u8::from(key != b"remote_ip")),
        b"ru" | b"user" | b"user_id" => known(M::User, 0),
        b"m" | b"method" => known(M::Method, 0),
        b"u" | b"url" => known(M::Target, WITH_QUERY),
        b"query" => known(M::Query, 0),
        b"proto" | b"protocol" => known(M::Protocol, 0),
        b"s" => known(M::Status, 0),
        b"b" | b"bytes" | b"size" => known(M::Sent, 0),
        b"rt" | b"duration" => known(M::Duration(6), 0),
        b"duration_ms" => known(M::Duration(3), 0),
        b"duration_us" => known(M::Duration(0), 0),
        b"urt" | b"upstream_time" => known(M::Upstream, 0),
        b"cs" | b"cache_status" => known(M::Cache, 0),
        b"lr" => known(M::LimitReq, 0),
        b"lc" => known(M::LimitConn, 0),
        b"h" | b"vhost" => known(M::Host, 0),
        b"ua" | b"user_agent" | b"User-Agent" | b"user-agent" => known(M::Agent, 0),
        b"ref" | b"referer" | b"referrer" | b"Referer" => known(M::Referer, 0),
        _ => str::from_utf8(key).map_or(Known::UNKNOWN, of_nginx),
    }
}

/// Whose members an object has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// The line's, or its request's.
    Line,
    /// The headers of the request, whose names a client chooses: only some are taken.
    Headers,
    /// Something else's.
    Other,
}

impl Of {
    /// Whose members the object behind a key has.
    fn within(self, key: &[u8]) -> Self {
        match (self, key) {
            (Self::Line, b"request") => Self::Line,
            (Self::Line, b"headers") => Self::Headers,
            _ => Self::Other,
        }
    }

    /// Whether a key says something.
    fn takes(self, key: &[u8]) -> bool {
        match self {
            Self::Line => true,
            Self::Headers => [&b"user-agent"[..], b"referer"].iter().any(|name| key.eq_ignore_ascii_case(name)),
            Self::Other => false,
        }
    }
}

/// Where a request in one is remembered as seen, behind the fields; and the query of a target.
const REQUEST: usize = Field::ALL.len();
const QUERY: usize = REQUEST + 1;

/// Reads a line.
pub(super) fn read(text: &[u8]) -> Result<Line<'_>, Unparsed> {
    let mut reader = Reader { text, at: 0, line: Line::default(), request: b"", seen: [None; QUERY + 1] };
    reader.space();
    reader.expect(b'{')?;
    reader.object(1, Of::Line)?;
    reader.space();
    if reader.at < text.len() {
        return Err(Unparsed::new(0, Why::NoObject));
    }
    let seen = |field: Field| reader.seen[field as usize].is_some();
    let has_request = reader.seen[REQUEST].is_some();
    if !has_request && !seen(Field::Target) && !seen(Field::Status) {
        return Err(Unparsed::new(0, Why::NoRequest));
    }
    if has_request {
        put(&mut reader.line, Meaning::Request, reader.request).expect("any text is a request");
    }
    if has_request || reader.seen[Field::Target as usize] >= Some(WITH_QUERY) {
        reader.line.query = b"";
    }
    Ok(reader.line)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    line: Line<'a>,
    /// `$request`, which counts more than its parts.
    request: &'a [u8],
    /// The rank with which each field was seen.
    seen: [Option<u8>; QUERY + 1],
}

impl<'a> Reader<'a> {
    /// The members of an object, up to its end.
    fn object(&mut self, depth: usize, of: Of) -> Result<(), Unparsed> {
        self.space();
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            self.expect(b'"')?;
            let key = self.string()?;
            self.space();
            self.expect(b':')?;
            self.value(key, depth, of)?;
            self.space();
            if self.takes(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    fn value(&mut self, key: &'a [u8], depth: usize, of: Of) -> Result<(), Unparsed> {
        self.space();
        if depth == DEPTH {
            return Err(Unparsed::new(0, Why::NoObject));
        }
        if self.takes(b'"') {
            let value = self.string()?;
            return if of.takes(key) { self.take(key, value) } else { Ok(()) };
        }
        if self.takes(b'{') {
            return self.object(depth + 1, of.within(key));
        }
        if self.takes(b'[') {
            return self.array(key, depth + 1, of);
        }
        let word = &self.text[self.at..];
        let end = word.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte));
        let word = &word[..end.unwrap_or(word.len())];
        self.at += word.len();
        match word {
            b"null" | b"true" | b"false" => Ok(()),
            [b'-' | b'0'..=b'9', ..] if of.takes(key) => self.take(key, word),
            [b'-' | b'0'..=b'9', ..] => Ok(()),
            _ => Err(Unparsed::new(0, Why::NoObject)),
        }
    }

    /// The items of an array, of which the first counts: Caddy writes headers like that.
    fn array(&mut self, key: &'a [u8], depth: usize, of: Of) -> Result<(), Unparsed> {
        self.space();
        if self.takes(b']') {
            return Ok(());
        }
        let mut of = of;
        loop {
            self.value(key, depth, of)?;
            of = Of::Other;
            self.space();
            if self.takes(b']') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// Takes a value whose key says something.
    fn take(&mut self, key: &[u8], value: &'a [u8]) -> Result<(), Unparsed> {
        let known = of_key(key);
        let slot = match (known.meaning, known.meaning.fields()) {
            (Meaning::Nothing, _) => return Ok(()),
            (Meaning::Request, _) => REQUEST,
            (Meaning::Query, _) => QUERY,
            (_, fields) => fields[0] as usize,
        };
        let at = u8::try_from(slot).expect("there are few fields");
        match self.seen[slot] {
            // As what a client has smuggled in would.
            Some(rank) if rank == known.rank => return Err(Unparsed::new(at, Why::Twice)),
            Some(rank) if rank > known.rank => return Ok(()),
            _ => self.seen[slot] = Some(known.rank),
        }
        if known.meaning == Meaning::Request {
            self.request = value;
            return Ok(());
        }
        put(&mut self.line, known.meaning, value).ok_or(Unparsed::new(at, Why::Value))
    }

    /// What is between the quotation mark before this place and the next one.
    fn string(&mut self) -> Result<&'a [u8], Unparsed> {
        let begin = self.at;
        loop {
            let rest = &self.text[self.at..];
            let found = memchr2(b'"', b'\\', rest).ok_or(Unparsed::new(0, Why::NoObject))?;
            if rest[found] == b'"' {
                let string = &self.text[begin..self.at + found];
                self.at += found + 1;
                return Ok(string);
            }
            self.at = (self.at + found + 2).min(self.text.len());
        }
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is_it = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unparsed> {
        if self.takes(byte) { Ok(()) } else { Err(Unparsed::new(0, Why::NoObject)) }
    }
}
