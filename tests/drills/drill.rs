//! One drill: what is broken and repaired, who must be called for it, and what came of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::calls::{Call, Kind};
use crate::compress::{in_minutes, minutes};
use crate::timeline::{Labels, What};
use crate::world::World;

/// How long a loaded machine may take for what the rules say should be there: in minutes, beyond an alert's own `for`.
const SLACK: f64 = 25.0;

/// How long after everybody was called nobody else may be: beyond the longest `for` of a symptom that pages.
const SETTLED: f64 = 3.0;

/// How long an acknowledged alert is watched: past the time that level 2 would be called at.
const ACKNOWLEDGED: f64 = 17.0;

/// An alert that must call people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) alert: &'static str,
    pub(crate) level: u8,
    pub(crate) severity: Severity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Critical,
    Warning,
}

pub(crate) const fn critical(alert: &'static str, level: u8) -> Page {
    Page { alert, level, severity: Severity::Critical }
}

pub(crate) const fn warning(alert: &'static str, level: u8) -> Page {
    Page { alert, level, severity: Severity::Warning }
}

impl Page {
    /// Who hears of it at once.
    fn called(&self, open: bool) -> impl Iterator<Item = Kind> {
        let levels = (1..=self.level).map(|level| format!("level-{level}"));
        let phone = (self.severity == Severity::Critical).then(|| "phone".to_owned());
        let alert = self.alert;
        levels.chain(phone).map(move |who| Kind { alert: alert.to_owned(), who, open })
    }
}

/// A fault and what must come of it.
#[derive(Clone, Copy)]
pub(crate) struct Drill {
    /// What is broken, for the report.
    pub(crate) fault: &'static str,
    /// Whether it is one of those that run with the tests.
    pub(crate) short: bool,
    /// Thresholds other than the quiet ones.
    pub(crate) thresholds: &'static [(&'static str, &'static str)],
    /// All alerts that call somebody.
    pub(crate) pages: &'static [Page],
    /// Those that may fire besides, and call nobody: symptoms of a cause that was paged.
    pub(crate) symptoms: &'static [&'static str],
    /// Longest `for` among the pages, in minutes.
    pub(crate) after: f64,
    /// Whether somebody acknowledges it, after which no higher level may be called.
    pub(crate) acknowledged: bool,
    pub(crate) inject: fn(&mut World),
    pub(crate) repair: fn(&mut World),
}

/// What came of a drill: a line of the report.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) fault: String,
    pub(crate) expected: String,
    pub(crate) got: String,
    /// From the fault to the first page, as the drill's clock ran; none when nobody was to be called.
    pub(crate) first: Option<Duration>,
}

impl Drill {
    /// Nothing happens and nobody is called.
    pub(crate) const NONE: Self = Self {
        fault: "none",
        short: false,
        thresholds: &[],
        pages: &[],
        symptoms: &[],
        after: 0.0,
        acknowledged: false,
        inject: |_| {},
        repair: |_| {},
    };

    /// Breaks, watches, acknowledges, repairs, and holds what came of it against what must.
    pub(crate) fn run(&self, world: &mut World) -> Row {
        world.watch(self.thresholds);
        let begin = world.timeline.done(format!("fault: {}", self.fault));
        (self.inject)(world);
        let opened: BTreeSet<_> = self.pages.iter().flat_map(|page| page.called(true)).collect();
        let over: BTreeSet<_> = self.pages.iter().flat_map(|page| page.called(false)).collect();
        self.expect(world, begin, &opened, minutes(self.after + SLACK), "these calls");
        let first = world.calls(begin).first().map(|call| call.at.duration_since(begin));

        let mut silence = Vec::new();
        if self.acknowledged {
            for labels in acknowledgements(world, begin) {
                world.timeline.done(format!("acknowledged: {labels:?}"));
                silence.push(world.monitoring().silence(&labels, minutes(60.0), 0));
            }
            world.timeline.pass(minutes(ACKNOWLEDGED));
        } else {
            world.timeline.pass(minutes(SETTLED));
        }
        let fired = world.fired(begin);

        world.timeline.done("repair");
        (self.repair)(world);
        // What a helper does when the incident is over; by hand, the silence would run out.
        for id in silence {
            world.monitoring().expire(&id);
        }
        let all: BTreeSet<_> = opened.union(&over).cloned().collect();
        self.expect(world, begin, &all, minutes(SLACK), "these calls, and that it is over");
        world.timeline.pass(minutes(SETTLED));
        self.judge(world, begin, &all, &fired);
        world.timeline.done("over");
        Row { fault: self.fault.to_owned(), expected: self.expected(), got: got(&world.calls(begin), begin), first }
    }

