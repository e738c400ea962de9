//! The table of routes: what is known of shop systems, a row each. Another shop is more rows.

use super::Route;
use super::arguments::{Arguments, Condition, opencart_route};
use super::glob::Glob;
use super::normal::{LIMIT, normal};
use super::paths::{Entry, Paths, Pattern, Place};

/// The longest `route` of OpenCart that is looked at.
const OPENCART: usize = 96;

/// The rows for all shops.
pub(super) const COMMON: &str = "common";

/// A row: `shops`, `route`, `kind`, `what`, and for some an argument that has to be there too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    shops: &'static str,
    route: Route,
    pub(super) kind: &'static str,
    what: &'static str,
    also: Option<&'static str>,
}

impl Row {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let (shops, route) = (columns.next()?, Route::of_label(columns.next()?)?);
        let row = Self { shops, route, kind: columns.next()?, what: columns.next()?, also: columns.next() };
        columns.next().is_none().then_some(row)
    }

    /// The path it is about, if it is about one.
    fn entry(self) -> Option<Entry> {
        if !["admin", "below", "exact", "route"].contains(&self.kind) {
            return None;
        }
        let pattern = Pattern::new(self.what.as_bytes());
        let condition = self.also.map(condition);
        Some(Entry { pattern, exact: self.kind == "exact", condition, route: self.route })
    }
}

/// `name=value`.
fn condition(text: &str) -> Condition {
    let (name, value) = text.split_once('=').expect("the tests read the table");
    Condition::new(name, Some(value))
}

/// The rows about these shops.
pub(super) fn rows(shops: &[&str]) -> Vec<Row> {
    let lines = include_str!("routes.tsv").lines().filter(|line| !line.starts_with("# "));
    let rows = lines.map(|line| Row::read(line).expect("the tests read the table"));
    rows.filter(|row| row.shops.split(',').any(|shop| shops.contains(&shop))).collect()
}

/// The ends of the names of files.
pub(super) fn extensions(rows: &[Row]) -> impl Iterator<Item = &'static str> {
    rows.iter().filter(|row| row.kind == "extension").map(|row| row.what)
}

/// The rows of a kind, those that say more exactly what they mean first.
fn paths(rows: &[Row], kinds: &[&str]) -> Paths {
    let chosen = rows.iter().filter(|row| kinds.contains(&row.kind));
    let mut entries: Vec<_> = chosen.filter_map(|row| row.entry()).collect();
    let precision = |entry: &Entry| (entry.pattern.precision(), entry.exact, entry.condition.is_some());
    entries.sort_by_key(|entry| std::cmp::Reverse(precision(entry)));
    let mut paths = Paths::default();
    entries.into_iter().enumerate().for_each(|(order, entry)| paths.push(order, entry));
    paths
}

/// Where these shops put their administration.
pub(super) fn administrations(rows: &[Row]) -> Paths {
    paths(rows, &["admin"])
}

/// Some shops' rows, ready to be asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layer {
    paths: Paths,
    /// What the last segment is like, where no path says more.
    last: Vec<(Glob, Route)>,
    arguments: Arguments,
    /// What OpenCart's argument `route` says.
    opencart: Option<Paths>,
}

impl Layer {
    pub(super) fn new(rows: &[Row]) -> Self {
        let of_kind = |kind: &'static str| rows.iter().filter(move |row| row.kind == kind);
        let mut layer = Self { paths: paths(rows, &["below", "exact"]), ..Self::default() };
        layer.last.extend(of_kind("last").map(|row| (Glob::new(row.what), row.route)));
        of_kind("argument").for_each(|row| layer.arguments.push(condition(row.what), row.route));
        layer.opencart = of_kind("route").next().map(|_| paths(rows, &["route"]));
        layer
    }

