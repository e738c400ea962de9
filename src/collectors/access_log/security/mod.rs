//! Security signals: who tries to log in and whether it worked, what scanners look for and whether they got it, who
//! overdoes it with the API.
//!
//! Nearly every line is none of these and costs one [cheap test](plain). What is counted are requests; what is worth a
//! person's attention are *incidents*, clients that do it more often than people do, and whatever was *served*. All time
//! is the log's own, so that a backlog is judged as if it had been read when it was written. Of a client nothing is kept
//! but a hash under a key of this run's, and that in memory; of URLs nothing at all.

mod api;
mod bucket;
mod clients;
mod config;
mod counts;
mod decode;
mod error_log;
pub mod labels;
mod login;
mod networks;
mod plain;
mod report;
mod rules;
#[cfg(test)]
mod tests;
mod violation;
mod waiting;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use self::bucket::{Buckets, Poured};
use self::clients::{Clients, address};
use self::counts::Counts;
use self::decode::{Decoded, opencart_route};
use self::error_log::Why;
use self::labels::{Abuse, Answer, Call, FollowUp, Incident, Limit, Limited, Outcome, Realm, Violation};
use self::login::{Ending, Logins};
use self::networks::Networks;
use self::waiting::{SavedWaiting, Waiter, Waiting};
use super::classes::{Method, Route};
use super::line::Line;
use super::route::Preset;
use crate::snapshot::Snapshot;

pub use self::config::Config;
pub(crate) use self::report::METRICS;

/// A log whose time goes back by more, in seconds, comes from a clock that was set.
const SET_BACK: i64 = 3600;

/// The last second that a log can be of, in the year 2106.
const LAST: i64 = u32::MAX as i64;

/// How often, in seconds, tables that nobody is in give their memory back.
const REST: i64 = 60;

/// What is known around the log besides its lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// The systems of the shop.
    pub shops: &'a [Preset],
    /// Whether nginx' error log is read, too: what only it can show is absent otherwise.
    pub has_error_log: bool,
    /// A word, made up for this run, in the agent of Vitrin's own requests. These are left out when they come from this
    /// very machine.
    pub own_agent: Option<&'a str>,
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Signals {
    ignored: [Networks; 2],
    api_callers: Networks,
    own_agent: Option<Box<[u8]>>,
    disabled: Vec<Violation>,
    has_error_log: bool,
    logins: Logins,
    within: i64,
    clients: Clients,
    counted: Counted,
    buckets: Vec<Buckets>,
    waiting: Waiting,
    /// The latest time of the log, in seconds since 1970.
    now: i64,
    /// By how much the error log's clock is ahead: it shows local time.
    ahead: i64,
    /// When tables rested last.
    rested: i64,
    target: Decoded,
}

#[derive(Clone, Debug, Default)]
struct Counted {
    attempts: Counts<Realm, Outcome>,
    violations: Counts<Violation, Answer>,
    incidents: Counts<Incident>,
    calls: Counts<Call>,
    abuse: Counts<Abuse>,
    limits: Counts<Limit, Limited>,
    evictions: u64,
}

/// What is kept over a restart: the counters, and the logins that wait. How full buckets are is not: a client that is at
/// it during a restart has to overdo it once more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    attempts: BTreeMap<String, u64>,
    violations: BTreeMap<String, u64>,
    incidents: BTreeMap<String, u64>,
    calls: BTreeMap<String, u64>,
    abuse: BTreeMap<String, u64>,
    limits: BTreeMap<String, u64>,
    evictions: u64,
    waiting: Option<SavedWaiting>,
}

impl Signals {
    /// Nothing was seen yet.
    #[must_use]
    pub fn new(config: &Config, around: Surroundings<'_>) -> Self {
        Self {
            ignored: [config.ignore.clone(), config.ignore_files.networks().clone()],
            api_callers: config.api_callers.clone(),
            own_agent: around.own_agent.map(|agent| agent.as_bytes().into()),
            disabled: config.disable.clone(),
            has_error_log: around.has_error_log,
            logins: Logins::new(&config.logins, around.shops),
            within: config.seconds_to_resolve(),
            clients: Clients::new(config.proxies.clone()),
            counted: Counted::default(),
            buckets: Incident::ALL.iter().map(|incident| Buckets::new(incident.size())).collect(),
            waiting: Waiting::default(),
            now: 0,
            ahead: 0,
            rested: 0,
            target: Decoded::default(),
        }
    }

    /// Looks at a line. `route` is its class.
    #[inline]
    pub fn see(&mut self, line: &Line<'_>, route: Route) {
        if let Some(time) = line.time
            && time != self.now
        {
            self.pass(time);
        }
        if self.clients.is_sampled() {
            self.look(line);
        }
        if !is_innocent(line, route) {
            self.suspect(line, route);
        } else if !self.waiting.is_empty() && line.status == 200 && route != Route::Static {
            self.follow(line);
        }
    }

