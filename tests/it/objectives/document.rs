//! `docs/objectives.md`: its tables are those of the code, its example works. `UPDATE_EXPECT=1` writes the tables.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use expect_test::expect_file;
use vitrin::config::objectives::{Bound, PROMISES, SECURITY_SCORE_PROMISE, SLOS, thresholds};

const DOCUMENT: &str = include_str!("../../../docs/objectives.md");

/// The comments between which the tables stand.
const MARKS: [&str; 2] = [
    "<!-- the tables: UPDATE_EXPECT=1 cargo test --test it objectives::document -->\n",
    "<!-- end of the tables -->\n",
];

fn tables() -> String {
    let mut text = "\n| in `[objectives]` | default | what it promises |\n|---|---|---|\n".to_owned();
    for promise in PROMISES {
        let default = format!("\"{}ms\"", promise.default.as_millis());
        assert_eq!(promise.default, Duration::from_millis(promise.default.as_millis().try_into().unwrap()));
        writeln!(text, "| `{}` | `{default}` | {} |", promise.key, promise.meaning).unwrap();
    }
    let score = SECURITY_SCORE_PROMISE;
    writeln!(text, "| `{}` | `{}` | {} |", score.key, score.default, score.meaning).unwrap();
    text += "\n| in `[objectives.slo.…]` | `ratio` | `min_bad_events` | its events |\n|---|---|---|---|\n";
    for slo in SLOS {
        writeln!(text, "| `{}` | {} | {} | {} |", slo.name, slo.ratio, slo.min_bad_events, slo.meaning).unwrap();
    }
    text += "\n| in `[objectives.thresholds]` | default | unit | what is compared with it |\n|---|---|---|---|\n";
    for row in thresholds() {
        let side = match row.bound {
            Bound::Upper => "above",
            Bound::Lower => "below",
        };
        writeln!(text, "| `{}` | {side} {} | {} | {} |", row.alert, row.default, row.unit, row.meaning).unwrap();
    }
    text + "\n"
}

#[test]
fn its_tables_are_those_of_the_code() {
    let (before, rest) = DOCUMENT.split_once(MARKS[0]).unwrap();
    let (_, after) = rest.split_once(MARKS[1]).unwrap();
    expect_file!["../../../docs/objectives.md"].assert_eq(&[before, MARKS[0], &tables(), MARKS[1], after].concat());
}

#[test]
fn the_configurations_that_it_shows_are_good() {
    let blocks: Vec<String> = DOCUMENT
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap().0.lines().map(|line| line.trim_start().to_owned() + "\n").collect())
        .collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let config = vitrin::config::parse(Path::new("docs/objectives.md"), &block).unwrap();
        assert!(config.collectors.objectives.thresholds.iter().count() > 0, "{block}");
    }
}

#[test]
fn the_example_shows_the_defaults() {
    let example = include_str!("../../../vitrin.toml");
    let start = example.find("[objectives]").unwrap();
    let table = &example[start..start + example[start..].find("\n# --- ").unwrap()];
    let switched_on: String = table
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| rest.starts_with(char::is_alphabetic)).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = vitrin::config::parse(Path::new("vitrin.toml"), &switched_on).unwrap();
    let objectives = config.collectors.objectives;
    let shown = [Some(objectives.http_latency), objectives.http_consistency, objectives.query_time];
    assert_eq!(shown.map(|period| period.unwrap().0), PROMISES.map(|promise| promise.default));
    assert_eq!(objectives.security_score.unwrap().0, SECURITY_SCORE_PROMISE.default);
    for slo in SLOS {
        let (_, numbers) = objectives.slo.iter().find(|(other, _)| other.name == slo.name).unwrap();
        assert_eq!((numbers.ratio, numbers.min_bad_events), (Some(slo.ratio), Some(slo.min_bad_events.into())));
    }
    let shown: Vec<_> = objectives.thresholds.iter().collect();
    assert!(!shown.is_empty());
    for (threshold, number) in shown {
        assert_eq!(number, threshold.default, "{}", threshold.alert);
    }
}
