//! One line of a page.

use std::iter::Peekable;
use std::str::Chars;

use super::{Format, Labels, Series};

/// A line, taken apart.
pub(super) enum Line<'a> {
    /// Family name and text.
    Help(&'a str, String),
    /// Family name and type.
    Type(&'a str, &'a str),
    /// Family name and unit.
    Unit(&'a str, &'a str),
    /// A sample.
    Sample(Series),
}

impl<'a> Line<'a> {
    /// Reads a line, without its end.
    pub(super) fn parse(text: &'a str, format: Format) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty line".to_owned());
        }
        let Some(comment) = text.strip_prefix('#') else { return sample(text).map(Self::Sample) };
        if comment == " EOF" {
            return Err("EOF before the end".to_owned());
        }
        let mut words = comment.strip_prefix(' ').unwrap_or_default().splitn(3, ' ');
        let [keyword, name, rest] = std::array::from_fn(|_| words.next().unwrap_or_default());
        let line = match keyword {
            "HELP" => Self::Help(name, help(rest, format)?),
            "TYPE" if types(format).contains(&rest) => Self::Type(name, rest),
            "TYPE" => return Err(format!("`{rest}` is not a type of this format")),
            "UNIT" if format == Format::OpenMetrics => Self::Unit(name, rest),
            _ => return Err("a comment that is neither HELP, TYPE nor UNIT".to_owned()),
        };
        if !is_name(name) {
            return Err(format!("`{name}` is not a metric name"));
        }
        Ok(line)
    }
}

fn types(format: Format) -> &'static [&'static str] {
    match format {
        Format::Text => &["counter", "gauge", "histogram", "summary", "untyped"],
        Format::OpenMetrics => {
            &["counter", "gauge", "histogram", "gaugehistogram", "info", "stateset", "summary", "unknown"]
        }
    }
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`: the colon of metric names is for recording rules, not for exporters.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn help(text: &str, format: Format) -> Result<String, String> {
    let mut chars = text.chars().peekable();
    let mut help = String::new();
    while let Some(c) = chars.next() {
        // Only OpenMetrics escapes quotes in HELP.
        match c {
            '\\' => match (escaped(&mut chars)?, format) {
                ('"', Format::Text) => return Err("an escape that HELP of this format does not know".to_owned()),
                (c, _) => help.push(c),
            },
            '"' if format == Format::OpenMetrics => return Err("a quote without its escape in HELP".to_owned()),
            c => help.push(c),
        }
    }
    Ok(help)
}

/// The character that stands after a backslash.
fn escaped(chars: &mut Peekable<Chars<'_>>) -> Result<char, String> {
    match chars.next() {
        Some('\\') => Ok('\\'),
        Some('"') => Ok('"'),
        Some('n') => Ok('\n'),
        other => Err(format!("an unknown escape: backslash and {other:?}")),
    }
}

fn sample(text: &str) -> Result<Series, String> {
    let end = text.find(['{', ' ']).ok_or("a sample without a value")?;
    let (name, rest) = text.split_at(end);
    if !is_name(name) {
        return Err(format!("`{name}` is not a metric name"));
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::new(), rest),
    };
    let value = rest.strip_prefix(' ').ok_or("no space before the value")?;
    if value.contains(' ') {
        return Err("a timestamp, an exemplar or a stray space after the value".to_owned());
    }
    Ok(Series { name: name.to_owned(), labels, value: number(value)? })
}

/// Reads what follows the opening brace; gives back what follows the closing one.
fn labels(text: &str) -> Result<(Labels, &str), String> {
    if text.starts_with('}') {
        return Err("empty braces".to_owned());
    }
    let mut labels = Labels::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=').ok_or("a label without a value")?;
        if !is_name(name) || name.starts_with("__") {
            return Err(format!("`{name}` is not a label name"));
        }
        let (value, after) = quoted(after)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("label {name} is there twice"));
        }
        match (after.strip_prefix(','), after.strip_prefix('}')) {
            (Some(more), _) => rest = more,
            (_, Some(after)) => return Ok((labels, after)),
            _ => return Err("neither a comma nor a brace after a label".to_owned()),
        }
    }
}

fn quoted(text: &str) -> Result<(String, &str), String> {
    let inside = text.strip_prefix('"').ok_or("a label value without its quote")?;
    let mut chars = inside.chars().peekable();
    let mut value = String::new();
    let mut length = 0;
    while let Some(c) = chars.next() {
        length += c.len_utf8();
        match c {
            '"' => return Ok((value, &inside[length..])),
            '\\' => {
                value.push(escaped(&mut chars)?);
                length += 1;
            }
            c => value.push(c),
        }
    }
    Err("a label value that does not end".to_owned())
}

/// A number as both formats spell it.
pub(super) fn number(text: &str) -> Result<f64, String> {
    match text {
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        "NaN" => Ok(f64::NAN),
        _ if text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) => {
            text.parse().map_err(|_| format!("`{text}` is not a number"))
        }
        _ => Err(format!("`{text}` is not a number")),
    }
}
