//! The trial of one kind of server: an exporter with a target for each fault, beside a healthy one of each kind.
//!
//! Four scrapes' worth of history: everything is wrong from the start; all is well; it goes wrong again, on connections
//! that were kept; and all is well once more.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use vitrin::collector::Reason;

use super::faults::Fault;
use super::{Subject, manner, reasons};
use crate::support::daemon::eventually;
use crate::support::exporter::Exporter;
use crate::support::front::{Front, Manner, Then};
use crate::support::process;
use crate::support::scrape::Page;

/// How long a scrape may take, in seconds.
const LIMIT: f64 = 5.0;

/// What a busy machine may add to that; what hangs here does so for ever. `faults.rs` looks at the clock more closely.
const SLACK: f64 = 15.0;

/// What no fault may make the exporter hold in memory, in bytes; later on besides what it holds when all is well.
const HEAP: u64 = 64 << 20;

/// What every conversation with a server is longer than, in bytes.
const SHORTEST: usize = 64;

/// A target that something is wrong with.
struct Target {
    name: String,
    fault: Fault,
    front: Front,
    wrong: Manner,
    well: Manner,
    /// The byte at which the answers are cut.
    cut: Option<usize>,
}

impl Target {
    fn new(subject: &dyn Subject, fault: Fault, wrong: Manner, cut: Option<usize>) -> Self {
        let name = cut.map_or_else(|| fault.target().to_owned(), |cut| format!("{}_{cut}", fault.target()));
        let well = Manner::Honest(subject.server(fault.wants_tls()));
        Self { name, fault, front: Front::start(wrong.clone()), wrong, well, cut }
    }

    /// Whether something is wrong with each conversation, however short.
    fn is_certain(&self) -> bool {
        self.cut.is_none_or(|cut| cut < SHORTEST)
    }
}

/// Puts a server on trial, with all the others beside it.
pub(super) fn of(subject: &dyn Subject, all: &[&dyn Subject]) {
    for lasts in [true, false] {
        Trial::new(subject, all, lasts).run();
    }
}

struct Trial<'a> {
    subject: &'a dyn Subject,
    targets: Vec<Target>,
    /// In front of the targets called `main`, with which all is well all the time.
    mains: Vec<(&'a dyn Subject, Front)>,
    exporter: Exporter,
    /// Whether the faults are those that last until somebody loses patience.
    lasts: bool,
}

