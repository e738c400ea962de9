//! The shell scripts of this repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::daemon::folder;

/// Every script that is committed.
const SCRIPTS: [&str; 17] = [
    ".ci/run",
    "fuzz/run",
    "packaging/arm64",
    "packaging/deb",
    "packaging/debian/postinst",
    "packaging/debian/postrm",
    "packaging/debian/prerm",
    "tests/alertmanager/receivers",
    "tests/alertmanager/routes",
    "tests/alertmanager/templates",
    "tests/debian-root",
    "tests/docker-compose",
    "tests/fresh-machine",
    "tests/install-packages",
    "tests/it/compose/container.sh",
    "tests/newest-servers",
    "tests/within",
];

fn run(command: &mut Command) -> Output {
    command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The files of this folder, and of those below but for the fuzzers' own, that say which shell is to run them.
fn scripts_below(folder: &Path, found: &mut BTreeSet<String>) {
    const LEFT_OUT: [&str; 4] = [".git", "target", "corpus", "found"];
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !LEFT_OUT.iter().any(|left_out| name == *left_out) {
            scripts_below(&path, found);
        } else if kind.is_file() && fs::read(&path).is_ok_and(|text| is_script(&text)) {
            let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            found.insert(path.to_str().unwrap().to_owned());
        }
    }
}

fn is_script(text: &[u8]) -> bool {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"#!") && first.ends_with(b"sh")
}

#[test]
fn every_script_is_looked_at() {
    let mut found = BTreeSet::new();
    scripts_below(Path::new(env!("CARGO_MANIFEST_DIR")), &mut found);
    assert_eq!(found, SCRIPTS.map(str::to_owned).into());
}

#[test]
fn what_takes_too_long_is_ended_with_all_it_has_started() {
    let output = run(Command::new("tests/within").args(["0.2", "bash", "-c", "sleep 900 & sleep 900"]));
    assert_eq!(output.status.code(), Some(128 + 15), "{}", words(&output));
    let said = "within: bash -c sleep 900 & sleep 900 is not over after 0.2; its threads:\n";
    assert!(words(&output).starts_with(said), "{}", words(&output));
    // It names the test that runs it.
    assert!(words(&output).contains("scripts::what_t"), "{}", words(&output));
    for (command, code) in [("true", 0), ("false", 1)] {
        assert_eq!(run(Command::new("tests/within").args(["900", command])).status.code(), Some(code));
    }
}

#[test]
fn shellcheck_finds_nothing() {
    let output = run(Command::new("shellcheck").args(SCRIPTS));
    assert!(output.status.success(), "{}", words(&output));
}

#[test]
fn installing_what_is_there_changes_nothing() {
    let output = run(&mut Command::new("tests/install-packages"));
    assert!(output.status.success() && words(&output).contains("are installed"), "{}", words(&output));
}

#[test]
fn without_apt_the_packages_are_named() {
    let folder = folder();
    // A PATH with what the script needs up to there, and no apt-get.
    for tool in ["bash", "dirname", "readlink", "sed"] {
        std::os::unix::fs::symlink(Path::new("/usr/bin").join(tool), folder.path().join(tool)).unwrap();
    }
    let output = run(Command::new("/bin/bash").arg("tests/install-packages").env("PATH", folder.path()));
    let words = words(&output);
    assert!(!output.status.success() && words.contains("no apt") && words.contains("mariadb-server"), "{words}");
}

#[test]
fn a_folder_that_is_not_ours_is_no_root_of_the_newest_servers() {
    let folder = folder();
    fs::write(folder.path().join("letter"), "dear").unwrap();
    let output = run(Command::new("tests/newest-servers").arg("mysql").arg(folder.path()));
    let why = if rustix::process::geteuid().is_root() { "not ours" } else { "only root" };
    assert!(!output.status.success() && words(&output).contains(why), "{}", words(&output));
    assert!(folder.path().join("letter").exists());
}

#[test]
fn newest_servers_says_how_it_is_called() {
    let output = run(Command::new("tests/newest-servers").arg("oracle").arg("/nowhere"));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(words(&output), "usage: newest-servers mysql|mariadb DIR [COMMAND ...]\n");
}

#[test]
fn make_help_lists_every_target() {
    let output = run(&mut make(&["help"]));
    let makefile = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Makefile")).unwrap();
    let targets = makefile.lines().find_map(|line| line.strip_prefix(".PHONY: ")).unwrap();
    for target in targets.split(' ') {
        assert!(words(&output).contains(&format!("make {target} ")), "{target}: {}", words(&output));
    }
}

fn make(targets: &[&str]) -> Command {
    // Not one of the servers, and so never from another root.
    let mut command = Command::new("make");
    command.arg("--no-print-directory").args(targets);
    // What the make that may have started us says to its own children is not meant for this one.
    command.env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    command
}
