//! What panels ask: series that exist, of the shops that were chosen, in the panel's unit, and no number that a shop may
//! want to change.

use std::collections::BTreeSet;
use std::time::Duration;

use promql_parser::label::MatchOp;
use promql_parser::parser::{AtModifier, Expr, VectorSelector, token};

use super::super::findings::Findings;
use super::super::model::{Dashboard, Panel, Target, list, text};
use super::super::query::{self, INTERVAL, RANGE, RATE};
use super::{Context, Reading, variables};
use crate::bundle::catalogue::Source;
use crate::bundle::expression::{Expression, parts, pinned, selectors};

/// What the names of series that hold objectives contain.
const OBJECTIVES: [&str; 2] = ["objective", "threshold"];

/// The steps that mean the same for every shop: none at all, halves, and parts of an objective.
const STEPS: [f64; 7] = [0.0, 0.25, 0.5, 0.75, 0.8, 0.9, 1.0];

/// Steps of what is a part of an objective.
const OF_OBJECTIVE: f64 = 0.8;

/// The labels that say which part of the shop was chosen.
const CHOSEN: [(&str, &str); 3] =
    [("target-job-rule", "job"), ("target-instance-rule", "instance"), ("target-shop-rule", "shop")];

/// What Prometheus says of its scrapes.
const OF_SCRAPES: [&str; 2] = ["up", "scrape_duration_seconds"];

/// What looks back longer belongs into a rule, which looks once for everybody.
const LONGEST: Duration = Duration::from_hours(24);

pub(super) fn check(context: &Context, findings: &mut Findings<'_>, dashboard: &Dashboard, panel: Panel<'_>) {
    if panel.kind() == "text" {
        return;
    }
    findings.expect(
        variables::is_ours(&panel.json["datasource"]),
        "panel-datasource-rule",
        "it does not ask {type: prometheus, uid: ${datasource}}",
    );
    let mut ids = BTreeSet::new();
    let mut labels = BTreeSet::from(["Time".to_owned(), "Value".to_owned(), "Metric".to_owned()]);
    let mut objective = false;
    for target in panel.targets() {
        let id = target.ref_id();
        findings.expect(!id.is_empty() && ids.insert(id), "target", format!("`{id}` is not the name of one query"));
        findings.expect(
            variables::is_ours(&target.json["datasource"]),
            "panel-datasource-rule",
            format!("{id} does not ask {{type: prometheus, uid: ${{datasource}}}}"),
        );
        match context.reading(target.expr()) {
            Ok(reading) => {
                of_target(context, findings, dashboard, panel, target, &reading);
                labels.extend(reading.labels.names().into_iter().map(str::to_owned));
                labels.extend(panel.columns(target));
                let names = reading.expression.selected();
                objective |= names.iter().any(|name| OBJECTIVES.iter().any(|word| name.contains(word)));
            }
            Err(error) => findings.say("target-promql-rule", format!("{id}: {error}")),
        }
    }
    steps(findings, panel, objective);
    columns(findings, panel, labels);
}

fn of_target(
    context: &Context,
    findings: &mut Findings<'_>,
    dashboard: &Dashboard,
    panel: Panel<'_>,
    target: Target<'_>,
    reading: &Reading,
) {
    let (id, Reading { expression, complaints, labels }) = (target.ref_id(), reading);
    for complaint in complaints {
        let rule = if complaint.contains("is a counter") { "target-counter-agg-rule" } else { "target-promql-rule" };
        findings.say(rule, format!("{id}: {complaint}"));
    }
    for (function, range) in query::ranges(expression.tree()) {
        of_range(findings, dashboard, id, function, range);
    }
    chosen(context, findings, dashboard, expression);
    only_originals(findings, expression);
    constants(findings, id, expression.tree());
    divisions(findings, id, expression.tree());
    if !target.instant() {
        chosen_once(findings, id, expression.tree());
    }
    for label in target.legend_labels().into_iter().filter(|label| !labels.has(label)) {
        findings.say("legend", format!("{id} shows the label `{label}`, which its series have not"));
    }
    let legend = target.legend();
    let drawn = !["table", "stat", "gauge", "heatmap"].contains(&panel.kind());
    let said = !legend.is_empty() && legend != "__auto";
    findings.expect(said || !drawn, "legend", format!("{id} has no legend of its own (`legendFormat`)"));
    if panel.kind() == "heatmap" {
        return;
    }
    if let Some(unit) = panel.unit_of(target).filter(|unit| !unit.is_empty()) {
        if let Some(complaint) = context.quantities.complaint(expression, unit) {
            findings.say("panel-units-rule", format!("{id} is shown in {unit}, and {complaint}"));
        }
        let ratio = unit == "percentunit" && has_zero(expression.tree());
        findings.expect(!ratio, "no-value", format!("{id}: a ratio of nothing is not 0: leave `vector(0)` out"));
    }
}

