//! nginx's configuration, for one question: where is a `stub_status` page?
//!
//! Only listeners, names and locations are kept. Everything else, of which much is nobody's business, is skipped.

use std::path::Path;

use crate::glob;
use crate::machine::beginning;

/// The largest file we read, and the most of them: `conf.d` of a hoster has one for each shop.
const FILE_BYTES: u64 = 1 << 20;
const FILES: usize = 2_000;

/// How deep files may include one another.
const DEPTH: usize = 10;

/// The most servers with such a page that are kept.
const SERVERS: usize = 64;

/// A `server` with a `stub_status` page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Server {
    /// What follows each `listen`; where there is none, it is port 80 on all addresses.
    pub(super) listens: Vec<Vec<String>>,
    /// What follows `server_name`.
    pub(super) names: Vec<String>,
    /// The paths of the pages.
    pub(super) pages: Vec<String>,
}

/// The servers with such a page in a configuration; `None` when the file itself cannot be read.
pub(super) fn servers(root: &Path, file: &Path) -> Option<Vec<Server>> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut reader = Reader { root, folder, files: 0, blocks: Vec::new(), found: Vec::new() };
    reader.read_file(&root.join(file.strip_prefix("/").unwrap_or(file)), 0)?;
    Some(reader.found)
}

/// What must hold for a configuration of any text, whose includes lead nowhere.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let nowhere = Path::new("/proc/nowhere");
    let mut reader = Reader { root: nowhere, folder: nowhere, files: 0, blocks: Vec::new(), found: Vec::new() };
    reader.read(&text, DEPTH - 1);
    assert!(reader.found.len() <= SERVERS && reader.files == 0);
    assert!(reader.found.iter().all(|server| !server.pages.is_empty()));
    let mut rest = &*text;
    while let Some((_, behind)) = token(rest) {
        assert!(behind.len() < rest.len(), "a token has a length");
        rest = behind;
    }
}

/// A block that is open.
enum Block {
    Server(Server),
    /// Its path; `None` for one that is found by a pattern, whose page has no path we could name.
    Location(Option<String>),
    Other,
}

struct Reader<'a> {
    root: &'a Path,
    /// Where relative names begin: the main file's folder.
    folder: &'a Path,
    files: usize,
    blocks: Vec<Block>,
    found: Vec<Server>,
}

