//! Templates whose names are filled in, and the bytes that they become at each request.
//!
//! Secrets and tokens stay holes until the moment that they are sent, so that what is printed of a [`Filled`] cannot
//! have any in it.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use ring::rand::{SecureRandom as _, SystemRandom};

use super::encoding::Encoding;
use super::hole::{Content, Escape, Hole};
use super::template::{Piece, Place, Template};
use super::time::{Moment, Time};
use super::token::AccessToken;
use super::values::Values;
use crate::collector::{Failure, Reason};
use crate::config::secret::Secret;

/// A template of which only what differs from request to request is open.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filled(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// As it is sent.
    Text(String),
    Secret {
        name: String,
        secret: Secret,
        encoding: Encoding,
    },
    Token(Encoding),
    Uuid,
    Cycle(RangeInclusive<u32>),
    Time(Time, Encoding),
}

/// What the hole `{{token}}` is.
#[derive(Clone, Copy, Debug)]
pub(super) enum TokenSource<'a> {
    /// Asked for, and given at each request.
    Asked,
    /// Kept where the shop's own integration writes it.
    Kept(&'a Filled),
}

impl Filled {
    /// The template with the names of this account; `None` when it names an optional secret that the account does not
    /// have.
    ///
    /// # Errors
    /// When it names what there is not, or a hole cannot stand in this place.
    pub(super) fn of(
        template: &Template,
        place: Place,
        values: &Values<'_>,
        token: Option<TokenSource<'_>>,
    ) -> Result<Option<Self>, String> {
        template.check(place, token.is_some())?;
        let mut filled = Self::default();
        for piece in &template.0 {
            match piece {
                // What a preset's author writes into a path is a path already.
                Piece::Text(text) if place == Place::Path => filled.push(text),
                Piece::Text(text) => filled.push(&Encoding::of(place, Escape::Usual).text(text)),
                Piece::Hole(hole) => {
                    if !filled.put(hole, place, values, token)? {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(filled))
    }

    fn put(
        &mut self,
        hole: &Hole,
        place: Place,
        values: &Values<'_>,
        token: Option<TokenSource<'_>>,
    ) -> Result<bool, String> {
        let encoding = Encoding::of(place, hole.escape);
        match &hole.content {
            Content::Var(name) => {
                let value = values.var(name)?;
                if hole.escape == Escape::Raw && !value.bytes().all(is_of_address) {
                    return Err(format!(
                        "the variable `{name}` cannot be a part of an address\n\
                         percent-encode what is no letter, digit or one of -._~:/?@!$&'()*+,;=%"
                    ));
                }
                self.push(&encoding.text(value));
            }
            Content::Secret(name) => match values.secret(name)? {
                Some(secret) => self.0.push(Part::Secret { name: name.clone(), secret: secret.clone(), encoding }),
                None => return Ok(false),
            },
            Content::Token => match token {
                Some(TokenSource::Kept(Self(parts))) => {
                    let parts = parts.iter().map(|part| match part {
                        Part::Secret { name, secret, .. } => {
                            Part::Secret { name: name.clone(), secret: secret.clone(), encoding }
                        }
                        part => part.clone(),
                    });
                    self.0.extend(parts);
                }
                Some(TokenSource::Asked) | None => self.0.push(Part::Token(encoding)),
            },
            Content::BaseUrl => self.push(values.base_url()),
            Content::Uuid => self.0.push(Part::Uuid),
            Content::Cycle(range) => self.0.push(Part::Cycle(range.clone())),
            Content::Time(time) => self.0.push(Part::Time(*time, encoding)),
        }
        Ok(true)
    }

    /// A text without holes, as it is.
    pub(super) fn literal(text: &str) -> Self {
        let mut filled = Self::default();
        filled.push(text);
        filled
    }

    /// The name of a parameter, as it stands in an address.
    pub(super) fn in_query(name: &str) -> String {
        Encoding::Address.text(name)
    }

    /// Adds text as it is.
    pub(super) fn push(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.0.push(Part::Text(text.to_owned())),
        }
    }

    /// Adds another after it.
    pub(super) fn append(&mut self, other: Self) {
        for part in other.0 {
            match part {
                Part::Text(text) => self.push(&text),
                part => self.0.push(part),
            }
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, when all of it is known.
    pub(super) fn known(&self) -> Option<&str> {
        match &self.0[..] {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text that it begins with.
    pub(super) fn beginning(&self) -> &str {
        match self.0.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// The secrets in it.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter().filter_map(|part| match part {
            Part::Secret { secret, .. } => Some(secret),
            _ => None,
        })
    }

    /// What is sent, with secrets as they are kept now.
    ///
    /// # Errors
    /// When a secret cannot be read, is empty, or has a line break or a zero byte in it; when there is no token.
    pub(super) fn bytes(&self, token: Option<&AccessToken>, moment: &Moment) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Secret { name, secret, encoding } => {
                    let value = secret.reveal()?;
                    usable(&value)
                        .map_err(|why| Failure::message(Reason::Auth, format!("the secret `{name}` {why}")))?;
                    encoding.write(&value, &mut out);
                }
                Part::Token(encoding) => {
                    let token = token.ok_or_else(|| Failure::message(Reason::Bug, "there is no access token"))?;
                    encoding.write(token.reveal().as_bytes(), &mut out);
                }
                Part::Uuid => out.extend_from_slice(uuid()?.as_bytes()),
                Part::Cycle(range) => out.extend_from_slice(turn(range, moment).to_string().as_bytes()),
                Part::Time(time, encoding) => encoding.write(time.text(moment.now).as_bytes(), &mut out),
            }
        }
        Ok(out)
    }

    /// What is sent, for people: with `[secret name]`, `[token]` and `[uuid]` in the place of what these are.
    pub(super) fn shown(&self, moment: &Moment) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Secret { name, .. } => out.extend(["[secret ", name, "]"]),
                Part::Token(_) => out.push_str("[token]"),
                Part::Uuid => out.push_str("[uuid]"),
                Part::Cycle(range) => out.push_str(&turn(range, moment).to_string()),
                Part::Time(time, encoding) => out.push_str(&encoding.text(&time.text(moment.now))),
            }
        }
        out
    }
}

/// What can stand in a path and its query (RFC 3986, 3.3 and 3.4).
fn is_of_address(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=%".contains(&byte)
}

/// Why a secret cannot be sent. It could be made into another header, or end the request, where it has line breaks.
fn usable(value: &[u8]) -> Result<(), &'static str> {
    match value {
        [] => Err("is empty"),
        _ if value.iter().any(|byte| b"\r\n\0".contains(byte)) => Err("has a line break or a zero byte in it"),
        _ => Ok(()),
    }
}

fn turn(range: &RangeInclusive<u32>, moment: &Moment) -> u64 {
    let (first, last) = (u64::from(*range.start()), u64::from(*range.end()));
    first + moment.turn % (last - first + 1)
}

/// A random one (RFC 9562, version 4).
fn uuid() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    let random = SystemRandom::new().fill(&mut bytes);
    random.map_err(|_| Failure::message(Reason::Bug, "the system gives no random numbers"))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        let before = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
        write!(text, "{before}{byte:02x}").ok();
    }
    Ok(text)
}
