//! What an expression of PromQL selects and does, held against the catalogue of series.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{
    self, AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality, VectorSelector,
};
use vitrin::metric::Kind;

use super::catalogue::{Catalogue, Series, Source};
use super::labels::{Labels, Value};

/// Functions of a counter's history.
const OF_COUNTERS: [&str; 3] = ["rate", "increase", "irate"];

/// Functions of a gauge's history, which a counter's restart would mislead.
const OF_GAUGES: [&str; 6] =
    ["deriv", "predict_linear", "delta", "idelta", "holt_winters", "double_exponential_smoothing"];

/// Functions that look at whether a counter is there, or when, and not at its value.
const OF_PRESENCE: [&str; 4] = ["absent", "absent_over_time", "present_over_time", "timestamp"];

/// The shortest window of a rate: four scrapes.
const SHORTEST: Duration = Duration::from_mins(1);

/// What was parsed before: a test asks for the same expressions again and again, and the parser takes its time.
static PARSED: Mutex<BTreeMap<String, Result<Expr, String>>> = Mutex::new(BTreeMap::new());

/// One expression, parsed.
pub(crate) struct Expression {
    tree: Expr,
}

impl Expression {
    /// Fails with what the parser says.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(known) = PARSED.lock().unwrap().get(text) {
            return known.clone().map(Self::of);
        }
        let parsed = parser::parse(text).map_err(|error| format!("it does not parse: {error}"));
        PARSED.lock().unwrap().insert(text.to_owned(), parsed.clone());
        parsed.map(Self::of)
    }

    /// Lets a tree be what its text is parsed to. Returns the text.
    pub(crate) fn remember(tree: Expr) -> String {
        let text = tree.to_string();
        PARSED.lock().unwrap().insert(text.clone(), Ok(tree));
        text
    }

    /// A part of another expression.
    pub(crate) const fn of(tree: Expr) -> Self {
        Self { tree }
    }

    pub(crate) fn tree(&self) -> &Expr {
        &self.tree
    }

    /// What is wrong with it, each a sentence with the way out.
    pub(crate) fn check(&self, catalogue: &Catalogue) -> Vec<String> {
        let mut reading = Reading { catalogue, complaints: Vec::new() };
        reading.labels(&self.tree, false);
        reading.complaints
    }

    /// The labels of its result, as far as what it selects is known.
    pub(crate) fn labels(&self, catalogue: &Catalogue) -> Labels {
        Reading { catalogue, complaints: Vec::new() }.labels(&self.tree, false)
    }

    /// The names of the series that it selects.
    pub(crate) fn selected(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        selectors(&self.tree, &mut |selector| {
            names.extend(selector.name.as_deref());
        });
        names
    }
}

/// Shows every selector of a tree.
pub(crate) fn selectors<'a>(tree: &'a Expr, see: &mut impl FnMut(&'a VectorSelector)) {
    match tree {
        Expr::VectorSelector(selector) => see(selector),
        Expr::MatrixSelector(matrix) => see(&matrix.vs),
        _ => parts(tree).into_iter().for_each(|part| selectors(part, see)),
    }
}

/// What a tree is made of.
pub(crate) fn parts(tree: &Expr) -> Vec<&Expr> {
    match tree {
        Expr::Aggregate(aggregate) => aggregate.param.as_deref().into_iter().chain([&*aggregate.expr]).collect(),
        Expr::Binary(binary) => vec![&binary.lhs, &binary.rhs],
        Expr::Call(call) => call.args.args.iter().map(|part| &**part).collect(),
        Expr::Paren(paren) => vec![&paren.expr],
        Expr::Subquery(subquery) => vec![&subquery.expr],
        Expr::Unary(unary) => vec![&unary.expr],
        _ => Vec::new(),
    }
}

/// The value of an equality matcher on this label.
pub(crate) fn pinned<'a>(selector: &'a VectorSelector, label: &str) -> Option<&'a str> {
    let matcher = selector.matchers.matchers.iter().find(|matcher| matcher.name == label)?;
    (matcher.op == MatchOp::Equal).then_some(matcher.value.as_str())
}

/// One walk through a tree, which finds labels from the leaves up, and complaints on the way.
struct Reading<'a> {
    catalogue: &'a Catalogue,
    complaints: Vec<String>,
}

