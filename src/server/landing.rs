//! The landing page: what is watched, how it fares, and what would show more; readable on a phone, with nothing but HTML.

use std::fmt::{Result, Write as _};

use crate::discovery::{Discovered, Found};
use crate::remedy::{Kind, Remedy};
use crate::running::Running;
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
h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
ul, ol { list-style: none; padding: 0; }
li { border-top: 1px solid #8884; padding: .6rem 0; overflow-wrap: anywhere; }
li p { margin: 0; }
b.up { color: #18794e; } b.part { color: #ad5700; } b.down { color: #cd2b31; } b.none { color: #6b6b6b; }
small { color: #6b6b6b; }
.why { display: block; }
pre { overflow-x: auto; margin: .4rem 0 0; padding: .5rem .7rem; border-radius: .3rem; background: #8882;
  font: .85rem/1.4 ui-monospace, monospace; }
code { font-family: ui-monospace, monospace; }
@media (prefers-color-scheme: dark) {
  b.up { color: #4cc38a; } b.part { color: #f1a10d; } b.down { color: #ff6369; } b.none, small { color: #a0a0a0; }
}
</style>
</head>
<body>
"#;

/// The page, as of each job's last run.
pub(super) async fn page(running: &Running) -> String {
    let (remedies, is_all) = running.remedies().await;
    let mut page = HEAD.to_owned();
    let written = body(running, &remedies, is_all, &mut page);
    written.expect("writing to memory does not fail");
    page
}

fn body(running: &Running, remedies: &[Remedy], is_all: bool, page: &mut String) -> Result {
    let (schedule, discovered) = (running.schedule(), running.discovered());
    let jobs: Vec<_> = schedule.jobs().iter().map(|job| (job, job.last())).collect();
    let down = jobs.iter().filter_map(|(_, last)| last.as_ref()).filter(|outcome| outcome.failure.is_some()).count();
    let verdict = match (jobs.len(), down) {
        (0, _) => "Nothing is watched: the configuration names no target.".to_owned(),
        (_, 0) => "Every target that was asked has answered.".to_owned(),
        (all, down) => format!("{down} of {all} jobs cannot reach their target."),
    };
    let closed_ones = discovered.iter().flat_map(|discovered| discovered.locked()).count();
    let verdict = match closed_ones {
        0 => verdict,
        1 => format!("{verdict} A server or log that was found does not let Vitrin in."),
        more => format!("{verdict} {more} servers and logs that were found do not let Vitrin in."),
    };
    writeln!(page, "<h1>Vitrin</h1>\n<p>{verdict}<br><small>version {}</small></p>", env!("CARGO_PKG_VERSION"))?;
    writeln!(page, "<p><a href=\"/metrics\">Metrics</a> · <a href=\"/-/healthy\">Health</a></p>")?;
    if let Some(discovered) = &discovered {
        origin(discovered, page)?;
    }
    writeln!(page, "<ul>")?;
    for (job, outcome) in &jobs {
        line(job, outcome.as_deref(), discovered.as_deref(), page)?;
    }
    writeln!(page, "</ul>")?;
    if let Some(discovered) = &discovered {
        closed(discovered, page)?;
    }
    ways(remedies, is_all, page)?;
    page.write_str("</body>\n</html>\n")
}

/// Where the list comes from, when it is not from a configuration.
fn origin(discovered: &Discovered, page: &mut String) -> Result {
    let also = if discovered.found().next().is_some() {
        "what was found on this machine"
    } else {
        "this machine; no PHP-FPM, MySQL, Redis or nginx was found on it"
    };
    writeln!(
        page,
        "<p>There is no configuration, so Vitrin watches {also}. It looks again every minute. To make it yours: \
         <code>vitrin init</code></p>"
    )
}

fn line(job: &Job, outcome: Option<&Outcome>, discovered: Option<&Discovered>, page: &mut String) -> Result {
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
    let is_it = |found: &&Found| found.topic == job.collector() && found.target.as_str() == job.target();
    if let Some(found) = discovered.and_then(|discovered| discovered.found().find(is_it)) {
        write!(page, "<small class=\"why\">{}</small>", escape(&found.seen))?;
    }
    let complaint = outcome.complaint();
    if !complaint.is_empty() {
        write!(page, "<span class=\"why\">{}</span>", escape(&complaint))?;
    }
    writeln!(page, "</li>")
}

/// What was found and does not let us in.
fn closed(discovered: &Discovered, page: &mut String) -> Result {
    let mut locked = discovered.locked().peekable();
    if locked.peek().is_none() {
        return Ok(());
    }
    writeln!(
        page,
        "<h2>Found, but closed to Vitrin</h2>\n<p><small>Asked again every minute, after a quarter of an hour every \
         quarter of an hour, and at once by a reload (<code>systemctl reload vitrin</code>).</small></p>\n<ul>"
    )?;
    for (found, locked) in locked {
        let Found { topic, target, seen, .. } = found;
        let (target, seen, why) = (target.as_str(), escape(seen), escape(&locked.why));
        write!(page, "<li><b class=\"part\">closed</b> {topic}/{target} <small class=\"why\">{seen}</small>")?;
        writeln!(page, "<span class=\"why\">{why}</span></li>")?;
    }
    writeln!(page, "</ul>")
}

/// What mends what is wrong, and what would show more.
fn ways(remedies: &[Remedy], is_all: bool, page: &mut String) -> Result {
    for (kind, title, words) in [
        (
            Kind::Mend,
            "What would unlock more",
            "Lines for root&#39;s shell. <code>vitrin check</code>, run as root, knows more and prints all of them in \
             order.",
        ),
        (Kind::More, "What would show more", "Nothing is wrong without these."),
    ] {
        let mut remedies = remedies.iter().filter(|remedy| remedy.kind == kind).peekable();
        if remedies.peek().is_none() {
            continue;
        }
        writeln!(page, "<h2>{title}</h2>\n<p><small>{words}</small></p>\n<ol>")?;
        for Remedy { why, run, by_hand, .. } in remedies {
            write!(page, "<li><p>{}</p>", escape(why))?;
            for lines in [run, by_hand].into_iter().filter(|lines| !lines.is_empty()) {
                write!(page, "<pre>{}</pre>", escape(lines))?;
            }
            writeln!(page, "</li>")?;
        }
        writeln!(page, "</ol>")?;
    }
    if !is_all {
        writeln!(page, "<p><small>More is being looked for: load this page again.</small></p>")?;
    }
    Ok(())
}

/// Text from outside, as text in HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
