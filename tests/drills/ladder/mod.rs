//! The ladder: who is called at which minute when nobody answers, when somebody does, and while servers die.
//!
//! Real faults cannot be made to come, go and come back to the minute, so these are written on a page; everything from
//! there on is what is shipped. Each case is a shop of its own, and all run at once.

mod cases;
mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Instant;

use tempfile::TempDir;

use crate::calls::{self, Call};
use crate::compress::{in_minutes, minutes};
use crate::monitoring::{Monitoring, Ports};
use crate::sinks::{Smtp, Web};
use crate::support::daemon::{eventually, folder};
use crate::timeline::{Labels, Timeline, What};
use crate::watch::Row;
use crate::world::substitutions;
use cases::{ALONE, Act, Case, PAIR};
use page::{Page, RULES};

/// How much earlier than on an idle machine a call may come, and how much later. Levels are 15 minutes apart.
const EARLY: f64 = 2.0;
const LATE: f64 = 7.0;

/// When all is over, and how long the last words may take.
const END: f64 = 70.0;
const LAST: f64 = 10.0;

/// The table of cases with one Prometheus and one Alertmanager.
pub(crate) fn alone() -> Vec<Row> {
    Ladder::start(1).run(&ALONE, "ladder")
}

/// The cases that a pair of each must get through while its members are killed.
pub(crate) fn pair() -> Vec<Row> {
    Ladder::start(2).run(&PAIR, "pair of each, killed in turn")
}

struct Ladder {
    timeline: Timeline,
    page: Page,
    monitoring: Monitoring,
    /// Is read when a mail is sent.
    _secrets: TempDir,
}

impl Ladder {
    fn start(count: usize) -> Self {
        let timeline = Timeline::new();
        let (smtp, web, page) = (Smtp::start(&timeline), Web::start(&timeline), Page::default());
        let (ports, port) = (Ports::of(count), page.serve());
        let secrets = folder();
        let secret = secrets.path().join("smtp");
        std::fs::write(&secret, "any").unwrap();
        let of = |which| substitutions(&ports, which, port, smtp.port, web.port, &secret);
        let monitoring = Monitoring::start(&ports, of, Some(RULES));
        eventually("Prometheus to know the page", || !monitoring.query("up{job=\"vitrin\"} == 1").is_empty());
        Self { timeline, page, monitoring, _secrets: secrets }
    }

    /// Plays all cases at once, and then looks who was called.
    fn run(mut self, cases: &[Case], name: &str) -> Vec<Row> {
        let mut script: Vec<(f64, &'static str, Act)> = Vec::new();
        for case in cases {
            script.extend(case.acts.iter().map(|(minute, act)| (*minute, case.shop, *act)));
        }
        script.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
        let begin = self.timeline.done("the script begins");
        for (minute, shop, act) in script {
            self.timeline.pass((begin + minutes(minute)).saturating_duration_since(Instant::now()));
            self.timeline.done(format!("{shop}: {act:?}"));
            self.act(begin, shop, act);
        }
        self.timeline.pass((begin + minutes(END + LAST)).saturating_duration_since(Instant::now()));
        let calls = calls::of(&self.timeline.since(begin));
        cases.iter().map(|case| self.judge(case, name, &calls, begin)).collect()
    }

    fn act(&mut self, begin: Instant, shop: &str, act: Act) {
        match act {
            Act::Begin(fault) => self.page.set(fault, true),
            Act::End(fault) => self.page.set(fault, false),
            Act::Link => {
                for labels in self.links(begin, shop) {
                    self.monitoring.silence(&labels, minutes(120.0), 0);
                }
            }
            Act::Button { level } => {
                let esc = format!("esc{level}");
                let is = |labels: &Labels| labels.get("shop").is_some_and(|of| of == shop);
                let alerts = self.monitoring.alerts(0).into_iter().filter(is);
                let alert = if level == 1 {
                    alerts.into_iter().find(|labels| !labels.contains_key("esc2"))
                } else {
                    alerts.into_iter().find(|labels| labels.contains_key(&esc))
                };
                let labels = alert.unwrap_or_else(|| panic!("{shop} has no alert of level {level}"));
                self.monitoring.silence(&labels, minutes(120.0), 0);
            }
            Act::KillAlertmanager(which) => self.monitoring.alertmanagers[which].daemon.kill(),
            Act::StartAlertmanager(which) => self.monitoring.alertmanagers[which].start_again(),
            Act::KillPrometheus(which) => self.monitoring.prometheus[which].daemon.kill(),
        }
    }

    /// What the links in the mails about a shop silence.
    fn links(&self, begin: Instant, shop: &str) -> Vec<Labels> {
        let mut all = Vec::new();
        for event in self.timeline.since(begin) {
            if let What::Mail(mail) = event.what {
                all.extend(calls::links(&mail).into_iter().filter(|labels| labels["shop"] == shop));
            }
        }
        all.dedup();
        assert!(!all.is_empty(), "no mail about {shop} has a link:\n{}", self.timeline.told(begin));
        all
    }

    /// Each mailbox and phone of a case was called exactly as often as it should be, each time within the tolerance.
    fn judge(&self, case: &Case, name: &str, calls: &[Call], begin: Instant) -> Row {
        let ours: Vec<_> = calls.iter().filter(|call| call.shop == case.shop).collect();
        let mut wrong = Vec::new();
        // One mail may tell of several alerts.
        let mut got: BTreeMap<&str, Vec<(f64, bool)>> = BTreeMap::new();
        let mut told_at = BTreeSet::new();
        for call in &ours {
            if call.kind.open && call.kind.alert != case.alert {
                wrong.push(format!("a call for {}", call.kind));
            }
            if told_at.insert((call.at, &call.kind.who, call.kind.open)) {
                let minute = in_minutes(call.at.duration_since(begin));
                got.entry(&call.kind.who).or_default().push((minute, call.kind.open));
            }
        }
        for who in case.expected.iter().map(|(who, _)| *who).chain(got.keys().copied()) {
            let expected = case.expected.iter().find(|(other, _)| *other == who).map_or(&[][..], |(_, calls)| calls);
            let calls_made = got.get(who).map_or(&[][..], Vec::as_slice);
            let same = expected.len() == calls_made.len()
                && expected
                    .iter()
                    .zip(calls_made)
                    .all(|((minute, open), (at, opened))| open == opened && (-EARLY..LATE).contains(&(at - minute)));
            if !same {
                wrong.push(format!("{who}: expected {}, got {}", told(expected), told(calls_made)));
            }
        }
        assert!(
            wrong.is_empty(),
            "{name}, case `{}` ({}): {wrong:#?}\nwhat happened:\n{}",
            case.shop,
            case.what,
            self.timeline.told(begin)
        );
        let row = |calls: &BTreeMap<&str, Vec<(f64, bool)>>| {
            let mut text = String::new();
            for (who, calls) in calls {
                write!(text, "{}{who} {}", if text.is_empty() { "" } else { "; " }, told(calls)).expect("a string");
            }
            text
        };
        let expected = case.expected.iter().map(|(who, calls)| (*who, calls.to_vec())).collect();
        Row {
            fault: format!("{name}: {}", case.what),
            expected: row(&expected),
            got: row(&got),
            first: ours.first().map(|call| call.at.duration_since(begin)),
        }
    }
}

fn told(calls: &[(f64, bool)]) -> String {
    if calls.is_empty() {
        return "never".to_owned();
    }
    let call = |(minute, open): &(f64, bool)| format!("{minute:.0}{}", if *open { "" } else { " over" });
    calls.iter().map(call).collect::<Vec<_>>().join(", ")
}
