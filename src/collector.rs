//! The contract: one collector watches one target, and says what it found or why it could not.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::types::TargetName;
use crate::metric::{Catalogue, Metric};
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;
use crate::state::{Folder, Slot};

/// Watches one target of one kind.
///
/// A collector does not log, time itself, retry, or know its target's name: the scheduler does. There are three
/// endings: `Ok`; `Err`, the target is down and what was pushed is thrown away (but for [`Snapshot::keep`]); and
/// [`Snapshot::gap`], the target is up but a part of it gave nothing.
pub trait Collector: Sized + Send + Sync + 'static {
    /// The `collector` label; for the main collector of a topic, the topic.
    const NAME: &'static str;
    /// What it may emit.
    const METRICS: &'static [Catalogue];
    /// The drop-in metric that says the same as `vitrin_up` (`redis_up`), emitted by the scheduler.
    const UP: Option<&'static Metric<0>> = None;
    /// How long a run may take when the configuration does not say.
    const TIMEOUT: Duration = Duration::from_secs(5);
    /// One target's configuration. At a reload, a target whose configuration is equal keeps its collector.
    type Config: Clone + PartialEq + Send + Sync + 'static;

    /// How often it runs on its own timer; `None` runs it at each scrape.
    fn every(_config: &Self::Config) -> Option<Duration> {
        None
    }

    /// Whether the configuration asks for it: a topic's slow parts can be left out.
    fn wanted(_config: &Self::Config) -> bool {
        true
    }

    /// Makes the collector. No I/O; it may start a task through `context.tasks`.
    fn new(config: &Self::Config, context: &Context) -> Self;

    /// Reads the target once and pushes what it found.
    fn collect(&self, out: &mut Snapshot) -> impl Future<Output = Result<(), Failure>> + Send;

    /// The ways out of what a run has complained of, and what would show more.
    ///
    /// The server and its files are asked, not the texts of errors, and nothing is changed. Root sees more and is told
    /// more exactly.
    fn remedies(&self, _run: Complaints<'_>, _service: &Service) -> impl Future<Output = Vec<Remedy>> + Send {
        ready(Vec::new())
    }
}

/// What collectors share.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where the host's file systems are.
    pub paths: Paths,
    /// Starts tasks that end when `stop` is cancelled.
    pub tasks: TaskTracker,
    /// Cancelled when the program ends; a collector's own, also when a reload replaces the collector.
    pub stop: CancellationToken,
    /// Whether this is the program that serves: only then may a collector keep something, or watch all the time. Not so
    /// for who asks a target once, to see how it fares.
    pub serving: bool,
    /// Where a collector keeps what must outlive the program; `None` unless it serves.
    pub slot: Option<Slot>,
    state: Option<Arc<Folder>>,
    gates: Gates,
}

/// The gate of each backend address.
type Gates = Arc<Mutex<HashMap<String, Arc<Gate>>>>;

/// At most two connections at a time to one backend, all of Vitrin together: monitoring never takes more of a server's
/// connection slots than a person with two terminals would.
///
/// Hold a permit for as long as you talk. What runs at the scrape may keep its connection open between scrapes; slow
/// jobs close theirs before they let go of the permit.
#[derive(Debug)]
pub struct Gate {
    /// For what runs at the scrape.
    pub scrape: Semaphore,
    /// For jobs on a timer: a slow one delays its like, never a scrape.
    pub slow: Semaphore,
}

impl Context {
    /// A context of its own, for who asks targets once; with no backend known yet.
    #[must_use]
    pub fn new(paths: Paths) -> Self {
        Self {
            paths,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            serving: false,
            slot: None,
            state: None,
            gates: Gates::default(),
        }
    }

    /// A context for who serves, and keeps its state in this folder.
    #[must_use]
    pub fn serving(paths: Paths, state: Arc<Folder>) -> Self {
        Self { serving: true, state: Some(state), ..Self::new(paths) }
    }

    /// The same for one collector and its target, which can be stopped alone.
    #[must_use]
    pub fn of_one(&self, collector: &str, target: &TargetName) -> Self {
        let slot = self.state.as_ref().map(|folder| Slot::new(folder.clone(), collector, target));
        Self { stop: self.stop.child_token(), slot, ..self.clone() }
    }

