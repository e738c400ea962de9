//! The shop from outside: pages, ports and names asked for as a visitor asks for them, on timers of their own.
//!
//! What is probed stands in the configuration alone: no address and no login is ever taken from a request.

pub mod certificates;
mod config;
pub(crate) mod dns;
mod encryption;
mod ending;
mod findings;
mod handshake;
mod http;
mod pattern;
mod remedy;
mod tally;
mod tcp;
pub mod tls;

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::collector::{Collector, Context, Failure, Reason};
use crate::metric::{Catalogue, Metric};
use crate::net::threads::Threads;
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;
use crate::tls::trust::Trust;

pub use config::{Config, section};
use config::{LONGEST, Subject};
use ending::{Ending, Trouble};
use findings::Findings;
use handshake::{Encrypted, Means};
use tally::Tally;
use tls::legacy::LegacyVersions;

crate::metrics! {
    DropIn as METRICS;
    /// Whether the last probe ended well, 1 or 0.
    SUCCESS = Gauge("probe_success", None, []);
    /// How long the last probe took, in seconds.
    DURATION = Gauge("probe_duration_seconds", Seconds, []);
    /// How long a probe of this target may take, in seconds.
    TIMEOUT = Gauge("probe_timeout_seconds", Seconds, []);
}

/// How many probes are under way at a time. Those of more targets wait for their turn, which is no part of their time.
static UNDER_WAY: Semaphore = Semaphore::const_new(64);

/// Probes one target.
#[derive(Debug)]
pub struct Probe {
    config: Config,
    tally: Tally,
    threads: Threads,
    legacy: LegacyVersions,
    /// What is to be done about the last probe.
    ways_out: Mutex<Vec<Remedy>>,
    context: Context,
}

impl Collector for Probe {
    const NAME: &'static str = "probe";
    const METRICS: &'static [Catalogue] = &[
        Catalogue::List(METRICS),
        Catalogue::List(tally::METRICS),
        Catalogue::List(findings::METRICS),
        Catalogue::List(http::METRICS),
        Catalogue::List(dns::METRICS),
        tls::METRICS[0],
        tls::METRICS[1],
        tls::METRICS[2],
        certificates::METRICS,
    ];
    const UP: Option<&'static Metric<0>> = Some(&SUCCESS);
    /// A probe keeps its own time, so that what it has learned until then is not lost; and some wait for their turn.
    const TIMEOUT: Duration = LONGEST.saturating_mul(2);
    type Config = Config;

    fn every(config: &Config) -> Option<Duration> {
        Some(config.every)
    }

    fn new(config: &Config, context: &Context) -> Self {
        Self {
            config: config.clone(),
            tally: Tally::default(),
            threads: Threads::default(),
            legacy: LegacyVersions::default(),
            ways_out: Mutex::default(),
            context: context.clone(),
        }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let _turn = UNDER_WAY.acquire().await.map_err(|closed| Failure::new(Reason::Bug, closed))?;
        let limit = self.config.timeout;
        let trust = self.config.subject.encryption().map(|encryption| Trust::load(&encryption.settings)).transpose();
        let begun = Instant::now();
        let mut found = Findings::of(self.threads.clone());
        let ended = match trust {
            Ok(trust) => {
                let means = Means { deadline: begun + limit, context: &self.context, trust };
                timeout_at(means.deadline, self.probe(&mut found, &means)).await
            }
            Err(failure) => Ok(Err(Trouble::local(failure))),
        };
        let ended = ended.unwrap_or_else(|_| Err(found.late(limit)));
        let took = begun.elapsed();
        found.report(out);
        out.push(&DURATION, [], took.as_secs_f64());
        out.push(&TIMEOUT, [], limit.as_secs_f64());
        let ending = ended.as_ref().map_or_else(|trouble| trouble.ending, |()| Ending::Ok);
        self.tally.count(ending, took, out);
        *self.ways_out() = remedy::ways_out(&self.config.subject, ending, &found);
        // What a probe has learned is true of a target that is down, too.
        out.keep();
        self.ask_for_legacy_versions(&found, out).await;
        ended.map_err(|trouble| trouble.failure)
    }

    async fn remedies(&self, run: Complaints<'_>, service: &Service) -> Vec<Remedy> {
        if let Subject::Certificates(files) = &self.config.subject {
            let is_denied = run.iter().any(|failure| failure.reason == Reason::Permission);
            return is_denied.then(|| files.way_in(&service.group)).into_iter().collect();
        }
        if run.failure.is_some() { self.ways_out().clone() } else { Vec::new() }
    }
}

impl Probe {
    fn ways_out(&self) -> MutexGuard<'_, Vec<Remedy>> {
        self.ways_out.lock().expect("no code panics while it holds this lock")
    }

    /// Asks whoever has shown that they speak TLS for versions that are out of date, which is no part of a probe's time.
    async fn ask_for_legacy_versions(&self, found: &Findings, out: &mut Snapshot) {
        let Some(Encrypted { address, name }) = &found.encrypted else { return };
        let asks = self.config.subject.encryption().is_some_and(|encryption| encryption.legacy_versions);
        if found.inspection.is_some() && asks {
            let dial = async || TcpStream::connect(address).await.map_err(Failure::io);
            // A run that lasts longer than its period would make what is known seem old.
            self.legacy.report(dial, name, self.config.every / 2, out).await;
            out.keep();
        }
    }

    async fn probe(&self, found: &mut Findings, means: &Means<'_>) -> Result<(), Trouble> {
        match &self.config.subject {
            Subject::Http(page) => page.probe(found, means).await,
            Subject::Tcp(port) => port.probe(found, means.deadline).await,
            Subject::Tls(port) => port.probe(found, means).await,
            Subject::Dns(name) => name.probe(found, means.deadline).await,
            Subject::Certificates(files) => {
                found.files = Some(files.probe(&self.threads).await?);
                Ok(())
            }
        }
    }
}
