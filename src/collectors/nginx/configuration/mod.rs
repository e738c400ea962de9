//! nginx's configuration, for three questions: where is a `stub_status` page, who logs what where, and which files are the
//! keys of its certificates?
//!
//! Only listeners, names, locations, roots, logs and the names of these files are kept. Everything else, of which much is nobody's business, is
//! skipped.

mod logs;
mod server;
pub(in crate::collectors) mod token;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::glob;
use crate::machine::beginning;
pub(in crate::collectors) use logs::{AccessLog, LogFormat, is_plain};
use logs::{Level, log_format};
use server::Open;
pub(in crate::collectors) use server::{Server, replaced};
use token::{Token, token};

/// The largest file we read, the most of them, and the most of all together: `conf.d` of a hoster has one for each shop.
const FILE_BYTES: u64 = 1 << 20;
const FILES: usize = 2_000;
const BYTES: usize = 64 << 20;

/// The most patterns that are looked for: each may walk through many folders and find nothing.
const PATTERNS: usize = 2_000;

/// How many links are followed from one to the next.
const LINKS: usize = 8;

/// How deep files may include one another.
const DEPTH: usize = 10;

/// The most servers, formats and keys that are kept, and the most names, pages, variables and logs of a server's locations.
const SERVERS: usize = 2_000;
const FORMATS: usize = 200;
const KEYS: usize = 2_000;
const VALUES: usize = 100;

/// The most logs of locations in all.
const LOGS: usize = 10_000;

/// What a configuration says of what we watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::collectors) struct Configuration {
    /// The servers of `http`.
    pub(in crate::collectors) servers: Vec<Server>,
    /// The formats that it defines, by name.
    pub(in crate::collectors) formats: BTreeMap<String, LogFormat>,
    /// The private keys that it names, of `stream` and `mail`, too; relative to the main file's folder.
    pub(in crate::collectors) certificate_keys: Vec<String>,
}

/// What a configuration says; `None` when the file itself cannot be read.
pub(in crate::collectors) fn read(root: &Path, file: &Path) -> Option<Configuration> {
    let mut reader = Reader::new(root, file);
    reader.read_file(file, 0)?;
    Some(reader.finish())
}

/// The format that a `log_format` directive defines.
pub(in crate::collectors) fn format(directive: &str) -> Option<LogFormat> {
    let mut reader = Reader::new(Path::new(""), Path::new(""));
    // Files that it may name are not read.
    reader.read(directive, DEPTH);
    reader.formats.into_values().next()
}

/// What must hold for a configuration of any text, whose includes lead nowhere.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let nowhere = Path::new("/proc/nowhere");
    let mut reader = Reader::new(nowhere, nowhere);
    reader.read(&text, DEPTH - 1);
    assert_eq!(reader.files, 0);
    let found = reader.finish();
    assert!(found.servers.len() <= SERVERS && found.formats.len() <= FORMATS);
    for server in &found.servers {
        assert!(server.names.len().max(server.pages.len()).max(server.logs.len()) <= VALUES + 1);
        assert!(server.logs.iter().flatten().all(|log| log.path != "off" && !log.path.starts_with("syslog:")));
    }
    let mut rest = &*text;
    while let Some((_, behind)) = token(rest) {
        assert!(behind.len() < rest.len(), "a token has a length");
        rest = behind;
    }
}

/// A block that is open.
enum Block {
    Http,
    Server(Box<Open>),
    Location {
        /// `None` for one that is found by a pattern, whose page has no path we could name.
        path: Option<String>,
        level: Level,
    },
    /// `if` and the like: what is said there is said of the block around it.
    Within,
    /// What is not about requests, `stream` and `mail` with servers of their own among it.
    Other,
}

