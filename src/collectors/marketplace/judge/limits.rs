//! What an answer says of the account's limits, in headers or in its body.

use std::time::{Duration, SystemTime};

use hyper::HeaderMap;
use serde_json::Value;

use super::Limit;
use super::pointer::Pointer;
use super::reset::{Clocks, count, end};
use super::rules::{Names, RateLimit, Reset, Source};
use super::seen::Seen;
use super::wait::{at_most, clock, seconds};

/// How many elements of arrays are looked at, those of all levels together. eBay says some hundred limits at once.
const ELEMENTS: usize = 5_000;

/// A limit, and how long it is until its window ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) limit: Limit,
    pub(super) wait: Option<Duration>,
}

impl Said {
    /// Whether it says that nothing is left.
    pub(super) fn is_used_up(&self) -> bool {
        self.limit.remaining.is_some_and(|remaining| remaining <= 0.0)
    }

    /// How much of it is left, as far as is known: by this the tighter one of two windows is told.
    fn left(&self) -> f64 {
        match (self.limit.remaining, self.limit.limit) {
            (Some(remaining), Some(limit)) if limit > 0.0 => remaining / limit,
            (Some(remaining), _) if remaining <= 0.0 => 0.0,
            _ => 1.0,
        }
    }
}

/// What each rule finds, in the order of the rules; what is missing or too much is said.
pub(super) fn limits(rules: &[RateLimit], seen: &Seen<'_>, now: SystemTime, because: &mut Vec<String>) -> Vec<Said> {
    let clocks = Clocks { ours: seconds(now), theirs: seconds(clock(&seen.answer.headers, now)) };
    let mut all: Vec<Said> = Vec::new();
    for rule in rules {
        let found = match rule.source {
            Source::Header => {
                let found = read(rule, &|name| header(&seen.answer.headers, name), rule.bucket.to_string(), clocks);
                Found { said: found.into_iter().collect(), is_too_much: false }
            }
            Source::Body => seen.json().map_or_else(|_| Found::default(), |json| of_body(rule, json, clocks)),
        };
        if found.said.is_empty() && !rule.optional {
            because.push(format!("nothing is said of the limit `{}`", rule.bucket));
        }
        if found.is_too_much {
            because.push(format!(
                "there are more limits `{}` than {}; the rest is dropped",
                rule.bucket, rule.max_buckets
            ));
        }
        for said in found.said {
            keep(&mut all, said);
        }
    }
    all
}

/// What one rule finds.
#[derive(Default)]
struct Found {
    said: Vec<Said>,
    is_too_much: bool,
}

/// Adds a limit; of two of the same name, such as one a day and one a second, the one counts of which less is left.
fn keep(all: &mut Vec<Said>, said: Said) {
    let is_same =
        |other: &&mut Said| other.limit.bucket == said.limit.bucket && other.limit.is_api == said.limit.is_api;
    match all.iter_mut().find(is_same) {
        Some(other) if said.left() < other.left() => *other = said,
        Some(_) => {}
        None => all.push(said),
    }
}

fn of_body(rule: &RateLimit, json: &Value, clocks: Clocks) -> Found {
    let mut found = Found::default();
    let mut budget = ELEMENTS;
    for_each(&rule.foreach, &mut vec![], json, &mut budget, &mut |elements, innermost| {
        // Without arrays, the name is plain text, and a label of no element.
        let Some(bucket) = rule.bucket.label(elements) else { return };
        if !rule.allow.is_empty() && !rule.allow.iter().any(|pattern| is_like(&bucket, pattern)) {
            return;
        }
        let Some(said) = read(rule, &|name| value(innermost, name), bucket, clocks) else { return };
        let is_known = found.said.iter().any(|known| known.limit.bucket == said.limit.bucket);
        if is_known || found.said.len() < rule.max_buckets {
            keep(&mut found.said, said);
        } else {
            found.is_too_much = true;
        }
    });
    found.is_too_much |= budget == 0;
    found
}

/// Calls `each` with the elements of the arrays within arrays, one of each level, and the innermost of them again.
fn for_each<'v>(
    levels: &[Pointer],
    elements: &mut Vec<&'v Value>,
    within: &'v Value,
    budget: &mut usize,
    each: &mut dyn FnMut(&[&'v Value], &'v Value),
) {
    let Some((level, levels)) = levels.split_first() else { return each(elements, within) };
    for element in level.find(within, false).and_then(Value::as_array).into_iter().flatten() {
        if *budget == 0 {
            return;
        }
        *budget -= 1;
        elements.push(element);
        for_each(levels, elements, element, budget, each);
        elements.pop();
    }
}

/// Whether a name is this one, or begins like it where it ends with `*`.
fn is_like(name: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |beginning| name.starts_with(beginning))
}

/// Reads a limit by a function that knows what a name stands for; `None` when nothing is said.
fn read(rule: &RateLimit, said: &dyn Fn(&str) -> Option<String>, bucket: String, clocks: Clocks) -> Option<Said> {
    let first = |names: &Names| names.0.iter().find_map(|name| said(name));
    let number = |names: &Names| count(&first(names)?);
    let reset = rule.reset.as_ref().and_then(|Reset { from, form }| end(&first(from)?, *form, clocks));
    let limit = Limit {
        bucket,
        is_api: rule.source == Source::Body,
        limit: number(&rule.limit),
        remaining: number(&rule.remaining),
        refill: number(&rule.rate),
        reset: reset.map(|(at, _)| at),
        window: rule
            .window
            .map(|window| window.0.as_secs_f64())
            .or_else(|| number(&rule.window_from).filter(|window| *window > 0.0)),
    };
    let is_something = [limit.limit, limit.remaining, limit.refill, limit.reset].iter().any(Option::is_some);
    is_something.then(|| Said { limit, wait: reset.and_then(|(_, wait)| at_most(wait)) })
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn value(element: &Value, pointer: &str) -> Option<String> {
    match pointer.parse::<Pointer>().ok()?.find(element, false)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
