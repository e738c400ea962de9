//! Requests, counted by host, route, method and code.

mod report;
pub mod saved;
pub mod timing;

use std::collections::BTreeMap;

use super::classes::{Cache, Code, Limit, Limited, Method, Route};
use super::line::Line;
pub(super) use report::METRICS;
use timing::{Scale, Timing};

/// The `vhost` of requests for a host that was not configured.
const OTHER: &str = "other";

/// All counts of one target.
///
/// There are as many as its configuration has hosts, times what is in the closed sets, whatever the log says.
#[derive(Clone, Debug)]
pub struct Tally {
    scale: Scale,
    /// The names of hosts, in lower case, each with the place of its counts.
    names: Vec<(Box<[u8]>, usize)>,
    hosts: Vec<Host>,
    /// The last one that was looked up, in `names`: one host has most of the traffic.
    last: usize,
}

#[derive(Clone, Debug)]
struct Host {
    label: String,
    routes: [Option<Box<Traffic>>; Route::ALL.len()],
    cache: [u64; Cache::ALL.len()],
    limited: [[u64; Limited::ALL.len()]; Limit::ALL.len()],
}

#[derive(Clone, Debug)]
struct Traffic {
    requests: [[u64; Code::ALL.len()]; Method::ALL.len()],
    sent: u64,
    duration: Timing,
    upstream: Timing,
}

impl Tally {
    /// Counts for these hosts, each under the label that stands with it; `objective` in microseconds.
    ///
    /// A line for none of them counts as `other`; where no names are given, all lines count under `label`.
    #[must_use]
    pub fn new<'a>(label: &str, names: impl IntoIterator<Item = (&'a str, &'a str)>, objective: u64) -> Self {
        let mut tally = Self { scale: Scale::new(objective), names: Vec::new(), hosts: Vec::new(), last: 0 };
        for (name, label) in names {
            let host = tally.hosts.iter().position(|host| host.label == label).unwrap_or_else(|| tally.add(label));
            tally.names.push((name.to_ascii_lowercase().into_bytes().into(), host));
        }
        let rest = if tally.names.is_empty() { label } else { OTHER };
        if !tally.hosts.iter().any(|host| host.label == rest) {
            tally.add(rest);
        }
        tally
    }

    fn add(&mut self, label: &str) -> usize {
        self.hosts.push(Host {
            label: label.to_owned(),
            routes: std::array::from_fn(|_| None),
            cache: [0; Cache::ALL.len()],
            limited: [[0; Limited::ALL.len()]; Limit::ALL.len()],
        });
        self.hosts.len() - 1
    }

    /// Counts a request.
    #[inline]
    pub fn count(&mut self, line: &Line<'_>, route: Route) {
        let host = self.host(line.host);
        let scale = &self.scale;
        let host = &mut self.hosts[host];
        let traffic = host.routes[route as usize].get_or_insert_with(|| Box::new(Traffic::new(scale)));
        traffic.requests[Method::of(line.method) as usize][Code::of(line.status) as usize] += 1;
        traffic.sent = traffic.sent.saturating_add(line.sent);
        if let Some(micros) = line.duration {
            traffic.duration.count(scale, micros);
        }
        if let Some(micros) = line.upstream {
            traffic.upstream.count(scale, micros);
        }
        if !line.cache.is_empty() {
            host.cache[Cache::of(line.cache) as usize] += 1;
        }
        for (limit, status) in [(Limit::Requests, line.limit_req), (Limit::Connections, line.limit_conn)] {
            if let Some(limited) = Limited::of(status) {
                host.limited[limit as usize][limited as usize] += 1;
            }
        }
    }

    /// The place of a host's counts.
    fn host(&mut self, name: &[u8]) -> usize {
        let rest = self.hosts.len() - 1;
        if self.names.is_empty() {
            return rest;
        }
        let is = |known: &[u8]| known.eq_ignore_ascii_case(name);
        if let Some((known, host)) = self.names.get(self.last)
            && is(known)
        {
            return *host;
        }
        let name = without_port(name);
        let found = self.names.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some(found) = found {
            self.last = found;
        }
        found.map_or_else(|| self.rest(), |found| self.names[found].1)
    }

    /// The place of what is for no host that was named: its own, or that of the hosts called so.
    fn rest(&self) -> usize {
        self.hosts.iter().position(|host| host.label == OTHER).unwrap_or(self.hosts.len() - 1)
    }

    /// What is kept over a restart.
    #[must_use]
    pub fn save(&self) -> saved::Tally {
        let hosts = self.hosts.iter().map(|host| (host.label.clone(), host.save(&self.scale)));
        saved::Tally { hosts: hosts.collect() }
    }

    /// Goes on from what was kept; what is not configured any more is forgotten.
    pub fn restore(&mut self, saved: &saved::Tally) {
        for host in &mut self.hosts {
            if let Some(saved) = saved.hosts.get(&host.label) {
                host.restore(&self.scale, saved);
            }
        }
    }
}

