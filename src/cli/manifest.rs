//! `vitrin manifest`: the list of the shop's files as they were deployed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};

use crate::collectors::security::Manifest;

/// Print the shop's scripts and templates, each with its SHA-256, as they are now.
///
/// To be run at the end of each deployment, by a user who may read all of the shop. What differs from it later shows as
/// MON-05 of the security score, when `[security] manifest` names the file that this is written to: `vitrin manifest
/// /var/www/shop > /etc/vitrin/shop.sha256`. What the shop writes to by itself, pictures and its storage, is left out. `sha256sum -c`,
/// run in the shop's folder, takes the list, too. The exit code is 2 when something could not be read.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder that the web server serves the shop from.
    #[arg(value_name = "FOLDER")]
    root: PathBuf,
}

pub(super) fn run(args: &Args, host: &Path, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let root = std::path::absolute(&args.root).context("finding the shop's folder")?;
    let manifest = Manifest::make(host, &root).map_err(|unknown| anyhow!(unknown.why))?;
    out.write_all(&manifest.text())?;
    Ok(ExitCode::SUCCESS)
}