impl Reader<'_> {
    fn read_file(&mut self, file: &Path, depth: usize) -> Option<()> {
        if self.files == FILES || depth == DEPTH {
            return None;
        }
        self.files += 1;
        self.read(&beginning(file, FILE_BYTES).ok()?, depth);
        Some(())
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
        self.blocks.push(match words[..] {
            ["server"] => Block::Server(Server::default()),
            ["location", "=" | "^~", path] => Block::Location(Some(path.to_owned())),
            ["location", path] if path.starts_with('/') => Block::Location(Some(path.to_owned())),
            ["location", ..] => Block::Location(None),
            _ => Block::Other,
        });
    }

    fn close(&mut self) {
        if let Some(Block::Server(server)) = self.blocks.pop()
            && !server.pages.is_empty()
            && self.found.len() < SERVERS
        {
            self.found.push(server);
        }
    }

    fn directive(&mut self, words: &[String], depth: usize) {
        let Some((name, values)) = words.split_first() else { return };
        match name.as_str() {
            "include" => {
                for pattern in values {
                    let pattern = self.folder.join(pattern);
                    for file in glob::expand(self.root, &pattern.to_string_lossy()) {
                        // What cannot be read has no page for us, either.
                        self.read_file(&file, depth + 1);
                    }
                }
            }
            "stub_status" => {
                let location = self.blocks.iter().rev().find_map(|block| match block {
                    Block::Location(path) => Some(path.clone()),
                    _ => None,
                });
                // In a server itself it answers for every path without a location.
                if let Some(path) = location.unwrap_or_else(|| Some("/stub_status".to_owned()))
                    && let Some(server) = self.server()
                {
                    server.pages.push(path);
                }
            }
            "listen" => self.server().into_iter().for_each(|server| server.listens.push(values.to_vec())),
            "server_name" => self.server().into_iter().for_each(|server| server.names.extend_from_slice(values)),
            _ => {}
        }
    }

    /// The server that is open.
    fn server(&mut self) -> Option<&mut Server> {
        self.blocks.iter_mut().rev().find_map(|block| match block {
            Block::Server(server) => Some(server),
            _ => None,
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    End,
    Open,
    Close,
}

/// The next token, and what is behind it (`ngx_conf_read_token`).
fn token(text: &str) -> Option<(Token, &str)> {
    let mut text = text.trim_start();
    while text.starts_with('#') {
        text = text.split_once('\n')?.1.trim_start();
    }
    let single = match text.chars().next()? {
        ';' => Some(Token::End),
        '{' => Some(Token::Open),
        '}' => Some(Token::Close),
        _ => None,
    };
    if let Some(token) = single {
        return Some((token, &text[1..]));
    }
    let quote = text.chars().next().filter(|first| ['"', '\''].contains(first));
    let mut word = String::new();
    let mut characters = text.char_indices().skip(usize::from(quote.is_some())).peekable();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (_, '\\') => word.extend(characters.next().map(|(_, escaped)| escaped)),
            (Some(quote), _) if character == quote => return Some((Token::Word(word), &text[at + 1..])),
            // A variable's name may stand in braces.
            (None, '$') if characters.peek().is_some_and(|(_, next)| *next == '{') => {
                word.push(character);
                for (_, part) in characters.by_ref() {
                    word.push(part);
                    if part == '}' {
                        break;
                    }
                }
            }
            (None, ';' | '{' | '}') => return Some((Token::Word(word), &text[at..])),
            (None, _) if character.is_whitespace() => return Some((Token::Word(word), &text[at..])),
            _ => word.push(character),
        }
    }
    Some((Token::Word(word), ""))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn found(files: &[(&str, &str)]) -> Option<Vec<Server>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        servers(folder.path(), Path::new("/etc/nginx/nginx.conf"))
    }

    #[test]
    fn a_page_is_found_with_its_server_through_includes() {
        let found = found(&[
            ("etc/nginx/nginx.conf", "events {}\nhttp {\n include conf.d/*.conf; # stub_status;\n include /srv/a;\n}\n"),
            ("etc/nginx/conf.d/shop.conf", "server { listen 443 ssl; server_name shop.example; location / { } }"),
            (
                "etc/nginx/conf.d/status.conf",
                "server {\n location = '/nginx status' { deny all; }\n location = /stub_status { stub_status; }\n\
                 location ~ ^/s { stub_status on; }\n server_name localhost a;\n listen 127.0.0.1:8080 default_server;\n}",
            ),
            ("srv/a", "server { location /x { if ($a = \"}\") { set ${b} 1; } location /x/y { stub_status; } } }"),
        ])
        .unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].listens, [["127.0.0.1:8080", "default_server"]]);
        assert_eq!(
            (&found[0].names[..], &found[0].pages[..]),
            (&["localhost".into(), "a".into()][..], &["/stub_status".into()][..])
        );
        assert_eq!((&found[1].listens[..], &found[1].pages[..]), (&[][..], &["/x/y".to_owned()][..]));
    }

    #[test]
    fn debians_configuration_has_no_page() {
        let text = include_str!("../../../tests/fixtures/nginx/nginx-1.22-debian-nginx.conf");
        assert_eq!(found(&[("etc/nginx/nginx.conf", text)]), Some(Vec::new()));
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn files_that_include_one_another_end() {
        assert_eq!(found(&[("etc/nginx/nginx.conf", "include nginx.conf; include nginx.conf;")]), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z{};#\"'\\\\$ \n]{0,80}", any: String) {
            for text in [text, any] {
                let mut rest = text.as_str();
                while let Some((_, behind)) = token(rest) {
                    prop_assert!(behind.len() < rest.len());
                    rest = behind;
                }
            }
        }
    }
}
