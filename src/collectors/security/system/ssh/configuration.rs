//! `sshd_config`, as `sshd` reads it: the first value of a name counts, what `Include` names is read in its place, and what
//! stands in a `Match` block goes before what stands outside of all.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::super::verdict::{Cause, Known, Unknown};
use super::{takes_passwords, takes_root};
use crate::glob;
use crate::machine::beginning;

/// Where it is.
const FILE: &str = "/etc/ssh/sshd_config";

/// What relative names of `Include` begin in.
const FOLDER: &str = "/etc/ssh";

/// The largest file and the most files that are read, and how deep they may include one another (`SERVCONF_MAX_DEPTH`).
const FILE_BYTES: u64 = 1 << 20;
const FILES: usize = 200;
const DEPTH: usize = 16;

/// The most lines of `Match` blocks that are kept.
const CONDITIONAL: usize = 1_000;

/// The settings that are kept, as `sshd -T` calls them, and what holds where none is given. (`servconf.c` of OpenSSH 9.2;
/// since 7.0 `PermitRootLogin` is no longer `yes` by itself.)
const DEFAULTS: [(&str, &str); 4] = [
    ("permitrootlogin", "prohibit-password"),
    ("passwordauthentication", "yes"),
    ("kbdinteractiveauthentication", "yes"),
    ("authenticationmethods", "any"),
];

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// In lower case.
    pub(crate) value: String,
    /// The file and the line; empty for what holds where nothing is said.
    pub(crate) place: String,
}

/// What a configuration comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Configured {
    /// The values for a connection that no `Match` block speaks of.
    pub(crate) settings: BTreeMap<String, Value>,
    /// What `Match` blocks say for some connections: name and value.
    pub(crate) conditional: Vec<(String, Value)>,
    /// The ports that it listens on.
    pub(crate) ports: Vec<u16>,
}

impl Configured {
    /// The settings without their places, as `sshd -T` has them.
    pub(crate) fn plain(&self) -> BTreeMap<String, String> {
        self.settings.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect()
    }

    /// What `Match` blocks allow that is closed without them: each with its place.
    pub(crate) fn loosened(&self) -> Vec<String> {
        let plain = self.plain();
        let (passwords, root) = (takes_passwords(&plain), takes_root(&plain));
        let loosens = |(name, value): &&(String, Value)| {
            let mut with = plain.clone();
            with.insert(name.clone(), value.value.clone());
            // One line alone opens nothing where two have to: `any` method beside `PasswordAuthentication yes`.
            let opens = match name.as_str() {
                "passwordauthentication" | "kbdinteractiveauthentication" => value.value != "no",
                "authenticationmethods" => {
                    with.insert("passwordauthentication".to_owned(), "yes".to_owned());
                    takes_passwords(&with)
                }
                _ => false,
            };
            !passwords && opens || !root && takes_root(&with)
        };
        let told = |(name, value): &(String, Value)| format!("{name} {} ({})", value.value, value.place);
        self.conditional.iter().filter(loosens).map(told).collect()
    }
}

/// Reads the configuration below `root`, the host's root file system.
pub(crate) fn read(root: &Path) -> Known<Configured> {
    read_from(root, Path::new(FILE))
}

/// The same from another file.
pub(super) fn read_from(root: &Path, file: &Path) -> Known<Configured> {
    let mut reader =
        Reader { root, files: 0, outside: BTreeMap::new(), all: BTreeMap::new(), found: Configured::default() };
    reader.file(file, Scope::Outside, 0)?;
    Ok(reader.finish())
}

/// The same of a text whose includes lead nowhere.
#[cfg(any(test, fuzzing))]
pub(in super::super) fn parse(text: &str) -> Known<Configured> {
    let nowhere = Path::new("/proc/nowhere");
    let mut reader = Reader {
        root: nowhere,
        files: 0,
        outside: BTreeMap::new(),
        all: BTreeMap::new(),
        found: Configured::default(),
    };
    reader.text(text, Path::new(FILE), Scope::Outside, 0)?;
    Ok(reader.finish())
}

/// For which connections a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// For all, unless a `Match` block says otherwise.
    Outside,
    /// For all: `Match all`.
    All,
    /// For some.
    Some,
}

struct Reader<'a> {
    root: &'a Path,
    files: usize,
    outside: BTreeMap<String, Value>,
    all: BTreeMap<String, Value>,
    found: Configured,
}

