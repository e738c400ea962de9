//! A peer's page beside ours: what is missing, what differs, and which deviations are meant.
//!
//! Deviations are reviewed, one a line, in `tests/it/deviations`: what, a tab, the reason. `<family>` means
//! that it is missing or otherwise not the same; `labels:<family>` that it has other labels, or the same with other
//! values; `series:<family>` that it has other series; `value:<family>` that the values of its series are not compared.
//! A line about labels or series that are the same is an error; what is missing or has another value may be so beside
//! one version of the peer, or at one moment, only.

mod deviations;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

pub(crate) use deviations::Deviations;

use super::scrape::{Family, Labels, Page};

/// What is in the names of the peers' families about themselves, which are not part of what they offer.
const OWN: [&str; 4] = ["go_", "process_", "promhttp_", "_exporter_"];

/// How far a value may be from ours that moved while we asked, as a part of it.
const TOLERANCE: f64 = 0.02;

/// A comparison; [`Differential::check`] makes the verdict.
pub(crate) struct Differential<'a> {
    /// Starts of the family names that are compared.
    pub(crate) prefixes: &'a [&'a str],
    /// Our page from before the peer's, of the same state.
    pub(crate) before: &'a Page,
    pub(crate) peer: &'a Page,
    /// Our page from after it: what moves with time must lie between the two.
    pub(crate) after: &'a Page,
    pub(crate) deviations: Deviations,
}

/// How much of a peer there is.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Families of the peer that were compared.
    pub(crate) families: usize,
    /// Of those, the ones we have too.
    pub(crate) covered: usize,
    /// What is neither alike nor a listed deviation.
    pub(crate) problems: Vec<String>,
}

impl Differential<'_> {
    /// Compares, prints the coverage and fails with all that differs.
    #[track_caller]
    #[expect(clippy::print_stdout, reason = "how much is covered, for whoever runs the test")]
    pub(crate) fn check(self) {
        let prefixes = self.prefixes.join(", ");
        let report = self.report();
        println!("{prefixes}: {} of the peer's {} families", report.covered, report.families);
        assert!(report.families > 0, "the peer's page has no family that starts with {prefixes}");
        let mut list = String::new();
        for problem in &report.problems {
            writeln!(list, "  {problem}").expect("a string takes all");
        }
        assert!(report.problems.is_empty(), "{prefixes} differ from the peer's:\n{list}");
    }

    /// Compares.
    pub(crate) fn report(mut self) -> Report {
        let mut report = Report::default();
        for family in &self.peer.families {
            let name = family.name.as_str();
            let meant = self.prefixes.iter().any(|prefix| name.starts_with(prefix));
            if !meant || OWN.iter().any(|own| name.contains(own)) {
                continue;
            }
            report.families += 1;
            let ours = [self.before, self.after].map(|page| page.family(name));
            let problem = if ours.iter().any(Option::is_some) {
                report.covered += 1;
                family_differs(family, ours, &mut self.deviations)
            } else {
                Some("missing".to_owned())
            };
            let meant = |kind| self.deviations.take(kind, name);
            let problem = problem.filter(|_| !["", "labels:"].into_iter().any(meant));
            report.problems.extend(problem.map(|problem| format!("{name}: {problem}")));
        }
        let names = self.peer.names();
        report.problems.extend(self.deviations.unused(|family| names.contains(family)));
        report
    }
}

/// A family's samples by name and labels, bounds and quantiles in one spelling.
type Samples<'a> = BTreeMap<(&'a str, Labels), f64>;

fn samples(family: &Family) -> Samples<'_> {
    let canonical = |(label, value): (&String, &String)| {
        let value = match (label.as_str(), value.parse::<f64>()) {
            ("le" | "quantile", Ok(bound)) => bound.to_string(),
            _ => value.clone(),
        };
        (label.clone(), value)
    };
    let key = |labels: &Labels| labels.iter().map(canonical).collect();
    family.series.iter().map(|series| ((series.name.as_str(), key(&series.labels)), series.value)).collect()
}

fn label_names(family: &Family) -> BTreeSet<Vec<&str>> {
    family.series.iter().map(|series| series.labels.keys().map(String::as_str).collect()).collect()
}

/// Says how the peer's family differs from ours, of which at least one is there.
fn family_differs(peer: &Family, ours: [Option<&Family>; 2], deviations: &mut Deviations) -> Option<String> {
    let name = &peer.name;
    let one = ours.into_iter().flatten().next()?;
    let (theirs, own) = (label_names(peer), label_names(one));
    if theirs != own {
        return (!deviations.take("labels:", name)).then(|| format!("label names {theirs:?}, ours {own:?}"));
    }
    let theirs = samples(peer);
    let [before, after] = ours.map(|family| family.map(samples).unwrap_or_default());
    let missing: Vec<_> = theirs.keys().filter(|key| !before.contains_key(key) && !after.contains_key(key)).collect();
    // A series in both of our pages was there all the time.
    let extra: Vec<_> = before.keys().filter(|key| after.contains_key(key) && !theirs.contains_key(key)).collect();
    let alike = missing.is_empty() && extra.is_empty();
    if !alike && !deviations.take("series:", name) {
        return Some(format!("missing {missing:?}, too many {extra:?}"));
    }
    if deviations.take("value:", name) {
        return None;
    }
    let differs = |(key, value): (&(&str, Labels), &f64)| {
        let bounds = [before.get(key), after.get(key)].map(Option::<&f64>::copied);
        (!lies_between(*value, bounds)).then(|| format!("{key:?} is {value}, ours {bounds:?}"))
    };
    let different: Vec<_> = theirs.iter().filter_map(differs).collect();
    (!different.is_empty()).then(|| different.join("; "))
}