/// A `Host` header's name, without the port that may stand behind it.
fn without_port(host: &[u8]) -> &[u8] {
    match host.iter().rposition(|byte| *byte == b':') {
        Some(colon) if host[colon + 1..].iter().all(u8::is_ascii_digit) && !host[..colon].contains(&b':') => {
            &host[..colon]
        }
        _ => host,
    }
}

impl Host {
    fn save(&self, scale: &Scale) -> saved::Host {
        let routes =
            Route::ALL.iter().zip(&self.routes).filter_map(|(route, traffic)| Some((route, traffic.as_ref()?)));
        let limited = Limit::ALL.iter().zip(&self.limited);
        saved::Host {
            routes: routes.map(|(route, traffic)| (route.as_str().to_owned(), traffic.save(scale))).collect(),
            cache: by_label(Cache::ALL.iter().map(|cache| cache.as_str()), &self.cache),
            limited: limited
                .map(|(limit, counts)| {
                    (limit.as_str().to_owned(), by_label(Limited::ALL.iter().map(|how| how.as_str()), counts))
                })
                .collect(),
        }
    }

    fn restore(&mut self, scale: &Scale, saved: &saved::Host) {
        for (route, traffic) in &saved.routes {
            if let Some(route) = Route::of_label(route) {
                self.routes[route as usize] = Some(Box::new(Traffic::restore(scale, traffic)));
            }
        }
        for (cache, count) in Cache::ALL.iter().zip(&mut self.cache) {
            *count = saved.cache.get(cache.as_str()).copied().unwrap_or(0);
        }
        for (limit, counts) in Limit::ALL.iter().zip(&mut self.limited) {
            for (how, count) in Limited::ALL.iter().zip(counts) {
                let saved = saved.limited.get(limit.as_str()).and_then(|counts| counts.get(how.as_str()));
                *count = saved.copied().unwrap_or(0);
            }
        }
    }
}

impl Traffic {
    fn new(scale: &Scale) -> Self {
        Self {
            requests: [[0; Code::ALL.len()]; Method::ALL.len()],
            sent: 0,
            duration: Timing::new(scale),
            upstream: Timing::new(scale),
        }
    }

    fn save(&self, scale: &Scale) -> saved::Traffic {
        let requests = Method::ALL.iter().zip(&self.requests);
        let requests = requests.map(|(method, counts)| {
            (method.as_str().to_owned(), by_label(Code::ALL.iter().map(|code| code.as_str()), counts))
        });
        saved::Traffic {
            requests: requests.filter(|(_, counts)| !counts.is_empty()).collect(),
            sent: self.sent,
            duration: self.duration.save(scale),
            upstream: self.upstream.save(scale),
        }
    }

    fn restore(scale: &Scale, saved: &saved::Traffic) -> Self {
        let mut traffic = Self::new(scale);
        for (method, counts) in Method::ALL.iter().zip(&mut traffic.requests) {
            let Some(saved) = saved.requests.get(method.as_str()) else { continue };
            for (code, count) in Code::ALL.iter().zip(counts) {
                *count = saved.get(code.as_str()).copied().unwrap_or(0);
            }
        }
        traffic.sent = saved.sent;
        // Of another scale: they start at zero, which Prometheus knows for what it is.
        if let Some(duration) = Timing::restore(scale, &saved.duration) {
            traffic.duration = duration;
        }
        if let Some(upstream) = Timing::restore(scale, &saved.upstream) {
            traffic.upstream = upstream;
        }
        traffic
    }
}

