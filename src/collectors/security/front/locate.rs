//! The choice of a location: `=`, the longest prefix, the first pattern (`ngx_http_core_find_location`).

use super::place::{Kind, Location};
use super::walk::Walk;
use crate::collectors::security::verdict::Known;

/// What came of the search for a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Located {
    /// The last one of the path, and no pattern is looked at any more.
    Here,
    /// It is the folder of that location: the client is sent there.
    Folder,
    /// The last one of the path, if any, unless a pattern is found.
    Nowhere,
}

impl<'a> Walk<'a> {
    /// Finds the location of the path.
    pub(super) fn locate(&mut self, locations: &'a [Location], path: &mut Vec<&'a Location>) -> Known<Located> {
        let outside = path.len();
        let mut stops = false;
        let mut found = Located::Nowhere;
        if let Some(location) =
            locations.iter().find(|location| location.kind == Kind::Exact && location.name == self.uri)
        {
            path.push(location);
            return Ok(Located::Here);
        }
        let prefixes = || locations.iter().filter(|location| matches!(location.kind, Kind::Prefix { .. }));
        let longest = prefixes()
            .filter(|location| self.uri.starts_with(&location.name))
            .max_by_key(|location| location.name.len());
        let is_whole = longest.is_some_and(|location| location.name == self.uri);
        let folder = |location: &&Location| {
            location.passes() && location.name.strip_suffix('/').is_some_and(|name| name == self.uri)
        };
        let candidates = || {
            let exact = locations.iter().filter(|location| location.kind == Kind::Exact);
            exact.chain(prefixes())
        };
        if !is_whole && let Some(location) = candidates().find(folder) {
            path.push(location);
            return Ok(Located::Folder);
        }
        if let Some(location) = longest {
            path.push(location);
            stops = location.kind == Kind::Prefix { stops: true };
            found = self.locate(&location.locations, path)?;
        }
        if found != Located::Nowhere {
            return Ok(found);
        }
        for location in locations.iter().filter(|_| !stops) {
            let Kind::Pattern { ignores_case } = location.kind else { continue };
            if self.matches(&location.name, ignores_case, &self.uri.clone())? {
                path.truncate(outside);
                path.push(location);
                self.locate(&location.locations, path)?;
                return Ok(Located::Here);
            }
        }
        Ok(Located::Nowhere)
    }
}
