//! The text of nginx' `log_format`, as it stands in nginx.conf or between its quotation marks.

use super::meaning::{Bytes, Meaning};
use super::meaning::{Known, WITH_QUERY, of_nginx};
use super::piece::{Piece, Variable};

/// How nginx writes what could be taken for a part of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// `\x22`; `-` for what is not there.
    Default,
    /// `\"`; nothing for what is not there.
    Json,
    /// Not at all.
    None,
}

/// The pieces of a format, and how its values are escaped.
///
/// It may be the whole directive, what follows its name, or the text alone.
pub(super) fn pieces(text: &str) -> Result<(Vec<Piece>, Escape), String> {
    let mut text = text.trim();
    let directive = text.strip_prefix("log_format").filter(|behind| behind.starts_with(char::is_whitespace));
    if let Some(behind) = directive {
        // Its name.
        text = behind.trim_start().split_once(char::is_whitespace).map_or("", |(_, behind)| behind.trim_start());
    }
    let mut escape = Escape::Default;
    if let Some(behind) = text.strip_prefix("escape=") {
        let (word, behind) = behind.split_once(char::is_whitespace).unwrap_or((behind, ""));
        escape = match word {
            "default" => Escape::Default,
            "json" => Escape::Json,
            "none" => Escape::None,
            _ => {
                return Err(format!(
                    "`escape={word}` is none of nginx'\nwrite escape=default, escape=json or escape=none"
                ));
            }
        };
        text = behind.trim_start();
    }
    let pieces = match unquoted(text) {
        // `"$a" "$b"` can be two parts of a directive, and a format with quotation marks in it.
        Some(joined) => cut(&joined).or_else(|problem| cut(text).map_err(|_| problem)),
        None if directive.is_some() => Err("`log_format` is not followed by a name and texts in quotation marks\n\
                                            write the directive as nginx' configuration has it, up to its `;`"
            .to_owned()),
        None => cut(text),
    };
    Ok((pieces?, escape))
}

/// The parts of a directive put together; `None` when it does not consist of quoted parts.
fn unquoted(text: &str) -> Option<String> {
    let mut joined = String::new();
    let mut rest = text.strip_suffix(';').unwrap_or(text).trim();
    while let Some(quote @ ('\'' | '"')) = rest.chars().next() {
        let mut characters = rest[1..].char_indices();
        let end = loop {
            match characters.next()? {
                (at, character) if character == quote => break at,
                (_, '\\') => match characters.next()?.1 {
                    't' => joined.push('\t'),
                    'r' => joined.push('\r'),
                    'n' => joined.push('\n'),
                    escaped @ ('"' | '\'' | '\\') => joined.push(escaped),
                    other => joined.extend(['\\', other]),
                },
                (_, character) => joined.push(character),
            }
        };
        let behind = &rest[end + 2..];
        rest = behind.trim_start();
        if !rest.is_empty() && rest.len() == behind.len() {
            return None;
        }
    }
    rest.is_empty().then_some(joined)
}

/// Cuts a text at its variables.
fn cut(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        if !before.is_empty() {
            pieces.push(Piece::text(before));
        }
        let at = text.len() - behind.len();
        let (name, behind) = match behind.strip_prefix('{') {
            Some(behind) => behind.split_once('}').unwrap_or(("", "")),
            None => behind.split_at(behind.find(|c| !is_of_a_name(c)).unwrap_or(behind.len())),
        };
        if name.is_empty() || !name.chars().all(is_of_a_name) {
            return Err(format!(
                "no variable follows the `$` at character {}\nwrite $name or ${{name}}; nginx has no way to write a `$` itself",
                text[..at].chars().count()
            ));
        }
        pieces.push(Piece::Variable(Variable { name: format!("${name}"), known: of_nginx(name) }));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::text(rest));
    }
    fuse(&mut pieces);
    super::piece::apart(pieces)
}

fn is_of_a_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// What stands side by side and yet is one: `$uri$is_args$args`, and an absolute URL.
fn fuse(pieces: &mut Vec<Piece>) {
    let is_target = |window: &[Piece]| match window {
        [Piece::Variable(path), Piece::Variable(mark), Piece::Variable(query)] => {
            path.known == of_nginx("uri") && mark.name == "$is_args" && query.known == of_nginx("args")
        }
        _ => false,
    };
    while let Some(at) = pieces.windows(3).position(is_target) {
        merge(pieces, at, 3, WITH_QUERY);
    }
    let is_url = |window: &[Piece]| match window {
        [Piece::Variable(scheme), Piece::Text(text), Piece::Variable(host), Piece::Variable(path)] => {
            scheme.name == "$scheme"
                && text == b"://"
                && host.known.meaning == Meaning::Host
                && path.known.meaning == Meaning::Target
        }
        _ => false,
    };
    while let Some(at) = pieces.windows(4).position(is_url) {
        let rank = if pieces[at + 3].to_string() == "$request_uri" { WITH_QUERY + 1 } else { WITH_QUERY };
        merge(pieces, at, 4, rank);
    }
}

/// Makes a target of so many pieces.
fn merge(pieces: &mut Vec<Piece>, at: usize, count: usize, rank: u8) {
    let known = Known::new(Meaning::Target, rank, Bytes::Any);
    let name = pieces[at..at + count].iter().map(Piece::to_string).collect();
    pieces.splice(at..at + count, [Piece::Variable(Variable { name, known })]);
}
