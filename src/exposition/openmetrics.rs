//! OpenMetrics 1.0 text, encoded by prometheus-client.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::{Page, Part, escape_help};
use crate::metric::{Desc, Kind};
use crate::snapshot::{Number, Summary, Value};

pub(super) fn write(page: Arc<Page>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Families(page)));
    let mut text = String::with_capacity(256 << 10);
    encode(&mut text, &registry).expect("writing to memory does not fail");
    text
}

#[derive(Debug)]
struct Families(Arc<Page>);

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let families = self.0.families();
        for parts in families.values() {
            let desc = parts[0].desc;
            // Of a counter the family is called without `_total`, which a server may have given to another of its
            // fields.
            let base = desc.name.strip_suffix("_total").filter(|base| !families.contains_key(base));
            match desc.kind {
                Kind::Summary => summary(&mut encoder, desc, parts)?,
                kind => family(&mut encoder, desc, base.filter(|_| kind == Kind::Counter), parts)?,
            }
        }
        Ok(())
    }
}

/// Every family but a summary; `counter` is what one that is a counter in this format is called.
fn family(encoder: &mut DescriptorEncoder<'_>, desc: &Desc, counter: Option<&str>, parts: &[Part<'_>]) -> fmt::Result {
    let kind = match desc.kind {
        Kind::Counter if counter.is_some() => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
        Kind::Counter | Kind::Summary | Kind::Unknown => MetricType::Unknown,
    };
    // The encoder puts `_total` and the unit back on; of an unknown family `_total` is a part of the name.
    let name = counter.unwrap_or(&desc.name);
    let (name, unit) = match desc.unit_suffix() {
        Some((base, unit)) if name.len() == base.len() + 1 + unit.len() => (base, Some(unit)),
        _ => (name, None),
    };
    let unit = unit.map(|unit| Unit::Other(unit.to_owned()));
    let mut metric = encoder.encode_descriptor(name, &escape_help(&desc.help, true), unit.as_ref(), kind)?;
    for part in parts {
        for (labels, value) in part.samples() {
            let labels = Labels(labels, None);
            // Without labels, a family encoder would print `name{}`.
            if labels.0.clone().next().is_none() {
                sample(&mut metric, value, counter.is_some())?;
            } else {
                sample(&mut metric.encode_family(&labels)?, value, counter.is_some())?;
            }
        }
    }
    Ok(())
}

fn sample(metric: &mut MetricEncoder<'_>, value: &Value, counter: bool) -> fmt::Result {
    match value {
        Value::Number(number) if counter => metric.encode_counter::<NoLabelSet, _, f64>(number, None),
        Value::Number(number) => metric.encode_gauge(number),
        Value::Histogram(histogram) => {
            metric.encode_histogram::<NoLabelSet>(histogram.sum, histogram.count(), &histogram.buckets, None)
        }
        Value::Summary(_) => Ok(()),
    }
}

/// A summary as three unknown families with its sample names, since the encoder has no summaries.
fn summary(encoder: &mut DescriptorEncoder<'_>, desc: &Desc, parts: &[Part<'_>]) -> fmt::Result {
    let help = escape_help(&desc.help, true);
    let summaries = || {
        parts.iter().flat_map(Part::samples).filter_map(|(labels, value)| match value {
            Value::Summary(summary) => Some((labels, &**summary)),
            _ => None,
        })
    };
    let mut metric = encoder.encode_descriptor(&desc.name, &help, None, MetricType::Unknown)?;
    for (labels, summary) in summaries() {
        for (quantile, value) in &summary.quantiles {
            let quantile = format!("{quantile:?}");
            let labels = Labels(labels.clone(), Some(("quantile", &quantile)));
            metric.encode_family(&labels)?.encode_gauge(value)?;
        }
    }
    for suffix in ["count", "sum"] {
        let name = format!("{}_{suffix}", desc.name);
        let value_of = |summary: &Summary| match suffix {
            "count" => summary.count.map(Number::number),
            _ => summary.sum,
        };
        let mut rest = summaries().filter_map(|(labels, summary)| Some((labels, value_of(summary)?))).peekable();
        if rest.peek().is_none() {
            continue;
        }
        let mut metric = encoder.encode_descriptor(&name, &help, None, MetricType::Unknown)?;
        for (labels, value) in rest {
            metric.encode_family(&Labels(labels, None))?.encode_gauge(&value)?;
        }
    }
    Ok(())
}

/// A series' labels, and the quantile of a summary.
struct Labels<'q, I>(I, Option<(&'static str, &'q str)>);

impl<'a, I: Iterator<Item = (&'a str, &'a str)> + Clone> EncodeLabelSet for Labels<'_, I> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        self.0.clone().try_for_each(|label| label.encode(encoder.encode_label()))?;
        self.1.map_or(Ok(()), |label| label.encode(encoder.encode_label()))
    }
}
