//! The paths of rules, found by their first segment: how many there are costs nothing.

use super::Route;
use super::arguments::Condition;
use super::glob::Glob;
use super::normal::split;

/// How many lists the first segments are spread over.
const SLOTS: usize = 256;

/// A path as a rule names it: `/checkout/cart`, `/module/*/webhook`, `/#-*.html`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Box<[Segment]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(Box<[u8]>),
    Glob(Glob),
}

impl Segment {
    fn new(text: &[u8]) -> Self {
        if text.iter().any(|byte| b"*#".contains(byte)) {
            Self::Glob(Glob::new(text))
        } else {
            Self::Literal(text.into())
        }
    }

    fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Literal(literal) => **literal == *text,
            Self::Glob(glob) => glob.matches(text),
        }
    }

    fn literals(&self) -> usize {
        match self {
            Self::Literal(literal) => literal.len(),
            Self::Glob(glob) => glob.literals(),
        }
    }
}

impl Pattern {
    /// That of a path in its normal spelling.
    pub(super) fn new(path: &[u8]) -> Self {
        Self(path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()).map(Segment::new).collect())
    }

    /// What is behind this path, if it is where `path` begins.
    pub(super) fn strip<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        self.0.iter().try_fold(path, |path, segment| {
            split(path).filter(|(first, _)| segment.matches(first)).map(|(_, behind)| behind)
        })
    }

    /// The more exactly a pattern says what it means, the greater.
    pub(super) fn precision(&self) -> (usize, usize) {
        (self.0.len(), self.0.iter().map(Segment::literals).sum())
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
    /// Those whose first segment is a literal, by that.
    slots: Box<[Vec<(usize, Entry)>]>,
    /// The others.
    others: Vec<(usize, Entry)>,
}

impl Default for Paths {
    fn default() -> Self {
        Self { is_empty: true, slots: vec![Vec::new(); SLOTS].into(), others: Vec::new() }
    }
}

impl Paths {
    /// Adds a rule, behind all that are there.
    pub(super) fn push(&mut self, order: usize, entry: Entry) {
        self.is_empty = false;
        match entry.pattern.0.first() {
            Some(Segment::Literal(first)) => self.slots[slot(first)].push((order, entry)),
            _ => self.others.push((order, entry)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// The first rule for this path.
    pub(super) fn find(&self, path: &[u8], query: &[u8]) -> Option<Hit> {
        let first = |rules: &[(usize, Entry)]| {
            let found = rules.iter().find(|(_, entry)| entry.matches(path, query));
            found.map(|(order, entry)| (*order, entry.route))
        };
        let own = split(path).and_then(|(segment, _)| first(&self.slots[slot(segment)]));
        match (own, first(&self.others)) {
            (Some(one), Some(other)) => Some(if one.0 <= other.0 { one } else { other }),
            (one, other) => one.or(other),
        }
    }
}

/// Ends and length tell the words of shops apart well enough.
fn slot(segment: &[u8]) -> usize {
    let ends = segment
        .first()
        .zip(segment.last())
        .map_or(0, |(first, last)| usize::from(*first).wrapping_mul(31) ^ usize::from(*last).wrapping_mul(7));
    (ends ^ segment.len().wrapping_mul(97)) % SLOTS
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
        paths.find(path.as_bytes(), b"")
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
