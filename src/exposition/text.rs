//! The Prometheus text format 0.0.4: what `curl`, promtool and old scrapers get.

use bytes::Bytes;

use super::lines::Lines;
use super::{Page, Part};
use crate::metric::Kind;
use crate::snapshot::{Summary, Value};

pub(super) fn write(page: &Page, gzip: bool) -> Bytes {
    let mut lines = Lines::new(gzip);
    for family in page.parts().chunk_by(Part::is_of_the_same_family) {
        let desc = family[0].desc;
        // The word of this format for what OpenMetrics calls unknown.
        let kind = if desc.kind == Kind::Unknown { "untyped" } else { desc.kind.as_str() };
        lines.push(&["# HELP ", &desc.name, " "]);
        lines.push_escaped(&desc.help, false);
        lines.push(&["\n# TYPE ", &desc.name, " ", kind, "\n"]);
        for (labels, value) in family.iter().flat_map(Part::samples) {
            match value {
                Value::Summary(value) => summary(&mut lines, &desc.name, labels, value),
                value => lines.value(&desc.name, labels, value),
            }
        }
    }
    lines.into_bytes()
}

fn summary<'a>(
    lines: &mut Lines,
    name: &str,
    labels: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    summary: &Summary,
) {
    for (quantile, value) in &summary.quantiles {
        lines.sample(&[name], labels.clone(), Some(("quantile", *quantile)), *value);
    }
    if let Some(sum) = summary.sum {
        lines.sample(&[name, "_sum"], labels.clone(), None, sum);
    }
    if let Some(count) = summary.count {
        lines.count(&[name, "_count"], labels, None, count);
    }
}