/// Whether a value lies between two of ours, or near one of them; a series that comes or goes meanwhile counts from 0.
fn lies_between(value: f64, bounds: [Option<f64>; 2]) -> bool {
    let [first, second] = match bounds {
        [Some(before), Some(after)] => [before, after],
        [Some(only), None] | [None, Some(only)] => [0.0, only],
        [None, None] => return true,
    };
    let near = |ours: f64| (value - ours).abs() <= TOLERANCE * value.abs().max(ours.abs());
    let same = |ours: f64| value.to_bits() == ours.to_bits() || (value.is_nan() && ours.is_nan());
    same(first)
        || same(second)
        || near(first)
        || near(second)
        || (first.min(second)..=first.max(second)).contains(&value)
}

/// Names of `list` (a file of `tests/fixtures/dashboards`) that the peer has live and we lack, and how many it has.
pub(crate) fn lacking<'a>(list: &'a str, peer: &Page, ours: &Page) -> (Vec<&'a str>, usize) {
    let live = |page: &Page, name: &str| page.samples(name).next().is_some();
    let wanted: Vec<_> = names(list).filter(|name| live(peer, name)).collect();
    (wanted.iter().copied().filter(|name| !live(ours, name)).collect(), wanted.len())
}

/// The names in a list file: one a line, `#` starts a remark.
pub(crate) fn names(list: &str) -> impl Iterator<Item = &str> {
    list.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Deviations, Differential, lacking, lies_between};
    use crate::support::scrape::Page;

    fn page(samples: &[&str]) -> Page {
        let family = |sample: &&str| {
            let name = sample.split(['{', ' ']).next().unwrap();
            format!("# HELP {name} H.\n# TYPE {name} gauge\n{sample}\n")
        };
        Page::parse(&samples.iter().map(family).collect::<String>()).unwrap()
    }

    fn problems(ours: &[&str], peer: &[&str], deviations: &str) -> Vec<String> {
        let (ours, peer) = (page(ours), page(peer));
        let deviations = Deviations::parse("test", deviations);
        Differential { prefixes: &["shop_"], before: &ours, peer: &peer, after: &ours, deviations }.report().problems
    }

    #[test]
    fn what_is_alike_or_listed_is_no_problem() {
        assert!(problems(&["shop_a 1", "shop_more 1"], &["shop_a 1", "shop_exporter_b 1", "go_c 1"], "").is_empty());
        assert!(problems(&["shop_a 1"], &["shop_a 1", "shop_b 1"], "shop_b\tis a stored value").is_empty());
        assert!(problems(&["shop_a 1"], &["shop_a 2"], "shop_a\tis in other units").is_empty());
        assert!(problems(&["shop_a 1"], &["shop_a 2"], "value:shop_a\tmoves").is_empty());
        assert!(problems(&["shop_a{b=\"1\"} 1"], &["shop_a 1"], "labels:shop_a\tour b is closed").is_empty());
        assert!(problems(&["shop_a{b=\"1\"} 1"], &["shop_a{b=\"2\"} 1"], "labels:shop_a\tb moves").is_empty());
    }

    #[test]
    fn each_difference_is_named() {
        for (ours, theirs, deviations, word) in [
            ("shop_x 1", "shop_a 1", "", "shop_a: missing"),
            ("shop_a{b=\"1\"} 1", "shop_a{c=\"1\"} 1", "", "label names"),
            ("shop_a{b=\"1\"} 1", "shop_a{b=\"2\"} 1", "", "too many"),
            ("shop_a 1", "shop_a 2", "", "is 2, ours"),
            ("shop_a 1", "shop_a 1", "labels:shop_a\tgone", "no longer needed"),
        ] {
            let problems = problems(&[ours], &[theirs], deviations);
            assert!(problems.len() == 1 && problems[0].contains(word), "{problems:?} do not say {word:?}");
        }
    }

    #[test]
    fn a_value_may_move_between_our_two_pages_only() {
        assert!(lies_between(5.0, [Some(3.0), Some(8.0)]));
        assert!(lies_between(5.0, [Some(8.0), Some(3.0)]));
        assert!(lies_between(101.0, [Some(100.0), None]));
        assert!(lies_between(6.0, [None, Some(7.0)]));
        assert!(lies_between(f64::NAN, [Some(f64::NAN), Some(1.0)]));
        assert!(!lies_between(9.0, [Some(3.0), Some(8.0)]));
        assert!(!lies_between(1.0, [Some(0.0), Some(0.0)]));
    }

    #[test]
    fn a_list_asks_for_what_the_peer_has_live() {
        let (peer, ours) = (page(&["shop_a 1", "shop_b 1"]), page(&["shop_a 1"]));
        assert_eq!(lacking("shop_a\nshop_b # remark\n\n# only old peers\nshop_c\n", &peer, &ours), (vec!["shop_b"], 2));
    }
}
