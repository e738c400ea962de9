//! The paths of rules, found by how they begin: how many there are costs nothing.

use super::Route;
use super::arguments::Condition;
use super::glob::Glob;
use super::normal::split;

/// How many lists the first segments are spread over.
const SLOTS: usize = 256;

/// A path as a rule names it: `/checkout/cart`, `/module/*/webhook`, `/#-*.html`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// The segments up to the first that is a pattern: `/module`.
    begin: Box<[u8]>,
    /// The others.
    rest: Box<[Glob]>,
}

impl Pattern {
    /// That of a path in its normal spelling; a `route` of OpenCart's is one without its first slash.
    pub(super) fn new(path: &[u8]) -> Self {
        let segments = path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty());
        let is_literal = |segment: &&[u8]| !segment.iter().any(|byte| b"*#".contains(byte));
        let begin = segments.clone().take_while(is_literal).flat_map(|segment| [b"/", segment].concat()).collect();
        Self { begin, rest: segments.skip_while(is_literal).map(Glob::new).collect() }
    }

    /// What is behind this path, if it is where `path` begins.
    pub(super) fn strip<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        // Comparing nothing costs more than comparing something: an empty slice points nowhere, and where C compares
        // under a mask, the processor finds out slowly that nothing was to be read there.
        let behind = if self.begin.is_empty() { path } else { path.strip_prefix(&*self.begin)? };
        if !matches!(behind, [] | [b'/', ..]) {
            return None;
        }
        self.rest.iter().try_fold(behind, |path, glob| {
            split(path).filter(|(first, _)| glob.matches(first)).map(|(_, behind)| behind)
        })
    }

    /// The more exactly a pattern says what it means, the greater.
    pub(super) fn precision(&self) -> (usize, usize) {
        let slashes = memchr::memchr_iter(b'/', &self.begin).count();
        let literals = self.begin.len() - slashes + self.rest.iter().map(Glob::literals).sum::<usize>();
        (slashes + self.rest.len(), literals)
    }
}

/// A rule about paths.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) pattern: Pattern,
    /// The path alone, and not what is below it.
    pub(super) exact: bool,
    /// An argument that has to be there too.
    pub(super) condition: Option<Condition>,
    pub(super) route: Route,
}

impl Entry {
    fn matches(&self, path: &[u8], query: &[u8]) -> bool {
        self.pattern.strip(path).is_some_and(|behind| !self.exact || behind.len() <= 1)
            && self.condition.as_ref().is_none_or(|condition| condition.holds(query))
    }
}

/// Which of several rules it was, in their order, and what it says.
pub(super) type Hit = (usize, Route);

/// Rules about paths, in their order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Paths {
    is_empty: bool,
    /// Those that begin with a segment or two, by these; behind them the place of nothing.
    slots: Box<[Vec<(usize, Entry)>]>,
    /// The others.
    others: Vec<(usize, Entry)>,
}

impl Default for Paths {
    fn default() -> Self {
        Self { is_empty: true, slots: vec![Vec::new(); SLOTS + 1].into(), others: Vec::new() }
    }
}

impl Paths {
    /// Adds a rule, behind all that are there.
    pub(super) fn push(&mut self, order: usize, entry: Entry) {
        self.is_empty = false;
        let Place { first, second, .. } = Place::of(&entry.pattern.begin);
        match [second, first].into_iter().find(|slot| *slot != SLOTS) {
            Some(slot) => self.slots[slot].push((order, entry)),
            None => self.others.push((order, entry)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// The first rule for this path.
    pub(super) fn find(&self, place: Place<'_>, query: &[u8]) -> Option<Hit> {
        let mut best: Option<Hit> = None;
        for rules in [&self.slots[place.second], &self.slots[place.first], &self.others] {
            for (order, entry) in rules {
                if best.is_some_and(|(best, _)| best < *order) {
                    break;
                }
                if entry.matches(place.path, query) {
                    best = Some((*order, entry.route));
                    break;
                }
            }
        }
        best
    }
}

/// A path, and where rules that begin as it does are found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p> {
    pub(super) path: &'p [u8],
    first: usize,
    second: usize,
}

impl<'p> Place<'p> {
    pub(super) fn of(path: &'p [u8]) -> Self {
        let until = |from: usize| {
            let rest = path.get(from + 1..).filter(|rest| !rest.is_empty())?;
            Some(memchr::memchr(b'/', rest).map_or(path.len(), |slash| from + 1 + slash))
        };
        let first = until(0);
        let slot = |end: Option<usize>| end.map_or(SLOTS, |end| slot(&path[..end]));
        Self { path, first: slot(first), second: slot(first.and_then(until)) }
    }
}

/// Ends and length tell the words of shops apart well enough.
fn slot(begin: &[u8]) -> usize {
    let byte = |at: usize| begin.get(at).map_or(0, |byte| usize::from(*byte));
    let (second, last) = (byte(1), byte(begin.len().wrapping_sub(1)));
    (second.wrapping_mul(31) ^ last.wrapping_mul(7) ^ begin.len().wrapping_mul(97)) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, exact: bool, route: Route) -> Entry {
        Entry { pattern: Pattern::new(path.as_bytes()), exact, condition: None, route }
    }

    fn found(rules: &[Entry], path: &str) -> Option<Hit> {
        let mut paths = Paths::default();
        rules.iter().cloned().enumerate().for_each(|(order, entry)| paths.push(order, entry));
        paths.find(Place::of(path.as_bytes()), b"")
    }

    #[test]
    fn a_path_is_met_at_a_border_of_segments() {
        let rules = [entry("/checkout", false, Route::Checkout)];
        for path in ["/checkout", "/checkout/", "/checkout/cart/add"] {
            assert_eq!(found(&rules, path), Some((0, Route::Checkout)), "{path}");
        }
        for path in ["/", "/checkouts", "/check", "/a/checkout", "/Checkout"] {
            assert_eq!(found(&rules, path), None, "{path}");
        }
    }

    #[test]
    fn an_exact_path_has_nothing_below_it() {
        let rules = [entry("/shop", true, Route::Category), entry("/", true, Route::Home)];
        assert_eq!(found(&rules, "/shop/"), Some((0, Route::Category)));
        assert_eq!(found(&rules, "/shop/a"), None);
        assert_eq!(found(&rules, "/"), Some((1, Route::Home)));
    }

    #[test]
    fn a_pattern_says_how_exact_it_is() {
        let precision = |path: &str| Pattern::new(path.as_bytes()).precision();
        assert_eq!(precision("/"), (0, 0));
        assert_eq!(precision("/checkout/cart/"), (2, 12));
        assert_eq!(precision("/module/*/webhook"), (3, 13));
        assert_eq!(precision("/a/b*/c"), (3, 3));
        assert_eq!(precision("*"), (1, 0));
        assert!(precision("/#-*.html") > precision("/#-*"));
    }

    #[test]
    fn the_first_rule_that_fits_wins_however_it_is_found() {
        let rules = [
            entry("/*/webhook", false, Route::MarketplaceWebhook),
            entry("/api", false, Route::Api),
            entry("/", false, Route::Other),
        ];
        assert_eq!(found(&rules, "/api/webhook"), Some((0, Route::MarketplaceWebhook)));
        assert_eq!(found(&rules, "/api/x"), Some((1, Route::Api)));
        assert_eq!(found(&rules, "/"), Some((2, Route::Other)));
    }
}
