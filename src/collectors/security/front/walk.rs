//! A request's way through nginx, phase by phase, as `ngx_http_core_module` runs them.
//!
//! What depends on something that only a real request has (a country's database, Lua, the time) is not guessed: a condition
//! of that kind is taken both ways, and where the ends differ in more than a refusal, the answer is unknown.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::Front;
use super::answer::{Answer, Control, Limit, Outcome, Request};
use super::content::Content;
use super::files::Files;
use super::listen::names;
use super::locate::Located;
use super::place::{Kind, Location};
use super::rewrite::Flow;
use super::tree::{Directive, unknown};
use super::uri::normal;
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// How often nginx changes a request's path before it gives up (`NGX_HTTP_MAX_URI_CHANGES`).
const CHANGES: u8 = 10;

/// The most conditions that are taken both ways.
const FORKS: usize = 6;

/// How deep one request may ask for another by `auth_request`.
const ASKED: u8 = 3;

/// Directives whose effect is a program that we do not run.
const PROGRAMS: [&str; 3] = ["js_content", "js_access", "perl"];

/// The same of Lua, with nothing, `_block` or `_file` behind.
const LUA: [&str; 4] = ["rewrite_by_lua", "access_by_lua", "content_by_lua", "set_by_lua"];

/// Why a walk ends without an answer.
pub(super) enum Halt {
    Unknown(Unknown),
    /// A condition is not known and has yet to be taken both ways.
    Fork(Unknown),
}

impl From<Unknown> for Halt {
    fn from(unknown: Unknown) -> Self {
        Self::Unknown(unknown)
    }
}

pub(super) type Walked<T> = Result<T, Halt>;

/// A level of the configuration that a request is in: `http`, the server, locations one in the other, an `if`.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    pub(super) directives: &'a [Directive],
    /// None for all but locations.
    pub(super) location: Option<&'a Location>,
}

/// Where a request goes on.
pub(super) enum Step {
    /// At the server's own `rewrite` and the like.
    Server,
    /// At the choice of a location.
    Find,
    /// Behind that choice.
    Located,
    End(Outcome),
}

/// What a variable was set to.
pub(super) struct Variable {
    pub(super) usual: Known<String>,
    /// What it would be with other headers, cookies and arguments.
    pub(super) disguised: Known<String>,
}

/// A request on its way.
#[expect(clippy::struct_excessive_bools, reason = "they are nginx' own, and change one by one")]
pub(super) struct Walk<'a> {
    pub(super) front: &'a Front,
    pub(super) files: &'a Files,
    /// The target, as it was sent.
    pub(super) target: String,
    pub(super) uri: String,
    pub(super) args: String,
    pub(super) method: String,
    /// The levels that it is in, the outermost first.
    pub(super) levels: Vec<Level<'a>>,
    /// What `set` and groups with names gave.
    pub(super) variables: BTreeMap<String, Variable>,
    /// What the last pattern found.
    pub(super) captures: Vec<String>,
    pub(super) is_changed: bool,
    pub(super) is_internal: bool,
    changes: u8,
    /// Whether an `error_page` has been gone to: there is one for a request.
    has_failed: bool,
    /// How many variables were asked for.
    pub(super) steps: Cell<u32>,
    /// Whether headers, cookies and arguments are others than usual: to see what follows them.
    pub(super) is_disguised: bool,
    pub(super) asked: u8,
    assumed: &'a [bool],
    taken: usize,
    pub(super) requests: Vec<Limit>,
    pub(super) connections: Vec<Limit>,
    pub(super) controls: Vec<Control>,
}

/// What a request is answered with.
pub(super) fn answer(front: &Front, request: &Request<'_>, asked: u8) -> Known<Answer> {
    let files = front.files.with(request.planted);
    explore(front, &files, request, asked, &[])
}

fn explore(front: &Front, files: &Files, request: &Request<'_>, asked: u8, assumed: &[bool]) -> Known<Answer> {
    match Walk::new(front, files, request, asked, assumed).run() {
        Ok(answer) => Ok(answer),
        Err(Halt::Unknown(unknown)) => Err(unknown),
        Err(Halt::Fork(unknown)) if assumed.len() == FORKS => Err(unknown),
        Err(Halt::Fork(unknown)) => {
            let both = [false, true].map(|taken| explore(front, files, request, asked, &[assumed, &[taken]].concat()));
            match both {
                [Ok(one), Ok(other)] if one == other => Ok(one),
                // Whoever may be refused for what they are may come as somebody else.
                [Ok(one), Ok(Answer { outcome: Outcome::Denied(_), .. })] => Ok(one),
                [Ok(Answer { outcome: Outcome::Denied(_), .. }), Ok(other)] => Ok(other),
                _ => Err(unknown),
            }
        }
    }
}

