//! What must hold within one family.

use std::collections::{BTreeMap, BTreeSet};

use super::{Family, Format, Labels, line};

/// The endings that samples of this type carry.
fn endings(kind: &str, format: Format) -> &'static [&'static str] {
    match (kind, format) {
        ("counter", Format::OpenMetrics) => &["_total", "_created"],
        ("info", _) => &["_info"],
        ("histogram", Format::Text) => &["_bucket", "_sum", "_count"],
        ("histogram", Format::OpenMetrics) => &["_bucket", "_sum", "_count", "_created"],
        ("summary", Format::Text) => &["", "_sum", "_count"],
        ("summary", Format::OpenMetrics) => &["", "_sum", "_count", "_created"],
        _ => &[""],
    }
}

/// Whether a sample of this name is one of the family.
pub(super) fn belongs(family: &Family, sample: &str, format: Format) -> bool {
    sample.strip_prefix(&family.name).is_some_and(|ending| endings(&family.kind, format).contains(&ending))
}

/// Checks a complete family, still under the name that its metadata give.
pub(super) fn check(family: &Family, format: Format) -> Result<(), String> {
    if let Some(unit) = &family.unit
        && !family.name.ends_with(&format!("_{unit}"))
    {
        return Err(format!("its name does not end with its unit {unit}"));
    }
    if format == Format::OpenMetrics && family.kind == "counter" && family.name.ends_with("_total") {
        return Err("the name of an OpenMetrics counter ends with `_total`".to_owned());
    }
    let mut seen = BTreeSet::new();
    for series in &family.series {
        if !seen.insert((&series.name, &series.labels)) {
            return Err(format!("{}{:?} is there twice", series.name, series.labels));
        }
        let cumulative =
            family.kind == "counter" || series.name.ends_with("_bucket") || series.name.ends_with("_count");
        let typed = matches!(family.kind.as_str(), "counter" | "histogram" | "summary");
        if typed && cumulative && (series.value.is_nan() || series.value < 0.0) {
            return Err(format!("{} is a counter and cannot be {}", series.name, series.value));
        }
        for label in ["le", "quantile"] {
            if let Some(bound) = series.labels.get(label) {
                check_bound(label, bound, format)?;
            }
        }
    }
    if family.kind == "histogram" { check_histogram(family) } else { Ok(()) }
}

/// OpenMetrics wants the shortest form that still shows a float (`1.0`), and quantiles between 0 and 1.
fn check_bound(label: &str, bound: &str, format: Format) -> Result<(), String> {
    let number = line::number(bound)?;
    if format == Format::OpenMetrics {
        if bound != "+Inf" && !bound.contains(['.', 'e']) {
            return Err(format!("{label} `{bound}` is not in canonical form"));
        }
        if label == "quantile" && !(0.0..=1.0).contains(&number) {
            return Err(format!("quantile `{bound}` is not between 0 and 1"));
        }
    }
    Ok(())
}

fn check_histogram(family: &Family) -> Result<(), String> {
    let mut members: BTreeMap<Labels, Vec<(&str, f64, f64)>> = BTreeMap::new();
    for series in &family.series {
        let mut labels = series.labels.clone();
        let bound = labels.remove("le").map_or(Ok(f64::NAN), |bound| line::number(&bound))?;
        let ending = &series.name[family.name.len()..];
        members.entry(labels).or_default().push((ending, bound, series.value));
    }
    for (labels, samples) in members {
        let one = |ending: &str| samples.iter().find(|(name, ..)| *name == ending).map(|(.., value)| *value);
        let buckets: Vec<_> = samples.iter().filter(|(name, ..)| *name == "_bucket").collect();
        for pair in buckets.windows(2) {
            if pair[0].1 >= pair[1].1 || pair[0].2 > pair[1].2 {
                return Err(format!("buckets of {labels:?} fall or are not in order"));
            }
        }
        match buckets.last() {
            Some((_, f64::INFINITY, count)) if one("_count") == Some(*count) => {}
            Some((_, f64::INFINITY, _)) => return Err(format!("_count of {labels:?} is not that of its last bucket")),
            _ => return Err(format!("{labels:?} has no bucket `+Inf`")),
        }
        if one("_sum").is_none() {
            return Err(format!("{labels:?} has no _sum"));
        }
    }
    Ok(())
}
