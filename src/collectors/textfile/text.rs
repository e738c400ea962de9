//! A file in Prometheus' text format 0.0.4, read strictly: what is wrong anywhere in it makes all of it doubtful.
//!
//! Not taken: timestamps, as a file that says when its values were true would be shown long after; histograms and
//! summaries; names with a colon, which are for recording rules.
//!
//! The format: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>, and what
//! `expfmt.TextToMetricFamilies` (`node_exporter`'s reader) makes of it where that is silent.

use std::collections::BTreeMap;

use crate::metric::Kind;

/// The longest line.
const LINE_BYTES: usize = 16 << 10;

/// The longest name of a metric or a label.
const NAME_BYTES: usize = 200;

/// The most labels of a sample.
const LABELS: usize = 32;

/// The most samples of a file.
const SAMPLES: usize = 5_000;

/// A family as the file has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Family {
    /// `None` where no TYPE says.
    pub(super) kind: Option<Kind>,
    pub(super) help: Option<String>,
    pub(super) samples: Vec<Sample>,
}

/// A sample: its labels by name, and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// The families of a file by their names.
pub(super) type Families = BTreeMap<String, Family>;

/// Reads a file; the error says in which line it stands and what was expected there.
pub(super) fn families(text: &str) -> Result<Families, String> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("its last line does not end: it was not written to its end".to_owned());
    }
    let mut families = Families::new();
    let mut samples = 0;
    for (number, line) in text.split_terminator('\n').enumerate() {
        let read = if line.len() > LINE_BYTES {
            Err(format!("has more than {LINE_BYTES} bytes"))
        } else {
            read(line, &mut families, &mut samples)
        };
        read.map_err(|problem| format!("line {} {problem}", number + 1))?;
    }
    Ok(families)
}

/// Reads one line.
fn read(line: &str, families: &mut Families, samples: &mut usize) -> Result<(), String> {
    let mut cursor = Cursor(line);
    cursor.blanks();
    if cursor.0.is_empty() {
        return Ok(());
    }
    if let Some(comment) = cursor.0.strip_prefix('#') {
        return about(comment, families);
    }
    *samples += 1;
    if *samples > SAMPLES {
        return Err(format!("is one sample more than {SAMPLES}"));
    }
    let name = cursor.name(false)?;
    cursor.end_of_name(&['{'])?;
    cursor.blanks();
    let labels = if cursor.take('{') { cursor.labels()? } else { BTreeMap::new() };
    let value = value(cursor.0)?;
    families.entry(name).or_default().samples.push(Sample { labels, value });
    Ok(())
}

/// Reads what follows a `#`: HELP, TYPE, or a comment.
fn about(comment: &str, families: &mut Families) -> Result<(), String> {
    let mut cursor = Cursor(comment);
    cursor.blanks();
    let Some((word, rest)) = cursor.0.split_once(BLANKS).filter(|(word, _)| ["HELP", "TYPE"].contains(word)) else {
        return Ok(());
    };
    let mut cursor = Cursor(rest);
    cursor.blanks();
    let name = cursor.name(false)?;
    cursor.end_of_name(&[])?;
    cursor.blanks();
    let family = families.entry(name).or_default();
    if word == "HELP" {
        if family.help.is_some() {
            return Err("is a second HELP of its metric".to_owned());
        }
        family.help = Some(unescaped(cursor.0, false)?);
        return Ok(());
    }
    if family.kind.is_some() || !family.samples.is_empty() {
        return Err("is a TYPE behind a TYPE or a sample of its metric".to_owned());
    }
    family.kind = Some(match cursor.0.trim_end_matches(BLANKS) {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "untyped" => Kind::Unknown,
        "histogram" | "summary" => return Err("has a type that is not taken from files".to_owned()),
        _ => return Err("has no type that there is: counter, gauge or untyped".to_owned()),
    });
    Ok(())
}

/// The labels of histograms and summaries, whose values are numbers in one spelling.
const BOUNDS: [&str; 2] = ["le", "quantile"];

