//! The text of Apache's `LogFormat`, as it stands in its configuration or between its quotation marks.
//!
//! <https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats>

use super::meaning::{Bytes, Known, Meaning, WITH_QUERY};
use super::piece::{Piece, Variable, apart};
use super::time::Clock;

/// The pieces of a format. Its values are always escaped, as `\"`.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let text = text.trim();
    let text = match text.strip_prefix("LogFormat").filter(|behind| behind.starts_with(char::is_whitespace)) {
        Some(behind) => quoted(behind.trim_start()).ok_or_else(|| {
            "`LogFormat` is not followed by a format in quotation marks\nwrite the line as Apache's configuration has it"
                .to_owned()
        })?,
        None => quoted(text).unwrap_or(text),
    };
    cut(&unescaped(text))
}

/// What is between a quotation mark at the beginning and the next one, if that ends it or a nickname follows.
fn quoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.char_indices().find(|(_, character)| {
        let is_end = *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        is_end
    });
    let (inner, nickname) = (&inner[..end?.0], inner[end?.0 + 1..].trim_start());
    let is_nickname = !nickname.contains(|c: char| c.is_whitespace() || "\"%\\".contains(c));
    is_nickname.then_some(inner)
}

/// Without the backslashes that a quoted text has.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('t') => plain.push('\t'),
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some(escaped @ ('"' | '\\')) => plain.push(escaped),
                Some(other) => plain.extend(['\\', other]),
                None => plain.push('\\'),
            },
            _ => plain.push(character),
        }
    }
    plain
}

/// Cuts a text at its directives.
fn cut(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        literal.push_str(before);
        if let Some(behind) = behind.strip_prefix('%') {
            literal.push('%');
            rest = behind;
            continue;
        }
        let directive = Directive::read(behind).ok_or_else(|| {
            let at = text.len() - behind.len();
            let at = text[..at].chars().count();
            format!("no directive follows the `%` at character {at}\nwrite for example %r or %{{Referer}}i; a `%` itself is %%")
        })?;
        rest = &behind[directive.length..];
        let mut put = |literal: &mut String, name: &str, known| {
            if !literal.is_empty() {
                pieces.push(Piece::text(&std::mem::take(literal)));
            }
            pieces.push(Piece::Variable(Variable { name: name.to_owned(), known }));
        };
        let name = &text[text.len() - behind.len() - 1..text.len() - rest.len()];
        match (directive.argument, directive.letters) {
            // Apache itself puts it in brackets.
            (None, "t") => {
                literal.push('[');
                put(&mut literal, name, Known::new(Meaning::Time(Clock::Local), 1, Bytes::Date));
                literal.push(']');
            }
            // A query is empty, or begins with its question mark.
            (None, "U") if rest.starts_with("%q") => {
                rest = &rest[2..];
                put(&mut literal, "%U%q", Known::new(Meaning::Target, WITH_QUERY, Bytes::Any));
            }
            _ => put(&mut literal, name, directive.known()),
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::text(&literal));
    }
    apart(pieces)
}

/// What follows a `%`.
struct Directive<'a> {
    /// Of the answer, if it is not that of the request as it came: `%>s`.
    is_final: bool,
    argument: Option<&'a str>,
    letters: &'a str,
    length: usize,
}

impl<'a> Directive<'a> {
    fn read(text: &'a str) -> Option<Self> {
        // `%400,501{User-agent}i`, `%!200{Referer}i`, `%>s`.
        let behind = text.trim_start_matches(|c: char| c.is_ascii_digit() || ",!<>".contains(c));
        let modifiers = &text[..text.len() - behind.len()];
        let (argument, behind) = match behind.strip_prefix('{') {
            Some(behind) => behind.split_once('}').map(|(argument, behind)| (Some(argument), behind))?,
            None => (None, behind),
        };
        let letters = match behind.as_bytes() {
            [b'^', b't', b'i' | b'o', ..] => &behind[..3],
            [letter, ..] if letter.is_ascii_alphabetic() => &behind[..1],
            _ => return None,
        };
        let length = text.len() - behind.len() + letters.len();
        Some(Self { is_final: modifiers.contains('>'), argument, letters, length })
    }

    fn known(&self) -> Known {
        use Meaning as M;
        match (self.letters, self.argument) {
            ("a", None) => Known::new(M::Client, 2, Bytes::Word),
            ("h", _) => Known::new(M::Client, 1, Bytes::Word),
            ("u", _) => Known::new(M::User, 1, Bytes::Any),
            ("t", Some(form)) => of_time(form),
            ("r", _) => Known::new(M::Request, 1, Bytes::Any),
            ("m", _) => Known::new(M::Method, 1, Bytes::Word),
            ("U", _) => Known::new(M::Target, 1, Bytes::Any),
            ("q", _) => Known::new(M::Query, 1, Bytes::Any),
            ("H", _) => Known::new(M::Protocol, 1, Bytes::Word),
            ("s", _) => Known::new(M::Status, 1 + u8::from(self.is_final), Bytes::Number),
            ("b" | "B", _) => Known::new(M::Sent, 2, Bytes::Number),
            ("O", _) => Known::new(M::Sent, 1, Bytes::Number),
            ("D", _) | ("T", Some("us")) => Known::new(M::Duration(0), 2, Bytes::Number),
            ("T", Some("ms")) => Known::new(M::Duration(3), 1, Bytes::Number),
            ("V" | "v", _) => Known::new(M::Host, 1, Bytes::Name),
            ("i", Some(header)) => of_header(header),
            // Whole seconds say nothing about a request of some milliseconds: 0 would be a lie.
            ("T" | "I" | "S" | "k" | "p" | "P", _) => Known::nothing(Bytes::Number),
            ("a" | "A" | "l" | "L" | "X", _) => Known::nothing(Bytes::Word),
            _ => Known::UNKNOWN,
        }
    }
}

/// `%{…}t`: a count, or what strftime makes of it; of that the usual ones.
fn of_time(form: &str) -> Known {
    let form = form.strip_prefix("begin:").or_else(|| form.strip_prefix("end:")).unwrap_or(form);
    let (clock, bytes) = match form {
        "sec" | "%s" => (Clock::Count(0), Bytes::Number),
        "msec" => (Clock::Count(3), Bytes::Number),
        "usec" => (Clock::Count(6), Bytes::Number),
        "%d/%b/%Y:%H:%M:%S %z" | "%d/%b/%Y:%T %z" => (Clock::Local, Bytes::Date),
        "%Y-%m-%dT%H:%M:%S%z" | "%FT%T%z" => (Clock::Iso, Bytes::Word),
        "%Y-%m-%d %H:%M:%S%z" | "%F %T%z" => (Clock::Iso, Bytes::Date),
        "msec_frac" | "usec_frac" => return Known::nothing(Bytes::Number),
        _ => return Known::UNKNOWN,
    };
    Known::new(Meaning::Time(clock), 1, bytes)
}

/// A header of the request. `X-Forwarded-For` is not the client: mod_remoteip puts the right one into `%a`.
fn of_header(name: &str) -> Known {
    let meaning = match name.to_ascii_lowercase().as_str() {
        "host" => return Known::new(Meaning::Host, 2, Bytes::Any),
        "user-agent" => Meaning::Agent,
        "referer" => Meaning::Referer,
        _ => Meaning::Nothing,
    };
    Known::new(meaning, 1, Bytes::Any)
}