impl<'a> Walk<'a> {
    fn new(front: &'a Front, files: &'a Files, request: &Request<'_>, asked: u8, assumed: &'a [bool]) -> Self {
        let target = match request.args {
            "" => request.uri.to_owned(),
            args => format!("{}?{args}", request.uri),
        };
        Self {
            front,
            files,
            target,
            uri: String::new(),
            args: String::new(),
            method: request.method.to_owned(),
            levels: Vec::new(),
            variables: BTreeMap::new(),
            captures: Vec::new(),
            is_changed: false,
            // What nginx asks itself may be asked for what is `internal`.
            is_internal: asked > 0,
            changes: CHANGES + 1,
            has_failed: false,
            steps: Cell::new(0),
            is_disguised: false,
            asked,
            assumed,
            taken: 0,
            requests: Vec::new(),
            connections: Vec::new(),
            controls: Vec::new(),
        }
    }

    fn run(mut self) -> Walked<Answer> {
        self.enter_server()?;
        for name in names(self.front.server()) {
            if let Some(pattern) = name.strip_prefix('~') {
                self.matches(pattern, true, &self.front.host)?;
            }
        }
        let merges = self.flag("merge_slashes", true);
        let mut step = match normal(&self.target, merges) {
            Some((uri, args)) => {
                (self.uri, self.args) = (uri, args);
                Step::Server
            }
            None => Step::End(Outcome::Denied(400)),
        };
        if self.asked > ASKED {
            return Err(Unknown::new(Cause::Unsupported, "`auth_request` asks for itself").into());
        }
        if let Step::Server = step
            && self.wants_certificate()
        {
            self.controls.push(Control::Certificate);
            step = self.fail(400, Outcome::Denied(400))?;
        }
        loop {
            step = match step {
                Step::Server => self.server()?,
                Step::Find => self.find()?,
                Step::Located => self.located()?,
                Step::End(outcome) => return Ok(self.end(outcome)),
            }
        }
    }

    /// Leaves all locations.
    pub(super) fn enter_server(&mut self) -> Known<()> {
        let front = self.front;
        let level = |directives| Level { directives, location: None };
        self.levels = vec![level(&front.tree.http), level(&front.server().directives)];
        self.check_levels()
    }

    /// That it is known what is said in all levels.
    fn check_levels(&self) -> Known<()> {
        for level in &self.levels {
            if let Some(unread) = unknown(level.directives) {
                return Err(unread.clone());
            }
            if let Some(said) = level.directives.iter().find(|said| is_program(&said.name)) {
                let why = format!("{}: what `{}` does is not known", said.place, said.name);
                return Err(Unknown::new(Cause::Unsupported, why));
            }
        }
        Ok(())
    }

    fn server(&mut self) -> Walked<Step> {
        self.enter_server()?;
        let codes = self.front.server().directives.as_slice();
        Ok(match self.rewrite(codes, false)? {
            Flow::Answer(step) => step,
            Flow::On | Flow::Break => Step::Find,
        })
    }

    fn find(&mut self) -> Walked<Step> {
        self.enter_server()?;
        self.is_changed = false;
        let front = self.front;
        let mut path = Vec::new();
        let redirects = self.locate(&front.server().locations, &mut path)? == Located::Folder;
        self.enter(&path)?;
        if redirects && (self.is_internal || self.said("internal").is_none()) {
            let to = with_args(&format!("{}/", self.uri), &self.args);
            return Ok(Step::End(Outcome::Redirect { status: 301, to }));
        }
        if self.said("internal").is_some() && !self.is_internal {
            return self.fail(404, Outcome::Denied(404));
        }
        Ok(Step::Located)
    }

