//! Without a configuration: what is found on the machine is served, and the machine looked at again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::{Running, look_around};
use crate::discovery::{Discovered, Found};

/// How often the machine is looked at: who has just let us in sees it soon.
const EVERY: Duration = Duration::from_mins(1);

/// How long the start waits for the first look, so that the first scrape shows what was found; a server that hangs takes
/// longer to be given up.
const FIRST_LOOK: Duration = Duration::from_secs(1);

impl Running {
    /// What was found on the machine; `None` when a configuration says what is watched.
    #[must_use]
    pub fn discovered(&self) -> Option<Arc<Discovered>> {
        self.state().discovered.clone()
    }

    /// Looks at the machine, now and every minute from now on, for as long as there is no configuration. Returns after
    /// the first look, or a second.
    pub async fn keep_looking(self: &Arc<Self>) {
        let running = self.clone();
        let first = self.context.tasks.spawn(async move { running.look().await });
        let running = self.clone();
        self.context.tasks.spawn(async move {
            while running.context.stop.run_until_cancelled(sleep(EVERY)).await.is_some() {
                running.context.stop.run_until_cancelled(running.look()).await;
            }
        });
        if timeout(FIRST_LOOK, first).await.is_err() {
            info!("a server that was found takes its time to answer; it is served as soon as it does");
        }
    }

    /// One look, and its consequences.
    async fn look(&self) {
        let _turn = self.turn.lock().await;
        let Some(before) = self.discovered() else { return };
        let after = self.discover(&before).await;
        let schedule = self.schedule();
        let jobs = after.open(&self.environment).collectors.jobs(&self.context, schedule.jobs());
        let schedule = Arc::new(schedule.succeeded_by(jobs));
        {
            // How the last attempt to load a configuration went stays as it is.
            let mut state = self.state();
            state.schedule = schedule.clone();
            state.discovered = Some(Arc::new(after));
        }
        self.context.tasks.spawn(look_around(schedule));
    }

    /// What is found now, by one who knows what was found before; the log hears what is new.
    pub(super) async fn discover(&self, before: &Discovered) -> Discovered {
        let mut after = before.clone();
        after.look(&self.context.on_trial(), &self.environment).await;
        for found in after.found() {
            tell(before.found().find(|other| other.topic == found.topic && other.target == found.target), found);
        }
        after
    }
}

/// Tells the log of what was not so before.
fn tell(before: Option<&Found>, found: &Found) {
    let Found { topic, target, seen, .. } = found;
    let (collector, target) = (*topic, target.as_str());
    let was = before.map(|before| before.locked.as_ref().map(|locked| locked.why.as_str()));
    match (was, &found.locked) {
        (None, None) => info!(collector, target, "found: {seen}"),
        (Some(Some(_)), None) => info!(collector, target, "lets Vitrin in now: {seen}"),
        (Some(Some(why)), Some(locked)) if why == locked.why => {}
        (_, Some(locked)) => {
            let why = &locked.why;
            warn!(collector, target, "found, but it does not let Vitrin in; see `vitrin check`: {seen}: {why}");
        }
        (Some(None), None) => {}
    }
}
