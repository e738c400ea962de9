//! Every question that the dashboards ask, asked of a real Prometheus over a real shop, with the shipped rules and a
//! minute made a second: panels, annotations and variables.
//!
//! Twice: while the shop has a busy hour in which something of everything happens, when each must have an answer; and
//! with a server stopped, when none may be an error.

mod accounts;
mod answer;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use answer::{Asker, Question};

use super::model::Dashboard;
use crate::bundle::files::{SHIPPED, rows};
use crate::bundle::none;
use crate::support::world::compress::minutes;

/// How long there may be no answer: a busy machine is slow, and the ladder takes an hour.
const PATIENCE: Duration = Duration::from_mins(3);

/// A question that may have no answer even in a busy hour, and why.
struct Unanswered {
    question: [String; 3],
    /// Whether it depends on the machine or on the servers' versions; others never have one.
    sometimes: bool,
    why: String,
}

/// The list of them: file, panel, query, `never` or `sometimes`, why.
fn unanswered() -> Vec<Unanswered> {
    rows(&Path::new(SHIPPED).join("tests/it/grafana/unanswered.tsv"), |[file, panel, query, when, why]: [String; 5]| {
        Unanswered { question: [file, panel, query], sometimes: when == "sometimes", why }
    })
}

#[test]
fn every_query_has_an_answer_in_a_busy_hour_and_none_fails_with_a_server_down() {
    let dashboards = Dashboard::all(Path::new(SHIPPED));
    let (mut world, accounts) = story::begin();
    let begun = Instant::now();
    let mut last = BTreeMap::new();
    let questions = answer::questions(&dashboards);
    let excused = unanswered();
    let is_excused = |question: &Question<'_>| excused.iter().any(|of| of.question == question.name());
    let (mut open, mut answered): (Vec<_>, BTreeSet<[String; 3]>) = (questions.iter().collect(), BTreeSet::new());
    let mut told = 0;
    // What was answered well once need not be asked again; what has none is asked until nobody waits any more.
    while open.iter().any(|question| !is_excused(question)) && begun.elapsed() < PATIENCE {
        story::go_on(&world, &accounts, told);
        told += 1;
        // Everything, as a dashboard opens; and all values one by one, as somebody may choose them.
        let opened = Asker::new(world.monitoring(), &dashboards, false);
        let chosen = Asker::new(world.monitoring(), &dashboards, true);
        open.retain(|question| match opened.ask(question).and_then(|()| chosen.ask(question)) {
            Ok(()) => {
                answered.insert(question.name());
                false
            }
            Err(complaint) => {
                last.insert(question.name(), complaint);
                true
            }
        });
        world.timeline.pass(minutes(1.0));
    }
    let asker = Asker::new(world.monitoring(), &dashboards, false);
    let mut complaints: Vec<String> = open
        .iter()
        .filter(|question| !is_excused(question))
        .map(|question| format!("{question}: {}", last[&question.name()]))
        .collect();
    complaints.extend(asker.crowded(&questions));
    for Unanswered { question, sometimes, why } in &excused {
        let known = questions.iter().any(|known| known.name() == *question);
        if !known || !why.ends_with('.') {
            complaints.push(format!("unanswered.tsv: {question:?} is not asked, or its reason is no sentence: {why}"));
        } else if answered.contains(question) && !sometimes {
            complaints.push(format!("unanswered.tsv: {question:?} has an answer after all"));
        }
    }
    none(&complaints);

    story::stop_something(&mut world);
    let asker = Asker::new(world.monitoring(), &dashboards, false);
    let complaints: Vec<String> = questions
        .iter()
        .filter_map(|question| {
            asker.fails(question).map(|complaint| format!("with Redis down: {question}: {complaint}"))
        })
        .collect();
    none(&complaints);
    println!("{} questions, {:.0} s", questions.len(), begun.elapsed().as_secs_f64());
}
