//! Every series that a rule may select: what the program exports, what others do, and what the rules record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use vitrin::metric::{Kind, Tier};

use super::expression::Expression;
use super::files::{Bundle, Rule, rows};
use super::labels::{Labels, Value};

/// What may tell one alert from another with the same name.
pub(crate) const IDENTITY: [&str; 11] =
    ["shop", "instance", "target", "pool", "mountpoint", "device", "account", "marketplace", "slo", "file", "name"];

/// What an alert's rule may set.
pub(crate) const FIXED: [&str; 5] = ["level", "severity", "component", "cause", "symptom"];

/// How far an alert has climbed; set by the escalation alone.
pub(crate) const CLIMBED: [&str; 3] = ["esc2", "esc3", "esc4"];

/// The labels that the scrape configuration gives to every series.
const SCRAPED: [&str; 3] = ["shop", "instance", "job"];

/// All series by their names.
#[derive(Default)]
pub(crate) struct Catalogue {
    series: BTreeMap<String, Series>,
    values: Vec<Values>,
}

/// What one name stands for.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) kind: Kind,
    pub(crate) source: Source,
    /// One set of labels, or one for each rule that records it.
    pub(crate) variants: Vec<Labels>,
}

/// Where series come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Vitrin's page.
    Exported,
    /// Another program's, or made by Prometheus itself.
    Foreign,
    /// A rule of the bundle, of this kind of source in the end.
    Recorded { from_exported: bool },
}

/// A family as `vitrin metrics` shows it.
#[derive(Deserialize)]
struct Family {
    name: String,
    labels: Vec<String>,
}

/// The values that a label of some families may have.
struct Values {
    label: String,
    /// Beginnings of names.
    families: Vec<String>,
    /// `None`: what the shop, the kernel or a person calls things.
    closed: Option<BTreeSet<String>>,
}

/// A series of another program that rules may use.
pub(crate) struct Foreign {
    /// `prometheus` and `alertmanager` show it on their pages, `made` is what Prometheus makes itself.
    pub(crate) program: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Beside those of every scrape.
    pub(crate) labels: Vec<String>,
}

/// The list of other programs' series.
pub(crate) fn foreign() -> Vec<Foreign> {
    rows(&beside("foreign.tsv"), |[program, name, kind, labels]| Foreign {
        program,
        name,
        kind: if kind == "counter" { Kind::Counter } else { Kind::Gauge },
        labels: words(&labels),
    })
}

impl Catalogue {
    /// What is exported by us and by others, and what these rules record.
    pub(crate) fn of(bundle: &Bundle) -> Self {
        let mut catalogue = Self::default();
        catalogue.add_exported();
        catalogue.add_foreign(bundle);
        catalogue.add_recorded(bundle);
        catalogue.values = rows(&beside("values.tsv"), |[label, families, values]| Values {
            label,
            families: words(&families),
            closed: (values != "*").then(|| words(&values).into_iter().collect()),
        });
        let jobs = bundle.jobs.iter().cloned().collect();
        catalogue.values.push(Values { label: "job".to_owned(), families: vec!["*".to_owned()], closed: Some(jobs) });
        catalogue
    }

