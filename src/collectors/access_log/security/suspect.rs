//! What is done about a line that is not innocent at first sight.

use std::net::IpAddr;

use super::super::classes::Route;
use super::super::line::Line;
use super::super::route::Routes;
use super::Signals;
use super::bucket::Poured;
use super::clients::address;
use super::decode::Decoded;
use super::labels::{Abuse, FollowUp, Incident, Outcome, Realm, Violation};
use super::login::Ending;
use super::waiting::Waiter;
use super::{api, violation};

/// The longest route of OpenCart's that says something here.
const OPENCART: usize = 64;

impl Signals {
    /// A request that is not innocent at first sight.
    #[inline(never)]
    pub(super) fn suspect(&mut self, line: &Line<'_>, route: Route) {
        let address = address(line.client);
        if self.is_ignored(address) || self.is_ours(line, address) {
            return;
        }
        let client = self.clients.client(line.client, address);
        let (path, query) = line.path_and_query();
        let mut buffer = [0; OPENCART];
        let opencart = Routes::opencart_route(query, &mut buffer).unwrap_or_default();
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
    pub(super) fn follow(&mut self, line: &Line<'_>) {
        let (path, query) = line.path_and_query();
        let mut buffer = [0; OPENCART];
        let opencart = Routes::opencart_route(query, &mut buffer).unwrap_or_default();
        let Some((follow_up, outcome)) = FollowUp::of(line, path, query, opencart) else { return };
        let Some(client) = self.clients.client(line.client, address(line.client)) else { return };
        if let Some(waiter) = self.waiting.resolve(client, follow_up, self.now, self.within) {
            self.resolved(waiter, outcome);
        }
    }

    pub(super) fn resolved(&mut self, waiter: Waiter, outcome: Outcome) {
        self.attempt(waiter.follow_up.realm(), outcome, Some(waiter.client), waiter.since);
    }

    pub(super) fn pour(&mut self, incident: Incident, client: u64, time: i64, what: u64) -> Poured {
        let poured = self.buckets[incident as usize].pour(client, time, what);
        if poured == Poured::Incident {
            self.counted.incidents.count(incident);
        }
        poured
    }
}
