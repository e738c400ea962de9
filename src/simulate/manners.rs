//! The manners of a marketplace: what it lets in, how it refuses, how often it answers and what it says.

use std::time::{Duration, SystemTime};

use super::ask::Ask;
use super::limits::{Left, Limit, Limits};
use super::marketplaces::{amazon, ciceksepeti, ebay, generic, hepsiburada, n11, ozon, pazarama, trendyol};
use super::reply::Reply;
use super::route::Route;
use super::scenario::Scene;
use super::script::Plot;
use super::tokens::{Tokens, Void};

/// Whom we stand in for; the last of them for all servers that the others do not know.
pub(super) static ALL: [&Manners; 9] = [
    &trendyol::MANNERS,
    &ebay::MANNERS,
    &amazon::MANNERS,
    &n11::MANNERS,
    &hepsiburada::MANNERS,
    &ozon::MANNERS,
    &pazarama::MANNERS,
    &ciceksepeti::MANNERS,
    &generic::MANNERS,
];

/// One marketplace, as it was documented or seen to be in November 2026; docs/simulate.md shows it at a glance.
#[derive(Debug)]
pub(super) struct Manners {
    /// The name of its preset.
    pub(super) name: &'static str,
    /// The names of its servers.
    pub(super) hosts: &'static [&'static str],
    /// What an account of it says of itself.
    pub(super) vars: &'static [(&'static str, &'static str)],
    /// The credentials that it takes, all of them made up.
    pub(super) secrets: &'static [(&'static str, &'static str)],
    /// What it answers.
    pub(super) routes: &'static [Route],
    /// Of the scenarios that some marketplaces alone have, those that it has.
    pub(super) own: &'static [Scene],
    /// Whether its keys end by themselves.
    pub(super) keys_end: bool,
    /// The forms that it has for a scenario; the first is taken when none is asked for.
    pub(super) variants: &'static [(Scene, &'static [&'static str])],
    /// Lets a request in, or says why not.
    pub(super) admit: Admit,
    /// What it says when there are too many requests.
    pub(super) throttle: Answer,
    /// An error in an answer that is otherwise good; `None` where it has none to this request.
    pub(super) app_error: fn(&mut Visit<'_>) -> Option<Reply>,
}

/// An answer.
pub(super) type Answer = fn(&mut Visit<'_>) -> Reply;

/// Who is let in.
pub(super) type Admit = fn(&mut Visit<'_>) -> Result<(), Reply>;

/// What one marketplace remembers.
#[derive(Debug, Default)]
pub(super) struct Till {
    pub(super) tokens: Tokens,
    pub(super) limits: Limits,
}

/// A request, who has come, and what we are told to do about it.
#[derive(Debug)]
pub(super) struct Visit<'a> {
    pub(super) ask: &'a Ask,
    pub(super) till: &'a mut Till,
    pub(super) plot: &'a Plot,
    /// How long it has been since the start.
    pub(super) now: Duration,
    /// What time it is.
    pub(super) date: SystemTime,
    /// How many times as fast limits and tokens run.
    pub(super) speed: f64,
    /// Whether the client's address is on the list of those that Trendyol's stage lets in.
    pub(super) is_listed: bool,
    /// What is left of the limit.
    pub(super) left: Option<Left>,
}

/// How long a key lives when no step says.
const KEY_LIFE: Duration = Duration::from_hours(120 * 24);

impl Visit<'_> {
    /// Whether these are the credentials that are taken: each as given, and as it should be.
    pub(super) fn believes(&self, credentials: &[(Option<&str>, &str)]) -> bool {
        !self.refuses_keys() && credentials.iter().all(|(given, ours)| *given == Some(*ours))
    }

    /// Whether all credentials are refused, whatever they are.
    pub(super) fn refuses_keys(&self) -> bool {
        self.plot.plays(Scene::WrongKey).is_some()
    }

    /// Gives out a token; the answer says how many seconds it lives.
    pub(super) fn give_token(&mut self, kind: &'static str, seconds: u64) -> (String, u64) {
        let life = self.plot.token_life.unwrap_or(Duration::from_secs(seconds)).div_f64(self.speed);
        (self.till.tokens.give(kind, self.now, life), life.as_secs().max(1))
    }

    /// The kind of a token, if it is one that is good.
    pub(super) fn token(&self, given: Option<&str>) -> Result<&'static str, Void> {
        if self.refuses_keys() {
            return Err(Void::Unknown);
        }
        self.till.tokens.kind(given.ok_or(Void::Unknown)?, self.now, self.plot.tokens_ended)
    }

    /// Counts the request, and says whether it is within a limit.
    pub(super) fn is_within(&mut self, bucket: &str, limit: Limit) -> bool {
        let left = self.till.limits.take(bucket, limit, self.now, self.speed);
        self.left = Some(left);
        left.is_within
    }

    /// When the newest order came in: one does each minute.
    pub(super) fn newest_order(&self) -> SystemTime {
        let passed = self.plot.no_orders_since.map_or(Duration::ZERO, |since| self.now.saturating_sub(since));
        let newest = self.date.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().saturating_sub(passed);
        SystemTime::UNIX_EPOCH + Duration::from_secs(newest.as_secs() / 60 * 60)
    }

    /// When the key ends.
    pub(super) fn key_ends(&self) -> SystemTime {
        let ends = self.plot.key_ends.unwrap_or(KEY_LIFE);
        self.date + ends.saturating_sub(self.now) - self.now.saturating_sub(ends)
    }
}

/// Milliseconds since 1970.
pub(super) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A time as RFC 3339 writes it.
pub(super) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

impl Manners {
    /// Who stands behind a server of this name.
    pub(super) fn of(host: &str) -> &'static Self {
        ALL.iter().find(|one| one.hosts.contains(&host)).unwrap_or(&ALL[ALL.len() - 1])
    }

    /// The forms that it has for a scenario.
    pub(super) fn variants_of(&self, scene: Scene) -> &'static [&'static str] {
        self.variants.iter().find(|(one, _)| *one == scene).map_or(&[], |(_, variants)| variants)
    }

    /// Whether it has a scenario at all.
    pub(super) fn has(&self, scene: Scene) -> bool {
        !scene.is_of_some() || self.own.contains(&scene)
    }

    /// What it answers.
    pub(super) fn answer(&self, visit: &mut Visit<'_>) -> Reply {
        let ask = visit.ask;
        let Some(route) = self.routes.iter().find(|route| route.is_for(ask)) else {
            if ask.method == "GET" && ask.path == "/" {
                return Reply::text(404, "not found\n");
            }
            return Reply::objection(format!("no preset of {} may send {} {}", self.name, ask.method, ask.path));
        };
        if let Some(objection) = route.objection(ask) {
            return Reply::objection(objection);
        }
        if ask.method == "GET" && !ask.body.is_empty() {
            return Reply::objection("a GET has a body");
        }
        if visit.plot.scene() == Some(Scene::RateLimited) {
            return (self.throttle)(visit);
        }
        if let Err(refusal) = route.admit.unwrap_or(self.admit)(visit) {
            return refusal;
        }
        let limit = visit.plot.limit.map(|limit| ("scenario", limit)).or(route.limit);
        if let Some((bucket, limit)) = limit
            && !visit.is_within(bucket, limit)
        {
            return (self.throttle)(visit);
        }
        if visit.plot.scene() == Some(Scene::AppError)
            && let Some(error) = (self.app_error)(visit)
        {
            return error;
        }
        (route.answer)(visit)
    }
}

/// Of a marketplace whose errors all have their status.
pub(super) fn no_app_error(_: &mut Visit<'_>) -> Option<Reply> {
    None
}
