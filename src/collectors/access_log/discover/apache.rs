//! Apache's configuration, for one question: which host logs what where?
//!
//! What it comes to is told as nginx' would be: servers, their logs, and formats by name. A section with a condition
//! (`<IfModule>`) counts as if it held.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::collectors::nginx::configuration::{AccessLog, Configuration, LogFormat, Server, is_plain, replaced};
use crate::glob;
use crate::machine::{Machine, beginning};

/// What its processes are called.
pub(super) const PROCESSES: &[&str] = &["apache2", "httpd"];

/// Where configurations are: of Debian and of Red Hat.
const USUAL: [&str; 2] = ["/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf"];

/// Where Debian says what variables stand for.
const VARIABLES: &str = "/etc/apache2/envvars";

/// What stands for Apache's own way to escape what it writes.
pub(super) const ESCAPE: &str = "apache";

/// The largest file that is read, the most of them, the most of all together, and how deep they may include one another.
const FILE_BYTES: u64 = 1 << 20;
const FILES: usize = 2_000;
const BYTES: usize = 64 << 20;
const DEPTH: usize = 10;

/// The most hosts, and the most of anything of one.
const SERVERS: usize = 2_000;
const VALUES: usize = 100;

/// The most logs of one host.
const LOGS: usize = 16;

/// The most patterns that are looked for: each may walk through many folders and find nothing.
const PATTERNS: usize = 2_000;

/// The main file of the Apache that runs here, or may where processes are hidden, if it is root's.
pub(super) fn file(machine: &Machine) -> Option<PathBuf> {
    if machine.processes(PROCESSES).next().is_none() && !machine.hides_processes {
        return None;
    }
    USUAL.iter().map(PathBuf::from).find(|file| machine.is_roots(file))
}

/// What a configuration says; `None` when the file itself cannot be read.
pub(super) fn read(root: &Path, file: &Path) -> Option<Configuration> {
    let mut reader = Reader::new(root, file);
    reader.variables(&beginning(&reader.inside(Path::new(VARIABLES)), FILE_BYTES).unwrap_or_default());
    reader.file(file, 0)?;
    Some(reader.finish())
}

struct Reader<'a> {
    root: &'a Path,
    /// `ServerRoot`: where relative names begin.
    folder: PathBuf,
    variables: BTreeMap<String, String>,
    files: usize,
    bytes: usize,
    patterns: usize,
    main: Server,
    open: Option<Server>,
    servers: Vec<Server>,
    formats: BTreeMap<String, LogFormat>,
}

impl<'a> Reader<'a> {
    fn new(root: &'a Path, file: &Path) -> Self {
        Self {
            root,
            folder: file.parent().unwrap_or(Path::new("/")).to_owned(),
            variables: BTreeMap::new(),
            files: 0,
            bytes: 0,
            patterns: 0,
            main: Server::default(),
            open: None,
            servers: Vec::new(),
            formats: BTreeMap::new(),
        }
    }

    fn inside(&self, file: &Path) -> PathBuf {
        self.root.join(file.strip_prefix("/").unwrap_or(file))
    }

    /// Takes `export NAME=value` of a shell's file; what it computes is left out.
    fn variables(&mut self, text: &str) {
        for line in text.lines() {
            let Some((name, value)) = line.trim().strip_prefix("export ").and_then(|line| line.split_once('=')) else {
                continue;
            };
            // Debian's name of an instance, which the usual one has not.
            let value = value.replace("$SUFFIX", "");
            if self.variables.len() < VALUES && !value.contains('$') {
                self.variables.insert(name.to_owned(), value);
            }
        }
    }

    fn file(&mut self, file: &Path, depth: usize) -> Option<()> {
        if self.files == FILES || self.bytes >= BYTES || depth == DEPTH {
            return None;
        }
        self.files += 1;
        let text = beginning(&self.inside(file), FILE_BYTES).ok()?.replace("\\\n", " ");
        self.bytes += text.len();
        for line in text.lines() {
            let words = words(line);
            if let Some((name, values)) = words.split_first() {
                let values: Vec<_> = values.iter().map(|value| self.plain(value)).collect();
                self.directive(&name.to_ascii_lowercase(), &values, file, depth);
            }
        }
        Some(())
    }

    /// A value with what its variables stand for.
    fn plain(&self, value: &str) -> String {
        let value = value.to_owned();
        if !value.contains("${") {
            return value;
        }
        // What variables stand for holds none itself.
        self.variables.iter().fold(value, |value, (name, meaning)| replaced(value, &format!("${{{name}}}"), meaning))
    }

