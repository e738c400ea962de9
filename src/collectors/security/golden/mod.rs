//! Example hosts that were judged by hand before the program judged them: `tests/fixtures/security/hosts/README.md`.

mod expected;
mod host;
mod machine;
mod report;
mod series;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect_file;

use super::score::Score;
use expected::Expected;
use host::Host;
use series::Series;

/// When all of them are looked at: 2026-11-23T12:00:00Z.
const NOW: i64 = 1_795_435_200;

fn hosts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/security/hosts")
}

/// Those that are hosts, and not layers of others alone.
fn names() -> Vec<String> {
    let folders = fs::read_dir(hosts()).unwrap().map(|entry| entry.unwrap());
    let hosts = folders.filter(|folder| folder.path().join("host.toml").exists());
    let mut names: Vec<_> = hosts.map(|folder| folder.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn judged(name: &str) -> (Host, Score) {
    let host = Host::new(&hosts(), name);
    let score = Score::of(super::judge(&host.seen()), &BTreeSet::new());
    (host, score)
}

#[test]
fn every_host_is_judged_as_by_hand_and_scores_what_was_added_up_by_hand() {
    let names = names();
    assert_eq!(names.len(), 9, "{names:?}");
    let differences = names.iter().map(|name| {
        let (_, score) = judged(name);
        Expected::read(&hosts().join(name).join("expected.tsv")).differences(name, &score)
    });
    let differences: String = differences.collect();
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn nothing_is_kept_of_passwords_and_of_whom_a_host_bans() {
    for name in names() {
        let seen = Host::new(&hosts(), &name).seen();
        let kept = format!("{seen:?} {:?}", super::judge(&seen));
        // The passwords of all hosts, what their files hold that nobody may have, and who is banned.
        for secret in ["canary", "192.0.2.77"] {
            assert!(!kept.contains(secret), "{name} keeps {secret}");
        }
        assert!(kept.contains("/var/www/shop"), "{name} was not looked at");
    }
}

#[test]
fn prometheus_comes_to_the_same_numbers_of_every_host() {
    let mut series = Series::default();
    for name in names() {
        let (host, score) = judged(&name);
        series.add(&name, &score, host.config());
    }
    let text = series.text();
    expect_file![hosts().join("promtool.yml")].assert_eq(&text);

    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("prometheus");
    let text = text.replace("../../../../prometheus", &rules.display().to_string());
    let (is_good, words) = promtool(&text);
    assert!(is_good, "{words}");
    // And they are not the same by chance: another score of one host is noticed.
    let shown = "'security_score{job=\"vitrin\",shop=\"main\",instance=\"hardened\",target=\"main\",methodology=\"1.0\"}', values: '";
    let spoiled = text.replace(shown, &format!("{shown}1"));
    assert_ne!(spoiled, text);
    assert!(!promtool(&spoiled).0, "promtool takes a score that the checks do not come to");
}

/// Whether promtool finds all as a file of tests has it, and what it says.
fn promtool(text: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tests.yml");
    fs::write(&file, text).unwrap();
    let output = Command::new("promtool").args(["test", "rules"]).arg(&file).output();
    let output = output.expect("promtool is needed, of Debian's package `prometheus`");
    let words = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&words).into_owned())
}
