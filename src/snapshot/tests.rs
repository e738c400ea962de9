//! What stays of a run, what is left out, and that it is counted.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::*;
use crate::metric::{Desc, Kind};

crate::metrics! {
    Own as _METRICS;
    /// Things on a shelf.
    THINGS = Gauge("shop_things", None, ["shelf"]);
    /// All things.
    ALL = Gauge("shop_all", None, []);
}

fn text(findings: &Findings) -> String {
    let mut text = String::new();
    for (family, group) in findings.families() {
        for (labels, value) in group.samples() {
            writeln!(text, "{} {:?} {value:?}", family.name, labels.collect::<Vec<_>>()).unwrap();
        }
    }
    text
}

#[test]
fn families_and_series_come_in_order() {
    let mut out = Snapshot::default();
    out.push(&THINGS, ["b"], 2_u64);
    out.push(&ALL, [], 3_u64);
    out.push(&THINGS, ["a"], true);
    let (findings, gaps, dropped) = out.finish();
    assert!(gaps.is_empty() && dropped.is_empty());
    expect_test::expect![[r#"
        shop_all [] Number(3.0)
        shop_things ["a"] Number(1.0)
        shop_things ["b"] Number(2.0)
    "#]]
    .assert_eq(&text(&findings));
}

#[test]
fn of_two_equal_series_the_first_stays_and_the_other_is_counted() {
    let mut out = Snapshot::default();
    out.push(&THINGS, ["a"], 1.0);
    out.push(&THINGS, ["a"], 2.0);
    let (findings, _, dropped) = out.finish();
    assert_eq!(text(&findings), "shop_things [\"a\"] Number(1.0)\n");
    assert_eq!(dropped[&("shop_things".to_owned(), Cause::Duplicate)], 1);
}

#[test]
fn a_family_that_is_full_leaves_room_for_the_others() {
    let mut out = Snapshot::default();
    for shelf in 0..100_000 {
        out.push(&THINGS, [&shelf.to_string()], 1.0);
    }
    out.push(&ALL, [], 1.0);
    let (findings, _, dropped) = out.finish();
    assert_eq!(findings.len(), FAMILY_SERIES + 1);
    assert_eq!(dropped[&("shop_things".to_owned(), Cause::Limit)], 100_000 - FAMILY_SERIES as u64);
}

#[test]
fn of_a_failed_run_only_what_it_kept_stays() {
    let mut out = Snapshot::default();
    out.push(&THINGS, ["a"], 0.0);
    out.keep();
    out.push(&THINGS, ["b"], 1.0);
    let (findings, _, _) = out.failed().finish();
    assert_eq!(text(&findings), "shop_things [\"a\"] Number(0.0)\n");
}

#[test]
fn a_name_that_a_server_made_up_is_no_declared_family() {
    let found = |name: &'static str, kind| {
        Family::Found(Arc::new(Desc { name: name.into(), kind, labels: Cow::Borrowed(&[]), ..ALL.desc().clone() }))
    };
    let mut out = Snapshot::default();
    out.push_family(found("shop_things", Kind::Unknown), &[], 8.0);
    out.push_family(found("shop_all", Kind::Unknown), &[], 8.0);
    out.push(&THINGS, ["a"], 1.0);
    out.push(&THINGS, ["b"], 2.0);
    out.push(&ALL, [], 3.0);
    let (findings, _, dropped) = out.finish();
    expect_test::expect![[r#"
        shop_all [] Number(3.0)
        shop_things ["a"] Number(1.0)
        shop_things ["b"] Number(2.0)
    "#]]
    .assert_eq(&text(&findings));
    assert_eq!(dropped.len(), 2);
}

#[test]
fn names_without_end_are_not_counted_one_by_one() {
    let mut out = Snapshot::default();
    for name in 0..10_000 {
        let name = format!("shop_{name}").into();
        out.push_family(Family::Found(Arc::new(Desc { name, ..ALL.desc().clone() })), &[], f64::NAN);
    }
    let (_, _, dropped) = out.finish();
    assert_eq!(dropped.len(), DROPPED_FAMILIES + 1);
    assert_eq!(dropped[&("other".to_owned(), Cause::NotANumber)], 10_000 - DROPPED_FAMILIES as u64);
}

#[test]
fn one_label_value_cannot_fill_the_page() {
    let mut out = Snapshot::default();
    out.push(&THINGS, [&"x".repeat(RUN_LABEL_BYTES + 1)], 1.0);
    out.push(&THINGS, ["a"], 1.0);
    let (findings, _, dropped) = out.finish();
    assert_eq!(text(&findings), "shop_things [\"a\"] Number(1.0)\n");
    assert_eq!(dropped[&("shop_things".to_owned(), Cause::Limit)], 1);
}

#[test]
fn a_run_that_is_full_still_says_that_the_target_is_up() {
    let mut out = Snapshot::default();
    for family in 0..=RUN_SERIES / FAMILY_SERIES {
        let desc = Desc { name: format!("shop_{family}").into(), ..THINGS.desc().clone() };
        let family = Family::Found(Arc::new(desc));
        for shelf in 0..FAMILY_SERIES {
            out.push_family(family.clone(), &[&shelf.to_string()], 1.0);
        }
    }
    out.push_up(&ALL, true);
    let (findings, _, _) = out.finish();
    assert_eq!(findings.len(), RUN_SERIES + 1);
    assert!(findings.families().any(|(family, _)| family.name == "shop_all"));
}

#[test]
fn not_a_number_is_absent_and_counted() {
    let mut out = Snapshot::default();
    out.push(&ALL, [], f64::NAN);
    out.push(&ALL, [], f64::NEG_INFINITY);
    let (findings, _, dropped) = out.finish();
    assert!(findings.is_empty());
    assert_eq!(dropped[&("shop_all".to_owned(), Cause::NotANumber)], 2);
}
#[test]
fn what_cannot_be_is_absent_and_counted() {
    crate::metrics! {
        Own as _ORDERED;
        /// Things made.
        MADE = Counter("shop_made_total", None, []);
        /// How long it took.
        TIME = Histogram("shop_time_seconds", Seconds, []);
        /// How long it took, in parts.
        PARTS = Summary("shop_parts_seconds", Seconds, []);
    }
    let mut out = Snapshot::default();
    out.push(&MADE, [], -1_i64);
    let buckets = |bounds: [(f64, u64); 2]| Histogram { buckets: bounds.to_vec(), sum: 1.0, native: None };
    out.push_histogram(&TIME, [], buckets([(2.0, 1), (1.0, 1)]));
    out.push_histogram(&TIME, [], buckets([(1.0, u64::MAX), (2.0, 1)]));
    for quantiles in [vec![(0.5, 1.0), (0.5, 2.0)], vec![(99.0, 1.0)]] {
        out.push_summary(&PARTS, [], Summary { quantiles, ..Summary::default() });
    }
    let (findings, _, dropped) = out.finish();
    assert!(findings.is_empty());
    let counts: Vec<_> = dropped.iter().map(|((name, cause), count)| (name.as_str(), *cause, *count)).collect();
    let cause = Cause::Impossible;
    assert_eq!(
        counts,
        [("shop_made_total", cause, 1), ("shop_parts_seconds", cause, 2), ("shop_time_seconds", cause, 2)]
    );
}
