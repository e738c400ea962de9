//! A marketplace, as the conformance suite has it: the servers of the probed pages, asked by the preset `generic`.

use std::time::Duration;

use super::faults::Fault;
use super::probe;
use crate::support::front::At;
use crate::support::scrape::Page;
use vitrin::collector::Reason;

/// Who talks to it.
pub(super) const COLLECTORS: &[&str] = &["marketplace"];

/// As long as the longest time limit, at least: a probe may take no longer than it is to the next.
const INTERVAL: &str = "10s";

/// What one asks of a marketplace that answers with no more than a page.
pub(super) struct Subject(probe::Subject);

impl Subject {
    pub(super) fn start() -> Self {
        Self(probe::Subject::start())
    }
}

impl super::Subject for Subject {
    fn topic(&self) -> &'static str {
        "marketplace"
    }

    fn collectors(&self) -> &'static [&'static str] {
        COLLECTORS
    }

    fn up(&self) -> &'static str {
        "marketplace_probe_success"
    }

    fn timer(&self, _: Duration) -> Option<String> {
        // What its preset says of how often it is asked, a target alone can write over.
        Some(String::new())
    }

    fn runs(&self, page: &Page, target: &str) -> f64 {
        // A scrape is told what was found, and asks nobody.
        let all = page.samples("marketplace_probe_results_total");
        all.filter(|series| series.labels.get("target").map_or("main", String::as_str) == target)
            .map(|series| series.value)
            .sum()
    }

    fn settings(&self, port: u16, tls: bool) -> String {
        let account = |scheme: &str, path: &str| {
            format!(
                "preset = 'generic'\nvars = {{ base_url = '{scheme}://127.0.0.1:{port}', path = '{path}' }}\n\
                 probes.http = {{ interval = '{INTERVAL}' }}\n"
            )
        };
        if tls {
            format!("{}ca_file = '{}'\n", account("https", "/"), self.0.authority().display())
        } else {
            account("http", "/stub_status")
        }
    }

    fn server(&self, tls: bool) -> At {
        self.0.server(tls)
    }

    fn flawed(&self, fault: Fault) -> Option<At> {
        self.0.flawed(fault)
    }

    fn endless(&self) -> (Vec<u8>, Vec<u8>) {
        self.0.endless()
    }

    fn longest(&self) -> usize {
        self.0.longest()
    }

    fn otherwise(&self, fault: Fault) -> Option<&'static [Reason]> {
        self.0.otherwise(fault)
    }
}
