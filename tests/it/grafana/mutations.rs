//! Whether the checks bite: every panel that we ship is spoiled in every way that has ever broken a dashboard, one way
//! at a time, on a copy; each must be noticed.

use std::path::Path;
use std::time::Instant;

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{Expr, LabelModifier, VectorMatchCardinality, VectorSelector};
use serde_json::{Value, json};

use super::findings::Finding;
use super::lint::{self, Context};
use super::model::{Dashboard, Panel, Target};
use super::query;
use crate::bundle::expression::Expression;
use crate::bundle::files::SHIPPED;

/// What is written behind a name so that nobody has it.
const WRONG: &str = "_x";

/// A unit of another quantity, which Grafana knows, too.
fn other_unit(unit: &str) -> &'static str {
    if unit == "bytes" { "s" } else { "bytes" }
}

/// What was done to a panel, and the panel then.
type Mutant = (String, Value);

fn with(panel: Panel<'_>, pointer: &str, value: Value) -> Value {
    let mut json = panel.json.clone();
    *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{}: {pointer}", panel.title())) = value;
    json
}

fn without(panel: Panel<'_>, holder: &str, name: &str) -> Value {
    let mut json = panel.json.clone();
    json.pointer_mut(holder).and_then(Value::as_object_mut).map(|members| members.remove(name));
    json
}

/// Every way to spoil one panel.
fn mutants(context: &Context, panel: Panel<'_>) -> Vec<Mutant> {
    let mut all = vec![("it has no title".to_owned(), without(panel, "", "title"))];
    if panel.kind() == "text" {
        return all;
    }
    all.push(("it has no description".to_owned(), without(panel, "", "description")));
    all.push((
        "nothing says what it shows without data".to_owned(),
        without(panel, "/fieldConfig/defaults", "noValue"),
    ));
    all.push(("it asks nothing".to_owned(), with(panel, "/targets", json!([]))));
    if !panel.unit().is_empty() {
        let unit = "/fieldConfig/defaults/unit";
        all.push(("its unit is misspelt".to_owned(), with(panel, unit, json!(panel.unit().to_owned() + WRONG))));
    }
    for (index, target) in panel.targets().into_iter().enumerate() {
        all.extend(of_target(context, panel, index, target));
    }
    for (index, of) in panel.overrides().iter().enumerate() {
        for (which, property) in super::model::list(of, "properties").iter().enumerate() {
            if property["id"] == "unit" {
                let pointer = format!("/fieldConfig/overrides/{index}/properties/{which}/value");
                let unit = property["value"].as_str().unwrap_or_default().to_owned() + WRONG;
                all.push((format!("the unit of its override {index} is misspelt"), with(panel, &pointer, json!(unit))));
            }
        }
    }
    all
}

fn of_target(context: &Context, panel: Panel<'_>, index: usize, target: Target<'_>) -> Vec<Mutant> {
    let (mut all, id) = (Vec::new(), target.ref_id());
    let pointer = |member: &str| format!("/targets/{index}/{member}");
    let parsed = query::parse(target.expr());
    let expression = parsed.unwrap_or_else(|error| panic!("{}: {id}: {error}", panel.title()));
    for place in 0.. {
        let mut tree = expression.tree().clone();
        let Some(what) = spoiled(&mut tree, &mut Turn { left: place }) else { break };
        // The parser takes its time, and has been asked for all that this is made of.
        let text = Expression::remember(tree);
        all.push((format!("{id}: {what}"), with(panel, &pointer("expr"), json!(text))));
    }
    let unit = panel.unit_of(target).unwrap_or_default();
    let own = panel.unit() == unit && !unit.is_empty();
    if own && context.quantities.complaint(&expression, other_unit(unit)).is_some() && panel.kind() != "heatmap" {
        let defaults = "/fieldConfig/defaults/unit";
        all.push((
            format!("{id}: it is shown in {}", other_unit(unit)),
            with(panel, defaults, json!(other_unit(unit))),
        ));
    }
    for label in target.legend_labels() {
        let legend = target.legend().replace(&format!("{{{{{label}}}}}"), &format!("{{{{{label}{WRONG}}}}}"));
        all.push((
            format!("{id}: its legend shows {label}{WRONG}"),
            with(panel, &pointer("legendFormat"), json!(legend)),
        ));
    }
    all.push((format!("{id}: it asks whatever is the default"), with(panel, &pointer("datasource"), Value::Null)));
    all
}

/// How many places that could be spoiled are left before the one that is.
struct Turn {
    left: usize,
}

impl Turn {
    /// Whether it is this one.
    fn is_here(&mut self) -> bool {
        let here = self.left == 0;
        self.left = self.left.wrapping_sub(1);
        here
    }
}

