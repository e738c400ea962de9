//! Every committed input, on every test run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::TARGETS;

/// The most that all inputs together may take in the repository.
const CORPUS_BYTES: usize = 1 << 20;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The names in a folder of `fuzz`, without their ending.
fn names(place: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder(place)).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_target_has_a_fuzzer_a_binary_and_a_corpus_and_nothing_else_has() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets, "fuzz/fuzz_targets");
    assert_eq!(names("corpus"), targets, "fuzz/corpus");
    let manifest: toml::Table = fs::read_to_string(folder("Cargo.toml")).unwrap().parse().unwrap();
    let binaries = manifest["bin"].as_array().unwrap().iter();
    let binaries: BTreeSet<_> = binaries.map(|binary| binary["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(binaries, targets, "[[bin]] in fuzz/Cargo.toml");
    for name in &targets {
        let fuzzer = fs::read_to_string(folder(&format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(fuzzer.contains(&format!("vitrin::fuzz::{name}(bytes)")), "{name}: {fuzzer}");
    }
}

#[test]
fn every_committed_input_keeps_its_promises() {
    let mut bytes = 0;
    for (name, run) in TARGETS {
        let mut inputs: Vec<_> = fs::read_dir(folder("corpus").join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .inspect(|path| assert!(path.is_file(), "{}", path.display()))
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{name} has no inputs");
        for path in inputs {
            let input = fs::read(&path).unwrap();
            bytes += input.len();
            if let Err(panic) = std::panic::catch_unwind(|| run(&input)) {
                eprintln!("the input is {}", path.display());
                std::panic::resume_unwind(panic);
            }
        }
    }
    assert!(bytes <= CORPUS_BYTES, "{bytes} bytes of inputs; `fuzz/run minimise` keeps what is needed");
}

#[test]
fn no_bytes_at_all_are_an_input_too() {
    for (_, run) in TARGETS {
        run(b"");
    }
}
