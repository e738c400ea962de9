//! The configuration in use and the schedule made from it, which a reload replaces as a whole or not at all.

mod looking;
mod ways;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use tokio::sync;
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use crate::collector::Context;
use crate::config::exposition::Exposition;
use crate::config::objectives::Objectives;
use crate::config::secret::Environment;
use crate::config::{self, Loaded, Problem};
use crate::discovery::Discovered;
use crate::schedule::{LONGEST_SCRAPE, Schedule};
use crate::snapshot::Snapshot;

/// What is served at the moment.
pub struct Running {
    /// The configuration file named on the command line.
    named: Option<PathBuf>,
    environment: Environment,
    context: Context,
    state: Mutex<State>,
    /// One reload at a time.
    turn: sync::Mutex<()>,
    /// One search for ways out at a time.
    search: Arc<sync::Mutex<()>>,
}

/// The schedule, and how the last attempt to load a configuration went.
#[derive(Clone)]
struct State {
    schedule: Arc<Schedule>,
    exposition: Exposition,
    objectives: Arc<Objectives>,
    /// What was found on the machine; `None` when a configuration says what is watched.
    discovered: Option<Arc<Discovered>>,
    successful: bool,
    /// When a configuration was last taken.
    taken: SystemTime,
}

impl Running {
    /// Starts what this configuration asks for; `named` and `environment` are what it was loaded from.
    #[must_use]
    pub fn start(loaded: &Loaded, named: Option<PathBuf>, environment: Environment, context: Context) -> Arc<Self> {
        let schedule = Arc::new(Schedule::start(loaded.config.collectors.jobs(&context, &[])));
        context.tasks.spawn(look_around(schedule.clone()));
        let discovered = loaded.file.is_none().then(Arc::default);
        let exposition = loaded.config.collectors.exposition;
        let objectives = Arc::new(loaded.config.collectors.objectives.clone());
        let taken = SystemTime::now();
        let state = State { schedule, exposition, objectives, discovered, successful: true, taken };
        let state = Mutex::new(state);
        Arc::new(Self { named, environment, context, state, turn: sync::Mutex::default(), search: Arc::default() })
    }

    /// The schedule in use. Who holds it is not disturbed by a reload.
    #[must_use]
    pub fn schedule(&self) -> Arc<Schedule> {
        self.state().schedule.clone()
    }

    /// How pages are written.
    #[must_use]
    pub fn exposition(&self) -> Exposition {
        self.state().exposition
    }

    /// What the shop promises.
    #[must_use]
    pub fn objectives(&self) -> Arc<Objectives> {
        self.state().objectives.clone()
    }

    /// Whether the configuration in the file was taken the last time it was read, and when one was taken last.
    #[must_use]
    pub fn last_reload(&self) -> (bool, SystemTime) {
        let state = self.state();
        (state.successful, state.taken)
    }

    /// Reads the configuration again. Targets whose configuration is the same go on with all they know; the others
    /// start and end.
    ///
    /// # Errors
    /// When the file holds no configuration; everything stays as it was then.
    pub async fn reload(&self) -> Result<Change, Problem> {
        let _turn = self.turn.lock().await;
        let (named, environment) = (self.named.clone(), self.environment.clone());
        // A file system that hangs must not hang the scrapes, too.
        let loaded = spawn_blocking(move || config::load(named.as_deref(), environment)).await;
        let loaded = match loaded.unwrap_or_else(|_| Err(Problem::interrupted())) {
            Ok(loaded) => loaded,
            Err(problem) => {
                self.state().successful = false;
                warn!("the configuration was not reloaded, what was running goes on: {problem}");
                return Err(problem);
            }
        };
        for warning in &loaded.warnings {
            warn!("{warning}");
        }
        if let Some(folder) = self.context.state() {
            let (now, wanted) = (folder.path(), loaded.config.state_dir(&self.environment));
            if now != wanted {
                warn!("state stays in {} until the next start, then it is in {}", now.display(), wanted.display());
            }
        }
        // Anew: what is not there any more is forgotten, and what did not let us in is asked at once.
        let discovered = match &loaded.file {
            Some(_) => None,
            None => Some(Arc::new(self.discover(&Discovered::default()).await)),
        };
        let config = discovered.as_ref().map_or(loaded.config, |discovered| discovered.open(&self.environment));
        let before = self.schedule();
        let jobs = config.collectors.jobs(&self.context, before.jobs());
        let after = Arc::new(before.succeeded_by(jobs));
        let change = Change::between(&before, &after);
        let exposition = config.collectors.exposition;
        let objectives = Arc::new(config.collectors.objectives);
        let taken = SystemTime::now();
        *self.state() = State { schedule: after.clone(), exposition, objectives, discovered, successful: true, taken };
        if let Some(file) = &loaded.file {
            info!("reloaded {}: {change}", file.display());
        } else {
            info!("looked again, as there is no configuration at {}: {change}", config::DEFAULT_FILE);
        }
        self.context.tasks.spawn(look_around(after));
        Ok(change)
    }

    /// Pushes whether what must outlive the program is kept.
    pub(crate) fn report_state(&self, out: &mut Snapshot) {
        if let Some(folder) = self.context.state() {
            folder.report(out);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

/// Runs the jobs that have not run yet, so that the log and the landing page know how their targets fare before the
/// first scrape.
async fn look_around(schedule: Arc<Schedule>) {
    schedule.first_runs(LONGEST_SCRAPE).await;
}

/// What a reload changed, in jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Go on as they were.
    pub kept: usize,
    /// New, or with another configuration.
    pub started: usize,
    /// Gone, or replaced.
    pub ended: usize,
}

impl Change {
    fn between(before: &Schedule, after: &Schedule) -> Self {
        let kept = after.jobs().iter().filter(|job| before.jobs().iter().any(|other| Arc::ptr_eq(job, other))).count();
        Self { kept, started: after.jobs().len() - kept, ended: before.jobs().len() - kept }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, started, ended } = self;
        write!(f, "of the jobs, {kept} went on, {started} started, {ended} ended")
    }
}
