//! Which logs belong together, so that each request is counted once.

use std::collections::{BTreeMap, BTreeSet};

use super::{Field, Format, Place, written};
use crate::collectors::nginx::configuration::{AccessLog, Configuration, Server};

/// The most files of one target, and the most virtual hosts told apart.
const FILES: usize = 100;
const VHOSTS: usize = 50;

/// The most files of a configuration, and the most names of a server that stand in the name of one.
const ALL_FILES: usize = 5_000;
const NAMES: usize = 50;

/// The most folders that are asked which shop they hold.
const ROOTS: usize = 200;

/// The format that nginx knows by itself, and a target has that names none.
pub(super) const COMBINED: &str = "combined";

/// Logs that one target follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stream {
    /// The files.
    pub(super) files: Vec<String>,
    /// The logs of errors of the same servers.
    pub(super) errors: Vec<String>,
    /// The name of their format.
    pub(super) format: String,
    /// Why that is not understood.
    pub(super) trouble: Option<String>,
    /// The one virtual host that they are about, where lines do not say it.
    pub(super) vhost: Option<String>,
    /// The virtual hosts that lines tell apart, and the first name of the server that answers for each.
    pub(super) vhosts: BTreeMap<String, String>,
    /// What a configuration calls the shops behind them.
    pub(super) shops: Vec<&'static str>,
    /// Whether nginx leaves requests out.
    pub(super) is_partial: bool,
}

impl Stream {
    /// What tells it from its like.
    pub(super) fn name(&self) -> String {
        let of_file = || {
            let name = self.files.first().and_then(|file| file.rsplit('/').next()).unwrap_or_default();
            name.strip_suffix(".log").unwrap_or(name).to_owned()
        };
        self.vhost.clone().unwrap_or_else(of_file)
    }
}

/// A file, and the servers that write to it.
struct File<'a> {
    path: String,
    log: &'a AccessLog,
    servers: Vec<&'a Server>,
    /// The host that stands in its name for a variable.
    host: Option<String>,
}

/// What the logs of a configuration come to: those with a shop first, then in the order of the configuration.
pub(super) fn streams(read: &Configuration, place: &Place<'_>) -> Vec<Stream> {
    let mut roots = BTreeMap::new();
    let mut shop = |server: &Server| {
        let root = server.root.as_deref()?;
        if !roots.contains_key(root) && roots.len() < ROOTS {
            roots.insert(root.to_owned(), place.shop(root));
        }
        roots.get(root).copied().flatten()
    };
    let mut streams: Vec<Stream> = Vec::new();
    let mut named = BTreeSet::new();
    for File { path, log, servers, host } in files(read, place) {
        // nginx' own is known by its name.
        let format = read.formats.get(&log.format).map_or(COMBINED.parse(), |format| written(format).parse::<Format>());
        let says_host = format.as_ref().is_ok_and(|format| format.has(Field::Host));
        // A name in the file's own says more than its lines.
        let vhost = host.or_else(|| first_name(&servers).filter(|_| !says_host));
        let shops: BTreeSet<_> = servers.iter().filter_map(|server| shop(server)).collect();
        let shops: Vec<_> = shops.into_iter().collect();
        let is_its = |stream: &Stream| {
            stream.files.len() < FILES
                && (&stream.format, &stream.vhost, &stream.shops) == (&log.format, &vhost, &shops)
        };
        let at = streams.iter().position(is_its).unwrap_or(streams.len());
        if at == streams.len() {
            let trouble = format.err().and_then(|error| error.lines().next().map(str::to_owned));
            streams.push(Stream { format: log.format.clone(), trouble, vhost, shops, ..Stream::default() });
        }
        let stream = &mut streams[at];
        stream.files.push(path);
        stream.is_partial |= log.is_partial();
        if says_host && stream.vhost.is_none() {
            for server in &servers {
                let Some(first) = plain_names(server).next() else { continue };
                let room = VHOSTS.saturating_sub(stream.vhosts.len());
                for name in plain_names(server).take(room) {
                    stream.vhosts.entry(name.to_owned()).or_insert_with(|| first.to_owned());
                }
            }
        }
        let errors = servers.iter().flat_map(|server| &server.errors).filter(|path| named.insert((at, path.as_str())));
        stream.errors.extend(errors.filter_map(|path| place.file(path)));
    }
    streams.sort_by_key(|stream| stream.shops.is_empty());
    // Each log of errors is followed once.
    let mut known = BTreeSet::new();
    for stream in &mut streams {
        stream.errors.retain(|path| known.insert(path.clone()));
    }
    streams
}

/// The files that hold every request once: of the logs that one level writes to, one.
fn files<'a>(read: &'a Configuration, place: &Place<'_>) -> Vec<File<'a>> {
    let sets = || read.servers.iter().flat_map(|server| server.logs.iter().map(move |set| (server, set)));
    // What is written nowhere else must be followed; where there is a choice, what is followed anyway is taken.
    let mut taken: BTreeSet<&str> =
        sets().filter_map(|(_, set)| if let [log] = &set[..] { Some(&*log.path) } else { None }).collect();
    let mut files: Vec<File<'a>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (server, set) in sets() {
        let text = |log: &AccessLog| read.formats.get(&log.format).map_or("", |format| &format.text);
        let says_time = |log: &AccessLog| ["request_time", "%D", "}T"].iter().any(|time| text(log).contains(time));
        let Some(log) = set.iter().min_by_key(|log| (!taken.contains(&*log.path), log.is_partial(), !says_time(log)))
        else {
            continue;
        };
        taken.insert(&log.path);
        if log.format != COMBINED && !read.formats.contains_key(&log.format) {
            continue;
        }
        for (path, host) in paths(log, server) {
            let Some(path) = place.file(&path) else { continue };
            match places.get(&path) {
                Some(at) if files[*at].servers.last().is_some_and(|last| std::ptr::eq(*last, server)) => {}
                Some(at) => files[*at].servers.push(server),
                None if files.len() < ALL_FILES => {
                    places.insert(path.clone(), files.len());
                    files.push(File { path, log, servers: vec![server], host });
                }
                None => {}
            }
        }
    }
    files
}

/// The files that a log comes to, with the host in the name of each: one for each of the server's names, if its name
/// holds the host, else the one.
fn paths(log: &AccessLog, server: &Server) -> Vec<(String, Option<String>)> {
    let with = |name: &&str| {
        let path = ["${server_name}", "$server_name", "${host}", "$host"]
            .iter()
            .fold(log.path.clone(), |path, variable| path.replace(variable, name));
        (path, Some((*name).to_owned()))
    };
    let is_of = |variables: [&str; 2]| variables.iter().any(|variable| log.path.contains(variable));
    let mut names = plain_names(server);
    if is_of(["$server_name", "${server_name}"]) {
        names.next().iter().map(with).collect()
    } else if is_of(["$host", "${host}"]) {
        names.take(NAMES).map(|name| with(&name)).collect()
    } else {
        vec![(log.path.clone(), None)]
    }
}

/// The names of a server that stand for one host.
fn plain_names(server: &Server) -> impl Iterator<Item = &str> {
    let is_plain = |name: &&str| {
        name.contains(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))
    };
    server.names.iter().map(String::as_str).filter(is_plain)
}

/// The first name of these servers, if they have the same one.
fn first_name(servers: &[&Server]) -> Option<String> {
    let mut firsts = servers.iter().map(|server| plain_names(server).next());
    let first = firsts.next()??;
    firsts.all(|other| other == Some(first)).then(|| first.to_owned())
}
