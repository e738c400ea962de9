//! Security signals: who tries to log in and whether it worked, what scanners look for and whether they got it, who
//! overdoes it with the API.
//!
//! Nearly every line is none of these and costs one cheap test (`plain`). What is counted are requests; what is worth a
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
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod labels;
mod login;
mod plain;
mod report;
mod rules;
mod saved;
mod suspect;
#[cfg(test)]
mod tests;
mod violation;
mod waiting;

use std::net::IpAddr;

use self::bucket::Buckets;
use self::clients::{Clients, address};
use self::counts::Counts;
use self::decode::Decoded;
use self::error_log::Why;
use self::labels::{Abuse, Answer, Call, Incident, Outcome, Realm, Violation};
use self::login::Logins;
use self::waiting::Waiting;
use super::classes::{Limit, Limited, Method, Route};
use super::line::Line;
use super::route::Preset;
use crate::networks::Networks;
use crate::snapshot::Snapshot;

pub use self::config::Config;
pub(crate) use self::report::METRICS;
pub use self::saved::Saved;

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
    /// A word in the agent of Vitrin's own requests. These are left out when they come from this very machine.
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

    /// Vitrin's own probes, which nothing is counted of. Where a proxy makes every client local nobody is believed: an
    /// agent is easily copied.
    fn is_ours(&self, line: &Line<'_>, address: Option<IpAddr>) -> bool {
        self.is_own(line, address) && self.clients.told_apart() != Some(false)
    }

    /// Whether a line may be about Vitrin's own probes, by address and agent.
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
        && plain::is_plain_line(line)
}
