//! The lines of samples, which are the same in both text formats.

use memchr::{memchr2, memchr3};

use super::number;
use crate::snapshot::Value;

/// A page of text in the making.
pub(super) struct Lines(String);

impl Lines {
    /// An empty page with room for a usual one.
    pub(super) fn new() -> Self {
        Self(String::with_capacity(512 << 10))
    }

    /// The page.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Appends text as it stands.
    pub(super) fn push(&mut self, parts: &[&str]) {
        for part in parts {
            self.0.push_str(part);
        }
    }

    /// A number or a histogram; summaries are written in one way here and in another there.
    pub(super) fn value<'a>(
        &mut self,
        name: &str,
        labels: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        value: &Value,
    ) {
        match value {
            Value::Number(number) => self.sample(&[name], labels, None, *number),
            Value::Histogram(histogram) => {
                let mut cumulative = 0;
                for (bound, count) in &histogram.buckets {
                    cumulative += count;
                    self.count(&[name, "_bucket"], labels.clone(), Some(("le", *bound)), cumulative);
                }
                self.sample(&[name, "_sum"], labels.clone(), None, histogram.sum);
                self.count(&[name, "_count"], labels, None, cumulative);
            }
            Value::Summary(_) => {}
        }
    }

    /// One sample; its name comes in parts.
    pub(super) fn sample<'a>(
        &mut self,
        name: &[&str],
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        bound: Option<(&str, f64)>,
        value: f64,
    ) {
        self.series(name, labels, bound);
        number::push(&mut self.0, value);
        self.0.push('\n');
    }

    /// One sample that is a count: it keeps all its digits.
    pub(super) fn count<'a>(
        &mut self,
        name: &[&str],
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        bound: Option<(&str, f64)>,
        count: u64,
    ) {
        self.series(name, labels, bound);
        number::push_count(&mut self.0, count);
        self.0.push('\n');
    }

    /// What stands before the value.
    fn series<'a>(
        &mut self,
        name: &[&str],
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        bound: Option<(&str, f64)>,
    ) {
        self.push(name);
        let mut before = "{";
        for (label, value) in labels {
            self.push(&[before, label, "=\""]);
            self.push_escaped(value, true);
            self.0.push('"');
            before = ",";
        }
        if let Some((label, bound)) = bound {
            self.push(&[before, label, "=\""]);
            number::push_bound(&mut self.0, bound);
            self.0.push('"');
            before = ",";
        }
        self.0.push_str(if before == "," { "} " } else { " " });
    }

    /// Appends text with `\` and line ends escaped; if asked, also `"`.
    pub(super) fn push_escaped(&mut self, text: &str, quotes: bool) {
        let mut rest = text;
        while let Some(place) =
            if quotes { memchr3(b'\\', b'\n', b'"', rest.as_bytes()) } else { memchr2(b'\\', b'\n', rest.as_bytes()) }
        {
            let (before, special) = rest.split_at(place);
            let escaped = match special.as_bytes()[0] {
                b'\n' => "\\n",
                b'"' => "\\\"",
                _ => "\\\\",
            };
            self.push(&[before, escaped]);
            rest = &special[1..];
        }
        self.0.push_str(rest);
    }
}
