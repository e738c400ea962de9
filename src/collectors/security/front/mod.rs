//! nginx, as it would really answer: its configuration is interpreted, not searched.
//!
//! What nginx 1.22 does is followed phase by phase, and held against a running nginx by the tests.

mod access;
pub(crate) mod answer;
mod choice;
mod content;
mod files;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod geo;
pub(super) mod judge;
mod listen;
#[cfg(test)]
mod live;
mod locate;
mod logs;
mod measure;
mod pattern;
mod place;
mod ranges;
mod rewrite;
mod rotation;
mod settings;
#[cfg(test)]
mod tests;
mod tree;
mod uri;
mod values;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config::Config;
use super::verdict::{Cause, Known, Unknown};
use crate::collectors::nginx::discover::USUAL;
use crate::config::types::Address;
use crate::networks::Networks;
pub(crate) use answer::{Answer, Outcome, Request};
use files::{Files, Kind};
pub(super) use judge::judge;
use listen::names;
use logs::Kept;
use pattern::Patterns;
use place::Server;
use tree::Directive;

/// The most logs of one shop.
const LOGS: usize = 64;

/// nginx' configuration, as far as it decides about requests for the shop.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    files: Files,
    tree: Arc<Tree>,
    /// Which of the servers is the shop's.
    server: usize,
    /// The name that the shop is asked for by.
    host: String,
    port: u16,
    is_tls: bool,
    /// Whether the server takes IPv6.
    has_v6: bool,
    /// Where the CDN's requests come from.
    edge: Networks,
    patterns: Patterns,
    /// What the operator says of the shop's folder.
    root: Option<PathBuf>,
    /// The shop's logs, as they lie on the disk.
    kept: BTreeMap<PathBuf, Kept>,
    /// Other ways to the same shop: servers that run the same scripts by another name, on another port, or for want of
    /// a better one.
    siblings: Vec<Self>,
    /// When what nginx knows of countries was written.
    geo_written: Known<i64>,
}

/// Where a redirect leads.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Follow {
    /// To this path of the same server.
    Here(String),
    /// To another server of the same name.
    Other,
    /// To somebody else.
    Away,
}

/// A whole configuration.
#[derive(Clone, Debug, Default)]
struct Tree {
    main: Vec<Directive>,
    http: Vec<Directive>,
    servers: Vec<Server>,
    /// The variables that `set`, or a group of a pattern, may give a value to.
    set: BTreeSet<String>,
}

impl Tree {
    fn read(files: &Files, file: &Path) -> Known<Self> {
        Self::of(tree::read(files, file)?, file)
    }

    fn of(main: Vec<Directive>, file: &Path) -> Known<Self> {
        let blocks: Vec<_> = main.iter().filter(|said| said.name == "http").cloned().collect();
        if blocks.is_empty() {
            let hidden = tree::unknown(&main).cloned();
            let why = format!("{} has no `http`", file.display());
            return Err(hidden.unwrap_or_else(|| Unknown::new(Cause::Unparsable, why)));
        }
        let http: Vec<Directive> = blocks.into_iter().flat_map(|block| block.block.unwrap_or_default()).collect();
        if let Some(hidden) = tree::unknown(&http) {
            return Err(hidden.clone());
        }
        let is_server = |said: &&Directive| said.name == "server" && said.block.is_some();
        let servers = http.iter().filter(is_server).map(Server::new).collect();
        let mut set = BTreeSet::new();
        collect_set(&http, &mut set);
        let http = http.into_iter().filter(|said| !is_server(&said)).collect();
        Ok(Self { main, http, servers, set })
    }

    fn is_set(&self, name: &str) -> bool {
        self.set.contains(name)
    }
}

/// The names of all variables that are given a value somewhere here.
fn collect_set(directives: &[Directive], found: &mut BTreeSet<String>) {
    for said in directives {
        if said.name == "set" {
            found.insert(said.value().trim_start_matches('$').to_lowercase());
        }
        for value in &said.values {
            // `(?<name>…)` and `(?P<name>…)`
            let groups = value.split("(?").skip(1).filter_map(|group| group.trim_start_matches('P').strip_prefix('<'));
            found.extend(groups.filter_map(|group| Some(group.split_once('>')?.0.to_lowercase())));
        }
        collect_set(said.inner(), found);
    }
}

impl Front {
    /// Reads nginx' configuration below `root`, the host's root file system, and finds the shop's server in it.
    pub(crate) fn read(root: &Path, config: &Config) -> Known<Self> {
        let files = Files::new(root);
        let is_there = |path: &&&str| files.kind(path) != Ok(Kind::Missing);
        let main = USUAL.iter().find(is_there).ok_or_else(|| {
            let why = format!("there is no {}: only nginx is understood", USUAL[0]);
            Unknown::new(Cause::Unsupported, why)
        })?;
        Self::read_from(root, Path::new(main), config)
    }

    /// The same from a main file that is known, as a master's command line has it.
    pub(crate) fn read_from(root: &Path, main: &Path, config: &Config) -> Known<Self> {
        let files = Files::new(root);
        let tree = Tree::read(&files, main)?;
        Self::of(files, tree, config)
    }

