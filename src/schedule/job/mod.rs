//! A job: one collector watching one target, run once at a time.

mod verdict;
mod watch;

use std::any::Any;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use tokio::sync::watch::{Receiver, channel};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::outcome::{Outcome, Tally};
use crate::collector::{Collector, Context, Failure, Reason};
use crate::config::types::TargetName;
use crate::metric::Metric;
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;

use watch::{Watch, panic_message};

/// After how many of its periods a timer's outcome is too old to show.
const STALE_PERIODS: u32 = 3;

/// One collector and one target: its budget, its run under way, and what came of the last one.
pub struct Job {
    collector: &'static str,
    target: Arc<str>,
    up: Option<&'static Metric<0>>,
    timeout: Duration,
    every: Option<Duration>,
    /// What the collector was made from: its `Config`, with the type forgotten.
    config: Box<dyn Any + Send + Sync>,
    watcher: Arc<dyn Watch>,
    tasks: TaskTracker,
    stop: CancellationToken,
    state: Mutex<State>,
}

/// What a scrape has asked a job for.
pub(super) enum Asked {
    /// It is there.
    Known(Arc<Outcome>),
    /// The job is at it.
    Running(Arc<Job>, Arc<Run>),
}

impl Asked {
    /// The outcome for a scrape that must answer by `deadline`.
    pub(super) async fn outcome(self, deadline: Instant) -> Arc<Outcome> {
        match self {
            Self::Known(outcome) => outcome,
            Self::Running(job, run) => match timeout_at(deadline, run.wait()).await {
                Ok(Some(outcome)) => outcome,
                _ => job.give_up(&run),
            },
        }
    }
}

#[derive(Default)]
struct State {
    run: Option<Arc<Run>>,
    last: Option<Last>,
    tally: Tally,
    /// What was last said of this target in the log; empty when it was well.
    told: String,
    /// The remedies for a complaint, as they were found when it was new.
    remedies: Option<(String, Arc<[Remedy]>)>,
}

/// The last run that has ended.
struct Last {
    outcome: Arc<Outcome>,
    settled: Instant,
}

impl Last {
    /// By the clock that goes further: the wall clock can be set back, and the other one rests while the machine sleeps.
    fn age(&self) -> Duration {
        self.settled.elapsed().max(self.outcome.ended.elapsed().unwrap_or_default())
    }
}

/// A run under way, joined by every scrape that comes while it lasts.
pub(super) struct Run {
    begun: Instant,
    outcome: Receiver<Option<Arc<Outcome>>>,
    /// What scrapes got whose limit was over before this run was; guarded by the job's state.
    late: Mutex<Option<Arc<Outcome>>>,
}

impl Job {
    /// A job for a target; `timeout` is the configured budget of one run.
    #[must_use]
    pub fn new<C: Collector>(
        target: &TargetName,
        config: &C::Config,
        timeout: Option<Duration>,
        context: &Context,
    ) -> Arc<Self> {
        let context = context.of_one(C::NAME, target);
        Arc::new(Self {
            collector: C::NAME,
            target: target.as_str().into(),
            up: C::UP,
            timeout: timeout.unwrap_or(C::TIMEOUT),
            every: C::every(config),
            config: Box::new(config.clone()),
            watcher: Arc::new(C::new(config, &context)),
            tasks: context.tasks,
            stop: context.stop,
            state: Mutex::default(),
        })
    }

    /// Whether [`Job::new`] would make this very job again.
    #[must_use]
    pub fn is<C: Collector>(&self, target: &TargetName, config: &C::Config, timeout: Option<Duration>) -> bool {
        (self.collector, &*self.target, self.timeout) == (C::NAME, target.as_str(), timeout.unwrap_or(C::TIMEOUT))
            && self.config.downcast_ref() == Some(config)
    }

    /// Ends the job's timer and what its collector has started; a run under way goes on for the scrapes that wait for it.
    pub(super) fn retire(&self) {
        self.stop.cancel();
    }