struct Reader<'a> {
    root: &'a Path,
    /// Where relative names begin: the main file's folder.
    folder: &'a Path,
    /// The file that is being read.
    file: PathBuf,
    files: usize,
    bytes: usize,
    patterns: usize,
    /// Logs of locations.
    logs: usize,
    blocks: Vec<Block>,
    main: Level,
    http: Level,
    servers: Vec<Open>,
    formats: BTreeMap<String, LogFormat>,
    certificate_keys: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(root: &'a Path, file: &'a Path) -> Self {
        Self {
            root,
            folder: file.parent().unwrap_or(Path::new("/")),
            file: PathBuf::new(),
            files: 0,
            bytes: 0,
            patterns: 0,
            logs: 0,
            blocks: Vec::new(),
            main: Level::default(),
            http: Level::default(),
            servers: Vec::new(),
            formats: BTreeMap::new(),
            certificate_keys: Vec::new(),
        }
    }

    /// Reads a file of the host.
    fn read_file(&mut self, file: &Path, depth: usize) -> Option<()> {
        if self.files == FILES || self.bytes >= BYTES || depth == DEPTH {
            return None;
        }
        self.files += 1;
        let text = beginning(&self.inside(file), FILE_BYTES).ok()?;
        self.bytes += text.len();
        let around = std::mem::replace(&mut self.file, file.to_owned());
        self.read(&text, depth);
        self.file = around;
        Some(())
    }

    /// Where a file of the host is, its links followed within the root: those of `sites-enabled` are absolute.
    fn inside(&self, file: &Path) -> PathBuf {
        let inside = |file: &Path| self.root.join(file.strip_prefix("/").unwrap_or(file));
        let mut file = file.to_owned();
        for _ in 0..LINKS {
            let Ok(target) = fs::read_link(inside(&file)) else { break };
            file = file.parent().unwrap_or(Path::new("/")).join(target);
        }
        inside(&file)
    }

    fn read(&mut self, text: &str, depth: usize) {
        let mut words = Vec::new();
        let mut rest = text;
        while let Some((token, behind)) = token(rest) {
            rest = behind;
            match token {
                Token::Word(word) => words.push(word),
                Token::End => self.directive(&std::mem::take(&mut words), depth),
                Token::Open => self.open(&std::mem::take(&mut words)),
                Token::Close => self.close(),
            }
        }
    }

    fn open(&mut self, words: &[String]) {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let location = |path: Option<&str>| Block::Location { path: path.map(str::to_owned), level: Level::default() };
        self.blocks.push(match words[..] {
            _ if matches!(self.blocks.last(), Some(Block::Other)) => Block::Other,
            ["http"] => Block::Http,
            ["server"] => Block::Server(Box::default()),
            ["location", "=" | "^~", path] => location(Some(path)),
            ["location", path] if path.starts_with('/') => location(Some(path)),
            ["location", ..] => location(None),
            ["if" | "limit_except", ..] => Block::Within,
            _ => Block::Other,
        });
    }

    fn close(&mut self) {
        match self.blocks.pop() {
            Some(Block::Server(open)) if self.servers.len() < SERVERS => self.servers.push(*open),
            Some(Block::Location { level, .. }) => {
                let own = level.own().filter(|logs| !logs.is_empty() && self.logs + logs.len() <= LOGS);
                self.logs += own.map_or(0, <[_]>::len);
                let Some(open) = self.server() else { return };
                if let Some(logs) = own
                    && open.server.logs.len() < VALUES
                {
                    open.server.logs.push(logs.to_vec());
                }
                open.location_root = open.location_root.take().or(level.root);
            }
            _ => {}
        }
    }

    fn directive(&mut self, words: &[String], depth: usize) {
        let Some((name, values)) = words.split_first() else { return };
        match (name.as_str(), values) {
            ("include", patterns) => patterns.iter().for_each(|pattern| self.include(pattern, depth)),
            ("stub_status", _) => self.page(),
            ("log_format", _) if self.formats.len() < FORMATS => self.formats.extend(log_format(values)),
            ("access_log", _) => {
                let file = self.file.clone();
                self.level().into_iter().for_each(|level| level.access_log(values, &file));
            }
            ("error_log", _) => self.level().into_iter().for_each(|level| level.error_log(values)),
            ("root", [folder]) if is_plain(values) => {
                self.level().into_iter().for_each(|level| level.root = Some(folder.clone()));
            }
            ("ssl_certificate_key", [key]) if self.certificate_keys.len() < KEYS => {
                self.certificate_keys.push(key.clone());
            }
            (name, _) => {
                let Some(open) = self.server() else { return };
                match (name, values) {
                    ("listen", _) => add(&mut open.server.listens, [values.to_vec()]),
                    ("server_name", _) => add(&mut open.server.names, values.to_vec()),
                    ("set", [variable, value]) => add(&mut open.variables, [(variable.clone(), value.clone())]),
                    _ => {}
                }
            }
        }
    }

    fn include(&mut self, pattern: &str, depth: usize) {
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
            self.read_file(&on_host.unwrap_or(file), depth + 1);
        }
    }

    /// A page of the server that is open.
    fn page(&mut self) {
        let location = self.blocks.iter().rev().find_map(|block| match block {
            Block::Location { path, .. } => Some(path.clone()),
            _ => None,
        });
        // In a server itself it answers for every path without a location.
        if let Some(path) = location.unwrap_or_else(|| Some("/stub_status".to_owned()))
            && let Some(open) = self.server()
        {
            add(&mut open.server.pages, [path]);
        }
    }

    /// The server that is open.
    fn server(&mut self) -> Option<&mut Open> {
        self.blocks.iter_mut().rev().find_map(|block| match block {
            Block::Server(open) => Some(&mut **open),
            _ => None,
        })
    }

    /// The level that a directive is said of; `None` in a block that has no logs of requests.
    fn level(&mut self) -> Option<&mut Level> {
        let around = self.blocks.iter_mut().rev().find(|block| !matches!(block, Block::Within));
        match around {
            None => Some(&mut self.main),
            Some(Block::Http) => Some(&mut self.http),
            Some(Block::Server(open)) => Some(&mut open.level),
            Some(Block::Location { level, .. }) => Some(level),
            Some(Block::Within | Block::Other) => None,
        }
    }

    /// Everything, when all is read: what stands in `http` holds for servers before it, too.
    fn finish(self) -> Configuration {
        let Self { main, http, servers, formats, certificate_keys, .. } = self;
        let servers = servers.into_iter().map(|open| open.finish(&http, &main)).collect();
        Configuration { servers, formats, certificate_keys }
    }
}

/// Keeps these, too, as long as they are not too many.
fn add<T>(kept: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    let room = VALUES.saturating_sub(kept.len());
    kept.extend(more.into_iter().take(room));
}

#[cfg(test)]
mod tests;
