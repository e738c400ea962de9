//! What is seen of one drill from its fault on, held against what should be.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::calls::{self, Call, Kind};
use crate::compress::{in_minutes, minutes};
use crate::timeline::What;
use crate::world::World;

/// How long a loaded machine may take for what the rules say should be there, in minutes beyond an alert's own `for`.
pub(crate) const SLACK: f64 = 25.0;

/// How long after everybody was called nobody else may be, in minutes: longer than most symptoms wait.
pub(crate) const SETTLED: f64 = 4.0;

/// How long an alert must be open at the least before level 2 hears of it: a minute less than the ladder says, since the
/// first call takes a little longer than the next.
const CLIMBS: f64 = 14.0;

/// An alert that must call people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) alert: &'static str,
    pub(crate) level: u8,
    pub(crate) severity: &'static str,
}

pub(crate) const fn critical(alert: &'static str, level: u8) -> Page {
    Page { alert, level, severity: "critical" }
}

pub(crate) const fn warning(alert: &'static str, level: u8) -> Page {
    Page { alert, level, severity: "warning" }
}

impl Page {
    /// Who hears of it at once.
    fn called(&self, open: bool) -> impl Iterator<Item = Kind> {
        let levels = (1..=self.level).map(|level| format!("level-{level}"));
        let phone = (self.severity == "critical").then(|| "phone".to_owned());
        let alert = self.alert;
        levels.chain(phone).map(move |who| Kind { alert: alert.to_owned(), who, open })
    }
}

/// All calls for these, that it begins or that it is over.
pub(crate) fn calls_for(pages: &[Page], open: bool) -> BTreeSet<Kind> {
    pages.iter().flat_map(|page| page.called(open)).collect()
}

/// The alerts of these.
pub(crate) fn names(pages: &[Page]) -> Vec<&'static str> {
    pages.iter().map(|page| page.alert).collect()
}

/// A line of the report.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) fault: String,
    pub(crate) expected: String,
    pub(crate) got: String,
    /// From the fault to the first page, as the drill's clock ran; none when nobody was to be called.
    pub(crate) first: Option<Duration>,
}

/// One drill under way.
pub(crate) struct Watch {
    fault: String,
    begin: Instant,
}

impl Watch {
    /// The fault comes now.
    pub(crate) fn begin(world: &World, fault: &str) -> Self {
        Self { fault: fault.to_owned(), begin: world.timeline.done(format!("fault: {fault}")) }
    }

    pub(crate) fn since(&self) -> Instant {
        self.begin
    }

    /// Waits until all these calls were made.
    pub(crate) fn expect(&self, world: &World, calls: &BTreeSet<Kind>, patience: f64, what: &str) {
        let kinds = |events: &[_]| calls::of(events).into_iter().map(|call| call.kind).collect::<BTreeSet<_>>();
        if !world.timeline.until(self.begin, minutes(patience), |events| kinds(events).is_superset(calls)) {
            let there = kinds(&world.timeline.since(self.begin));
            let missing: Vec<_> = calls.difference(&there).map(ToString::to_string).collect();
            self.fail(world, &format!("waited {patience:.0} minutes for {what}; missing: {missing:#?}"));
        }
    }

    /// Fails when something else was called for since the fault.
    ///
    /// `symptoms` may fire as long as they call nobody; Alertmanager says "over" of what was inhibited, too, when it
    /// ends together with its cause. What `climbs` may call the next level when its time has come.
    pub(crate) fn nothing_else(&self, world: &World, expected: &BTreeSet<Kind>, symptoms: &[&str], climbs: bool) {
        let calls = self.calls(world);
        let may_be = |call: &Call| {
            let Kind { alert, who, open } = &call.kind;
            // Notes are read in the office, if it is open just now.
            who == "notes"
                || !open && symptoms.contains(&alert.as_str())
                || climbs && who == "level-2" && expected.iter().any(|kind| kind.alert == *alert) && {
                    let first = calls.iter().find(|other| other.kind.alert == *alert).map(|first| first.at);
                    first.is_some_and(|first| call.at >= first + minutes(CLIMBS))
                }
        };
        let more = calls.iter().filter(|call| !expected.contains(&call.kind) && !may_be(call));
        let more: BTreeSet<_> = more.map(|call| call.kind.to_string()).collect();
        if !more.is_empty() {
            self.fail(world, &format!("nobody should have been called for {more:#?}"));
        }
    }

