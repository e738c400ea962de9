//! A step as it is written, and what is asked of it before it is believed.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use super::step::{Canned, Effect, Latency, Play, RetryAfter, Step};
use super::{Scene, Span, Whom};
use crate::config::meant;
use crate::config::types::Period;
use crate::simulate::limits::Limit;
use crate::simulate::manners::{self, Manners};

/// The longest that an answer may be held back.
const LONGEST_LATENCY: Duration = Duration::from_mins(10);

/// By how much a clock is wrong when the step does not say.
const SKEW: &str = "5m";

/// A step, as it is read.
#[derive(Deserialize)]
#[serde(try_from = "Keys")]
pub(super) struct Written(pub(super) Step);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default)]
    at: Span,
    #[serde(rename = "for")]
    lasts: Option<Period>,
    times: Option<u32>,
    #[serde(default = "everybody")]
    marketplace: String,
    path: Option<String>,
    latency: Option<WrittenLatency>,
    scenario: Option<Scene>,
    variant: Option<String>,
    retry_after: Option<Span>,
    retry_after_as: Option<Form>,
    skew: Option<String>,
    status: Option<u16>,
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
    limit: Option<WrittenLimit>,
    token_ttl: Option<Period>,
    key_ttl: Option<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct WrittenLatency {
    tls: Span,
    processing: Span,
    body: Span,
    jitter: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLimit {
    requests: u32,
    per: Period,
}

/// How the time to come back is written.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Seconds,
    Decimal,
    Date,
}

fn everybody() -> String {
    "*".to_owned()
}

impl TryFrom<Keys> for Written {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let whom = whom(&keys.marketplace)?;
        if let Some(path) = keys.path.as_deref().filter(|path| !is_path(path)) {
            return Err(format!("path: `{path}` is not one\nwrite \"/v1/orders\", or \"/v1/*\" for all that begin so"));
        }
        if keys.times == Some(0) {
            return Err("times: a step that happens 0 times does nothing\nwrite at least 1".to_owned());
        }
        let effect = keys.effect(whom)?;
        if let Effect::Scene(play) = &effect {
            if play.scene.is_a_moment() && (keys.lasts.is_some() || keys.times.is_some() || keys.path.is_some()) {
                return Err(format!(
                    "`{}` happens at one moment, to all tokens\nleave out `for`, `times` and `path`",
                    play.scene.word()
                ));
            }
            if play.scene.is_of_the_connection() && keys.path.is_some() {
                return Err(format!("`{}` is over before there is a path\nleave out `path`", play.scene.word()));
            }
        }
        let (at, lasts) = (keys.at.0, keys.lasts.map(|period| period.0));
        Ok(Self(Step { at, lasts, times: keys.times, whom, path: keys.path, effect }))
    }
}

impl Keys {
    /// The one thing that the step does.
    fn effect(&self, whom: Whom) -> Result<Effect, String> {
        let answers = self.status.is_some() || self.headers.is_some() || self.body.is_some();
        let things = [
            ("latency", self.latency.is_some()),
            ("scenario", self.scenario.is_some()),
            ("status", answers),
            ("limit", self.limit.is_some()),
            ("token_ttl", self.token_ttl.is_some()),
            ("key_ttl", self.key_ttl.is_some()),
        ];
        let written: Vec<_> = things.iter().filter(|(_, is_there)| *is_there).map(|(thing, _)| *thing).collect();
        let [thing] = written[..] else {
            return Err(if written.is_empty() {
                "the step does nothing\nwrite one of latency, scenario, status, limit, token_ttl, key_ttl".to_owned()
            } else {
                format!("the step does several things: {}\nwrite a step for each; they may overlap", written.join(", "))
            });
        };
        self.has_no_strays()?;
        self.is_had_by(whom)?;
        Ok(match (self.scenario, &self.latency, &self.limit, self.token_ttl, self.key_ttl) {
            (Some(scene), ..) => Effect::Scene(self.play(scene, whom)?),
            (_, Some(latency), ..) => Effect::Latency(latency.checked()?),
            (_, _, Some(limit), ..) => Effect::Limit(Limit::Window { requests: limit.requests, per: limit.per.0 }),
            (_, _, _, Some(life), _) => Effect::TokenLife(life.0),
            (.., Some(life)) => Effect::KeyLife(life.0),
            _ => {
                debug_assert_eq!(thing, "status");
                Effect::Answer(self.answer()?)
            }
        })
    }

    /// Keys that say more about a scenario belong to one that listens to them.
    fn has_no_strays(&self) -> Result<(), String> {
        let paced = matches!(self.scenario, Some(Scene::RateLimited | Scene::Html503));
        for (key, is_there, belongs, to) in [
            ("variant", self.variant.is_some(), self.scenario.is_some(), "a scenario that has variants"),
            ("retry_after", self.retry_after.is_some(), paced, "rate_limited or html_503"),
            ("retry_after_as", self.retry_after_as.is_some(), self.retry_after.is_some(), "a step with `retry_after`"),
            ("skew", self.skew.is_some(), self.scenario == Some(Scene::DateSkew), "date_skew"),
        ] {
            if is_there && !belongs {
                return Err(format!("`{key}` means nothing here\nit belongs to {to}"));
            }
        }
        Ok(())
    }

