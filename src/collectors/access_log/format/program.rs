//! A format as a program: where each value ends, found without trying.
//!
//! A value that cannot hold the byte behind it ends at that byte. One that can hold any byte ends at the next quotation
//! mark, where the server escapes those inside. Where neither helps, values are divided as a [stretch](Stretch).

use memchr::memchr;

use super::meaning::{Bytes, Meaning};
use super::piece::{Piece, Variable};
use super::stretch::Stretch;
use super::unparsed::{Unparsed, Why};
use super::value::put;
use crate::collectors::access_log::line::Line;

/// A compiled format.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    /// What every line begins with.
    beginning: Box<[u8]>,
    parts: Box<[Part]>,
}

/// A value, and what stands behind it in every line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) meaning: Meaning,
    pub(super) bytes: Bytes,
    pub(super) behind: Box<[u8]>,
    /// Which variable of the format it is.
    pub(super) at: u8,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// A value whose end is found by itself.
    One(Step, End),
    /// Several up to a certain place; one, if it is one that could have what stands behind it inside.
    Stretch(Stretch),
}

/// How the end of a value is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// At the first of these.
    Byte(u8),
    /// The same, within a few bytes: too near for a search that looks at many at once.
    Near(u8),
    /// At the first quotation mark that has no backslash before it.
    Quote,
    /// Behind the last item of a list.
    List(Bytes),
    /// At the end of the line.
    Line,
}

impl Program {
    /// `quotes`: whether a quotation mark in a value has a backslash before it, or is written otherwise.
    pub(super) fn of(pieces: &[Piece], quotes: bool) -> Self {
        let mut beginning: Box<[u8]> = Box::default();
        let mut steps: Vec<Step> = Vec::new();
        for piece in pieces {
            match (piece, steps.last_mut()) {
                (Piece::Text(text), None) => beginning = text.as_slice().into(),
                (Piece::Text(text), Some(step)) => step.behind = text.as_slice().into(),
                (Piece::Variable(Variable { known, .. }), _) => {
                    let at = u8::try_from(steps.len()).expect("a format has few variables");
                    steps.push(Step { meaning: known.meaning, bytes: known.bytes, behind: Box::default(), at });
                }
            }
        }
        let mut parts = Vec::new();
        let mut steps = steps.into_iter().peekable();
        while let Some(step) = steps.next() {
            parts.push(match step.end(steps.peek(), quotes) {
                Some(end) => Part::One(step, end),
                None => Part::Stretch(Stretch::of(step, &mut steps, quotes)),
            });
        }
        Self { beginning, parts: parts.into() }
    }

    /// Whether there is only one way to read any line, so that none is refused for being ambiguous.
    #[cfg(any(test, fuzzing))]
    pub(super) fn is_certain(&self) -> bool {
        self.parts.iter().all(|part| match part {
            Part::One(..) => true,
            Part::Stretch(stretch) => stretch.is_certain(),
        })
    }

    /// Reads a line into one that says nothing yet: to give it back would be to copy it.
    pub(super) fn read<'a>(&self, text: &'a [u8], line: &mut Line<'a>) -> Result<(), Unparsed> {
        let mut rest = without(text, &self.beginning).ok_or(Unparsed::new(0, Why::Beginning))?;
        for part in &self.parts {
            rest = match part {
                Part::One(step, end) => step.take(*end, rest, line)?,
                Part::Stretch(stretch) => stretch.take(rest, line)?,
            };
        }
        if rest.is_empty() {
            return Ok(());
        }
        let last = self.parts.last().map_or(0, |part| match part {
            Part::One(step, _) => step.at,
            Part::Stretch(stretch) => stretch.last().at,
        });
        Err(Unparsed::new(last, Why::More))
    }
}

impl Step {
    /// How the end of the value is found without looking at others; `None` when it could have the byte behind it.
    fn end(&self, next: Option<&Self>, quotes: bool) -> Option<End> {
        let Some(&first) = self.behind.first() else { return Some(End::Line) };
        if let Some(item) = self.bytes.item() {
            // Behind a list something must stand that cannot be taken for its next item.
            let goes_on = item.may_have(first)
                || first == b','
                || self.behind.starts_with(b" :")
                || (*self.behind == *b" " && next.is_some_and(Self::may_write_a_colon_first));
            return (!goes_on).then_some(End::List(item));
        }
        if !self.bytes.may_have(first) {
            let is_near = self.bytes == Bytes::Number;
            return Some(if is_near { End::Near(first) } else { End::Byte(first) });
        }
        (quotes && first == b'"').then_some(End::Quote)
    }

    /// Whether a line may have a colon where this value begins: its own, or, where it is empty, the one behind it.
    fn may_write_a_colon_first(&self) -> bool {
        self.bytes.may_begin_with_colon() || self.behind.starts_with(b":")
    }

    /// Takes the value from the front, with what stands behind it.
    #[inline]
    fn take<'a>(&self, end: End, rest: &'a [u8], line: &mut Line<'a>) -> Result<&'a [u8], Unparsed> {
        let end = match end {
            End::Byte(byte) => memchr(byte, rest),
            End::Near(byte) => rest.iter().position(|other| *other == byte),
            End::Quote => quote(rest),
            End::List(item) => Some(list(rest, item)),
            End::Line => Some(rest.len()),
        };
        let end = end.ok_or(Unparsed::new(self.at, Why::Behind))?;
        let (value, rest) = rest.split_at(end);
        let rest = without(rest, &self.behind).ok_or(Unparsed::new(self.at, Why::Behind))?;
        self.put(value, line)?;
        Ok(rest)
    }

    #[inline]
    pub(super) fn put<'a>(&self, value: &'a [u8], line: &mut Line<'a>) -> Result<(), Unparsed> {
        put(line, self.meaning, value).ok_or(Unparsed::new(self.at, Why::Value))
    }
}

/// A text without its beginning, which is of a few bytes: to call `memcmp` for them takes longer than to compare them.
#[inline]
pub(super) fn without<'a>(text: &'a [u8], beginning: &[u8]) -> Option<&'a [u8]> {
    let (front, rest) = text.split_at_checked(beginning.len())?;
    front.iter().zip(beginning).all(|(one, other)| one == other).then_some(rest)
}

/// The first quotation mark that is none of a value's: with an even number of backslashes before it.
#[inline]
pub(super) fn quote(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr(b'"', &text[from..])?;
        if at == 0 || text[at - 1] != b'\\' {
            return Some(at);
        }
        let backslashes = text[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(at);
        }
        from = at + 1;
    }
}

/// How long a list is: items, of which `, ` or ` : ` part one from the next.
fn list(text: &[u8], item: Bytes) -> usize {
    let mut at = 0;
    loop {
        at += text[at..].iter().take_while(|byte| item.may_have(**byte)).count();
        let gap = match &text[at..] {
            [b',', b' ', next, ..] if item.may_have(*next) => 2,
            [b' ', b':', b' ', next, ..] if item.may_have(*next) => 3,
            _ => return at,
        };
        at += gap;
    }
}
