//! What every alert must say of itself: name, labels, annotations, and what may be left of its expression.

use std::collections::BTreeSet;
use std::time::Duration;

use promql_parser::util::parse_duration;

use super::catalogue::{CLIMBED, Catalogue, FIXED, IDENTITY};
use super::expression::Expression;
use super::files::{Bundle, Rule, Topic, rules_file};
use super::latch;

/// The alert that never ends, and so has neither level nor severity.
pub(super) const WATCHDOG: &str = "Watchdog";

/// What the watchdog tells dashboards: the addresses of runbooks and of Alertmanager.
const ADDRESSES: [&str; 2] = ["runbooks_url", "alerts_url"];

/// Labels that something else sets.
const RESERVED: [&str; 6] = ["alertname", "alertstate", "origin", "replica", "shop", "instance"];

/// What an alert tells.
const ANNOTATIONS: [&str; 4] = ["summary", "description", "runbook_url", "dashboard_url"];

/// The longest that an alert waits before it fires, and goes on firing when nothing is wrong any more.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
const LONGEST_KEEP: Duration = Duration::from_mins(15);

/// Everything that is wrong with the alerts of a bundle.
pub(super) fn complaints(bundle: &Bundle) -> Vec<String> {
    let catalogue = Catalogue::of(bundle);
    let mut complaints = Vec::new();
    let mut names = BTreeSet::new();
    for (file, rule) in bundle.alerts() {
        let mut wrong = Vec::new();
        if !names.insert(&rule.alert) {
            wrong.push("there is another alert of this name".to_owned());
        }
        match bundle.topic(file) {
            Some(topic) => {
                wrong.extend(name(bundle, topic, rule));
                wrong.extend(annotations(topic, rule));
            }
            None => wrong.push("no line of docs/topics.tsv is named as its file".to_owned()),
        }
        wrong.extend(labels(file, rule));
        wrong.extend(times(rule));
        wrong.extend(identity(&catalogue, rule));
        complaints.extend(wrong.into_iter().map(|what| format!("{}: {}: {what}", rules_file(file), rule.alert)));
    }
    complaints.extend(causes(bundle));
    complaints
}

/// A name starts as its topic says, and as no other does: of two that fit, the longer one counts.
fn name(bundle: &Bundle, topic: &Topic, rule: &Rule) -> Option<String> {
    let starts = bundle.topics.iter().flat_map(|topic| topic.alerts.iter().map(move |start| (start, topic)));
    let fitting = starts.filter(|(start, _)| rule.alert.starts_with(start.as_str()));
    let of = fitting.max_by_key(|(start, _)| start.len()).map(|(_, topic)| topic.name.as_str());
    let legal = rule.alert.chars().all(|c| c.is_ascii_alphanumeric());
    let forbidden = ["Critical", "Warning", "Level"].iter().find(|word| rule.alert.contains(**word));
    if of != Some(&topic.name) {
        Some(format!("its name starts with none of {}, as docs/topics.tsv wants it", topic.alerts.join(", ")))
    } else if !legal {
        Some("its name is not made of letters and digits".to_owned())
    } else {
        forbidden.map(|word| format!("`{word}` is for a label, not for a name"))
    }
}

fn labels(file: &str, rule: &Rule) -> Vec<String> {
    let mut wrong = Vec::new();
    let its_own: &[&str] = if rule.alert == WATCHDOG { &ADDRESSES } else { &[] };
    let others = |name: &&String| !FIXED.contains(&name.as_str()) && !its_own.contains(&name.as_str());
    for name in rule.labels.keys().filter(others) {
        let who =
            if CLIMBED.contains(&name.as_str()) || RESERVED.contains(&name.as_str()) { "reserved" } else { "unknown" };
        wrong.push(format!("the label `{name}` is {who}: an alert sets {}", FIXED.join(", ")));
    }
    let (level, severity) = (rule.label("level"), rule.label("severity"));
    let right = match severity {
        "critical" | "warning" => ["1", "2", "3", "4"].contains(&level),
        "info" => level.is_empty(),
        "none" => level.is_empty() && rule.alert == WATCHDOG,
        _ => false,
    };
    if !right {
        wrong.push(format!(
            "severity \"{severity}\" with level \"{level}\": critical and warning start at a level from 1 to 4, info at none"
        ));
    }
    if rule.label("component") != file {
        wrong.push(format!("its component is \"{}\", not \"{file}\" as its file", rule.label("component")));
    }
    let (cause, symptom) = (rule.label("cause"), rule.label("symptom"));
    if !["", "true"].contains(&cause) || !["", "true"].contains(&symptom) || (cause == "true" && symptom == "true") {
        wrong.push("`cause` and `symptom` are \"true\" or not there, and one alert is not both".to_owned());
    }
    wrong
}

