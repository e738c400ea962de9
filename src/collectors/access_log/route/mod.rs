//! What kind of page a request was for: a closed table of routes, for five shop systems and what Laravel makes of them.
//!
//! In this order: the configuration's own rules; files; the administration; what is known of the shop; words that shops
//! have in common. What nobody knows is `other`. Pages that a crawler looks at are `bot`. `docs/routes.md` says it to
//! people.

mod agents;
mod arguments;
mod config;
mod decode;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod glob;
mod language;
mod normal;
mod own;
mod paths;
mod table;
#[cfg(test)]
mod tests;

use super::classes::Route;
use super::line::Line;
use files::Extensions;
use normal::{LIMIT, is_normal, normal, split};
use own::Own;
use paths::{Paths, Pattern, Place};
use table::{COMMON, Layer};

pub(super) use arguments::argument;
pub use config::{AdminPath, Base, Preset, Rule, Shops};

/// Tells what kind of page a request was for.
#[derive(Clone, Debug, PartialEq)]
pub struct Routes {
    own: Own,
    files: Extensions,
    /// Where the shop begins; at the root when empty. The longest first.
    bases: Vec<Pattern>,
    /// Where the administration was said to be; `administrations` counts otherwise.
    admin: Vec<Pattern>,
    administrations: Paths,
    shop: Layer,
    common: Layer,
}

impl Default for Routes {
    fn default() -> Self {
        Self::of(Own::default(), &Shops::default(), &Base::default(), &AdminPath::default())
    }
}

impl Routes {
    /// Those of a configuration.
    ///
    /// # Errors
    /// When its own rules are too many to ask for each request.
    pub fn new(shops: &Shops, base: &Base, admin: &AdminPath, rules: &[Rule]) -> Result<Self, String> {
        Ok(Self::of(Own::new(rules)?, shops, base, admin))
    }

    fn of(own: Own, Shops(shops): &Shops, Base(bases): &Base, AdminPath(admin): &AdminPath) -> Self {
        let names: Vec<_> = shops.0.iter().map(|shop| shop.as_str()).collect();
        let (rows, common) = (table::rows(&names), table::rows(&[COMMON]));
        let mut bases: Vec<_> = bases.0.iter().map(|base| base.0.clone()).collect();
        bases.sort_by_key(|base| std::cmp::Reverse(base.precision()));
        Self {
            own,
            files: Extensions::new(table::extensions(&common)),
            bases,
            admin: admin.0.iter().map(|path| path.0.clone()).collect(),
            administrations: if admin.0.is_empty() { table::administrations(&rows) } else { Paths::default() },
            shop: Layer::new(&rows),
            common: Layer::new(&common),
        }
    }

    /// Whether a path is in its one spelling already.
    pub(super) fn is_spelled(path: &[u8]) -> bool {
        is_normal(path)
    }

    /// A path in its one spelling, see [`normal()`]; `None` for what is no path, leaves the root, or is too long.
    pub(super) fn spelled(path: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = [0; LIMIT];
        normal(path, &mut buffer).map(<[u8]>::to_vec)
    }

    /// The route of a request.
    #[must_use]
    pub fn route(&self, line: &Line<'_>) -> Route {
        let (path, query) = line.path_and_query();
        let mut buffer: [u8; LIMIT];
        let page = if is_normal(path) {
            self.page(path, query)
        } else {
            buffer = [0; LIMIT];
            normal(path, &mut buffer).map_or(Route::Other, |path| self.page(path, query))
        };
        if is_read_by_people(page) && agents::is_bot(line.agent) { Route::Bot } else { page }
    }

    /// OpenCart's `route` argument as OpenCart itself reads it: decoded once, without what it filters out, and a method
    /// behind a `.` however the version writes it. `None` when there is none, or it is longer than the buffer.
    ///
    /// `_route_`, which rewriting makes of a path, counts where `route` is not there.
    pub fn opencart_route<'b, const N: usize>(query: &[u8], buffer: &'b mut [u8; N]) -> Option<&'b [u8]> {
        arguments::opencart_route(query, buffer, b'.')
    }

    /// What a page is, whoever asks for it.
    fn page(&self, path: &[u8], query: &[u8]) -> Route {
        let inside = self.inside(path);
        let page = inside.map_or(path, without_language);
        if !self.own.is_empty() {
            let own = self.own.find(Place::of(path), Place::of(page), query);
            if let Some((_, route)) = own {
                return route;
            }
        }
        if self.files.has(path) {
            return Route::Static;
        }
        let inside = inside.map(Place::of);
        if self.is_admin(path, inside, query) {
            return Route::Admin;
        }
        let Some(inside) = inside else { return Route::Other };
        let page = if page == inside.path { inside } else { Place::of(page) };
        let shop = self.shop.find(inside, page, query);
        if let Some(route) = shop.filter(|route| *route != Route::Other) {
            return route;
        }
        // That an argument is none of the shop's known ones does not make a word of all shops mean less.
        let common = self.common.find(inside, page, query).filter(|route| shop.is_none() || *route != Route::Home);
        common.unwrap_or(Route::Other)
    }

    /// The path from where the shop begins, and behind its program; `None` for what is beside it.
    fn inside<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        let inside = match &self.bases[..] {
            [] => path,
            bases => bases.iter().find_map(|base| base.strip(path))?,
        };
        Some(without_program(inside))
    }

    fn is_admin(&self, path: &[u8], inside: Option<Place<'_>>, query: &[u8]) -> bool {
        let is_named = |path: &[u8]| self.admin.iter().any(|admin| admin.strip(path).is_some());
        let is_known = |inside: Place<'_>| is_named(inside.path) || self.administrations.find(inside, query).is_some();
        is_named(path) || inside.is_some_and(is_known)
    }
}

/// A path without the `/index.php` before it.
fn without_program(path: &[u8]) -> &[u8] {
    let behind = split(path).filter(|(first, _)| *first == b"index.php").map_or(path, |(_, behind)| behind);
    if behind.is_empty() { b"/" } else { behind }
}

/// A path without the language before it, which may be a page all the same.
fn without_language(path: &[u8]) -> &[u8] {
    match split(path) {
        Some((first, behind)) if language::is_language(first) => without_program(behind),
        _ => path,
    }
}

/// Pages that a crawler looks at as people do; what else it does counts as what it is. A cart that a program fills and
/// an administration that it asks for are news, and an API is there for programs.
fn is_read_by_people(page: Route) -> bool {
    matches!(page, Route::Home | Route::Category | Route::Product | Route::Search | Route::Other)
}
