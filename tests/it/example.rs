//! The annotated example configuration, loaded as it stands and with every key that it shows switched on.

use std::fs;
use std::path::Path;

use vitrin::config::{self, secret::Environment};

use crate::support::daemon::folder;

const EXAMPLE: &str = include_str!("../../vitrin.toml");

/// A line that shows a key or a table as it would be written, switched off: `#timeout = "5s"`.
fn is_switched_off(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['))
}

#[test]
fn it_loads_as_it_stands() {
    config::parse(Path::new("vitrin.toml"), EXAMPLE).unwrap();
}

#[test]
fn it_loads_with_everything_it_shows() {
    let folder = folder();
    let secret = folder.path().join("secret");
    fs::write(&secret, "s3cret").unwrap();
    let text: String = EXAMPLE
        .lines()
        .map(|line| if is_switched_off(line) { &line[1..] } else { line })
        .map(|line| match line.split_once("{ file = \"") {
            Some((before, _)) => format!("{before}{{ file = \"{}\" }}\n", secret.display()),
            None => format!("{line}\n"),
        })
        .collect();
    let file = folder.path().join("vitrin.toml");
    fs::write(&file, text).unwrap();
    config::load(Some(&file), Environment::default()).unwrap();
}
