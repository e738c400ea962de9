//! A peer's page beside ours: what is missing, what differs, and which deviations are meant.
//!
//! Deviations are reviewed, one a line, in `tests/it/deviations`: what, a tab, the reason.
//!
//! | what | the family |
//! |---|---|
//! | `<family>` | is missing or otherwise not the same |
//! | `type:<family>` | has another type |
//! | `labels:<family>` | has other labels, or the same with other values |
//! | `more:<family>` | has the peer's labels and more, which younger versions of the peer have too |
//! | `series:<family>` | has other series |
//! | `value:<family>` | has the peer's series, whose values are not compared |
//! | `near:<family>` | has values that are near the peer's, also when they do not move |
//! | `clients:<family>` | counts connections, and so those of the exporters too |
//!
//! A line about labels or series that are the same is an error; what is missing, has another type or another value may
//! be so beside one version of the peer, or at one moment, only.

mod deviations;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use deviations::Deviations;

use super::scrape::{Family, Labels, Page};

/// What is in the names of the peers' families about themselves, which are not part of what they offer.
const OWN: [&str; 4] = ["go_", "process_", "promhttp_", "_exporter_"];

/// How often we look at most: what merely moves between two readings agrees at least once.
const LOOKS: usize = 10;

/// How far a value may be from ours that moved while we asked, as a part of it.
const TOLERANCE: f64 = 0.02;

/// How far the digits that two exporters print of the same value may be apart, as a part of it.
const DIGITS: f64 = 1e-9;

/// How many connections two exporters that ask one after the other may see of themselves and each other.
const CLIENTS: f64 = 3.0;

/// A comparison; [`Differential::check`] makes the verdict.
pub(crate) struct Differential<'a> {
    /// Start of the names of the families that are compared.
    pub(crate) prefix: &'a str,
    /// How many of them the peer has at least: the comparison with a page that is cut short would say nothing.
    pub(crate) families: usize,
    /// Asks ours and the peer, each anew.
    pub(crate) ours: &'a dyn Fn() -> Page,
    pub(crate) peer: &'a dyn Fn() -> Page,
    pub(crate) deviations: Deviations,
}

/// What is neither alike nor a listed deviation: each family with its difference.
type Problems = BTreeMap<String, String>;

impl Differential<'_> {
    /// Compares, prints the coverage and fails with all that differs.
    #[track_caller]
    pub(crate) fn check(self) {
        let prefix = self.prefix;
        let problems = self.problems();
        assert!(problems.is_empty(), "{prefix}* differ from the peer's: {problems:#?}");
    }

    /// Compares, prints the coverage and gives what differed each time we looked.
    #[track_caller]
    #[expect(clippy::print_stdout, reason = "how much is covered, for whoever runs the test")]
    pub(crate) fn problems(mut self) -> Problems {
        // Both have looked once: what they count of their own first connection is behind them.
        (self.ours)();
        (self.peer)();
        let mut open: Option<Problems> = None;
        let mut names = BTreeSet::new();
        for look in 0..LOOKS {
            // What moves with time must lie between two pages of ours.
            let (before, theirs, after) = ((self.ours)(), (self.peer)(), (self.ours)());
            let mut problems = self.look(&before, &theirs, &after);
            let families: BTreeSet<_> = theirs.names().into_iter().filter(|name| self.is_compared(name)).collect();
            if look == 0 {
                let covered = families.iter().filter(|name| after.family(name).is_some()).count();
                println!("{}: {covered} of the peer's {} families", self.prefix, families.len());
                assert!(families.len() >= self.families, "the peer has {} families {}*", families.len(), self.prefix);
            }
            names.extend(families.into_iter().map(str::to_owned));
            problems.retain(|family, _| open.as_ref().is_none_or(|open| open.contains_key(family)));
            let done = problems.is_empty();
            open = Some(problems);
            if done {
                break;
            }
        }
        let needless = self.deviations.unused(|family| names.contains(family));
        open.into_iter().flatten().chain(needless.into_iter().map(|line| (line, "needless".to_owned()))).collect()
    }

    /// Whether a family of the peer is of this topic and not about the peer.
    fn is_compared(&self, name: &str) -> bool {
        name.starts_with(self.prefix) && !OWN.iter().any(|own| name.contains(own))
    }

    fn look(&mut self, before: &Page, theirs: &Page, after: &Page) -> Problems {
        let mut problems = Problems::new();
        for family in &theirs.families {
            let name = family.name.as_str();
            if !self.is_compared(name) {
                continue;
            }
            let ours = [before, after].map(|page| page.family(name));
            let problem = if ours.iter().any(Option::is_some) {
                family_differs(family, ours, &mut self.deviations)
            } else {
                Some("missing".to_owned())
            };
            let meant = |kind| self.deviations.take(kind, name);
            let problem = problem.filter(|_| !["", "labels:"].into_iter().any(meant));
            problems.extend(problem.map(|problem| (name.to_owned(), problem)));
        }
        problems
    }
}

