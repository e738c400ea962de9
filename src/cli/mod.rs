//! The command line: flags in, exit code out.

mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::collector::Paths;
use crate::logging::{Level, Style};

/// The exit code when the program could not do what it was asked: a flag or the configuration is wrong.
const COULD_NOT: u8 = 2;

/// One exporter for a web shop's whole stack: host, PHP-FPM with OPcache, MySQL, Redis and nginx on one port.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct Args {
    /// The configuration file. Without this flag /etc/vitrin/vitrin.toml is read if it is there; without any file the
    /// host alone is watched.
    #[arg(long = "config.file", value_name = "PATH")]
    config_file: Option<PathBuf>,

    /// Address to listen on; may be given more than once. `:22100` is port 22100 on all addresses.
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = "127.0.0.1:22100")]
    listen_address: Vec<String>,

    /// How much is logged.
    #[arg(long = "log.level", value_name = "LEVEL", value_enum, default_value_t = Level::Info)]
    log_level: Level,

    /// How a log line looks.
    #[arg(long = "log.format", value_name = "FORMAT", value_enum, default_value_t = Style::Text)]
    log_format: Style,

    /// Where the host's procfs is mounted.
    #[arg(long = "path.procfs", value_name = "PATH", default_value = "/proc")]
    procfs: PathBuf,

    /// Where the host's sysfs is mounted.
    #[arg(long = "path.sysfs", value_name = "PATH", default_value = "/sys")]
    sysfs: PathBuf,

    /// Where the host's root file system is mounted.
    #[arg(long = "path.rootfs", value_name = "PATH", default_value = "/")]
    rootfs: PathBuf,
}

impl Args {
    fn paths(&self) -> Paths {
        Paths { proc: self.procfs.clone(), sys: self.sysfs.clone(), root: self.rootfs.clone() }
    }
}

/// Runs the program with the process' own arguments.
#[must_use]
pub fn run() -> ExitCode {
    let args = Args::parse();
    match serve::run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the last words of a program that cannot start")]
            {
                eprintln!("{error:#}");
            }
            ExitCode::from(COULD_NOT)
        }
    }
}
