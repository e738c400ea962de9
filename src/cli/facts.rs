//! `vitrin facts`: what only root can see of the machine's security, for a service that is not root.

use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use rustix::process::geteuid;

use crate::account::group_number;
use crate::collector::Paths;
use crate::collectors::security::facts;

/// Write down what only root can see of this machine's security, for the score of a service that is not root.
///
/// The rules of the firewall, what fail2ban watches, SSH's settings, and who may read the keys of nginx' certificates: no
/// address of who is banned, no key, no password. vitrin-facts.timer runs it every five minutes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file.
    #[arg(long, value_name = "FILE", default_value = "/run/vitrin/facts.json")]
    out: PathBuf,

    /// The group that may read it, besides root: the one that Vitrin serves as.
    #[arg(long, value_name = "GROUP", default_value = "vitrin")]
    group: String,

    /// Print it instead of writing it.
    #[arg(long)]
    stdout: bool,
}

pub(super) fn run(args: &Args, paths: &Paths, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    if !geteuid().is_root() {
        bail!("only root sees what `vitrin facts` writes down\n  hint: {}", facts::REMEDY);
    }
    let group = group_number(&paths.root, &args.group);
    let Some(group) = group.or(args.stdout.then_some(0)) else {
        let groups = paths.root.join("etc/group");
        if let Err(error) = std::fs::File::open(&groups) {
            let hint = "--path.rootfs names the folder that the host's root file system is mounted at";
            bail!("reading {}: {error}\n  hint: {hint}", groups.display());
        }
        bail!(
            "there is no group `{}` in {}\n  hint: name the one that Vitrin serves as with --group",
            args.group,
            groups.display()
        );
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("reading the clock")?;
    let facts = facts::look(paths, i64::try_from(now.as_secs()).context("reading the clock")?);
    if args.stdout {
        out.write_all(facts::text(&facts)?.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let doing = || format!("writing {}", args.out.display());
    folder(&args.out, group).with_context(doing)?;
    facts::write(&args.out, &facts, group).with_context(doing)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the folder of a file, for root and this group; systemd has made it already where it is the unit's.
fn folder(file: &Path, group: u32) -> std::io::Result<()> {
    match file.parent().filter(|folder| *folder != Path::new("") && !folder.exists()) {
        None => Ok(()),
        Some(folder) => {
            DirBuilder::new().mode(0o750).create(folder)?;
            chown(folder, None, Some(group))
        }
    }
}
