//! A format as a program: where each value ends, found without trying.
//!
//! A value that cannot hold the byte behind it ends at that byte. One that can hold any byte ends at the next quotation
//! mark, where the server escapes those inside. Where neither helps, several values up to the next certain place are a
//! *stretch*: it is divided from its end, and what is left is divided only if there is one way to do so. A line that can
//! be read in two ways is refused: one of them would be what a client made of it.

use memchr::{memchr, memmem, memrchr};

use super::meaning::{Bytes, MEANINGS, Meaning};
use super::piece::{Piece, Variable};
use super::unparsed::{Unparsed, Why};
use super::value::put;
use crate::collectors::access_log::line::Line;

/// The most values between two certain places: each meaning is taken once, and what is between two of them is one.
const STRETCH: usize = 2 * MEANINGS + 1;

/// A compiled format.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    /// What every line begins with.
    beginning: Box<[u8]>,
    parts: Box<[Part]>,
}

/// A value, and what stands behind it in every line.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    meaning: Meaning,
    bytes: Bytes,
    behind: Box<[u8]>,
    /// Which variable of the format it is.
    at: u8,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// A value whose end is found by itself.
    One(Step, End),
    /// Several up to a certain place; one, if it is one that could have what stands behind it inside.
    Stretch(Box<[Step]>, Anchor),
}

/// How the end of a value is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// At the first of these.
    Byte(u8),
    /// At the first quotation mark that has no backslash before it.
    Quote,
    /// Behind the last item of a list.
    List(Bytes),
    /// At the end of the line.
    Line,
}

/// The certain place at the end of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    /// A byte that none of the values can have, so far behind the last of them.
    Byte(u8, usize),
    /// The same with a quotation mark, which is escaped in values.
    Quote(usize),
    /// The end of the line.
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
            if let Some(end) = step.end(steps.peek(), quotes) {
                parts.push(Part::One(step, end));
                continue;
            }
            let mut stretch = vec![step];
            let anchor = loop {
                if let Some(anchor) = anchor(&stretch, quotes) {
                    break anchor;
                }
                match steps.next() {
                    Some(step) => stretch.push(step),
                    None => break Anchor::Line,
                }
            };
            let stretch = without_idle(stretch);
            parts.push(Part::Stretch(stretch.into(), anchor));
        }
        Self { beginning, parts: parts.into() }
    }

    /// Whether there is only one way to read any line, so that none is refused for being ambiguous.
    #[cfg(any(test, fuzzing))]
    pub(super) fn is_certain(&self) -> bool {
        self.parts.iter().all(|part| match part {
            Part::One(..) => true,
            Part::Stretch(steps, _) => steps.windows(2).all(|pair| border(&pair[0], &pair[1]).is_some()),
        })
    }

    /// Reads a line.
    #[inline]
    pub(super) fn read<'a>(&self, text: &'a [u8]) -> Result<Line<'a>, Unparsed> {
        let mut line = Line::default();
        let mut rest = text.strip_prefix(&*self.beginning).ok_or(Unparsed::new(0, Why::Beginning))?;
        for part in &self.parts {
            rest = match part {
                Part::One(step, end) => step.take(*end, rest, &mut line)?,
                Part::Stretch(steps, anchor) => divide(steps, *anchor, rest, &mut line)?,
            };
        }
        if rest.is_empty() {
            return Ok(line);
        }
        let last = self.parts.last().map_or(0, |part| match part {
            Part::One(step, _) => step.at,
            Part::Stretch(steps, _) => steps[steps.len() - 1].at,
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
                || (*self.behind == *b" " && next.is_some_and(|next| next.bytes.may_begin_with_colon()));
            return (!goes_on).then_some(End::List(item));
        }
        if !self.bytes.may_have(first) {
            return Some(End::Byte(first));
        }
        (quotes && first == b'"').then_some(End::Quote)
    }

    /// Takes the value from the front, with what stands behind it.
    #[inline]
    fn take<'a>(&self, end: End, rest: &'a [u8], line: &mut Line<'a>) -> Result<&'a [u8], Unparsed> {
        let end = match end {
            End::Byte(byte) => memchr(byte, rest),
            End::Quote => quote(rest),
            End::List(item) => Some(list(rest, item)),
            End::Line => Some(rest.len()),
        };
        let end = end.ok_or(Unparsed::new(self.at, Why::Behind))?;
        let (value, rest) = rest.split_at(end);
        let rest = rest.strip_prefix(&*self.behind).ok_or(Unparsed::new(self.at, Why::Behind))?;
        self.put(value, line)?;
        Ok(rest)
    }

    #[inline]
    fn put<'a>(&self, value: &'a [u8], line: &mut Line<'a>) -> Result<(), Unparsed> {
        put(line, self.meaning, value).ok_or(Unparsed::new(self.at, Why::Value))
    }
}

