//! The checks as docs/security-score.md shows them, made from the definitions.

use std::fmt::Write as _;

use super::check::{Category, Check};
use super::metrics::DEFINITIONS;
use super::score::METHODOLOGY;
use super::verdict::Cap;

/// All checks and all that limits the score, as Markdown.
#[must_use]
pub fn markdown() -> String {
    let count = Check::ALL.len();
    let mut text = format!("{count} checks, methodology {METHODOLOGY}; `points` where all of a category apply.\n");
    for category in Category::ALL {
        let of_it = || Check::ALL.into_iter().filter(|check| check.category() == category);
        let parts: u32 = of_it().map(|check| check.tier().parts()).sum();
        let (name, weight) = (category.as_str(), category.weight());
        write!(text, "\n### {name}: {weight} points\n\n").expect(INFALLIBLE);
        text.push_str("| check | points | demands | looked at | pass | half | fail | by | sources |\n");
        text.push_str("|---|---|---|---|---|---|---|---|---|\n");
        for check in of_it() {
            let points = weight * f64::from(check.tier().parts()) / f64::from(parts);
            let [looked_at, pass, partial, fail, sources] = definition(check);
            let (id, title) = (check.id(), check.title());
            let by = format!("{}, {}", check.mode().as_str(), check.privilege().as_str());
            let cells = [title, looked_at, pass, partial, fail, &by, sources].map(|cell| cell.replace('|', "\\|"));
            writeln!(text, "| {id} | {points:.2} | {} |", cells.join(" | ")).expect(INFALLIBLE);
        }
    }
    text.push_str("\n### What limits the whole\n\n| reason | the score is at most | seen by |\n|---|---|---|\n");
    for cap in Cap::ALL {
        let checks: Vec<_> = cap.checks().iter().map(|check| check.id()).collect();
        writeln!(text, "| `{}` | {} | {} |", cap.as_str(), cap.limit(), checks.join(" and ")).expect(INFALLIBLE);
    }
    text
}

const INFALLIBLE: &str = "a text takes all that is written to it";

/// What is said of a check: what is looked at, pass, partial, fail, sources.
fn definition(check: Check) -> [&'static str; 5] {
    let line = DEFINITIONS.lines().find(|line| line.split('\t').next() == Some(check.id()));
    let mut cells = line.into_iter().flat_map(|line| line.split('\t').skip(1));
    std::array::from_fn(|_| cells.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_is_defined_once_and_wholly() {
        let lines: Vec<_> = DEFINITIONS.lines().filter(|line| !line.starts_with('#')).collect();
        let named: Vec<_> = lines.iter().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(named, Check::ALL.map(Check::id));
        for check in Check::ALL {
            let [looked_at, pass, _, fail, sources] = definition(check);
            assert!([looked_at, pass, fail, sources].iter().all(|cell| !cell.is_empty()), "{}", check.id());
        }
        assert!(lines.iter().all(|line| line.split('\t').count() == 6));
    }

    #[test]
    fn what_is_demanded_changes_with_the_methodology_alone() {
        // Whoever changes a check, a weight or a threshold writes another METHODOLOGY, too.
        expect_test::expect!["1.0 83500dc458e47e8f94d16d2449baf5db22020a3d9ac12b25e710bc579f156070"]
            .assert_eq(&format!("{METHODOLOGY} {}", *super::super::metrics::DEFINITION_SHA256));
    }
}