/// A family's samples by name and labels, bounds and quantiles in one spelling.
type Samples<'a> = BTreeMap<(&'a str, Labels), f64>;

fn samples(family: &Family) -> Samples<'_> {
    family.series.iter().map(|series| ((series.name.as_str(), labels(&series.labels)), series.value)).collect()
}

/// The labels but for empty ones, which to Prometheus are absent ones.
fn labels(labels: &Labels) -> Labels {
    let canonical = |(label, value): (&String, &String)| {
        let value = match (label.as_str(), value.parse::<f64>()) {
            ("le" | "quantile", Ok(bound)) => bound.to_string(),
            _ => value.clone(),
        };
        (label.clone(), value)
    };
    labels.iter().filter(|(_, value)| !value.is_empty()).map(canonical).collect()
}

fn label_names(family: &Family) -> BTreeSet<Vec<String>> {
    family.series.iter().map(|series| labels(&series.labels).into_keys().collect()).collect()
}

/// Says how the peer's family differs from ours, of which at least one is there.
fn family_differs(peer: &Family, ours: [Option<&Family>; 2], deviations: &mut Deviations) -> Option<String> {
    let name = &peer.name;
    let one = ours.into_iter().flatten().next()?;
    if peer.kind != "untyped" && peer.kind != one.kind && !deviations.take("type:", name) {
        return Some(format!("is a {}, ours a {}", peer.kind, one.kind));
    }
    let theirs = samples(peer);
    let [mut before, mut after] = ours.map(|family| family.map(samples).unwrap_or_default());
    let names = (label_names(peer), label_names(one));
    if names.0 != names.1 {
        if !deviations.take("more:", name) {
            return (!deviations.take("labels:", name))
                .then(|| format!("label names {:?}, ours {:?}", names.0, names.1));
        }
        [before, after] = [before, after].map(|ours| without_more(ours, &theirs));
    }
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
    let room = Room {
        clients: if deviations.take("clients:", name) { CLIENTS } else { 0.0 },
        tolerance: if deviations.take("near:", name) { TOLERANCE } else { DIGITS },
    };
    let differs = |(key, value): (&(&str, Labels), &f64)| {
        let bounds = [before.get(key), after.get(key)].map(Option::<&f64>::copied);
        (!lies_between(*value, bounds, room)).then(|| format!("{key:?} is {value}, ours {bounds:?}"))
    };
    let different: Vec<_> = theirs.iter().filter_map(differs).collect();
    (!different.is_empty()).then(|| different.join("; "))
}

/// Our samples, those that have all labels of one of the peer's under just these.
fn without_more<'a>(ours: Samples<'a>, theirs: &Samples<'_>) -> Samples<'a> {
    let part_of = |(name, labels): &(&str, Labels)| {
        let same = |(label, value): (&String, &String)| labels.get(label) == Some(value);
        theirs.keys().find(|(peer, part)| peer == name && part.iter().all(same)).map(|(_, part)| part.clone())
    };
    ours.into_iter().map(|(key, value)| ((key.0, part_of(&key).unwrap_or(key.1)), value)).collect()
}

