//! A metrics page, read strictly: whatever a lenient scraper would forgive is an error here.
//!
//! Both text formats become the same [`Page`]: the name of an OpenMetrics counter is given its `_total` back, so that
//! a family has one name whatever was negotiated.

mod line;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use line::Line;

/// The text formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

/// All families of one scrape, in the order of the page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) format: Format,
    pub(crate) families: Vec<Family>,
}

/// A metric family.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Family {
    /// The name of the samples, without the endings of histograms and summaries.
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) unit: Option<String>,
    pub(crate) series: Vec<Series>,
}

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// The sample's own name: with `_bucket`, `_sum`, `_count` where it has one.
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) value: f64,
}

/// Label names and values.
pub(crate) type Labels = BTreeMap<String, String>;

impl Page {
    /// Reads a page; OpenMetrics is known by its last line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (format, body) = match text.strip_suffix("# EOF\n") {
            Some(body) => (Format::OpenMetrics, body),
            None => (Format::Text, text),
        };
        if !body.is_empty() && !body.ends_with('\n') {
            return Err("the last line does not end".to_owned());
        }
        let mut page = Self { format, families: Vec::new() };
        let mut parts = Parts::default();
        for (index, text) in body.split_terminator('\n').enumerate() {
            let read = Line::parse(text, format).and_then(|line| page.take(line, &mut parts));
            read.map_err(|error| format!("line {}: {error}: {text:?}", index + 1))?;
        }
        page.close(&mut parts)?;
        let mut names = BTreeSet::new();
        match page.families.iter().find(|family| !names.insert(&family.name)) {
            Some(twice) => Err(format!("family {} is there twice", twice.name)),
            None => Ok(page),
        }
    }

    /// Adds a line to the family it belongs to, which is the one before it or a new one.
    fn take(&mut self, line: Line<'_>, parts: &mut Parts) -> Result<(), String> {
        let name = match &line {
            Line::Help(name, _) | Line::Type(name, _) | Line::Unit(name, _) => *name,
            Line::Sample(sample) => {
                if !self.families.last().is_some_and(|open| rules::belongs(open, &sample.name, self.format)) {
                    return Err("a sample whose family was not declared just before it".to_owned());
                }
                self.families.last_mut().expect("checked above").series.push(sample.clone());
                return Ok(());
            }
        };
        if self.families.last().is_none_or(|open| open.name != name) {
            self.close(parts)?;
            self.families.push(Family { name: name.to_owned(), ..Family::default() });
        }
        let family = self.families.last_mut().expect("pushed above");
        if !family.series.is_empty() {
            return Err(format!("metadata of {name} after its samples"));
        }
        let (seen, what) = match line {
            Line::Help(_, help) => {
                family.help = help;
                (&mut parts.help, "HELP")
            }
            Line::Type(_, kind) => {
                kind.clone_into(&mut family.kind);
                (&mut parts.kind, "TYPE")
            }
            Line::Unit(_, unit) => {
                family.unit = Some(unit.to_owned());
                (&mut parts.unit, "UNIT")
            }
            Line::Sample(_) => unreachable!("returned above"),
        };
        if std::mem::replace(seen, true) {
            return Err(format!("a second {what} of {name}"));
        }
        Ok(())
    }

    /// Ends the open family.
    fn close(&mut self, parts: &mut Parts) -> Result<(), String> {
        let parts = std::mem::take(parts);
        let Some(family) = self.families.last_mut() else { return Ok(()) };
        if !parts.kind || !parts.help {
            return Err(format!("family {} lacks its HELP or TYPE", family.name));
        }
        rules::check(family, self.format).map_err(|error| format!("family {}: {error}", family.name))?;
        if self.format == Format::OpenMetrics {
            match family.kind.as_str() {
                "counter" => family.name.push_str("_total"),
                "info" => family.name.push_str("_info"),
                _ => {}
            }
        }
        Ok(())
    }

    /// The value of the sample with exactly these labels, in any order.
    pub(crate) fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted: BTreeMap<&str, &str> = labels.iter().copied().collect();
        let same = |series: &&Series| {
            series.labels.len() == wanted.len()
                && series.labels.iter().all(|(label, value)| wanted.get(label.as_str()) == Some(&value.as_str()))
        };
        self.samples(name).find(same).map(|series| series.value)
    }

    /// That value; fails with what there is of that name when it is not there.
    #[track_caller]
    pub(crate) fn number(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.get(name, labels).unwrap_or_else(|| {
            let there: Vec<_> = self.samples(name).map(|series| &series.labels).collect();
            panic!("no {name}{labels:?}; there are {there:?}, and the families {:?}", self.names())
        })
    }

    /// All samples of this name (not: of this family).
    pub(crate) fn samples(&self, name: &str) -> impl Iterator<Item = &Series> {
        self.families.iter().flat_map(|family| &family.series).filter(move |series| series.name == name)
    }

    /// The family of this name.
    pub(crate) fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// The names of all families.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.families.iter().map(|family| family.name.as_str()).collect()
    }

    /// How many samples the page holds.
    pub(crate) fn len(&self) -> usize {
        self.families.iter().map(|family| family.series.len()).sum()
    }
}

/// Which metadata of the open family were seen.
#[derive(Default)]
struct Parts {
    help: bool,
    kind: bool,
    unit: bool,
}

#[cfg(test)]
mod tests {
    use super::{Format, Page};

