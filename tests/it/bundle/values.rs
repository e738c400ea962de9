//! The list of labels' values, held to the source of the program.

use std::fs;
use std::path::Path;

use super::catalogue::{beside, foreign};
use super::files::{SHIPPED, rows};

/// The text of every file below a folder.
fn source(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            text += &source(&entry.path());
        } else {
            text += &String::from_utf8_lossy(&fs::read(entry.path()).unwrap());
        }
    }
    text
}

#[test]
fn every_value_is_one_that_the_source_knows() {
    let source = source(&Path::new(SHIPPED).join("src"));
    let others: Vec<String> = foreign().into_iter().map(|foreign| foreign.name).collect();
    let mut looked = 0;
    for [label, families, values] in rows(&beside("values.tsv"), |row: [String; 3]| row) {
        let ours =
            families != "ALERTS" && families.split(' ').any(|start| !others.iter().any(|name| name.starts_with(start)));
        for value in values.split(' ').filter(|value| ours && *value != "*") {
            let known = source.contains(&format!("\"{value}\"")) || source.contains(&format!("\\\"{value}\\\""));
            assert!(known, "values.tsv: {label} of {families}: nothing in src says \"{value}\"");
            looked += 1;
        }
    }
    assert!(looked > 10, "only {looked} values");
}

#[test]
fn every_row_is_of_families_that_have_the_label() {
    let families_with = |label: &str| {
        let of_label = vitrin::collectors::catalogue();
        of_label
            .into_iter()
            .filter(|desc| desc.labels.iter().any(|own| own == label))
            .map(|desc| desc.name.to_string())
            .collect::<Vec<_>>()
    };
    for [label, families, _] in rows(&beside("values.tsv"), |row: [String; 3]| row) {
        let with = families_with(&label);
        for start in families.split(' ').filter(|start| *start != "*") {
            let ours = with.iter().any(|name| name.starts_with(start));
            let theirs =
                foreign().iter().any(|foreign| foreign.name.starts_with(start) && foreign.labels.contains(&label));
            assert!(ours || theirs || start == "ALERTS", "values.tsv: no {start}... has the label {label}");
        }
    }
}
