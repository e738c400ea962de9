//! [OpenMetrics 1.0](https://prometheus.io/docs/specs/om/open_metrics_spec/) text.
//!
//! Our own writer, and not that of prometheus-client: that one spells bounds in another way than the other formats do
//! (`0.000001`, where Prometheus makes `1e-06` of a number), and has no value of unknown type in protobuf.

use bytes::Bytes;

use super::lines::Lines;
use super::{Page, Part, TOTALS, summaries};
use crate::metric::{Desc, Kind};

pub(super) fn write(page: &Page, gzip: bool) -> Bytes {
    let mut lines = Lines::new(gzip);
    let parts = page.parts();
    for family in parts.chunk_by(Part::is_of_the_same_family) {
        let desc = family[0].desc;
        if desc.kind == Kind::Summary {
            summary(&mut lines, desc, family);
            continue;
        }
        // The name of a counter's family is that of its samples without `_total`, which a server may have given to
        // another of its fields.
        let is_free = |name: &str| parts.binary_search_by(|part| (*part.desc.name).cmp(name)).is_err();
        let counter = desc.name.strip_suffix("_total").filter(|name| desc.kind == Kind::Counter && is_free(name));
        let kind = match desc.kind {
            Kind::Counter if counter.is_none() => Kind::Unknown,
            kind => kind,
        };
        let name = counter.unwrap_or(&desc.name);
        head(&mut lines, &[name], &desc.help, kind);
        // The unit is the end of the family's name: not of an unknown one that ends with `_total`.
        if let Some((base, unit)) = desc.unit_suffix()
            && name.len() == base.len() + 1 + unit.len()
        {
            lines.push(&["# UNIT ", name, " ", unit, "\n"]);
        }
        for (labels, value) in family.iter().flat_map(Part::samples) {
            lines.value(&desc.name, labels, value);
        }
    }
    lines.push(&["# EOF\n"]);
    lines.into_bytes()
}

fn head(lines: &mut Lines, name: &[&str], help: &str, kind: Kind) {
    lines.push(&["# HELP "]);
    lines.push(name);
    lines.push(&[" "]);
    lines.push_escaped(help, true);
    lines.push(&["\n# TYPE "]);
    lines.push(name);
    lines.push(&[" ", kind.as_str(), "\n"]);
}

/// A summary as three unknown families with its sample names.
fn summary(lines: &mut Lines, desc: &Desc, family: &[Part<'_>]) {
    head(lines, &[&desc.name], &desc.help, Kind::Unknown);
    for (labels, summary) in summaries(family) {
        for (quantile, value) in &summary.quantiles {
            lines.sample(&[&desc.name], labels.clone(), Some(("quantile", *quantile)), *value);
        }
    }
    for (ending, total) in TOTALS {
        let mut totals = summaries(family).filter_map(|(labels, summary)| Some((labels, total(summary)?))).peekable();
        if totals.peek().is_some() {
            head(lines, &[&desc.name, ending], &desc.help, Kind::Unknown);
        }
        for (labels, total) in totals {
            lines.sample(&[&desc.name, ending], labels, None, total);
        }
    }
}