impl<'a> Trial<'a> {
    fn new(subject: &'a dyn Subject, all: &[&'a dyn Subject], lasts: bool) -> Self {
        let targets = targets(subject, lasts);
        let mains: Vec<_> =
            all.iter().map(|other| (*other, Front::start(Manner::Honest(other.server(false))))).collect();
        let topic = subject.topic();
        // What ends by itself must not be ended by a busy machine before.
        let timeout = Duration::from_secs(if lasts { 2 } else { 9 });
        let mut config = format!("[{topic}]\ntimeout = '{}s'\n", timeout.as_secs());
        config += &subject.timer(timeout).unwrap_or_default();
        for Target { name, fault, front, .. } in &targets {
            let settings = subject.settings(front.port, fault.wants_tls());
            write!(config, "[{topic}.targets.{name}]\n{settings}").unwrap();
        }
        for (other, front) in &mains {
            let settings = other.settings(front.port, false);
            write!(config, "[{}.targets.main]\n{settings}", other.topic()).unwrap();
        }
        let names: Vec<_> = targets.iter().map(|target| target.name.clone()).collect();
        config += &subject.queries(&names);
        Self { subject, targets, mains, exporter: Exporter::start(&config), lasts }
    }

    fn run(&self) {
        let wrong = self.first();
        self.assert_healthy(&wrong);
        self.assert_wrong(&wrong, None, self.subject.collectors());
        let heap = process::anonymous_bytes(self.exporter.pid());
        assert!(heap < HEAP, "{}: {heap} bytes of heap", self.subject.topic());

        self.turn(|target| &target.well);
        let before = self.well();
        let (descriptors, heap) = (self.exporter.fds(), process::anonymous_bytes(self.exporter.pid()));

        self.turn(|target| &target.wrong);
        // What runs by itself may have been in the middle of an answer.
        let before = if self.is_on_a_timer() { self.fresh() } else { before };
        let wrong = self.fresh();
        self.assert_healthy(&wrong);
        // Those on timers have their own time.
        self.assert_wrong(&wrong, Some(&before), &self.subject.collectors()[..1]);
        for (collector, _) in self.mains() {
            let main = [("collector", collector), ("target", "main")];
            let [now, then] = [&wrong, &before].map(|page| page.number("vitrin_series", &main));
            assert!(now >= then * 0.9, "{collector}: {now} series of {then} while others were down");
        }

        self.turn(|target| &target.well);
        self.well();
        let held = |target: &Target| target.front.open() > self.subject.collectors().len();
        eventually("connections to be closed", || !self.targets.iter().any(held));
        eventually("descriptors to be closed", || self.exporter.fds() <= descriptors);
        let now = process::anonymous_bytes(self.exporter.pid());
        assert!(now < heap + HEAP, "{}: {heap} bytes of heap before, {now} after", self.subject.topic());
    }

    fn turn(&self, manner: impl Fn(&Target) -> &Manner) {
        self.targets.iter().for_each(|target| target.front.turn(manner(target).clone()));
    }

    /// A scrape, which is answered in its time whatever is wrong.
    fn scrape(&self) -> Page {
        if !self.lasts {
            return self.exporter.scrape();
        }
        let begun = Instant::now();
        let page = self.exporter.scrape_within(LIMIT);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs_f64(LIMIT + SLACK), "{}: answered after {took:?}", self.subject.topic());
        page
    }

    /// Whether nobody's scrape asks the servers.
    fn is_on_a_timer(&self) -> bool {
        self.subject.timer(Duration::ZERO).is_some()
    }

    /// The first scrape that has something to say of everybody, which is the first of all but for those that a scrape
    /// does not ask.
    fn first(&self) -> Page {
        let mut page = self.scrape();
        let is_known = |page: &Page| {
            self.targets.iter().all(|target| self.subject.runs(page, &target.name) > 0.0)
                && self.mains.iter().all(|(subject, _)| subject.runs(page, "main") > 0.0)
        };
        eventually(&format!("all of {} and its neighbours to be asked", self.subject.topic()), || {
            is_known(&page) || {
                page = self.scrape();
                is_known(&page)
            }
        });
        page
    }

    /// A scrape that shows how the servers are now: where they are asked by a timer, one after two more runs have ended
    /// for each target, the first of which may have begun before.
    fn fresh(&self) -> Page {
        let mut page = self.scrape();
        if !self.is_on_a_timer() {
            return page;
        }
        let runs = |page: &Page, target: &Target| self.subject.runs(page, &target.name);
        let wanted: Vec<_> = self.targets.iter().map(|target| runs(&page, target) + 2.0).collect();
        eventually(&format!("all of {} to be asked again", self.subject.topic()), || {
            page = self.exporter.scrape();
            self.targets.iter().zip(&wanted).all(|(target, wanted)| runs(&page, target) >= *wanted)
        });
        page
    }

    /// The collectors that run at each scrape, and the metric that says whether they are up.
    fn mains(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.mains.iter().map(|(subject, _)| (subject.collectors()[0], subject.up()))
    }

    /// Asserts that the servers with which all is well are seen to be.
    fn assert_healthy(&self, page: &Page) {
        for (collector, up) in self.mains() {
            let main = [("collector", collector), ("target", "main")];
            assert_eq!(page.number("vitrin_up", &main), 1.0, "{collector}; {}", self.log("main"));
            // What replaces another exporter has no such label when there is one server alone.
            let is_its = |value: &String| value == "main";
            let ups = page.samples(up).filter(|series| series.labels.get("target").is_none_or(is_its));
            assert_eq!(ups.map(|series| series.value).collect::<Vec<_>>(), [1.0], "{collector}; {}", self.log("main"));
        }
    }

    /// Asserts that each target of these collectors is down for the right reason, and for no other; given what had
    /// happened before.
    fn assert_wrong(&self, page: &Page, before: Option<&Page>, collectors: &[&str]) {
        for (target, collector) in
            self.targets.iter().flat_map(|target| collectors.iter().map(move |name| (target, *name)))
        {
            let job = [("collector", collector), ("target", &*target.name)];
            let up = page.number("vitrin_up", &job);
            let right: BTreeSet<_> = reasons(self.subject, target.fault).into_iter().map(Reason::as_str).collect();
            let found: BTreeSet<_> = Reason::ALL
                .into_iter()
                .map(Reason::as_str)
                .filter(|reason| {
                    let labels = [job[0], job[1], ("reason", reason)];
                    let number = |page: &Page| page.number("vitrin_collect_failures_total", &labels);
                    number(page) > before.map_or(0.0, number)
                })
                .collect();
            let shown =
                format!("{collector} of {}: {found:?} instead of {right:?}; {}", target.name, self.log(&target.name));
            assert!(found.is_subset(&right), "{shown}");
            assert!(!found.is_empty() || (up == 1.0 && !target.is_certain()), "{shown}");
            assert!(
                up == 0.0 || !target.is_certain(),
                "{collector} of {} is up; {}",
                target.name,
                self.log(&target.name)
            );
            if collector == self.subject.collectors()[0] {
                let is_its = |value: &String| *value == target.name;
                let ups =
                    page.samples(self.subject.up()).filter(|series| series.labels.get("target").is_some_and(is_its));
                let ups: Vec<_> = ups.map(|series| series.value).collect();
                assert_eq!(ups, [up], "{} of {}; {}", self.subject.up(), target.name, self.log(&target.name));
            }
        }
    }

    /// Waits until all that is looked at soon is up, which what runs at a scrape, or the most often, is at once; gives
    /// the last page.
    fn well(&self) -> Page {
        let page = if self.is_on_a_timer() { self.fresh() } else { self.exporter.scrape() };
        for target in &self.targets {
            let job = [("collector", self.subject.collectors()[0]), ("target", &*target.name)];
            assert_eq!(page.number("vitrin_up", &job), 1.0, "{} again; {}", target.name, self.log(&target.name));
        }
        let patient = self.subject.patient();
        let soon: Vec<_> = self.subject.collectors().iter().filter(|name| !patient.contains(name)).collect();
        let is_up = |page: &Page| {
            self.targets.iter().flat_map(|target| soon.iter().map(move |collector| (target, **collector))).all(
                |(target, collector)| {
                    page.number("vitrin_up", &[("collector", collector), ("target", &target.name)]) == 1.0
                },
            )
        };
        let mut page = page;
        eventually(&format!("all of {} to be up again", self.subject.topic()), || {
            page = self.exporter.scrape();
            is_up(&page)
        });
        page
    }

    /// What the log says of a target.
    fn log(&self, target: &str) -> String {
        let log = self.exporter.log();
        let lines: Vec<_> = log.lines().filter(|line| line.contains(&format!("target=\"{target}\""))).collect();
        format!("the log:\n{}", lines.join("\n"))
    }
}