impl Reading<'_> {
    fn complain(&mut self, complaint: impl Into<String>) {
        self.complaints.push(complaint.into());
    }

    /// The labels of a part; `raw`: whether a counter may stand there as it is.
    fn labels(&mut self, tree: &Expr, raw: bool) -> Labels {
        match tree {
            Expr::VectorSelector(selector) => {
                if !raw && selector.name.as_deref().is_some_and(|name| self.kind(name) == Some(Kind::Counter)) {
                    self.complain(format!("{selector} is a counter: its value says nothing, its `rate` does"));
                }
                self.selected(selector)
            }
            Expr::MatrixSelector(matrix) => self.selected(&matrix.vs),
            Expr::Aggregate(aggregate) => self.aggregated(aggregate),
            Expr::Binary(binary) => self.joined(binary, raw),
            Expr::Call(call) => self.called(call),
            Expr::Paren(paren) => self.labels(&paren.expr, raw),
            Expr::Subquery(subquery) => self.labels(&subquery.expr, raw),
            Expr::Unary(unary) => self.labels(&unary.expr, raw),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => Labels::default(),
        }
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        self.catalogue.get(name).map(|series| series.kind)
    }

    fn selected(&mut self, selector: &VectorSelector) -> Labels {
        let Some(name) = selector.name.as_deref() else {
            self.complain(format!("{selector} selects by no name: name the series"));
            return Labels::default();
        };
        let Some(series) = self.catalogue.get(name) else {
            if name.ends_with("_bucket") {
                self.complain(format!(
                    "{name}: rules use no buckets, but `_sum`, `_count` and counters of the objective"
                ));
            } else {
                let nearest = self.catalogue.nearest(name);
                self.complain(format!(
                    "nothing exports or records {name}; {nearest} is the nearest name. docs/metrics.md lists ours, \
                     tests/it/bundle/foreign.tsv other programs'"
                ));
            }
            return Labels::default();
        };
        if !selector.matchers.or_matchers.is_empty() {
            self.complain(format!("{selector}: Prometheus knows no `or` between matchers"));
        }
        let matchers = &selector.matchers.matchers;
        let known: Vec<&Labels> =
            series.variants.iter().filter(|labels| matchers.iter().all(|matcher| fits(matcher, labels))).collect();
        let before = self.complaints.len();
        for matcher in matchers {
            self.matcher(name, series, matcher);
        }
        if known.is_empty() && self.complaints.len() == before {
            self.complain(format!("no rule makes a series like {selector}"));
        }
        let Some((first, rest)) = known.split_first() else { return Labels::default() };
        let mut labels = rest.iter().fold((*first).clone(), |labels, variant| labels.or(variant));
        for matcher in matchers.iter().filter(|matcher| matcher.op == MatchOp::Equal) {
            labels = labels.with(&matcher.name, Value::Is(matcher.value.clone()));
        }
        labels
    }

    /// Complains of a matcher for a label that no series has, or for a value that it never has.
    fn matcher(&mut self, name: &str, series: &Series, matcher: &Matcher) {
        let label = &matcher.name;
        if !series.variants.iter().any(|labels| labels.has(label)) {
            let all: BTreeSet<&str> = series.variants.iter().flat_map(Labels::names).collect();
            let all: Vec<_> = all.into_iter().collect();
            self.complain(format!("{name} has no label `{label}`; it has {}", all.join(", ")));
            return;
        }
        // What a rule sets is held against the rules, by `fits`.
        let by_rule = |labels: &Labels| matches!(labels.value(label), None | Some(Value::Is(_)));
        if matches!(series.source, Source::Recorded { .. }) || series.variants.iter().all(by_rule) {
            return;
        }
        let alternatives: Vec<&str> = match &matcher.op {
            MatchOp::Equal | MatchOp::NotEqual => vec![&matcher.value],
            MatchOp::Re(_) | MatchOp::NotRe(_) => matcher.value.split('|').collect(),
        };
        let plain =
            |value: &&str| !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "_-./ ".contains(c));
        for value in alternatives.into_iter().filter(plain) {
            if let Err(why) = self.catalogue.check_value(name, label, value) {
                self.complain(format!("{name}{{{matcher}}}: {why}"));
            }
        }
    }

    fn aggregated(&mut self, aggregate: &AggregateExpr) -> Labels {
        let op = aggregate.op.to_string();
        let inner = self.labels(&aggregate.expr, op == "count" || op == "group");
        let (named, result) = match &aggregate.modifier {
            None => (&[][..], Labels::default()),
            Some(LabelModifier::Include(names)) => (&names.labels[..], inner.only(&names.labels)),
            Some(LabelModifier::Exclude(names)) => (&names.labels[..], inner.without(&names.labels)),
        };
        self.expect(&inner, named, &format!("`{op}` is grouped by"));
        if let Some(Expr::StringLiteral(label)) = aggregate.param.as_deref() {
            return result.with(&label.val, Value::Any);
        }
        if ["topk", "bottomk"].contains(&op.as_str()) { inner } else { result }
    }

    /// Complains of the names that are not there.
    fn expect(&mut self, labels: &Labels, names: &[String], who: &str) {
        for name in names.iter().filter(|name| !labels.has(name)) {
            let there: Vec<_> = labels.names().into_iter().collect();
            self.complain(format!("{who} `{name}`, which is not among the labels there: {}", there.join(", ")));
        }
    }

    fn called(&mut self, call: &Call) -> Labels {
        let name = call.func.name;
        let arguments: Vec<&Expr> = call.args.args.iter().map(|argument| &**argument).collect();
        let text = |at: usize| match arguments.get(at) {
            Some(Expr::StringLiteral(text)) => text.val.clone(),
            _ => String::new(),
        };
        for argument in &arguments {
            self.history(name, argument);
        }
        let vector = arguments.iter().find(|argument| argument.value_type() != parser::value::ValueType::String);
        let raw = OF_PRESENCE.contains(&name);
        let all: Vec<Labels> = arguments.iter().map(|argument| self.labels(argument, raw)).collect();
        match name {
            "absent" | "absent_over_time" => {
                let mut pinned = Labels::default();
                if let Some(selector) = vector.and_then(|vector| selector(vector)) {
                    for matcher in selector.matchers.matchers.iter().filter(|matcher| matcher.op == MatchOp::Equal) {
                        pinned = pinned.with(&matcher.name, Value::Is(matcher.value.clone()));
                    }
                }
                pinned
            }
            "label_replace" => {
                let read = text(3);
                self.expect(
                    &all[0],
                    if read.is_empty() { &[] } else { std::slice::from_ref(&read) },
                    "label_replace reads",
                );
                all[0].clone().with(&text(1), Value::Made)
            }
            "label_join" => all[0].clone().with(&text(1), Value::Made),
            "scalar" | "vector" | "time" => Labels::default(),
            "histogram_quantile" => all[1].without(&["le".to_owned()]),
            // The vector is the last argument of quantile_over_time, and the first of all others.
            _ => all
                .into_iter()
                .zip(&arguments)
                .find(|(_, argument)| is_vector(argument))
                .map_or_else(Labels::default, |(labels, _)| labels),
        }
    }

    /// Complains of a function that does not suit the type of what it is applied to.
    fn history(&mut self, function: &str, argument: &Expr) {
        let (of_counters, of_gauges) = (OF_COUNTERS.contains(&function), OF_GAUGES.contains(&function));
        if !of_counters && !of_gauges {
            return;
        }
        match argument {
            Expr::MatrixSelector(matrix) => {
                let kind = matrix.vs.name.as_deref().and_then(|name| self.kind(name));
                let suits = if of_counters { Kind::Counter } else { Kind::Gauge };
                if let Some(kind) = kind.filter(|kind| *kind != suits) {
                    let (kind, suits) = (kind.as_str(), suits.as_str());
                    self.complain(format!("`{function}` is for a {suits}, and {} is a {kind}", matrix.vs));
                }
                if of_counters && matrix.range < SHORTEST {
                    self.complain(format!(
                        "`{function}` over {matrix} sees fewer than four scrapes: a minute at least"
                    ));
                }
            }
            Expr::Subquery(_) if of_counters => {
                self.complain(format!(
                    "`{function}` of a subquery takes every fall of a sum for a restart: of a counter only"
                ));
            }
            _ => {}
        }
    }

    fn joined(&mut self, binary: &BinaryExpr, raw: bool) -> Labels {
        let sets = binary.op.is_set_operator();
        // What is asked only whether it is there may be a counter.
        let (left, right) = (self.labels(&binary.lhs, raw), self.labels(&binary.rhs, raw || sets));
        if !is_vector(&binary.lhs) {
            return right;
        }
        if !is_vector(&binary.rhs) {
            return left;
        }
        let op = binary.op.to_string();
        let modifier = binary.modifier.as_ref();
        let on = match modifier.and_then(|modifier| modifier.matching.as_ref()) {
            Some(LabelModifier::Include(names)) => {
                self.expect(&left, &names.labels, &format!("left of `{op}`, `on` names"));
                self.expect(&right, &names.labels, &format!("right of `{op}`, `on` names"));
                names.labels.clone()
            }
            other => {
                let ignored = other.map_or(&[][..], |names| &names.labels().labels);
                self.all_but(&left, &right, ignored, &op)
            }
        };
        if op != "or"
            && let Some(why) = left.never_meet(&right, &on)
        {
            self.complain(format!("the sides of `{op}` never match: {why}"));
        }
        if op == "or" {
            return left.or(&right);
        }
        if sets {
            return left;
        }
        let one_to_one = VectorMatchCardinality::OneToOne;
        match modifier.map_or(&one_to_one, |modifier| &modifier.card) {
            VectorMatchCardinality::ManyToOne(more) => {
                self.only_one(&right, &on, &op, "right");
                self.expect(&right, &more.labels, "`group_left` takes");
                left.or(&right.only(&more.labels))
            }
            VectorMatchCardinality::OneToMany(more) => {
                self.only_one(&left, &on, &op, "left");
                self.expect(&left, &more.labels, "`group_right` takes");
                right.or(&left.only(&more.labels))
            }
            VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => {
                self.only_one(&left, &on, &op, "left");
                self.only_one(&right, &on, &op, "right");
                left.only(&on)
            }
        }
    }

    /// The labels of both sides, which are all matched; complains when they are not the same.
    fn all_but(&mut self, left: &Labels, right: &Labels, ignored: &[String], op: &str) -> Vec<String> {
        let (ours, theirs) = (left.without(ignored), right.without(ignored));
        let here: Vec<_> = ours.names().into_iter().filter(|name| !theirs.has(name)).collect();
        let there: Vec<_> = theirs.names().into_iter().filter(|name| !ours.has(name)).collect();
        if op != "or" && !(here.is_empty() && there.is_empty()) {
            self.complain(format!(
                "the sides of `{op}` are matched on all labels and never match: only the left has [{}], only the right \
                 [{}]; say `on (...)`",
                here.join(", "),
                there.join(", ")
            ));
        }
        ours.names().into_iter().map(str::to_owned).collect()
    }

    /// Complains when several series of one side may have the same labels to be matched on.
    fn only_one(&mut self, side: &Labels, on: &[String], op: &str, which: &str) {
        let more: Vec<_> = side.open().into_iter().filter(|name| !on.iter().any(|on| on == name)).collect();
        if !more.is_empty() {
            self.complain(format!(
                "{which} of `{op}` several series may match one, by their labels {}: the rule would fail then. \
                 Aggregate, match on them too, or say `group_left` or `group_right`",
                more.join(", ")
            ));
        }
    }
}

/// Whether a variant of a series can pass a matcher.
fn fits(matcher: &Matcher, labels: &Labels) -> bool {
    match labels.value(&matcher.name) {
        Some(Value::Is(value)) => matcher.is_match(value),
        Some(_) => true,
        None => matcher.is_match(""),
    }
}

fn is_vector(tree: &Expr) -> bool {
    use parser::value::ValueType::{Matrix, Vector};
    matches!(tree.value_type(), Vector | Matrix)
}

fn selector(tree: &Expr) -> Option<&VectorSelector> {
    match tree {
        Expr::VectorSelector(selector) => Some(selector),
        Expr::MatrixSelector(matrix) => Some(&matrix.vs),
        Expr::Paren(paren) => selector(&paren.expr),
        _ => None,
    }
}