/// The certain place behind the last of these values, if there is one.
fn anchor(stretch: &[Step], quotes: bool) -> Option<Anchor> {
    let (last, before) = stretch.split_last()?;
    let stands_before = |byte: u8| before.iter().any(|step| step.behind.contains(&byte));
    let is_quote = |offset: usize| {
        // A backslash of the format's own would be taken for one of a value's.
        quotes && last.behind[offset] == b'"' && !last.behind[..offset].contains(&b'\\') && !stands_before(b'\\')
    };
    let (offset, &byte) = last.behind.iter().enumerate().find(|&(offset, &byte)| {
        let is_out = is_quote(offset) || stretch.iter().all(|step| !step.bytes.may_have(byte));
        is_out && !stands_before(byte) && !last.behind[..offset].contains(&byte)
    })?;
    Some(if is_quote(offset) { Anchor::Quote(offset) } else { Anchor::Byte(byte, offset) })
}

/// Makes one of neighbours of which nothing is asked for: where one ends is then all the same.
fn without_idle(stretch: Vec<Step>) -> Vec<Step> {
    let mut kept: Vec<Step> = Vec::new();
    for step in stretch {
        match kept.last_mut() {
            Some(last) if last.meaning == Meaning::Nothing && step.meaning == Meaning::Nothing => {
                *last = Step { bytes: Bytes::Any, ..step };
            }
            _ => kept.push(step),
        }
    }
    kept
}

/// The first quotation mark that is none of a value's: with an even number of backslashes before it.
#[inline]
fn quote(text: &[u8]) -> Option<usize> {
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

/// Divides what is in front of the anchor among the values, and returns what is behind.
fn divide<'a>(steps: &[Step], anchor: Anchor, rest: &'a [u8], line: &mut Line<'a>) -> Result<&'a [u8], Unparsed> {
    let last = &steps[steps.len() - 1];
    let missing = Unparsed::new(last.at, Why::Behind);
    let end = match anchor {
        Anchor::Byte(byte, offset) => memchr(byte, rest).and_then(|at| at.checked_sub(offset)),
        Anchor::Quote(offset) => {
            // Apache writes two quotation marks for a user without a name.
            let nameless = steps[0].meaning == Meaning::User && rest.starts_with(b"\"\"");
            let from = if nameless { 2 } else { 0 };
            quote(&rest[from..]).and_then(|at| (from + at).checked_sub(offset))
        }
        Anchor::Line => rest.len().checked_sub(last.behind.len()),
    };
    let (mut stretch, behind) = rest.split_at(end.ok_or(missing)?);
    let behind = behind.strip_prefix(&*last.behind).ok_or(missing)?;

    let mut steps = steps;
    while let [before @ .., previous, step] = steps
        && let Some(byte) = border(previous, step)
    {
        let missing = Unparsed::new(previous.at, Why::Behind);
        let begin = memrchr(byte, stretch).ok_or(missing)? + 1;
        step.put(&stretch[begin..], line)?;
        stretch = stretch[..begin].strip_suffix(&*previous.behind).ok_or(missing)?;
        steps = &steps[..=before.len()];
    }
    if let [step] = steps {
        step.put(stretch, line)?;
    } else {
        split(steps, stretch, line)?;
    }
    Ok(behind)
}

/// The last byte before a value, if the value cannot have it: it begins behind the last such byte.
fn border(previous: &Step, step: &Step) -> Option<u8> {
    previous.behind.last().copied().filter(|byte| !step.bytes.may_have(*byte))
}

/// Divides a stretch where every value could have what stands behind it inside: if the first way and the last way to
/// do so are the same, there is no other.
fn split<'a>(steps: &[Step], stretch: &'a [u8], line: &mut Line<'a>) -> Result<(), Unparsed> {
    let (last, steps) = steps.split_last().expect("a stretch has a value");
    let mut latest = [0; STRETCH];
    let mut end = stretch.len();
    for (index, step) in steps.iter().enumerate().rev() {
        end = memmem::rfind(&stretch[..end], &step.behind).ok_or(Unparsed::new(step.at, Why::Behind))?;
        latest[index] = end;
    }
    let mut from = 0;
    for (step, latest) in steps.iter().zip(latest) {
        let end = memmem::find(&stretch[from..], &step.behind).ok_or(Unparsed::new(step.at, Why::Behind))? + from;
        if end != latest {
            return Err(Unparsed::new(step.at, Why::Ambiguous));
        }
        step.put(&stretch[from..end], line)?;
        from = end + step.behind.len();
    }
    last.put(&stretch[from..], line)
}
