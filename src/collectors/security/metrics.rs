//! What is said of the score.

use std::fmt::Write as _;
use std::sync::LazyLock;

use ring::digest::{SHA256, digest};

use super::check::{Category, Check};
use super::config::{Config, Detail};
use super::round::Looked;
use super::score::{METHODOLOGY, Score, Scored};
use super::verdict::State;
use crate::snapshot::Snapshot;

crate::metrics! {
    Own as METRICS;

    /// How secure the shop is, of 100: what is known to be well, at least. What is not known counts as nothing, and some findings limit the whole: docs/security-score.md. Absent until all has been looked at once.
    SCORE = Gauge("security_score", None, ["methodology"]);
    /// What the score would be were all well that is not known, of 100.
    UPPER = Gauge("security_score_upper_bound", None, ["methodology"]);
    /// The part of the points about which it is known whether they are there.
    COVERAGE = Gauge("security_score_coverage_ratio", Ratio, ["methodology"]);
    /// The first score of this methodology, of 100, that knew as much as was ever known: what later ones are compared with.
    BASELINE = Gauge("security_score_baseline", None, ["methodology"]);
    /// How well a part of the score is, of 100.
    CATEGORY = Gauge("security_category_score", None, ["category"]);
    /// How many of the 100 points a check is worth; absent when there is nothing to check.
    WEIGHT = Gauge("security_check_weight", None, ["category", "check"]);
    /// The part of its points that a check brings: 0, 0.5 or 1; absent when there is nothing to check.
    RATIO = Gauge("security_check_ratio", Ratio, ["category", "check"]);
    /// How a check ended: 0 fail, 1 partial, 2 pass, 3 unknown, 4 not applicable.
    STATUS = Gauge("security_check_status", None, ["category", "check"]);
    /// Always 1; how a check looks, what it takes to see, why it is unknown, and whether its alerts are silenced.
    INFO = Gauge("security_check_info", None, ["check", "category", "tier", "mode", "privilege", "cause", "waived"]);
    /// When it was last looked at what a check is about.
    TIMESTAMP = Gauge("security_check_timestamp_seconds", Seconds, ["check"]);
    /// What the score cannot be above of, by the reason that was seen; `none` is always there, with 100.
    CAP = Gauge("security_score_cap", None, ["reason"]);
    /// Always 1; the version of all that decides about the score, how many checks it has, the SHA-256 of their definitions, and the date of the table of when support ends.
    METHODOLOGY_INFO = Gauge("security_methodology_info", None, ["version", "checks", "definition_sha256", "eol_data"]);
    /// How many points are missing of checks whose alerts are silenced; they do not count in the score.
    WAIVED = Gauge("security_waived_points", None, []);
    /// When root last wrote what only root sees; absent where nobody does.
    FACTS = Gauge("security_facts_timestamp_seconds", Seconds, []);
}

/// What each check demands, and who says so: id, what is looked at, pass, partial, fail, sources.
pub(super) const DEFINITIONS: &str = include_str!("checks.tsv");

/// The checks as they are defined, so that no change of them goes unnoticed.
pub(super) static DEFINITION_SHA256: LazyLock<String> = LazyLock::new(|| {
    let mut canonical = String::new();
    let mut line = |words: &[&str]| {
        canonical += &words.join(" ");
        canonical.push('\n');
    };
    for category in Category::ALL {
        line(&[category.as_str(), &category.weight().to_string()]);
    }
    for check in Check::ALL {
        line(&[check.id(), check.category().as_str(), check.tier().as_str(), check.mode().as_str()]);
    }
    canonical.push_str(DEFINITIONS);
    let mut shown = String::new();
    for byte in digest(&SHA256, canonical.as_bytes()).as_ref() {
        write!(shown, "{byte:02x}").expect("a text takes all that is written to it");
    }
    shown
});

/// Pushes the score, as much of it as the configuration asks for.
pub(super) fn report(score: &Score, looked: &Looked, config: &Config, out: &mut Snapshot) {
    out.push(&SCORE, [METHODOLOGY], score.lower());
    out.push(&UPPER, [METHODOLOGY], score.upper());
    out.push(&COVERAGE, [METHODOLOGY], score.coverage());
    if let Some(baseline) = looked.baseline {
        out.push(&BASELINE, [METHODOLOGY], baseline);
    }
    let checks = Check::ALL.len().to_string();
    out.push(&METHODOLOGY_INFO, [METHODOLOGY, &checks, &DEFINITION_SHA256, super::backends::ask::dated()], true);
    out.push(&CAP, ["none"], 100.0);
    if let Some(written) = looked.facts_written {
        out.push(&FACTS, [], written);
    }
    if config.detail == Detail::Score {
        // Its alert must come also where it is not to be seen what is wrong.
        if let Some(lowest) = score.caps.iter().map(|cap| cap.limit()).reduce(f64::min) {
            out.push(&CAP, ["withheld"], lowest);
        }
        return;
    }
    for category in Category::ALL {
        out.push(&CATEGORY, [category.as_str()], score.category(category));
    }
    for cap in &score.caps {
        out.push(&CAP, [cap.as_str()], cap.limit());
    }
    if config.detail == Detail::Category {
        return;
    }
    let waived = |scored: &&Scored| config.is_waived(scored.check, looked.now);
    out.push(&WAIVED, [], score.checks.iter().filter(waived).map(Scored::missing).sum::<f64>());
    for scored in &score.checks {
        report_check(scored, waived(&scored), looked, out);
    }
}

fn report_check(scored: &Scored, is_waived: bool, looked: &Looked, out: &mut Snapshot) {
    let check = scored.check;
    let (id, category) = (check.id(), check.category().as_str());
    let (status, cause) = match scored.verdict.state {
        State::Fail => (0.0, ""),
        State::Partial => (1.0, ""),
        State::Pass => (2.0, ""),
        State::Unknown(cause) => (3.0, cause.as_str()),
        State::NotApplicable => (4.0, ""),
    };
    if scored.is_applicable() {
        out.push(&WEIGHT, [category, id], scored.points);
        out.push(&RATIO, [category, id], scored.ratio());
    }
    out.push(&STATUS, [category, id], status);
    let (tier, mode, privilege) = (check.tier().as_str(), check.mode().as_str(), check.privilege().as_str());
    out.push(&INFO, [id, category, tier, mode, privilege, cause, if is_waived { "true" } else { "false" }], true);
    if let Some(at) = looked.at(check) {
        out.push(&TIMESTAMP, [id], at);
    }
}
