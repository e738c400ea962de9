//! Seeing what another user sees: a thread of root's that has given up all of root's rights.
//!
//! On Linux user and groups are a thread's own, and threads that it starts inherit them. So the jobs run with the rights
//! of the service, beside a root that reads facts, and no second program is needed for that.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use tokio::time::sleep;

use super::Seen;
use crate::collector::{Collector as _, Context, Paths, Reason};
use crate::collectors::marketplace::Marketplace;
use crate::config::Config;
use crate::remedy::Service;
use crate::schedule::{Outcome, Schedule, Selection};

/// What stands in for a user that is yet to be made: nobody, in no group.
const NOBODY: u32 = 65_534;

/// How long a look may take: longer than any collector's own limit.
const PATIENCE: Duration = Duration::from_secs(35);

/// How long a server that does not answer is given to read its configuration again.
const BREATH: Duration = Duration::from_secs(1);

/// Runs `see` as the service's user would see it, if we are root; else as we do.
pub(in crate::cli) fn look<T: Send>(service: &Service, see: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
    if !service.superuser {
        return Ok(see());
    }
    let (uid, gid, groups) = match &service.account {
        Some(account) => (account.uid, account.gid, account.groups.clone()),
        None => (NOBODY, NOBODY, Vec::new()),
    };
    let witness = move || {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        let groups: Vec<_> = groups.into_iter().map(Gid::from_raw).collect();
        set_thread_groups(&groups).context("taking the groups of the user")?;
        set_thread_res_gid(gid, gid, gid).context("taking the group of the user")?;
        // Last: from here on this thread may do nothing that the user may not.
        set_thread_res_uid(uid, uid, uid).context("becoming the user")?;
        Ok(see())
    };
    std::thread::scope(|scope| scope.spawn(witness).join()).map_err(|_| anyhow!("the look at the targets panicked"))?
}

/// Runs every job once, and all once more when one of them may just be on its way up; but no marketplace, which counts
/// how often it is asked.
pub(super) async fn ask(config: &Config, paths: &Paths) -> Seen {
    let mut seen = ask_once(config, paths, &Selection::All).await;
    let once_more = Selection::Without([Marketplace::NAME.to_owned()].into());
    let may_come = |reason| matches!(reason, Reason::Connect | Reason::Protocol | Reason::Timeout);
    let asked_again = seen.outcomes.iter().filter(|outcome| once_more.takes(outcome.collector, &outcome.target));
    let mut missing = asked_again.flat_map(|outcome| outcome.failure.iter().chain(&outcome.gaps));
    if !missing.any(|failure| may_come(failure.reason)) {
        return seen;
    }
    sleep(BREATH).await;
    let again = ask_once(config, paths, &once_more).await;
    for (job, new) in seen.jobs.iter_mut().zip(again.jobs) {
        if once_more.takes(new.collector(), new.target()) {
            *job = new;
        }
    }
    for outcome in &mut seen.outcomes {
        let is_it = |new: &&Arc<Outcome>| (new.collector, &new.target) == (outcome.collector, &outcome.target);
        if let Some(new) = again.outcomes.iter().find(is_it) {
            *outcome = new.clone();
        }
    }
    seen
}

async fn ask_once(config: &Config, paths: &Paths, selection: &Selection) -> Seen {
    let context = Context::new(paths.clone());
    let schedule = Schedule::start(config.collectors.jobs(&context, &[]));
    let outcomes = schedule.scrape(selection, PATIENCE).await;
    context.stop.cancel();
    Seen { jobs: schedule.jobs().to_vec(), outcomes }
}