    /// What one marketplace does not have at all cannot happen there.
    fn is_had_by(&self, whom: Whom) -> Result<(), String> {
        let Some(one) = whom.0 else { return Ok(()) };
        let tokens = |one: &Manners| one.has(Scene::TokenExpired);
        let missing = [
            (self.token_ttl.is_some(), "tokens", tokens as fn(&Manners) -> bool),
            (self.key_ttl.is_some(), "keys that end", |one| one.keys_end),
            (self.scenario == Some(Scene::AppError), "`app_error`: its errors have their status", |one| {
                one.has(Scene::AppError)
            }),
            (self.scenario.is_some_and(Scene::is_a_moment), "tokens", tokens),
            (self.scenario == Some(Scene::NoOrders), "answer that tells of orders", |one| one.has(Scene::NoOrders)),
        ];
        let Some((.., what, had)) = missing.into_iter().find(|(asked, _, had)| *asked && !had(one)) else {
            return Ok(());
        };
        let names: Vec<_> = manners::ALL.iter().filter(|one| had(one)).map(|one| one.name).collect();
        Err(format!("{} has no {what}\nknown for it: {}", one.name, names.join(", ")))
    }

    fn play(&self, scene: Scene, whom: Whom) -> Result<Play, String> {
        let retry_after = self.retry_after.map(|Span(after)| match self.retry_after_as {
            None | Some(Form::Seconds) => RetryAfter::Seconds(after),
            Some(Form::Decimal) => RetryAfter::Decimal(after),
            Some(Form::Date) => RetryAfter::Date(after),
        });
        let skew = skew(self.skew.as_deref().unwrap_or(SKEW))?;
        Ok(Play { scene, variant: self.chosen(scene, whom)?, retry_after, skew })
    }

    /// The variant that is asked for, if the marketplace has it.
    fn chosen(&self, scene: Scene, whom: Whom) -> Result<Option<&'static str>, String> {
        let word = scene.word();
        let Some(wanted) = &self.variant else { return Ok(None) };
        let mut known: Vec<&'static str> = match whom.0 {
            Some(one) => one.variants_of(scene).to_vec(),
            None => manners::ALL.iter().flat_map(|one| one.variants_of(scene)).copied().collect(),
        };
        known.sort_unstable();
        known.dedup();
        if let Some(variant) = known.iter().find(|variant| *variant == wanted) {
            return Ok(Some(variant));
        }
        let way_out = if known.is_empty() { "leave out `variant`".to_owned() } else { meant(wanted, &known) };
        Err(format!("variant: `{word}` at {} has no `{wanted}`\n{way_out}", self.marketplace))
    }

    fn answer(&self) -> Result<Canned, String> {
        let status = self.status.unwrap_or(200);
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| !status.is_informational())
            .ok_or_else(|| format!("status: `{status}` is none of an answer\nwrite a number from 200 to 999"))?;
        let headers: Vec<_> = self.headers.clone().unwrap_or_default().into_iter().collect();
        for (name, value) in &headers {
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                return Err(format!("headers: `{name}` cannot be sent\na name has no spaces, a value no line ends"));
            }
            if ["content-length", "transfer-encoding", "connection"].contains(&name.to_ascii_lowercase().as_str()) {
                return Err(format!(
                    "headers: `{name}` is the server's own\nfor an answer that breaks off write scenario = \"truncated\""
                ));
            }
        }
        Ok(Canned { status, headers, body: self.body.clone().unwrap_or_default().into() })
    }
}

impl WrittenLatency {
    fn checked(&self) -> Result<Latency, String> {
        let Self { tls, processing, body, jitter } = self;
        if [tls, processing, body].iter().any(|span| span.0 > LONGEST_LATENCY) {
            return Err("latency: more than 10 minutes\nfor no answer at all write scenario = \"stall\"".to_owned());
        }
        if !(0.0..=1.0).contains(jitter) {
            return Err(format!(
                "latency.jitter: `{jitter}` is no share\nwrite a number from 0 to 1: 0.2 is 20 % either way"
            ));
        }
        Ok(Latency { tls: tls.0, processing: processing.0, body: body.0, jitter: *jitter })
    }
}

fn whom(name: &str) -> Result<Whom, String> {
    if name == "*" {
        return Ok(Whom(None));
    }
    let known = |one: &&&'static Manners| one.name == name;
    let names: Vec<_> = manners::ALL.iter().map(|one| one.name).collect();
    let one = manners::ALL.iter().find(known);
    one.map(|one| Whom(Some(one)))
        .ok_or_else(|| format!("marketplace: `{name}` is not known\n{}; `*` is all of them", meant(name, &names)))
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path[..path.len() - 1].contains('*') && !path.contains(['?', ' '])
}

/// Seconds by which a clock is ahead; behind with a `-` before the length of time.
fn skew(text: &str) -> Result<f64, String> {
    let (sign, length) = text.strip_prefix('-').map_or((1.0, text), |length| (-1.0, length));
    match length.parse::<Period>() {
        Ok(period) => Ok(sign * period.0.as_secs_f64()),
        Err(_) => Err(format!(
            "skew: `{text}` is not a length of time\nwrite \"5m\" for a clock that is ahead, \"-5m\" for one that is behind"
        )),
    }
}
