//! A job: one collector watching one target, run once at a time.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::outcome::{Outcome, Tally};
use crate::collector::{Collector, Context, Failure, Reason};
use crate::config::types::TargetName;
use crate::metric::Metric;
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;

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

/// A collector with its type forgotten.
trait Watch: Send + Sync {
    fn run(self: Arc<Self>, until: Instant) -> BoxFuture<'static, (Snapshot, Result<(), Failure>)>;
    fn remedies<'a>(&'a self, run: Complaints<'a>, service: &'a Service) -> BoxFuture<'a, Vec<Remedy>>;
}

impl<C: Collector> Watch for C {
    fn run(self: Arc<Self>, until: Instant) -> BoxFuture<'static, (Snapshot, Result<(), Failure>)> {
        async move {
            let mut out = Snapshot::until(until);
            let result = self.collect(&mut out).await;
            (out, result)
        }
        .boxed()
    }

    fn remedies<'a>(&'a self, run: Complaints<'a>, service: &'a Service) -> BoxFuture<'a, Vec<Remedy>> {
        Collector::remedies(self, run, service).boxed()
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
    outcome: watch::Receiver<Option<Arc<Outcome>>>,
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
        let context = context.of_one();
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
    pub(super) fn start_timer(self: &Arc<Self>) {
        if let Some(every) = self.every {
            // At once means before the first scrape can start a run of its own.
            self.join(None);
            self.tasks.spawn(self.clone().tick(every));
        }
    }

    async fn tick(self: Arc<Self>, every: Duration) {
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while self.stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let run = self.join(None);
            self.stop.run_until_cancelled(run.wait()).await;
        }
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
        let (sender, outcome) = watch::channel(None);
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

    /// Ends a run: its samples, or what is true of a target that is down; counted, and told when the news has changed.
    fn settle(&self, run: &Run, mut out: Snapshot, result: Result<(), Failure>) -> Arc<Outcome> {
        if result.is_err() {
            out = out.failed();
        }
        if let Some(up) = self.up {
            out.push_up(up, result.is_ok());
        }
        let (findings, gaps, dropped) = out.finish();
        let failure = result.err();
        let (duration, ended) = (run.begun.elapsed(), SystemTime::now());

        let mut state = self.state();
        state.tally.add_run(duration);
        // The scrape that gave up on this run has counted and told already that it takes too long.
        let known = |failure: Option<&Failure>| {
            run.late().is_some() && failure.is_none_or(|failure| failure.reason == Reason::Timeout)
        };
        state.tally.add_dropped(dropped);
        for gap in &gaps {
            state.tally.count(gap.reason);
        }
        match &failure {
            Some(failure) if known(Some(failure)) => {}
            Some(failure) => state.tally.count(failure.reason),
            None => state.tally.last_success = Some(ended),
        }
        let outcome = Arc::new(Outcome {
            id: Outcome::next_id(),
            collector: self.collector,
            target: self.target.clone(),
            duration,
            ended,
            findings,
            failure,
            gaps,
            tally: state.tally.clone(),
        });
        // An answer that came too late is no recovery for those who waited for it, either.
        if !known(outcome.failure.as_ref()) {
            self.tell(&mut state, &outcome);
        }
        state.run = None;
        state.last = Some(Last { outcome: outcome.clone(), settled: Instant::now() });
        outcome
    }

    /// What a scrape gets whose limit is over before the run is; the run goes on for those with more time.
    fn give_up(&self, run: &Run) -> Arc<Outcome> {
        let mut state = self.state();
        if let Some(outcome) = &*run.late() {
            return outcome.clone();
        }
        state.tally.count(Reason::Timeout);
        let duration = run.begun.elapsed();
        // Without the time waited: a message that is never the same twice would be logged at every scrape.
        let failure = Failure::message(Reason::Timeout, "no answer within the scrape's limit");
        let outcome = self.down(&state, duration, failure);
        self.tell(&mut state, &outcome);
        *run.late() = Some(outcome.clone());
        outcome
    }

    /// A timer's last outcome, or that it is too old to show; `None` before the first.
    fn unless_stale(&self, every: Duration) -> Option<Arc<Outcome>> {
        let mut state = self.state();
        let last = state.last.as_ref()?;
        if last.age() <= every * STALE_PERIODS {
            return Some(last.outcome.clone());
        }
        let duration = last.outcome.duration;
        state.tally.count(Reason::Stale);
        let message = format!("no run has ended for {STALE_PERIODS} periods of {every:?}");
        let outcome = self.down(&state, duration, Failure::message(Reason::Stale, message));
        self.tell(&mut state, &outcome);
        Some(outcome)
    }

    fn down(&self, state: &State, duration: Duration, failure: Failure) -> Arc<Outcome> {
        let mut out = Snapshot::default();
        if let Some(up) = self.up {
            out.push_up(up, false);
        }
        Arc::new(Outcome {
            id: Outcome::next_id(),
            collector: self.collector,
            target: self.target.clone(),
            duration,
            ended: SystemTime::now(),
            findings: out.finish().0,
            failure: Some(failure),
            gaps: Vec::new(),
            tally: state.tally.clone(),
        })
    }

    /// Logs how a target fares, when that has changed.
    fn tell(&self, state: &mut State, outcome: &Outcome) {
        let news = outcome.complaint();
        if news == state.told {
            return;
        }
        let (collector, target) = (self.collector, &*self.target);
        match &outcome.failure {
            Some(failure) => warn!(collector, target, reason = failure.reason.as_str(), "down: {news}"),
            None if news.is_empty() => info!(collector, target, "up, and nothing is missing any more"),
            None => warn!(collector, target, "up, but a part is missing: {news}"),
        }
        state.told = news;
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

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(message), _) => message,
        (_, Some(message)) => message,
        _ => "no message",
    }
}
