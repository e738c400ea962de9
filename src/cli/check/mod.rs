//! `vitrin check`: every target asked once as the serving user would, and the way out of whatever is wrong.

mod marketplace;
mod report;
pub(super) mod witness;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::runtime;

use crate::collector::{Context, Paths};
use crate::config::secret::Environment;
use crate::config::{self, Loaded};
use crate::discovery::discover;
use crate::remedy::{Kind, Remedy, Service, USER, quoted};
use crate::schedule::{Job, Outcome};
use marketplace::Wanted;
use report::Report;

/// Ask every target once, and say what is missing and how to get it.
///
/// Prints a table of what was reached, then the ways out: lines that begin with four spaces are for root's shell and run
/// as they stand, in their order. `vitrin check | sed -n 's/^    //p' | sh -eu` applies them all. Lines behind a `|` are
/// for a person: they concern another machine, or cost something.
///
/// Without a configuration file it asks what it finds on this machine. Nothing is changed. Run as root it judges by what
/// the user `vitrin` may see, and reads facts with root's own login where a server knows it; run by others it judges by
/// what they see.
///
/// The exit code is 0 when every target is up and nothing is counted as missing, 1 when something is, 2 when the
/// configuration is wrong. What would merely show more is listed, and is no error.
///
/// For marketplaces: --dry-run prints each request as it is sent, with the names of secrets in their places; --once sends
/// it, and says step by step what the answer was taken for.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// With --dry-run or --once: this account alone, as `marketplace/shop`.
    #[arg(value_name = "TARGET")]
    target: Option<String>,

    /// Print the requests to marketplaces, and send none.
    #[arg(long, conflicts_with = "once")]
    dry_run: bool,

    /// Send each request to marketplaces once, and explain the answer.
    #[arg(long)]
    once: bool,

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
    let loaded = config::load_to_diagnose(file, Environment::process())?;
    for warning in &loaded.warnings {
        writeln!(words, "{warning}")?;
    }
    if args.dry_run {
        return marketplace::run(Wanted::Requests, args.target.as_deref(), &loaded, paths, out);
    }
    if let Some(target) = args.target.as_ref().filter(|_| !args.once) {
        bail!("`{target}` alone is not checked\n  hint: add --dry-run or --once, or take `vitrin collect {target}`");
    }
    let is_root = rustix::process::geteuid().is_root();
    let service = Service::of(&args.user, paths, is_root).context("reading the users of this machine")?;
    if !service.superuser {
        writeln!(words, "As you see it: what {} sees is judged when root runs this.", service.user)?;
    }
    if args.once {
        let mut text = Vec::new();
        let only = args.target.as_deref();
        let mut ask = || marketplace::run(Wanted::Answers, only, &loaded, paths, &mut text);
        let code = if service.superuser && service.account.is_none() {
            writeln!(words, "As you see it: there is no user {} yet.", service.user)?;
            ask()?
        } else {
            witness::look(&service, ask)??
        };
        out.write_all(&text)?;
        return Ok(code);
    }
    let seen = witness::look(&service, || look(&loaded, paths))??;
    let remedies = remedies(&seen, &service)?;
    let report = Report { outcomes: &seen.outcomes, remedies: &remedies };
    out.write_all(report.to_string().as_bytes())?;
    Ok(if report.is_green() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was seen of all targets.
struct Seen {
    jobs: Vec<Arc<Job>>,
    outcomes: Vec<Arc<Outcome>>,
}

/// Runs all jobs once; what has just been told to read its files again may need a second look.
fn look(loaded: &Loaded, paths: &Paths) -> anyhow::Result<Seen> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let seen = runtime.block_on(async {
        if loaded.file.is_some() {
            return witness::ask(&loaded.config, paths).await;
        }
        // Nobody has said what is to be watched: all that is found, what is closed to the service above all.
        let environment = Environment::process();
        let found = discover(&Context::new(paths.clone()), &environment).await;
        witness::ask(&found.all(&environment), paths).await
    });
    // A thread that hangs in a dead file system must not keep the program from ending.
    runtime.shutdown_background();
    Ok(seen)
}

/// The ways out, each once: the user first, then in the order of the targets, what is wrong before what would show more.
fn remedies(seen: &Seen, service: &Service) -> anyhow::Result<Vec<Remedy>> {
    let mut all = Vec::new();
    all.extend(service.account.is_none().then(|| user(service)));
    let by_root = search(&seen.jobs, service)?;
    // What is for the service's own eyes: the account that a socket tells, for example.
    let unexplained: Vec<_> =
        seen.jobs.iter().zip(&by_root).filter(|(_, found)| found.is_empty()).map(|(job, _)| job.clone()).collect();
    let own = Service { superuser: false, ..service.clone() };
    let by_service = witness::look(service, || search(&unexplained, &own))??;
    for remedy in by_root.iter().chain(&by_service).flat_map(|found| found.iter()) {
        if !all.contains(remedy) {
            all.push(remedy.clone());
        }
    }
    all.sort_by_key(|remedy| remedy.kind);
    Ok(all)
}

/// The remedies of each job.
fn search(jobs: &[Arc<Job>], service: &Service) -> anyhow::Result<Vec<Arc<[Remedy]>>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let found = jobs.iter().map(|job| runtime.block_on(job.remedies(service))).collect();
    runtime.shutdown_background();
    Ok(found)
}

/// The user that Vitrin runs as, where there is none yet.
fn user(service: &Service) -> Remedy {
    let (user, name) = (&service.user, quoted(&service.user));
    Remedy {
        why: format!("There is no user {user}; Vitrin needs one of its own, without any rights."),
        run: format!(
            "id {name} >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin \
             {name}\n"
        ),
        by_hand: String::new(),
        kind: Kind::Mend,
    }
}