fn of_range(findings: &mut Findings<'_>, dashboard: &Dashboard, id: &str, function: &str, range: Duration) {
    let rule = "target-rate-interval-rule";
    let good = match function {
        "rate" | "irate" => range == RATE,
        "increase" => range == RATE || range == RANGE || range == INTERVAL,
        _ => true,
    };
    findings.expect(good, rule, format!("{id}: `{function}` looks back over {range:?}, not over [$__rate_interval]"));
    let long = range >= LONGEST || (range == RANGE && dashboard.area() == "business");
    findings.expect(!long, rule, format!("{id}: what looks back over days belongs into a recording rule"));
}

/// Every series is one of those that were chosen, by each label that it has and a variable of the dashboard gives.
fn chosen(context: &Context, findings: &mut Findings<'_>, dashboard: &Dashboard, expression: &Expression) {
    let variables = dashboard.variables();
    let of_area =
        variables.iter().map(|variable| variable.name()).filter(|name| CHOSEN.iter().all(|(_, known)| known != name));
    let choices: Vec<_> = CHOSEN.into_iter().chain(of_area.map(|name| ("target-area-rule", name))).collect();
    selectors(expression.tree(), &mut |selector| {
        let Some(name) = selector.name.as_deref() else { return };
        let Some(series) = context.catalogue.get(name) else { return };
        // Alerts, and what is made of them, may have no instance; other programs have jobs of their own.
        let wanted = |label: &str| match series.source {
            Source::Exported => true,
            Source::Recorded { from_exported: true } => variables.iter().any(|variable| variable.name() == label),
            _ => label == "shop" || OF_SCRAPES.contains(&name),
        };
        for (rule, label) in &choices {
            if wanted(label) && series.variants.iter().any(|labels| labels.has(label)) && !is_chosen(selector, label) {
                findings.say(rule, format!("{selector} is not restricted by {label}=~\"${label}\""));
            }
        }
    });
}

/// The same of annotations, which are about the shop as a whole.
pub(super) fn of_this_shop(context: &Context, findings: &mut Findings<'_>, expression: &Expression) {
    selectors(expression.tree(), &mut |selector| {
        let known = selector.name.as_deref().is_some_and(|name| context.catalogue.get(name).is_some());
        findings.expect(!known || is_chosen(selector, "shop"), "annotations", format!("{selector} is of every shop"));
    });
}

/// A variable stands for anything here, as does nothing else. Some alerts belong to no shop.
fn is_chosen(selector: &VectorSelector, label: &str) -> bool {
    selector.matchers.matchers.iter().any(|matcher| {
        matcher.name == label && matches!(matcher.op, MatchOp::Re(_)) && [".+", ".+|"].contains(&matcher.value.as_str())
    })
}

/// The ladder's copies of an alert are no alerts: who wants them, names them.
pub(super) fn only_originals(findings: &mut Findings<'_>, expression: &Expression) {
    selectors(expression.tree(), &mut |selector| {
        let alerts = selector.name.as_deref().is_some_and(|name| name.starts_with("ALERTS"));
        let copies = pinned(selector, "alertname").is_some_and(|name| name.starts_with("Escalation"));
        let once = pinned(selector, "esc2").is_some_and(|esc| if copies { esc == "yes" } else { esc.is_empty() });
        let message = format!("{selector} counts each alert once more for each level: esc2=\"\"");
        findings.expect(!alerts || once, "alerts-once", message);
    });
}

/// A number that something is compared with is an objective, and stands in the configuration.
fn constants(findings: &mut Findings<'_>, id: &str, tree: &Expr) {
    if let Expr::Binary(binary) = tree
        && [token::T_GTR, token::T_GTE, token::T_LSS, token::T_LTE].contains(&binary.op.id())
    {
        for side in [&*binary.lhs, &*binary.rhs] {
            if let Expr::NumberLiteral(number) = side
                && ![0.0, 1.0].contains(&number.val)
            {
                findings
                    .say("objectives", format!("{id} compares with {}: take the series of the objective", number.val));
            }
        }
    }
    for part in parts(tree) {
        constants(findings, id, part);
    }
}

/// What happens so often may not happen at all: then there is no ratio, and not one of nothing.
fn divisions(findings: &mut Findings<'_>, id: &str, tree: &Expr) {
    if let Expr::Binary(binary) = tree
        && binary.op.id() == token::T_DIV
        && counts_events(&binary.rhs)
        && !is_guarded(&binary.rhs)
    {
        findings.say("denominator", format!("{id} divides by {}, which may be 0: `/ (... > 0)`", binary.rhs));
    }
    for part in parts(tree) {
        divisions(findings, id, part);
    }
}

