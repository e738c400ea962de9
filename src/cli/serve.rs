//! Serving: what `vitrin` does without a subcommand.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sd_notify::NotifyState;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::Args;
use crate::collector::Context;
use crate::config::secret::Environment;
use crate::config::{self, Loaded};
use crate::logging;
use crate::running::Running;
use crate::server::{App, Listener, Web, serve};
use crate::state::Folder;

/// Two: jobs wait for others most of the time, and rendering a page takes a few milliseconds.
const WORKERS: usize = 2;

/// How long what is kept may take to be saved when the program ends.
const LAST_SAVE: Duration = Duration::from_secs(5);

/// Loads the configuration, listens, and serves until told to stop.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let environment = Environment::process();
    let loaded = config::load(args.config_file.as_deref(), environment.clone())?;
    logging::start(args.log_level, args.log_format);
    let web = match args.web_config() {
        Some(file) => Web::load(file)?,
        None => Web::open(),
    };
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .context("starting the threads of the program")?;
    let served = runtime.block_on(listen_and_serve(args, &loaded, environment, web));
    // A thread that hangs in a dead file system must not keep the program from ending.
    runtime.shutdown_background();
    served
}

async fn listen_and_serve(args: &Args, loaded: &Loaded, environment: Environment, web: Arc<Web>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let listeners = listeners(args).await?;
    announce(loaded, &listeners, &web);

    let state = Folder::new(loaded.config.state_dir(&environment));
    let context = Context::serving(args.paths(), state.clone());
    let running = Running::start(loaded, args.config_file.clone(), environment, context.clone());
    let app = App::new(running.clone(), web);

    let stop = context.stop.clone();
    context.tasks.spawn(async move {
        tokio::select! {
            _ = terminate.recv() => info!("stopping: SIGTERM"),
            _ = interrupt.recv() => info!("stopping: SIGINT"),
        }
        notify(&NotifyState::Stopping);
        stop.cancel();
    });
    let (stop, reloaded) = (context.stop.clone(), running.clone());
    context.tasks.spawn(async move {
        while let Some(Some(())) = stop.run_until_cancelled(hangup.recv()).await {
            // What came of it is in the log.
            drop(reloaded.reload().await);
        }
    });
    running.keep_looking().await;
    notify(&NotifyState::Ready);
    serve(listeners, app, &context).await;
    // What is kept is saved when the program ends; a file system that hangs must not keep it from ending.
    if let Ok(false) = spawn_blocking(move || state.wait_until_free(LAST_SAVE)).await {
        warn!("state was not saved within {LAST_SAVE:?}: the next start goes on from the last scrape");
    }
    info!("stopped");
    Ok(())
}

/// The sockets to serve on: systemd's, or those of the addresses on the command line.
async fn listeners(args: &Args) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    if args.systemd_socket {
        listeners = Listener::inherited().context("--web.systemd-socket: taking the sockets that systemd passed")?;
        anyhow::ensure!(!listeners.is_empty(), NO_SOCKET);
        return Ok(listeners);
    }
    for text in &args.listen_address {
        let addresses = addresses(text).map_err(|error| CannotListen::new(text, &error))?;
        listeners.push(Listener::bind(&addresses).await.map_err(|error| CannotListen::new(text, &error))?);
    }
    Ok(listeners)
}

/// What is wrong when `--web.systemd-socket` finds nothing.
const NO_SOCKET: &str = "--web.systemd-socket: systemd has passed no socket\n  hint: start vitrin.socket, which starts \
                         vitrin.service: systemctl enable --now vitrin.socket";

/// Tells systemd how far we are, if it started us and wants to know.
fn notify(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        warn!("telling systemd `{state}`: {error}");
    }
}

/// What an address on the command line stands for; `:22100` is that port on all addresses.
pub(super) fn addresses(text: &str) -> std::io::Result<Vec<SocketAddr>> {
    if let Some(port) = text.strip_prefix(':').and_then(|port| port.parse().ok()) {
        // On Linux this takes IPv4 as well, unless net.ipv6.bindv6only is set.
        return Ok(vec![SocketAddr::from(([0_u16; 8], port)), SocketAddr::from(([0_u8; 4], port))]);
    }
    Ok(text.to_socket_addrs()?.collect())
}

fn announce(loaded: &Loaded, listeners: &[Listener], web: &Web) {
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    if let Some(file) = &loaded.file {
        info!("configured by {}", file.display());
    } else {
        info!("no configuration at {}: what is found here is watched", config::DEFAULT_FILE);
    }
    let scheme = if web.certificate().is_some() { "https" } else { "http" };
    for listener in listeners {
        info!("listening on {}", listener.url(scheme));
    }
}

/// An address we cannot listen on, and what to do about it.
#[derive(Debug)]
struct CannotListen {
    address: String,
    error: String,
    hint: String,
}

impl CannotListen {
    fn new(address: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let port = address.rsplit(':').next().unwrap_or_default();
        let hint = match error.kind() {
            Kind::AddrInUse => format!(
                "see who listens there with: ss -ltnp 'sport = :{port}'; or choose another port, for example \
                 --web.listen-address=127.0.0.1:22101"
            ),
            Kind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE; choose one above".to_owned(),
            Kind::AddrNotAvailable => "no interface of this machine has that address; see: ip address".to_owned(),
            _ => "write 127.0.0.1:22100, [::1]:22100, name:22100, or :22100 for all addresses".to_owned(),
        };
        Self { address: address.to_owned(), error: error.to_string(), hint }
    }
}

impl fmt::Display for CannotListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, error, hint } = self;
        write!(f, "--web.listen-address: listening on `{address}`: {error}\n  hint: {hint}")
    }
}

impl std::error::Error for CannotListen {}
