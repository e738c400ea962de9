//! What happened when: who was called for what, and what the drill did meanwhile.

use std::fmt::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::compress::in_minutes;

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) at: Instant,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A mail that was taken.
    Mail(Mail),
    /// A mail that was read to its end and then refused.
    Refused(Mail),
    /// A phone was rung, or told that it is over: for these alerts.
    Phone { person: String, firing: bool, alerts: Vec<Labels> },
    /// The dead man's switch was held down.
    Ping,
    /// What the drill did.
    Done(String),
}

pub(crate) type Labels = std::collections::BTreeMap<String, String>;

/// A mail as it came.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) to: Vec<String>,
    pub(crate) subject: String,
    /// Its part in plain text.
    pub(crate) text: String,
    /// All of it.
    pub(crate) whole: String,
}

/// Everything so far; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    events: Arc<(Mutex<Vec<Event>>, Condvar)>,
    begun: Instant,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self { events: Arc::default(), begun: Instant::now() }
    }

    pub(crate) fn add(&self, what: What) {
        self.events().push(Event { at: Instant::now(), what });
        self.events.1.notify_all();
    }

    /// Notes what the drill does now, and when that is.
    pub(crate) fn done(&self, what: impl Into<String>) -> Instant {
        self.add(What::Done(what.into()));
        Instant::now()
    }

    /// What happened since then.
    pub(crate) fn since(&self, begin: Instant) -> Vec<Event> {
        self.events().iter().filter(|event| event.at >= begin).cloned().collect()
    }

    /// Waits until this holds of what happened since then; whether it came to that before `patience` was over.
    pub(crate) fn until(&self, begin: Instant, patience: Duration, holds: impl Fn(&[Event]) -> bool) -> bool {
        let end = Instant::now() + patience;
        let mut events = self.events();
        loop {
            let first = events.partition_point(|event| event.at < begin);
            if holds(&events[first..]) {
                return true;
            }
            let Some(left) = end.checked_duration_since(Instant::now()) else { return false };
            events = self.events.1.wait_timeout(events, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets time pass, which is what a drill is about.
    pub(crate) fn pass(&self, time: Duration) {
        self.until(Instant::now(), time, |_| false);
    }

    /// What happened since then as text, in minutes of the operator's clock.
    pub(crate) fn told(&self, begin: Instant) -> String {
        let mut text = String::new();
        for Event { at, what } in self.since(begin) {
            let minute = in_minutes(at.duration_since(begin));
            let what = match what {
                What::Ping => continue,
                What::Done(what) => format!("* {what}"),
                What::Mail(mail) => format!("mail to {}: {}", mail.to.join(", "), mail.subject),
                What::Refused(mail) => format!("mail refused, to {}: {}", mail.to.join(", "), mail.subject),
                What::Phone { person, firing, alerts } => {
                    let names: Vec<_> = alerts.iter().map(named).collect();
                    format!("phone of {person}: {} {}", if firing { "open" } else { "over" }, names.join(", "))
                }
            };
            writeln!(text, "{minute:7.1} min  {what}").expect("a string takes everything");
        }
        text + &format!("(the run is {:.0} s old)\n", self.begun.elapsed().as_secs_f64())
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An alert's name with what tells it from others of that name.
pub(crate) fn named(labels: &Labels) -> String {
    let beside = ["level", "shop", "instance", "component", "severity", "alertname"];
    let rest = labels.iter().filter(|(name, _)| !beside.contains(&name.as_str()));
    let rest: Vec<_> = rest.map(|(name, value)| format!("{name}={value}")).collect();
    let name = labels.get("alertname").map_or("?", String::as_str);
    if rest.is_empty() { name.to_owned() } else { format!("{name} ({})", rest.join(", ")) }
}
