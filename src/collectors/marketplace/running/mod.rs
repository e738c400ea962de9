//! An account at work: its probes on timers of their own, its tokens, and what keeps it from asking.
//!
//! Nothing here happens because of a scrape, which is only told. There is no second try within a tick: a monitor that
//! tries again hides outages, and doubles the load while they last. The one exception is a token that was refused before
//! its end.

mod ask;
mod keep;
mod report;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use hyper::Uri;
use tokio::time::{Instant, sleep_until};

use super::exchange::{Limits as Sizes, Timeouts, Way};
use super::limits::Limits;
use super::pace::Pace;
use super::preset::{Account, Auth, AuthKind, Moment, OAuth2, Probe};
use super::result::Outcome;
use super::skip::Skip;
use super::standing::{Shown, Standing};
use super::tally::Counts;
use super::tokens::{self, Lack, Means, Tokens};
use crate::collector::{Context, Reason};
use crate::net::threads::Threads;
use crate::state::Claim;

pub(super) use ask::turn;

const NO_PANIC: &str = "no code panics while it holds this lock";

/// An account at work.
#[derive(Debug)]
pub(super) struct Running {
    account: Account,
    way: Way,
    context: Context,
    probes: Vec<Mutex<State>>,
    /// By the place of the auth that they are of.
    tokens: Vec<Option<Tokens>>,
    token_tally: Arc<tokens::Tally>,
    shared: Mutex<Shared>,
    claim: Mutex<Option<Claim>>,
    /// What the account is, for who goes on from what was kept.
    mark: u64,
}

/// One probe.
#[derive(Debug)]
struct State {
    counts: Counts,
    pace: Pace,
    turn: u64,
    last_run: Option<SystemTime>,
    /// Why it did not end well the last time.
    trouble: Option<(Outcome, Reason, String)>,
    /// What its answers were taken for; nothing while it serves.
    explained: Vec<String>,
}

/// What all probes of the account share.
#[derive(Debug)]
struct Shared {
    standing: Standing,
    limits: Limits,
}

/// A probe that is due.
#[derive(Clone, Copy)]
struct Due<'a> {
    index: usize,
    probe: &'a Probe,
    /// Whom it shows.
    shown: Option<Shown>,
    /// Whether it was just made with a token that was refused.
    is_again: bool,
}

impl Running {
    pub(super) fn new(account: &Account, context: &Context) -> Arc<Self> {
        let now = SystemTime::now();
        let state = |probe: &Probe| State {
            counts: Counts::new(probe.rules.classify.iter().flat_map(|rule| rule.codes.iter().cloned())),
            pace: Pace::new(probe.pace.every, probe.pace.is_least),
            turn: Moment::first_turn(now, probe.pace.every),
            last_run: None,
            trouble: None,
            explained: Vec::new(),
        };
        let way = Way {
            ip: account.ip,
            resolve: account.resolve.clone(),
            extra_ca_file: account.ca_file.clone(),
            limits: Sizes::default(),
            timeouts: Timeouts::default(),
            threads: Threads::default(),
        };
        let token_tally = Arc::<tokens::Tally>::default();
        let buckets = account.probes.iter().map(bucket);
        Arc::new(Self {
            probes: account.probes.iter().map(|probe| Mutex::new(state(probe))).collect(),
            tokens: account.auths.iter().map(|auth| oauth(auth).map(|_| Tokens::new(token_tally.clone()))).collect(),
            token_tally,
            shared: Mutex::new(Shared {
                standing: Standing::new(account.auths.len(), account.probes.len()),
                limits: Limits::new(buckets),
            }),
            claim: Mutex::default(),
            mark: keep::mark(account),
            way,
            account: account.clone(),
            context: context.clone(),
        })
    }

    /// Starts the timers, which end with the collector.
    pub(super) fn start(self: &Arc<Self>) {
        let running = self.clone();
        self.context.tasks.spawn(async move {
            let stop = running.context.stop.clone();
            stop.run_until_cancelled(running.resume()).await;
            for index in 0..running.probes.len() {
                let one = running.clone();
                let stop = stop.clone();
                running.context.tasks.spawn(async move {
                    stop.run_until_cancelled(one.drive(index)).await;
                    one.save();
                });
            }
        });
    }

    /// Makes each probe once, one after the other: for who wants to know how things are.
    pub(super) async fn once(&self) {
        for index in 0..self.probes.len() {
            self.tick(index).await;
        }
    }

