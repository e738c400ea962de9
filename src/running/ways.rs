//! What would show more: the ways out that each target's job knows.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::geteuid;
use tokio::time::timeout;

use super::Running;
use crate::account::Account;
use crate::collector::Paths;
use crate::remedy::{Remedy, Service, USER};
use crate::schedule::Job;

/// How long a page waits for a search: servers that answer have done so by then.
const PATIENCE: Duration = Duration::from_secs(1);

impl Running {
    /// The ways out for what is served and for what was found closed, each once, what is wrong before what would show
    /// more; and whether that is all.
    ///
    /// They are looked for when somebody wants to know, once for each thing that is new.
    pub async fn remedies(&self) -> (Vec<Remedy>, bool) {
        let jobs = self.jobs();
        let is_known = |job: &Arc<Job>| job.known_remedies().is_some() || job.last().is_none();
        if !jobs.iter().all(is_known)
            && let Ok(turn) = self.search.clone().try_lock_owned()
        {
            let (jobs, paths) = (jobs.clone(), self.context.paths.clone());
            let search = self.context.tasks.spawn(async move {
                let service = service(&paths);
                join_all(jobs.iter().map(|job| job.remedies(&service))).await;
                drop(turn);
            });
            // It goes on for the next one who asks.
            drop(timeout(PATIENCE, search).await);
        }
        let mut found: Vec<Remedy> = Vec::new();
        for remedy in jobs.iter().filter_map(|job| job.known_remedies()).flat_map(|known| known.to_vec()) {
            if !found.contains(&remedy) {
                found.push(remedy);
            }
        }
        found.sort_by_key(|remedy| remedy.kind);
        (found, jobs.iter().all(is_known))
    }

    /// The jobs of the schedule, and those that found a server closed.
    fn jobs(&self) -> Vec<Arc<Job>> {
        let mut jobs = self.schedule().jobs().to_vec();
        if let Some(discovered) = self.discovered() {
            jobs.extend(discovered.locked().map(|(_, locked)| locked.job.clone()));
        }
        jobs
    }
}

/// Ourselves, as remedies have to name us: never as a superuser, whoever we run as.
fn service(paths: &Paths) -> Service {
    let account = Account::numbered(&paths.root, geteuid().as_raw()).ok().flatten();
    // Somebody who tries it out as themselves, or as root, will let another user serve.
    let account = account.filter(|account| account.name == USER);
    Service {
        user: USER.to_owned(),
        group: USER.to_owned(),
        account,
        program: "vitrin".to_owned(),
        paths: paths.clone(),
        superuser: false,
    }
}
