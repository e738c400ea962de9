//! What an expression's values are: seconds, bytes, events a second, a part of a whole. It follows from the units of the
//! series that it is made of, through the rules that record them, and so it can be held against a panel's unit.

use std::cell::RefCell;
use std::collections::BTreeMap;

use promql_parser::parser::{Expr, token::TokenId};
use vitrin::metric::{Kind, Unit};

use crate::bundle::expression::Expression;
use crate::bundle::files::Bundle;

/// Powers of the base units, and whether it is known to lie between 0 and 1 when it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quantity {
    bytes: i32,
    seconds: i32,
    part: bool,
}

const NUMBER: Quantity = Quantity { bytes: 0, seconds: 0, part: false };
const PART: Quantity = Quantity { part: true, ..NUMBER };
const SECONDS: Quantity = Quantity { seconds: 1, ..NUMBER };
const BYTES: Quantity = Quantity { bytes: 1, ..NUMBER };
const A_SECOND: Quantity = Quantity { seconds: -1, ..NUMBER };
const BYTES_A_SECOND: Quantity = Quantity { bytes: 1, ..A_SECOND };

/// The units of Grafana that panels may have, by what they show. One that Grafana does not know is shown as text behind
/// the number, without a word.
const UNITS: [(Quantity, &[&str]); 6] = [
    (NUMBER, &["none", "short", "locale", "percentunit", "bool", "bool_yes_no", "bool_on_off"]),
    (PART, &["percentunit"]),
    (SECONDS, &["s", "dtdurations", "dthms"]),
    (BYTES, &["bytes", "decbytes"]),
    (A_SECOND, &["ops", "reqps", "cps", "rps", "wps", "iops", "pps", "hertz"]),
    (BYTES_A_SECOND, &["Bps", "binBps"]),
];

/// Units of what no quantity says: points in time, degrees, money, and seconds that were divided.
const OTHERS: [&str; 7] =
    ["m", "celsius", "currencyTRY", "dateTimeAsIso", "dateTimeAsSystem", "dateTimeFromNow", "string"];

/// Words in the name of a drop-in that say that its unit is not what its family says.
const UNSAID: [&str; 10] = ["second", "byte", "time", "size", "memory", "_ms", "duration", "since", "limit", "used"];

/// Functions that count, whatever they are given.
const COUNTS: [&str; 8] =
    ["absent", "absent_over_time", "changes", "count_over_time", "present_over_time", "resets", "sgn", "scalar_count"];

/// Whether panels may have this unit.
pub(super) fn is_known(unit: &str) -> bool {
    UNITS.iter().any(|(_, units)| units.contains(&unit)) || OTHERS.contains(&unit)
}

/// All series with what they are measured in.
pub(crate) struct Quantities {
    /// `None`: nobody knows.
    exported: BTreeMap<String, Option<Quantity>>,
    /// The rules that record each.
    recorded: BTreeMap<String, Vec<String>>,
    /// Those that were looked at; one that is being looked at is made of itself.
    known: RefCell<BTreeMap<String, Option<Quantity>>>,
}