    /// What a page is, by all that is known of it: its path as it was asked for and without what stands before it,
    /// and its arguments.
    pub(super) fn find(&self, whole: Place<'_>, page: Place<'_>, query: &[u8]) -> Option<Route> {
        let paths = |place| self.paths.find(place, query).map(|(_, route)| route);
        let by_path = paths(whole).or_else(|| if whole.path == page.path { None } else { paths(page) });
        let by_path = by_path.or_else(|| self.by_end(page.path));
        // A folder of files has programs in it, too.
        let by_path = by_path.filter(|route| *route != Route::Static || !page.path.ends_with(b".php"));
        if query.is_empty() {
            return by_path;
        }
        let by_argument = self.arguments.find(query).chain(self.by_opencart(query));
        by_path.into_iter().chain(by_argument).min_by_key(|route| rank(*route))
    }

    fn by_end(&self, path: &[u8]) -> Option<Route> {
        if self.last.is_empty() {
            return None;
        }
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let last = memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..]);
        self.last.iter().find(|(glob, _)| glob.matches(last)).map(|(_, route)| *route)
    }

    fn by_opencart(&self, query: &[u8]) -> Option<Route> {
        let paths = self.opencart.as_ref()?;
        let mut path = [b'/'; OPENCART + 1];
        // `cart.add` is a method of `cart` in OpenCart 4, as `cart/add` is in OpenCart 3.
        let length = opencart_route(query, path[1..].first_chunk_mut::<OPENCART>()?, b'/')?.len();
        let path = &path[..=length];
        let found = if memchr::memmem::find(path, b"//").is_none() {
            paths.find(Place::of(path), b"")
        } else {
            let mut buffer = [0; LIMIT];
            paths.find(Place::of(normal(path, &mut buffer)?), b"")
        };
        found.map(|(_, route)| route)
    }
}

/// Which of a path and several arguments says what a page is: the smaller. `/product/x?add-to-cart=7` puts into the
/// cart, `/?s=x` searches, and `/?page_id=7` is not the front page.
fn rank(route: Route) -> usize {
    const ORDER: [Route; 13] = [
        Route::Static,
        Route::Admin,
        Route::Api,
        Route::MarketplaceWebhook,
        Route::Checkout,
        Route::Cart,
        Route::Account,
        Route::Search,
        Route::Product,
        Route::Category,
        Route::Bot,
        Route::Other,
        Route::Home,
    ];
    ORDER.iter().position(|one| *one == route).unwrap_or(ORDER.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Preset;
    use super::*;

    const KINDS: [&str; 7] = ["admin", "argument", "below", "exact", "extension", "last", "route"];

    #[test]
    fn every_row_can_be_read_and_stands_once() {
        let mut seen = BTreeSet::new();
        for line in include_str!("routes.tsv").lines().filter(|line| !line.starts_with("# ")) {
            let row = Row::read(line).unwrap_or_else(|| panic!("{line:?}"));
            assert!(KINDS.contains(&row.kind), "{line}");
            assert_eq!(["admin", "below", "exact"].contains(&row.kind), row.what.starts_with('/'), "{line}");
            assert!(row.kind != "extension" || row.route == Route::Static, "{line}");
            assert_eq!(row.kind == "admin", row.kind == "admin" && row.route == Route::Admin, "{line}");
            for shop in row.shops.split(',') {
                let known = Preset::ALL.iter().any(|preset| preset.as_str() == shop);
                assert!(known || shop == COMMON, "{line}");
                assert!(seen.insert((shop, row.kind, row.what, row.also)), "twice: {line}");
            }
            for argument in row.also.into_iter().chain(Some(row.what).filter(|_| row.kind == "argument")) {
                assert!(argument.contains('='), "{line}");
            }
        }
    }

    #[test]
    fn no_page_is_guessed_to_be_the_administration_of_a_shop_that_is_not_named() {
        assert!(rows(&[COMMON]).iter().all(|row| row.route != Route::Admin));
    }

    #[test]
    fn every_route_has_a_rank_of_its_own() {
        let ranks: BTreeSet<_> = Route::ALL.iter().map(|route| rank(*route)).collect();
        assert_eq!(ranks, (0..Route::ALL.len()).collect());
    }
}
