//! What is in force where a request ends.

use super::answer::{Answer, Outcome};
use super::measure::{bytes, seconds};
use super::tree::{Directive, Place};
use super::walk::Walk;
use crate::collectors::security::verdict::Known;
use crate::config::types::Address;

/// What is in force where a request ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// The folder of its files, on the host.
    pub(crate) folder: Option<String>,
    /// Whom PHP is asked of (`fastcgi_pass`), where that is one server.
    pub(crate) php: Option<Address>,
    /// `fastcgi_param`: names, and whether the value is what the client wrote into a header or an argument.
    pub(crate) parameters: Vec<(String, Known<bool>)>,
    /// `set_real_ip_from`, each with where it stands.
    pub(crate) trusted: Vec<(String, Place)>,
    /// `client_header_timeout`, `client_body_timeout` and `send_timeout` in seconds, where they are said.
    pub(crate) timeouts: [Option<f64>; 3],
    /// `client_max_body_size` in bytes, and where that is said.
    pub(crate) body: Option<(u64, Place)>,
    /// Where it is logged.
    pub(crate) logs: Known<Vec<super::logs::AccessLog>>,
    /// Where its errors are logged.
    pub(crate) errors: Known<Vec<super::logs::ErrorLog>>,
}

impl Walk<'_> {
    /// The end of the walk.
    pub(super) fn end(mut self, outcome: Outcome) -> Answer {
        let location = self.levels.iter().rev().find_map(|level| level.location);
        let (location, place) = match location {
            Some(location) => (location.title(), location.place.clone()),
            None => (format!("server {}", self.front.server_name()), self.front.server().place.clone()),
        };
        let settings = self.settings();
        let Self { requests, connections, controls, .. } = self;
        Answer { outcome, location, place, requests, connections, controls, settings }
    }

    /// The one server that a name of `fastcgi_pass` stands for: its own address, or that of the only `server` of its
    /// `upstream`.
    fn passed_to(&self, name: &str) -> Option<Address> {
        let is_it = |said: &&Directive| said.name == "upstream" && said.value() == name;
        let Some(upstream) = self.front.tree.http.iter().find(is_it) else { return name.parse().ok() };
        let servers: Vec<_> = upstream.inner().iter().filter(|said| said.name == "server").collect();
        let [server] = servers[..] else { return None };
        server.value().parse().ok()
    }

    fn settings(&mut self) -> Settings {
        let mut parameters = Vec::new();
        for said in self.effective(&["fastcgi_param"]) {
            let [name, value, ..] = &said.values[..] else { continue };
            let [usual, disguised] = self.both(value);
            parameters.push((name.clone(), usual.and_then(|usual| Ok(usual != disguised?))));
        }
        let trusted = self.effective(&["set_real_ip_from"]);
        let timeouts = ["client_header_timeout", "client_body_timeout", "send_timeout"];
        let body = self.said("client_max_body_size");
        Settings {
            folder: self.folder().ok(),
            php: self.said("fastcgi_pass").and_then(|said| self.passed_to(said.value())),
            parameters,
            trusted: trusted.into_iter().map(|said| (said.value().to_owned(), said.place.clone())).collect(),
            timeouts: timeouts.map(|name| seconds(self.said(name)?.value())),
            body: body.and_then(|said| Some((bytes(said.value())?, said.place.clone()))),
            logs: self.access_logs(),
            errors: self.error_logs(),
        }
    }
}
