//! The landing page: what is watched, and how it fares; readable on a phone, with nothing but HTML.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::schedule::{Job, Outcome};

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vitrin</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 0 auto; padding: 1rem; }
h1 { margin-bottom: 0; }
ul { list-style: none; padding: 0; }
li { border-top: 1px solid #8884; padding: .6rem 0; overflow-wrap: anywhere; }
b.up { color: #18794e; } b.part { color: #ad5700; } b.down { color: #cd2b31; } b.none { color: #888; }
@media (prefers-color-scheme: dark) { b.up { color: #4cc38a; } b.part { color: #f1a10d; } b.down { color: #ff6369; } }
small { color: #888; }
.why { display: block; }
</style>
</head>
<body>
"#;

/// The page, as of each job's last run.
pub(super) fn page(jobs: &[Arc<Job>]) -> String {
    let mut page = HEAD.to_owned();
    let outcomes: Vec<_> = jobs.iter().map(|job| job.last()).collect();
    let down = outcomes.iter().flatten().filter(|outcome| outcome.failure.is_some()).count();
    let verdict = match (jobs.len(), down) {
        (0, _) => "Nothing is watched: the configuration names no target.".to_owned(),
        (_, 0) => "Every target that was asked has answered.".to_owned(),
        (all, down) => format!("{down} of {all} jobs cannot reach their target."),
    };
    let version = env!("CARGO_PKG_VERSION");
    let top = format!(
        "<h1>Vitrin</h1>\n<p>{verdict}<br><small>version {version}</small></p>\n\
         <p><a href=\"/metrics\">Metrics</a> · <a href=\"/-/healthy\">Health</a></p>\n<ul>\n"
    );
    page.push_str(&top);
    for (job, outcome) in jobs.iter().zip(outcomes) {
        line(job, outcome.as_deref(), &mut page).expect("writing to memory does not fail");
    }
    page.push_str("</ul>\n</body>\n</html>\n");
    page
}

fn line(job: &Job, outcome: Option<&Outcome>, page: &mut String) -> std::fmt::Result {
    let name = format!("{}/{}", job.collector(), job.target());
    let Some(outcome) = outcome else {
        return writeln!(page, "<li><b class=\"none\">not run yet</b> {name}</li>");
    };
    let (class, state) = match &outcome.failure {
        Some(failure) => ("down", format!("down: {}", failure.reason.as_str())),
        None if outcome.gaps.is_empty() => ("up", "up".to_owned()),
        None => ("part", "up, in part".to_owned()),
    };
    let milliseconds = outcome.duration.as_secs_f64() * 1_000.0;
    let ago = outcome.ended.elapsed().unwrap_or_default().as_secs();
    let series = outcome.findings.len();
    write!(
        page,
        "<li><b class=\"{class}\">{state}</b> {name} <small>{milliseconds:.1} ms, {series} series, {ago} s ago</small>"
    )?;
    let complaint = outcome.complaint();
    if !complaint.is_empty() {
        write!(page, "<span class=\"why\">{}</span>", escape(&complaint))?;
    }
    writeln!(page, "</li>")
}

/// Text from outside, as text in HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
