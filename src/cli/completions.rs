//! `vitrin completions`: what a shell needs to complete our commands and flags.

use std::io::Write;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

/// Print the completions for a shell.
///
/// For bash: vitrin completions bash >/usr/share/bash-completion/completions/vitrin
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    #[arg(value_name = "SHELL", value_enum)]
    shell: Known,
}

/// The shells that are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let shell = match args.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    // It writes into memory first: it panics on an error, a reader that has gone among them.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut super::Args::command(), env!("CARGO_PKG_NAME"), &mut text);
    out.write_all(&text)?;
    Ok(ExitCode::SUCCESS)
}
