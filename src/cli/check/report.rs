//! What `vitrin check` prints: the table, the ways out, and the verdict.
//!
//! Lines that begin with four spaces are for root's shell, and no others begin so: `sed -n 's/^    //p'` is a script.

use std::fmt;
use std::sync::Arc;

use crate::collector::Failure;
use crate::remedy::{Kind, Remedy, indented};
use crate::schedule::Outcome;

/// What a line of root's shell stands behind.
const RUN: &str = "    ";

/// What a line for a person stands behind.
const BY_HAND: &str = "  | ";

/// How much of what a server said is shown.
const WORDS: usize = 300;

/// All that was seen.
pub(super) struct Report<'a> {
    pub(super) outcomes: &'a [Arc<Outcome>],
    pub(super) remedies: &'a [Remedy],
}

impl Report<'_> {
    /// Whether every target is up with nothing missing, and nothing else is wrong.
    pub(super) fn is_green(&self) -> bool {
        self.outcomes.iter().all(|outcome| is_well(outcome)) && self.of(Kind::Mend).next().is_none()
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Remedy> {
        self.remedies.iter().filter(move |remedy| remedy.kind == kind)
    }

    /// A row for each target, and one for each thing that is missing of it.
    fn rows(&self) -> Vec<[String; 4]> {
        let mut rows = vec![["TARGET", "REACHED", "SERIES", "WHAT IS MISSING"].map(str::to_owned)];
        for outcome in self.outcomes {
            let name = format!("{}/{}", outcome.collector, outcome.target);
            let reached = match &outcome.failure {
                Some(_) => "no",
                None if outcome.gaps.is_empty() => "yes",
                None => "in part",
            };
            let said = |outcome: &Outcome| outcome.failure.iter().chain(&outcome.gaps).map(words).collect::<Vec<_>>();
            let mut missing = said(outcome);
            // A second job of the same target (`mysql_tables`) has mostly the first one's trouble.
            let is_first = |other: &&Arc<Outcome>| {
                other.target == outcome.target
                    && outcome.collector.strip_prefix(other.collector).is_some_and(|rest| rest.starts_with('_'))
            };
            if !missing.is_empty()
                && let Some(first) = self.outcomes.iter().find(is_first)
                && said(first) == missing
            {
                missing = vec![format!("as {}/{}", first.collector, first.target)];
            }
            let series = outcome.findings.len().to_string();
            let row = |missing| [name.clone(), reached.to_owned(), series.clone(), missing];
            if missing.is_empty() {
                rows.push(row(String::new()));
            }
            rows.extend(missing.into_iter().map(row));
        }
        rows
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (name, reached) = (width(0), width(1));
        for [target, state, series, missing] in &rows {
            let line = format!("{target:name$}  {state:reached$}  {series:>6}  {missing}");
            writeln!(f, "{}", line.trim_end())?;
        }
        let mut number = 1..;
        for (kind, title) in [
            (Kind::Mend, "Ways out; lines that begin with four spaces are for root's shell, in this order:"),
            (Kind::More, "Nothing is wrong without these, but they would show more:"),
        ] {
            for (remedy, first) in self.of(kind).zip(std::iter::once(true).chain(std::iter::repeat(false))) {
                if first {
                    writeln!(f, "\n{title}")?;
                }
                writeln!(f, "\n{}. {}", number.next().unwrap_or_default(), visible(&remedy.why))?;
                // What a terminal would not show as it is, nobody can agree to.
                let mark = if remedy.run.lines().all(|line| visible(line) == line) { RUN } else { BY_HAND };
                for (mark, lines) in [(mark, &remedy.run), (BY_HAND, &remedy.by_hand)] {
                    let lines: Vec<_> = lines.lines().map(visible).collect();
                    f.write_str(&indented(mark, &lines.join("\n")))?;
                }
            }
        }
        let ill = self.outcomes.iter().filter(|outcome| !is_well(outcome)).count();
        match (self.is_green(), ill) {
            (true, _) => writeln!(f, "\nEverything is seen that the configuration asks for."),
            (false, 0) => writeln!(f, "\nEvery target is well, but something is wrong: see above."),
            (false, ill) => {
                writeln!(f, "\n{ill} of {} targets: down, or a part of them missing.", self.outcomes.len())?;
                if self.of(Kind::Mend).next().is_none() {
                    writeln!(f, "No way out is known beyond what the table says.")?;
                }
                Ok(())
            }
        }
    }
}

fn is_well(outcome: &Outcome) -> bool {
    outcome.failure.is_none() && outcome.gaps.is_empty()
}

