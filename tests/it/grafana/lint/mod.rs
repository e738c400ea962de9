//! What a good dashboard is, as far as a machine can tell. Each rule's name stands in what it finds; the fourteen of
//! Grafana's own `dashboard-linter` that apply here have their names from there.

mod annotations;
mod header;
mod layout;
mod links;
mod options;
mod panels;
mod queries;
mod variables;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use super::findings::{Finding, Findings};
use super::model::{Dashboard, Panel, text};
use super::quantity::Quantities;
use super::query;
use crate::bundle::catalogue::Catalogue;
use crate::bundle::expression::Expression;
use crate::bundle::files::{Bundle, Topic};
use crate::bundle::labels::Labels;

/// What dashboards are held against.
pub(crate) struct Context {
    pub(super) root: PathBuf,
    pub(super) catalogue: Catalogue,
    pub(super) quantities: Quantities,
    /// The dashboards that there are.
    pub(super) uids: BTreeSet<String>,
    pub(super) runbooks: BTreeSet<String>,
    pub(super) topics: Vec<Topic>,
    /// Topics that have rules.
    pub(super) ruled: BTreeSet<String>,
    /// Where alerts lead: the alert and the uid.
    pub(super) led_to: Vec<(String, String)>,
    /// Queries that were read before: a panel is looked at again for each way to spoil it.
    read: RefCell<BTreeMap<String, Rc<Reading>>>,
}

/// A query that parses.
pub(super) struct Reading {
    pub(super) expression: Expression,
    pub(super) complaints: Vec<String>,
    pub(super) labels: Labels,
}

impl Context {
    /// Of the repository at `root`, which has these dashboards.
    pub(crate) fn of(root: &Path, dashboards: &[Dashboard]) -> Self {
        let bundle = Bundle::read(root);
        let uid = |url: &str| {
            let (_, rest) = url.split_once("/d/")?;
            // The ladder's copies lead where their originals do.
            (!rest.contains("{{-")).then(|| rest.split(['?', '/']).next().unwrap_or_default().to_owned())
        };
        Self {
            root: root.to_owned(),
            catalogue: Catalogue::of_dashboards(&bundle),
            quantities: Quantities::of(&bundle),
            uids: dashboards.iter().map(|dashboard| dashboard.uid().to_owned()).collect(),
            runbooks: bundle.runbooks.keys().cloned().collect(),
            ruled: bundle.rules.keys().cloned().collect(),
            led_to: bundle
                .alerts()
                .filter_map(|(_, rule)| Some((rule.alert.clone(), uid(rule.annotations.get("dashboard_url")?)?)))
                .collect(),
            topics: bundle.topics,
            read: RefCell::default(),
        }
    }
}

impl Context {
    /// What a query is, and what the catalogue says of it; fails when it does not parse.
    pub(super) fn reading(&self, query: &str) -> Result<Rc<Reading>, String> {
        if let Some(known) = self.read.borrow().get(query) {
            return Ok(Rc::clone(known));
        }
        let expression = query::parse(query)?;
        let (complaints, labels) = (expression.check(&self.catalogue), expression.labels(&self.catalogue));
        let reading = Rc::new(Reading { expression, complaints, labels });
        self.read.borrow_mut().insert(query.to_owned(), Rc::clone(&reading));
        Ok(reading)
    }
}

/// Everything that is wrong with a dashboard.
pub(super) fn of_dashboard(context: &Context, dashboard: &Dashboard) -> Vec<Finding> {
    let mut findings = of_frame(context, dashboard);
    for panel in dashboard.shown() {
        findings.extend(of_panel(context, dashboard, panel));
    }
    findings
}

/// Everything that is wrong with what is around the panels: how they lie, too.
pub(super) fn of_frame(context: &Context, dashboard: &Dashboard) -> Vec<Finding> {
    let mut findings = Findings::of(dashboard);
    header::check(&mut findings, dashboard);
    links::of_dashboard(context, &mut findings, dashboard);
    variables::check(context, &mut findings, dashboard);
    annotations::check(context, &mut findings, dashboard);
    layout::check(&mut findings, dashboard);
    findings.all
}

/// Everything that is wrong with one panel by itself.
pub(super) fn of_panel(context: &Context, dashboard: &Dashboard, panel: Panel<'_>) -> Vec<Finding> {
    let mut findings = Findings::of_panel(dashboard, panel);
    panels::check(&mut findings, panel);
    options::check(&mut findings, panel);
    links::of_panel(context, &mut findings, panel);
    queries::check(context, &mut findings, dashboard, panel);
    findings.all
}

/// Everything that is wrong with which dashboards there are.
pub(super) fn of_all(context: &Context, dashboards: &[Dashboard]) -> Vec<Finding> {
    let mut all = Vec::new();
    let (mut uids, mut titles) = (BTreeSet::new(), BTreeSet::new());
    for dashboard in dashboards {
        let mut findings = Findings::of(dashboard);
        let title = dashboard.json["title"].as_str().unwrap_or_default();
        findings.expect(uids.insert(dashboard.uid()), "uid", "another dashboard has the same");
        findings.expect(titles.insert(title), "title", format!("another dashboard is called \"{title}\""));
        let known =
            dashboard.name() == OVERVIEW || context.topics.iter().any(|topic| topic.dashboard == dashboard.name());
        findings.expect(known, "topic", "no line of docs/topics.tsv has a dashboard of this name");
        all.extend(findings.all);
    }
    all.extend(alike(dashboards));
    let missing = |rule, file: &str, message| Finding { file: file.to_owned(), panel: String::new(), rule, message };
    let collectors: Vec<_> = vitrin::collectors::all().iter().map(|(name, _)| (*name).to_owned()).collect();
    for topic in &context.topics {
        // One that has neither yet is a topic of the future, and so is its dashboard.
        let is_there = context.ruled.contains(&topic.name) || collectors.contains(&topic.name);
        if is_there && !dashboards.iter().any(|dashboard| dashboard.name() == topic.dashboard) {
            let message = format!("{} has no dashboard {}.json", topic.name, topic.dashboard);
            all.push(missing("topic", "docs/topics.tsv", message));
        }
    }
    for (alert, uid) in &context.led_to {
        if !context.uids.contains(uid) {
            all.push(missing(
                "dashboard-url",
                "prometheus/rules",
                format!("{alert} leads to {uid}, which is not there"),
            ));
        }
    }
    all
}

/// Whoever goes from one dashboard to another finds the same choices, links and marks there.
fn alike(dashboards: &[Dashboard]) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut first: BTreeMap<(&str, &str), (&str, &Value)> = BTreeMap::new();
    for dashboard in dashboards {
        let mut findings = Findings::of(dashboard);
        let variables =
            dashboard.variables().into_iter().map(|variable| ("variable", variable.name(), &variable.json["query"]));
        let annotations = dashboard.annotations().into_iter().map(|json| ("annotation", text(json, "name"), json));
        let links = dashboard.links().iter().map(|json| ("link", text(json, "title"), json));
        for (kind, name, json) in variables.chain(annotations).chain(links) {
            let (file, known) = *first.entry((kind, name)).or_insert((&dashboard.file, json));
            findings.expect(
                known == json,
                "alike",
                format!("the {kind} \"{name}\" is another one than that of {file}"),
            );
        }
        all.extend(findings.all);
    }
    all
}

/// The one that is not about a topic.
pub(super) const OVERVIEW: &str = "overview";