/// The counts that are not zero, by their labels.
fn by_label<'a>(labels: impl Iterator<Item = &'a str>, counts: &[u64]) -> BTreeMap<String, u64> {
    labels.zip(counts).filter(|(_, count)| **count > 0).map(|(label, count)| (label.to_owned(), *count)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::{Number as _, Snapshot, Value};

    fn line<'a>(host: &'a str, method: &'a str, status: u16) -> Line<'a> {
        Line {
            host: host.as_bytes(),
            method: method.as_bytes(),
            status,
            sent: 10,
            duration: Some(20_000),
            upstream: Some(10_000),
            cache: b"HIT",
            limit_req: b"REJECTED",
            ..Line::default()
        }
    }

    /// The samples of a family that are not zero, as "label label".
    fn counts(tally: &Tally, family: &str) -> Vec<(String, f64)> {
        let mut out = Snapshot::default();
        tally.report(&mut out);
        let (findings, _, dropped) = out.finish();
        assert!(dropped.is_empty(), "{dropped:?}");
        let mut counts = Vec::new();
        for (_, group) in findings.families().filter(|(desc, _)| desc.name == family) {
            for (labels, value) in group.samples() {
                let count = match value {
                    Value::Number(count) => *count,
                    Value::Histogram(histogram) => histogram.count().number(),
                    Value::Summary(_) => unreachable!(),
                };
                counts.push((labels.collect::<Vec<_>>().join(" "), count));
            }
        }
        counts.retain(|(_, count)| *count > 0.0);
        counts
    }

    fn of(pairs: &[(&str, f64)]) -> Vec<(String, f64)> {
        pairs.iter().map(|(labels, count)| ((*labels).to_owned(), *count)).collect()
    }

    #[test]
    fn a_host_counts_under_its_label_whatever_its_case_and_port() {
        let names = [("shop.example", "shop"), ("www.Shop.example", "shop"), ("b2b.example", "b2b")];
        let mut tally = Tally::new("", names, 100_000);
        for host in
            ["shop.example", "SHOP.example:443", "www.shop.example", "b2b.example", "", "10.0.0.1", "[::1]:80", "x:"]
        {
            tally.count(&line(host, "GET", 200), Route::Home);
        }
        let expected = [("b2b home GET 2xx", 1.0), ("other home GET 2xx", 4.0), ("shop home GET 2xx", 3.0)];
        assert_eq!(counts(&tally, "shop_http_requests_total"), of(&expected));
    }

    #[test]
    fn without_hosts_all_lines_are_those_of_one() {
        let mut tally = Tally::new("shop", [], 100_000);
        for host in ["a.example", "", "other"] {
            tally.count(&line(host, "POST", 502), Route::Cart);
        }
        assert_eq!(counts(&tally, "shop_http_requests_total"), of(&[("shop cart POST 502", 3.0)]));
        assert_eq!(counts(&tally, "shop_http_request_duration_seconds"), of(&[("shop cart", 3.0)]));
        assert_eq!(counts(&tally, "shop_http_within_objective_total"), of(&[("shop cart", 3.0)]));
        assert_eq!(counts(&tally, "shop_http_response_bytes_total"), of(&[("shop cart", 30.0)]));
        assert_eq!(counts(&tally, "shop_http_cache_requests_total"), of(&[("shop hit", 3.0)]));
        assert_eq!(counts(&tally, "shop_http_limited_requests_total"), of(&[("shop requests rejected", 3.0)]));
    }

    #[test]
    fn a_host_that_is_called_other_is_not_counted_twice() {
        let mut tally = Tally::new("", [("a.example", "other")], 100_000);
        tally.count(&line("a.example", "GET", 200), Route::Home);
        tally.count(&line("b.example", "GET", 200), Route::Home);
        assert_eq!(counts(&tally, "shop_http_requests_total"), of(&[("other home GET 2xx", 2.0)]));
    }

    #[test]
    fn a_route_that_was_asked_for_has_failed_zero_times_before_it_fails() {
        let mut tally = Tally::new("", [], 100_000);
        tally.count(&line("", "GET", 200), Route::Home);
        let mut out = Snapshot::default();
        tally.report(&mut out);
        let (findings, _, _) = out.finish();
        let (_, group) = findings.families().find(|(desc, _)| desc.name == "shop_http_requests_total").unwrap();
        let codes: Vec<_> = group.samples().map(|(labels, _)| labels.last().unwrap()).collect();
        assert_eq!(codes, ["2xx", "502", "503", "504", "5xx"]);
    }

    #[test]
    fn what_the_log_does_not_say_is_absent() {
        let mut tally = Tally::new("", [], 100_000);
        tally.count(&Line { method: b"GET", status: 200, ..Line::default() }, Route::Home);
        let mut out = Snapshot::default();
        tally.report(&mut out);
        let (findings, _, _) = out.finish();
        let families: Vec<_> = findings.families().map(|(desc, _)| desc.name.to_string()).collect();
        let expected =
            ["shop_http_latency_objective_seconds", "shop_http_requests_total", "shop_http_response_bytes_total"];
        assert_eq!(families, expected);
    }

    proptest! {
        #[test]
        fn whatever_is_counted_goes_on_after_a_restart(
            requests in prop::collection::vec((0..5_usize, 0..Method::ALL.len(), 0_u16..700, 0..Route::ALL.len(), any::<u32>()), 0..20)
        ) {
            let hosts = ["a.example", "b.example", "c.example", "", "d"];
            let new = || Tally::new("", [("a.example", "a"), ("b.example", "b"), ("c.example", "a")], 100_000);
            let mut tally = new();
            let mut restarted = new();
            for (host, method, status, route, micros) in requests {
                let line = Line { duration: Some(micros.into()), ..line(hosts[host], Method::ALL[method].as_str(), status) };
                tally.count(&line, Route::ALL[route]);
                restarted.count(&line, Route::ALL[route]);
                let json = serde_json::to_vec(&restarted.save()).unwrap();
                restarted = new();
                restarted.restore(&serde_json::from_slice(&json).unwrap());
            }
            prop_assert_eq!(restarted.save(), tally.save());
        }
    }
}
