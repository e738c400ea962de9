//! `docs/performance.md`, whose figures are those of the last run.

use std::fs;

/// The document, from the project's folder.
pub(crate) const PATH: &str = "docs/performance.md";

/// What the figures stand between.
const BEGIN: &str = "<!-- from here: written by `make bench` -->\n";
const END: &str = "<!-- up to here: written by `make bench` -->\n";

/// Replaces the figures.
pub(crate) fn write(figures: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.md");
    let text = fs::read_to_string(path).unwrap();
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.unwrap_or_else(|| panic!("{PATH} lacks the lines that the figures stand between"));
    fs::write(path, format!("{before}{BEGIN}\n{figures}\n{END}{after}")).unwrap();
}
