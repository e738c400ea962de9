//! All marketplaces together: what they remember, what the scenario has for them, and the requests that came.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::ask::Ask;
use super::delivery::{Delivery, Shape};
use super::journal::{Journal, Seen};
use super::lines::Lines;
use super::manners::{Manners, Till, Visit};
use super::reply::Reply;
use super::scenario::{RetryAfter, STEPS, Scenario, Scene};
use super::script::{Greeting, Plot, Script};

/// What everybody shares.
pub(super) struct World {
    /// The scenario of the file.
    scenario: Scenario,
    state: Mutex<State>,
    connections: AtomicU64,
    /// The log.
    pub(super) lines: Lines,
}

struct State {
    begun: Instant,
    begun_at: SystemTime,
    script: Script,
    speed: f64,
    listed: Vec<IpAddr>,
    tills: BTreeMap<&'static str, Till>,
    journal: Journal,
}

impl State {
    fn new(scenario: &Scenario) -> Self {
        Self {
            begun: Instant::now(),
            begun_at: SystemTime::now(),
            script: Script::new(scenario),
            speed: scenario.speed.map_or(1.0, |speed| speed.0),
            listed: scenario.stage_addresses.clone(),
            tills: BTreeMap::new(),
            journal: Journal::default(),
        }
    }
}

