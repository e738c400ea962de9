//! `vitrin check --dry-run` and `--once`: the requests to marketplaces, and what their answers are taken for.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use tokio::runtime;

use crate::collector::{Context, Paths};
use crate::collectors::marketplace::{Account, explain, requests};
use crate::config::Loaded;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// To see the requests.
    Requests,
    /// To have them made once.
    Answers,
}

pub(super) fn run(
    wanted: Wanted,
    only: Option<&str>,
    loaded: &Loaded,
    paths: &Paths,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let targets = &loaded.config.collectors.marketplace.targets;
    let chosen: Vec<(String, &Account)> = targets
        .iter()
        .map(|(name, account)| (format!("marketplace/{}", name.as_str()), account))
        .filter(|(name, _)| only.is_none_or(|only| only == name))
        .collect();
    if targets.is_empty() {
        bail!("no marketplace is configured\n  hint: docs/marketplaces.md has what to write for each");
    }
    if chosen.is_empty() {
        let known: Vec<_> = targets.keys().map(|name| format!("marketplace/{}", name.as_str())).collect();
        bail!("`{}` is not configured\n  hint: there are {}", only.unwrap_or_default(), known.join(", "));
    }
    let mut is_good = true;
    for (index, (name, account)) in chosen.into_iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        match wanted {
            Wanted::Requests => out.write_all(requests(&name, account).as_bytes())?,
            Wanted::Answers => {
                let runtime =
                    runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
                let (text, good) = runtime.block_on(explain(&name, account, &Context::new(paths.clone())));
                runtime.shutdown_background();
                is_good &= good;
                out.write_all(text.as_bytes())?;
            }
        }
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
