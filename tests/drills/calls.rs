//! Who was called for what: mails and phones, read as calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;
use std::time::Instant;

use regex::Regex;

use crate::files;
use crate::timeline::{Event, Labels, Mail, What};

/// One person or mailbox that was told of one alert.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    pub(crate) kind: Kind,
    /// The shop that it is about.
    pub(crate) shop: String,
}

/// What can be expected of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) alert: String,
    /// `level-1` to `level-4`, `notes`, or `phone`.
    pub(crate) who: String,
    /// Whether it began or is over.
    pub(crate) open: bool,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.alert, self.who, if self.open { "" } else { " over" })
    }
}

/// The names of all alerts that the shipped rules know.
pub(crate) static ALERTS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let name = Regex::new(r"(?m)^\s*- alert: (\w+)|\{alert: (\w+)").expect("a constant");
    let rules = files::shipped().into_iter().filter(|(path, _)| path.starts_with("prometheus/rules/"));
    let names = |text: String| -> Vec<String> {
        name.captures_iter(&text)
            .filter_map(|found| found.iter().skip(1).flatten().next().map(|it| it.as_str().to_owned()))
            .collect()
    };
    rules.flat_map(|(_, text)| names(text)).collect()
});

/// Which receiver a mail's addresses belong to, as the shipped configuration says.
static RECEIVERS: LazyLock<BTreeMap<BTreeSet<String>, String>> = LazyLock::new(|| {
    let text = &files::shipped()[files::ALERTMANAGER];
    let config: serde_json::Value = serde_saphyr::from_str(text).expect("it is YAML");
    let mut receivers = BTreeMap::new();
    for receiver in config["receivers"].as_array().into_iter().flatten() {
        for mail in receiver["email_configs"].as_array().into_iter().flatten() {
            let to = mail["to"].as_str().unwrap_or_default().split(',').map(|to| to.trim().to_owned()).collect();
            receivers.insert(to, receiver["name"].as_str().unwrap_or_default().to_owned());
        }
    }
    receivers
});

/// The calls among these events, each once.
pub(crate) fn of(events: &[Event]) -> Vec<Call> {
    events.iter().flat_map(of_event).collect()
}

fn of_event(event: &Event) -> Vec<Call> {
    let call = |who: &str, shop: &str, alert: &str, open: bool| Call {
        at: event.at,
        kind: Kind { who: who.to_owned(), alert: alert.to_owned(), open },
        shop: shop.to_owned(),
    };
    match &event.what {
        What::Mail(mail) => {
            let who = receiver(&mail.to);
            about(mail).into_iter().map(|(shop, alert, open)| call(who, &shop, &alert, open)).collect()
        }
        What::Phone { alerts, firing, .. } => {
            let told: BTreeSet<_> =
                alerts.iter().map(|labels| (value(labels, "shop"), value(labels, "alertname"))).collect();
            told.into_iter().map(|(shop, alert)| call("phone", shop, alert, *firing)).collect()
        }
        What::Ping | What::Done(_) | What::Refused(_) => Vec::new(),
    }
}

fn value<'a>(labels: &'a Labels, name: &str) -> &'a str {
    labels.get(name).map_or("", String::as_str)
}

fn receiver(to: &[String]) -> &'static str {
    let to: BTreeSet<_> = to.iter().cloned().collect();
    RECEIVERS.get(&to).unwrap_or_else(|| panic!("no receiver that is shipped has the addresses {to:?}"))
}

/// What stands in a mail, as alertmanager/templates/text.tmpl writes it: shop and name of each alert, and whether it is
/// open. A mail that says nothing of the kind is an error: it would be a call that nobody could read.
fn about(mail: &Mail) -> BTreeSet<(String, String, bool)> {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        let line = r"(?m)^(?:and )?(?:(?P<open>\w+) \(\w*\)|over: (?P<over>\w+)) on (?P<shop>[^\s,]+)(?:,|$)";
        Regex::new(line).expect("a constant")
    });
    let mut alerts = BTreeSet::new();
    for found in LINE.captures_iter(&mail.text) {
        let name = found.name("open").or(found.name("over")).expect("one of the two").as_str();
        // The ladder's drill has alerts of its own.
        assert!(
            ALERTS.contains(name) || name.starts_with("Drill"),
            "a mail is about {name}, which no rule has:\n{}",
            mail.text
        );
        alerts.insert((found["shop"].to_owned(), name.to_owned(), found.name("open").is_some()));
    }
    assert!(!alerts.is_empty(), "a mail says nothing of any alert:\n{}", mail.whole);
    alerts
}

/// The labels that the links in a mail silence.
pub(crate) fn links(mail: &Mail) -> Vec<Labels> {
    let queries = mail.text.lines().filter_map(|line| Some(line.split_once("/#/silences/new?")?.1));
    let filter = |query: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (_, filter) = pairs.find(|(name, _)| name == "filter").unwrap_or_else(|| panic!("{query}"));
        let filter = filter.trim_start_matches('{').trim_end_matches('}').to_owned();
        let matcher = |matcher: &str| {
            let (name, value) = matcher.split_once('=').unwrap_or_else(|| panic!("{filter}"));
            (name.to_owned(), value.trim_matches('"').to_owned())
        };
        // No value of a drill holds a comma.
        filter.split(',').map(matcher).collect()
    };
    queries.map(filter).collect()
}
