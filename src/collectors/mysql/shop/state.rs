//! What is known of a shop between two runs: where it is, when each question is due, and what was answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::answer::Sample;
use super::metrics::LAST_SUCCESS;
use super::question::{Layout, Question, Verdict};
use crate::collector::{Failure, Reason};
use crate::metric::Family;
use crate::snapshot::Snapshot;

/// How long we believe what we have seen of the tables: rights and tables come and go.
const LAYOUT_LIFETIME: Duration = Duration::from_mins(10);

/// How soon we look again where no shop was found, or the look came to no end.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// A question rests a hundred times as long as it took: however large the tables are, it has the server work for it no
/// more than a hundredth of the time.
const REST: u32 = 100;

/// After this many periods without an answer, the last one is too old to show.
const STALE_PERIODS: u32 = 3;

/// What is known of the shop.
#[derive(Debug, Default)]
pub(super) struct State {
    looked: Option<Looked>,
    known: BTreeMap<String, Known>,
}

/// What came of a look at the tables, and until when it holds.
#[derive(Debug)]
struct Looked {
    until: Instant,
    layout: Result<Arc<Layout>, (Reason, String)>,
}

/// What is known of one question.
#[derive(Debug, Default)]
struct Known {
    begun: Option<Instant>,
    /// From one beginning to the next.
    pause: Duration,
    /// When it was last answered, by our clock and by the wall's.
    answered: Option<(Instant, Duration)>,
    /// The answer; empty again when it fails.
    samples: Vec<Sample>,
}

impl Known {
    /// Forgets the answer. The question goes on resting: tables that were away for a minute are as large as before.
    fn forget(&mut self) {
        self.answered = None;
        self.samples.clear();
    }
}

impl State {
    /// Where the shop is; `None` when we have to look.
    ///
    /// # Errors
    /// When we have looked a moment ago and did not find it.
    pub(super) fn layout(&self) -> Result<Option<Arc<Layout>>, Failure> {
        match self.looked.as_ref().filter(|looked| Instant::now() < looked.until) {
            None => Ok(None),
            Some(Looked { layout: Ok(layout), .. }) => Ok(Some(layout.clone())),
            Some(Looked { layout: Err((reason, message)), .. }) => Err(Failure::message(*reason, message.clone())),
        }
    }

    /// Keeps what came of a look that began then. A look that came to no end says nothing of the shop: where it was found
    /// before, it is believed to be there still, and the failure is a gap.
    ///
    /// # Errors
    /// When there is no shop to be seen, or no look has ever come to its end.
    pub(super) fn keep(
        &mut self,
        begun: Instant,
        looked: Result<Verdict, Failure>,
        out: &mut Snapshot,
    ) -> Result<Arc<Layout>, Failure> {
        let lifetime = if matches!(looked, Ok(Ok(_))) { LAYOUT_LIFETIME } else { LOOK_AGAIN };
        let until = begun + lifetime.max(begun.elapsed() * REST);
        let (kept, layout) = match looked {
            Ok(Ok(layout)) => {
                let layout = Arc::new(layout);
                let is_asked = |name: &String| layout.questions.iter().any(|question| question.name == *name);
                self.known.retain(|name, _| is_asked(name));
                (Ok(layout.clone()), Ok(layout))
            }
            Ok(Err(failure)) => {
                self.known.values_mut().for_each(Known::forget);
                (Err((failure.reason, failure.to_string())), Err(failure))
            }
            Err(failure) => match self.looked.take() {
                Some(Looked { layout: Ok(layout), .. }) => {
                    out.gap(failure);
                    (Ok(layout.clone()), Ok(layout))
                }
                _ => (Err((failure.reason, failure.to_string())), Err(failure)),
            },
        };
        self.looked = Some(Looked { until, layout: kept });
        layout
    }

