//! Texts with holes, as presets write them: `{{var.seller_id}}`, `{{secret.api_key}}`, `{{time:rfc3339:-15m}}`.
//!
//! A text is taken apart once, when it is read. What may stand in a hole depends on where the text stands, which is
//! [`Place`].

use std::str::FromStr;

use serde::de::{Deserialize, Deserializer};

use super::hole::{Content, Hole, KNOWN};
use crate::config::types::from_text;

/// A text with holes, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Piece>);

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// What stands there.
    Text(String),
    /// What is to be put there.
    Hole(Hole),
}

/// Where a template stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The address of an environment or one of its hosts.
    Base,
    /// The address that tokens are had from.
    TokenUrl,
    /// The path of a request.
    Path,
    /// A parameter of its query.
    Query,
    /// The value of a header.
    Header,
    /// The body.
    Body,
    /// A field of the form that asks for a token.
    Form,
    /// A user's name, a password, a token.
    Login,
}

impl Template {
    /// The holes.
    pub(super) fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Hole(hole) => Some(hole),
        })
    }

    /// Whether it holds what is a secret.
    pub(super) fn is_secret(&self) -> bool {
        self.holes().any(|hole| matches!(hole.content, Content::Secret(_) | Content::Token))
    }

    /// Whether a line break or another control character stands in it, holes aside.
    pub(super) fn has_control(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains(char::is_control)))
    }

    /// That all its holes may stand in this place; `has_token` is whether there is an access token.
    pub(super) fn check(&self, place: Place, has_token: bool) -> Result<(), String> {
        self.holes().try_for_each(|hole| hole.check(place, has_token))
    }
}

impl Place {
    /// For people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Base => "an address",
            Self::TokenUrl => "token_url",
            Self::Path => "a path",
            Self::Query => "a query",
            Self::Header => "a header",
            Self::Body => "a body",
            Self::Form => "the form for a token",
            Self::Login => "a login",
        }
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((hole, after)) = after.split_once("}}") else {
                return Err(format!("a `{{{{` is never closed\n{KNOWN}"));
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Hole(hole.parse()?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::hole::Escape;
    use super::*;

    fn template(text: &str) -> Template {
        text.parse().unwrap()
    }

    #[test]
    fn a_text_is_taken_apart_at_its_holes() {
        let Template(pieces) = template(r#"{"a":{"b":"{{xml:secret.key}}"}}"#);
        let hole = Hole { content: Content::Secret("key".to_owned()), escape: Escape::Xml };
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(pieces, [text(r#"{"a":{"b":""#), Piece::Hole(hole), text(r#""}}"#)]);
        assert_eq!(template("").0, []);
        assert_eq!(template("{{uuid}}{{token}}").holes().count(), 2);
    }

    #[test]
    fn what_is_no_hole_is_a_mistake_that_says_what_is() {
        for text in [
            "{{",
            "{{var.}}",
            "{{var.A}}",
            "{{var}}",
            "{{ var.a }}",
            "{{secret.a.b}}",
            "{{xml:uuid}}",
            "{{raw:time:ms:0d}}",
            "{{cycle.1..8}}",
            "{{env.HOME}}",
            "{{xml:xml:var.a}}",
        ] {
            let error = text.parse::<Template>().unwrap_err();
            assert!(error.contains("known are {{var.name}}"), "{text}: {error}");
        }
        for text in ["{{cycle:8..1}}", "{{cycle:1..1}}", "{{cycle:0..1000}}", "{{cycle:a..b}}", "{{cycle:-1..8}}"] {
            let error = text.parse::<Template>().unwrap_err();
            assert!(error.contains("is not a range to go through"), "{text}: {error}");
        }
    }

    #[test]
    fn a_hole_stands_where_it_makes_sense() {
        for (text, place, has_token, good) in [
            ("{{var.a}}", Place::Base, false, true),
            ("{{secret.a}}", Place::Base, false, false),
            ("{{time:ms:0d}}", Place::TokenUrl, false, false),
            ("{{base_url}}", Place::TokenUrl, false, true),
            ("{{base_url}}", Place::Path, false, false),
            ("{{raw:var.a}}", Place::Path, false, true),
            ("{{raw:var.a}}", Place::Query, false, false),
            ("{{raw:secret.a}}", Place::Path, false, false),
            ("{{xml:var.a}}", Place::Body, false, true),
            ("{{json:secret.a}}", Place::Header, false, false),
            ("{{token}}", Place::Header, true, true),
            ("{{token}}", Place::Header, false, false),
            ("{{token}}", Place::Form, true, false),
            ("{{cycle:1..8}}", Place::Query, false, true),
            ("{{cycle:1..8}}", Place::Login, false, false),
            ("{{secret.a}}", Place::Login, false, true),
            ("{{uuid}}", Place::Header, false, true),
        ] {
            let checked = template(text).check(place, has_token);
            assert_eq!(checked.is_ok(), good, "{text} in {place:?}: {checked:?}");
        }
        let error = template("{{token}}").check(Place::Header, false).unwrap_err();
        assert!(error.starts_with("`{{token}}` cannot stand in a header\n"), "{error}");
    }
}