    fn of(files: Files, tree: Tree, config: &Config) -> Known<Self> {
        let mut front = Self {
            files,
            tree: Arc::new(tree),
            server: 0,
            host: String::new(),
            port: 80,
            is_tls: false,
            has_v6: false,
            edge: config.edge.networks.clone(),
            patterns: Patterns::default(),
            root: config.root.clone(),
            kept: BTreeMap::new(),
            siblings: Vec::new(),
            geo_written: Err(Unknown::new(Cause::NotConfigured, "nginx knows no countries")),
        };
        front.geo_written = geo::written(&front);
        front.choose(config)?;
        front.keep();
        front.siblings = front.siblings();
        Ok(front)
    }

    /// Looks at the shop's logs: those of its pages, and others that its locations may have.
    fn keep(&mut self) {
        let rotations = rotation::read(&self.files);
        let mut logs = BTreeSet::new();
        for uri in ["/", "/index.php"] {
            let Ok(answer) = self.answer(uri, "", "GET") else { continue };
            logs.extend(answer.settings.logs.iter().flatten().filter_map(|log| log.file.clone()));
            logs.extend(answer.settings.errors.iter().flatten().filter_map(|log| log.file.clone()));
        }
        for name in ["access_log", "error_log"] {
            let paths = self.server().all(name).into_iter().map(Directive::value);
            logs.extend(paths.filter(|path| path.starts_with('/') && !path.contains('$')).map(PathBuf::from));
        }
        let look = |log: PathBuf| (log.clone(), Kept::look(&self.files, &rotations, &log));
        self.kept = logs.into_iter().take(LOGS).map(look).collect();
    }

    /// What a stranger's request is answered with.
    pub(crate) fn answer(&self, uri: &str, args: &str, method: &str) -> Known<Answer> {
        self.answer_to(&Request { uri, args, method, planted: &[] })
    }

    /// The same, if there were further files.
    pub(crate) fn answer_to(&self, request: &Request<'_>) -> Known<Answer> {
        walk::answer(self, request, 0)
    }

    /// The folder, on the host, that the shop's server serves files from.
    pub(crate) fn shop_root(&self) -> Option<PathBuf> {
        self.root.clone().or_else(|| self.folder())
    }

    /// The same, by nginx' configuration alone.
    fn folder(&self) -> Option<PathBuf> {
        self.answer("/index.php", "", "GET").ok()?.settings.folder.map(PathBuf::from)
    }

    /// Where nginx asks for the shop's PHP, where that is one server.
    pub(crate) fn php_address(&self) -> Option<Address> {
        self.answer("/index.php", "", "GET").ok()?.settings.php
    }

    /// Where nginx may look for the file of a path, on the host: below every `root` of the shop's server, and in every
    /// `alias`.
    fn places(&self, path: &str) -> Vec<PathBuf> {
        let of_http = self.tree.http.iter().filter(|said| said.name == "root").map(Directive::value);
        let said = self.server().all("root").into_iter().map(Directive::value).chain(of_http);
        let roots = said.map(str::to_owned).chain(self.folder().map(|folder| folder.display().to_string()));
        let below_roots = roots.map(|root| format!("{}{path}", root.trim_end_matches('/')));
        let aliases = self.server().aliases().into_iter();
        let in_aliases = aliases.filter_map(|(name, alias)| Some(format!("{alias}{}", path.strip_prefix(name)?)));
        let absolute = below_roots.chain(in_aliases).filter(|file| file.starts_with('/') && !file.contains('$'));
        let found: BTreeSet<PathBuf> = absolute.map(PathBuf::from).collect();
        found.into_iter().collect()
    }

    /// The live logs of the shop's requests and errors, on the host.
    pub(crate) fn logs(&self) -> Vec<PathBuf> {
        self.kept.keys().cloned().collect()
    }

    /// Whether a policy on countries that nginx is told of (`geo`, `geoip`, or a `map` of such) refuses anybody on the
    /// shop's way.
    pub(crate) fn geo(&self) -> Known<bool> {
        geo::is_enforced(self)
    }

    /// When the oldest list of countries that nginx has was written, in seconds since 1970.
    pub(crate) fn geo_written(&self) -> Known<i64> {
        self.geo_written.clone()
    }

    /// Where the shop's server stands in the configuration.
    fn server_place(&self) -> String {
        self.server().place.to_string()
    }

    /// A log of the shop's, as it lies on the disk.
    fn kept(&self, log: &Path) -> Option<&Kept> {
        self.kept.get(log)
    }

    /// A path of the host with its links followed, as far as that is possible.
    fn resolved(&self, path: &Path) -> PathBuf {
        self.files.resolved(path).unwrap_or_else(|_| path.to_owned())
    }

    /// Where a redirect leads.
    fn follow(&self, to: &str) -> Follow {
        if to.starts_with('/') && !to.starts_with("//") {
            return Follow::Here(to.to_owned());
        }
        let Some((scheme, rest)) = to.split_once("://") else { return Follow::Away };
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let usual = if scheme == "https" { "443" } else { "80" };
        let (host, port) = host.split_once(':').unwrap_or((host, usual));
        if !host.eq_ignore_ascii_case(&self.host) {
            return Follow::Away;
        }
        if (scheme == "https") != self.is_tls || port != self.port.to_string() {
            return Follow::Other;
        }
        Follow::Here(if path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
    }

    fn server(&self) -> &Server {
        &self.tree.servers[self.server]
    }

    /// `$server_name`: the first of them.
    fn server_name(&self) -> String {
        names(self.server()).into_iter().next().unwrap_or_default()
    }
}
