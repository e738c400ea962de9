//! PHP-FPM and OPcache: one target is one FPM master with all its pools.

mod ask;
mod backlog;
mod cache;
mod config;
mod configuration;
mod discover;
mod errors;
mod fastcgi;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub(in crate::collectors) mod inquiry;
mod line;
mod listen;
mod log;
mod opcache;
mod pool;
mod remedy;
mod report;
mod script;
mod settings;
mod source;
mod status;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::collector::{Collector, Context, Failure, Reason};
use crate::config::types::Address;
use crate::metric::Catalogue;
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;
use ask::{ONCE, Question, TWICE, ask, within};
use backlog::Backlog;
use configuration::{Configuration, Pool};
use listen::Listen;
use report::{Asked, Identity, Memory};
use source::Reading;
use status::Status;

pub use config::Config;
pub use discover::DISCOVERY;
pub use errors::PhpFpmErrors;

/// The largest status page: a pool of a thousand children, each with a request URI of 4 KiB.
const STATUS_BYTES: usize = 4 << 20;

/// The largest answer of the OPcache script, which prints some 1,500 bytes.
const OPCACHE_BYTES: usize = 64 << 10;

/// The most pools of one target; those beyond are a gap.
const POOLS: usize = 256;

/// How many pools are asked at once.
const AT_ONCE: usize = 128;

/// How much of a run's time the pools may take together when all of them hang; what is left is for OPcache and the page.
const POOLS_SHARE: f64 = 0.6;

/// How much of the time that is then left OPcache may take.
const OPCACHE_SHARE: f64 = 0.8;

/// How many pools are tried for OPcache, when the first ones may not tell.
const OPCACHE_TRIES: usize = 3;

/// Watches one FPM master.
#[derive(Debug)]
pub struct PhpFpm {
    config: Config,
    context: Context,
    reading: Arc<tokio::sync::Mutex<Option<Reading>>>,
    memory: Mutex<HashMap<Identity, Memory>>,
}

impl Collector for PhpFpm {
    const NAME: &'static str = "php_fpm";
    const METRICS: &'static [Catalogue] = &[
        Catalogue::List(pool::POOL),
        Catalogue::List(pool::CHILD),
        Catalogue::List(pool::MEMORY),
        Catalogue::List(pool::MANAGER),
        Catalogue::List(cache::CACHE),
        Catalogue::List(settings::SETTINGS),
    ];
    type Config = Config;

    fn new(config: &Config, context: &Context) -> Self {
        Self { config: config.clone(), context: context.clone(), reading: Arc::default(), memory: Mutex::default() }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let configuration = self.configuration().await?;
        if configuration.pools.is_empty() {
            return Err(Failure::message(Reason::Connect, "there is no pool: none is configured, no socket matches"));
        }
        if let Some(max) = configuration.process_max.filter(|max| *max > 0) {
            out.push(&pool::PROCESS_MAX, [], max);
        }
        let backlogs = self.backlogs(&configuration).await?;
        let pools = &configuration.pools[..configuration.pools.len().min(POOLS)];
        let rounds = u32::try_from(pools.len().div_ceil(AT_ONCE)).unwrap_or(u32::MAX);
        let time = time_left(out).mul_f64(POOLS_SHARE) / rounds;
        let questions: Vec<_> = pools.iter().map(|pool| self.asked(pool, &backlogs, time)).collect();
        let asked: Vec<_> = stream::iter(questions).buffered(AT_ONCE).collect().await;
        let answering: Vec<_> = asked.iter().filter(|asked| asked.result.is_ok()).map(|asked| asked.pool).collect();
        let time = time_left(out).mul_f64(OPCACHE_SHARE);
        let told = if self.config.opcache { self.opcache(&answering, time).await } else { Ok(None) };
        if configuration.pools.len() > POOLS {
            let message = format!("{} pools; only the first {POOLS} are watched", configuration.pools.len());
            out.gap(Failure::message(Reason::Limit, message));
        }
        let alive = !answering.is_empty();
        let failures = self.report(asked, &backlogs, out);
        if !alive {
            out.keep();
            return Err(together(failures));
        }
        for failure in failures {
            out.gap(failure);
        }
        match told {
            Ok(Some(told)) => cache::report(&told, out),
            Ok(None) => {}
            Err(failure) => out.gap(failure),
        }
        Ok(())
    }

    async fn remedies(&self, _run: Complaints<'_>, service: &Service) -> Vec<Remedy> {
        let Ok(configuration) = self.configuration().await else { return Vec::new() };
        let reading = self.reading.clone().lock_owned().await;
        let (config, root, service) = (self.config.clone(), self.context.paths.root.clone(), service.clone());
        let look = move || remedy::remedies(&configuration, reading.as_ref(), &config, &root, &service);
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }
}

/// How much time the run has, also where nobody says for how long it is waited for.
fn time_left(out: &Snapshot) -> Duration {
    out.time_left().min(PhpFpm::TIMEOUT)
}

impl PhpFpm {
    /// The pools as they are configured now.
    async fn configuration(&self) -> Result<Arc<Configuration>, Failure> {
        // Locked by whoever reads, so that reads which hang do not pile up.
        let mut reading = self.reading.clone().lock_owned().await;
        let (source, root) = (self.config.source.clone(), self.context.paths.root.clone());
        tokio::task::spawn_blocking(move || source.read(&root, &mut reading))
            .await
            .map_err(|panic| Failure::new(Reason::Bug, panic))?
    }