    /// The questions whose rest is over.
    pub(super) fn due(&self) -> Vec<Arc<Question>> {
        let Some(Looked { layout: Ok(layout), .. }) = &self.looked else { return Vec::new() };
        let is_due = |question: &&Arc<Question>| {
            let known = self.known.get(&question.name);
            known.and_then(|known| Some(known.begun?.elapsed() >= known.pause)).unwrap_or(true)
        };
        layout.questions.iter().filter(is_due).cloned().collect()
    }

    /// Notes what came of a question that was asked then; what failed of it comes back.
    pub(super) fn note(
        &mut self,
        question: &Question,
        begun: Instant,
        answer: Result<(Vec<Sample>, Vec<Failure>), Failure>,
        out: &mut Snapshot,
    ) -> Option<Failure> {
        let known = self.known.entry(question.name.clone()).or_default();
        known.begun = Some(begun);
        known.pause = question.every.max(begun.elapsed() * REST);
        let doing = |failure: Failure| failure.context(format!("asking the shop's database for `{}`", question.name));
        match answer {
            Ok((samples, complaints)) => {
                let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                known.answered = Some((Instant::now(), wall));
                known.samples = samples;
                for complaint in complaints {
                    out.gap(doing(complaint));
                }
                None
            }
            Err(failure) => {
                known.samples.clear();
                Some(doing(failure))
            }
        }
    }

