//! Prometheus protobuf: messages `io.prometheus.client.MetricFamily` of
//! [metrics.proto](https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto), each after its
//! length. The one format that carries native histograms.
//!
//! Written field by field, without a message in between: a page is a few thousand of them, of which only the bytes are needed.
//! No timestamps and no start times: the text formats here have none, and most sources do not tell.

#[cfg(test)]
mod tests;

use bytes::Bytes;

use super::number;
use super::press::Press;
use super::wire::Message;
use super::{Page, Part, TOTALS, summaries};
use crate::histogram::{Histogram, Native};
use crate::metric::{Desc, Kind};
use crate::snapshot::Value;

/// Field numbers of `MetricFamily`.
mod family {
    pub(super) const NAME: u64 = 1;
    pub(super) const HELP: u64 = 2;
    pub(super) const TYPE: u64 = 3;
    pub(super) const METRIC: u64 = 4;
    pub(super) const UNIT: u64 = 5;
}

/// Field numbers of `Metric`; those of its values, which are messages, have theirs at 1.
mod metric {
    pub(super) const LABEL: u64 = 1;
    pub(super) const GAUGE: u64 = 2;
    pub(super) const COUNTER: u64 = 3;
    pub(super) const UNTYPED: u64 = 5;
    pub(super) const HISTOGRAM: u64 = 7;
}

/// Field numbers of `Histogram`.
mod histogram {
    pub(super) const SAMPLE_COUNT: u64 = 1;
    pub(super) const SAMPLE_SUM: u64 = 2;
    pub(super) const BUCKET: u64 = 3;
    pub(super) const SCHEMA: u64 = 5;
    pub(super) const ZERO_THRESHOLD: u64 = 6;
    pub(super) const ZERO_COUNT: u64 = 7;
    pub(super) const POSITIVE_SPAN: u64 = 12;
    pub(super) const POSITIVE_DELTA: u64 = 13;
}

pub(super) fn write(page: &Page, native_histograms: bool, gzip: bool) -> Bytes {
    let mut press = Press::new(gzip);
    let mut out = Message::with_capacity(press.room());
    for parts in page.parts().chunk_by(Part::is_of_the_same_family) {
        let desc = parts[0].desc;
        if press.takes(out.written()) {
            out.clear();
        }
        if desc.kind == Kind::Summary {
            write_summary(&mut out, desc, parts);
            continue;
        }
        out.delimited(|out| {
            head(out, &[&desc.name], desc, desc.kind);
            if let Some((_, unit)) = desc.unit_suffix() {
                out.text(family::UNIT, &[unit]);
            }
            let field = match desc.kind {
                Kind::Counter => metric::COUNTER,
                Kind::Gauge => metric::GAUGE,
                _ => metric::UNTYPED,
            };
            for (labels, value) in parts.iter().flat_map(Part::samples) {
                write_metric(out, labels, None, |out| match value {
                    Value::Number(number) => out.nested(field, |out| out.double(1, *number)),
                    Value::Histogram(histogram) => {
                        out.nested(metric::HISTOGRAM, |out| write_histogram(out, histogram, native_histograms));
                    }
                    Value::Summary(_) => {}
                });
            }
        });
    }
    press.bytes(out.into_bytes())
}

/// Name, HELP and type; a counter may have any name here.
fn head(out: &mut Message, name: &[&str], desc: &Desc, kind: Kind) {
    let kind = match kind {
        Kind::Counter => 0,
        Kind::Gauge => 1,
        Kind::Summary => 2,
        Kind::Unknown => 3,
        Kind::Histogram => 4,
    };
    out.text(family::NAME, name);
    out.text(family::HELP, &[&desc.help]);
    out.unsigned(family::TYPE, kind);
}

fn write_metric<'a>(
    out: &mut Message,
    labels: impl Iterator<Item = (&'a str, &'a str)>,
    quantile: Option<&str>,
    value: impl FnOnce(&mut Message),
) {
    out.nested(family::METRIC, |out| {
        labels.for_each(|(name, value)| write_label(out, name, value));
        if let Some(quantile) = quantile {
            write_label(out, "quantile", quantile);
        }
        value(out);
    });
}

fn write_label(out: &mut Message, name: &str, value: &str) {
    out.nested(metric::LABEL, |out| {
        out.text(1, &[name]);
        out.text(2, &[value]);
    });
}

fn write_histogram(out: &mut Message, value: &Histogram, native_histograms: bool) {
    out.unsigned(histogram::SAMPLE_COUNT, value.count());
    out.double(histogram::SAMPLE_SUM, value.sum);
    let mut cumulative = 0;
    for (bound, count) in &value.buckets {
        cumulative += count;
        out.nested(histogram::BUCKET, |out| {
            out.unsigned(1, cumulative);
            out.double(2, *bound);
        });
    }
    if let Some(native) = value.native.as_ref().filter(|_| native_histograms) {
        write_native(out, native);
    }
}

/// The buckets as spans of neighbours, each with the distance from the one before, and the differences of their counts.
fn write_native(out: &mut Message, native: &Native) {
    out.signed(histogram::SCHEMA, Native::SCHEMA.into());
    out.double(histogram::ZERO_THRESHOLD, Native::ZERO_THRESHOLD);
    out.unsigned(histogram::ZERO_COUNT, native.zero_count());
    let mut next = 0;
    for span in native.buckets().chunk_by(|(a, _), (b, _)| *b == a + 1) {
        out.nested(histogram::POSITIVE_SPAN, |out| {
            out.signed(1, (span[0].0 - next).into());
            out.unsigned(2, span.len() as u64);
        });
        next = span[span.len() - 1].0 + 1;
    }
    let mut before = 0;
    let deltas = native.buckets().iter().map(|(_, count)| {
        let count = count.cast_signed();
        count - std::mem::replace(&mut before, count)
    });
    out.packed(histogram::POSITIVE_DELTA, deltas);
}

/// A summary as three families of unknown type with its sample names, as in OpenMetrics: this format has no summary without
/// a sum or a count, and Prometheus would store 0 for what is not there.
fn write_summary(out: &mut Message, desc: &Desc, parts: &[Part<'_>]) {
    let number = |out: &mut Message, value| out.nested(metric::UNTYPED, |out| out.double(1, value));
    out.delimited(|out| {
        head(out, &[&desc.name], desc, Kind::Unknown);
        for (labels, summary) in summaries(parts) {
            for (quantile, value) in &summary.quantiles {
                let mut text = String::new();
                number::push_bound(&mut text, *quantile);
                write_metric(out, labels.clone(), Some(&text), |out| number(out, *value));
            }
        }
    });
    for (ending, total) in TOTALS {
        let mut totals = summaries(parts).filter_map(|(labels, summary)| Some((labels, total(summary)?))).peekable();
        if totals.peek().is_none() {
            continue;
        }
        out.delimited(|out| {
            head(out, &[&desc.name, ending], desc, Kind::Unknown);
            for (labels, total) in totals {
                write_metric(out, labels, None, |out| number(out, total));
            }
        });
    }
}