    /// The `collector` label.
    #[must_use]
    pub fn collector(&self) -> &'static str {
        self.collector
    }

    /// The `target` label.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// What came of the last run, if one has ended.
    #[must_use]
    pub fn last(&self) -> Option<Arc<Outcome>> {
        self.state().last.as_ref().map(|last| last.outcome.clone())
    }

    /// Asks the target once, apart from any schedule: the log hears nothing of it.
    pub async fn ask(&self) -> Arc<Outcome> {
        let begun = Instant::now();
        let (out, result) = self.run(None).await;
        let (findings, gaps, _) = out.finish();
        let outcome = Arc::new(Outcome {
            id: Outcome::next_id(),
            collector: self.collector,
            target: self.target.clone(),
            duration: begun.elapsed(),
            ended: SystemTime::now(),
            findings,
            failure: result.err(),
            gaps,
            tally: Tally::default(),
        });
        self.state().last = Some(Last { outcome: outcome.clone(), settled: Instant::now() });
        outcome
    }

    /// Those of [`Job::remedies`], when they are known already.
    #[must_use]
    pub fn known_remedies(&self) -> Option<Arc<[Remedy]>> {
        let state = self.state();
        let (of, known) = state.remedies.as_ref()?;
        state.last.as_ref().is_some_and(|last| last.outcome.complaint() == *of).then(|| known.clone())
    }

    /// The ways out of what the last run complained of, and what would show more; none before the first run.
    ///
    /// They are looked for once per complaint: a page that shows them costs the backends nothing. A panic, or a search
    /// that takes longer than a run may, finds none.
    pub async fn remedies(&self, service: &Service) -> Arc<[Remedy]> {
        // A superuser is told more, and is not a page.
        if !service.superuser
            && let Some(known) = self.known_remedies()
        {
            return known;
        }
        let Some(outcome) = self.last() else { return Arc::new([]) };
        let complaint = outcome.complaint();
        let run = Complaints { failure: outcome.failure.as_ref(), gaps: &outcome.gaps };
        let search = AssertUnwindSafe(self.watcher.remedies(run, service)).catch_unwind();
        let found: Arc<[Remedy]> = match timeout_at(Instant::now() + self.timeout, search).await {
            Ok(Ok(found)) => found.into(),
            _ => Arc::new([]),
        };
        if !service.superuser {
            self.state().remedies = Some((complaint, found.clone()));
        }
        found
    }

    /// Starts the job's own timer, if it has one: a run at once and then one every period, until the program stops.
    ///
    /// The second run comes a little sooner than that, for each job at another moment: what starts together is not to
    /// run together for ever.
    pub(super) fn start_timer(self: &Arc<Self>) {
        if let Some(every) = self.every {
            // At once means before the first scrape can start a run of its own.
            self.join(None);
            self.tasks.spawn(self.clone().tick(every));
        }
    }

    async fn tick(self: Arc<Self>, every: Duration) {
        let mut ticks = interval_at(Instant::now() + every.mul_f64(self.phase()), every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while self.stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let run = self.join(None);
            self.stop.run_until_cancelled(run.wait()).await;
        }
    }

    /// How much of a period passes before the second run: half of it to all, the same at each start.
    fn phase(&self) -> f64 {
        let mut hasher = DefaultHasher::new();
        (self.collector, &self.target).hash(&mut hasher);
        let [byte, ..] = hasher.finish().to_be_bytes();
        0.5 + f64::from(byte) / 510.0
    }

    /// What a scrape that must answer by `deadline` gets of this job: what a timer has found, or a run that was started
    /// or joined just now.
    pub(super) fn begin(self: &Arc<Self>, deadline: Instant) -> Asked {
        match self.every.and_then(|every| self.unless_stale(every)) {
            Some(outcome) => Asked::Known(outcome),
            None => Asked::Running(self.clone(), self.join(Some(deadline))),
        }
    }

    /// Joins the run under way, or starts one that is waited for until `deadline`.
    fn join(self: &Arc<Self>, deadline: Option<Instant>) -> Arc<Run> {
        let mut state = self.state();
        if let Some(run) = state.run.as_ref().filter(|run| run.is_alive()) {
            return run.clone();
        }
        let (sender, outcome) = channel(None);
        let run = Arc::new(Run { begun: Instant::now(), outcome, late: Mutex::default() });
        state.run = Some(run.clone());
        let (job, joined) = (self.clone(), run.clone());
        self.tasks.spawn(async move {
            let (snapshot, result) = job.run(deadline).await;
            sender.send_replace(Some(job.settle(&joined, snapshot, result)));
        });
        run
    }

    /// One run within its budget, behind the panic wall.
    async fn run(&self, deadline: Option<Instant>) -> (Snapshot, Result<(), Failure>) {
        let end = Instant::now() + self.timeout;
        let until = deadline.map_or(end, |deadline| deadline.min(end));
        let fail = |reason, message: String| (Snapshot::default(), Err(Failure::message(reason, message)));
        let run = AssertUnwindSafe(self.watcher.clone().run(until)).catch_unwind();
        match timeout_at(end, run).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(panic)) => fail(Reason::Bug, format!("the collector panicked: {}", panic_message(panic.as_ref()))),
            Err(_) => fail(Reason::Timeout, format!("no answer within {:?}", self.timeout)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

impl Run {
    /// The run's outcome, once there is one; `None` if it was dropped, as the program stopped.
    async fn wait(&self) -> Option<Arc<Outcome>> {
        let mut outcome = self.outcome.clone();
        let ended = outcome.wait_for(Option::is_some).await.ok()?;
        (*ended).clone()
    }

    /// Whether its task is still there: one that was lost to a bug of ours must not be waited for for ever.
    fn is_alive(&self) -> bool {
        self.outcome.has_changed().is_ok()
    }

    fn late(&self) -> MutexGuard<'_, Option<Arc<Outcome>>> {
        self.late.lock().expect("no code panics while it holds this lock")
    }
}
