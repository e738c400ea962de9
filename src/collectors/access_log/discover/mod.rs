//! The access logs of the nginx or Apache that runs here, from its configuration.
//!
//! One target follows all logs of one format whose lines are about the same virtual host, or say themselves which one
//! they are about.

mod apache;
mod shop;
mod stream;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::format::{Field, Format};
use crate::collectors::nginx::configuration::{self, Configuration, LogFormat};
use crate::collectors::nginx::discover::{Master, configurations};
use crate::machine::{Discovery, Machine, Sighting, quoted};
use stream::{COMBINED, Stream, streams};

/// How access logs are found.
pub const DISCOVERY: Discovery = Discovery {
    topic: "access_log",
    title: "Access logs",
    processes: &["nginx", "openresty", "angie", "apache2", "httpd"],
    example: "files = [\"/var/log/nginx/access.log\"]\n",
    look,
};

/// What the recommended format is called.
pub(super) const RECOMMENDED: &str = "combined_timed";

/// Formats of Apache's that have a name here, however they count bytes.
const APACHE: [(&str, &str); 2] = [
    ("combined", r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#),
    ("vhost_combined", r#"%v:%p %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#),
];

/// How many of something are named; of the others only the number is said.
const NAMED: usize = 3;

fn look(machine: &Machine) -> Vec<Sighting> {
    let of_nginx = configurations(machine).into_iter().flat_map(|master| {
        let place = Place { machine, prefixes: prefixes(&master) };
        logs("nginx", configuration::read(&machine.root, &master.file), &place)
    });
    let of_apache = apache::file(machine).into_iter().flat_map(|file| {
        let place = Place { machine, prefixes: Vec::new() };
        logs("Apache", apache::read(&machine.root, &file), &place)
    });
    of_nginx.chain(of_apache).collect()
}

/// The logs that a configuration names.
fn logs(who: &str, read: Option<Configuration>, place: &Place<'_>) -> Vec<Sighting> {
    let Some(read) = read else { return Vec::new() };
    streams(&read, place).iter().map(|stream| sighting(who, stream, &read)).collect()
}

/// Where the files of one server are.
struct Place<'a> {
    machine: &'a Machine,
    /// Where relative names may begin: what nginx was built with is not to be seen from outside.
    prefixes: Vec<PathBuf>,
}

/// The folders that relative names may begin at, the likeliest first.
fn prefixes(master: &Master) -> Vec<PathBuf> {
    let folder = master.file.parent().unwrap_or(Path::new("/"));
    let above = folder.parent().filter(|_| folder.ends_with("conf")).unwrap_or(folder);
    let built = ["/usr/share/nginx", "/var/log/nginx"].map(PathBuf::from);
    master.prefix.iter().cloned().chain([above.to_owned()]).chain(built).collect()
}

impl Place<'_> {
    /// The file of the host that nginx writes to by this name; `None` when it cannot be told, or is no plain file.
    fn file(&self, path: &str) -> Option<String> {
        if path.contains(['$', '*', '?', '[']) || path.contains(char::is_control) {
            return None;
        }
        let path = Path::new(path);
        let is_there = |path: &PathBuf| self.machine.inside(path).exists();
        let found = if path.is_absolute() {
            path.to_owned()
        } else {
            // `logs/access.log` is `/var/log/nginx/access.log` where packages build nginx.
            let name = path.file_name().map_or(path, Path::new);
            let candidates = self.prefixes.iter().flat_map(|prefix| [prefix.join(path), prefix.join(name)]);
            candidates.into_iter().find(is_there)?
        };
        found.to_str().map(str::to_owned)
    }

    /// What a configuration calls the shop in this folder.
    fn shop(&self, folder: &str) -> Option<&'static str> {
        shop::guess(&self.machine.root, folder)
    }
}

fn sighting(who: &str, stream: &Stream, read: &Configuration) -> Sighting {
    let Stream { files, format, .. } = stream;
    let partly = if stream.is_partial { ", which a condition leaves requests out of" } else { "" };
    let unknown = match &stream.trouble {
        Some(trouble) => format!(", which Vitrin does not understand: {trouble}"),
        None => String::new(),
    };
    let shop = match stream.shops[..] {
        [shop] => format!("; the files that it serves are those of {shop}"),
        _ => String::new(),
    };
    let seen = format!("{who} logs to {} in the format {format}{unknown}{partly}{shop}", named(files));
    let place = files.first().cloned().unwrap_or_default();
    Sighting { name: stream.name(), place, seen, ways: vec![table(stream, read)] }
}

/// Some of many, in words.
fn named(all: &[String]) -> String {
    match all.len().checked_sub(NAMED) {
        None | Some(0) => all.join(", "),
        Some(more) => format!("{} and {more} more", all[..NAMED].join(", ")),
    }
}

/// What stands in the target's table.
fn table<'a>(stream: &'a Stream, read: &Configuration) -> String {
    let text = |key: &str, value: &str| format!("{key} = {}\n", quoted(value));
    let list = |key: &str, values: &[&str]| {
        let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
        if values.is_empty() { String::new() } else { format!("{key} = [{}]\n", values.join(", ")) }
    };
    let strings = |values: &'a [String]| values.iter().map(String::as_str).collect::<Vec<_>>();
    // A format that is not understood is left for a person to write, and the log is up in part.
    let known = read.formats.get(&stream.format).filter(|_| stream.trouble.is_none());
    let format = known.map(written).filter(|format| format != COMBINED).map(|format| text("format", &format));
    [
        list("files", &strings(&stream.files)),
        list("error_files", &strings(&stream.errors)),
        format.unwrap_or_default(),
        stream.vhost.as_ref().map(|vhost| text("vhost", vhost)).unwrap_or_default(),
        vhosts(&stream.vhosts),
        if let [shop] = stream.shops[..] { text("shop", shop) } else { list("shop", &stream.shops) },
    ]
    .concat()
}

/// The virtual hosts that are told apart: a list, or a table where a host has several names.
fn vhosts(hosts: &BTreeMap<String, String>) -> String {
    if hosts.is_empty() {
        return String::new();
    }
    let texts = |one: fn((&String, &String)) -> String| hosts.iter().map(one).collect::<Vec<_>>().join(", ");
    if hosts.iter().all(|(name, label)| name == label) {
        return format!("vhosts = [{}]\n", texts(|(name, _)| quoted(name)));
    }
    format!("vhosts = {{ {} }}\n", texts(|(name, label)| format!("{} = {}", quoted(name), quoted(label))))
}

/// A format as a configuration has it: the name of the recommended one, else its text, with quotation marks where the
/// text alone would be read otherwise.
fn written(format: &LogFormat) -> String {
    if configuration::format(Format::RECOMMENDED).as_ref() == Some(format) {
        return RECOMMENDED.to_owned();
    }
    let LogFormat { escape, text } = format;
    if escape == apache::ESCAPE {
        let named = APACHE.iter().find(|(_, known)| text.replace("%O", "%b") == *known);
        let quoted = || format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
        return match named {
            Some((name, _)) => (*name).to_owned(),
            None if text.starts_with('"') => quoted(),
            None => text.clone(),
        };
    }
    let is_plain = escape == "default" && text.trim() == text && !text.starts_with(['\'', '"']);
    if is_plain {
        return text.clone();
    }
    let escape = if escape == "default" { String::new() } else { format!("escape={escape} ") };
    format!("{escape}'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests;