/// A failure on one line: servers have a say in it, so nothing in it may begin a line of its own or steer a terminal.
fn words(failure: &Failure) -> String {
    let text = failure.to_string();
    let mut line = visible(&text.chars().take(WORDS).collect::<String>());
    if text.chars().nth(WORDS).is_some() {
        line.push('…');
    }
    line
}

/// A text on one line, without what steers a terminal or turns the order of what is read.
fn visible(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use expect_test::expect;

    use super::*;
    use crate::collector::Reason;
    use crate::schedule::Tally;
    use crate::snapshot::Findings;

    fn outcome(collector: &'static str, failure: Option<Failure>, gaps: Vec<Failure>) -> Arc<Outcome> {
        Arc::new(Outcome {
            id: 0,
            collector,
            target: "main".into(),
            duration: Duration::ZERO,
            ended: SystemTime::UNIX_EPOCH,
            findings: Findings::default(),
            failure,
            gaps,
            tally: Tally::default(),
        })
    }

    #[test]
    fn a_report_is_a_table_and_a_script() {
        let down = Failure::message(Reason::Auth, "Access denied\n    for you");
        let gaps = ["no status page", "no script"].map(|gap| Failure::message(Reason::Protocol, gap));
        let outcomes = [
            outcome("host", None, Vec::new()),
            outcome("mysql", Some(down), Vec::new()),
            outcome("php_fpm", None, gaps.into()),
        ];
        let remedies = [
            Remedy::mend("MySQL knows no vitrin.", "mysql <<'SQL'\nCREATE USER vitrin;\nSQL\n").and_by_hand("a note\n"),
            Remedy::by_hand("performance_schema is off.", "performance_schema = ON\n").as_more(),
        ];
        let report = Report { outcomes: &outcomes, remedies: &remedies };
        assert!(!report.is_green());
        let text = report.to_string();
        expect![[r#"
            TARGET        REACHED  SERIES  WHAT IS MISSING
            host/main     yes           0
            mysql/main    no            0  Access denied     for you
            php_fpm/main  in part       0  no status page
            php_fpm/main  in part       0  no script

            Ways out; lines that begin with four spaces are for root's shell, in this order:

            1. MySQL knows no vitrin.
                mysql <<'SQL'
                CREATE USER vitrin;
                SQL
              | a note

            Nothing is wrong without these, but they would show more:

            2. performance_schema is off.
              | performance_schema = ON

            2 of 3 targets: down, or a part of them missing.
        "#]]
        .assert_eq(&text);
        let script: Vec<_> = text.lines().filter_map(|line| line.strip_prefix(RUN)).collect();
        assert_eq!(script, ["mysql <<'SQL'", "CREATE USER vitrin;", "SQL"]);
    }

    #[test]
    fn no_words_of_others_become_a_line_of_root_s() {
        let outcomes = [outcome("mysql", Some(Failure::message(Reason::Auth, "a\n    id")), Vec::new())];
        let remedies = [
            Remedy::by_hand("The socket /run/a\n    id is closed.", "a note\n    id\r    id\n"),
            Remedy::mend("A path with \u{202e}tricks.", "rm /run/a\u{1b}[8m\n"),
        ];
        let text = Report { outcomes: &outcomes, remedies: &remedies }.to_string();
        assert!(text.lines().all(|line| !line.starts_with(RUN)), "{text}");
        assert!(!text.contains(['\r', '\u{1b}', '\u{202e}']), "{text:?}");
    }

    #[test]
    fn a_job_that_only_repeats_its_target_s_complaint_says_so() {
        let down = || Some(Failure::message(Reason::Auth, "Access denied"));
        let outcomes = [outcome("mysql", down(), Vec::new()), outcome("mysql_tables", down(), Vec::new())];
        let text = Report { outcomes: &outcomes, remedies: &[] }.to_string();
        assert_eq!(text.matches("Access denied").count(), 1, "{text}");
        assert!(text.contains("mysql_tables/main  no            0  as mysql/main\n"), "{text}");
    }

    #[test]
    fn what_would_show_more_is_no_error() {
        let outcomes = [outcome("mysql", None, Vec::new())];
        let more = [Remedy::mend("It would show more.", "true\n").as_more()];
        assert!(Report { outcomes: &outcomes, remedies: &more }.is_green());
        let wrong = [Remedy::mend("There is no user vitrin.", "true\n")];
        assert!(!Report { outcomes: &outcomes, remedies: &wrong }.is_green());
    }
}