    /// Shows the last answers.
    pub(super) fn report(&self, out: &mut Snapshot) {
        for (name, known) in &self.known {
            let Some((answered, wall)) = known.answered else { continue };
            out.push(&LAST_SUCCESS, [name.as_str()], wall.as_secs_f64());
            if answered.elapsed() > known.pause * STALE_PERIODS {
                if !known.samples.is_empty() {
                    let message = format!("the answer to `{name}` is too old to show");
                    out.gap(Failure::message(Reason::Stale, message));
                }
                continue;
            }
            for Sample { desc, labels, value } in &known.samples {
                let labels: Vec<_> = labels.iter().map(String::as_str).collect();
                out.push_family(Family::Declared(desc), &labels, *value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::mysql::shown;

    fn layout(names: &[&str]) -> Layout {
        let questions = names.iter().map(|name| Arc::new(Question::named(name, Duration::from_mins(1))));
        Layout { time_zone: None, questions: questions.collect() }
    }

    fn sample() -> Sample {
        let desc = super::super::metrics::named("shop_orders_newest_timestamp_seconds").unwrap();
        Sample { desc, labels: Vec::new(), value: 7.0 }
    }

    fn reported(state: &State) -> (String, usize) {
        let [mut out, mut again] = [Snapshot::default(), Snapshot::default()];
        state.report(&mut out);
        state.report(&mut again);
        (shown(out, "shop_orders_newest"), again.finish().1.len())
    }

    #[test]
    fn a_question_rests_a_hundred_times_as_long_as_it_took() {
        let mut state = State::default();
        let mut out = Snapshot::default();
        state.keep(Instant::now(), Ok(Ok(layout(&["slow", "quick"]))), &mut out).unwrap();
        for question in state.due() {
            let took = if question.name == "slow" { Duration::from_secs(2) } else { Duration::ZERO };
            let begun = Instant::now().checked_sub(took).unwrap();
            assert!(state.note(&question, begun, Ok((vec![sample()], Vec::new())), &mut out).is_none());
        }
        assert!(state.due().is_empty());
        assert!(state.known["slow"].pause >= Duration::from_secs(200));
        assert!(state.known["quick"].pause < Duration::from_secs(100));
    }

    #[test]
    fn an_answer_is_gone_when_the_next_one_fails_or_is_too_late() {
        let mut state = State::default();
        let mut out = Snapshot::default();
        state.keep(Instant::now(), Ok(Ok(layout(&["newest_order"]))), &mut out).unwrap();
        let question = state.due().remove(0);
        state.note(&question, Instant::now(), Ok((vec![sample()], Vec::new())), &mut out);
        assert_eq!(reported(&state), ("shop_orders_newest_timestamp_seconds [] Number(7.0)\n".to_owned(), 0));
        state.known.get_mut("newest_order").unwrap().pause = Duration::ZERO;
        assert_eq!(reported(&state), (String::new(), 1));
        let failure = Failure::message(Reason::Timeout, "no answer");
        let failure = state.note(&question, Instant::now(), Err(failure), &mut out).unwrap();
        assert_eq!(failure.to_string(), "asking the shop's database for `newest_order`: no answer");
        assert_eq!(reported(&state), (String::new(), 0));
    }

    #[test]
    fn a_shop_that_was_not_found_stays_so_until_we_look_again() {
        let (mut state, mut out) = (State::default(), Snapshot::default());
        assert!(state.layout().unwrap().is_none());
        let nothing = Failure::message(Reason::Permission, "no table");
        assert!(state.keep(Instant::now(), Ok(Err(nothing)), &mut out).is_err());
        assert_eq!(state.layout().unwrap_err().reason, Reason::Permission);
        // A question of tables that are gone is forgotten with its answer.
        state.keep(Instant::now(), Ok(Ok(layout(&["cron"]))), &mut out).unwrap();
        let question = state.due().remove(0);
        state.note(&question, Instant::now(), Ok((vec![sample()], Vec::new())), &mut out);
        state.keep(Instant::now(), Ok(Ok(layout(&["orders"]))), &mut out).unwrap();
        assert_eq!(reported(&state), (String::new(), 0));
    }

    /// A shop whose one question was answered, and rests.
    fn answered() -> State {
        let (mut state, mut out) = (State::default(), Snapshot::default());
        state.keep(Instant::now(), Ok(Ok(layout(&["newest_order"]))), &mut out).unwrap();
        let question = state.due().remove(0);
        state.note(&question, Instant::now(), Ok((vec![sample()], Vec::new())), &mut out);
        state
    }

    #[test]
    fn a_look_without_an_end_forgets_nothing_and_is_a_gap() {
        let (mut state, mut out) = (answered(), Snapshot::default());
        let begun = Instant::now().checked_sub(Duration::from_secs(5)).unwrap();
        let slow = Failure::message(Reason::Timeout, "no answer in 5s");
        assert_eq!(state.keep(begun, Err(slow), &mut out).unwrap().questions.len(), 1);
        assert!(state.layout().unwrap().is_some() && state.due().is_empty());
        assert_eq!(reported(&state), ("shop_orders_newest_timestamp_seconds [] Number(7.0)\n".to_owned(), 0));
        let gaps = out.finish().1;
        assert!(matches!(gaps.as_slice(), [gap] if gap.to_string() == "no answer in 5s"), "{gaps:?}");
        // It took long, and rests for as many times as long.
        assert!(state.looked.unwrap().until > Instant::now() + Duration::from_secs(400));
    }

    #[test]
    fn where_no_look_ever_came_to_an_end_there_is_no_shop_to_ask() {
        let (mut state, mut out) = (State::default(), Snapshot::default());
        let slow = Failure::message(Reason::Timeout, "no answer in 5s");
        assert_eq!(state.keep(Instant::now(), Err(slow), &mut out).unwrap_err().reason, Reason::Timeout);
        assert_eq!(state.layout().unwrap_err().reason, Reason::Timeout);
        assert!(out.finish().1.is_empty());
    }

    #[test]
    fn a_shop_that_is_gone_is_not_shown_and_not_asked_at_once_when_it_is_back() {
        let (mut state, mut out) = (answered(), Snapshot::default());
        let gone = Failure::message(Reason::Permission, "no table");
        assert!(state.keep(Instant::now(), Ok(Err(gone)), &mut out).is_err());
        assert_eq!(reported(&state), (String::new(), 0));
        state.keep(Instant::now(), Ok(Ok(layout(&["newest_order", "orders"]))), &mut out).unwrap();
        let due: Vec<_> = state.due().iter().map(|question| question.name.clone()).collect();
        assert_eq!(due, ["orders"]);
    }
}
