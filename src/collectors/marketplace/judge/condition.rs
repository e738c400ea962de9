//! Whether a condition holds, and how it is said in words.

use std::fmt;

use serde_json::Value;

use super::pointer::Pointer;
use super::rules::{Condition, Kind, Scalar};
use super::seen::Seen;
use super::xml::XmlPath;
use crate::collectors::marketplace::exchange::Answer;

impl Condition {
    /// Whether an answer to an account of this environment meets it: for answers that are no probe's, such as a token's.
    #[must_use]
    pub fn holds(&self, environment: &str, answer: &Answer) -> bool {
        let text = String::from_utf8_lossy(&answer.body);
        self.unmet(&Seen::new(answer, environment, &text)).is_none()
    }

    /// The first part of it that does not hold.
    pub(super) fn unmet(&self, seen: &Seen<'_>) -> Option<Part<'_>> {
        self.parts().into_iter().find(|part| !part.holds(seen))
    }

    /// All that it says.
    pub(super) fn parts(&self) -> Vec<Part<'_>> {
        let demand = if self.exists == Some(false) {
            Demand::Missing
        } else if let Some(value) = &self.equals {
            Demand::OneOf(std::slice::from_ref(value))
        } else if let Some(values) = &self.one_of {
            Demand::OneOf(values)
        } else if let Some(kind) = self.kind {
            Demand::Kind(kind)
        } else {
            Demand::There
        };
        let parts = [
            self.status.as_deref().map(Part::Status),
            self.content_type.as_deref().map(Part::ContentType),
            self.body_contains.as_deref().map(|words| Part::Words(words, self.ignore_case)),
            self.environment.as_deref().map(Part::Environment),
            self.json.as_ref().map(|pointer| Part::Json(pointer, self.ignore_case, demand)),
            self.xml.as_ref().map(|path| Part::Xml(path, demand)),
        ];
        parts.into_iter().flatten().collect()
    }
}

/// In words: `status 403 and content type text/html`.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, part) in self.parts().iter().enumerate() {
            let and = if n == 0 { "" } else { " and " };
            write!(f, "{and}{part}")?;
        }
        Ok(())
    }
}

/// One thing that is asked of an answer.
pub(super) enum Part<'r> {
    Status(&'r [u16]),
    ContentType(&'r str),
    Words(&'r str, bool),
    Environment(&'r str),
    Json(&'r Pointer, bool, Demand<'r>),
    Xml(&'r XmlPath, Demand<'r>),
}

/// What is asked of a place in a body.
#[derive(Clone, Copy)]
pub(super) enum Demand<'r> {
    There,
    Missing,
    OneOf(&'r [Scalar]),
    Kind(Kind),
}

impl Part<'_> {
    fn holds(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::Status(statuses) => statuses.contains(&seen.status()),
            Self::ContentType(begins) => seen.content_type.starts_with(&begins.to_ascii_lowercase()),
            Self::Words(words, ignore_case) => seen.contains(words, *ignore_case),
            Self::Environment(name) => seen.environment == *name,
            Self::Json(pointer, ignore_case, demand) => {
                seen.json().is_ok_and(|json| demand.is_met_by(pointer.find(json, *ignore_case)))
            }
            Self::Xml(path, demand) => seen.xml().is_ok_and(|xml| {
                let texts = xml.find(path);
                match demand {
                    Demand::There => !texts.is_empty(),
                    Demand::Missing => texts.is_empty(),
                    Demand::OneOf(values) => texts.iter().any(|text| values.iter().any(|value| value.is_written(text))),
                    Demand::Kind(_) => false,
                }
            }),
        }
    }
}

impl Demand<'_> {
    fn is_met_by(self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::Missing, found) => found.is_none(),
            (_, None) => false,
            (Self::There, Some(_)) => true,
            (Self::OneOf(values), Some(found)) => values.iter().any(|value| value.is(found)),
            (Self::Kind(kind), Some(found)) => kind.is_that_of(found),
        }
    }
}

impl Scalar {
    /// Whether a value of JSON is this one, and of its type.
    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Bool(wanted), Value::Bool(value)) => wanted == value,
            // 7.0 is 7: JSON has no whole numbers of their own.
            (Self::Integer(wanted), Value::Number(number)) => {
                number.as_i64().map_or_else(|| number.to_string() == format!("{wanted}.0"), |value| value == *wanted)
            }
            (Self::Text(wanted), Value::String(value)) => wanted == value,
            _ => false,
        }
    }

    /// Whether a text is this value, as XML writes it.
    fn is_written(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => wanted == text,
            other => other.to_string() == text,
        }
    }
}

impl Kind {
    fn is_that_of(self, value: &Value) -> bool {
        match self {
            Self::Array => value.is_array(),
            Self::Boolean => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Object => value.is_object(),
            Self::String => value.is_string(),
        }
    }
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(statuses) => write!(f, "status {}", either(statuses)),
            Self::ContentType(begins) => write!(f, "content type `{begins}`"),
            Self::Words(words, _) => write!(f, "`{words}` in the body"),
            Self::Environment(name) => write!(f, "environment `{name}`"),
            Self::Json(pointer, _, demand) => write!(f, "`{pointer}` {demand}"),
            Self::Xml(path, demand) => write!(f, "`{path}` {demand}"),
        }
    }
}

