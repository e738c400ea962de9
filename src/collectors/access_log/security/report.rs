//! The metrics of the signals.

use super::super::classes::Limited;
use super::Signals;
use super::counts::{Counts, Label};
use super::labels::{Incident, Outcome, Realm, Violation};
use crate::metric::Metric;
use crate::metrics;
use crate::snapshot::Snapshot;

metrics! {
    Own as METRICS;
    /// Attempts to log in, by where and how they ended; unresolved are those that the log cannot tell.
    ATTEMPTS = Counter("shop_auth_attempts_total", None, ["realm", "outcome"]);
    /// Requests that no shopper makes, by kind and by what the server did; served is what stood at the path itself.
    VIOLATIONS = Counter("security_violations_total", None, ["type", "result"]);
    /// Clients that went over the limit of a class, once until they have been quiet for five minutes.
    INCIDENTS = Counter("security_incidents_total", None, ["class"]);
    /// Clients that are over the limit of a class now, or were within five minutes; of the 16,384 that a class remembers.
    ABUSIVE = Gauge("shop_http_abusive_clients", None, ["class"]);
    /// Calls of the shop's API, by how they ended.
    CALLS = Counter("shop_http_api_requests_total", None, ["outcome"]);
    /// Calls of the shop's API that are abusive, by what is wrong with them; a call can be so for several reasons.
    ABUSE = Counter("shop_http_api_abuse_total", None, ["reason"]);
    /// Whether the addresses in the log are the clients' own. 0 when over 90 % of requests come from a few private addresses
    /// or the configured proxies: then no incident is seen from these, until the server restores the clients' addresses
    /// (nginx: set_real_ip_from and real_ip_header; Apache: mod_remoteip). Absent until 200 requests were seen.
    ATTRIBUTION = Gauge("shop_http_client_attribution", None, []);
    /// Lines of nginx' error log that say that a limit turned a request away or let it wait, or would have.
    NOTICES = Counter("shop_http_limit_notices_total", None, ["limit", "outcome"]);
    /// Clients and waiting logins that were forgotten too early, because there were too many at once.
    EVICTIONS = Counter("security_tracker_evictions_total", None, []);
}

/// Pushes everything, also what is zero: a counter that begins when something happens hides its first event.
pub(super) fn report(signals: &Signals, out: &mut Snapshot) {
    for (realm, outcome, count) in signals.counted.attempts.iter() {
        // Of HTTP authentication, a log shows the failures alone: each of a client's requests is a success.
        let is_known = realm != Realm::HttpBasic || matches!(outcome, Outcome::Failure | Outcome::Throttled);
        if is_known {
            out.push(&ATTEMPTS, [realm.as_str(), outcome.as_str()], count);
        }
    }
    for (violation, answer, count) in signals.counted.violations.iter() {
        if signals.looks_for(violation) {
            out.push(&VIOLATIONS, [violation.as_str(), answer.as_str()], count);
        }
    }
    for (incident, _, count) in signals.counted.incidents.iter() {
        if incident.violation().is_none_or(|violation| signals.looks_for(violation)) {
            out.push(&INCIDENTS, [incident.as_str()], count);
            out.push(&ABUSIVE, [incident.as_str()], signals.over(incident));
        }
    }
    push(&CALLS, &signals.counted.calls, out);
    push(&ABUSE, &signals.counted.abuse, out);
    if signals.has_error_log {
        // Of what passed, the error log is silent.
        let noticed = signals.counted.limits.iter().filter(|(_, limited, _)| *limited != Limited::Passed);
        for (limit, limited, count) in noticed {
            out.push(&NOTICES, [limit.as_str(), limited.as_str()], count);
        }
    }
    if let Some(told_apart) = signals.clients.told_apart() {
        out.push(&ATTRIBUTION, [], told_apart);
    }
    out.push(&EVICTIONS, [], signals.evictions());
}

fn push<A: Label>(metric: &'static Metric<1>, counts: &Counts<A>, out: &mut Snapshot) {
    for (label, _, count) in counts.iter() {
        out.push(metric, [label.label()], count);
    }
}

impl Incident {
    /// The violation that it is made of, if it is.
    pub(super) fn violation(self) -> Option<Violation> {
        Violation::ALL.get(self as usize).copied()
    }

    /// The incident that too many violations of a kind are.
    pub(super) fn of(violation: Violation) -> Self {
        Self::ALL[violation as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_called_as_its_violation() {
        for violation in Violation::ALL {
            assert_eq!(Incident::of(*violation).as_str(), violation.as_str());
            assert_eq!(Incident::of(*violation).violation(), Some(*violation));
        }
        assert_eq!(Incident::BruteForceAdmin.violation(), None);
    }
}
