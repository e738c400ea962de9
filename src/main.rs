//! The `vitrin` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    vitrin::cli::run()
}
