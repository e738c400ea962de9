//! `vitrin opcache-script`: the PHP script that tells of OPcache, to be installed where FPM may run it.

use std::io::Write;
use std::process::ExitCode;

/// The script as the repository has it.
const SCRIPT: &[u8] = include_bytes!("../../packaging/vitrin-opcache.php");

/// Print the PHP script through which PHP-FPM tells of OPcache.
///
/// To install it: vitrin opcache-script | install -D -o root -g root -m 0644 /dev/stdin /usr/share/vitrin/opcache.php
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(out: &mut impl Write) -> anyhow::Result<ExitCode> {
    out.write_all(SCRIPT)?;
    Ok(ExitCode::SUCCESS)
}
