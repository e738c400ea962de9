//! The names: what the program may show follows Prometheus' naming guide, or the peer it replaces.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use vitrin::collectors::catalogue;
use vitrin::metric::{Desc, Kind, Tier, Unit};

/// Labels that Prometheus sets, that an exposition format needs, or that the naming guide leaves to the scrape.
const FOREIGN_LABELS: [&str; 14] = [
    "job", "instance", "le", "quantile", "env", "region", "cluster", "service", "customer", "stage", "owner", "zone",
    "dc", "host",
];

/// Ends of names that the naming guide and the exposition formats keep for themselves.
const SUFFIXES: [&str; 5] = ["_total", "_sum", "_count", "_bucket", "_created"];

fn own() -> impl Iterator<Item = &'static Desc> {
    catalogue().into_iter().filter(|desc| desc.tier == Tier::Own)
}

#[test]
fn every_name_is_legal_and_declared_once() {
    let mut seen = BTreeSet::new();
    for desc in catalogue() {
        let name = &*desc.name;
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(name.chars().all(legal) && !name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
        assert!(seen.insert(name), "{name} is declared twice");
    }
    assert!(seen.len() > 100, "only {} families", seen.len());
}

#[test]
fn no_two_families_have_a_sample_name_in_common_in_any_format() {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for desc in catalogue() {
        let name = &*desc.name;
        let mut samples = vec![name.to_owned()];
        match desc.kind {
            Kind::Counter => samples.extend(name.strip_suffix("_total").map(str::to_owned)),
            Kind::Histogram => samples.extend(["_bucket", "_sum", "_count"].map(|suffix| format!("{name}{suffix}"))),
            Kind::Summary => samples.extend(["_sum", "_count"].map(|suffix| format!("{name}{suffix}"))),
            Kind::Gauge | Kind::Unknown => {}
        }
        for sample in samples {
            if let Some(other) = owners.insert(sample.clone(), name) {
                panic!("{name} and {other} both have {sample}");
            }
        }
    }
}

#[test]
fn only_our_counters_end_in_total() {
    for desc in own() {
        assert_eq!(desc.name.ends_with("_total"), desc.kind == Kind::Counter, "{}", desc.name);
        let reserved = SUFFIXES[1..].iter().find(|suffix| desc.name.ends_with(**suffix));
        assert_eq!(reserved, None, "{}", desc.name);
    }
}

#[test]
fn the_unit_is_in_our_names_and_is_a_base_unit() {
    for desc in own() {
        if desc.unit == Unit::None {
            let words: Vec<_> = desc.name.trim_end_matches("_total").split('_').collect();
            let last = *words.last().unwrap();
            let foreign = ["ms", "milliseconds", "microseconds", "usec", "percent", "kb", "kilobytes", "minutes"];
            let hidden = ["seconds", "bytes", "ratio"];
            assert!(!foreign.contains(&last) && !hidden.contains(&last), "{} hides its unit", desc.name);
        } else {
            assert!(desc.unit_suffix().is_some(), "{} does not end with {}", desc.name, desc.unit.suffix());
        }
    }
}

#[test]
fn an_event_is_a_timestamp_and_an_info_is_a_gauge() {
    for desc in own() {
        if desc.name.ends_with("_timestamp_seconds") || desc.name.ends_with("_info") {
            assert_eq!(desc.kind, Kind::Gauge, "{}", desc.name);
        }
    }
}

#[test]
fn help_is_a_sentence_about_the_thing() {
    for desc in catalogue() {
        let help = &*desc.help;
        assert!(help.ends_with('.') && !help.contains(['\\', '\n']), "{}: {help:?}", desc.name);
        assert!(
            help.len() > 10 && !help.starts_with("Generic") && !help.contains(&*desc.name),
            "{}: {help:?}",
            desc.name
        );
    }
}

#[test]
fn labels_are_ours_to_set() {
    for desc in catalogue() {
        for label in desc.labels.iter() {
            let scheduler = desc.name.starts_with("vitrin_") && ["collector", "target"].contains(&&**label);
            let peer = desc.tier == Tier::DropIn && &**label != "target";
            assert!(scheduler || peer || !["collector", "target"].contains(&&**label), "{}: {label}", desc.name);
            assert!(peer || !FOREIGN_LABELS.contains(&&**label), "{}: {label}", desc.name);
            assert!(!label.starts_with('_') && !desc.name.contains(&format!("_{label}_by_")), "{}: {label}", desc.name);
        }
    }
}

#[test]
fn every_family_belongs_to_a_topic() {
    let table = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/topics.tsv")).unwrap();
    let prefixes: Vec<&str> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split('\t').nth(1).unwrap().split(' '))
        .collect();
    for desc in catalogue() {
        assert!(prefixes.iter().any(|prefix| desc.name.starts_with(prefix)), "{}", desc.name);
    }
}
