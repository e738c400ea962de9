//! The matrix of collectors, faults and reasons in `docs/reliability.md`, which the suite writes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use expect_test::expect_file;

use super::faults::Fault;
use super::{Subject, manner, reasons};

/// The document, from the repository's root.
const DOCUMENT: &str = "docs/reliability.md";

/// What the part that is written here stands between.
const MARKS: [&str; 2] = ["<!-- conformance: begin -->\n", "<!-- conformance: end -->\n"];

/// Holds the document to what was found; `UPDATE_EXPECT=1` writes it.
pub(super) fn write(subjects: &[&dyn Subject]) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT)).unwrap();
    let (before, rest) = text.split_once(MARKS[0]).expect("the document has the mark");
    let (_, after) = rest.split_once(MARKS[1]).expect("the document has the mark");
    let text = [before, MARKS[0], "\n", &table(subjects), "\n", MARKS[1], after].concat();
    expect_file!["../../../docs/reliability.md"].assert_eq(&text);
}

fn table(subjects: &[&dyn Subject]) -> String {
    let mut table = "| the server |".to_owned();
    for subject in subjects {
        let names: Vec<_> = subject.collectors().iter().map(|name| format!("`{name}`")).collect();
        write!(table, " {} |", names.join(", ")).unwrap();
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(subjects.len()));
    table.push('\n');
    for fault in Fault::ALL {
        write!(table, "| {} |", fault.shown()).unwrap();
        for subject in subjects {
            let reasons = if fault.cuts() || manner(*subject, fault).is_some() {
                let reasons = reasons(*subject, fault);
                reasons.iter().map(|reason| format!("`{}`", reason.as_str())).collect::<Vec<_>>().join(" or ")
            } else {
                "–".to_owned()
            };
            write!(table, " {reasons} |").unwrap();
        }
        table.push('\n');
    }
    table
}