impl Quantities {
    pub(super) fn of(bundle: &Bundle) -> Self {
        let mut exported = BTreeMap::from([
            ("up".to_owned(), Some(NUMBER)),
            ("scrape_duration_seconds".to_owned(), Some(SECONDS)),
            ("ALERTS".to_owned(), Some(NUMBER)),
            ("ALERTS_FOR_STATE".to_owned(), Some(SECONDS)),
            // Each alert's is in another unit.
            ("alert_threshold".to_owned(), None),
        ]);
        for desc in vitrin::collectors::catalogue() {
            let quantity = match desc.unit {
                Unit::Bytes => Some(BYTES),
                Unit::Seconds => Some(SECONDS),
                Unit::Ratio => Some(PART),
                Unit::Hertz => Some(A_SECOND),
                Unit::None if UNSAID.iter().all(|word| !desc.name.contains(word)) => Some(NUMBER),
                Unit::Celsius | Unit::None => None,
            };
            if matches!(desc.kind, Kind::Histogram | Kind::Summary) {
                for (part, of_part) in [("_sum", quantity), ("_count", Some(NUMBER)), ("_bucket", Some(NUMBER))] {
                    exported.insert(format!("{}{part}", desc.name), of_part);
                }
            }
            exported.entry(desc.name.to_string()).or_insert(quantity);
        }
        let mut recorded: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (_, rule) in bundle.every_rule().filter(|(_, rule)| !rule.record.is_empty()) {
            recorded.entry(rule.record.clone()).or_default().push(rule.expr.clone());
        }
        // As a number in a rule, a threshold has no unit; the alert that compares with it has.
        recorded.remove("alert:threshold");
        Self { exported, recorded, known: RefCell::default() }
    }

    /// What the series of this name are.
    fn named(&self, name: &str) -> Option<Quantity> {
        if let Some(quantity) = self.exported.get(name) {
            return *quantity;
        }
        if let Some(known) = self.known.borrow().get(name) {
            return *known;
        }
        self.known.borrow_mut().insert(name.to_owned(), None);
        let rules = self.recorded.get(name)?;
        let of_rule =
            |text: &String| Expression::parse(text).ok().and_then(|expression| self.of_tree(expression.tree()));
        let mut all = rules.iter().map(of_rule);
        let first = all.next().flatten();
        let quantity = if all.all(|other| other == first) { first } else { None };
        self.known.borrow_mut().insert(name.to_owned(), quantity);
        quantity
    }

    /// What is wrong with showing these values in this unit.
    pub(super) fn complaint(&self, expression: &Expression, unit: &str) -> Option<String> {
        let quantity = self.of_tree(expression.tree())?;
        let (_, units) = UNITS.iter().find(|(of, _)| *of == quantity)?;
        (!units.contains(&unit)).then(|| format!("what it asks for is shown as one of {}", units.join(", ")))
    }

    fn of_tree(&self, tree: &Expr) -> Option<Quantity> {
        match tree {
            Expr::VectorSelector(selector) => self.named(selector.name.as_deref()?),
            Expr::MatrixSelector(matrix) => self.named(matrix.vs.name.as_deref()?),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Some(NUMBER),
            Expr::Paren(paren) => self.of_tree(&paren.expr),
            Expr::Subquery(subquery) => self.of_tree(&subquery.expr),
            Expr::Unary(unary) => self.of_tree(&unary.expr),
            Expr::Aggregate(aggregate) => match aggregate.op.to_string().as_str() {
                "count" | "group" | "count_values" => Some(NUMBER),
                _ => self.of_tree(&aggregate.expr),
            },
            Expr::Call(call) => {
                let arguments: Vec<&Expr> = call.args.args.iter().map(|argument| &**argument).collect();
                let first = || self.of_tree(arguments.first()?);
                match call.func.name {
                    name if COUNTS.contains(&name) => Some(NUMBER),
                    "rate" | "irate" | "deriv" => Some(times(first()?, A_SECOND, 1)),
                    "time" | "timestamp" => Some(SECONDS),
                    // What a bucket's counter counts is measured in what its `_sum` sums.
                    "histogram_quantile" => {
                        let expression = Expression::of((*arguments.get(1)?).clone());
                        let bucket = expression.selected().into_iter().next()?.strip_suffix("_bucket")?.to_owned();
                        self.named(&format!("{bucket}_sum"))
                    }
                    "quantile_over_time" => self.of_tree(arguments.get(1)?),
                    "sqrt" | "exp" | "ln" | "log2" | "log10" => None,
                    _ => first(),
                }
            }
            Expr::Binary(binary) => {
                let (left, right) = (self.of_tree(&binary.lhs), self.of_tree(&binary.rhs));
                joined(binary.op.id(), binary.return_bool(), (&binary.lhs, left), (&binary.rhs, right))
            }
            Expr::Extension(_) => None,
        }
    }
}