    async fn drive(&self, index: usize) {
        let probe = &self.account.probes[index];
        let mut due = Instant::now() + self.first(index);
        loop {
            sleep_until(due).await;
            self.tick(index).await;
            self.save();
            let next = self.state(index).pace.next();
            let now = Instant::now();
            due += next;
            if due < now {
                // It took longer than its interval: what was due meanwhile is not made up for.
                self.state(index).counts.skip(Skip::Overlap);
                due = now + next.min(probe.pace.every);
            }
        }
    }

    /// How long it is until a probe is made for the first time: never sooner after the last one, which may have been
    /// before a restart, than it is made at all.
    fn first(&self, index: usize) -> Duration {
        let state = self.state(index);
        let first = state.pace.first(format!("{:?}", self.account.probes[index]));
        let since = state.last_run.and_then(|last| SystemTime::now().duration_since(last).ok());
        since.map_or(first, |since| first.max(state.pace.interval().saturating_sub(since)))
    }

    /// A probe is due.
    async fn tick(&self, index: usize) {
        let probe = &self.account.probes[index];
        let shown = self.account.auth(probe);
        let shown = shown.map(|auth| Shown { auth, credentials: self.account.auths[auth].mark_written() });
        let skip = self.shared().standing.skip(index, shown, Instant::now());
        if let Some(skip) = skip {
            self.state(index).counts.skip(skip);
            return;
        }
        let due = Due { index, probe, shown, is_again: false };
        let keep = || self.save();
        let tokens = shown.and_then(|shown| {
            let oauth = oauth(&self.account.auths[shown.auth])?;
            let means = Means {
                way: &self.way,
                context: &self.context,
                environment: &self.account.environment,
                credentials: self.account.auths[shown.auth].mark(),
                keep: &keep,
            };
            Some((shown.auth, oauth, self.tokens[shown.auth].as_ref()?, means))
        });
        let Some((auth, oauth, tokens, means)) = tokens else {
            self.ask(due, None).await;
            return;
        };
        let lent = match tokens.lend(oauth, &means).await {
            Ok(lent) => lent,
            Err(lack) => return self.do_without(due, lack),
        };
        let may_be_revoked = match self.ask(due, Some(&lent)).await {
            Some(Outcome::AuthError) => true,
            // Amazon says this of a token that has ended, and of a right that is missing.
            Some(Outcome::Forbidden) => !self.shared().standing.is_let_through(auth),
            _ => false,
        };
        // Of a token that was there already, only a new one tells.
        if may_be_revoked && lent.is_old && tokens.throw_away(&lent.token).await {
            match tokens.lend(oauth, &means).await {
                Ok(lent) => {
                    self.ask(Due { is_again: true, ..due }, Some(&lent)).await;
                }
                Err(lack) => self.do_without(due, lack),
            }
        }
    }

    /// Notes a probe that there is no token for.
    fn do_without(&self, due: Due<'_>, lack: Lack) {
        match lack {
            Lack::Busy => self.state(due.index).counts.skip(Skip::Overlap),
            Lack::TooEarly => self.state(due.index).counts.skip(Skip::NoToken),
            Lack::Refused { outcome, failure, retry_after } => self.fail(due, outcome, &failure, retry_after),
        }
    }

    fn state(&self, index: usize) -> MutexGuard<'_, State> {
        self.probes[index].lock().expect(NO_PANIC)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect(NO_PANIC)
    }
}

/// How access tokens are asked for, if the auth needs some.
fn oauth(auth: &Auth) -> Option<&OAuth2> {
    match &auth.kind {
        AuthKind::OAuth2(oauth) => Some(oauth),
        AuthKind::Headers | AuthKind::Basic | AuthKind::BearerFile => None,
    }
}

/// The limit that a probe counts against.
fn bucket(probe: &Probe) -> String {
    let mut said = probe.rules.rate_limit.iter().map(|limit| &limit.bucket);
    let said = said.find(|bucket| bucket.is_plain()).map(ToString::to_string);
    let documented = probe.documented.as_ref().map(|documented| documented.bucket.clone());
    said.or(documented).unwrap_or_else(|| probe.name.clone())
}

/// Whom a request goes to, for the gate that all who ask there share.
pub(super) fn backend(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    authority.to_ascii_lowercase()
}
