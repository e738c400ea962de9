//! Every committed input, on every test run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;

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

/// The committed inputs of a target, in the order of their names.
fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder("corpus").join(target)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has no inputs");
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Runs a target, and says which input it was when it panics.
fn check(run: fn(&[u8]), input: &[u8], what: &str) {
    if let Err(panic) = std::panic::catch_unwind(|| run(input)) {
        panic!("{what}: {:?}", panic.downcast_ref::<String>().map_or("a panic", String::as_str));
    }
}

#[test]
fn every_committed_input_keeps_its_promises() {
    let mut bytes = 0;
    for (name, run) in TARGETS {
        for (path, input) in inputs(name) {
            bytes += input.len();
            check(*run, &input, &path.display().to_string());
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

/// A place in the list of targets.
fn target() -> impl Strategy<Value = super::Target> {
    proptest::sample::select(TARGETS)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Every parser of bytes from outside is in the list.
    #[test]
    fn damaged_inputs_keep_their_promises(
        (name, run) in target(),
        which: Index,
        at: Index,
        removed in 0_usize..40,
        put in proptest::collection::vec(any::<u8>(), 0..12),
    ) {
        let inputs = inputs(name);
        let (path, mut input) = inputs[which.index(inputs.len())].clone();
        let start = at.index(input.len() + 1);
        let end = input.len().min(start + removed);
        input.splice(start..end, put);
        check(run, &input, &format!("{}, {start}..{end} replaced: {:?}", path.display(), String::from_utf8_lossy(&input)));
    }

    #[test]
    fn any_bytes_keep_their_promises((name, run) in target(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(run, &bytes, name);
    }
}
