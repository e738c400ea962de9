//! `vitrin metrics`: every family that the program can show, as Markdown or JSON.

use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::json;

use crate::collectors::catalogue;
use crate::config::objectives;
use crate::metric::{Desc, Kind, Tier};

/// The vocabulary: one word for a topic, its metrics' prefixes, its alerts' prefixes, its dashboard.
const TOPICS: &str = include_str!("../../docs/topics.tsv");

/// What stands above the list in Markdown.
const HEAD: &str = include_str!("metrics-head.md");

/// Print every metric family that Vitrin can show, with type, labels and meaning.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How the list looks.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Style::Markdown)]
    format: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Style {
    /// The text of docs/metrics.md.
    Markdown,
    /// An array of objects, one a family.
    Json,
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    match args.format {
        Style::Markdown => out.write_all(markdown().as_bytes())?,
        Style::Json => {
            serde_json::to_writer_pretty(&mut *out, &catalogue().into_iter().map(object).collect::<Vec<_>>())?;
            writeln!(out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn object(desc: &Desc) -> serde_json::Value {
    json!({
        "name": desc.name,
        "type": desc.kind.as_str(),
        "unit": desc.unit.suffix(),
        "labels": labels(desc),
        "help": desc.help,
    })
}

/// Its labels, with the one that the scheduler adds to all targets' series.
fn labels(desc: &Desc) -> Vec<&str> {
    let of_the_program = ["vitrin_", "process_"].iter().any(|own| desc.name.starts_with(own))
        || objectives::METRICS.iter().any(|own| own.name == desc.name);
    // A log that is followed is its target's.
    let of_a_target = desc.tier == Tier::Own && (!of_the_program || desc.name.starts_with("vitrin_log_"));
    desc.labels.iter().map(AsRef::as_ref).chain(of_a_target.then_some("target")).collect()
}

/// The whole document.
#[must_use]
pub fn markdown() -> String {
    let families = catalogue();
    let mut text = HEAD.to_owned();
    for topic in TOPICS.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = topic.split('\t');
        let (Some(name), Some(prefixes)) = (columns.next(), columns.next()) else { continue };
        let of_topic = |desc: &&&Desc| prefixes.split(' ').any(|prefix| desc.name.starts_with(prefix));
        let rows: String = families.iter().filter(of_topic).map(|desc| row(desc)).collect();
        if !rows.is_empty() {
            text +=
                &["\n## ", name, "\n\n| metric | type | labels | what it is |\n|---|---|---|---|\n", &rows].concat();
        }
    }
    text
}

fn row(desc: &Desc) -> String {
    let renamed = desc.kind == Kind::Summary || (desc.kind == Kind::Counter && !desc.name.ends_with("_total"));
    let star = if renamed { "*" } else { "" };
    let (name, kind, labels, help) =
        (&desc.name, desc.kind.as_str(), labels(desc).join(", "), desc.help.replace('|', "\\|"));
    format!("| `{name}` | {kind}{star} | {labels} | {help} |\n")
}