    /// Fails when an alert fired that is neither of these pages, at its level, nor one of these symptoms.
    pub(crate) fn only_these_fire(&self, world: &World, pages: &[Page], symptoms: &[&str]) {
        for labels in world.fired(self.begin) {
            let name = labels["alertname"].as_str();
            let is = |page: &Page| {
                name == page.alert
                    && labels.get("level").is_some_and(|level| *level == page.level.to_string())
                    && labels["severity"] == page.severity
            };
            if !symptoms.contains(&name) && !pages.iter().any(is) && labels["severity"] != "info" {
                self.fail(world, &format!("this should not have fired: {labels:?}"));
            }
        }
    }

    pub(crate) fn fail(&self, world: &World, what: &str) -> ! {
        let firing: Vec<_> = world.firing().iter().map(|labels| format!("{labels:?}")).collect();
        let told = world.timeline.told(self.begin);
        panic!("{}: {what}\nwhat happened, from the fault on:\n{told}alerts now: {firing:#?}", self.fault);
    }

    pub(crate) fn row(&self, world: &World, expected: String) -> Row {
        let calls = self.calls(world);
        let first = calls.first().map(|call| call.at.duration_since(self.begin));
        // By alert, in the order they came: who was called when, repeated calls left out.
        let mut alerts: Vec<(&str, String)> = Vec::new();
        let mut told = BTreeSet::new();
        for call in calls.iter().filter(|call| call.kind.who != "notes" && told.insert(call.kind.clone())) {
            let minute = in_minutes(call.at.duration_since(self.begin));
            let place = alerts.iter().position(|(alert, _)| *alert == call.kind.alert).unwrap_or_else(|| {
                alerts.push((&call.kind.alert, String::new()));
                alerts.len() - 1
            });
            let over = if call.kind.open { "" } else { " over" };
            let comma = if alerts[place].1.is_empty() { "" } else { ", " };
            write!(alerts[place].1, "{comma}{}{over} {minute:.0}", call.kind.who).expect("a string takes everything");
        }
        let got = alerts.iter().map(|(alert, who)| format!("{alert}: {who}")).collect::<Vec<_>>().join("; ");
        Row { fault: self.fault.clone(), expected, got, first }
    }

    fn calls(&self, world: &World) -> Vec<Call> {
        calls::of(&world.timeline.since(self.begin))
    }

    /// Follows the links in the mails so far, each once: silences for an hour. Returns their ids.
    pub(crate) fn acknowledge(&self, world: &World) -> Vec<String> {
        let events = world.timeline.since(self.begin);
        let mails = events.iter().filter_map(|event| match &event.what {
            What::Mail(mail) => Some(mail),
            _ => None,
        });
        let links: BTreeSet<_> = mails.flat_map(calls::links).collect();
        assert!(!links.is_empty(), "no mail has a link:\n{}", world.timeline.told(self.begin));
        world.timeline.done(format!("acknowledged: {links:?}"));
        links.iter().map(|labels| world.monitoring().silence(labels, minutes(60.0), 0)).collect()
    }
}

/// Pages as the report has them.
pub(crate) fn told(pages: &[Page]) -> String {
    let page = |page: &Page| format!("{} (level {}, {})", page.alert, page.level, page.severity);
    if pages.is_empty() { "nobody is called".to_owned() } else { pages.iter().map(page).collect::<Vec<_>>().join(", ") }
}
