//! Several values whose borders are not certain by themselves, up to the next certain place.
//!
//! They are divided from their end, and what is left is divided only if there is one way to do so. A line that can be
//! read in two ways is refused: one of them would be what a client made of it.

use memchr::{memchr, memmem, memrchr};

use super::meaning::{Bytes, MEANINGS, Meaning};
use super::program::{Step, quote, without};
use super::time::{Clock, LOCAL};
use super::unparsed::{Unparsed, Why};
use crate::collectors::access_log::line::Line;

/// The most values between two certain places: each meaning is taken once, and what is between two of them is one.
const STRETCH: usize = 2 * MEANINGS + 1;

/// Values up to a certain place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stretch {
    steps: Box<[Step]>,
    anchor: Anchor,
    /// Whether it is a user and the time, `$remote_user [$time_local]`, as nearly always.
    is_usual: bool,
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

impl Stretch {
    /// Takes as many more values as it needs to end at a certain place.
    pub(super) fn of(first: Step, more: &mut impl Iterator<Item = Step>, quotes: bool) -> Self {
        let mut steps = vec![first];
        loop {
            let anchor = anchor(&steps, quotes);
            match (anchor, anchor.is_none().then(|| more.next()).flatten()) {
                (None, Some(step)) => steps.push(step),
                (anchor, _) => {
                    let steps: Box<[Step]> = without_idle(steps).into();
                    let is_usual = matches!(&*steps, [user, time] if is_nobody_at(user, time));
                    return Self { steps, anchor: anchor.unwrap_or(Anchor::Line), is_usual };
                }
            }
        }
    }

    /// Its last value.
    pub(super) fn last(&self) -> &Step {
        self.steps.last().expect("a stretch has a value")
    }

    /// Whether there is only one way to divide it.
    #[cfg(any(test, fuzzing))]
    pub(super) fn is_certain(&self) -> bool {
        self.steps.windows(2).all(|pair| border(&pair[0], &pair[1]).is_some())
    }

    /// Takes the values from the front, with what stands behind them.
    pub(super) fn take<'a>(&self, rest: &'a [u8], line: &mut Line<'a>) -> Result<&'a [u8], Unparsed> {
        if self.is_usual
            && let Some(behind) = self.nobody(rest, line)
        {
            return Ok(behind);
        }
        let missing = Unparsed::new(self.last().at, Why::Behind);
        let (mut stretch, behind) = rest.split_at(self.end(rest).ok_or(missing)?);
        let behind = without(behind, &self.last().behind).ok_or(missing)?;
        let mut steps = &*self.steps;
        while let [before @ .., previous, step] = steps
            && let Some(byte) = border(previous, step)
        {
            let missing = Unparsed::new(previous.at, Why::Behind);
            let begin = memrchr(byte, stretch).ok_or(missing)? + 1;
            step.put(&stretch[begin..], line)?;
            stretch = stretch[..begin].strip_suffix(&*previous.behind).ok_or(missing)?;
            steps = &steps[..=before.len()];
        }
        match steps {
            [step] => step.put(stretch, line)?,
            _ => split(steps, stretch, line)?,
        }
        Ok(behind)
    }

    /// What is behind `- [24/Nov/2026:03:05:08 +0300]`, which is divided as it would be otherwise: a time holds none of the
    /// bytes that that goes by.
    fn nobody<'a>(&self, rest: &'a [u8], line: &mut Line<'a>) -> Option<&'a [u8]> {
        let [user, time] = &*self.steps else { return None };
        let (value, behind) = without(without(rest, b"-")?, &user.behind)?.split_at_checked(LOCAL)?;
        let behind = without(behind, &time.behind)?;
        time.put(value, line).ok()?;
        Some(behind)
    }

    /// Where the last value ends.
    fn end(&self, rest: &[u8]) -> Option<usize> {
        match self.anchor {
            Anchor::Byte(byte, offset) => memchr(byte, rest)?.checked_sub(offset),
            Anchor::Quote(offset) => {
                // Apache writes two quotation marks for a user without a name.
                let nameless = self.steps[0].meaning == Meaning::User && rest.starts_with(b"\"\"");
                let from = if nameless { 2 } else { 0 };
                (from + quote(&rest[from..])?).checked_sub(offset)
            }
            Anchor::Line => rest.len().checked_sub(self.last().behind.len()),
        }
    }
}

/// Whether these are a user, and a time of a certain length.
fn is_nobody_at(user: &Step, time: &Step) -> bool {
    user.meaning == Meaning::User && time.meaning == Meaning::Time(Clock::Local)
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
