//! Scrapes of a whole day, back to back, while the servers fail in every way; `make soak` runs it.
//!
//! It ends with 1 when a promise is broken, and otherwise writes the figures into docs/reliability.md. An argument is
//! another number of scrapes; then nothing is written.
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends there")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::fs;

use support::soak::Soak;

/// Scrapes of a day, one every 15 seconds.
const DAY: usize = 24 * 60 * 60 / 15;

const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reliability.md");
const BEGIN: &str = "<!-- soak: begin -->\n";
const END: &str = "<!-- soak: end -->";

fn main() {
    // Cargo says `--bench`.
    let asked = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let soak = Soak::run(asked.unwrap_or(DAY));
    println!("{soak}");
    if asked.is_none() {
        let text = fs::read_to_string(REPORT).unwrap();
        let (before, rest) = text.split_once(BEGIN).expect("the report has a place for it");
        let (_, after) = rest.split_once(END).expect("the place has an end");
        fs::write(REPORT, format!("{before}{BEGIN}{soak}{END}{after}")).unwrap();
    }
}
