//! `vitrin simulate`: marketplaces to try probes and alerts on, without accounts.

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context as _;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::simulate::{Settings, configuration, simulate};

/// Two, as for serving.
const WORKERS: usize = 2;

/// What stands below the flags.
const EXAMPLES: &str = "\
Examples:
  vitrin simulate
      All is well with all marketplaces.
  vitrin simulate --scenario trouble.toml
      What goes wrong, when, and for how long is in the file; docs/simulate.md has one to start from.
  vitrin simulate --folder /tmp/simulated --print-config >simulated.toml
  vitrin simulate --folder /tmp/simulated
      A configuration that watches the simulator, and the simulator.
  curl -d '[[step]]
  marketplace = \"trendyol\"
  scenario = \"rate_limited\"' http://127.0.0.1:22144/script
      Something goes wrong now.
  curl http://127.0.0.1:22144/requests
      What was asked.";

/// Stand in for the marketplaces, to try probes and alerts without accounts.
///
/// Trendyol, eBay, Amazon, N11, Hepsiburada, Ozon, Pazarama, Çiçeksepeti and any other, all on one port, by https and
/// http, told apart by the name that is asked for. They take credentials that are made up, keep the limits of the real
/// ones, answer 418 to what no preset may send, and fail as a scenario has it. Nothing leaves this machine.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Args {
    /// Where the marketplaces listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:22143")]
    listen: SocketAddr,

    /// Where it is told what goes wrong, and tells what was asked; an address of this machine alone.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:22144")]
    control: Loopback,

    /// What goes wrong, when, and for how long.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,

    /// Keep the authority whose certificates are shown in this folder (ca.pem), and write the credentials that are made
    /// up into it, a file each. Without it the authority is a new one at each start.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,

    /// Print the tables of vitrin.toml that watch the simulator, and end.
    #[arg(long, requires = "folder")]
    print_config: bool,
}

/// An address that only this machine reaches.
#[derive(Clone, Copy, Debug)]
struct Loopback(SocketAddr);

impl FromStr for Loopback {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address: SocketAddr = text.parse().map_err(|error| format!("{error}"))?;
        if address.ip().is_loopback() {
            return Ok(Self(address));
        }
        Err("whoever reaches it can steer the simulator; write 127.0.0.1:22144 or [::1]:22144".to_owned())
    }
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let settings = Settings {
        listen: args.listen,
        control: args.control.0,
        scenario: args.scenario.clone(),
        folder: args.folder.clone(),
    };
    if args.print_config {
        out.write_all(configuration(&settings)?.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .context("starting the threads of the program")?;
    let simulated = runtime.block_on(until_told_to_stop(&settings));
    runtime.shutdown_background();
    simulated.map(|()| ExitCode::SUCCESS)
}

async fn until_told_to_stop(settings: &Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let stop = CancellationToken::new();
    let told = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    };
    let simulated = simulate(settings, stdout(), stop.clone());
    let mut simulated = std::pin::pin!(simulated);
    tokio::select! {
        // It could not begin.
        ended = simulated.as_mut() => return ended,
        () = told => {}
    }
    simulated.await
}