/// What may be between a value and ours that did not move.
#[derive(Clone, Copy)]
struct Room {
    clients: f64,
    tolerance: f64,
}

/// Whether a value lies between two of ours or, where they moved or there is room, near one of them. A series that
/// comes or goes meanwhile counts from 0.
fn lies_between(value: f64, bounds: [Option<f64>; 2], room: Room) -> bool {
    let [first, second] = match bounds {
        [Some(before), Some(after)] => [before, after],
        [Some(only), None] | [None, Some(only)] => [0.0, only],
        [None, None] => return true,
    };
    let tolerance = if first.to_bits() == second.to_bits() { room.tolerance } else { TOLERANCE };
    let same = |ours: f64| value.to_bits() == ours.to_bits() || (value.is_nan() && ours.is_nan());
    let slack = |ours: f64| room.clients + tolerance * value.abs().max(ours.abs());
    let (least, most) = (first.min(second), first.max(second));
    same(first) || same(second) || (least - slack(least)..=most + slack(most)).contains(&value)
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
    use std::cell::Cell;
    use std::fs;

    use vitrin::collectors::catalogue;

    use super::{DIGITS, Deviations, Differential, Problems, Room, lacking, lies_between};
    use crate::support::scrape::Page;

    fn page(samples: &[&str]) -> Page {
        let family = |sample: &&str| {
            let name = sample.split(['{', ' ']).next().unwrap();
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            format!("# HELP {name} H.\n# TYPE {name} {kind}\n{sample}\n")
        };
        Page::parse(&samples.iter().map(family).collect::<String>()).unwrap()
    }

    fn problems_of(ours: &dyn Fn() -> Page, peer: &[&str], deviations: &str) -> Problems {
        let deviations = Deviations::parse("test", deviations);
        Differential { prefix: "shop_", families: 1, ours, peer: &|| page(peer), deviations }.problems()
    }

    fn problems(ours: &[&str], peer: &[&str], deviations: &str) -> Problems {
        problems_of(&|| page(ours), peer, deviations)
    }

    #[test]
    fn what_is_alike_or_listed_is_no_problem() {
        for (ours, theirs, deviations) in [
            (&["shop_a 1", "shop_more 1"][..], &["shop_a 1", "shop_exporter_b 1", "go_c 1"][..], ""),
            (&["shop_a 1"], &["shop_a 1", "shop_b 1"], "shop_b\tis a stored value"),
            (&["shop_a 1"], &["shop_a 2"], "shop_a\tis in other units"),
            (&["shop_a 1"], &["shop_a 2"], "value:shop_a\tmoves"),
            (&["shop_a 100"], &["shop_a 101"], "near:shop_a\tholds our buffers"),
            (&["shop_a 1"], &["shop_a 3"], "clients:shop_a\tcounts us"),
            (&["shop_a{b=\"1\"} 1"], &["shop_a 1"], "labels:shop_a\tour b is closed"),
            (&["shop_a{b=\"1\"} 1"], &["shop_a{b=\"2\"} 1"], "labels:shop_a\tb moves"),
            (&["shop_a{b=\"1\",c=\"1\"} 1"], &["shop_a{b=\"1\"} 1"], "more:shop_a\tc is younger"),
            (&["shop_a{b=\"\"} 1"], &["shop_a 1"], ""),
        ] {
            assert_eq!(problems(ours, theirs, deviations), Problems::new(), "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn each_difference_is_named() {
        for (ours, theirs, deviations, word) in [
            ("shop_x 1", "shop_a 1", "", "missing"),
            ("shop_a{b=\"1\"} 1", "shop_a{c=\"1\"} 1", "", "label names"),
            ("shop_a{b=\"1\"} 1", "shop_a{b=\"2\"} 1", "", "too many"),
            ("shop_a{b=\"1\",c=\"1\"} 1", "shop_a{b=\"2\"} 1", "more:shop_a\tc is younger", "too many"),
            ("shop_a{b=\"1\",c=\"1\"} 1", "shop_a{b=\"1\"} 2", "more:shop_a\tc is younger", "is 2, ours"),
            ("shop_a 1", "shop_a 2", "", "is 2, ours"),
            ("shop_a 100", "shop_a 101", "", "is 101, ours"),
            ("shop_a 100", "shop_a 110", "near:shop_a\tholds our buffers", "is 110, ours"),
            ("shop_a 1", "shop_a 5", "clients:shop_a\tcounts us", "is 5, ours"),
            ("shop_a 1", "shop_a 1", "labels:shop_a\tgone", "needless"),
            ("shop_a 1", "shop_a 1", "series:shop_a\tgone", "needless"),
        ] {
            let problems = problems(&[ours], &[theirs], deviations);
            let named = problems.values().all(|problem| problem.contains(word));
            assert!(problems.len() == 1 && named, "{problems:?} do not say {word:?}");
        }
    }

    #[test]
    fn another_type_is_a_difference() {
        let gauge = || Page::parse("# HELP shop_a_total H.\n# TYPE shop_a_total gauge\nshop_a_total 1\n").unwrap();
        let problems = |deviations| problems_of(&gauge, &["shop_a_total 1"], deviations);
        assert_eq!(problems("")["shop_a_total"], "is a counter, ours a gauge");
        assert_eq!(problems("type:shop_a_total\twrong"), Problems::new());
    }

    #[test]
    fn what_only_moves_agrees_once_and_what_never_does_is_a_difference() {
        let looks = Cell::new(0_u32);
        let moving = || {
            looks.set(looks.get() + 1);
            page(&[if looks.get() < 8 { "shop_a 7" } else { "shop_a 1" }, "shop_b 2"])
        };
        let found = problems_of(&moving, &["shop_a 1", "shop_b 1"], "");
        assert_eq!(found.into_keys().collect::<Vec<_>>(), ["shop_b"]);
    }

    #[test]
    #[should_panic(expected = "the peer has 0 families shop_*")]
    fn a_peer_without_families_is_no_comparison() {
        problems(&["shop_a 1"], &["other_a 1"], "");
    }

    #[test]
    fn a_value_may_move_between_our_two_pages_only() {
        let lies_between = |value, bounds| lies_between(value, bounds, Room { clients: 0.0, tolerance: DIGITS });
        assert!(lies_between(5.0, [Some(3.0), Some(8.0)]));
        assert!(lies_between(5.0, [Some(8.0), Some(3.0)]));
        assert!(lies_between(101.0, [Some(100.0), Some(99.0)]));
        assert!(lies_between(6.0, [None, Some(7.0)]));
        assert!(lies_between(f64::NAN, [Some(f64::NAN), Some(1.0)]));
        assert!(!lies_between(9.0, [Some(3.0), Some(8.0)]));
        assert!(!lies_between(1.0, [Some(0.0), Some(0.0)]));
        assert!(!lies_between(101.0, [Some(100.0), Some(100.0)]));
    }

    #[test]
    fn each_line_says_why_and_names_a_family_that_there_is() {
        let ours: Vec<_> = catalogue().into_iter().map(|desc| desc.name.clone()).collect();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/deviations");
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 6, "{files:?}");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let deviations = Deviations::parse(&file.display().to_string(), &text);
            for (kind, family) in deviations.lines() {
                let is_ours = ours.iter().any(|name| name == family);
                assert!(kind.is_empty() || is_ours, "{}: we have no {family} to deviate", file.display());
            }
        }
    }

    #[test]
    fn a_list_asks_for_what_the_peer_has_live() {
        let (peer, ours) = (page(&["shop_a 1", "shop_b 1"]), page(&["shop_a 1"]));
        assert_eq!(lacking("shop_a\nshop_b # remark\n\n# only old peers\nshop_c\n", &peer, &ours), (vec!["shop_b"], 2));
    }
}
