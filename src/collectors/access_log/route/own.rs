//! The rules of a configuration. They come before all others, and the first that fits counts.

use memchr::memmem;

use super::Route;
use super::arguments::Condition;
use super::config::Rule;
use super::paths::{Entry, Hit, Paths, Pattern, Place};

/// How much all rules may name: texts that are searched for cost time for each request.
const MOST: usize = 5000;

/// The rules of a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Own {
    paths: Paths,
    /// Those that have to be looked at one by one.
    others: Vec<(usize, Text, Option<Condition>, Route)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Text {
    Any,
    Suffix(Box<[u8]>),
    Contains(Box<[u8]>),
}

impl Own {
    /// # Errors
    /// With the number of things they name, when these are too many.
    pub(super) fn new(rules: &[Rule]) -> Result<Self, String> {
        let number: usize = rules.iter().map(Rule::len).sum();
        if number > MOST {
            return Err(format!(
                "the routes name {number} paths and texts\n{MOST} are the most: one path stands for all below it, and \
                 `*` for any name"
            ));
        }
        let mut own = Self::default();
        for (order, rule) in rules.iter().enumerate() {
            let Rule { route, below, exact, suffix, contains, condition } = rule;
            let mut path = |pattern: &Pattern, exact| {
                let entry = Entry { pattern: pattern.clone(), exact, condition: condition.clone(), route: *route };
                own.paths.push(order, entry);
            };
            for pattern in below {
                path(pattern, false);
            }
            for pattern in exact {
                path(pattern, true);
            }
            let mut text = |text| own.others.push((order, text, condition.clone(), *route));
            for suffix in suffix {
                text(Text::Suffix(suffix.as_bytes().into()));
            }
            for part in contains {
                text(Text::Contains(part.as_bytes().into()));
            }
            if !rule.has_paths() {
                text(Text::Any);
            }
        }
        Ok(own)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.others.is_empty()
    }

    /// The first rule that fits the path as it was asked for, or else without what stands before the page.
    pub(super) fn find(&self, whole: Place<'_>, page: Place<'_>, query: &[u8]) -> Option<Hit> {
        self.first(whole, query).or_else(|| if whole.path == page.path { None } else { self.first(page, query) })
    }

    fn first(&self, place: Place<'_>, query: &[u8]) -> Option<Hit> {
        let by_path = self.paths.find(place, query);
        let until = by_path.map_or(usize::MAX, |(order, _)| order);
        let mut before = self.others.iter().take_while(|(order, ..)| *order < until);
        let by_text = before.find(|(_, text, condition, _)| {
            let fits = match text {
                Text::Any => true,
                Text::Suffix(suffix) => place.path.ends_with(suffix),
                Text::Contains(part) => memmem::find(place.path, part).is_some(),
            };
            fits && condition.as_ref().is_none_or(|condition| condition.holds(query))
        });
        by_text.map(|(order, _, _, route)| (*order, *route)).or(by_path)
    }
}