    /// Looks at a line of nginx' error log.
    pub fn see_error(&mut self, line: &[u8]) {
        let Some(notice) = error_log::notice(line) else { return };
        let address = address(notice.client);
        if self.is_ignored(address) {
            return;
        }
        match notice.why {
            Why::Limited(limit, limited) => self.counted.limits.count_pair(limit, limited),
            Why::Forbidden if self.looks_for(Violation::ForbiddenRule) => {
                self.counted.violations.count_pair(Violation::ForbiddenRule, Answer::Blocked);
                self.ahead = notice.time - self.now;
                if let Some(client) = self.clients.client(notice.client, address) {
                    self.pour(Incident::ForbiddenRule, client, notice.time, 0);
                }
            }
            Why::Forbidden => {}
        }
    }

    /// Says what time it is while the log is silent, in seconds since 1970: logins that nothing followed were none. Not
    /// while there is a backlog.
    pub fn advance(&mut self, now: i64) {
        if now > self.now {
            self.pass(now);
        }
    }

    /// Pushes all metrics.
    pub fn report(&self, out: &mut Snapshot) {
        report::report(self, out);
    }

    /// What is to be kept over a restart.
    #[must_use]
    pub fn save(&self) -> Saved {
        let waiting = SavedWaiting { key: self.clients.key(), logins: self.waiting.saved() };
        Saved {
            attempts: self.counted.attempts.saved(),
            violations: self.counted.violations.saved(),
            incidents: self.counted.incidents.saved(),
            calls: self.counted.calls.saved(),
            abuse: self.counted.abuse.saved(),
            limits: self.counted.limits.saved(),
            evictions: self.evictions(),
            // The key makes hashes into addresses again: it is kept only for as long as it is needed.
            waiting: (!waiting.logins.is_empty()).then_some(waiting),
        }
    }

    /// Goes on from what was kept; to be called before anything was seen.
    pub fn restore(&mut self, saved: Saved) {
        self.counted = Counted {
            attempts: Counts::restored(&saved.attempts),
            violations: Counts::restored(&saved.violations),
            incidents: Counts::restored(&saved.incidents),
            calls: Counts::restored(&saved.calls),
            abuse: Counts::restored(&saved.abuse),
            limits: Counts::restored(&saved.limits),
            evictions: saved.evictions,
        };
        if let Some(waiting) = saved.waiting {
            self.clients.rekey(waiting.key);
            self.waiting = Waiting::restored(waiting.logins);
        }
    }

    /// Time passes.
    fn pass(&mut self, time: i64) {
        let time = time.clamp(0, LAST);
        if time > self.now || time < self.now - SET_BACK {
            self.now = time;
        }
        while let Some((waiter, outcome)) = self.waiting.late(self.now, self.within) {
            self.resolved(waiter, outcome);
        }
        if (self.now - self.rested).abs() >= REST {
            self.rested = self.now;
            for (incident, buckets) in Incident::ALL.iter().zip(&mut self.buckets) {
                buckets.rest(if *incident == Incident::ForbiddenRule { self.now + self.ahead } else { self.now });
            }
        }
    }

    /// Whether addresses tell clients apart: one line in some says.
    #[cold]
    fn look(&mut self, line: &Line<'_>) {
        let address = address(line.client);
        if !self.is_ignored(address) && !self.is_own(line, address) {
            self.clients.look(line.client, address);
        }
    }

    /// A request that is not innocent at first sight.
    #[inline(never)]
    fn suspect(&mut self, line: &Line<'_>, route: Route) {
        let address = address(line.client);
        if self.is_ignored(address) || self.is_own(line, address) {
            return;
        }
        let client = self.clients.client(line.client, address);
        let (path, query) = line.path_and_query();
        let mut buffer = [0; 64];
        let opencart = opencart_route(query, &mut buffer).unwrap_or_default();
        let mut target = std::mem::take(&mut self.target);
        target.read(path, query);
        if let Some(attempt) = self.logins.attempt(line, route, &target, query, opencart) {
            match attempt.ending {
                Ending::Now(outcome) => self.attempt(attempt.realm, outcome, client, self.now),
                Ending::Later(follow_up) => self.wait(follow_up, client),
            }
        } else if !self.waiting.is_empty() {
            self.follow(line);
        }
        if route == Route::Api {
            self.call(line, &target.path, query, opencart, client, address);
        }
        self.judge(line, route, &target, client);
        self.target = target;
    }

    fn judge(&mut self, line: &Line<'_>, route: Route, target: &Decoded, client: Option<u64>) {
        let Some(found) = violation::violation(line, route, target, |violation| self.looks_for(violation)) else {
            return;
        };
        let answer = violation::answer(line, found.in_path);
        self.counted.violations.count_pair(found.violation, answer);
        let Some(client) = client else { return };
        let what = self.clients.hash(&[if found.in_path { &target.path } else { &target.args }]);
        self.pour(Incident::of(found.violation), client, self.now, what);
        // What is looked for by name is a page that is not there, too.
        let is_more = found.violation != Violation::NotFoundScan && self.looks_for(Violation::NotFoundScan);
        if is_more && violation::is_scan(line, route, target) {
            let what = self.clients.hash(&[&target.path]);
            self.pour(Incident::NotFoundScan, client, self.now, what);
        }
    }