impl Reader<'_> {
    fn file(&mut self, file: &Path, scope: Scope, depth: usize) -> Known<()> {
        self.files += 1;
        if self.files > FILES || depth > DEPTH {
            return Err(Unknown::new(Cause::Unsupported, format!("{FILE} includes too many files")));
        }
        let inside = self.root.join(file.strip_prefix("/").unwrap_or(file));
        let text = beginning(&inside, FILE_BYTES).map_err(|error| {
            let cause = match error.kind() {
                ErrorKind::PermissionDenied => Cause::Permission,
                _ => Cause::Unsupported,
            };
            Unknown::new(cause, format!("reading {}: {error}", file.display()))
        })?;
        self.text(&text, file, scope, depth)
    }

    /// Reads a file's text; a `Match` block ends with its file.
    fn text(&mut self, text: &str, file: &Path, around: Scope, depth: usize) -> Known<()> {
        let mut scope = around;
        for (number, line) in text.lines().enumerate() {
            let words = words(line);
            let Some((name, arguments)) = words.split_first() else { continue };
            match (name.to_ascii_lowercase().as_str(), arguments) {
                ("match", arguments) => {
                    let is_all = matches!(arguments, [all] if all.eq_ignore_ascii_case("all"));
                    scope = if is_all && around != Scope::Some { Scope::All } else { Scope::Some };
                }
                ("include", patterns) => {
                    for pattern in patterns {
                        self.include(pattern, scope, depth)?;
                    }
                }
                ("port", [port, ..]) if scope == Scope::Outside => self.found.ports.extend(port.parse::<u16>().ok()),
                ("listenaddress", [address, ..]) if scope == Scope::Outside => {
                    self.found.ports.extend(port_of(address));
                }
                (name, arguments) => {
                    let place = format!("{}:{}", file.display(), number + 1);
                    self.setting(canonical(name), arguments, place, scope);
                }
            }
        }
        Ok(())
    }

    fn setting(&mut self, name: &str, arguments: &[String], place: String, scope: Scope) {
        if arguments.is_empty() || !DEFAULTS.iter().any(|(known, _)| *known == name) {
            return;
        }
        let value = Value { value: arguments.join(" ").to_ascii_lowercase(), place };
        match scope {
            Scope::Outside => drop(self.outside.entry(name.to_owned()).or_insert(value)),
            Scope::All => drop(self.all.entry(name.to_owned()).or_insert(value)),
            // What an earlier block says for all, no later one changes.
            Scope::Some if self.all.contains_key(name) || self.found.conditional.len() == CONDITIONAL => {}
            Scope::Some => self.found.conditional.push((name.to_owned(), value)),
        }
    }

    fn include(&mut self, pattern: &str, scope: Scope, depth: usize) -> Known<()> {
        let pattern = Path::new(FOLDER).join(pattern);
        let mut closed = None;
        let mut note = |folder: &Path, error: std::io::Error| {
            if error.kind() == ErrorKind::PermissionDenied {
                closed = Some(folder.to_owned());
            }
        };
        let files = glob::candidates(self.root, &pattern.to_string_lossy(), &mut note);
        if let Some(folder) = closed {
            let on_host = folder.strip_prefix(self.root).map_or(folder.clone(), |folder| Path::new("/").join(folder));
            return Err(Unknown::new(Cause::Permission, format!("{} may not be looked into", on_host.display())));
        }
        for file in files.into_iter().filter(|file| file.symlink_metadata().is_ok()) {
            let on_host: PathBuf = file.strip_prefix(self.root).map_or(file.clone(), |file| Path::new("/").join(file));
            self.file(&on_host, scope, depth + 1)?;
        }
        Ok(())
    }

    fn finish(self) -> Configured {
        let Self { mut outside, all, mut found, .. } = self;
        outside.extend(all);
        for (name, value) in DEFAULTS {
            let default = Value { value: value.to_owned(), place: String::new() };
            outside.entry(name.to_owned()).or_insert(default);
        }
        if found.ports.is_empty() {
            found.ports.push(22);
        }
        found.ports.sort_unstable();
        found.ports.dedup();
        Configured { settings: outside, ..found }
    }
}

/// What `sshd -T` calls a name.
fn canonical(name: &str) -> &str {
    match name {
        "challengeresponseauthentication" | "skeyauthentication" => "kbdinteractiveauthentication",
        name => name,
    }
}

/// The port of `ListenAddress`, where it has one.
fn port_of(address: &str) -> Option<u16> {
    let (host, port) = address.rsplit_once(':')?;
    let is_whole = host.starts_with('[') || !host.contains(':');
    is_whole.then(|| port.parse().ok())?
}