fn annotations(topic: &Topic, rule: &Rule) -> Vec<String> {
    let mut wrong = Vec::new();
    let names: Vec<&str> = rule.annotations.keys().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = ANNOTATIONS.into();
    if names.iter().copied().collect::<BTreeSet<_>>() != wanted {
        wrong.push(format!("its annotations are {}, not {}", names.join(", "), ANNOTATIONS.join(", ")));
    }
    let text = |name: &str| rule.annotations.get(name).map_or("", |text| text.trim_end());
    let runbook = format!("{{{{ $externalLabels.runbooks }}}}/{}.md", rule.alert);
    let dashboard =
        format!("{{{{ $externalLabels.grafana }}}}/d/vitrin-{}?var-shop={{{{ $labels.shop }}}}", topic.dashboard);
    for (name, is, should) in
        [("runbook_url", text("runbook_url"), runbook), ("dashboard_url", text("dashboard_url"), dashboard)]
    {
        if is != should {
            wrong.push(format!("its {name} is\n    {is}\n  and not\n    {should}"));
        }
    }
    if text("summary").is_empty() || text("summary").contains('\n') {
        wrong.push("its summary is not one line".to_owned());
    }
    if text("description").is_empty() {
        wrong.push("its description is empty".to_owned());
    }
    for asked in rule.annotations.values().flat_map(|text| text.split("alert:threshold{alert=").skip(1)) {
        let asked = asked.trim_start_matches(['\\', '"']);
        if asked.strip_prefix(rule.alert.as_str()).is_none_or(|rest| !rest.starts_with(['\\', '"'])) {
            wrong.push(format!(
                "an annotation shows the limit of another alert: {}",
                asked.lines().next().unwrap_or_default()
            ));
        }
    }
    if rule.annotations.values().any(|text| text.contains("TODO") || text.contains("FIXME")) {
        wrong.push("an annotation is not finished".to_owned());
    }
    wrong
}

fn times(rule: &Rule) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, text, longest) in
        [("for", &rule.waits, LONGEST_WAIT), ("keep_firing_for", &rule.keep_firing_for, LONGEST_KEEP)]
    {
        match duration(text) {
            Ok(time) if time <= longest && time.as_secs() % 30 == 0 => {}
            Ok(_) => wrong.push(format!("`{key}: {text}` is not a multiple of 30s up to {}m", longest.as_secs() / 60)),
            Err(error) => wrong.push(format!("`{key}: {text}`: {error}")),
        }
    }
    wrong
}

/// What `for` says; nothing is none.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let none = text.is_empty() || text.trim_end_matches(char::is_alphabetic) == "0";
    if none { Ok(Duration::ZERO) } else { parse_duration(text) }
}

/// An alert is told from others by labels of the identity only, and its texts speak of labels that it has.
fn identity(catalogue: &Catalogue, rule: &Rule) -> Vec<String> {
    // That it does not parse is said elsewhere.
    let Ok(expression) = Expression::parse(&rule.expr) else { return Vec::new() };
    let left = latch::without(&expression).labels(catalogue);
    let mut wrong: Vec<String> = left
        .names()
        .into_iter()
        .filter(|name| !IDENTITY.contains(name) && !FIXED.contains(name))
        .map(|name| {
            format!("its expression leaves the label `{name}`, which is none of the identity: aggregate it away")
        })
        .collect();
    if !left.has("shop") && rule.alert != WATCHDOG {
        wrong.push("its expression leaves no label `shop`: nobody knows whose alert it is".to_owned());
    }
    for (annotation, text) in rule.annotations.iter().filter(|_| rule.alert != WATCHDOG) {
        for name in mentioned(text) {
            if !left.has(name) && !rule.labels.contains_key(name) {
                wrong.push(format!("its {annotation} shows `$labels.{name}`, which it has not"));
            }
        }
    }
    wrong
}

/// The names of the labels that a template shows.
pub(super) fn mentioned(template: &str) -> impl Iterator<Item = &str> {
    template.split("$labels.").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

/// A cause must be known before the symptoms that it silences.
fn causes(bundle: &Bundle) -> Vec<String> {
    let marked = |label: &'static str| bundle.alerts().filter(move |(_, rule)| rule.label(label) == "true");
    let mut complaints = Vec::new();
    for (file, cause) in marked("cause") {
        for (_, symptom) in marked("symptom").filter(|(other, _)| *other == file) {
            let (cause_waits, symptom_waits) = (duration(&cause.waits), duration(&symptom.waits));
            if let (Ok(first), Ok(then)) = (cause_waits, symptom_waits)
                && first > then
            {
                complaints.push(format!(
                    "{}: {} waits {} and its symptom {} only {}: the symptom would call before its cause silences it",
                    rules_file(file),
                    cause.alert,
                    cause.waits,
                    symptom.alert,
                    if symptom.waits.is_empty() { "0s" } else { &symptom.waits },
                ));
            }
        }
    }
    complaints
}
