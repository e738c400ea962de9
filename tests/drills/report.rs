//! The report: a table in docs/drills.md, a part for each generation of servers.

use std::fs;
use std::path::Path;

use crate::compress::in_minutes;
use crate::support::daemon::program;
use crate::support::generation::Generation;
use crate::watch::Row;

const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/drills.md");

/// Writes these rows into the part of the generation under test: in the place of those of the same faults, or, when all
/// were drilled, of all.
pub(crate) fn write(rows: &[Row], all: bool) {
    let generation = Generation::under_test();
    let part = if generation.root() == Path::new("/") { "installed" } else { "newest" };
    let (begin, end) = (format!("<!-- drills {part}: begin -->\n"), format!("<!-- drills {part}: end -->"));
    let text = fs::read_to_string(REPORT).unwrap();
    let (before, rest) = text.split_once(&begin).expect("the report has a place for it");
    let (old, after) = rest.split_once(&end).expect("the place has an end");
    let table = table(&generation, rows, if all { "" } else { old });
    fs::write(REPORT, format!("{before}{begin}{table}{end}{after}")).unwrap();
}

fn table(generation: &Generation, rows: &[Row], old: &str) -> String {
    let versions = ["prometheus", "prometheus-alertmanager"].map(version);
    let mut text = format!("{}: {}.\n\n", generation.name(), versions.join(", "));
    text.push_str("| fault | expected | got, at which minute | seconds to the first page: drill | real |\n");
    text.push_str("|---|---|---|---|---|\n");
    let is_of = |line: &str, row: &Row| line.starts_with(&format!("| {} |", row.fault));
    let mut lines: Vec<String> = old.lines().filter(|line| line.starts_with("| ")).skip(1).map(str::to_owned).collect();
    for row in rows {
        match lines.iter_mut().find(|line| is_of(line, row)) {
            Some(place) => *place = line(row),
            None => lines.push(line(row)),
        }
    }
    text + &lines.join("\n") + "\n"
}

/// A row of the table.
pub(crate) fn line(Row { fault, expected, got, first }: &Row) -> String {
    let got = if got.is_empty() { "nobody was called" } else { got };
    let first = first.map_or_else(
        || "| ".to_owned(),
        |first| format!("{:.1} | {:.0}", first.as_secs_f64(), in_minutes(first) * 60.0),
    );
    format!("| {fault} | {expected} | {got} | {first} |")
}

/// What a program says that it is: `prometheus 2.42.0`.
fn version(name: &str) -> String {
    let output = program(&[name]).arg("--version").output().unwrap();
    // Older ones say it where errors go.
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let words: Vec<_> = text.split_whitespace().take(3).collect();
    match words[..] {
        [name, "version" | "version,", version] => {
            format!("{} {}", name.trim_end_matches(','), version.split('+').next().unwrap_or(version))
        }
        [name, ..] => name.to_owned(),
        [] => "an unknown version".to_owned(),
    }
}