    /// Is in these locations from now on.
    fn enter(&mut self, path: &[&'a Location]) -> Known<()> {
        self.levels.truncate(2);
        for location in path {
            self.levels.push(Level { directives: &location.directives, location: Some(location) });
        }
        self.check_levels()?;
        self.enter_limit_except();
        Ok(())
    }

    /// `limit_except GET { deny all; }` is a level of its own for all other methods.
    pub(super) fn enter_limit_except(&mut self) {
        let Some(level) = self.levels.last().copied() else { return };
        let Some(said) = level.directives.iter().find(|said| said.name == "limit_except") else { return };
        let is_excepted = |method: &String| {
            method.eq_ignore_ascii_case(&self.method) || method.eq_ignore_ascii_case("GET") && self.method == "HEAD"
        };
        if !said.values.iter().any(is_excepted) {
            self.levels.push(Level { directives: said.inner(), location: None });
        }
    }

    fn located(&mut self) -> Walked<Step> {
        // For a method that `limit_except` holds for, nothing else of the location's is looked at in this phase.
        if let Some(level) = self.levels.last().copied().filter(|level| level.location.is_some()) {
            match self.rewrite(level.directives, true)? {
                Flow::Answer(step) => return Ok(step),
                Flow::On | Flow::Break => {}
            }
            if self.is_changed {
                self.changes -= 1;
                return Ok(if self.changes == 0 { Step::End(Outcome::Denied(500)) } else { Step::Find });
            }
        }
        // What nginx asks itself is neither limited nor refused.
        if self.asked == 0 {
            self.limit()?;
            if let Some(status) = self.refusal()? {
                return self.fail(status, Outcome::Denied(status));
            }
        }
        match self.content()? {
            Content::End(outcome) => Ok(Step::End(outcome)),
            Content::Fail(status, outcome) => self.fail(status, outcome),
            Content::Redirect(uri, args) => Ok(self.redirect(uri, args)),
            Content::Named(name) => self.named(&name),
        }
    }

    /// Begins anew with another path (`ngx_http_internal_redirect`).
    pub(super) fn redirect(&mut self, uri: String, args: String) -> Step {
        self.changes -= 1;
        if self.changes == 0 {
            return Step::End(Outcome::Denied(500));
        }
        (self.uri, self.args) = (uri, args);
        self.is_internal = true;
        Step::Server
    }

    /// Goes on in a location with a name (`ngx_http_named_location`).
    pub(super) fn named(&mut self, name: &str) -> Walked<Step> {
        self.changes -= 1;
        if self.changes == 0 {
            return Ok(Step::End(Outcome::Denied(500)));
        }
        let front = self.front;
        let named = |location: &&Location| location.kind == Kind::Named && location.name == name;
        let Some(location) = front.server().locations.iter().find(named) else {
            return Ok(Step::End(Outcome::Denied(500)));
        };
        self.is_internal = true;
        self.is_changed = false;
        self.enter(&[location])?;
        Ok(Step::Located)
    }

    /// Ends with a status, unless an `error_page` says otherwise (`ngx_http_special_response_handler`).
    pub(super) fn fail(&mut self, status: u16, outcome: Outcome) -> Walked<Step> {
        // 444 closes the connection without a word.
        if status == 444 || self.has_failed || self.changes == 0 {
            return Ok(Step::End(outcome));
        }
        let number = status.to_string();
        let pages = self.effective(&["error_page"]);
        let page = pages.iter().find(|said| said.values.contains(&number));
        let Some((to, codes)) = page.and_then(|said| said.values.split_last()) else {
            return Ok(Step::End(outcome));
        };
        self.has_failed = !self.flag("recursive_error_pages", false);
        let overwritten = codes.iter().find_map(|code| code.strip_prefix('=')?.parse::<u16>().ok());
        let to = self.text(to)?;
        if to.starts_with('@') {
            return self.named(&to);
        }
        if to.starts_with('/') {
            if self.method != "HEAD" {
                "GET".clone_into(&mut self.method);
            }
            let (uri, args) = to.split_once('?').unwrap_or((&to, ""));
            return Ok(self.redirect(uri.to_owned(), args.to_owned()));
        }
        let status = overwritten.filter(|status| [301, 302, 303, 307, 308].contains(status)).unwrap_or(302);
        Ok(Step::End(Outcome::Redirect { status, to }))
    }

    /// What a condition that is not known is taken for this time.
    pub(super) fn decide(&mut self, unknown: Unknown) -> Walked<bool> {
        let taken = self.assumed.get(self.taken).copied();
        self.taken += 1;
        taken.ok_or(Halt::Fork(unknown))
    }

    /// Whether a pattern finds something; its groups are kept.
    pub(super) fn matches(&mut self, pattern: &str, ignores_case: bool, text: &str) -> Known<bool> {
        let Some(found) = self.front.patterns.find(pattern, ignores_case, text)? else { return Ok(false) };
        self.captures = found.groups;
        let variable = |value: String| Variable { usual: Ok(value.clone()), disguised: Ok(value) };
        self.variables.extend(found.named.into_iter().map(|(name, value)| (name, variable(value))));
        Ok(true)
    }

    /// The directives with one of these names that are in force: those of the innermost level that has any.
    pub(super) fn effective(&self, names: &[&str]) -> Vec<&'a Directive> {
        let of = |level: &Level<'a>| -> Vec<&'a Directive> {
            level.directives.iter().filter(|said| names.contains(&said.name.as_str())).collect()
        };
        self.levels.iter().rev().map(of).find(|said| !said.is_empty()).unwrap_or_default()
    }

    /// The directive with a name that is in force, of those that are there once.
    pub(super) fn said(&self, name: &str) -> Option<&'a Directive> {
        self.effective(&[name]).last().copied()
    }

    /// Whether a switch is on.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.said(name).map_or(default, |said| said.value() == "on")
    }
}

/// Whether what a directive does is a program's.
fn is_program(name: &str) -> bool {
    let is_lua = |lua: &&str| name.strip_prefix(*lua).is_some_and(|end| ["", "_block", "_file"].contains(&end));
    PROGRAMS.contains(&name) || LUA.iter().any(is_lua)
}

/// A path with its arguments.
pub(super) fn with_args(uri: &str, args: &str) -> String {
    if args.is_empty() { uri.to_owned() } else { format!("{uri}?{args}") }
}
