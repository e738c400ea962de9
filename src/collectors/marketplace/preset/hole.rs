//! What can stand between `{{` and `}}`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::template::Place;
use super::time::Time;

/// What holes there are, for who wrote another.
pub(super) const KNOWN: &str = "known are {{var.name}}, {{secret.name}}, {{token}}, {{base_url}}, {{uuid}}, {{cycle:1..8}}, \
                     {{time:rfc3339:-15m}}; before var, secret and token may stand xml:, json: or, for a path, raw:";

/// The most values that a cycle goes through.
const CYCLE: u32 = 1000;

/// What is to be put somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) content: Content,
    pub(super) escape: Escape,
}

/// Where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A variable of the account.
    Var(String),
    /// A secret of the account.
    Secret(String),
    /// The access token.
    Token,
    /// The address of the account's environment.
    BaseUrl,
    /// A new random UUID.
    Uuid,
    /// One number after the other.
    Cycle(RangeInclusive<u32>),
    /// A time.
    Time(Time),
}

/// What is done to it so that it can stand where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// What its place needs.
    Usual,
    /// Nothing: `raw:`.
    Raw,
    /// What XML needs: `xml:`.
    Xml,
    /// What a string of JSON needs: `json:`.
    Json,
}

impl Hole {
    /// That it may stand in this place; `has_token` is whether there is an access token.
    pub(super) fn check(&self, place: Place, has_token: bool) -> Result<(), String> {
        let refused = |why: &str| Err(format!("`{self}` cannot stand in {}\n{why}", place.name()));
        let is_asked = matches!(place, Place::Path | Place::Query | Place::Header | Place::Body);
        match self.escape {
            Escape::Raw if place != Place::Path || !matches!(self.content, Content::Var(_)) => {
                return refused("raw: is for a variable that is a path, or a part of one");
            }
            Escape::Xml | Escape::Json if place != Place::Body => {
                return refused("xml: and json: are for bodies; elsewhere what is needed is done without");
            }
            _ => {}
        }
        match self.content {
            Content::Var(_) => Ok(()),
            Content::BaseUrl if matches!(place, Place::TokenUrl | Place::Header) => Ok(()),
            Content::BaseUrl => refused("it is for token_url and headers; name one of `hosts` by the key host"),
            _ if matches!(place, Place::Base | Place::TokenUrl) => {
                refused("an address is known from the start; write {{var.name}}")
            }
            Content::Token if is_asked && has_token => Ok(()),
            Content::Token => refused("there is one where the auth is oauth2 or bearer_file, in what is sent with it"),
            Content::Cycle(_) if !is_asked => refused("it is for what a probe asks"),
            Content::Secret(_) | Content::Uuid | Content::Cycle(_) | Content::Time(_) => Ok(()),
        }
    }
}

impl FromStr for Hole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{{{{{text}}}}}` is not known\n{KNOWN}");
        let prefixes = [("raw:", Escape::Raw), ("xml:", Escape::Xml), ("json:", Escape::Json)];
        let escaped = prefixes.into_iter().find_map(|(word, escape)| Some((text.strip_prefix(word)?, escape)));
        let (inner, escape) = escaped.unwrap_or((text, Escape::Usual));
        let content = match inner.split_once([':', '.']) {
            Some(("var", name)) if is_name(name) => Content::Var(name.to_owned()),
            Some(("secret", name)) if is_name(name) => Content::Secret(name.to_owned()),
            Some(("cycle", range)) if inner.starts_with("cycle:") => Content::Cycle(cycle(range)?),
            Some(("time", time)) if inner.starts_with("time:") => Content::Time(time.parse()?),
            None if inner == "token" => Content::Token,
            None if inner == "base_url" => Content::BaseUrl,
            None if inner == "uuid" => Content::Uuid,
            _ => return Err(unknown()),
        };
        let is_escapable = matches!(content, Content::Var(_) | Content::Secret(_) | Content::Token);
        if escape != Escape::Usual && !is_escapable {
            return Err(unknown());
        }
        Ok(Self { content, escape })
    }
}

/// Whether it can be the name of a variable or a secret.
pub(super) fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn cycle(text: &str) -> Result<RangeInclusive<u32>, String> {
    let range = text.split_once("..").and_then(|(first, last)| Some(first.parse().ok()?..=last.parse().ok()?));
    let good =
        range.filter(|range: &RangeInclusive<u32>| range.start() < range.end() && range.end() - range.start() < CYCLE);
    good.ok_or_else(|| {
        format!("`{text}` is not a range to go through\nwrite {{{{cycle:1..8}}}}; {CYCLE} numbers at most")
    })
}

/// As it is written.
impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = match self.escape {
            Escape::Usual => "",
            Escape::Raw => "raw:",
            Escape::Xml => "xml:",
            Escape::Json => "json:",
        };
        match &self.content {
            Content::Var(name) => write!(f, "{{{{{escape}var.{name}}}}}"),
            Content::Secret(name) => write!(f, "{{{{{escape}secret.{name}}}}}"),
            Content::Token => write!(f, "{{{{{escape}token}}}}"),
            Content::BaseUrl => f.write_str("{{base_url}}"),
            Content::Uuid => f.write_str("{{uuid}}"),
            Content::Cycle(range) => write!(f, "{{{{cycle:{}..{}}}}}", range.start(), range.end()),
            Content::Time(_) => f.write_str("{{time:…}}"),
        }
    }
}
