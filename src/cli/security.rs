//! `vitrin security`: the score, what stands behind it, and what would bring more.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use tokio::runtime;

use super::check::witness;
use crate::collector::{Context, Paths};
use crate::collectors::security::{self, Report, Subject};
use crate::config::objectives::{Points, SECURITY_SCORE_PROMISE};
use crate::config::{self, secret::Environment};
use crate::discovery::discover;
use crate::remedy::{Service, USER};

/// Look at the shop's security once: the score, what was seen, and the lines that bring more.
///
/// All 59 checks are made once, as the service makes them; ordinary pages are asked of the shop's own address when
/// `[security] url` names it. What is not known counts as nothing, and the report says what it takes to know it.
///
/// Run as root it judges by what the user `vitrin` may see. The exit code is 0 when the objective is met, 1 when not, 2
/// when the configuration is wrong.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print it as JSON.
    #[arg(long)]
    json: bool,

    /// The user that Vitrin serves as.
    #[arg(long, value_name = "NAME", default_value = USER)]
    user: String,
}

pub(super) fn run(
    args: &Args,
    file: Option<&Path>,
    paths: &Paths,
    out: &mut impl Write,
    words: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let loaded = config::load(file, Environment::process())?;
    for warning in &loaded.warnings {
        writeln!(words, "{warning}")?;
    }
    let is_root = rustix::process::geteuid().is_root();
    let service = Service::of(&args.user, paths, is_root).map_err(|error| {
        let hint = "--path.rootfs names the folder that the host's root file system is mounted at";
        anyhow!("reading the users of the machine: {error}\n  hint: {hint}")
    })?;
    if !service.superuser {
        writeln!(words, "As you see it: what {} sees is judged when root runs this.", service.user)?;
    } else if service.account.is_none() {
        writeln!(words, "As nobody sees it: there is no user {} yet.", service.user)?;
    }
    let look = || -> anyhow::Result<Report> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
        let report = runtime.block_on(async {
            let context = Context::new(paths.clone());
            let found;
            let config = if loaded.file.is_some() {
                &loaded.config
            } else {
                let environment = Environment::process();
                found = discover(&context, &environment).await.open(&environment);
                &found
            };
            let promised = config.collectors.objectives.security_score;
            let objective = promised.map_or(SECURITY_SCORE_PROMISE.default, |Points(points)| points);
            Box::pin(security::look(&Subject::of(&config.collectors), objective, &context)).await
        });
        // A thread that hangs in a dead file system must not keep the program from ending.
        runtime.shutdown_background();
        report.map_err(|failure| anyhow!("looking at the shop's security: {failure}"))
    };
    let report = witness::look(&service, look)??;
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(if report.is_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
