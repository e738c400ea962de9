//! The counts as metrics.

use super::super::classes::{Cache, Code, Limit, Limited, Method, Route};
use super::timing::Timing;
use super::{Tally, Traffic};
use crate::snapshot::Snapshot;

crate::metrics! {
    Own as METRICS;
    /// Requests that the access log tells of, by the host they were for, the kind of page, the method and the status;
    /// crawlers and our own probes have the route `bot`.
    REQUESTS = Counter("shop_http_requests_total", None, ["vhost", "route", "method", "code"]);
    /// How long requests took, from their first byte to the last of the answer. Absent when the log does not say.
    DURATION = Histogram("shop_http_request_duration_seconds", Seconds, ["vhost", "route"]);
    /// Requests that took no longer than `shop_http_latency_objective_seconds`; all whose time is known are the count of
    /// `shop_http_request_duration_seconds`.
    WITHIN = Counter("shop_http_within_objective_total", None, ["vhost", "route"]);
    /// The sum of the squares of the times, in seconds squared. With sum and count it gives the standard deviation over
    /// any window, and how far a mean is off by chance.
    SQUARES = Counter("shop_http_request_duration_squares_total", None, ["vhost", "route"]);
    /// Bytes sent as answers.
    SENT = Counter("shop_http_response_bytes_total", Bytes, ["vhost", "route"]);
    /// How long the backends took for requests that needed them, all they were passed on to together.
    UPSTREAM = Histogram("shop_http_upstream_duration_seconds", Seconds, ["vhost", "route"]);
    /// Requests by what the server's cache did for them. Absent without a cache or when the log does not say.
    CACHED = Counter("shop_http_cache_requests_total", None, ["vhost", "status"]);
    /// Requests by what a limit of the server's did with them (`limit_req`, `limit_conn`). Absent without a limit or when
    /// the log does not say.
    LIMITED = Counter("shop_http_limited_requests_total", None, ["vhost", "limit", "outcome"]);
    /// What a request may take, as configured.
    OBJECTIVE = Gauge("shop_http_latency_objective_seconds", Seconds, []);
}

impl Tally {
    /// Pushes all that was counted.
    pub fn report(&self, out: &mut Snapshot) {
        out.push(&OBJECTIVE, [], self.scale.objective());
        for host in &self.hosts {
            for (route, traffic) in Route::ALL.iter().zip(&host.routes) {
                if let Some(traffic) = traffic {
                    self.report_route([&host.label, route.as_str()], traffic, out);
                }
            }
            if host.cache.iter().any(|count| *count > 0) {
                for (cache, count) in Cache::ALL.iter().zip(host.cache) {
                    out.push(&CACHED, [&host.label, cache.as_str()], count);
                }
            }
            for (limit, counts) in Limit::ALL.iter().zip(host.limited) {
                if counts.iter().any(|count| *count > 0) {
                    for (how, count) in Limited::ALL.iter().zip(counts) {
                        out.push(&LIMITED, [&host.label, limit.as_str(), how.as_str()], count);
                    }
                }
            }
        }
    }

    fn report_route(&self, labels: [&str; 2], traffic: &Traffic, out: &mut Snapshot) {
        let [host, route] = labels;
        for (method, counts) in Method::ALL.iter().zip(&traffic.requests) {
            // A series that begins with a burst of errors hides them from `increase`: those of errors begin at zero.
            let is_seen = counts.iter().any(|count| *count > 0);
            for (code, count) in Code::ALL.iter().zip(counts) {
                if *count > 0 || (is_seen && code.is_our_fault()) {
                    out.push(&REQUESTS, [host, route, method.as_str(), code.as_str()], *count);
                }
            }
        }
        out.push(&SENT, labels, traffic.sent);
        let Traffic { duration, upstream, .. } = traffic;
        if !duration.is_empty() {
            out.push_histogram(&DURATION, labels, duration.histogram(&self.scale));
            out.push(&WITHIN, labels, duration.within());
            out.push(&SQUARES, labels, duration.squares());
        }
        if !Timing::is_empty(upstream) {
            out.push_histogram(&UPSTREAM, labels, upstream.histogram(&self.scale));
        }
    }
}
