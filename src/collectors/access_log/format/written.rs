//! The other way round: a line as a server would write it for these values. For tests and fuzzers.

use super::meaning::Bytes;
use super::nginx::{self, Escape};
use super::piece::{Piece, Variable};
use super::value::put;
use super::{Format, Lines};
use crate::collectors::access_log::line::Line;

/// How a server writes what could be taken for a part of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// nginx with `escape=default`.
    NginxDefault,
    /// nginx with `escape=json`.
    NginxJson,
    /// nginx with `escape=none`.
    NginxNone,
    /// Apache.
    Apache,
}

impl Server {
    /// The value as it stands in the log.
    pub(crate) fn escaped(self, value: &[u8]) -> Vec<u8> {
        let mut written = Vec::new();
        for &byte in value {
            match (self, byte) {
                (Self::NginxDefault, b'"' | b'\\' | ..=0x1f | 0x7f..) => {
                    written.extend(format!("\\x{byte:02X}").bytes());
                }
                (Self::NginxJson | Self::Apache, b'"' | b'\\') => written.extend([b'\\', byte]),
                (Self::NginxJson | Self::Apache, b'\n') => written.extend(b"\\n"),
                (Self::NginxJson, ..=0x1f) => written.extend(format!("\\u{byte:04X}").bytes()),
                (Self::Apache, ..=0x1f | 0x7f..) => written.extend(format!("\\x{byte:02x}").bytes()),
                _ => written.push(byte),
            }
        }
        written
    }
}

impl Format {
    /// Who writes lines of this format; `None` for objects.
    pub(crate) fn server(&self) -> Option<Server> {
        let Lines::Text { pieces, .. } = &self.lines else { return None };
        let is_apache = pieces.iter().any(|piece| piece.to_string().starts_with('%'));
        if is_apache {
            return Some(Server::Apache);
        }
        // What has a name is `escape=default`.
        let escape = nginx::pieces(&self.text).map_or(Escape::Default, |(_, escape)| escape);
        Some(match escape {
            Escape::Default => Server::NginxDefault,
            Escape::Json => Server::NginxJson,
            Escape::None => Server::NginxNone,
        })
    }

    /// The line that the server writes when its variables have these values, one after the other and from the first one
    /// again, of each only the bytes that the variable can have; and what that line says. `None` for objects.
    ///
    /// What it says is `None` when a value is not of its kind, so that the line must be refused.
    pub(crate) fn write(&self, values: &[&[u8]], check: impl FnOnce(&[u8], Option<Line<'_>>)) -> Option<()> {
        let Lines::Text { pieces, .. } = &self.lines else { return None };
        let server = self.server()?;
        let mut values = values.iter().cycle();
        let mut line = Vec::new();
        let mut written = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => line.extend(text),
                Piece::Variable(Variable { known, .. }) => {
                    let value = possible(known.bytes, values.next().copied().unwrap_or_default());
                    let value = server.escaped(&value);
                    line.extend(&value);
                    written.push((known.meaning, value));
                }
            }
        }
        let mut said = Some(Line::default());
        for (meaning, value) in &written {
            said = said.and_then(|mut line| put(&mut line, *meaning, value).map(|()| line));
        }
        check(&line, said);
        Some(())
    }

    /// Whether no line of this format can be read in two ways.
    pub(crate) fn is_certain(&self) -> bool {
        match &self.lines {
            Lines::Text { program, .. } => program.is_certain(),
            Lines::Object => true,
        }
    }
}

/// What of a value is possible.
fn possible(bytes: Bytes, value: &[u8]) -> Vec<u8> {
    let Some(item) = bytes.item() else { return one_possible(bytes, value) };
    let items = value.split(|byte| *byte == b',').map(|value| one_possible(item, value));
    let items: Vec<Vec<u8>> = items.map(|item: Vec<u8>| if item.is_empty() { b"-".to_vec() } else { item }).collect();
    items.join(&b", "[..])
}

fn one_possible(bytes: Bytes, value: &[u8]) -> Vec<u8> {
    let may_begin = |byte: &u8| *byte != b':' || bytes.may_begin_with_colon();
    value.iter().copied().filter(|byte| bytes.may_have(*byte)).skip_while(|byte| !may_begin(byte)).collect()
}