/// Spoils one place of an expression; what was done, or nothing when there are fewer.
fn spoiled(tree: &mut Expr, turn: &mut Turn) -> Option<String> {
    match tree {
        Expr::VectorSelector(selector) => in_selector(selector, turn),
        Expr::MatrixSelector(matrix) => in_selector(&mut matrix.vs, turn),
        Expr::Aggregate(aggregate) => {
            in_labels(aggregate.modifier.as_mut(), turn).or_else(|| spoiled(&mut aggregate.expr, turn))
        }
        Expr::Binary(binary) => {
            let of_match = binary.modifier.as_mut().and_then(|modifier| {
                in_labels(modifier.matching.as_mut(), turn).or_else(|| match &mut modifier.card {
                    VectorMatchCardinality::ManyToOne(more) | VectorMatchCardinality::OneToMany(more) => {
                        renamed(&mut more.labels, turn)
                    }
                    _ => None,
                })
            });
            of_match.or_else(|| spoiled(&mut binary.lhs, turn)).or_else(|| spoiled(&mut binary.rhs, turn))
        }
        Expr::Call(call) => {
            for part in &mut call.args.args {
                if let Expr::MatrixSelector(matrix) = &mut **part
                    && ["rate", "irate", "increase"].contains(&call.func.name)
                    && turn.is_here()
                {
                    matrix.range = std::time::Duration::from_mins(5);
                    return Some("the window of a rate is a number".to_owned());
                }
            }
            call.args.args.iter_mut().find_map(|part| spoiled(part, turn))
        }
        Expr::Paren(paren) => spoiled(&mut paren.expr, turn),
        Expr::Subquery(subquery) => spoiled(&mut subquery.expr, turn),
        Expr::Unary(unary) => spoiled(&mut unary.expr, turn),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => None,
    }
}

fn in_selector(selector: &mut VectorSelector, turn: &mut Turn) -> Option<String> {
    let VectorSelector { name, matchers: Matchers { matchers, .. }, .. } = selector;
    if let Some(name) = name
        && turn.is_here()
    {
        let what = format!("{name} is renamed");
        name.push_str(WRONG);
        return Some(what);
    }
    for matcher in matchers.iter_mut() {
        if turn.is_here() {
            let what = format!("the label {} is renamed where it is matched", matcher.name);
            matcher.name.push_str(WRONG);
            return Some(what);
        }
        // A pattern that is left out lets more through; what it lets through is not wrong, but for whoever was chosen.
        let once = matcher.name == "esc2" || matches!(&matcher.op, MatchOp::Re(_) if matcher.value.starts_with(".+"));
        if once && turn.is_here() {
            let name = matcher.name.clone();
            matchers.retain(|matcher| matcher.name != name);
            return Some(format!("{name} is not matched"));
        }
    }
    None
}

fn in_labels(modifier: Option<&mut LabelModifier>, turn: &mut Turn) -> Option<String> {
    let (LabelModifier::Include(names) | LabelModifier::Exclude(names)) = modifier?;
    renamed(&mut names.labels, turn)
}

fn renamed(labels: &mut [String], turn: &mut Turn) -> Option<String> {
    let label = labels.iter_mut().find(|_| turn.is_here())?;
    let what = format!("the label {label} is renamed where it is grouped or matched by");
    label.push_str(WRONG);
    Some(what)
}

/// What is found in a panel.
fn found(context: &Context, dashboard: &Dashboard, json: &Value) -> Vec<Finding> {
    lint::of_panel(context, dashboard, Panel { json, folded: false })
}

#[test]
fn every_panel_that_is_spoiled_is_noticed() {
    let dashboards = Dashboard::all(Path::new(SHIPPED));
    let context = Context::of(Path::new(SHIPPED), &dashboards);
    let (begun, mut tried, mut unnoticed) = (Instant::now(), 0, Vec::new());
    for dashboard in &dashboards {
        for panel in dashboard.shown() {
            let before = found(&context, dashboard, panel.json);
            for (what, json) in mutants(&context, panel) {
                tried += 1;
                if json == *panel.json
                    || found(&context, dashboard, &json).iter().all(|finding| before.contains(finding))
                {
                    unnoticed.push(format!(
                        "{}: panel \"{}\": nobody notices when {what}",
                        dashboard.file,
                        panel.title()
                    ));
                }
            }
        }
        // What belongs to the dashboard as a whole, taken away one by one.
        let before = lint::of_frame(&context, dashboard).len();
        for (list, name) in [("/templating/list", "variable"), ("/annotations/list", "annotation"), ("/links", "link")]
        {
            let count = dashboard.json.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
            for index in 0..count {
                let mut spoiled = dashboard.clone();
                let removed = spoiled.json.pointer_mut(list).and_then(Value::as_array_mut).map(|all| all.remove(index));
                let grafanas = removed.is_some_and(|removed| removed["builtIn"] == 1);
                tried += 1;
                if !grafanas && lint::of_frame(&context, &spoiled).len() <= before {
                    unnoticed.push(format!("{}: nobody notices when {name} {index} is not there", dashboard.file));
                }
            }
        }
    }
    crate::bundle::none(&unnoticed);
    assert!(tried > 20 * dashboards.len(), "only {tried} ways to spoil {} dashboards", dashboards.len());
    println!("{tried} ways to spoil {} dashboards, in {:.1} s", dashboards.len(), begun.elapsed().as_secs_f64());
}