    fn call(
        &mut self,
        line: &Line<'_>,
        path: &[u8],
        query: &[u8],
        opencart: &[u8],
        client: Option<u64>,
        address: Option<IpAddr>,
    ) {
        self.counted.calls.count(api::outcome(line));
        if let Some(abuse) = api::abuse(line) {
            self.counted.abuse.count(abuse);
        }
        let Some(client) = client else { return };
        let is_known = address.is_some_and(|address| self.api_callers.contains(address));
        if !self.api_callers.is_empty() && !is_known {
            self.counted.abuse.count(Abuse::UnknownCaller);
        }
        if self.pour(Incident::ApiBurst, client, self.now, 0) != Poured::Fits {
            self.counted.abuse.count(Abuse::Burst);
        }
        if let Some((kind, which)) = api::thing(self.clients.hasher(), path, query, opencart)
            && self.pour(Incident::ApiEnumeration, client ^ kind, self.now, which) != Poured::Fits
        {
            self.counted.abuse.count(Abuse::Enumeration);
        }
    }

    /// An attempt has ended.
    fn attempt(&mut self, realm: Realm, outcome: Outcome, client: Option<u64>, time: i64) {
        self.counted.attempts.count_pair(realm, outcome);
        if let (Outcome::Failure, Some(client)) = (outcome, client) {
            self.pour(Incident::brute_force(realm), client, time, 0);
        }
    }

    /// An attempt shows later how it ended; when it is known whose it is.
    fn wait(&mut self, follow_up: FollowUp, client: Option<u64>) {
        let Some(client) = client else {
            return self.attempt(follow_up.realm(), Outcome::Unresolved, None, self.now);
        };
        if let Some(given_up) = self.waiting.push(Waiter { client, follow_up, since: self.now }) {
            self.counted.evictions += 1;
            self.resolved(given_up, Outcome::Unresolved);
        }
    }

    /// What a request shows about a login before it.
    #[cold]
    fn follow(&mut self, line: &Line<'_>) {
        let (path, query) = line.path_and_query();
        let mut buffer = [0; 64];
        let opencart = opencart_route(query, &mut buffer).unwrap_or_default();
        let Some((follow_up, outcome)) = FollowUp::of(line, path, query, opencart) else { return };
        let Some(client) = self.clients.client(line.client, address(line.client)) else { return };
        if let Some(waiter) = self.waiting.resolve(client, follow_up, self.now, self.within) {
            self.resolved(waiter, outcome);
        }
    }

    fn resolved(&mut self, waiter: Waiter, outcome: Outcome) {
        self.attempt(waiter.follow_up.realm(), outcome, Some(waiter.client), waiter.since);
    }

    fn pour(&mut self, incident: Incident, client: u64, time: i64, what: u64) -> Poured {
        let poured = self.buckets[incident as usize].pour(client, time, what);
        if poured == Poured::Incident {
            self.counted.incidents.count(incident);
        }
        poured
    }

    /// How many clients are over the limit of a class.
    fn over(&self, incident: Incident) -> usize {
        let ahead = if incident == Incident::ForbiddenRule { self.ahead } else { 0 };
        self.buckets[incident as usize].over(self.now + ahead)
    }

    fn evictions(&self) -> u64 {
        self.counted.evictions + self.buckets.iter().map(Buckets::evictions).sum::<u64>()
    }

    /// Whether a kind of violation is looked for, and can be seen.
    fn looks_for(&self, violation: Violation) -> bool {
        let is_seen = self.has_error_log || violation != Violation::ForbiddenRule;
        is_seen && !self.disabled.contains(&violation)
    }

    fn is_ignored(&self, address: Option<IpAddr>) -> bool {
        address.is_some_and(|address| self.ignored.iter().any(|networks| networks.contains(address)))
    }

    /// Vitrin's own probes. Both are asked for: an agent is easily copied, and behind a proxy every client is local.
    fn is_own(&self, line: &Line<'_>, address: Option<IpAddr>) -> bool {
        let Some(own) = &self.own_agent else { return false };
        address.is_some_and(|address| address.is_loopback()) && memchr::memmem::find(line.agent, own).is_some()
    }
}

/// Whether nothing is to be found in a line: a page or a file that was asked for plainly and answered well.
#[inline]
fn is_innocent(line: &Line<'_>, route: Route) -> bool {
    matches!(Method::of(line.method), Method::Get | Method::Head)
        && (200..400).contains(&line.status)
        && route != Route::Api
        && !line.is_throttled()
        && plain::is_plain(line.target)
}