/// The targets for the faults that last, or for those that end by themselves.
fn targets(subject: &dyn Subject, lasts: bool) -> Vec<Target> {
    let mut targets = Vec::new();
    for fault in Fault::ALL.into_iter().filter(|fault| fault.lasts() == lasts) {
        if let Some(manner) = manner(subject, fault) {
            targets.push(Target::new(subject, fault, manner, None));
        }
        if fault.cuts() {
            let then = match fault {
                Fault::HangsHalfWay => Then::Hang,
                Fault::Dribbles => Then::Dribble,
                _ => Then::Close,
            };
            for bytes in places(subject.longest(), lasts) {
                let wrong = Manner::Cut { server: subject.server(false), bytes, then };
                targets.push(Target::new(subject, fault, wrong, Some(bytes)));
            }
        }
    }
    targets
}

/// The bytes at which a conversation is cut: each of the first few, in which headers and lengths are, and then ever
/// fewer, up to `longest`; where that takes time, some of these.
fn places(longest: usize, lasts: bool) -> Vec<usize> {
    let (first, ratio) = if lasts { (2, 3) } else { (8, 1) };
    let mut places: Vec<_> = (0..=first).collect();
    let mut place = first + 1;
    while place < longest {
        places.push(place);
        place += place * ratio / 2 + 1;
    }
    places
}