    const TEXT: &str = "# HELP shop_orders_total Orders placed.\n# TYPE shop_orders_total counter\n\
        shop_orders_total{shop=\"a\\\"b\\\\c\\nd\"} 3\nshop_orders_total{shop=\"\"} 1e+06\n\
        # HELP shop_wait_seconds Time waited\\nin the queue.\n# TYPE shop_wait_seconds histogram\n\
        shop_wait_seconds_bucket{le=\"0.1\"} 1\nshop_wait_seconds_bucket{le=\"+Inf\"} 2\n\
        shop_wait_seconds_sum 7.5\nshop_wait_seconds_count 2\n";

    #[test]
    fn a_text_page_is_read_whole() {
        let page = Page::parse(TEXT).unwrap();
        assert_eq!((page.format, page.len()), (Format::Text, 6));
        assert_eq!(page.get("shop_orders_total", &[("shop", "a\"b\\c\nd")]), Some(3.0));
        assert_eq!(page.get("shop_orders_total", &[("shop", "")]), Some(1e6));
        assert_eq!(page.get("shop_orders_total", &[]), None);
        assert_eq!(page.number("shop_wait_seconds_bucket", &[("le", "+Inf")]), 2.0);
        assert_eq!(page.family("shop_wait_seconds").unwrap().help, "Time waited\nin the queue.");
    }

    #[test]
    fn both_formats_give_a_family_the_same_name() {
        let open = "# HELP shop_orders Orders placed.\n# TYPE shop_orders counter\nshop_orders_total 3\n\
            # TYPE shop_wait_seconds gauge\n# UNIT shop_wait_seconds seconds\n# HELP shop_wait_seconds W.\n\
            shop_wait_seconds 1.0\n# EOF\n";
        let page = Page::parse(open).unwrap();
        assert_eq!(page.names().into_iter().collect::<Vec<_>>(), ["shop_orders_total", "shop_wait_seconds"]);
        assert_eq!(page.number("shop_orders_total", &[]), 3.0);
    }

    #[test]
    fn a_page_without_samples_is_a_page() {
        assert_eq!(Page::parse("").unwrap().len(), 0);
        assert_eq!(Page::parse("# EOF\n").unwrap().format, Format::OpenMetrics);
    }

    /// Pages that a lenient scraper might take, and the words they are refused with.
    #[test]
    fn what_breaks_a_rule_is_refused() {
        let family = "# HELP a_total H.\n# TYPE a_total counter\n";
        let open = "# HELP a H.\n# TYPE a gauge\n";
        let histogram = "# HELP h H.\n# TYPE h histogram\n";
        for (page, complaint) in [
            (format!("{family}a_total 1"), "does not end"),
            (format!("{family}a_total 1\n\n"), "empty line"),
            (format!("{family}a_total 1\n# a remark\n"), "neither HELP, TYPE nor UNIT"),
            (format!("{family}a_total 1 1700000000000\n"), "timestamp"),
            (format!("{family}a_total 1\na_total 1\n"), "twice"),
            (format!("{family}a_total -1\n"), "counter"),
            (format!("{family}a_total NaN\n"), "counter"),
            (format!("{family}a_total inf\n"), "not a number"),
            (format!("{family}a_total{{b=\"\\t\"}} 1\n"), "escape"),
            (format!("{family}a_total{{b=\"1\",b=\"2\"}} 1\n"), "label b is there twice"),
            (format!("{family}a_total{{1b=\"1\"}} 1\n"), "not a label name"),
            (format!("{family}a_total{{b=\"1}} 1\n"), "does not end"),
            (format!("{family}a_total{{b=1}} 1\n"), "quote"),
            (format!("{family}a_total{{}} 1\n"), "empty braces"),
            (format!("{family}b_total 1\n"), "not declared just before"),
            (format!("{family}a_total 1\n{family}a_total{{b=\"1\"}} 1\n"), "after its samples"),
            (format!("{family}a_total 1\n{open}a 1\n{family}a_total{{b=\"1\"}} 1\n"), "there twice"),
            (format!("# TYPE a_total counter\n{family}a_total 1\n"), "second TYPE"),
            ("# TYPE a gauge\na 1\n".to_owned(), "lacks its HELP or TYPE"),
            ("# HELP a H.\n# TYPE a meter\na 1\n".to_owned(), "not a type"),
            (format!("{family}a_total 1\n# EOF\n"), "not declared just before"),
            (format!("{open}a 1\n# EOF\n# EOF\n"), "EOF"),
            (format!("{open}# UNIT a seconds\na 1\n# EOF\n"), "does not end with its unit"),
            (format!("{histogram}h_bucket{{le=\"1.0\"}} 1\nh_sum 1\nh_count 1\n"), "+Inf"),
            (format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 2\n"), "_count"),
            (format!("{histogram}h_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n"), "fall"),
            (format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_count 1\n"), "_sum"),
            (
                format!("{histogram}h_bucket{{le=\"1\"}} 1\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n# EOF\n"),
                "`1`",
            ),
            ("# HELP s H.\n# TYPE s summary\ns{quantile=\"50\"} 1\n# EOF\n".to_owned(), "quantile"),
        ] {
            let refused = Page::parse(&page).expect_err(&page);
            assert!(refused.contains(complaint), "{page:?} is refused with {refused:?}, not {complaint:?}");
        }
    }
}
