//! `vitrin init`: a configuration to start from, written from what runs on this machine.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use tempfile::NamedTempFile;
use tokio::runtime;

use crate::collector::{Context, Paths};
use crate::config::{self, secret::Environment};
use crate::discovery::{Discovered, discover};

/// Write a configuration to start from: what was found on this machine, with the reason for each target.
///
/// It goes to the path of --config.file, without that to /etc/vitrin/vitrin.toml, and replaces nothing that is there.
/// No password is in it, so everybody may read it. The exit code is 0 when it was written, 2 when it could not be.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print it instead of writing it.
    #[arg(long, conflicts_with = "force")]
    stdout: bool,

    /// Replace the file that is there.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(
    args: &Args,
    file: Option<&Path>,
    paths: Paths,
    out: &mut impl Write,
    words: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let file = file.unwrap_or(Path::new(config::DEFAULT_FILE));
    if !args.stdout && !args.force && file.symlink_metadata().is_ok() {
        return Err(is_there(file));
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let environment = Environment::process();
    let discovered = runtime.block_on(discover(&Context::new(paths), &environment));
    // A thread that hangs in a dead file system must not keep the program from ending.
    runtime.shutdown_background();

    let text = discovered.file();
    if args.stdout {
        out.write_all(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    write(file, &text, args.force)?;
    writeln!(words, "wrote {}: {}", file.display(), summary(&discovered))?;
    let named = if file == Path::new(config::DEFAULT_FILE) {
        String::new()
    } else {
        format!(" --config.file={}", file.display())
    };
    writeln!(words, "next: vitrin check{named}")?;
    Ok(ExitCode::SUCCESS)
}

/// What is watched.
fn summary(discovered: &Discovered) -> String {
    let found = discovered.found().map(|found| format!("{}/{}", found.topic, found.target.as_str()));
    std::iter::once("host/main".to_owned()).chain(found).collect::<Vec<_>>().join(", ")
}

/// Writes the file as a whole or not at all; without `force` only where there is none.
fn write(file: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let doing = || format!("writing {}", file.display());
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    if !folder.exists() {
        fs::create_dir_all(&folder).map_err(|error| hinted(&error)).with_context(doing)?;
        // Whatever the umask: the user that Vitrin runs as reads what is in it.
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).with_context(doing)?;
    }
    let mut temporary = NamedTempFile::new_in(&folder).map_err(|error| hinted(&error)).with_context(doing)?;
    temporary.write_all(text.as_bytes()).with_context(doing)?;
    temporary.as_file().set_permissions(Permissions::from_mode(0o644)).with_context(doing)?;
    temporary.as_file().sync_all().with_context(doing)?;
    let kept = if force { temporary.persist(file) } else { temporary.persist_noclobber(file) };
    match kept {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(is_there(file)),
        Err(error) => bail!(anyhow!(error.error).context(doing())),
    }
}

fn is_there(file: &Path) -> anyhow::Error {
    anyhow!(
        "{} is there already\n  hint: see what would be written with --stdout, replace it with --force, or name another \
         file with --config.file",
        file.display()
    )
}

/// An error with the way out, where there is one.
fn hinted(error: &io::Error) -> anyhow::Error {
    // Without the name of the temporary file.
    let plain = error.raw_os_error().map(io::Error::from_raw_os_error);
    let error = plain.as_ref().unwrap_or(error);
    match error.kind() {
        ErrorKind::PermissionDenied => {
            anyhow!("{error}\n  hint: run it as root, name another file with --config.file, or print it with --stdout")
        }
        _ => anyhow!("{error}"),
    }
}
