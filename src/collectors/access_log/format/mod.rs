//! The format of an access log: a text of nginx' or Apache's own, compiled once, and the lines it stands for.

mod apache;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod json;
mod meaning;
mod nginx;
mod number;
mod piece;
mod program;
mod stretch;
pub(crate) mod time;
mod unparsed;
mod value;
#[cfg(any(test, fuzzing))]
mod written;

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer};

use self::nginx::Escape;
use self::piece::Piece;
use self::program::Program;
use self::unparsed::Why;
use super::line::Line;
use crate::config::types::from_text;

pub use self::meaning::Field;
pub use self::unparsed::Unparsed;

/// The longest text of a format.
const TEXT_BYTES: usize = 16 << 10;

/// Formats that have a name, each as it stands in the server's configuration. `combined` is what nginx and Apache write
/// unless told otherwise; Apache's text stands for both.
const NAMED: [(&str, &str); 5] = [
    ("combined", r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#),
    ("common", r#"%h %l %u %t "%r" %>s %b"#),
    // Debian's Apache, for all virtual hosts that have no log of their own.
    ("vhost_combined", r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#),
    // The nginx.conf of nginx' own packages.
    (
        "main",
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for""#,
    ),
    ("combined_timed", Format::RECOMMENDED),
];

/// The name of JSON objects whose fields are known by their names.
const JSON: &str = "json";

/// What the lines of a log are like.
#[derive(Clone, Debug, PartialEq)]
pub struct Format {
    /// As it was written.
    text: Box<str>,
    lines: Lines,
}

#[derive(Clone, Debug, PartialEq)]
enum Lines {
    Object,
    Text { program: Program, pieces: Box<[Piece]> },
}

impl Format {
    /// The `log_format` that Vitrin recommends to users of nginx (1.17.6 and newer), as it stands in nginx.conf. Its
    /// beginning is `combined`, so that other readers of the log go on reading it.
    pub const RECOMMENDED: &str = concat!(
        "log_format combined_timed '$remote_addr - $remote_user [$time_local] \"$request\" '\n",
        "                          '$status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" '\n",
        "                          '\"$host\" $request_time \"$upstream_response_time\" '\n",
        "                          '\"$upstream_cache_status\" \"$limit_req_status\" \"$limit_conn_status\"';",
    );

    /// Compiles a format: the text of nginx' `log_format` (the whole directive, what follows its name, or the bare text),
    /// that of Apache's `LogFormat`, or a name. The error is a message and, in the next line, a way out.
    pub fn compile(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > TEXT_BYTES {
            return Err(format!("the format has {} bytes\nat most {TEXT_BYTES} are read", text.len()));
        }
        if text == JSON {
            return Ok(Self { text: text.into(), lines: Lines::Object });
        }
        let written = match NAMED.iter().find(|(name, _)| *name == text) {
            Some((_, written)) => written,
            None => text,
        };
        let (pieces, quotes) = if is_nginx(written) {
            let (pieces, escape) = nginx::pieces(written)?;
            (pieces, escape != Escape::None)
        } else if written.contains('%') {
            (apache::pieces(written)?, true)
        } else {
            return Err(unknown(text));
        };
        let program = Program::of(&pieces, quotes);
        Ok(Self { text: text.into(), lines: Lines::Text { program, pieces: pieces.into() } })
    }

    /// Reads a line, which is without its end.
    ///
    /// Nothing is allocated. A line that is not as the format says, or that can be read in two ways, is refused.
    #[inline]
    pub fn parse<'a>(&self, line: &'a [u8]) -> Result<Line<'a>, Unparsed> {
        match &self.lines {
            Lines::Text { program, .. } => {
                let mut read = Line::default();
                program.read(line, &mut read)?;
                Ok(read)
            }
            Lines::Object => json::read(line),
        }
    }

    /// Whether lines of this format can say this. Objects may say anything.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        match &self.lines {
            Lines::Object => true,
            Lines::Text { pieces, .. } => {
                let says = |piece: &Piece| match piece {
                    Piece::Variable(variable) => variable.known.meaning.fields().contains(&field),
                    Piece::Text(_) => false,
                };
                pieces.iter().any(says)
            }
        }
    }

    /// What lines of this format can never say, so that what is counted from it is unknown and not zero.
    pub fn lacks(&self) -> impl Iterator<Item = Field> {
        Field::ALL.iter().copied().filter(|field| !self.has(*field))
    }

    /// What was wrong with a line, without any of its words: for whoever looks for the right format.
    #[must_use]
    pub fn explain(&self, unparsed: Unparsed) -> String {
        let name = self.name(unparsed.at);
        match unparsed.why {
            Why::Beginning => "the line begins with something else than the format".to_owned(),
            Why::Behind => format!("behind `{name}` the line goes on otherwise than the format"),
            Why::Value => format!("`{name}` has a value that it cannot have"),
            Why::Ambiguous => {
                format!("`{name}` can end in more than one place; in quotation marks, and escaped, it could not")
            }
            Why::More => format!("the line goes on behind `{name}`, with which the format ends"),
            Why::NoObject => "the line is no JSON object".to_owned(),
            Why::Twice => format!("the object says twice what nginx calls `{name}`"),
            Why::NoRequest => "the object has no field that is known to name a request or its status".to_owned(),
        }
    }

    /// The variable, or what nginx calls the field, with this number.
    fn name(&self, at: u8) -> &str {
        match &self.lines {
            Lines::Object => Field::ALL.get(usize::from(at)).map_or("$request", |field| field.as_str()),
            Lines::Text { pieces, .. } => {
                let mut names = pieces.iter().filter_map(|piece| match piece {
                    Piece::Variable(variable) => Some(variable.name.as_str()),
                    Piece::Text(_) => None,
                });
                names.nth(usize::from(at)).unwrap_or_default()
            }
        }
    }
}

/// Whether there is a variable of nginx' in it.
fn is_nginx(text: &str) -> bool {
    let starts_name = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '{';
    text.starts_with("log_format") || text.split('$').skip(1).any(|behind| behind.starts_with(starts_name))
}

/// What is said about a text that is no format.
fn unknown(text: &str) -> String {
    let said = if text.is_empty() { "nothing".to_owned() } else { format!("`{text}`") };
    let names = NAMED.iter().map(|(name, _)| format!("`{name}`"));
    let names: Vec<_> = names.chain([format!("`{JSON}`")]).collect();
    format!(
        "{said} is no format of an access log\nwrite the text of nginx' log_format or of Apache's LogFormat, or one of \
         {}",
        names.join(", ")
    )
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::compile(text)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

#[cfg(test)]
mod tests;
