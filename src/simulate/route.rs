//! The requests that a marketplace answers: their methods, paths and queries.

use super::ask::Ask;
use super::limits::Limit;
use super::manners::{Admit, Answer};

/// A request that it answers. There are no others.
#[derive(Debug)]
pub(super) struct Route {
    method: &'static str,
    host: Option<&'static str>,
    /// `*` is any one segment.
    path: &'static str,
    query: &'static [Param],
    /// The name of its limit, and the limit.
    pub(super) limit: Option<(&'static str, Limit)>,
    /// Who is let in, where that is not for the marketplace to say.
    pub(super) admit: Option<Admit>,
    pub(super) answer: Answer,
}

/// A name of the query, and what it may be.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) is: Is,
    pub(super) is_needed: bool,
}

/// What a value of the query may be.
#[derive(Debug)]
pub(super) enum Is {
    /// Anything.
    Any,
    /// A whole number up to this.
    UpTo(u32),
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// A name that must be in the query.
pub(super) const fn must(name: &'static str, is: Is) -> Param {
    Param { name, is, is_needed: true }
}

/// A name that may be in the query.
pub(super) const fn may(name: &'static str, is: Is) -> Param {
    Param { name, is, is_needed: false }
}

impl Route {
    /// One that is read by GET.
    pub(super) const fn get(path: &'static str, query: &'static [Param], answer: Answer) -> Self {
        Self { method: "GET", host: None, path, query, limit: None, admit: None, answer }
    }

    /// One that takes POST, and has no query.
    pub(super) const fn post(path: &'static str, answer: Answer) -> Self {
        Self { method: "POST", ..Self::get(path, &[], answer) }
    }

    /// The same at one server alone.
    pub(super) const fn at(self, host: &'static str) -> Self {
        Self { host: Some(host), ..self }
    }

    /// The same with a limit; routes with one name share it.
    pub(super) const fn limited(self, bucket: &'static str, limit: Limit) -> Self {
        Self { limit: Some((bucket, limit)), ..self }
    }

    /// The same for whom this lets in.
    pub(super) const fn admitting(self, admit: Admit) -> Self {
        Self { admit: Some(admit), ..self }
    }

    /// Whether it is what is asked for.
    pub(super) fn is_for(&self, ask: &Ask) -> bool {
        let (wanted, asked) = (self.path.split('/'), ask.path.split('/'));
        (self.method == "*" || self.method == ask.method)
            && self.host.is_none_or(|host| host == ask.host)
            && (self.path == "*"
                || (wanted.clone().count() == asked.clone().count()
                    && wanted
                        .zip(asked)
                        .all(|(wanted, asked)| wanted == asked || (wanted == "*" && !asked.is_empty()))))
    }

    /// What is wrong with the query.
    pub(super) fn objection(&self, ask: &Ask) -> Option<String> {
        let asked = ask.queries();
        if let Some(missing) =
            self.query.iter().find(|param| param.is_needed && !asked.iter().any(|(name, _)| name == param.name))
        {
            return Some(format!("`{}` is missing from the query", missing.name));
        }
        asked.iter().find_map(|(name, value)| {
            let Some(param) = self.query.iter().find(|param| param.name == name) else {
                return (self.path != "*").then(|| format!("`{name}` is no name of the query here"));
            };
            let is_good = match param.is {
                Is::Any => true,
                Is::UpTo(most) => value.parse::<u32>().is_ok_and(|number| number <= most),
                Is::OneOf(words) => words.contains(&value.as_str()),
            };
            (!is_good).then(|| format!("`{name}` has a value in the query that is not asked for by any preset"))
        })
    }

    /// One that takes every method but those that change something.
    pub(super) const fn reading(answer: Answer) -> Self {
        Self { method: "*", ..Self::get("*", &[], answer) }
    }
}