impl World {
    /// A world in which this scenario begins now.
    pub(super) fn new(scenario: Scenario, lines: Lines) -> Self {
        let state = Mutex::new(State::new(&scenario));
        Self { scenario, state, connections: AtomicU64::new(0), lines }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a new connection.
    pub(super) fn connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What happens to a connection to this server.
    pub(super) fn greeting(&self, server: Option<&str>) -> Greeting {
        let mut state = self.state();
        let now = state.begun.elapsed();
        state.script.greeting(Manners::of(server.unwrap_or_default()), now)
    }

    /// What becomes of a request, and its number.
    pub(super) fn take(&self, ask: &Ask, connection: u64, client: IpAddr) -> (u64, Delivery) {
        let manners = Manners::of(&ask.host);
        let mut state = self.state();
        let state = &mut *state;
        let now = state.begun.elapsed();
        let date = state.begun_at + now;
        let plot = state.script.plot(manners, &ask.path, now);
        let mut visit = Visit {
            ask,
            till: state.tills.entry(manners.name).or_default(),
            plot: &plot,
            now,
            date,
            speed: state.speed,
            is_listed: state.listed.contains(&client),
            left: None,
        };
        let reply = reply(manners, &mut visit);
        let mut seen = Seen::new(ask, manners, connection, now, date);
        seen.status = reply.as_ref().map_or(0, |reply| reply.status.as_u16());
        let objection = reply.as_ref().and_then(|reply| reply.objection.clone());
        seen.because = objection.unwrap_or_else(|| because(&plot));
        let seen = state.journal.add(seen);
        self.lines.say(&seen);
        (seen.number, Delivery::new(reply, &plot, seen.number))
    }

    /// Says that the answer to a request began.
    pub(super) fn answered(&self, number: u64) {
        let mut state = self.state();
        let now = state.begun.elapsed();
        state.journal.answered(number, now);
    }

    /// Adds steps, whose times count from now, to those there are.
    ///
    /// # Errors
    /// When there are too many, or something is said that a running scenario cannot follow.
    pub(super) fn add(&self, scenario: &Scenario) -> Result<usize, String> {
        if scenario.repeat.is_some() {
            return Err("`repeat` is for scenarios of a file".to_owned());
        }
        let mut state = self.state();
        if state.script.len() + scenario.steps.len() > STEPS {
            return Err(format!("more than {STEPS} steps together; POST /reset forgets those that were added"));
        }
        let now = state.begun.elapsed();
        state.script.add(&scenario.steps, now);
        if let Some(speed) = scenario.speed {
            state.speed = speed.0;
        }
        if !scenario.stage_addresses.is_empty() {
            state.listed.clone_from(&scenario.stage_addresses);
        }
        Ok(state.script.len())
    }

    /// Begins anew: the scenario of the file, no tokens, no requests.
    pub(super) fn reset(&self) {
        *self.state() = State::new(&self.scenario);
    }

    /// The requests after a number, of one marketplace or all, as JSON.
    pub(super) fn requests(&self, after: u64, marketplace: Option<&str>) -> serde_json::Result<String> {
        let state = self.state();
        serde_json::to_string_pretty(&state.journal.after(after, marketplace).collect::<Vec<_>>())
    }
}

/// What is answered; `None` where nothing is.
fn reply(manners: &Manners, visit: &mut Visit<'_>) -> Option<Reply> {
    let (scene, plot) = (visit.plot.scene(), visit.plot);
    if matches!(scene, Some(Scene::Stall | Scene::Reset)) {
        return None;
    }
    if let Some(answer) = &plot.answer {
        let (headers, body) = (answer.headers.clone(), answer.body.clone());
        return Some(Reply { status: answer.status, headers, body, objection: None });
    }
    let reply = match scene {
        Some(Scene::Html403) => Reply::wall(403),
        Some(Scene::Html503) => Reply::maintenance(503),
        Some(Scene::BrownOut) if !plot.turn.is_multiple_of(2) => Reply::text(503, "Service Unavailable"),
        Some(Scene::RedirectLogin) => {
            let place = format!("https://{}/login?returnUrl={}", visit.ask.host, visit.ask.path);
            Reply::empty(302).with("Location", &place)
        }
        Some(Scene::HugeBody) => Reply::new(200, "application/json", ""),
        _ => manners.answer(visit),
    };
    let play = plot.play;
    let reply = match play.and_then(|play| play.retry_after) {
        Some(after) => reply.replacing("Retry-After", &RetryAfter::written(after, visit.date)),
        None => reply,
    };
    Some(match scene {
        Some(Scene::WrongContentType) => reply.replacing("content-type", "text/html; charset=utf-8"),
        Some(Scene::DateSkew) => {
            let skew = play.map_or(0.0, |play| play.skew);
            reply.replacing("Date", &httpdate::fmt_http_date(shifted(visit.date, skew)))
        }
        _ => reply,
    })
}

/// A time so many seconds later, or earlier.
fn shifted(time: SystemTime, seconds: f64) -> SystemTime {
    let by = Duration::try_from_secs_f64(seconds.abs()).unwrap_or_default();
    if seconds < 0.0 { time - by } else { time + by }
}

/// The scenario that an answer is owed to, for the log.
fn because(plot: &Plot) -> String {
    match (plot.scene(), &plot.answer) {
        (Some(scene), _) => scene.word().to_owned(),
        (None, Some(_)) => "scripted".to_owned(),
        (None, None) => String::new(),
    }
}

/// What is to be done with an answer on its way.
impl Delivery {
    fn new(reply: Option<Reply>, plot: &Plot, number: u64) -> Self {
        let scene = plot.scene();
        let latency = plot.latency;
        let slower = Duration::from_millis(match scene {
            Some(Scene::Slow) => Scene::SLOW_MS,
            Some(Scene::BrownOut) if plot.turn.is_multiple_of(2) => Scene::BROWN_OUT_MS,
            _ => 0,
        });
        Self {
            processing: varied(latency.processing, latency.jitter, number) + slower,
            transfer: varied(latency.body, latency.jitter, number),
            shape: match scene {
                Some(Scene::Stall) => Shape::Never,
                Some(Scene::Reset) => Shape::Reset,
                Some(Scene::Truncated) => Shape::Truncated,
                Some(Scene::HugeBody) if plot.answer.is_none() => Shape::Huge,
                _ => Shape::Whole,
            },
            reply,
        }
    }
}

/// A length of time that varies by a part of itself; by chance, but the same in each run.
pub(super) fn varied(time: Duration, jitter: f64, number: u64) -> Duration {
    // The finisher of SplitMix64: near numbers come far apart.
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let chance = f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or_default()) / f64::from(u32::MAX);
    time.mul_f64((1.0 + jitter * (2.0 * chance - 1.0)).max(0.0))
}

#[cfg(test)]
mod tests;