/// The worst of each moment are ever others, more together than anybody can tell apart: over a length of time they are
/// chosen once. The one that is greatest may stand for all.
fn chosen_once(findings: &mut Findings<'_>, id: &str, tree: &Expr) {
    if let Expr::Aggregate(aggregate) = tree
        && [token::T_TOPK, token::T_BOTTOMK].contains(&aggregate.op.id())
        && !matches!(aggregate.param.as_deref(), Some(Expr::NumberLiteral(number)) if number.val <= 1.0)
    {
        selectors(&aggregate.expr, &mut |selector| {
            let once = matches!(selector.at, Some(AtModifier::End));
            findings.expect(once, "chosen-once", format!("{id} chooses anew at each moment: {selector} @ end()"));
        });
    }
    for part in parts(tree) {
        chosen_once(findings, id, part);
    }
}

fn counts_events(tree: &Expr) -> bool {
    matches!(tree, Expr::Call(call) if ["rate", "irate", "increase"].contains(&call.func.name))
        || parts(tree).into_iter().any(counts_events)
}

fn is_guarded(tree: &Expr) -> bool {
    match tree {
        Expr::Paren(paren) => is_guarded(&paren.expr),
        Expr::Binary(binary) => binary.op.is_comparison_operator(),
        _ => false,
    }
}

/// Whether it is 0 where there is nothing.
fn has_zero(tree: &Expr) -> bool {
    match tree {
        Expr::Binary(binary) if binary.op.id() == token::T_LOR => {
            matches!(bare(&binary.rhs), Expr::Call(call) if call.func.name == "vector")
        }
        Expr::Paren(paren) => has_zero(&paren.expr),
        _ => false,
    }
}

fn bare(tree: &Expr) -> &Expr {
    if let Expr::Paren(paren) = tree { bare(&paren.expr) } else { tree }
}

/// Where colours change is the objective's to say.
fn steps(findings: &mut Findings<'_>, panel: Panel<'_>, objective: bool) {
    for step in panel.steps() {
        findings.expect(
            STEPS.contains(&step),
            "objectives",
            format!("its colour changes at {step}, a number of its own"),
        );
        let fits = step != OF_OBJECTIVE || objective;
        findings.expect(fits, "objectives", format!("its colour changes at {step}, but it asks for no objective"));
    }
}

/// What transformations and overrides name are columns that there are.
fn columns(findings: &mut Findings<'_>, panel: Panel<'_>, mut known: BTreeSet<String>) {
    for step in panel.transformations() {
        let options = &step["options"];
        let id = text(step, "id");
        if id == "calculateField" {
            known.insert(text(options, "alias").to_owned());
        }
        let mut named: Vec<&str> = Vec::new();
        for member in ["excludeByName", "indexByName", "renameByName", "fields"] {
            named
                .extend(options[member].as_object().into_iter().flat_map(|members| members.keys()).map(String::as_str));
        }
        named.extend(options["byField"].as_str());
        named.extend(list(options, "sort").iter().map(|sort| text(sort, "field")));
        for name in named.iter().filter(|name| !known.contains(**name) && !is_internal(name)) {
            findings.say("columns", format!("{id} names the column `{name}`, which no query gives"));
        }
        let renamed = options["renameByName"].as_object();
        known.extend(
            renamed.into_iter().flat_map(|members| members.values()).filter_map(|new| new.as_str()).map(str::to_owned),
        );
    }
    for of in panel.overrides().iter().filter(|of| of["matcher"]["id"] == "byName") {
        let name = text(&of["matcher"], "options");
        // A legend with labels in it has names that only the data know.
        let patterned = panel.targets().iter().any(|target| target.legend().contains("{{"));
        let known = known.contains(name) || patterned || is_internal(name);
        findings.expect(known, "columns", format!("an override is for the column `{name}`, which no query gives"));
    }
    for of in panel.overrides().iter().filter(|of| of["matcher"]["id"] == "byFrameRefID") {
        let name = text(&of["matcher"], "options");
        let known = panel.targets().iter().any(|target| target.ref_id() == name);
        findings.expect(known, "columns", format!("an override is for the query `{name}`, which is not there"));
    }
}

/// What Grafana's tables have beside labels, and what joins make of several.
fn is_internal(name: &str) -> bool {
    name == "__name__"
        || name.is_empty()
        || name.starts_with("Time")
        || name.split_once(' ').is_some_and(|(_, rest)| rest.parse::<u8>().is_ok())
}

/// What a row or panel is repeated by is a variable.
pub(super) fn repeats(findings: &mut Findings<'_>, dashboard: &Dashboard, known: &BTreeSet<&str>) {
    for panel in dashboard.panels() {
        let by = text(panel.json, "repeat");
        let is_known = by.is_empty() || known.contains(by);
        findings.expect(
            is_known,
            "template",
            format!("\"{}\" is repeated by `{by}`, which is no variable", panel.title()),
        );
    }
}
