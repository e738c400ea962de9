//! One question at a time, as Grafana would ask it, and what is wrong with the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::super::model::{Dashboard, Panel, labels_of, text};
use super::super::query::{replaced, variables};
use crate::support::world::compress::{compress, flag, minutes};
use crate::support::world::monitoring::Monitoring;

/// The most series that a panel can show so that somebody can tell them apart.
const SERIES: usize = 20;

/// The lengths of time that Grafana puts in, as of a dashboard that shows 6 hours of what is scraped every 15 s: four
/// scrapes, a step, all of it.
const OWN: [(&str, &str); 3] = [("__rate_interval", "1m"), ("__interval", "30s"), ("__range", "6h")];

/// The labels of a series, and its values.
type Series = (BTreeMap<String, String>, Vec<f64>);

/// What a panel, an annotation or a variable asks.
pub(super) struct Question<'a> {
    dashboard: &'a Dashboard,
    /// Nothing for annotations and variables.
    panel: Option<Panel<'a>>,
    /// The query's name in its panel, or the annotation's or variable's.
    name: &'a str,
    /// An expression, or for a variable the selector.
    expr: &'a str,
    /// The label that a variable wants.
    label: Option<&'a str>,
    instant: bool,
    legend: Vec<&'a str>,
    /// Whether its values are shown as numbers.
    finite: bool,
}

impl Question<'_> {
    /// The file, the panel and the query.
    pub(super) fn name(&self) -> [String; 3] {
        let panel = self.panel.as_ref().map_or("", Panel::title);
        [&self.dashboard.file, panel, self.name].map(str::to_owned)
    }
}

impl fmt::Display for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [file, panel, name] = self.name();
        write!(f, "{file}: panel \"{panel}\": {name}: {}", self.expr)
    }
}

/// All that the dashboards ask.
pub(super) fn questions(dashboards: &[Dashboard]) -> Vec<Question<'_>> {
    let mut all = Vec::new();
    for dashboard in dashboards {
        let plain = |name, expr| Question {
            dashboard,
            panel: None,
            name,
            expr,
            label: None,
            instant: false,
            legend: Vec::new(),
            finite: false,
        };
        for variable in dashboard.variables() {
            if let Some((selector, label)) = variable.label_values() {
                all.push(Question { label: Some(label), ..plain(variable.name(), selector) });
            }
        }
        for annotation in dashboard.annotations() {
            let legend = labels_of(text(annotation, "titleFormat"));
            all.push(Question { legend, ..plain(text(annotation, "name"), text(annotation, "expr")) });
        }
        for panel in dashboard.shown() {
            for target in panel.targets() {
                all.push(Question {
                    panel: Some(panel),
                    instant: target.instant(),
                    legend: target.legend_labels(),
                    finite: panel.unit_of(target).is_none_or(|unit| !unit.is_empty()),
                    ..plain(target.ref_id(), target.expr())
                });
            }
        }
    }
    all
}

