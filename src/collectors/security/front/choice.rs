//! Which of nginx' servers is the shop's, and which others lead to it.

use std::net::SocketAddr;

use super::files::Kind;
use super::listen::{chosen, listens, names};
use super::{Front, Outcome};
use crate::collectors::security::config::Config;
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// The most other ways to one shop.
const SIBLINGS: usize = 8;

impl Front {
    /// Finds the shop's server.
    pub(super) fn choose(&mut self, config: &Config) -> Known<()> {
        let Some(url) = &config.url else { return self.choose_by_files() };
        let host = url.0.host_str().unwrap_or_default().trim_end_matches('.').to_lowercase();
        let port = url.0.port_or_known_default().unwrap_or(443);
        // Where the operator sends this very question to a port of this machine, nginx listens on that one, whatever
        // leads visitors there. Where somebody else ends the encryption, nginx is asked without it.
        let by_detour = config.resolve.0.get(&format!("{host}:{port}")).filter(|address| address.ip().is_loopback());
        for port in by_detour.map(SocketAddr::port).into_iter().chain([port, 443, 80]) {
            let mut found = chosen(&self.tree.servers, &host, port, &self.patterns)?;
            if found.iter().any(|(_, is_named)| *is_named) {
                found.retain(|(_, is_named)| *is_named);
            }
            let mut servers: Vec<_> = found.iter().map(|(at, _)| *at).collect();
            servers.dedup();
            match servers[..] {
                [] => {}
                [server] => {
                    self.take(server, &host, port);
                    return Ok(());
                }
                _ => {
                    let why = format!("which server answers for {host} depends on the address it is asked at");
                    return Err(Unknown::new(Cause::Unsupported, why));
                }
            }
        }
        let mut tried: Vec<_> = by_detour.map(SocketAddr::port).into_iter().chain([port]).collect();
        tried.retain(|port| !matches!(port, 443 | 80));
        let tried: Vec<_> = tried.into_iter().chain([443]).map(|port| port.to_string()).collect();
        let why = format!(
            "nginx does not listen on port {} or 80: is {host} of `[security] url` served here?",
            tried.join(", ")
        );
        Err(Unknown::new(Cause::NotConfigured, why))
    }

    /// The same for another shop of this nginx.
    #[cfg(test)]
    pub(super) fn instead(&self, config: &Config) -> Known<Self> {
        let mut front = self.clone();
        front.choose(config)?;
        Ok(front)
    }

    /// Without a name, it is the only server that hands scripts that are there to PHP.
    fn choose_by_files(&mut self) -> Known<()> {
        let mut found: Vec<(usize, String, bool)> = Vec::new();
        for (at, server) in self.tree.clone().servers.iter().enumerate() {
            let listens = listens(server);
            let Some(listen) = listens.iter().find(|listen| listen.is_tls).or(listens.first()) else { continue };
            let names = names(server);
            let host = names.iter().find(|name| !name.is_empty() && !name.contains(['*', '~', '$', '_']));
            let host = host.map_or("localhost", String::as_str).to_owned();
            self.take(at, &host, listen.port);
            let answer = match self.answer("/index.php", "", "GET") {
                Ok(answer) => answer,
                Err(_) if server.all("fastcgi_pass").is_empty() => continue,
                Err(unknown) => return Err(unknown),
            };
            let is_shop = match &answer.outcome {
                Outcome::Php { script, .. } => self.files.kind(script)? == Kind::File,
                _ => false,
            };
            let agrees = self.root.is_none() || self.root == self.folder();
            if is_shop && agrees {
                found.push((at, host, listen.is_tls));
            }
        }
        if found.iter().any(|(.., is_tls)| *is_tls) {
            found.retain(|(.., is_tls)| *is_tls);
        }
        match &found[..] {
            [(at, host, _)] => {
                let server = &self.tree.servers[*at];
                let listens = listens(server);
                let port =
                    listens.iter().find(|listen| listen.is_tls).or(listens.first()).map_or(80, |listen| listen.port);
                self.take(*at, &host.clone(), port);
                Ok(())
            }
            [] => {
                let why = "no server of nginx hands a script that is there to PHP: say which is the shop's with `[security] url`";
                Err(Unknown::new(Cause::NotConfigured, why))
            }
            several => {
                let names: Vec<_> = several.iter().map(|(_, host, _)| host.as_str()).collect();
                let why = format!(
                    "several servers run PHP ({}): say which is the shop's with `[security] url`",
                    names.join(", ")
                );
                Err(Unknown::new(Cause::NotConfigured, why))
            }
        }
    }

    fn take(&mut self, server: usize, host: &str, port: u16) {
        self.server = server;
        host.clone_into(&mut self.host);
        self.port = port;
        let listens = listens(&self.tree.servers[server]);
        self.is_tls = listens.iter().any(|listen| listen.port == port && listen.is_tls);
        self.has_v6 = listens.iter().any(|listen| listen.port == port && listen.is_v6());
    }

    /// Finds the other ways to the shop.
    pub(super) fn siblings(&self) -> Vec<Self> {
        let script = |front: &Self| match front.answer("/index.php", "", "GET").ok()?.outcome {
            Outcome::Php { script, .. } => Some(script),
            _ => None,
        };
        let Some(own) = script(self) else { return Vec::new() };
        let mut found = Vec::new();
        for (at, server) in self.tree.servers.iter().enumerate() {
            for listen in listens(server).into_iter().filter(|listen| !listen.is_local()) {
                let is_own = at == self.server && listen.is_tls == self.is_tls;
                if is_own || found.len() == SIBLINGS {
                    continue;
                }
                let mut sibling = self.clone();
                let name = names(server).into_iter().find(|name| !name.is_empty() && !name.contains(['*', '~', '$']));
                sibling.take(at, &name.unwrap_or_else(|| self.host.clone()), listen.port);
                let is_known = found.iter().any(|other: &Self| other.server == at && other.is_tls == sibling.is_tls);
                if !is_known && script(&sibling).as_ref() == Some(&own) {
                    sibling.keep();
                    found.push(sibling);
                }
            }
        }
        found
    }
}
