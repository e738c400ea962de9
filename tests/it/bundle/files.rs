//! The files of the bundle, read: rules, what tests them, runbooks, thresholds and the vocabulary.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The folder that holds the shipped bundle.
pub(crate) const SHIPPED: &str = env!("CARGO_MANIFEST_DIR");

/// Everything that is checked, as it stands in one folder.
pub(crate) struct Bundle {
    pub(crate) root: PathBuf,
    /// The files of `prometheus/rules`, by name without its ending.
    pub(crate) rules: BTreeMap<String, Rules>,
    /// The files of `prometheus/tests`, by name without its ending.
    pub(crate) tests: BTreeMap<String, Tests>,
    /// The files of `docs/runbooks`, by name without its ending; `README` is none.
    pub(crate) runbooks: BTreeMap<String, String>,
    pub(crate) thresholds: Vec<Threshold>,
    pub(crate) topics: Vec<Topic>,
    /// The jobs that `prometheus.yml` scrapes.
    pub(crate) jobs: Vec<String>,
}

/// A file of rules.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    pub(crate) groups: Vec<Group>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) interval: String,
    pub(crate) rules: Vec<Rule>,
}

/// A recording rule, or an alert.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) record: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) alert: String,
    pub(crate) expr: String,
    #[serde(default, skip_serializing_if = "String::is_empty", rename = "for")]
    pub(crate) waits: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) keep_firing_for: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// A file for `promtool test rules`, as far as we look into it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tests {
    pub(crate) rule_files: Vec<String>,
    #[serde(default)]
    pub(crate) tests: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Case {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) external_labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) input_series: Vec<InputSeries>,
    #[serde(default)]
    pub(crate) alert_rule_test: Vec<Look>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct InputSeries {
    pub(crate) series: String,
}

/// A look at one alert at one time.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Look {
    pub(crate) eval_time: String,
    pub(crate) alertname: String,
    #[serde(default)]
    pub(crate) exp_alerts: Vec<Expected>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Expected {
    #[serde(default)]
    pub(crate) exp_labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) exp_annotations: BTreeMap<String, String>,
}

/// `prometheus.yml`, as far as we look into it.
#[derive(Debug, Deserialize)]
struct Configuration {
    scrape_configs: Vec<Job>,
}

#[derive(Debug, Deserialize)]
struct Job {
    job_name: String,
}

/// A row of `thresholds.tsv`.
#[derive(Clone, Debug)]
pub(crate) struct Threshold {
    pub(crate) alert: String,
    pub(crate) severity: String,
    /// `upper` or `lower`.
    pub(crate) bound: String,
}

/// A row of `docs/topics.tsv`.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) metrics: Vec<String>,
    pub(crate) alerts: Vec<String>,
    pub(crate) dashboard: String,
}

impl Bundle {
    /// What we ship.
    pub(crate) fn shipped() -> Self {
        Self::read(Path::new(SHIPPED))
    }

    /// The bundle in this folder; fails when a file cannot be read, which is the checks' first.
    pub(crate) fn read(root: &Path) -> Self {
        Self {
            rules: yaml_files(&root.join("prometheus/rules")),
            tests: yaml_files(&root.join("prometheus/tests")),
            runbooks: texts(&root.join("docs/runbooks"), "md").filter(|(name, _)| name != "README").collect(),
            thresholds: rows(
                &root.join("src/config/objectives/thresholds.tsv"),
                |[alert, severity, bound, ..]: [_; 6]| Threshold { alert, severity, bound },
            ),
            topics: rows(&root.join("docs/topics.tsv"), |[name, metrics, alerts, dashboard]| Topic {
                name,
                metrics: words(&metrics),
                alerts: words(&alerts),
                dashboard,
            }),
            jobs: {
                let path = root.join("prometheus/prometheus.yml");
                let configuration: Configuration = yaml(&path, &fs::read_to_string(&path).unwrap());
                configuration.scrape_configs.into_iter().map(|job| job.job_name).collect()
            },
            root: root.to_owned(),
        }
    }

    /// Every rule with the name of its file.
    pub(crate) fn every_rule(&self) -> impl Iterator<Item = (&str, &Rule)> {
        let groups = self.rules.iter().flat_map(|(file, rules)| rules.groups.iter().map(move |group| (file, group)));
        groups.flat_map(|(file, group)| group.rules.iter().map(move |rule| (file.as_str(), rule)))
    }

    /// Every alert, without the copies that climb, with the name of its file.
    pub(crate) fn alerts(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.every_rule().filter(|(_, rule)| !rule.alert.is_empty() && !rule.climbs())
    }

    /// The topic that a file of rules is about.
    pub(crate) fn topic(&self, file: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.name == file)
    }
}

impl Rule {
    /// Its name, whatever it makes.
    pub(crate) fn name(&self) -> &str {
        if self.alert.is_empty() { &self.record } else { &self.alert }
    }

    /// Whether it is not an alert of its own, but the copy of others' for a higher level.
    pub(crate) fn climbs(&self) -> bool {
        self.labels.contains_key("esc2")
    }

    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// The path of a file of rules, as a complaint says it.
pub(crate) fn rules_file(name: &str) -> String {
    format!("prometheus/rules/{name}.yml")
}

/// The path of the file that tests it.
pub(crate) fn tests_file(name: &str) -> String {
    format!("prometheus/tests/{name}.yml")
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|word| *word != "-").map(str::to_owned).collect()
}

fn yaml_files<T: DeserializeOwned>(folder: &Path) -> BTreeMap<String, T> {
    let file = |(name, text): (String, String)| {
        let path = folder.join(&name);
        (name, yaml(&path, &text))
    };
    texts(folder, "yml").map(file).collect()
}

pub(crate) fn yaml<T: DeserializeOwned>(path: &Path, text: &str) -> T {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder that end so, by their names without that.
pub(crate) fn texts(folder: &Path, ending: &str) -> impl Iterator<Item = (String, String)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let ending = ending.to_owned();
    entries.map(|entry| entry.unwrap().path()).filter(move |path| path.extension() == Some(ending.as_ref())).map(
        |path| {
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), text)
        },
    )
}

/// The rows of a table whose columns are parted by tabs.
pub(crate) fn rows<const N: usize, T>(path: &Path, row: impl Fn([String; N]) -> T) -> Vec<T> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let columns = |line: &str| {
        let columns: Vec<_> = line.split('\t').map(str::to_owned).collect();
        columns.try_into().unwrap_or_else(|_| panic!("{}: not {N} columns: {line}", path.display()))
    };
    lines.map(|line| row(columns(line))).collect()
}