    /// The same with what is for dashboards alone: the buckets of histograms (a rule compares with the objective's own
    /// counter), and the copies of alerts that climb.
    pub(crate) fn of_dashboards(bundle: &Bundle) -> Self {
        let mut catalogue = Self::of(bundle);
        for desc in vitrin::collectors::catalogue().into_iter().filter(|desc| desc.kind == Kind::Histogram) {
            let labels = catalogue.series[&format!("{}_count", desc.name)].variants[0].clone();
            let name = format!("{}_bucket", desc.name);
            catalogue.add(&name, Kind::Counter, Source::Exported, labels.with("le", Value::Any));
        }
        let copies =
            bundle.every_rule().filter(|(_, rule)| !rule.alert.is_empty() && rule.climbs()).map(|(_, rule)| {
                let labels = Labels::all(IDENTITY.into_iter().chain(["origin", "alertstate"]));
                let set = CLIMBED.into_iter().filter(|level| rule.labels.contains_key(*level));
                set.fold(labels, |labels, level| labels.with(level, Value::Is("yes".to_owned())))
                    .with("alertname", Value::Is(rule.alert.clone()))
            });
        catalogue.series.get_mut("ALERTS").expect("added with the rest").variants.extend(copies);
        catalogue
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Series> {
        self.series.get(name)
    }

    /// Whether a name is known, or is what known names begin with, as in a pattern.
    pub(crate) fn has_start(&self, name: &str) -> bool {
        self.series.range(name.to_owned()..).next().is_some_and(|(known, _)| known.starts_with(name))
    }

    /// The name that somebody may have meant who wrote another one.
    pub(crate) fn nearest(&self, name: &str) -> &str {
        // A letter or two too many is what most mistakes are, and what is found without looking at all names.
        let shorter = (1..=2).find_map(|more| self.series.get_key_value(name.get(..name.len().checked_sub(more)?)?));
        if let Some((known, _)) = shorter {
            return known;
        }
        let near = |known: &&String| strsim::damerau_levenshtein(known, name);
        self.series.keys().min_by_key(near).map_or("", String::as_str)
    }

    /// Whether `value` is one that the label of this family can have; the ones there are when it is not.
    pub(crate) fn check_value(&self, family: &str, label: &str, value: &str) -> Result<(), String> {
        let of_family = |row: &&Values| {
            row.label == label && row.families.iter().any(|start| start == "*" || family.starts_with(start.as_str()))
        };
        match self.values.iter().find(of_family).map(|row| &row.closed) {
            None => Err("its values are not listed: add them to tests/it/bundle/values.tsv".to_owned()),
            Some(Some(values)) if !values.contains(value) => {
                let values: Vec<_> = values.iter().map(String::as_str).collect();
                Err(format!("it is never \"{value}\", but one of {}", values.join(", ")))
            }
            Some(_) => Ok(()),
        }
    }

    fn add(&mut self, name: &str, kind: Kind, source: Source, labels: Labels) {
        let series = Series { kind, source, variants: vec![labels] };
        assert!(self.series.insert(name.to_owned(), series).is_none(), "{name} is there twice");
    }

    /// The program says which labels its own families have, `target` included.
    fn add_exported(&mut self) {
        let output = Command::new(env!("CARGO_BIN_EXE_vitrin")).args(["metrics", "--format=json"]).output().unwrap();
        let families: Vec<Family> = serde_json::from_slice(&output.stdout).unwrap();
        let labels: BTreeMap<String, Vec<String>> =
            families.into_iter().map(|family| (family.name, family.labels)).collect();
        for desc in vitrin::collectors::catalogue() {
            let mut labels = scraped(&labels[&*desc.name]);
            if desc.tier == Tier::DropIn && !desc.name.starts_with("process_") {
                labels = labels.with("target", Value::ButMain);
            }
            if matches!(desc.kind, Kind::Histogram | Kind::Summary) {
                for part in ["_sum", "_count"] {
                    self.add(&format!("{}{part}", desc.name), Kind::Counter, Source::Exported, labels.clone());
                }
            }
            match desc.kind {
                Kind::Histogram => {}
                Kind::Summary => {
                    self.add(&desc.name, Kind::Gauge, Source::Exported, labels.with("quantile", Value::Any));
                }
                kind => self.add(&desc.name, kind, Source::Exported, labels),
            }
        }
    }

    fn add_foreign(&mut self, bundle: &Bundle) {
        for foreign in foreign() {
            self.add(&foreign.name, foreign.kind, Source::Foreign, scraped(foreign.labels));
        }
        // An alert's series have the labels that its rule and its expression leave, and so each alert has its own.
        for (name, with_state) in [("ALERTS", true), ("ALERTS_FOR_STATE", false)] {
            let state = with_state.then_some("alertstate");
            let of_alert = |(_, rule): (_, &Rule)| {
                let labels = Labels::all(IDENTITY.into_iter().chain(CLIMBED).chain(state));
                let labels = labels.with("alertname", Value::Is(rule.alert.clone()));
                rule.labels.iter().fold(labels, |labels, (name, value)| labels.with(name, Value::Is(value.clone())))
            };
            let variants = bundle.alerts().map(of_alert).collect();
            let series = Series { kind: Kind::Gauge, source: Source::Foreign, variants };
            self.series.insert(name.to_owned(), series);
        }
    }

    /// The labels of a recorded series follow from its rules. One may be made from another, or from itself a moment ago:
    /// nothing has labels at first, and what each gets is found again until nothing changes.
    fn add_recorded(&mut self, bundle: &Bundle) {
        let recorded: Vec<_> = bundle
            .every_rule()
            .filter(|(_, rule)| !rule.record.is_empty())
            .filter_map(|(file, rule)| Some((file, rule, Expression::parse(&rule.expr).ok()?)))
            .collect();
        for (_, rule, _) in &recorded {
            let series =
                Series { kind: Kind::Gauge, source: Source::Recorded { from_exported: false }, variants: Vec::new() };
            self.series.entry(rule.record.clone()).or_insert(series).variants.push(Labels::default());
        }
        loop {
            let mut found: BTreeMap<&str, Series> = BTreeMap::new();
            for (file, rule, expression) in &recorded {
                let of_rule = rule.labels.iter().fold(expression.labels(self), |labels, (name, value)| {
                    if value.is_empty() {
                        labels.without(std::slice::from_ref(name))
                    } else {
                        labels.with(name, Value::Is(value.clone()))
                    }
                });
                let from_exported = *file != "thresholds" && self.is_from_exported(expression);
                let source = Source::Recorded { from_exported };
                let nothing = || Series { kind: Kind::Gauge, source, variants: Vec::new() };
                let series = found.entry(&rule.record).or_insert_with(nothing);
                series.variants.push(of_rule);
                if from_exported {
                    series.source = source;
                }
            }
            let mut changed = false;
            for (name, series) in found {
                let known = self.series.get_mut(name).expect("added above");
                changed |= known.variants != series.variants || known.source != series.source;
                *known = series;
            }
            if !changed {
                return;
            }
        }
    }

    /// Whether an expression has no answer when vitrin is dead. A threshold has one, its default, and does not count.
    pub(crate) fn is_from_exported(&self, expression: &Expression) -> bool {
        expression.selected().iter().any(|name| {
            self.get(name).is_some_and(|series| {
                matches!(series.source, Source::Exported | Source::Recorded { from_exported: true })
            })
        })
    }
}

fn scraped(labels: impl IntoIterator<Item = impl AsRef<str>>) -> Labels {
    SCRAPED.iter().fold(Labels::all(labels), |labels, name| labels.with(name, Value::Any))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|word| *word != "-").map(str::to_owned).collect()
}

/// A file beside this one.
pub(crate) fn beside(name: &str) -> std::path::PathBuf {
    Path::new(super::files::SHIPPED).join("tests/it/bundle").join(name)
}
