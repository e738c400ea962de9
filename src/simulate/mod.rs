//! `vitrin simulate`: a server that stands in for the marketplaces. It speaks their wire, and fails as it is told.
//!
//! A tool for tests, and for trying probes and alerts without accounts; what serves metrics uses nothing of it. What a
//! marketplace is like is in `marketplaces`, one file each; what goes wrong is in a `scenario`.

mod arrivals;
mod ask;
mod certificates;
mod control;
mod delivery;
mod door;
mod folder;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod journal;
mod limits;
mod lines;
mod manners;
mod marketplaces;
mod printed;
mod reply;
mod route;
mod scenario;
mod script;
mod tokens;
mod world;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use arrivals::Arrivals;
use certificates::Certificates;
use control::Control;
use door::Door;
use lines::Lines;
use scenario::Scenario;
use world::World;

/// What is to be simulated, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the marketplaces listen.
    pub listen: SocketAddr,
    /// Where it is told what goes wrong.
    pub control: SocketAddr,
    /// The file of what goes wrong.
    pub scenario: Option<PathBuf>,
    /// The folder of what others read: the authority, and the credentials.
    pub folder: Option<PathBuf>,
}

/// Simulates until `stop` is cancelled. The log goes to `out`, a line each.
///
/// # Errors
/// When the scenario is wrong, the folder cannot be used, or an address is not to be had.
pub async fn simulate(
    settings: &Settings,
    out: impl Write + Send + 'static,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let scenario = settings.scenario.as_deref().map_or_else(|| Ok(Scenario::default()), scenario::load)?;
    let certificates = Arc::new(Certificates::new(settings.folder.as_deref())?);
    let marketplaces = listener(settings.listen, "--listen").await?;
    let told = listener(settings.control, "--control").await?;
    let (here, controlled) = (marketplaces.local_addr()?, told.local_addr()?);
    let configuration = match &settings.folder {
        Some(folder) => {
            printed::write_secrets(folder)?;
            Some(printed::configuration(folder, here)?)
        }
        None => None,
    };

    let (lines, end) = Lines::to(out);
    let world = Arc::new(World::new(scenario, lines.clone()));
    let control = Arc::new(Control { world: world.clone(), ca: certificates.pem(), configuration });
    let tasks = TaskTracker::new();
    let arrivals = |listener, most| {
        let (lines, tasks, stop) = (lines.clone(), tasks.clone(), stop.clone());
        Arrivals { listener, most, lines, tasks, stop }
    };
    tasks.spawn(control.keep(arrivals(told, control::CONNECTIONS)));
    tasks.spawn(Door { world, certificates }.keep(arrivals(marketplaces, door::CONNECTIONS)));
    lines.say(format!("marketplaces: listening on https://{here} and http://{here}"));
    lines.say(format!("control: listening on http://{controlled}"));

    stop.cancelled().await;
    tasks.close();
    tasks.wait().await;
    lines.say("stopped");
    drop(lines);
    end.wait().await;
    Ok(())
}

/// The configuration that watches the simulator of these settings; what it names is written into their folder.
///
/// # Errors
/// When there is no folder, or it cannot be used, or a port is left to chance.
pub fn configuration(settings: &Settings) -> anyhow::Result<String> {
    let folder = settings.folder.as_deref().context(
        "--print-config: there is no folder for the credentials\n  hint: name one with --folder; it is made if need be",
    )?;
    anyhow::ensure!(
        settings.listen.port() != 0,
        "--print-config: a port that is left to chance is known only when it listens\n  hint: name one with --listen, or \
         ask the running program: curl http://CONTROL/vitrin.toml"
    );
    Certificates::new(Some(folder))?;
    printed::write_secrets(folder)?;
    printed::configuration(folder, settings.listen)
}

async fn listener(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        anyhow!(
            "{flag}: listening on {address}: {error}\n  hint: name another address with {flag}; with port 0 it is any port \
             that is free"
        )
    })
}
