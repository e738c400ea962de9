//! Variables, as they are for a stranger's request; `map` and `geo`, which make others of them.

use std::net::IpAddr;

use super::tree::{Directive, unknown};
use super::uri::argument;
use super::walk::{Variable, Walk};
use crate::collectors::security::firewall::ranges::Range;
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// Where the stranger comes from: an address like many, of no network that is reserved for anything.
pub(super) const STRANGER: &str = "62.30.115.9";

/// What of it is left where addresses are cut short.
const NETWORK: &str = "62.30.115.";

/// The stranger's browser.
pub(super) const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// How deep maps may stand on maps, the most variables that one request is asked for, and the longest value.
const DEPTH: u8 = 16;
const STEPS: u32 = 50_000;
const LENGTH: usize = 16 << 10;

/// What a map's pattern found.
#[derive(Default)]
struct Local {
    groups: Vec<String>,
    named: Vec<(String, String)>,
}

/// Arguments with one more, as anybody may send them.
fn appended(text: &str, has_arguments: bool) -> String {
    format!("{text}{}disguised=1", if has_arguments { '&' } else { '?' })
}

/// Whether a text tells of one client alone.
pub(super) fn is_of_client(text: &str) -> bool {
    text.contains(NETWORK)
}

impl Walk<'_> {
    /// A text with its variables put in.
    pub(super) fn text(&self, template: &str) -> Known<String> {
        self.put_in(template, &Local::default(), 0)
    }

    /// The same, and what it would be with other headers, cookies and arguments.
    pub(super) fn both(&mut self, template: &str) -> [Known<String>; 2] {
        let usual = self.text(template);
        self.is_disguised = true;
        let disguised = self.text(template);
        self.is_disguised = false;
        [usual, disguised]
    }

    fn put_in(&self, template: &str, local: &Local, depth: u8) -> Known<String> {
        let mut text = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('$') {
            text.push_str(&rest[..at]);
            let (name, behind) = name(&rest[at + 1..]);
            if name.is_empty() {
                text.push('$');
            } else {
                text.push_str(&self.value(name, local, depth)?);
            }
            if text.len() > LENGTH {
                return Err(Unknown::new(Cause::Unsupported, format!("`${name}` is too long")));
            }
            rest = behind;
        }
        text.push_str(rest);
        Ok(text)
    }

    fn value(&self, name: &str, local: &Local, depth: u8) -> Known<String> {
        let name = name.to_lowercase();
        self.steps.set(self.steps.get() + 1);
        if depth == DEPTH || self.steps.get() > STEPS {
            return Err(Unknown::new(Cause::Unsupported, format!("`${name}` stands for too much")));
        }
        if let Ok(group) = name.parse::<usize>() {
            let groups = if local.groups.is_empty() { &self.captures } else { &local.groups };
            return Ok(groups.get(group).cloned().unwrap_or_default());
        }
        if let Some((_, value)) = local.named.iter().find(|(known, _)| *known == name) {
            return Ok(value.clone());
        }
        if let Some(Variable { usual, disguised }) = self.variables.get(&name) {
            return if self.is_disguised { disguised } else { usual }.clone();
        }
        if let Some(made) = self.made(&name, depth) {
            return made;
        }
        if let Some(value) = self.built_in(&name) {
            return value;
        }
        if self.front.tree.is_set(&name) {
            return Ok(String::new());
        }
        Err(Unknown::new(Cause::Unsupported, format!("`${name}` is not known before there is a request")))
    }

    /// What the core modules say of the request.
    fn built_in(&self, name: &str) -> Option<Known<String>> {
        let header = |usual: &str| Ok(if self.is_disguised { "disguised".to_owned() } else { usual.to_owned() });
        let front = self.front;
        let text = match name {
            "uri" | "document_uri" => self.uri.clone(),
            "request_uri" if self.is_disguised => appended(&self.target, self.target.contains('?')),
            "request_uri" => self.target.clone(),
            "request" => format!("{} {} HTTP/1.1", self.method, self.target),
            "args" | "query_string" if self.is_disguised => appended(&self.args, true),
            "args" | "query_string" => self.args.clone(),
            "is_args" => if self.args.is_empty() { "" } else { "?" }.to_owned(),
            "request_method" => self.method.clone(),
            "host" | "http_host" | "hostname" => front.host.clone(),
            "server_name" => front.server_name(),
            "scheme" | "request_scheme" => if front.is_tls { "https" } else { "http" }.to_owned(),
            "https" => if front.is_tls { "on" } else { "" }.to_owned(),
            "server_port" => front.port.to_string(),
            "server_protocol" => "HTTP/1.1".to_owned(),
            // What the client wrote stands before it.
            "proxy_add_x_forwarded_for" if self.is_disguised => format!("disguised, {STRANGER}"),
            "remote_addr" | "binary_remote_addr" | "realip_remote_addr" | "proxy_add_x_forwarded_for" => {
                STRANGER.to_owned()
            }
            "http_user_agent" => return Some(header(BROWSER)),
            "http_accept" => return Some(header("*/*")),
            "ssl_client_verify" => "NONE".to_owned(),
            "status" => "200".to_owned(),
            "document_root" => return Some(self.folder()),
            "realpath_root" => return Some(self.folder().map(|folder| self.real(&folder))),
            "request_filename" => return Some(self.path_of(&self.uri)),
            "fastcgi_script_name" => return Some(self.split().map(|(script, _)| script)),
            "fastcgi_path_info" => return Some(self.split().map(|(_, pathinfo)| pathinfo)),
            "request_completion"
            | "remote_user"
            | "ssl_client_s_dn"
            | "ssl_client_serial"
            | "ssl_client_fingerprint" => String::new(),
            _ => {
                if let Some(argument_name) = name.strip_prefix("arg_") {
                    return Some(Ok(argument(&self.args, argument_name).to_owned()));
                }
                // A stranger sends no more than it must.
                if name.starts_with("http_") || name.starts_with("cookie_") || name.starts_with("sent_http_") {
                    return Some(header(""));
                }
                return None;
            }
        };
        Some(Ok(text))
    }

    /// What `map` or `geo` makes.
    fn made(&self, name: &str, depth: u8) -> Option<Known<String>> {
        let is_it = |variable: Option<&String>| {
            variable.is_some_and(|variable| variable.trim_start_matches('$').eq_ignore_ascii_case(name))
        };
        let maker = self.front.tree.http.iter().rev().find(|said| match said.name.as_str() {
            "map" => is_it(said.values.get(1)),
            "geo" => is_it(said.values.last()),
            _ => false,
        })?;
        if let Some(unread) = unknown(maker.inner()) {
            return Some(Err(unread.clone()));
        }
        let is_map = maker.name == "map";
        Some(if is_map { self.mapped(maker, depth + 1) } else { self.located_at(maker, depth + 1) })
    }

    fn mapped(&self, map: &Directive, depth: u8) -> Known<String> {
        let source = self.put_in(map.value(), &Local::default(), depth)?;
        let has_hosts = map.inner().iter().any(|said| said.name == "hostnames");
        let (mut default, mut exact, mut wild, mut pattern) = (None, None, None::<(usize, &str)>, None);
        for said in map.inner() {
            let value = said.value();
            let key = said.name.as_str();
            if said.values.is_empty() {
                continue;
            }
            if key == "default" {
                default = Some(value);
            } else if let Some(text) = key.strip_prefix('~') {
                let (text, ignores_case) = text.strip_prefix('*').map_or((text, false), |text| (text, true));
                if pattern.is_none()
                    && let Some(found) = self.front.patterns.find(text, ignores_case, &source)?
                {
                    pattern = Some((value, Local { groups: found.groups, named: found.named }));
                }
            } else {
                let key = key.strip_prefix('\\').unwrap_or(key);
                if key.eq_ignore_ascii_case(&source) {
                    exact = exact.or(Some(value));
                } else if has_hosts
                    && let Some(length) = super::listen::wildcard(key, &source)
                    && wild.is_none_or(|(longest, _)| length > longest)
                {
                    wild = Some((length, value));
                }
            }
        }
        match (exact.or(wild.map(|(_, value)| value)), pattern) {
            (Some(value), _) => self.put_in(value, &Local::default(), depth),
            (None, Some((value, local))) => self.put_in(value, &local, depth),
            (None, None) => default.map_or(Ok(String::new()), |value| self.put_in(value, &Local::default(), depth)),
        }
    }

    fn located_at(&self, geo: &Directive, depth: u8) -> Known<String> {
        let address = match &geo.values[..] {
            [source, _] => self.put_in(source, &Local::default(), depth)?,
            _ => STRANGER.to_owned(),
        };
        let Ok(address) = address.parse::<IpAddr>() else {
            return Err(Unknown::new(Cause::Unsupported, format!("{}: it is not known for which address", geo.place)));
        };
        let inside = geo.inner().iter().filter_map(|said| {
            let range = Range::parse(&said.name).filter(|range| range.contains(address))?;
            let (first, last) = range.bounds();
            Some((last - first, said.value()))
        });
        let narrowest = inside.min_by_key(|(size, _)| *size).map(|(_, value)| value);
        let default = geo.inner().iter().find(|said| said.name == "default").map(Directive::value);
        Ok(narrowest.or(default).unwrap_or_default().to_owned())
    }
}

/// The name of a variable behind its `$`, and what follows.
fn name(text: &str) -> (&str, &str) {
    if let Some(braced) = text.strip_prefix('{')
        && let Some((name, behind)) = braced.split_once('}')
    {
        return (name, behind);
    }
    // `$1` is a group, whatever follows.
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return text.split_at(1);
    }
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    text.split_at(end)
}

/// The names of the variables in a text.
pub(super) fn names(template: &str) -> Vec<&str> {
    let parts = template.split('$').skip(1);
    parts.map(|part| name(part).0).filter(|name| !name.is_empty()).collect()
}
