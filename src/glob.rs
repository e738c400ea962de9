//! File name patterns as glob(3) understands them, which is what FPM's `include` is read with; log files are named so, too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most files one pattern may stand for; FPM masters with a thousand pools exist, with more they do not.
const FILES: usize = 2_000;

/// Whether the text is a pattern, not a plain path.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The existing paths below `root` that an absolute pattern stands for, in the order of their names; at most
/// [`FILES`]. Folders that cannot be read hold nothing.
pub(crate) fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = candidates(root, pattern, &mut |_, _| {});
    found.retain(|path| path.symlink_metadata().is_ok());
    found
}

/// The same whether they exist or not: what follows the last `*` is not looked for. Folders that cannot be read are told.
pub(crate) fn candidates(root: &Path, pattern: &str, unreadable: &mut dyn FnMut(&Path, io::Error)) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        found = if is_pattern(part) {
            found.iter().flat_map(|folder| entries(folder, part, unreadable)).take(FILES).collect()
        } else {
            found.into_iter().map(|folder| folder.join(part)).collect()
        };
    }
    found
}

/// The entries of a folder whose names match.
fn entries(folder: &Path, pattern: &str, unreadable: &mut dyn FnMut(&Path, io::Error)) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            unreadable(folder, error);
            return Vec::new();
        }
    };
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| matches(pattern.as_bytes(), name.as_bytes()))
        .collect();
    names.sort();
    names.into_iter().map(|name| folder.join(name)).collect()
}

/// Whether a file name matches; a leading dot is matched by a dot only.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut p, mut n) = (0, 0);
    // Where to go on when the text after the last `*` does not fit: a `*` never needs a second look once a later one
    // has been reached, so this takes at most pattern times name steps.
    let mut star = None;
    while n < name.len() {
        match one(&pattern[p..], name[n]) {
            Some(length) => {
                p += length;
                n += 1;
            }
            None if pattern.get(p) == Some(&b'*') => {
                star = Some((p, n));
                p += 1;
            }
            None => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// How many bytes of the pattern stand for this one byte; `None` when they do not.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern.first()? {
        b'*' => None,
        b'?' => Some(1),
        b'[' => match class(pattern, byte) {
            Some((true, length)) => Some(length),
            Some((false, _)) => None,
            None => (byte == b'[').then_some(1),
        },
        other => (*other == byte).then_some(1),
    }
}

/// Whether `[…]` holds the byte, and its length; `None` when the bracket is not closed.
fn class(pattern: &[u8], byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let start = 1 + usize::from(negated);
    // A `]` in the first place is a member.
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|byte| *byte == b']')?;
    let members = &pattern[start..end];
    let mut holds = false;
    let mut at = 0;
    while at < members.len() {
        if members.get(at + 1) == Some(&b'-') && at + 2 < members.len() {
            holds |= (members[at]..=members[at + 2]).contains(&byte);
            at += 3;
        } else {
            holds |= members[at] == byte;
            at += 1;
        }
    }
    Some((holds != negated, end + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_match_as_glob_does() {
        for (pattern, name, expected) in [
            ("*.conf", "www.conf", true),
            ("*.conf", ".hidden.conf", false),
            (".*", ".hidden", true),
            ("*.conf", "www.conf.bak", false),
            ("php*-fpm*.sock", "php8.2-fpm-shop.sock", true),
            ("?[0-9]", "a5", true),
            ("[!a-c]x", "bx", false),
            ("[!a-c]x", "dx", true),
            ("[]]", "]", true),
            ("[a", "[a", true),
            ("**a*", "bca", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn folders_are_walked_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b/fpm/x.conf", "a/fpm/y.conf", "a/fpm/x.conf", "a/cli/x.conf"] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = expand(folder.path(), "/*/fpm/*.conf");
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, ["a/fpm/x.conf", "a/fpm/y.conf", "b/fpm/x.conf"].map(Path::new));
        assert!(expand(folder.path(), "/a/none.conf").is_empty());
    }

    proptest! {
        #[test]
        fn a_star_for_any_part_of_a_name_matches_it(name in "[a-z.]{1,20}", from in 0_usize..20, to in 0_usize..20) {
            let from = from.min(name.len());
            let to = to.clamp(from, name.len());
            let pattern = format!("{}*{}", &name[..from], &name[to..]);
            prop_assert!(name.starts_with('.') && from == 0 || matches(pattern.as_bytes(), name.as_bytes()));
        }

        #[test]
        fn no_pattern_panics(pattern in r"[*?\[\]!a-c-]{0,12}", name in "[a-c.-]{0,12}") {
            matches(pattern.as_bytes(), name.as_bytes());
        }
    }
}
