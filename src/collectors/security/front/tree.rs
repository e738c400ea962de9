//! nginx' configuration as a tree: every directive with its values, its block, and where it stands.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{Files, unread};
use crate::collectors::nginx::configuration::token::{Token, token};
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::glob;

/// The largest file that is read, the most of them, and the most of all together.
const FILE_BYTES: u64 = 1 << 20;
const FILES: usize = 2_000;
const BYTES: usize = 16 << 20;

/// The most patterns of `include` that are looked for.
const PATTERNS: usize = 2_000;

/// How deep files may include one another, and blocks stand within blocks.
const DEPTH: usize = 10;
const BLOCKS: usize = 24;

/// The file and the line where something is said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The file, on the host.
    pub(crate) file: Arc<str>,
    /// Its line, from 1.
    pub(crate) line: u32,
}

impl Default for Place {
    fn default() -> Self {
        Self { file: Arc::from(""), line: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) values: Vec<String>,
    /// What stands in its braces, where it has some.
    pub(super) block: Option<Vec<Self>>,
    pub(super) place: Place,
    /// Of an `include`: why nobody knows what stands there. Others are replaced by what they include.
    pub(super) unread: Option<Unknown>,
}

impl Directive {
    /// Its first value.
    pub(super) fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    /// What stands in its braces.
    pub(super) fn inner(&self) -> &[Self] {
        self.block.as_deref().unwrap_or_default()
    }
}

/// Why it is not known what is said here, where an `include` could not be read.
pub(super) fn unknown(directives: &[Directive]) -> Option<&Unknown> {
    directives.iter().find_map(|directive| directive.unread.as_ref())
}

/// Reads a configuration from its main file.
pub(super) fn read(files: &Files, main: &Path) -> Known<Vec<Directive>> {
    let folder = main.parent().unwrap_or(Path::new("/")).to_owned();
    let mut reader = Reader { host: files, folder, files: 0, bytes: 0, patterns: 0 };
    reader.file(main, 0)
}

/// The tree of a text whose includes lead nowhere.
#[cfg(any(test, fuzzing))]
pub(super) fn parse(text: &str) -> Vec<Directive> {
    let files = Files::new(Path::new("/proc/nowhere"));
    let mut reader = Reader { host: &files, folder: "/".into(), files: 0, bytes: 0, patterns: 0 };
    reader.text(text, &Arc::from("nginx.conf"), 0)
}

struct Reader<'a> {
    host: &'a Files,
    /// Where relative names begin: the main file's folder.
    folder: PathBuf,
    files: usize,
    bytes: usize,
    patterns: usize,
}

/// A text that is being read.
struct Text<'a> {
    rest: &'a str,
    file: &'a Arc<str>,
    line: u32,
    depth: usize,
}