impl fmt::Display for Demand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::There => f.write_str("there"),
            Self::Missing => f.write_str("missing"),
            Self::OneOf(values) => write!(f, "= {}", either(values)),
            Self::Kind(Kind::Array) => f.write_str("an array"),
            Self::Kind(Kind::Boolean) => f.write_str("true or false"),
            Self::Kind(Kind::Number) => f.write_str("a number"),
            Self::Kind(Kind::Object) => f.write_str("an object"),
            Self::Kind(Kind::String) => f.write_str("text"),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "`{value}`"),
        }
    }
}

fn either(values: &[impl fmt::Display]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use hyper::{HeaderMap, StatusCode};

    use super::*;

    fn condition(text: &str) -> Condition {
        toml::from_str(text).unwrap()
    }

    /// Whether it holds for a 200 with this body, in production.
    fn holds(text: &str, body: &str) -> bool {
        let headers = [("content-type".parse().unwrap(), "Application/Problem+JSON; a=b".parse().unwrap())];
        let answer = Answer { status: StatusCode::OK, headers: HeaderMap::from_iter(headers), body: body.into() };
        condition(text).holds("production", &answer)
    }

    #[test]
    fn all_of_a_condition_must_hold() {
        for (text, expected) in [
            ("status = [200]", true),
            ("status = [201, 200]\nenvironment = 'production'\ncontent_type = 'application/problem'", true),
            ("status = [200]\nenvironment = 'sandbox'", false),
            ("status = [200]\ncontent_type = 'text/'", false),
            ("status = [201]", false),
            ("status = [200]\njson = '/a'\nequals = 1\nbody_contains = 'A'", false),
            ("status = [200]\njson = '/a'\nequals = 1\nbody_contains = 'A'\nignore_case = true", true),
        ] {
            assert_eq!(holds(text, r#"{"a":1}"#), expected, "{text}");
        }
    }

    #[test]
    fn values_of_json_are_compared_with_their_types() {
        let body = r#"{"i":7,"f":7.0,"s":"7","t":true,"u":"true","n":null,"a":[],"o":{},"big":18446744073709551615}"#;
        for (text, expected) in [
            ("json = '/i'\nequals = 7", true),
            ("json = '/f'\nequals = 7", true),
            ("json = '/s'\nequals = 7", false),
            ("json = '/s'\nequals = '7'", true),
            ("json = '/i'\nequals = '7'", false),
            ("json = '/i'\nin = [6, '7']", false),
            ("json = '/i'\nin = [6, 7]", true),
            ("json = '/t'\nequals = true", true),
            ("json = '/t'\nequals = false", false),
            ("json = '/u'\nequals = true", false),
            ("json = '/big'\nequals = -1", false),
            ("json = '/n'", false),
            ("json = '/n'\nexists = false", true),
            ("json = '/i'\nexists = false", false),
            ("json = '/missing'", false),
            ("json = '/a'\ntype = 'array'", true),
            ("json = '/o'\ntype = 'array'", false),
            ("json = '/o'\ntype = 'object'", true),
            ("json = '/f'\ntype = 'number'", true),
            ("json = '/s'\ntype = 'string'", true),
            ("json = '/t'\ntype = 'boolean'", true),
            ("json = '/I'\nequals = 7", false),
            ("json = '/I'\nequals = 7\nignore_case = true", true),
        ] {
            assert_eq!(holds(text, body), expected, "{text}");
        }
    }

    #[test]
    fn one_of_several_elements_of_xml_is_enough() {
        let body = "<r><e><code>930</code></e><e><code>true</code></e></r>";
        for (text, expected) in [
            ("xml = '*/e/code'\nin = ['1', '930']", true),
            ("xml = '*/e/code'\nequals = 930", true),
            ("xml = '*/e/code'\nequals = true", true),
            ("xml = '*/e/code'\nequals = '93'", false),
            ("xml = '*/e/code'", true),
            ("xml = '*/code'", false),
            ("xml = '*/code'\nexists = false", true),
            ("xml = '*/e'\nexists = false", false),
        ] {
            assert_eq!(holds(text, body), expected, "{text}");
        }
    }

    #[test]
    fn of_a_body_that_is_something_else_nothing_holds() {
        for text in ["json = '/a'", "json = '/a'\nexists = false", "xml = 'a'", "xml = 'a'\nexists = false"] {
            assert!(!holds(text, "<html>canary"), "{text}");
        }
    }

    #[test]
    fn a_condition_is_said_in_words() {
        for (text, words) in [
            ("status = [401, 403]\ncontent_type = 'text/html'", "status 401 or 403 and content type `text/html`"),
            ("json = '/a/0'\nin = [7, 'x']\nenvironment = 'sandbox'", "environment `sandbox` and `/a/0` = 7 or `x`"),
            ("xml = '**/a'\nexists = false\nbody_contains = 'no'", "`no` in the body and `**/a` missing"),
            ("json = '/a'\ntype = 'array'", "`/a` an array"),
        ] {
            assert_eq!(condition(text).to_string(), words);
        }
    }
}
