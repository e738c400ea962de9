//! `docs/performance.md`, whose figures are those of the last run.

use std::fs;

/// The document, from the project's folder.
pub(crate) const PATH: &str = "docs/performance.md";

/// Replaces the figures between the marks of one bench: `<!-- {bench}: begin -->`, and the same with `end`.
pub(crate) fn write(bench: &str, figures: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.md");
    let (begin, end) = (format!("<!-- {bench}: begin -->\n"), format!("<!-- {bench}: end -->"));
    let text = fs::read_to_string(path).unwrap();
    let parts = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.unwrap_or_else(|| panic!("{PATH} lacks the lines that the figures stand between"));
    fs::write(path, format!("{before}{begin}\n{}\n\n{end}{after}", figures.trim())).unwrap();
}