    /// The queues of the pools that listen on a Unix socket.
    async fn backlogs(&self, configuration: &Configuration) -> Result<HashMap<PathBuf, Backlog>, Failure> {
        let listens = configuration.pools.iter().filter_map(|pool| pool.listen.as_ref().ok()?.socket());
        let sockets: Vec<_> = listens.map(Path::to_owned).collect();
        let root = self.context.paths.root.clone();
        let read = tokio::task::spawn_blocking(move || backlog::of(&root, &sockets)).await;
        read.map_err(|panic| Failure::new(Reason::Bug, panic))
    }

    /// Asks a pool for its status, for so long at most.
    async fn asked<'a>(&self, pool: &'a Pool, backlogs: &HashMap<PathBuf, Backlog>, time: Duration) -> Asked<'a> {
        let socket = pool.status_address().as_ref().ok().and_then(Address::socket);
        let waiting = socket.and_then(|socket| backlogs.get(socket)).is_some_and(|backlog| backlog.waiting > 0);
        let limits = if waiting { ONCE } else { TWICE };
        Asked { pool, uri: scrape_uri(pool), result: self.status(pool, &within(time, limits)).await }
    }

    /// Asks a pool for its status; `None` when it has no status page but answers.
    async fn status(&self, pool: &Pool, limits: &[Duration]) -> Result<Option<Status>, Failure> {
        let address = listening(pool.status_address())?;
        let asking = |what: &str| format!("asking pool {} for {what} at {address}", pool.shown());
        let Some(path) = &pool.status_path else {
            let pong = ask(&self.context, address, Question::Ping, limits).await;
            return pong.map(|_| None).map_err(|failure| failure.context(asking("a sign of life")));
        };
        let params = parameters(path, path, "json&full");
        let question = Question::Request { params: &params, limit: STATUS_BYTES };
        let status = match ask(&self.context, address, question, limits).await {
            Ok(answer) => status::parse(&answer),
            Err(failure) if failure.reason == Reason::Timeout && pool.status_listen.is_none() => {
                Err(failure.context("with `pm.status_listen` a full pool answers, too"))
            }
            Err(failure) => Err(failure),
        };
        status.map(Some).map_err(|failure| failure.context(asking("its status")))
    }

    /// Asks the pools in turn for OPcache until one tells, each for so long at most; `None` when there is none to ask.
    async fn opcache(&self, pools: &[&Pool], time: Duration) -> Result<Option<opcache::Told>, Failure> {
        // A pool in a root of its own cannot see the script; one with workers for the status has them free for this.
        let mut pools: Vec<_> = pools.iter().filter(|pool| !pool.chroot).collect();
        pools.sort_by_key(|pool| pool.status_listen.is_none());
        let (root, script) = (self.context.paths.root.clone(), self.config.opcache_script.clone());
        let script = tokio::task::spawn_blocking(move || script::checked(&root, &script))
            .await
            .map_err(|panic| Failure::new(Reason::Bug, panic))??;
        let script = script.to_string_lossy();
        let mut params = parameters("/vitrin-opcache.php", &script, "").to_vec();
        params.push(("VITRIN_OPCACHE", "1"));
        let limits = within(time, TWICE);
        let mut last = Ok(None);
        for pool in pools.into_iter().take(OPCACHE_TRIES) {
            let address = listening(pool.status_address())?;
            let question = Question::Request { params: &params, limit: OPCACHE_BYTES };
            last = match ask(&self.context, address, question, &limits).await {
                Ok(answer) => opcache::parse(&answer).map(Some),
                Err(failure) => Err(failure),
            }
            .map_err(|failure| failure.context(format!("asking pool {} for OPcache at {address}", pool.shown())));
            // One that does not answer has cost its time; the others have had none yet.
            if last.as_ref().map_or_else(|failure| failure.reason == Reason::Timeout, |_| true) {
                break;
            }
        }
        last
    }
}

impl Pool {
    /// What messages call it.
    fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or("(without a name)")
    }
}

/// The address, or that there is none.
fn listening(listen: &Listen) -> Result<&Address, Failure> {
    listen.as_ref().map_err(|why| Failure::message(Reason::Connect, why.clone()))
}

/// What a web server would send for a GET request. Never `PHP_VALUE` or `PHP_ADMIN_VALUE`: what they set stays set in
/// the worker, for the shop's requests after ours.
fn parameters<'a>(name: &'a str, file: &'a str, query: &'a str) -> [(&'a str, &'a str); 8] {
    [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("QUERY_STRING", query),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", name),
        ("SCRIPT_FILENAME", file),
        ("SCRIPT_NAME", name),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", "vitrin"),
    ]
}

/// Where a pool is asked, in the form that hipages' exporter is configured with: `tcp://127.0.0.1:9000/status`,
/// `unix:///run/php/fpm.sock;/status`.
fn scrape_uri(pool: &Pool) -> String {
    let path = pool.status_path.as_deref().unwrap_or_default();
    match pool.status_address() {
        Ok(Address::Unix(socket)) => format!("unix://{};{path}", socket.display()),
        Ok(address) => format!("tcp://{address}{path}"),
        Err(_) => String::new(),
    }
}

/// The failures of all pools as one.
fn together(mut failures: Vec<Failure>) -> Failure {
    let others = failures.len().saturating_sub(1);
    let first = if failures.is_empty() {
        Failure::message(Reason::Bug, "no pool answered, and none failed")
    } else {
        failures.remove(0)
    };
    if others == 0 { first } else { first.context(format!("no pool answers, {others} besides this one")) }
}
