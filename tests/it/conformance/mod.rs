//! Conformance: every collector that talks to a server, against one that does everything wrong.
//!
//! It walks THE list, `src/collectors/mod.rs`: a collector that is in it reads this machine alone and is said to
//! ([`LOCAL`]), or belongs to a [`Subject`], which says how it is configured and what stands behind it. All else is the
//! same for all, and so is the reason for each fault unless the subject says otherwise.
//!
//! `docs/reliability.md` has the outcome: `UPDATE_EXPECT=1 cargo test --test it conformance` writes it.

mod faults;
mod marketplace;
mod matrix;
mod mysql;
mod nginx;
mod php_fpm;
mod probe;
mod redis;
mod trial;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use vitrin::collector::Reason;

use crate::support::broken::GARBAGE;
use crate::support::daemon::turn;
use crate::support::front::{At, Manner};
use crate::support::scrape::Page;
use faults::Fault;

/// Collectors that read this machine and talk to no server.
const LOCAL: &[&str] = &["access_log", "host", "php_fpm_errors", "security", "textfile"];

/// The collectors that talk to a kind of server, and how to start some.
type Kind = (&'static [&'static str], fn() -> Box<dyn Subject + Send>);

/// All kinds of servers.
const SUBJECTS: [Kind; 6] = [
    (mysql::COLLECTORS, || Box::new(mysql::Subject::start())),
    (redis::COLLECTORS, || Box::new(redis::Subject::start())),
    (nginx::COLLECTORS, || Box::new(nginx::Subject::start())),
    (php_fpm::COLLECTORS, || Box::new(php_fpm::Subject::start())),
    (probe::COLLECTORS, || Box::new(probe::Subject::start())),
    (marketplace::COLLECTORS, || Box::new(marketplace::Subject::start())),
];

/// A topic: a kind of server, real ones of it, and the collectors that talk to it.
trait Subject: Sync {
    /// Its table in the configuration.
    fn topic(&self) -> &'static str;

    /// Its collectors; the first is the one that runs at each scrape, or the most often.
    fn collectors(&self) -> &'static [&'static str];

    /// Those on a timer of minutes, which no test waits for: what becomes of them is seen once, at the start.
    fn patient(&self) -> &'static [&'static str] {
        &[]
    }

    /// What the topic's table says of how often it is asked, when that is on a timer and not at each scrape; for targets
    /// with this time limit.
    fn timer(&self, _timeout: Duration) -> Option<String> {
        None
    }

    /// How often a target was asked until this page.
    fn runs(&self, page: &Page, target: &str) -> f64 {
        let job = [("collector", self.collectors()[0]), ("target", target)];
        page.number("vitrin_collect_run_duration_seconds_count", &job)
    }

    /// The metric that says whether it is up.
    fn up(&self) -> &'static str;

    /// The settings of a target at this loopback port that all collectors of the topic want, with TLS or without.
    fn settings(&self, port: u16, tls: bool) -> String;

    /// What else they want, given the names of all targets.
    fn queries(&self, _targets: &[String]) -> String {
        String::new()
    }

    /// The server where all is well, with TLS or without.
    fn server(&self, tls: bool) -> At;

    /// The server that this is wrong with; `None` where it cannot be.
    fn flawed(&self, fault: Fault) -> Option<At>;

    /// An answer without end: what begins it, and what goes on for ever.
    fn endless(&self) -> (Vec<u8>, Vec<u8>);

    /// Whether the server waits to be asked.
    fn waits(&self) -> bool {
        true
    }

    /// How many bytes the server says in the longest conversation, or some more.
    fn longest(&self) -> usize;

    /// The reasons that a fault may be called by, where it is not the one that it is called by elsewhere.
    fn otherwise(&self, _fault: Fault) -> Option<&'static [Reason]> {
        None
    }
}

/// What a server does that has this fault; `None` where it cannot have it, or where there is more than one way.
fn manner(subject: &dyn Subject, fault: Fault) -> Option<Manner> {
    let say = |head: &[u8], again: Option<&[u8]>| Manner::Say {
        asked: subject.waits(),
        head: head.into(),
        again: again.map(Arc::from),
    };
    match fault {
        Fault::Refuses => Some(Manner::Refuse),
        Fault::Hangs => Some(Manner::Silence),
        Fault::Closes => Some(Manner::Say { asked: false, head: Arc::default(), again: None }),
        Fault::Garbage => Some(say(GARBAGE, None)),
        Fault::Endless => {
            let (head, again) = subject.endless();
            Some(say(&head, Some(&again.repeat((64 << 10) / again.len() + 1))))
        }
        Fault::HangsHalfWay | Fault::Dribbles | Fault::BreaksOff => None,
        _ => subject.flawed(fault).map(Manner::Honest),
    }
}

/// The reasons that a fault of this server may be called by.
fn reasons(subject: &dyn Subject, fault: Fault) -> Vec<Reason> {
    subject.otherwise(fault).map_or_else(|| vec![fault.reason()], <[Reason]>::to_vec)
}

#[test]
fn every_collector_of_the_list_is_local_or_has_its_line() {
    let list: BTreeSet<_> = vitrin::collectors::all().into_iter().map(|(name, _)| name).collect();
    let known: BTreeSet<_> = SUBJECTS.iter().flat_map(|(names, _)| *names).chain(LOCAL).copied().collect();
    let missing: Vec<_> = list.difference(&known).collect();
    assert!(
        missing.is_empty(),
        "{missing:?} of src/collectors/mod.rs has no place in the conformance suite (tests/it/conformance). One that \
         reads this machine alone: add its name to LOCAL in mod.rs. One more collector of a server that is there: add \
         its name to COLLECTORS in the server's file, and what it needs to `settings`. A new kind of server: add a \
         file with its Subject, as nginx.rs, and a line in SUBJECTS"
    );
    let gone: Vec<_> = known.difference(&list).collect();
    assert!(gone.is_empty(), "{gone:?} is in the conformance suite, but not in src/collectors/mod.rs");
}

#[test]
fn every_fault_has_its_reason_and_costs_nothing_else() {
    // Scrapes are given a time to answer in.
    let _turn = turn();
    let subjects =
        thread::scope(|scope| SUBJECTS.map(|(_, start)| scope.spawn(start)).map(|subject| subject.join().unwrap()));
    let subjects = subjects.each_ref().map(|subject| -> &dyn Subject { &**subject });
    // Most of the time is spent waiting, so they go side by side.
    thread::scope(|scope| {
        for subject in subjects {
            scope.spawn(move || trial::of(subject, &subjects));
        }
    });
    matrix::write(&subjects);
}