/// Somebody who looks at the dashboards now.
pub(super) struct Asker<'a> {
    monitoring: &'a Monitoring,
    now: f64,
    /// Whether values were chosen, and not all by one word.
    one_by_one: bool,
    /// By dashboard's file and variable's name, everything chosen; what it asks for may not be there yet.
    chosen: BTreeMap<(String, String), Result<String, String>>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(monitoring: &'a Monitoring, dashboards: &[Dashboard], one_by_one: bool) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let mut asker = Self { monitoring, now, one_by_one, chosen: BTreeMap::new() };
        for dashboard in dashboards {
            asker.choose(dashboard);
        }
        asker
    }

    /// Chooses all values of each variable, those first that others are asked with.
    fn choose(&mut self, dashboard: &Dashboard) {
        let key = |name: &str| (dashboard.file.clone(), name.to_owned());
        let mut left: Vec<_> = dashboard
            .variables()
            .into_iter()
            .filter_map(|variable| Some((variable, variable.label_values()?)))
            .collect();
        while !left.is_empty() {
            let names: BTreeSet<_> = left.iter().map(|(variable, _)| variable.name()).collect();
            let ready = left.iter().position(|(_, (selector, _))| names.is_disjoint(&variables(selector)));
            let Some(ready) = ready else {
                for (variable, _) in left {
                    self.chosen.insert(key(variable.name()), Err("variables are asked with each other".to_owned()));
                }
                return;
            };
            let (variable, (selector, label)) = left.remove(ready);
            let values = self.values(dashboard, selector, label);
            let several = variable.json["multi"] == true;
            let all = Some(text(variable.json, "allValue")).filter(|all| !self.one_by_one && !all.is_empty());
            let value = values.map(|values| all.map_or_else(|| joined(&values, several), str::to_owned));
            self.chosen.insert(key(variable.name()), value);
        }
    }

    /// The values of a label, which must be there.
    fn values(&self, dashboard: &Dashboard, selector: &str, label: &str) -> Result<Vec<String>, String> {
        let selector = self.filled(dashboard, selector)?;
        let answer = self.monitoring.ask(&format!("/api/v1/label/{label}/values"), &[("match[]", &selector)]);
        let values: Vec<String> = serde_json::from_value(good(&answer)?.clone()).map_err(|error| error.to_string())?;
        if values.is_empty() { Err(format!("there is no {label} of {selector}")) } else { Ok(values) }
    }

    /// The text as Grafana sends it, in the time of this shop.
    fn filled(&self, dashboard: &Dashboard, text: &str) -> Result<String, String> {
        let text = compress(text)?;
        let value = |name: &str| {
            if let Some((_, time)) = OWN.iter().find(|(own, _)| *own == name) {
                return Some(flag(time));
            }
            match name {
                "__interval_ms" => return Some("500".to_owned()),
                "__range_s" => return Some("360".to_owned()),
                "__range_ms" => return Some("360000".to_owned()),
                _ => {}
            }
            match self.chosen.get(&(dashboard.file.clone(), name.to_owned())) {
                Some(Ok(value)) => Some(value.clone()),
                _ => None,
            }
        };
        let filled = replaced(&text, value);
        let Some(name) = variables(&filled).into_iter().next() else { return Ok(filled) };
        Err(match self.chosen.get(&(dashboard.file.clone(), name.to_owned())) {
            Some(Err(why)) => format!("${name} is empty: {why}"),
            _ => format!("there is no ${name}"),
        })
    }

    /// What Prometheus answers: each series with its values.
    fn answer(&self, question: &Question<'_>) -> Result<Vec<Series>, String> {
        let expr = self.filled(question.dashboard, question.expr)?;
        let (now, begin) = (self.now.to_string(), (self.now - minutes(60.0).as_secs_f64()).to_string());
        let answer = if question.instant {
            self.monitoring.ask("/api/v1/query", &[("query", &expr), ("time", &now)])
        } else {
            let range = [("query", expr.as_str()), ("start", &begin), ("end", &now), ("step", "0.5")];
            self.monitoring.ask("/api/v1/query_range", &range)
        };
        let data = good(&answer).map_err(|error| format!("{error}\n    {expr}"))?;
        let number = |value: &Value| value[1].as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
        let series = data["result"].as_array().map_or(&[][..], Vec::as_slice).iter().map(|series| {
            let labels = serde_json::from_value(series["metric"].clone()).unwrap_or_default();
            let values = match series["values"].as_array() {
                Some(values) => values.iter().map(number).collect(),
                None => vec![number(&series["value"])],
            };
            (labels, values)
        });
        Ok(series.collect())
    }

    /// What is wrong with the answer, or that there is none.
    pub(super) fn ask(&self, question: &Question<'_>) -> Result<(), String> {
        if let Some(label) = question.label {
            return self.values(question.dashboard, question.expr, label).map(drop);
        }
        let answer = self.answer(question)?;
        if answer.is_empty() {
            return Err(format!("nobody answers\n    {}", self.filled(question.dashboard, question.expr)?));
        }
        if question.finite {
            // A window in which nothing happened has no mean: a gap.
            let silent = answer.iter().all(|(_, values)| values.iter().all(|value| value.is_nan()));
            let endless = answer.iter().find(|(_, values)| values.iter().any(|value| value.is_infinite()));
            if silent || endless.is_some() {
                return Err(format!("no number can be shown: {:?}", endless.or(answer.first())));
            }
        }
        for label in &question.legend {
            if answer.iter().all(|(labels, _)| labels.get(*label).is_none_or(String::is_empty)) {
                return Err(format!("no series has the label {label} of the legend: {:?}", answer[0].0));
            }
        }
        Ok(())
    }

    /// That Prometheus has something against a question: an error, or a warning.
    pub(super) fn fails(&self, question: &Question<'_>) -> Option<String> {
        if question.label.is_some() {
            return None;
        }
        match self.answer(question) {
            Err(error) => Some(error),
            Ok(answer) => {
                // A count is 0 where there is nothing to be counted, and not gone.
                let counts = question.expr.trim_end().ends_with("or vector(0)");
                (counts && answer.is_empty()).then(|| "it counts, and says nothing".to_owned())
            }
        }
    }

    /// Panels with more series than anybody can tell apart.
    pub(super) fn crowded(&self, questions: &[Question<'_>]) -> Vec<String> {
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for question in
            questions.iter().filter(|question| question.panel.is_some_and(|panel| panel.kind() != "heatmap"))
        {
            let [file, panel, _] = question.name();
            let series = self.answer(question).map_or(0, |answer| answer.len());
            // A table has a row for each, and its queries beside each other.
            let count = counts.entry((file, panel)).or_default();
            let table = question.panel.is_some_and(|panel| panel.kind() == "table");
            *count = if table { series.max(*count) } else { series + *count };
        }
        let crowded = counts.into_iter().filter(|(_, count)| *count > SERIES);
        crowded
            .map(|((file, panel), count)| format!("{file}: panel \"{panel}\": {count} series, more than {SERIES}"))
            .collect()
    }
}

/// The data of an answer that has neither error nor warning.
fn good(answer: &Value) -> Result<&Value, String> {
    if answer["status"] != "success" {
        return Err(format!("Prometheus says: {}", text(answer, "error")));
    }
    match answer["warnings"].as_array() {
        Some(warnings) if !warnings.is_empty() => Err(format!("Prometheus warns: {warnings:?}")),
        _ => Ok(&answer["data"]),
    }
}

/// What Grafana puts in for several values: a pattern, each value escaped for a string of PromQL.
fn joined(values: &[String], several: bool) -> String {
    if !several {
        return values[0].clone();
    }
    let escaped = |value: &String| {
        let escape = |c: char| if r"\^$*+?.()|[]{}".contains(c) { format!(r"\\{c}") } else { c.to_string() };
        value.chars().map(escape).collect::<String>()
    };
    match values {
        [one] => escaped(one),
        several => format!("({})", several.iter().map(escaped).collect::<Vec<_>>().join("|")),
    }
}