/// What comes of two sides.
fn joined(
    op: TokenId,
    bool: bool,
    (lhs, left): (&Expr, Option<Quantity>),
    (rhs, right): (&Expr, Option<Quantity>),
) -> Option<Quantity> {
    use promql_parser::parser::token;
    let number = |tree: &Expr| matches!(bare(tree), Expr::NumberLiteral(_));
    match op {
        _ if bool => Some(NUMBER),
        token::T_MUL | token::T_DIV if number(rhs) || number(lhs) => None,
        token::T_MUL => Some(times(left?, right?, 1)),
        token::T_DIV => Some(times(left?, right?, -1)),
        token::T_POW | token::T_MOD | token::T_ATAN2 => None,
        // 1 - a part of a whole is one, and so is what is 0 where there is nothing.
        token::T_ADD | token::T_SUB | token::T_LOR if number(lhs) => right,
        token::T_ADD | token::T_SUB => match (left, right) {
            (Some(a), Some(b)) if a != b && !number(rhs) => (without_part(a) == without_part(b)).then_some(NUMBER),
            (None, _) => right.filter(|_| !number(rhs)),
            (of, _) => of,
        },
        // Comparisons, `or`, `and` and `unless` leave the left side as it is.
        _ if number(lhs) => right,
        _ => left,
    }
}

fn bare(tree: &Expr) -> &Expr {
    match tree {
        Expr::Paren(paren) => bare(&paren.expr),
        Expr::Unary(unary) => bare(&unary.expr),
        tree => tree,
    }
}

fn without_part(of: Quantity) -> Quantity {
    Quantity { part: false, ..of }
}

/// One multiplied by the other to this power.
fn times(a: Quantity, b: Quantity, power: i32) -> Quantity {
    Quantity { bytes: a.bytes + power * b.bytes, seconds: a.seconds + power * b.seconds, part: false }
}

#[test]
fn what_an_expression_is_measured_in_follows_from_what_it_is_made_of() {
    let quantities = Quantities::of(&Bundle::shipped());
    let of = |text: &str| quantities.of_tree(Expression::parse(text).unwrap().tree());
    for (text, quantity) in [
        ("mysql_connections_used_ratio", Some(PART)),
        ("1 - avg by (shop) (phpfpm_pm_busy_ratio)", Some(PART)),
        ("rate(shop_http_requests_total[5m])", Some(A_SECOND)),
        ("increase(shop_http_requests_total[5m])", Some(NUMBER)),
        ("rate(node_network_receive_bytes_total[5m])", Some(BYTES_A_SECOND)),
        ("rate(a:nobody[5m])", None),
        (
            "sum(rate(shop_http_request_duration_seconds_sum[5m])) / sum(rate(shop_http_request_duration_seconds_count[5m]))",
            Some(SECONDS),
        ),
        ("histogram_quantile(0.95, sum by (le) (rate(shop_http_request_duration_seconds_bucket[5m])))", Some(SECONDS)),
        ("time() - max(vitrin_collect_last_success_timestamp_seconds)", Some(SECONDS)),
        ("tls_certificate_expiry_timestamp_seconds * 1000", None),
        ("count(ALERTS) or vector(0)", Some(NUMBER)),
        ("process_resident_memory_bytes / on (shop) group_left () alert:threshold", None),
        ("shop:requests:rate5m", Some(A_SECOND)),
        ("shop:latency_avg:seconds_5m / on (shop) shop:http_latency_objective:seconds", Some(NUMBER)),
        ("redis_up == 0", Some(NUMBER)),
        ("rate(node_cpu_seconds_total[5m])", Some(NUMBER)),
    ] {
        assert_eq!(of(text), quantity, "{text}");
    }
}