    fn directive(&mut self, name: &str, values: &[String], file: &Path, depth: usize) {
        let server = self.open.as_mut().unwrap_or(&mut self.main);
        match (name, values) {
            ("include" | "includeoptional", [pattern, ..]) => {
                if glob::is_pattern(pattern) {
                    if self.patterns == PATTERNS {
                        return;
                    }
                    self.patterns += 1;
                }
                let pattern = self.folder.join(pattern);
                for file in glob::expand(self.root, &pattern.to_string_lossy()) {
                    let on_host = file.strip_prefix(self.root).map(|file| Path::new("/").join(file));
                    // What cannot be read tells us nothing, either.
                    self.file(&on_host.unwrap_or(file), depth + 1);
                }
            }
            ("<virtualhost", _) => self.open = Some(Server::default()),
            ("</virtualhost>", _) => {
                let closed = self.open.take();
                self.servers.extend(closed.filter(|_| self.servers.len() < SERVERS));
            }
            ("define", [name, value]) if self.variables.len() < VALUES && !value.contains("${") && is_plain(values) => {
                self.variables.insert(name.clone(), value.clone());
            }
            ("serverroot", [folder]) if is_plain(values) => self.folder = folder.into(),
            ("logformat", [text, name]) if self.formats.len() < VALUES && is_plain(values) => {
                self.formats.insert(name.clone(), format(text));
            }
            ("customlog", [path, name, options @ ..]) if is_plain(values) => {
                // A text instead of a name is its own.
                if name.contains('%') {
                    self.formats.insert(name.clone(), format(name));
                }
                let is_file = !path.starts_with('|') && !path.starts_with("syslog:");
                let options = options.iter().map(|option| format!("if={option}")).collect();
                let said_in = Some(file.to_owned());
                let log = AccessLog { path: path.clone(), format: name.clone(), options, said_in };
                // Each request is written to all logs of a host: one set.
                match &mut server.logs[..] {
                    [set, ..] if is_file && set.len() < LOGS => set.push(log),
                    [] => server.logs.push(if is_file { vec![log] } else { Vec::new() }),
                    _ => {}
                }
            }
            ("servername", [name, ..]) if server.names.len() < VALUES => server.names.insert(0, host(name)),
            ("serveralias", names) => {
                let room = VALUES.saturating_sub(server.names.len());
                server.names.extend(names.iter().take(room).cloned());
            }
            ("documentroot", [folder]) if is_plain(values) => server.root = Some(folder.clone()),
            _ => {}
        }
    }

    /// Everything: hosts log where the server around them does, unless they say otherwise, and it is one itself.
    fn finish(self) -> Configuration {
        let Self { main, mut servers, formats, folder, .. } = self;
        for server in &mut servers {
            if server.logs.is_empty() {
                server.logs.clone_from(&main.logs);
            }
        }
        servers.push(main);
        for server in &mut servers {
            server.logs.retain(|set| !set.is_empty());
            for log in server.logs.iter_mut().flatten() {
                log.path = folder.join(&log.path).to_string_lossy().into_owned();
            }
        }
        Configuration { servers, formats, ..Configuration::default() }
    }
}

fn format(text: &str) -> LogFormat {
    LogFormat { escape: ESCAPE.to_owned(), text: text.to_owned() }
}

/// The host of `ServerName`, which may have a scheme and a port.
fn host(name: &str) -> String {
    let name = name.split_once("://").map_or(name, |(_, name)| name);
    name.split(':').next().unwrap_or(name).to_owned()
}

/// The words of a line (`ap_getword_conf`): in quotes `\` keeps a quotation mark and itself.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    if rest.starts_with('#') {
        return words;
    }
    while let Some(first) = rest.chars().next() {
        let quote = Some(first).filter(|first| ['"', '\''].contains(first));
        let mut word = String::new();
        let mut characters = rest.char_indices().skip(usize::from(quote.is_some())).peekable();
        let mut end = rest.len();
        while let Some((at, character)) = characters.next() {
            match (quote, character) {
                (Some(quote), '\\') if characters.peek().is_some_and(|(_, next)| *next == quote || *next == '\\') => {
                    word.extend(characters.next().map(|(_, next)| next));
                }
                (Some(quote), _) if character == quote => {
                    end = at + 1;
                    break;
                }
                (None, _) if character.is_whitespace() => {
                    end = at;
                    break;
                }
                _ => word.push(character),
            }
        }
        words.push(word);
        rest = rest[end..].trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_read_as_apache_does() {
        for (line, expected) in [
            (r#"LogFormat "%h \"%r\" \t%>s" brief"#, &["LogFormat", r#"%h "%r" \t%>s"#, "brief"][..]),
            ("  ServerAlias a  b\tc ", &["ServerAlias", "a", "b", "c"]),
            ("CustomLog '/l/a b.log' x", &["CustomLog", "/l/a b.log", "x"]),
            ("# LogFormat", &[]),
            ("\"", &[""]),
            ("", &[]),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }

    #[test]
    fn what_a_stranger_may_include_does_not_grow_beyond_what_he_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let log = "CustomLog /l/a combined\n".repeat(100);
        let hosts = "<VirtualHost *>\nServerAlias ${a}${a}${a} b\n</VirtualHost>\n".repeat(10);
        let text = format!("Define a {}\n{log}{hosts}", "a".repeat(1_000));
        std::fs::write(folder.path().join("a.conf"), text).unwrap();
        let found = read(folder.path(), Path::new("/a.conf")).unwrap();
        assert!(found.servers.iter().all(|server| server.logs[0].len() == LOGS));
        assert_eq!(found.servers[0].names, ["${a}${a}${a}", "b"], "too long when it is put together");
    }

    #[test]
    fn names_have_neither_scheme_nor_port() {
        for name in ["shop.example", "shop.example:443", "https://shop.example:443"] {
            assert_eq!(host(name), "shop.example");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-zA-Z<>/\"'\\\\ $%{}\n]{0,120}", any: String) {
            for text in [text, any] {
                let folder = tempfile::tempdir().unwrap();
                std::fs::write(folder.path().join("a.conf"), &text).unwrap();
                prop_assert!(read(folder.path(), Path::new("/a.conf")).is_some());
            }
        }
    }
}
