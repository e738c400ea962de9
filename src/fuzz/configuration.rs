//! The text of `vitrin.toml`, and of the option files that MySQL's own programs read.

use std::path::Path;

use crate::config::option_file::Client;
use crate::config::secret::with_environment;
use crate::config::{Config, Problem, parse};

/// What the environment holds, for `{ env = "SECRET" }`.
const SECRET: &str = "canary-8f1d2c";

/// A configuration of any text: read, or refused with a place and without the secret.
pub(super) fn config(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if text.contains(SECRET) {
        return;
    }
    let (shown, is_good) = match read(text) {
        Ok(config) => (format!("{config:?}"), true),
        Err(problem) => (problem.to_string(), false),
    };
    assert!(!shown.contains(SECRET), "{shown}");
    if !is_good {
        has_place_and_hint("vitrin.toml", &shown, text);
    }
}

/// That what is said of a file's text begins with a place that is in it, and has a way out.
pub(crate) fn has_place_and_hint(file: &str, shown: &str, text: &str) {
    let place = shown.strip_prefix(file).and_then(|rest| rest.strip_prefix(':'));
    let place = place.unwrap_or_else(|| panic!("no place: {shown}"));
    let mut numbers = place.split(':').map(str::parse::<usize>);
    let [line, column] = std::array::from_fn(|_| match numbers.next() {
        Some(Ok(number)) => number,
        _ => panic!("no place: {shown}"),
    });
    assert!(line <= text.matches('\n').count() + 1 && column <= text.chars().count() + 1, "{shown}");
    assert!(shown.contains("\n  hint: "), "{shown}");
}

fn read(text: &str) -> Result<Config, Problem> {
    let environment = [("SECRET".to_owned(), SECRET.to_owned())].into_iter().collect();
    with_environment(environment, false, || parse(Path::new("vitrin.toml"), text)).0
}

/// An option file of any bytes: what is outside of `[client]` says nothing, and nothing grows.
pub(super) fn option_file(bytes: &[u8]) {
    let client = Client::parse(bytes);
    // No `assert_eq`: the password is in it.
    assert!(Client::parse(&[bytes, b"\n[mysql]\nuser=other\npassword=other\n"].concat()) == client);
    assert!(Client::parse(&[b"user=other\n[mysqld]\nport=1\n", bytes].concat()).password == client.password);
    assert!(client.password.is_none_or(|password| password.len() <= bytes.len()));
}
