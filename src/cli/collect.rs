//! `vitrin collect`: one target, asked once, with all there is to say about it.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::runtime;

use crate::collector::{Context, Paths};
use crate::config::{self, secret::Environment};
use crate::discovery::discover;
use crate::exposition::{Format, Page};
use crate::schedule::{Job, LONGEST_SCRAPE, Schedule, Selection};
use crate::snapshot::Findings;

/// Ask one target once and print what it gave.
///
/// Samples go to standard output, timing and failures to standard error. The exit code is 0 when it is up, 1 when it is down, 2 when there is no such target.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Collector and target as the metric `vitrin_up` names them: `redis/main`, `mysql_tables/main`.
    #[arg(value_name = "COLLECTOR/TARGET")]
    job: String,
}

pub(super) fn run(
    args: &Args,
    file: Option<&Path>,
    paths: Paths,
    out: &mut impl Write,
    words: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let environment = Environment::process();
    let loaded = config::load(file, environment.clone())?;
    for warning in &loaded.warnings {
        writeln!(words, "{warning}")?;
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let context = Context::new(paths);
    let config = match &loaded.file {
        Some(_) => loaded.config,
        None => runtime.block_on(discover(&context, &environment)).all(&environment),
    };
    let mut jobs = config.collectors.jobs(&context, &[]);
    let name = |job: &Arc<Job>| format!("{}/{}", job.collector(), job.target());
    let known: Vec<_> = jobs.iter().map(name).collect();
    jobs.retain(|job| name(job) == args.job);
    if jobs.is_empty() {
        bail!("`{}` is not configured\n  hint: there are {}", args.job, known.join(", "));
    }
    let outcomes = runtime.block_on(async { Schedule::start(jobs).scrape(&Selection::All, LONGEST_SCRAPE).await });
    // A thread that hangs in a dead file system must not keep the program from ending.
    runtime.shutdown_background();

    let outcome = outcomes[0].clone();
    let milliseconds = outcome.duration.as_secs_f64() * 1_000.0;
    out.write_all(&Page::new(outcomes, Findings::default()).render(Format::Text, false))?;
    writeln!(words, "{}: {milliseconds:.1} ms, {} series", args.job, outcome.findings.len())?;
    for gap in &outcome.gaps {
        writeln!(words, "missing ({}): {gap}", gap.reason.as_str())?;
    }
    for ((family, cause), count) in &*outcome.tally.dropped {
        writeln!(words, "dropped ({}): {count} of {family}", cause.as_str())?;
    }
    let Some(failure) = &outcome.failure else { return Ok(ExitCode::SUCCESS) };
    writeln!(words, "down ({}): {failure}", failure.reason.as_str())?;
    Ok(ExitCode::FAILURE)
}
