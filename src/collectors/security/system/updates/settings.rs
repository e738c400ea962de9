//! apt's settings, as `apt-config dump` has them, from `/etc/apt/apt.conf.d` and `/etc/apt/apt.conf`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::super::super::verdict::{Cause, Known, Unknown};
use crate::machine::beginning;

/// The largest file, the most of them, and the most settings that are read.
const FILE_BYTES: u64 = 256 << 10;
const FILES: usize = 500;
const SETTINGS: usize = 20_000;

/// How deep blocks may stand in one another.
const DEPTH: usize = 20;

/// Settings by their whole names, in lower case: `apt::periodic::unattended-upgrade`. Those of a list have several values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Settings {
    scalars: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<String>>,
}

impl Settings {
    /// The settings below a root; `None` where there is no apt.
    pub(super) fn read(root: &Path) -> Known<Option<Self>> {
        let folder = root.join("etc/apt/apt.conf.d");
        let failed = |path: &Path, error: &std::io::Error| {
            let cause =
                if error.kind() == ErrorKind::PermissionDenied { Cause::Permission } else { Cause::Unsupported };
            Unknown::new(cause, format!("reading {}: {error}", path.display()))
        };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&folder, &error)),
        };
        let mut names: Vec<_> = entries
            .take(FILES)
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| is_read(name))
            .collect();
        names.sort();
        let mut settings = Self::default();
        for file in names.iter().map(|name| folder.join(name)).chain([root.join("etc/apt/apt.conf")]) {
            match beginning(&file, FILE_BYTES) {
                Ok(text) => settings.add(&text),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&file, &error)),
            }
        }
        Ok(Some(settings))
    }

    /// The value of a setting.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.scalars.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// The values of a list.
    pub(super) fn list(&self, name: &str) -> &[String] {
        self.lists.get(&name.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// Adds what a file says.
    pub(in super::super) fn add(&mut self, text: &str) {
        let mut around: Vec<String> = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut rest = text;
        while let Some((token, behind)) = token(rest) {
            rest = behind;
            match token {
                Token::Word(word) => words.push(word),
                Token::End => self.statement(around.last(), &std::mem::take(&mut words)),
                Token::Open => {
                    // A block may have a value of its own: `A "1" { B "2"; };`
                    if words.len() > 1 {
                        self.statement(around.last(), &words);
                    }
                    let name = words.first().map_or_else(String::new, |name| whole(around.last(), name));
                    words.clear();
                    if around.len() == DEPTH {
                        return;
                    }
                    around.push(name);
                }
                Token::Close => {
                    self.statement(around.last(), &std::mem::take(&mut words));
                    around.pop();
                }
            }
        }
    }

    fn statement(&mut self, around: Option<&String>, words: &[String]) {
        if self.scalars.len() + self.lists.values().map(Vec::len).sum::<usize>() >= SETTINGS {
            return;
        }
        match words {
            [clear, names @ ..] if clear == "#clear" => {
                for name in names {
                    let name = whole(around, name);
                    let stays = |other: &String| *other != name && !other.starts_with(&format!("{name}::"));
                    self.scalars.retain(|other, _| stays(other));
                    self.lists.retain(|other, _| stays(other));
                }
            }
            [name, value] if name.ends_with("::") => {
                let list = whole(around, name.trim_end_matches(':'));
                self.lists.entry(list).or_default().push(value.clone());
            }
            [name, value] => drop(self.scalars.insert(whole(around, name), value.clone())),
            // A word alone is a value of the list around it.
            [value] => {
                if let Some(list) = around {
                    self.lists.entry(list.clone()).or_default().push(value.clone());
                }
            }
            _ => {}
        }
    }
}

/// A setting's whole name.
fn whole(around: Option<&String>, name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match around {
        Some(around) if !around.is_empty() => format!("{around}::{name}"),
        _ => name,
    }
}

/// Whether apt reads a file of this name in its folder.
fn is_read(name: &str) -> bool {
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_plain && !name.starts_with('.') && name.rsplit_once('.').is_none_or(|(_, ending)| ending == "conf")
}

enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// The next token, and what is behind it.
fn token(text: &str) -> Option<(Token, &str)> {
    let mut text = text.trim_start();
    loop {
        if let Some(comment) = text.strip_prefix("/*") {
            text = comment.split_once("*/")?.1.trim_start();
        } else if text.starts_with("//") || text.starts_with('#') && !text.starts_with("#clear") {
            text = text.split_once('\n')?.1.trim_start();
        } else {
            break;
        }
    }
    let single = match text.chars().next()? {
        '{' => Some(Token::Open),
        '}' => Some(Token::Close),
        ';' => Some(Token::End),
        _ => None,
    };
    if let Some(token) = single {
        return Some((token, &text[1..]));
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let (word, behind) = quoted.split_once('"').unwrap_or((quoted, ""));
        return Some((Token::Word(word.to_owned()), behind));
    }
    let end = text.find(|c: char| c.is_whitespace() || "{};\"".contains(c)).unwrap_or(text.len());
    Some((Token::Word(text[..end].to_owned()), &text[end..]))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    const ODD: [(&str, &str); 5] = [
        ("20auto", "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n"),
        ("20auto.bak", "APT::Periodic::Unattended-Upgrade \"7\";\n"),
        ("50blocks.conf", "// x\n# y\n/* APT::Periodic::Enable \"0\"; */\nAPT { Periodic { Verbose \"2\"; }; };\n"),
        (
            "51list",
            "Unattended-Upgrade::Origins-Pattern {\n  \"origin=Debian,label=Debian-Security\"; // why\n  \"a;b\";\n};\n\
             Unattended-Upgrade::Allowed-Origins:: \"x:y-security\";\n",
        ),
        ("99mine", "apt::periodic::unattended-upgrade 0;\nAPT::Periodic \"on\" { Enable \"1\"; };\n"),
    ];

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc/apt/apt.conf.d")).unwrap();
        for (name, text) in ODD {
            fs::write(folder.path().join("etc/apt/apt.conf.d").join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn settings_are_what_apt_itself_makes_of_its_files() {
        let folder = folder();
        let root = folder.path().display().to_string();
        // The file that APT_CONFIG names is read before all others, and `Dir` says where these are.
        fs::write(folder.path().join("main"), format!("Dir \"{root}\";\n")).unwrap();
        let output =
            Command::new("apt-config").arg("dump").env("APT_CONFIG", folder.path().join("main")).output().unwrap();
        let dumped = String::from_utf8(output.stdout).unwrap();
        let settings = Settings::read(folder.path()).unwrap().unwrap();
        let mut compared = 0;
        for line in dumped.lines() {
            let Some((name, value)) = line.trim_end_matches(';').split_once(' ') else { continue };
            let value = value.trim_matches('"');
            let lower = name.to_ascii_lowercase();
            if lower.ends_with("::") && lower.starts_with("unattended-upgrade::") {
                let list = settings.list(lower.trim_end_matches(':'));
                assert!(list.contains(&value.to_owned()), "{line}: {list:?}");
                compared += 1;
            } else if lower.starts_with("apt::periodic") {
                assert_eq!(settings.value(name), Some(value), "{line}");
                compared += 1;
            }
        }
        assert_eq!(compared, 8, "{dumped}");
    }

    #[test]
    fn a_list_can_be_cleared() {
        let mut settings = Settings::default();
        settings.add("A::B { \"1\"; };\nA::C \"2\";\n#clear A::B;\nA::B { \"3\"; };\n");
        assert_eq!((settings.list("A::B"), settings.value("a::c")), (&["3".to_owned()][..], Some("2")));
    }

    #[test]
    fn where_there_is_no_apt_there_are_no_settings() {
        assert_eq!(Settings::read(tempfile::tempdir().unwrap().path()), Ok(None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([a-c:]{1,5}|[{};\"#/* \n]|#clear ){0,80}") {
            Settings::default().add(&text);
        }
    }
}
