//! An account that is asked again and again, and what each time comes to.

use vitrin::collector::{Collector as _, Context, Failure, Paths};
use vitrin::collectors::marketplace::{Account, Marketplace};

use super::RESULTS;
use crate::support::found::Found;
use crate::support::mariadb::block_on;

const PHASES: [&str; 5] = ["resolve", "connect", "tls", "processing", "transfer"];

const STATES: [&str; 6] = ["blocked", "expired", "forbidden", "ok", "rejected", "unknown"];

/// An account that is asked again and again, with one probe.
pub(super) struct Watched {
    account: Account,
    marketplace: Marketplace,
    /// What was said of it the last time.
    last: Option<Found>,
}

impl Watched {
    pub(super) fn new(account: Account) -> Self {
        let marketplace = Marketplace::new(&account, &Context::new(Paths::default()));
        Self { account, marketplace, last: None }
    }

    /// Asks, and gives what one more than the last time ended so, or was left out for: `ok`, `not made: blocked`; and
    /// what was complained of.
    pub(super) fn ask(&mut self) -> (String, Option<Failure>) {
        let (found, failure) = block_on(Found::whether_up(&self.marketplace));
        let more = |name: &str, label: &str, value: &str| {
            let number = |found: &Found| found.number(name, &self.labels(&[(label, value)]));
            number(&found) - self.last.as_ref().map_or(0.0, number)
        };
        let ended = RESULTS.into_iter().map(|result| (result.to_owned(), "results_total", "result", result));
        let skipped = ["auth_paused", "blocked", "no_token", "overlap", "retry_after"];
        let skipped =
            skipped.into_iter().map(|reason| (format!("not made: {reason}"), "skipped_total", "reason", reason));
        let all: Vec<_> = ended
            .chain(skipped)
            .flat_map(|(shown, name, label, value)| {
                let more = more(&format!("marketplace_probe_{name}"), label, value);
                (0..10).take_while(move |count| f64::from(*count) < more).map(move |_| shown.clone())
            })
            .collect();
        self.last = Some(found);
        (all.join(", "), failure)
    }

    pub(super) fn labels<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let own = [("marketplace", &*self.account.marketplace), ("probe", &*self.account.probes[0].name)];
        own.into_iter().chain(more.iter().copied()).collect()
    }

    pub(super) fn last(&self) -> &Found {
        self.last.as_ref().expect("it was asked")
    }

    pub(super) fn number(&self, name: &str) -> f64 {
        self.last().number(name, &self.labels(&[]))
    }

    /// How often answers had this status.
    pub(super) fn responses(&self, status: &str) -> f64 {
        let responses = self.last().get("marketplace_probe_http_responses_total", &self.labels(&[("code", status)]));
        if responses.is_none() {
            return 0.0;
        }
        self.last().number("marketplace_probe_http_responses_total", &self.labels(&[("code", status)]))
    }

    /// The phases of the last probe.
    pub(super) fn phases(&self) -> String {
        let name = "marketplace_probe_last_duration_seconds";
        let was = |phase: &&str| self.last().get(name, &self.labels(&[("phase", phase)])).is_some();
        PHASES.into_iter().filter(was).collect::<Vec<_>>().join(" ")
    }

    /// How the credentials fare; nothing where there are none.
    pub(super) fn auth(&self) -> String {
        let is_it = |state: &&str| {
            let labels = [("marketplace", &*self.account.marketplace), ("state", *state)];
            self.last().get("marketplace_auth_state", &labels).is_some()
                && self.last().number("marketplace_auth_state", &labels) == 1.0
        };
        let states: Vec<_> = STATES.into_iter().filter(is_it).collect();
        states.join("+")
    }
}