/// What may stand between two words.
const BLANKS: [char; 2] = [' ', '\t'];

/// The rest of a line.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn blanks(&mut self) {
        self.0 = self.0.trim_start_matches(BLANKS);
    }

    fn take(&mut self, expected: char) -> bool {
        let rest = self.0.strip_prefix(expected);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// A metric's or a label's name.
    fn name(&mut self, of_label: bool) -> Result<String, String> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let end = self.0.bytes().position(|b| !legal(b)).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        let what = if of_label { "label" } else { "metric" };
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("has no name of a {what} where one belongs: letters, digits and `_`, no digit first"));
        }
        if name.len() > NAME_BYTES {
            return Err(format!("has a name of a {what} with more than {NAME_BYTES} bytes"));
        }
        if of_label && name.starts_with("__") {
            return Err("has a label that begins with `__`, which are Prometheus' own".to_owned());
        }
        self.0 = rest;
        Ok(name.to_owned())
    }

    /// Behind a metric's name comes a blank, or one of these.
    fn end_of_name(&self, others: &[char]) -> Result<(), String> {
        if self.0.is_empty() || self.0.starts_with(BLANKS) || self.0.starts_with(others) {
            return Ok(());
        }
        Err("has a name of a metric with what is no letter, digit or `_` in it".to_owned())
    }

    /// What stands behind a `{`.
    fn labels(&mut self) -> Result<BTreeMap<String, String>, String> {
        let mut labels = BTreeMap::new();
        loop {
            self.blanks();
            if self.take('}') {
                return Ok(labels);
            }
            let name = self.name(true)?;
            if BOUNDS.contains(&name.as_str()) {
                return Err(format!("has the label {name}, which only types have that are not taken from files"));
            }
            self.blanks();
            if !self.take('=') {
                return Err(format!("has no `=` behind the label {name}"));
            }
            self.blanks();
            let value = self.quoted()?;
            if labels.insert(name.clone(), value).is_some() {
                return Err(format!("has the label {name} twice"));
            }
            if labels.len() > LABELS {
                return Err(format!("has more than {LABELS} labels"));
            }
            self.blanks();
            if !self.take(',') && !self.0.starts_with('}') {
                return Err("has neither `,` nor `}` behind a label".to_owned());
            }
        }
    }

    fn quoted(&mut self) -> Result<String, String> {
        if !self.take('"') {
            return Err("has a label's value that is not in quotation marks".to_owned());
        }
        let mut is_escaped = false;
        for (at, c) in self.0.char_indices() {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => {
                    let value = unescaped(&self.0[..at], true)?;
                    self.0 = &self.0[at + 1..];
                    return Ok(value);
                }
                _ => {}
            }
        }
        Err("has a label's value that does not end".to_owned())
    }
}

/// A text with its escapes resolved; only a label's value has quotation marks to escape.
fn unescaped(text: &str, of_label: bool) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match rest.next() {
            Some('\\') => plain.push('\\'),
            Some('n') => plain.push('\n'),
            Some('"') if of_label => plain.push('"'),
            _ => return Err("has a backslash before what needs none".to_owned()),
        }
    }
    Ok(plain)
}

/// The value at the end of a sample's line, behind which nothing may stand.
fn value(text: &str) -> Result<f64, String> {
    let mut words = text.split(BLANKS).filter(|word| !word.is_empty());
    let Some(word) = words.next() else { return Err("has no value".to_owned()) };
    if words.next().is_some() {
        return Err("has a timestamp, or something else behind its value".to_owned());
    }
    number(word).ok_or_else(|| "has a value that is no number".to_owned())
}

/// A number as Go writes one: none of its hexadecimal ones.
fn number(word: &str) -> Option<f64> {
    let bare = word.trim_start_matches(['+', '-']);
    let is_word = ["inf", "infinity", "nan"].contains(&bare.to_ascii_lowercase().as_str());
    let is_digits = bare.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (is_word || is_digits).then(|| word.parse().ok())?
}

#[cfg(test)]
mod tests;