/// The words of a line: the name ends at a blank or at `=`, a word may be in quotes, and `#` ends the line where a word
/// would begin (`strdelim` and `argv_split` of OpenSSH 9).
fn words(line: &str) -> Vec<String> {
    let line = line.trim_matches([' ', '\t', '\r', '\u{c}']);
    if line.starts_with('#') {
        return Vec::new();
    }
    let end = line.find([' ', '\t', '=', '"']).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if name.is_empty() {
        return Vec::new();
    }
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let mut words = vec![name.to_owned()];
    words.extend(arguments(rest));
    words
}

fn arguments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|c| " \t".contains(*c)).is_some() {}
        match characters.peek() {
            None | Some('#') => return found,
            Some(_) => {}
        }
        let (mut word, mut quote) = (String::new(), None);
        while let Some(character) = characters.next_if(|c| quote.is_some() || !" \t".contains(*c)) {
            match (quote, character) {
                (Some(open), close) if open == close => quote = None,
                (None, '"' | '\'') => quote = Some(character),
                (_, '\\') if characters.peek().is_some_and(|next| "\"'\\".contains(*next)) => {
                    word.extend(characters.next());
                }
                _ => word.push(character),
            }
        }
        found.push(word);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    /// A root with these files in /etc/ssh.
    pub(super) fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join("etc/ssh").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn told(files: &[(&str, &str)]) -> String {
        let configured = read(root(files).path()).unwrap();
        let setting = |(name, Value { value, place }): (&String, &Value)| format!("{name} {value} {place}");
        let mut lines: Vec<_> = configured.settings.iter().map(setting).collect();
        lines.extend(configured.loosened().into_iter().map(|loosened| format!("but {loosened}")));
        lines.push(format!("ports {:?}", configured.ports));
        lines.into_iter().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn the_first_value_wins_and_an_included_one_stands_where_it_is_included() {
        // Debian's file, with a drop-in of a cloud image: the drop-in is read first.
        let debian = "Include /etc/ssh/sshd_config.d/*.conf\n#PermitRootLogin prohibit-password\n\
                      PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM yes\n";
        let drop_in = ("sshd_config.d/50-cloud-init.conf", "PasswordAuthentication yes\n");
        let told = told(&[("sshd_config", debian), drop_in, ("sshd_config.d/x.conf.bak", "PermitRootLogin yes")]);
        expect_test::expect![[r#"
            authenticationmethods any
            kbdinteractiveauthentication no /etc/ssh/sshd_config:4
            passwordauthentication yes /etc/ssh/sshd_config.d/50-cloud-init.conf:1
            permitrootlogin prohibit-password
            ports [22]
        "#]]
        .assert_eq(&told);
    }

    #[test]
    fn a_match_block_goes_before_what_is_outside_and_ends_with_its_file() {
        let main = "Port 22\nPort=2222\nListenAddress [::1]:2022\nInclude a\nPasswordAuthentication no\n\
                    ChallengeResponseAuthentication no\nMatch Address 10.0.0.0/8\n PasswordAuthentication yes\n \
                    PermitRootLogin yes\nMatch all\n PermitRootLogin no\nMatch User x\n PermitRootLogin yes\n";
        let told = told(&[("sshd_config", main), ("a", "Match User backup\nKbdInteractiveAuthentication yes\n")]);
        expect_test::expect![[r#"
            authenticationmethods any
            kbdinteractiveauthentication no /etc/ssh/sshd_config:6
            passwordauthentication no /etc/ssh/sshd_config:5
            permitrootlogin no /etc/ssh/sshd_config:11
            but kbdinteractiveauthentication yes (/etc/ssh/a:2)
            but passwordauthentication yes (/etc/ssh/sshd_config:8)
            but permitrootlogin yes (/etc/ssh/sshd_config:9)
            ports [22, 2022, 2222]
        "#]]
        .assert_eq(&told);
    }

    #[test]
    fn a_configuration_that_is_not_there_or_includes_itself_is_unknown() {
        assert_eq!(read(root(&[("x", "")]).path()).unwrap_err().cause, Cause::Unsupported);
        let circle = root(&[("sshd_config", "Include sshd_config\n")]);
        assert_eq!(read(circle.path()).unwrap_err().cause, Cause::Unsupported);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ -~\n\t\"\\\\]{0,200}") {
            parse(&text).unwrap().loosened();
            super::super::printed(&text);
        }
    }
}
