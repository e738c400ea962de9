//! What the dependency tree must keep to.

use std::collections::BTreeMap;
use std::process::Command;

/// The licences we may ship under.
const LICENCES: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Crates that must not come in: a second cryptography provider, and what would link a C library of the machine.
const REFUSED: [&str; 5] = ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys", "libsqlite3-sys"];

/// Every crate that is built, tests included, and its licence.
fn tree() -> BTreeMap<String, String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--locked", "--offline", "--edges=normal,build,dev", "--prefix=none", "--format={p}|{l}"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let package = |line: &str| {
        let (package, licence) = line.split_once('|')?;
        // Crates that were listed before are marked with a star.
        Some((package.split(' ').next()?.to_owned(), licence.trim_end_matches(" (*)").to_owned()))
    };
    lines.lines().filter_map(package).collect()
}

/// Whether an SPDX expression can be met with the licences of the list alone.
fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let words = expression.replace('(', " ( ").replace(')', " ) ");
    let mut words = words.split_whitespace().peekable();
    let met = any(&mut words);
    met && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `a OR b`, which binds weaker than `AND`.
fn any(words: &mut Words<'_>) -> bool {
    let mut met = all(words);
    while words.next_if_eq(&"OR").is_some() {
        met |= all(words);
    }
    met
}

fn all(words: &mut Words<'_>) -> bool {
    let mut met = one(words);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words);
    }
    met
}

fn one(words: &mut Words<'_>) -> bool {
    match words.next() {
        Some("(") => {
            let met = any(words);
            words.next() == Some(")") && met
        }
        Some(name) if words.next_if_eq(&"WITH").is_some() => {
            let exception = words.next().unwrap_or_default();
            LICENCES.contains(&format!("{name} WITH {exception}").as_str()) || LICENCES.contains(&name)
        }
        Some(name) => LICENCES.contains(&name),
        None => false,
    }
}

#[test]
fn every_licence_is_on_the_list() {
    let foreign: Vec<_> = tree().into_iter().filter(|(_, licence)| !allowed(licence)).collect();
    assert!(foreign.is_empty(), "not on the list: {foreign:?}");
}

#[test]
fn cryptography_is_ring_and_nothing_links_a_library_of_the_machine() {
    let tree = tree();
    let there: Vec<_> = REFUSED.into_iter().filter(|name| tree.contains_key(*name)).collect();
    assert!(there.is_empty(), "{there:?} came in; `cargo tree -i NAME` says by whom");
    assert!(tree.contains_key("ring"), "the tree was not read: {tree:?}");
}

#[test]
fn licence_expressions_are_read_as_spdx_means_them() {
    for good in
        ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "(MIT OR GPL-3.0) AND Unicode-3.0", "MIT AND ISC OR GPL-3.0"]
    {
        assert!(allowed(good), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT", "MIT ISC", "GPL-3.0 OR (MIT AND MPL-2.0)", "MIT)"] {
        assert!(!allowed(bad), "{bad}");
    }
}
