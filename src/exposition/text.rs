//! The Prometheus text format 0.0.4: what `curl`, promtool and old scrapers get.

use std::fmt::{Display, Write as _};

use super::{Page, escape_help};
use crate::metric::Kind;
use crate::snapshot::Value;

pub(super) fn write(page: &Page) -> String {
    let mut text = Text(String::with_capacity(256 << 10));
    for parts in page.families().values() {
        let desc = parts[0].desc;
        text.head(&desc.name, &desc.help, desc.kind);
        for part in parts {
            for (labels, value) in part.samples() {
                text.value(&desc.name, labels, value);
            }
        }
    }
    text.0
}

struct Text(String);

impl Text {
    fn head(&mut self, name: &str, help: &str, kind: Kind) {
        // The word of this format for what OpenMetrics calls unknown.
        let kind = if kind == Kind::Unknown { "untyped" } else { kind.as_str() };
        let help = escape_help(help, false);
        self.append(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn value<'a>(&mut self, name: &str, labels: impl Iterator<Item = (&'a str, &'a str)> + Clone, value: &Value) {
        match value {
            Value::Number(number) => self.sample(name, "", labels, None, *number),
            Value::Histogram(histogram) => {
                let mut cumulative = 0;
                for (bound, count) in &histogram.buckets {
                    cumulative += count;
                    self.sample(name, "_bucket", labels.clone(), Some(("le", *bound)), cumulative);
                }
                self.sample(name, "_sum", labels.clone(), None, histogram.sum);
                self.sample(name, "_count", labels, None, cumulative);
            }
            Value::Summary(summary) => {
                for (quantile, value) in &summary.quantiles {
                    self.sample(name, "", labels.clone(), Some(("quantile", *quantile)), *value);
                }
                if let Some(sum) = summary.sum {
                    self.sample(name, "_sum", labels.clone(), None, sum);
                }
                if let Some(count) = summary.count {
                    self.sample(name, "_count", labels, None, count);
                }
            }
        }
    }

    fn sample<'a>(
        &mut self,
        name: &str,
        suffix: &str,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        bound: Option<(&str, f64)>,
        value: impl Number,
    ) {
        self.0.push_str(name);
        self.0.push_str(suffix);
        let mut before = '{';
        for (label, value) in labels {
            self.0.push(before);
            self.0.push_str(label);
            self.0.push_str("=\"");
            self.escape(value);
            self.0.push('"');
            before = ',';
        }
        if let Some((label, bound)) = bound {
            let bound = canonical(bound);
            self.append(format_args!("{before}{label}=\"{bound}\""));
            before = ',';
        }
        if before == ',' {
            self.0.push('}');
        }
        let value = value.text();
        self.append(format_args!(" {value}\n"));
    }

    fn escape(&mut self, value: &str) {
        for c in value.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                c => self.0.push(c),
            }
        }
    }

    fn append(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("writing to memory does not fail");
    }
}

/// A sample's value in this format; counts are written from integers, which keep all their digits.
trait Number {
    fn text(self) -> impl Display;
}

impl Number for u64 {
    fn text(self) -> impl Display {
        self
    }
}

impl Number for f64 {
    fn text(self) -> impl Display {
        if self == Self::INFINITY {
            "+Inf".to_owned()
        } else if self == Self::NEG_INFINITY {
            "-Inf".to_owned()
        } else {
            self.to_string()
        }
    }
}

/// A bound as OpenMetrics spells it ("Canonical Numbers"), so that both formats store the same series: `1.0`.
fn canonical(bound: f64) -> String {
    if bound == f64::INFINITY { "+Inf".to_owned() } else { format!("{bound:?}") }
}
