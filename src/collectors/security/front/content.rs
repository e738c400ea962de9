//! The last phases: `try_files`, whoever the request is handed to, `index`, and the file itself.

use std::path::Path;

use super::answer::Outcome;
use super::files::Kind;
use super::place::{self, Location, PASSES};
use super::tree::Directive;
use super::walk::{Level, Walk, Walked, with_args};
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// How the last phases end.
pub(super) enum Content {
    End(Outcome),
    /// An error, which may have a page.
    Fail(u16, Outcome),
    /// Another path, with its arguments.
    Redirect(String, String),
    Named(String),
}

/// What answers by itself, and what people call that.
const HANDLERS: [(&str, &str); 9] = [
    ("empty_gif", "an empty picture"),
    ("stub_status", "nginx' own numbers"),
    ("random_index", "any file of the folder"),
    ("mp4", "a film"),
    ("flv", "a film"),
    ("dav_methods", "WebDAV"),
    ("hls", "a film"),
    ("status", "nginx' own numbers"),
    ("api", "nginx' own numbers"),
];

const NO_FILE: Content = Content::Fail(404, Outcome::Missing);

/// Where files are looked for.
enum Base<'a> {
    /// `root`: the path is put behind it.
    Root(&'a Directive),
    /// `alias`: it is put in place of so many bytes of the path, or of all of it.
    Alias(&'a Directive, Option<usize>),
}

impl<'a> Walk<'a> {
    pub(super) fn content(&mut self) -> Walked<Content> {
        if let Some(end) = self.try_files()? {
            return Ok(end);
        }
        if let Some(handler) = self.handler() {
            return Ok(self.handled(handler)?);
        }
        if self.uri.ends_with('/') {
            return Ok(self.folder_content()?);
        }
        Ok(self.file_content()?)
    }

    /// What the request is handed to: by the innermost location itself, or an `if` in it.
    fn handler(&self) -> Option<&'a Directive> {
        let is_handler =
            |said: &&Directive| PASSES.contains(&&*said.name) || HANDLERS.iter().any(|(name, _)| *name == said.name);
        let levels = self.levels.iter().skip(2).rev();
        let mut of_location = false;
        let mut innermost = levels.take_while(|level| {
            let is_outer = of_location;
            of_location |= level.location.is_some();
            !is_outer
        });
        innermost.find_map(|level| level.directives.iter().rev().find(is_handler))
    }

    fn handled(&self, handler: &Directive) -> Known<Content> {
        Ok(match handler.name.as_str() {
            "fastcgi_pass" => {
                self.text(handler.value())?;
                return self.php().map(Content::End);
            }
            name if PASSES.contains(&name) => Content::End(Outcome::Proxied),
            "mp4" | "flv" | "hls" | "random_index" | "dav_methods" => {
                let why = format!("{}: what `{}` answers is not known", handler.place, handler.name);
                return Err(Unknown::new(Cause::Unsupported, why));
            }
            _ if !["GET", "HEAD"].contains(&self.method.as_str()) => Content::Fail(405, Outcome::Denied(405)),
            name => {
                let what = HANDLERS.iter().find(|(known, _)| *known == name).map_or("", |(_, what)| what);
                Content::End(Outcome::Other(what))
            }
        })
    }

    /// What PHP gets.
    fn php(&self) -> Known<Outcome> {
        let mut values = [String::new(), String::new()];
        for said in self.effective(&["fastcgi_param"]) {
            let [name, value, ..] = &said.values[..] else { continue };
            let at = match name.as_str() {
                "SCRIPT_FILENAME" => 0,
                "PATH_INFO" => 1,
                _ => continue,
            };
            values[at] = self.text(value)?;
        }
        let [script, pathinfo] = values;
        if script.is_empty() {
            return Ok(Outcome::Other("PHP is not told which script"));
        }
        Ok(Outcome::Php { script, pathinfo })
    }

    /// The script and what follows it in the path (`ngx_http_fastcgi_split`).
    pub(super) fn split(&self) -> Known<(String, String)> {
        let mut script = (self.uri.clone(), String::new());
        if let Some(said) = self.said("fastcgi_split_path_info")
            && let Some(found) = self.front.patterns.find(said.value(), false, &self.uri)?
            && let [_, name, pathinfo, ..] = &found.groups[..]
        {
            script = (name.clone(), pathinfo.clone());
        }
        if script.0.ends_with('/')
            && let Some(said) = self.said("fastcgi_index")
        {
            script.0.push_str(said.value());
        }
        Ok(script)
    }

    /// The first of the files that is there; the last name is where to go without one.
    fn try_files(&mut self) -> Walked<Option<Content>> {
        // It is of no inner level, not even of an `if`.
        let Some(level) = self.levels.last().copied() else { return Ok(None) };
        let Some(said) = level.directives.iter().find(|said| said.name == "try_files") else { return Ok(None) };
        let Some((last, names)) = said.values.split_last() else { return Ok(None) };
        let alias = match self.base() {
            Some(Base::Alias(_, cut)) => Some(cut),
            _ => None,
        };
        let folder = self.folder()?;
        for template in names {
            let wants_folder = template.ends_with('/');
            let mut name = self.text(template.strip_suffix('/').unwrap_or(template))?;
            let cut = match alias {
                // What `$uri` has of the location's own name is cut off.
                Some(Some(cut))
                    if template.contains('$') && self.uri.get(..cut).is_some_and(|own| name.starts_with(own)) =>
                {
                    name = name.split_off(cut);
                    cut
                }
                Some(Some(cut)) => cut,
                _ => 0,
            };
            let kind = self.files.kind(&format!("{folder}{name}"))?;
            if kind == if wants_folder { Kind::Folder } else { Kind::File } {
                match alias {
                    None => self.uri = name,
                    Some(Some(_)) => self.uri = format!("{}{name}", self.uri.get(..cut).unwrap_or_default()),
                    // All of the path comes of the alias, whatever it is.
                    Some(None) => {}
                }
                return Ok(None);
            }
        }
        if let Some(status) = last.strip_prefix('=') {
            let status = status.parse().unwrap_or(404);
            let outcome = if status == 404 { Outcome::Missing } else { Outcome::Denied(status) };
            return Ok(Some(Content::Fail(status, outcome)));
        }
        let to = self.text(last)?;
        if to.starts_with('@') {
            return Ok(Some(Content::Named(to)));
        }
        let (uri, args) = to.split_once('?').unwrap_or((&to, ""));
        Ok(Some(Content::Redirect(uri.to_owned(), args.to_owned())))
    }

    /// What a folder is answered with (`ngx_http_index_handler`).
    fn folder_content(&mut self) -> Known<Content> {
        let names: Vec<String> = match &self.effective(&["index"])[..] {
            [] => vec!["index.html".to_owned()],
            said => said.iter().flat_map(|said| said.values.clone()).collect(),
        };
        let path = self.path_of(&self.uri)?;
        let is_asked_for = ["GET", "HEAD", "POST"].contains(&self.method.as_str());
        let mut is_there = false;
        for template in names.iter().filter(|_| is_asked_for) {
            let name = self.text(template)?;
            if name.starts_with('/') {
                let (uri, args) = name.split_once('?').map_or((name.as_str(), self.args.as_str()), |both| both);
                return Ok(Content::Redirect(uri.to_owned(), args.to_owned()));
            }
            if self.files.kind(&format!("{path}{name}"))? != Kind::Missing {
                return Ok(Content::Redirect(format!("{}{name}", self.uri), self.args.clone()));
            }
            if !is_there {
                match self.files.kind(&path)? {
                    Kind::Folder => is_there = true,
                    _ => return Ok(NO_FILE),
                }
            }
        }
        if self.flag("autoindex", false) && ["GET", "HEAD"].contains(&self.method.as_str()) {
            return Ok(match self.files.kind(&path)? {
                Kind::Folder => Content::End(Outcome::Other("a list of the folder's files")),
                _ => NO_FILE,
            });
        }
        Ok(Content::Fail(403, Outcome::Denied(403)))
    }

    /// What a file is answered with (`ngx_http_static_handler`).
    fn file_content(&self) -> Known<Content> {
        if !["GET", "HEAD", "POST"].contains(&self.method.as_str()) {
            return Ok(Content::Fail(405, Outcome::Denied(405)));
        }
        let path = self.path_of(&self.uri)?;
        Ok(match self.files.kind(&path)? {
            Kind::Missing => NO_FILE,
            Kind::Folder => {
                let to = with_args(&format!("{}/", self.uri), &self.args);
                Content::End(Outcome::Redirect { status: 301, to })
            }
            Kind::File if self.method == "POST" => Content::Fail(405, Outcome::Denied(405)),
            Kind::File => Content::End(Outcome::File(path)),
        })
    }

    /// The `root` or `alias` that is in force, and how much of the path it stands for.
    fn base(&self) -> Option<Base<'a>> {
        let (at, said) = self.levels.iter().enumerate().rev().find_map(|(at, level)| {
            let said = level.directives.iter().rev().find(|said| ["root", "alias"].contains(&said.name.as_str()))?;
            Some((at, said))
        })?;
        if said.name == "root" {
            return Some(Base::Root(said));
        }
        // An `if` has the name of the location that it stands in.
        let location = self.levels[..=at].iter().rev().find_map(|Level { location, .. }| *location);
        Some(Base::Alias(said, location.and_then(prefix)))
    }

    /// `$document_root`: the folder, or what an alias says.
    pub(super) fn folder(&self) -> Known<String> {
        match self.base() {
            Some(Base::Root(said)) => {
                let folder = self.text(said.value())?;
                absolute(folder.strip_suffix('/').unwrap_or(&folder).to_owned(), said)
            }
            Some(Base::Alias(said, _)) => absolute(self.text(said.value())?, said),
            None => {
                let why = format!("{}: this server has no `root`", self.front.server().place);
                Err(Unknown::new(Cause::NotConfigured, why))
            }
        }
    }

    /// The file of a path (`ngx_http_map_uri_to_path`).
    pub(super) fn path_of(&self, uri: &str) -> Known<String> {
        let folder = self.folder()?;
        Ok(match self.base() {
            Some(Base::Alias(_, None)) => folder,
            Some(Base::Alias(_, Some(cut))) => format!("{folder}{}", uri.get(cut..).unwrap_or_default()),
            _ => format!("{folder}{uri}"),
        })
    }

    /// `$realpath_root`
    pub(super) fn real(&self, folder: &str) -> String {
        let real = self.files.resolved(Path::new(folder));
        real.map_or_else(|_| folder.to_owned(), |real| real.to_string_lossy().into_owned())
    }
}

/// How much of the path an alias in this location stands for; nothing where it is for all of it.
fn prefix(location: &Location) -> Option<usize> {
    (!matches!(location.kind, place::Kind::Pattern { .. })).then_some(location.name.len())
}

fn absolute(folder: String, said: &Directive) -> Known<String> {
    if folder.is_empty() || folder.starts_with('/') {
        return Ok(folder);
    }
    let why = format!("{}: where `{folder}` is depends on how nginx was built", said.place);
    Err(Unknown::new(Cause::Unsupported, why))
}
