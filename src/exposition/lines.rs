//! The lines of samples, which are the same in both text formats.

use bytes::Bytes;
use memchr::{memchr2, memchr3};

use super::number;
use super::press::Press;
use crate::histogram::Histogram;
use crate::snapshot::Value;

/// A page of text in the making.
pub(super) struct Lines {
    text: String,
    bounds: Bounds,
    press: Press,
}

impl Lines {
    /// An empty page.
    pub(super) fn new(gzip: bool) -> Self {
        let press = Press::new(gzip);
        Self { text: String::with_capacity(press.room()), bounds: Bounds::default(), press }
    }

    /// The page.
    pub(super) fn into_bytes(self) -> Bytes {
        self.press.bytes(self.text.into_bytes())
    }

    /// Appends text as it stands.
    pub(super) fn push(&mut self, parts: &[&str]) {
        for part in parts {
            self.text.push_str(part);
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
            Value::Histogram(histogram) => self.histogram(name, labels, histogram),
            Value::Summary(_) => {}
        }
        if self.press.takes(self.text.as_bytes()) {
            self.text.clear();
        }
    }

    /// A histogram, whose labels are written once and then copied: a page has thousands of buckets.
    fn histogram<'a>(
        &mut self,
        name: &str,
        labels: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        histogram: &Histogram,
    ) {
        if histogram.buckets.is_empty() {
            self.sample(&[name, "_sum"], labels.clone(), None, histogram.sum);
            return self.count(&[name, "_count"], labels, None, 0);
        }
        let start = self.text.len();
        self.push(&[name, "_bucket"]);
        let name_end = self.text.len();
        self.labels(labels);
        let labels_end = self.text.len();
        self.push(&[if labels_end == name_end { "{" } else { "," }, "le=\""]);
        let head = start..self.text.len();
        let mut cumulative = 0;
        for (index, (bound, count)) in histogram.buckets.iter().enumerate() {
            if index > 0 {
                self.text.extend_from_within(head.clone());
            }
            self.text.push_str(self.bounds.text(index, *bound));
            self.text.push_str("\"} ");
            cumulative += count;
            number::push_count(&mut self.text, cumulative);
            self.text.push('\n');
        }
        for ending in ["_sum", "_count"] {
            self.push(&[name, ending]);
            self.text.extend_from_within(name_end..labels_end);
            self.text.push_str(if labels_end == name_end { " " } else { "} " });
            if ending == "_sum" {
                number::push(&mut self.text, histogram.sum);
            } else {
                number::push_count(&mut self.text, cumulative);
            }
            self.text.push('\n');
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
        number::push(&mut self.text, value);
        self.text.push('\n');
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
        number::push_count(&mut self.text, count);
        self.text.push('\n');
    }

    /// What stands before the value.
    fn series<'a>(
        &mut self,
        name: &[&str],
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        bound: Option<(&str, f64)>,
    ) {
        self.push(name);
        let start = self.text.len();
        self.labels(labels);
        let mut is_bare = self.text.len() == start;
        if let Some((label, bound)) = bound {
            self.push(&[if is_bare { "{" } else { "," }, label, "=\""]);
            number::push_bound(&mut self.text, bound);
            self.text.push('"');
            is_bare = false;
        }
        self.text.push_str(if is_bare { " " } else { "} " });
    }

    /// Names and values of labels with what stands before each; nothing of none.
    fn labels<'a>(&mut self, labels: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut before = "{";
        for (label, value) in labels {
            self.push(&[before, label, "=\""]);
            self.push_escaped(value, true);
            self.text.push('"');
            before = ",";
        }
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
        self.text.push_str(rest);
    }
}

/// The bounds of the last histogram as they are written: the next one mostly has the same, and to spell a bound takes
/// longer than all else of its line.
#[derive(Default)]
struct Bounds {
    /// Each with where its text ends.
    written: Vec<(f64, usize)>,
    text: String,
}

impl Bounds {
    /// The bound that is the next one after those before it.
    fn text(&mut self, index: usize, bound: f64) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.written[before].1);
        if self.written.get(index).is_none_or(|(known, _)| known.to_bits() != bound.to_bits()) {
            self.written.truncate(index);
            self.text.truncate(start);
            number::push_bound(&mut self.text, bound);
            self.written.push((bound, self.text.len()));
        }
        &self.text[start..self.written[index].1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(histogram: &Histogram, labels: &[(&'static str, &'static str)]) -> String {
        let mut lines = Lines::new(false);
        lines.value("a", labels.iter().copied(), &Value::Histogram(histogram.clone().into()));
        lines.text
    }

    #[test]
    fn a_histogram_has_its_labels_in_every_line() {
        let mut histogram = Histogram::observing(&[0.5, 1.0]);
        histogram.observe(0.75);
        expect_test::expect![[r#"
            a_bucket{le="0.5"} 0
            a_bucket{le="1.0"} 1
            a_bucket{le="+Inf"} 1
            a_sum 0.75
            a_count 1
        "#]]
        .assert_eq(&written(&histogram, &[]));
        expect_test::expect![[r#"
            a_bucket{b="\"c\"",d="",le="0.5"} 0
            a_bucket{b="\"c\"",d="",le="1.0"} 1
            a_bucket{b="\"c\"",d="",le="+Inf"} 1
            a_sum{b="\"c\"",d=""} 0.75
            a_count{b="\"c\"",d=""} 1
        "#]]
        .assert_eq(&written(&histogram, &[("b", "\"c\""), ("d", "")]));
        assert_eq!(written(&Histogram::default(), &[("b", "c")]), "a_sum{b=\"c\"} 0\na_count{b=\"c\"} 0\n");
    }

    #[test]
    fn bounds_are_those_of_the_histogram_whatever_came_before() {
        let mut lines = Lines::new(false);
        for bounds in [&[0.1, 0.2, 0.3][..], &[0.1, 0.25, 0.3], &[0.1], &[0.1, 0.25, 0.3, 5.0], &[]] {
            let before = lines.text.len();
            lines.value("a", std::iter::empty(), &Value::Histogram(Histogram::observing(bounds).into()));
            let text = &lines.text[before..];
            let told: Vec<_> =
                text.lines().filter_map(|line| line.strip_prefix("a_bucket{le=\"")?.strip_suffix("\"} 0")).collect();
            let meant: Vec<_> = bounds
                .iter()
                .map(f64::to_string)
                .map(|text| if text == "5" { "5.0".to_owned() } else { text })
                .collect();
            assert_eq!(told, [meant, vec!["+Inf".to_owned()]].concat());
        }
    }
}
