//! The documentation that is made from the code, held equal to it. `UPDATE_EXPECT=1` writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use expect_test::expect_file;

/// The lists of deviations, the exporters that they are about, and how these call themselves.
const PEERS: [(&str, &str); 7] = [
    ("host", "node_exporter"),
    ("php_fpm", "hipages' php-fpm_exporter"),
    ("mysql", "mysqld_exporter"),
    ("redis", "redis_exporter"),
    ("nginx", "nginx-prometheus-exporter"),
    ("probe", "blackbox_exporter"),
    ("side_by_side", "any two exporters that are asked one after the other"),
];

#[test]
fn the_list_of_metrics_is_that_of_the_code() {
    expect_file!["../../docs/metrics.md"].assert_eq(&vitrin::cli::markdown());
}

#[test]
fn the_checks_of_the_security_score_are_those_of_the_code() {
    const MARK: &str = "<!-- checks -->\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security-score.md");
    let text = fs::read_to_string(file).unwrap();
    let (head, _) = text.split_once(MARK).expect("the place of the checks");
    let expected = format!("{head}{MARK}\n{}", vitrin::collectors::security::markdown());
    expect_file!["../../docs/security-score.md"].assert_eq(&expected);
}

#[test]
fn the_list_of_deviations_is_that_of_the_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/deviations");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let known = PEERS.iter().map(|(topic, _)| format!("{topic}.tsv"));
    assert_eq!(files.collect::<BTreeSet<_>>(), known.collect());

    let mut text = include_str!("deviations-head.md").to_owned();
    for (topic, peer) in PEERS {
        write!(text, "\n## {topic}: {peer}\n\n").unwrap();
        let list = fs::read_to_string(folder.join(format!("{topic}.tsv"))).unwrap();
        let lines: Vec<_> = list.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        if lines.is_empty() {
            text.push_str("None.\n");
            continue;
        }
        text.push_str("| metric | differs in | why |\n|---|---|---|\n");
        for line in lines {
            let (what, why) = line.split_once('\t').unwrap();
            let is_sentence = why.starts_with(char::is_uppercase) && why.ends_with('.');
            assert!(is_sentence, "{topic}: the reason for {what} is not a sentence: {why}");
            let (kind, family) = what.split_once(':').unwrap_or(("family", what));
            writeln!(text, "| `{family}` | {kind} | {} |", why.replace('|', "\\|")).unwrap();
        }
    }
    expect_file!["../../docs/deviations.md"].assert_eq(&text);
}