    #[track_caller]
    fn expect(&self, world: &World, begin: Instant, calls: &BTreeSet<Kind>, patience: Duration, what: &str) {
        let there = |events: &[_]| {
            let kinds: BTreeSet<_> = crate::calls::of(events).into_iter().map(|call| call.kind).collect();
            kinds.is_superset(calls)
        };
        if !world.timeline.until(begin, patience, there) {
            let missing: Vec<_> = calls.iter().map(ToString::to_string).collect();
            self.fail(world, begin, &format!("waited {:.0} minutes for {what}: {missing:#?}", in_minutes(patience)));
        }
    }

    /// Exactly these calls, and no alert that is not accounted for.
    fn judge(&self, world: &World, begin: Instant, expected: &BTreeSet<Kind>, fired: &[Labels]) {
        let kinds: BTreeSet<_> = world.calls(begin).into_iter().map(|call| call.kind).collect();
        // Alertmanager says "over" of what was inhibited, too, when it ends with its cause.
        let ends = |kind: &&Kind| !kind.open && self.symptoms.contains(&kind.alert.as_str());
        let more: Vec<_> = kinds.difference(expected).filter(|kind| !ends(kind)).map(ToString::to_string).collect();
        if !more.is_empty() {
            self.fail(world, begin, &format!("nobody should have been called for {more:#?}"));
        }
        for labels in fired {
            let known = self.symptoms.contains(&labels["alertname"].as_str())
                || self.pages.iter().any(|page| {
                    labels["alertname"] == page.alert && labels.get("level") == Some(&page.level.to_string())
                });
            if !known {
                self.fail(world, begin, &format!("this should not have fired: {labels:?}"));
            }
        }
    }

    fn fail(&self, world: &World, begin: Instant, what: &str) -> ! {
        let firing = world.monitoring().query("ALERTS{alertname!=\"Watchdog\"}");
        let firing: Vec<_> = firing.into_iter().map(|(labels, _)| labels).collect();
        panic!("{}: {what}\nwhat happened, from the fault on:\n{}now: {firing:#?}", self.fault, world.timeline.told(begin));
    }

    fn expected(&self) -> String {
        let page = |page: &Page| format!("{} (level {}, {})", page.alert, page.level, page.severity.name());
        let pages: Vec<_> = self.pages.iter().map(page).collect();
        if pages.is_empty() { "nobody is called".to_owned() } else { pages.join(", ") }
    }
}

impl Severity {
    const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}

/// The calls in the order they came, with the minute of each, and repeated ones left out.
fn got(calls: &[Call], begin: Instant) -> String {
    let mut text = String::new();
    let mut told = BTreeSet::new();
    for call in calls.iter().filter(|call| told.insert(call.kind.clone())) {
        let minute = in_minutes(call.at.duration_since(begin));
        write!(text, "{}{} {minute:.1}", if text.is_empty() { "" } else { ", " }, call.kind).expect("a string");
    }
    text
}

/// What the links in the mails would silence, each once.
pub(crate) fn acknowledgements(world: &World, begin: Instant) -> BTreeSet<Labels> {
    let events = world.timeline.since(begin);
    let mails = events.iter().filter_map(|event| match &event.what {
        What::Mail(mail) => Some(mail),
        _ => None,
    });
    mails.flat_map(crate::calls::links).collect()
}