    /// The same for a look at what there is, beside what is served: it keeps nothing.
    #[must_use]
    pub fn on_trial(&self) -> Self {
        Self { serving: false, slot: None, state: None, ..self.clone() }
    }

    /// The folder of all state; `None` unless it serves.
    #[must_use]
    pub fn state(&self) -> Option<&Arc<Folder>> {
        self.state.as_ref()
    }

    /// The gate of the backend at `address`, shared by all who talk to it at a time.
    #[must_use]
    pub fn gate(&self, address: &str) -> Arc<Gate> {
        let mut gates = self.gates.lock().expect("no code panics while it holds this lock");
        // A gate that nobody holds is nobody's turn to wait at; pools come and go, and their addresses with them.
        gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        let gate = || Arc::new(Gate { scrape: Semaphore::new(1), slow: Semaphore::new(1) });
        gates.entry(address.to_owned()).or_insert_with(gate).clone()
    }
}

/// Where the host's `/proc`, `/sys` and `/` are mounted; other than the defaults inside a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// procfs.
    pub proc: PathBuf,
    /// sysfs.
    pub sys: PathBuf,
    /// The root file system.
    pub root: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), root: "/".into() }
    }
}

/// Why a target, or a part of it, gave no data: the values of `reason` in `vitrin_collect_failures_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The target refused our credentials.
    Auth,
    /// Vitrin's own fault.
    Bug,
    /// No connection: nothing listens there, or the name does not resolve.
    Connect,
    /// The answer was larger than we are ready to read.
    Limit,
    /// We were let in, but may not see this.
    Permission,
    /// The answer was not what such a server says.
    Protocol,
    /// There was data, but it is too old to show.
    Stale,
    /// No answer in time.
    Timeout,
    /// TLS could not be agreed on, or the certificate is not to be trusted.
    Tls,
}

impl Reason {
    /// All reasons, in the order of their names.
    pub const ALL: [Self; 9] = [
        Self::Auth,
        Self::Bug,
        Self::Connect,
        Self::Limit,
        Self::Permission,
        Self::Protocol,
        Self::Stale,
        Self::Timeout,
        Self::Tls,
    ];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Bug => "bug",
            Self::Connect => "connect",
            Self::Limit => "limit",
            Self::Permission => "permission",
            Self::Protocol => "protocol",
            Self::Stale => "stale",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
        }
    }
}

/// A reason, which is the label, and what happened, which is for the log.
#[derive(Debug)]
pub struct Failure {
    /// The label value.
    pub reason: Reason,
    source: anyhow::Error,
}

impl Failure {
    /// A failure from an error or a sentence.
    pub fn new(reason: Reason, source: impl Into<anyhow::Error>) -> Self {
        Self { reason, source: source.into() }
    }

    /// A failure described by a message alone.
    pub fn message(reason: Reason, message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self { reason, source: anyhow::Error::msg(message) }
    }

    /// A failed read, write or connect, with the reason its kind tells.
    pub fn io(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let reason = match error.kind() {
            Kind::PermissionDenied => Reason::Permission,
            Kind::TimedOut | Kind::WouldBlock => Reason::Timeout,
            Kind::InvalidData | Kind::UnexpectedEof | Kind::BrokenPipe | Kind::ConnectionReset => Reason::Protocol,
            _ => Reason::Connect,
        };
        Self::new(reason, error)
    }

    /// Says what was being done, and to what: `reading the FPM status of 127.0.0.1:9000`.
    #[must_use]
    pub fn context(self, doing: impl fmt::Display + Send + Sync + 'static) -> Self {
        Self { reason: self.reason, source: self.source.context(doing) }
    }
}

/// The whole chain on one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_shared_for_as_long_as_somebody_holds_it_and_then_forgotten() {
        let context = Context::new(Paths::default());
        let held = context.gate("/run/a.sock");
        for pool in 0..100 {
            drop(context.gate(&format!("/run/{pool}.sock")));
        }
        assert!(Arc::ptr_eq(&held, &context.gate("/run/a.sock")));
        assert_eq!(context.gates.lock().unwrap().len(), 1);
    }
}