impl Text<'_> {
    fn token(&mut self) -> Option<Token> {
        let (token, behind) = token(self.rest)?;
        self.skip(self.rest.len() - behind.len());
        Some(token)
    }

    fn skip(&mut self, bytes: usize) {
        let lines = self.rest[..bytes].bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = &self.rest[bytes..];
    }

    /// Leaves the rest of a block of another language, whose braces are counted alone.
    fn skip_block(&mut self) {
        let mut open = 1_usize;
        let end = self.rest.bytes().position(|byte| {
            open = match byte {
                b'{' => open + 1,
                b'}' => open - 1,
                _ => open,
            };
            open == 0
        });
        self.skip(end.map_or(self.rest.len(), |end| end + 1));
    }
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> Known<Vec<Directive>> {
        if self.files == FILES || self.bytes >= BYTES || depth == DEPTH {
            let why = format!("{} is one file too many of nginx' configuration", path.display());
            return Err(Unknown::new(Cause::Unsupported, why));
        }
        self.files += 1;
        let text = self.host.text(path, FILE_BYTES)?;
        self.bytes += text.len();
        Ok(self.text(&text, &Arc::from(path.to_string_lossy()), depth))
    }

    fn text(&mut self, text: &str, file: &Arc<str>, depth: usize) -> Vec<Directive> {
        let mut text = Text { rest: text, file, line: 1, depth };
        self.block(&mut text, 0)
    }

    /// What stands up to the end of a block, or of the text.
    fn block(&mut self, text: &mut Text<'_>, blocks: usize) -> Vec<Directive> {
        let mut found = Vec::new();
        let mut words = Vec::new();
        let mut line = text.line;
        while let Some(token) = text.token() {
            match token {
                Token::Word(word) => {
                    if words.is_empty() {
                        line = text.line;
                    }
                    words.push(word);
                }
                Token::Close => break,
                Token::End if words.first().is_some_and(|name| name == "include") => {
                    for pattern in &std::mem::take(&mut words)[1..] {
                        self.include(pattern, text, line, &mut found);
                    }
                }
                Token::End | Token::Open if words.is_empty() => {
                    if token == Token::Open {
                        text.skip_block();
                    }
                }
                Token::End | Token::Open => {
                    let name = words.remove(0);
                    let values = std::mem::take(&mut words);
                    let block = (token == Token::Open).then(|| {
                        if name.ends_with("_by_lua_block") || blocks == BLOCKS {
                            text.skip_block();
                            Vec::new()
                        } else {
                            self.block(text, blocks + 1)
                        }
                    });
                    let place = Place { file: Arc::clone(text.file), line };
                    found.push(Directive { name, values, block, place, unread: None });
                }
            }
        }
        found
    }

    fn include(&mut self, pattern: &str, text: &Text<'_>, line: u32, found: &mut Vec<Directive>) {
        let path = self.folder.join(pattern);
        let mut unread_here = |unknown| {
            found.push(Directive {
                name: "include".to_owned(),
                values: vec![pattern.to_owned()],
                block: None,
                place: Place { file: Arc::clone(text.file), line },
                unread: Some(unknown),
            });
        };
        if !glob::is_pattern(pattern) {
            match self.file(&path, text.depth + 1) {
                Ok(more) => found.extend(more),
                Err(unknown) => unread_here(unknown),
            }
            return;
        }
        if self.patterns == PATTERNS {
            let why = format!("`include {pattern}` is one pattern too many of nginx' configuration");
            return unread_here(Unknown::new(Cause::Unsupported, why));
        }
        self.patterns += 1;
        let mut closed = None;
        let pattern = path.to_string_lossy().into_owned();
        let paths = glob::candidates(self.host.root(), &pattern, &mut |folder, error| {
            if error.kind() == io::ErrorKind::PermissionDenied {
                closed = Some(unread(folder, &error));
            }
        });
        if let Some(unknown) = closed {
            unread_here(unknown);
        }
        for path in paths {
            if path.symlink_metadata().is_err() {
                continue;
            }
            let on_host = path.strip_prefix(self.host.root()).map(|path| Path::new("/").join(path)).unwrap_or(path);
            match self.file(&on_host, text.depth + 1) {
                Ok(more) => found.extend(more),
                Err(unknown) => found.push(Directive {
                    name: "include".to_owned(),
                    values: vec![on_host.to_string_lossy().into_owned()],
                    block: None,
                    place: Place { file: Arc::clone(text.file), line },
                    unread: Some(unknown),
                }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_directive_knows_its_line() {
        let found =
            parse("http {\n  # a comment {\n  server {\n    listen 80;\n    if ($a = \"x\") { return 404; }\n  }\n}\n");
        let [http] = &found[..] else { panic!("{found:?}") };
        let [server] = http.inner() else { panic!("{http:?}") };
        assert_eq!((http.place.line, server.place.line), (1, 3));
        assert_eq!(server.inner()[0].place.to_string(), "nginx.conf:4");
        assert_eq!(server.inner()[1].values, ["($a", "=", "x", ")"]);
        assert_eq!(server.inner()[1].inner()[0].values, ["404"]);
    }

    #[test]
    fn a_block_of_lua_is_skipped_as_a_whole() {
        let found = parse("content_by_lua_block { local a = { b = 1 }; ngx.say(';') } root /srv;");
        assert_eq!(
            found.iter().map(|directive| directive.name.as_str()).collect::<Vec<_>>(),
            ["content_by_lua_block", "root"]
        );
        assert_eq!(found[0].inner(), []);
    }

    #[test]
    fn what_cannot_be_included_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("nginx.conf"), "include a.conf; include none.conf; include none*.conf; a;")
            .unwrap();
        std::fs::write(folder.path().join("a.conf"), "include nginx.conf;").unwrap();
        let found = read(&Files::new(folder.path()), Path::new("/nginx.conf")).unwrap();
        assert_eq!(unknown(&found).unwrap().why, "/nginx.conf is one file too many of nginx' configuration");
        assert_eq!(found.iter().filter(|directive| directive.name == "a").count(), DEPTH / 2);
        assert!(found.iter().any(|directive| directive.value() == "none.conf"));
        assert!(!found.iter().any(|directive| directive.value() == "none*.conf"), "a pattern may stand for nothing");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z{};#\"'\\\\$ \n]{0,120}", any: String) {
            parse(&text);
            parse(&any);
        }
    }
}
