//! The command line: flags in, exit code out.

mod check;
mod collect;
mod completions;
mod facts;
mod health;
mod init;
mod manifest;
mod metrics;
mod opcache_script;
mod security;
mod security_views;
mod serve;
mod simulate;

use std::io::{self, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::collector::Paths;
use crate::logging::{Level, Style};

/// The exit code when the program could not do what it was asked: a flag or the configuration is wrong.
const COULD_NOT: u8 = 2;

/// Headings of flags.
const WEB: &str = "Web";
const LOGGING: &str = "Logging";
const PATHS: &str = "Inside a container";

/// One exporter for a web shop's whole stack: host, PHP-FPM with OPcache, MySQL, Redis and nginx on one port.
#[derive(Debug, Parser)]
///
/// Without a command it serves.
#[command(version, about, max_term_width = 100)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// The configuration file. Without this flag /etc/vitrin/vitrin.toml is read if it is there; without any file
    /// Vitrin watches what it finds on this machine and may read.
    #[arg(long = "config.file", value_name = "PATH", global = true)]
    config_file: Option<PathBuf>,

    /// Address to listen on; may be given more than once. `:22100` is port 22100 on all addresses.
    #[arg(long = "web.listen-address", help_heading = WEB, value_name = "ADDRESS", default_value = "127.0.0.1:22100", global = true)]
    listen_address: Vec<String>,

    /// Serve on the sockets that systemd passes, and not on --web.listen-address.
    #[arg(long = "web.systemd-socket", help_heading = WEB)]
    systemd_socket: bool,

    /// A file with TLS, client certificates, users, headers and a rate limit, in the format of exporter-toolkit: the
    /// one that node_exporter takes. It is read anew whenever it changes.
    #[arg(long = "web.config.file", help_heading = WEB, value_name = "PATH", global = true)]
    web_config_file: Option<PathBuf>,

    /// How much is logged.
    #[arg(long = "log.level", help_heading = LOGGING, value_name = "LEVEL", value_enum, default_value_t = Level::Info)]
    log_level: Level,

    /// How a log line looks.
    #[arg(long = "log.format", help_heading = LOGGING, value_name = "FORMAT", value_enum, default_value_t = Style::Text)]
    log_format: Style,

    /// Where the host's procfs is mounted.
    #[arg(long = "path.procfs", help_heading = PATHS, value_name = "PATH", global = true, default_value = "/proc")]
    procfs: PathBuf,

    /// Where the host's sysfs is mounted.
    #[arg(long = "path.sysfs", help_heading = PATHS, value_name = "PATH", global = true, default_value = "/sys")]
    sysfs: PathBuf,

    /// Where the host's root file system is mounted.
    #[arg(long = "path.rootfs", help_heading = PATHS, value_name = "PATH", global = true, default_value = "/")]
    rootfs: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Collect(collect::Args),
    Completions(completions::Args),
    Facts(facts::Args),
    Health(health::Args),
    Init(init::Args),
    Manifest(manifest::Args),
    Metrics(metrics::Args),
    OpcacheScript(opcache_script::Args),
    Security(security::Args),
    SecurityViews(security_views::Args),
    Simulate(simulate::Args),
}

impl Args {
    /// The web configuration file; an empty path is none, as it is for other exporters.
    fn web_config(&self) -> Option<&Path> {
        self.web_config_file.as_deref().filter(|file| !file.as_os_str().is_empty())
    }

    fn paths(&self) -> Paths {
        Paths { proc: self.procfs.clone(), sys: self.sysfs.clone(), root: self.rootfs.clone() }
    }
}

pub use metrics::markdown;

/// Runs the program with the process' own arguments.
#[must_use]
pub fn run() -> ExitCode {
    let args = Args::parse();
    let done = match &args.command {
        None => serve::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Command::Check(command)) => {
            check::run(command, args.config_file.as_deref(), &args.paths(), &mut stdout(), &mut stderr())
        }
        Some(Command::Collect(command)) => {
            collect::run(command, args.config_file.as_deref(), args.paths(), &mut stdout(), &mut stderr())
        }
        Some(Command::Completions(command)) => completions::run(command, &mut stdout()),
        Some(Command::Facts(command)) => facts::run(command, &args.paths(), &mut stdout()),
        Some(Command::Health(_)) => health::run(&args.listen_address[0], args.web_config(), &mut stdout()),
        Some(Command::Init(command)) => {
            init::run(command, args.config_file.as_deref(), args.paths(), &mut stdout(), &mut stderr())
        }
        Some(Command::Manifest(command)) => manifest::run(command, &args.rootfs, &mut stdout()),
        Some(Command::Metrics(command)) => metrics::run(command, &mut stdout()),
        Some(Command::OpcacheScript(_)) => opcache_script::run(&mut stdout()),
        Some(Command::Security(command)) => {
            security::run(command, args.config_file.as_deref(), &args.paths(), &mut stdout(), &mut stderr())
        }
        Some(Command::SecurityViews(command)) => security_views::run(command, &mut stdout()),
        Some(Command::Simulate(command)) => simulate::run(command, &mut stdout()),
    };
    match done {
        Ok(code) => code,
        // Whoever reads has seen enough, `head` for example.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the last words of a program that cannot start")]
            {
                eprintln!("{error:#}");
            }
            ExitCode::from(COULD_NOT)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let json = error.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    [kind, json].contains(&Some(io::ErrorKind::BrokenPipe))
}
