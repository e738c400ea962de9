//! The rewrite phase: `set`, `if`, `rewrite`, `return` and `break`, in the order in which they stand.

use super::answer::Outcome;
use super::files::Kind;
use super::tree::Directive;
use super::walk::{Level, Step, Variable, Walk, Walked, with_args};
use crate::collectors::security::verdict::{Cause, Unknown};

/// How a list of directives ends.
pub(super) enum Flow {
    On,
    /// No more of them are looked at.
    Break,
    Answer(Step),
}

impl<'a> Walk<'a> {
    /// Runs what is said of the path here (`ngx_http_rewrite_handler`).
    pub(super) fn rewrite(&mut self, codes: &'a [Directive], is_location: bool) -> Walked<Flow> {
        let base = self.levels.len();
        self.run_codes(codes, is_location.then_some(base))
    }

    /// `base` is how many levels there are without an `if`, in locations alone: there, it is a level of its own.
    fn run_codes(&mut self, codes: &'a [Directive], base: Option<usize>) -> Walked<Flow> {
        for code in codes {
            match code.name.as_str() {
                "set" => {
                    let [usual, disguised] = self.both(code.values.get(1).map_or("", String::as_str));
                    let name = code.value().trim_start_matches('$').to_lowercase();
                    self.variables.insert(name, Variable { usual, disguised });
                }
                "break" => {
                    self.is_changed = false;
                    return Ok(Flow::Break);
                }
                "return" => return self.returned(code).map(Flow::Answer),
                "rewrite" => match self.rewritten(code)? {
                    Flow::On => {}
                    end => return Ok(end),
                },
                "if" if self.holds(code)? => {
                    if let Some(base) = base {
                        self.levels.truncate(base);
                        self.levels.push(Level { directives: code.inner(), location: None });
                        self.enter_limit_except();
                    }
                    match self.run_codes(code.inner(), base)? {
                        Flow::On => {}
                        end => return Ok(end),
                    }
                }
                _ => {}
            }
        }
        Ok(Flow::On)
    }

    fn returned(&mut self, code: &Directive) -> Walked<Step> {
        let (status, text) = match &code.values[..] {
            [only] => match only.parse::<u16>() {
                Ok(status) => (status, None),
                Err(_) => (302, Some(only)),
            },
            [status, text, ..] => (status.parse().unwrap_or(500), Some(text)),
            [] => (500, None),
        };
        let to = match text {
            Some(text) => self.text(text)?,
            None => String::new(),
        };
        Ok(match status {
            301 | 302 | 303 | 307 | 308 => Step::End(Outcome::Redirect { status, to }),
            // With a text of its own it is no error that had a page.
            400.. if text.is_some() => Step::End(Outcome::Denied(status)),
            400.. => self.fail(status, Outcome::Denied(status))?,
            _ => Step::End(Outcome::Other("a text of `return`")),
        })
    }

    fn rewritten(&mut self, code: &'a Directive) -> Walked<Flow> {
        let [pattern, replacement, flags @ ..] = &code.values[..] else { return Ok(Flow::On) };
        if !self.matches(pattern, false, &self.uri.clone())? {
            return Ok(Flow::On);
        }
        let flag = flags.first().map_or("", String::as_str);
        let leaves = ["http://", "https://", "$scheme"].iter().any(|scheme| replacement.starts_with(scheme));
        let (keeps, replacement) = match replacement.strip_suffix('?') {
            Some(replacement) => (false, replacement),
            None => (true, replacement.as_str()),
        };
        let has_args = !keeps || replacement.contains('?');
        let new = self.text(replacement)?;
        let (uri, args) = match (has_args, new.split_once('?')) {
            (true, Some((uri, args))) if keeps && !self.args.is_empty() => (uri, format!("{args}&{}", self.args)),
            (true, Some((uri, args))) => (uri, args.to_owned()),
            (true, None) => (new.as_str(), String::new()),
            (false, _) => (new.as_str(), self.args.clone()),
        };
        if leaves || ["redirect", "permanent"].contains(&flag) {
            let status = if flag == "permanent" { 301 } else { 302 };
            return Ok(Flow::Answer(Step::End(Outcome::Redirect { status, to: with_args(uri, &args) })));
        }
        if uri.is_empty() {
            return Ok(Flow::Answer(Step::End(Outcome::Denied(500))));
        }
        (self.uri, self.args) = (uri.to_owned(), args);
        self.is_internal = true;
        self.is_changed = flag != "break";
        Ok(if ["last", "break"].contains(&flag) { Flow::Break } else { Flow::On })
    }

    /// Whether the condition of an `if` holds.
    fn holds(&mut self, code: &'a Directive) -> Walked<bool> {
        let words = condition(&code.values);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let known = match words[..] {
            [variable] => self.text(variable).map(|value| !value.is_empty() && value != "0"),
            [variable, sign @ ("=" | "!="), value] => {
                let both = self.text(variable).and_then(|variable| Ok((variable, self.text(value)?)));
                both.map(|(variable, value)| (variable == value) == (sign == "="))
            }
            [variable, sign @ ("~" | "~*" | "!~" | "!~*"), pattern] => match self.text(variable) {
                Ok(text) => {
                    let found = self.matches(pattern, sign.ends_with('*'), &text);
                    found.map(|found| found != sign.starts_with('!'))
                }
                Err(unknown) => Err(unknown),
            },
            [test, path] if test.trim_start_matches('!').starts_with('-') => {
                let kind = self.text(path).and_then(|path| self.files.kind(&path));
                let is_so = |kind| match test.trim_start_matches('!') {
                    "-f" => kind == Kind::File,
                    "-d" => kind == Kind::Folder,
                    _ => kind != Kind::Missing,
                };
                kind.map(|kind| is_so(kind) != test.starts_with('!'))
            }
            _ => Err(Unknown::new(Cause::Unparsable, format!("{}: this `if` is not understood", code.place))),
        };
        match known {
            Ok(holds) => Ok(holds),
            Err(unknown) if unknown.cause == Cause::Permission => Err(unknown.into()),
            Err(unknown) => {
                let why = format!("{}: it is not known whether this `if` holds: {}", code.place, unknown.why);
                self.decide(Unknown::new(unknown.cause, why))
            }
        }
    }
}

/// The words of a condition, without the parentheses around them; a word in quotes may be empty.
fn condition(values: &[String]) -> Vec<String> {
    let mut words = values.to_vec();
    if let Some(first) = words.first_mut()
        && first.starts_with('(')
    {
        first.remove(0);
        if first.is_empty() {
            words.remove(0);
        }
    }
    if let Some(last) = words.last_mut()
        && last.ends_with(')')
    {
        last.pop();
        if last.is_empty() {
            words.pop();
        }
    }
    words
}
