//! The timeline: what a scenario has for a connection, or a request, at this moment.

use std::sync::Arc;
use std::time::Duration;

use super::limits::Limit;
use super::manners::Manners;
use super::scenario::{Canned, Effect, Latency, Play, Scenario, Scene, Step};
use super::tokens::Void;

/// What happens to a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Greeting {
    /// How much longer TLS takes, and by what part of itself that varies.
    pub(super) delay: (Duration, f64),
    /// What goes wrong with it.
    pub(super) scene: Option<Scene>,
}

/// What happens to a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plot {
    /// How much longer the answer takes.
    pub(super) latency: Latency,
    /// The answer, where it was written down.
    pub(super) answer: Option<Canned>,
    /// The scenario.
    pub(super) play: Option<Play>,
    /// How many requests the step of that scenario was for before this one.
    pub(super) turn: u32,
    /// The limit, in place of the marketplace's own.
    pub(super) limit: Option<Limit>,
    /// How long tokens live.
    pub(super) token_life: Option<Duration>,
    /// When the key ends, counted from the start.
    pub(super) key_ends: Option<Duration>,
    /// When all tokens ended that were given out until then, and how.
    pub(super) tokens_ended: Option<(Duration, Void)>,
    /// Since when no order has come in.
    pub(super) no_orders_since: Option<Duration>,
}

impl Plot {
    /// The scenario's name.
    pub(super) fn scene(&self) -> Option<Scene> {
        self.play.map(|play| play.scene)
    }

    /// Whether it is this one, and which form of it is asked for.
    pub(super) fn plays(&self, scene: Scene) -> Option<&'static str> {
        self.play.filter(|play| play.scene == scene).map(|play| play.variant.unwrap_or_default())
    }
}

/// A scenario that runs, and what was added to it since.
#[derive(Debug, Default)]
pub(super) struct Script {
    repeat: Option<Duration>,
    /// Those of the file, and then those that were added.
    steps: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    step: Arc<Step>,
    /// When it was added; what is of the file repeats.
    added: Option<Duration>,
    /// For how many requests or connections it was, and in which round.
    used: (u64, u32),
}

/// A step that is under way.
struct Active<'a> {
    step: Arc<Step>,
    /// When it began.
    since: Duration,
    used: &'a mut u32,
}

impl Script {
    /// A scenario at its start.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let mut script = Self { repeat: scenario.repeat, steps: Vec::new() };
        script.extend(&scenario.steps, None);
        script
    }

    /// Adds steps whose times count from now.
    pub(super) fn add(&mut self, steps: &[Step], now: Duration) {
        self.extend(steps, Some(now));
    }

    /// How many steps there are.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    fn extend(&mut self, steps: &[Step], added: Option<Duration>) {
        self.steps.extend(steps.iter().map(|step| Running { step: step.clone().into(), added, used: (0, 0) }));
    }

    /// What happens to a connection for this marketplace.
    pub(super) fn greeting(&mut self, manners: &Manners, now: Duration) -> Greeting {
        let mut greeting = Greeting::default();
        for active in self.active(manners, now) {
            match &active.step.effect {
                Effect::Latency(latency) => greeting.delay = (latency.tls, latency.jitter),
                Effect::Scene(play) if play.scene.is_of_the_connection() => {
                    greeting.scene = Some(play.scene);
                    *active.used += 1;
                }
                Effect::Scene(Play { scene: Scene::Ok, .. }) => greeting = Greeting::default(),
                _ => {}
            }
        }
        greeting
    }

    /// What happens to a request of this path. Of several steps for one thing the last counts.
    pub(super) fn plot(&mut self, manners: &Manners, path: &str, now: Duration) -> Plot {
        let mut plot = Plot::default();
        for active in self.active(manners, now).filter(|active| active.step.is_for(path)) {
            match &active.step.effect {
                Effect::Latency(latency) => plot.latency = *latency,
                Effect::Answer(answer) => plot.answer = Some(answer.clone()),
                Effect::Limit(limit) => plot.limit = Some(*limit),
                Effect::TokenLife(life) => plot.token_life = Some(*life),
                Effect::KeyLife(life) => plot.key_ends = Some(active.since.saturating_add(*life)),
                Effect::Scene(play) => match play.scene {
                    Scene::TokenExpired => plot.tokens_ended = Some((active.since, Void::Expired)),
                    Scene::RevokeTokens => plot.tokens_ended = Some((active.since, Void::Unknown)),
                    Scene::NoOrders => plot.no_orders_since = Some(active.since),
                    scene if scene.is_of_the_connection() => continue,
                    Scene::Ok => (plot.play, plot.answer, plot.latency) = (None, None, Latency::default()),
                    _ => (plot.play, plot.turn) = (Some(*play), *active.used),
                },
            }
            *active.used = active.used.saturating_add(1);
        }
        plot
    }

    /// The steps that are under way for a marketplace, in their order.
    fn active<'a>(&'a mut self, manners: &'a Manners, now: Duration) -> impl Iterator<Item = Active<'a>> {
        let repeat = self.repeat;
        self.steps.iter_mut().filter_map(move |running| {
            let step = running.step.clone();
            if step.whom.0.is_some_and(|whom| whom.name != manners.name) {
                return None;
            }
            let (round, base) = match (running.added, repeat) {
                (Some(added), _) => (0, added),
                (None, None) => (0, Duration::ZERO),
                (None, Some(repeat)) => {
                    let rounds = now.as_nanos() / repeat.as_nanos().max(1);
                    let since = repeat.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
                    (u64::try_from(rounds).unwrap_or(u64::MAX), since)
                }
            };
            if running.used.0 != round {
                running.used = (round, 0);
            }
            let since = base.saturating_add(step.at);
            let passed = now.checked_sub(since)?;
            let is_over = step.lasts.is_some_and(|lasts| passed >= lasts)
                || step.times.is_some_and(|times| running.used.1 >= times);
            (!is_over).then_some(Active { step, since, used: &mut running.used.1 })
        })
    }
}

#[cfg(test)]
mod tests;
