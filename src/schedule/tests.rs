//! Time, panics and joining, with the clock paused.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::job::Asked;
use super::{Job, LONGEST_SCRAPE, Outcome, Schedule, Selection, patience, report};
use crate::collector::{Collector, Context, Failure, Paths, Reason};
use crate::config::types::TargetName;
use crate::metric::Catalogue;
use crate::snapshot::{Snapshot, Value};

crate::metrics! {
    DropIn as STUB;
    /// Whether the stub answered.
    STUB_UP = Gauge("stub_up", None, []);
    /// Runs of the stub so far.
    RUNS = Gauge("stub_runs", None, []);
    /// How long the stub's last run was waited for, from its beginning.
    TIME = Gauge("stub_time_seconds", Seconds, []);
}

/// What a stub does when it is run.
#[derive(Clone, Copy, PartialEq)]
enum Act {
    Answer,
    AnswerAfter(Duration),
    AnswerOnceThenHang,
    Hang,
    Panic,
    Refuse,
    Gap,
}

struct Stub {
    act: Act,
    runs: AtomicU64,
}

impl Collector for Stub {
    const NAME: &'static str = "stub";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(STUB)];
    const UP: Option<&'static crate::metric::Metric<0>> = Some(&STUB_UP);
    type Config = (Act, Option<Duration>);

    fn every(config: &Self::Config) -> Option<Duration> {
        config.1
    }

    fn new(config: &Self::Config, _: &Context) -> Self {
        Self { act: config.0, runs: AtomicU64::new(0) }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        out.push(&RUNS, [], self.runs.fetch_add(1, Ordering::Relaxed) + 1);
        out.push(&TIME, [], out.time_left().as_secs_f64());
        match self.act {
            Act::Answer => {}
            Act::AnswerAfter(time) => sleep(time).await,
            Act::AnswerOnceThenHang if self.runs.load(Ordering::Relaxed) == 1 => {}
            Act::Hang | Act::AnswerOnceThenHang => std::future::pending().await,
            Act::Panic => panic!("out of cheese"),
            Act::Refuse => return Err(Failure::message(Reason::Connect, "connection refused")),
            Act::Gap => out.gap(Failure::message(Reason::Permission, "may not see that")),
        }
        Ok(())
    }
}

/// What a stub's run may take.
const BUDGET: Duration = Duration::from_secs(30);

fn schedule(stubs: &[(&str, Act, Option<Duration>)]) -> Schedule {
    let context = Context::new(Paths::default());
    let jobs = stubs
        .iter()
        .map(|(name, act, every)| {
            let name: TargetName = name.parse().unwrap();
            Job::new::<Stub>(&name, &(*act, *every), Some(BUDGET), &context)
        })
        .collect();
    Schedule::start(jobs)
}

async fn scrape(schedule: &Schedule, patience: Duration) -> Vec<Arc<Outcome>> {
    schedule.scrape(&Selection::All, patience).await
}

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn subscriber(&self) -> impl tracing::Subscriber + use<> {
        let log = self.clone();
        tracing_subscriber::fmt().with_writer(move || log.clone()).finish()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn number(outcome: &Outcome, name: &str) -> Option<f64> {
    let (_, group) = outcome.findings.families().find(|(family, _)| family.name == name)?;
    match group.samples().next()?.1 {
        Value::Number(number) => Some(*number),
        other => panic!("{other:?}"),
    }
}

fn reason(outcome: &Outcome) -> Option<&'static str> {
    Some(outcome.failure.as_ref()?.reason.as_str())
}

#[tokio::test(start_paused = true)]
async fn a_scrape_ends_at_its_limit_with_everything_that_is_there() {
    let schedule = schedule(&[
        ("good", Act::Answer, None),
        ("hangs", Act::Hang, None),
        ("panics", Act::Panic, None),
        ("refuses", Act::Refuse, None),
        ("half", Act::Gap, None),
    ]);
    let begun = Instant::now();
    let outcomes = scrape(&schedule, Duration::from_secs(2)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(2));

    let seen: BTreeMap<_, _> = outcomes.iter().map(|o| (&*o.target, (number(o, "stub_up"), reason(o)))).collect();
    expect_test::expect![[r#"
        {
            "good": (
                Some(
                    1.0,
                ),
                None,
            ),
            "half": (
                Some(
                    1.0,
                ),
                None,
            ),
            "hangs": (
                Some(
                    0.0,
                ),
                Some(
                    "timeout",
                ),
            ),
            "panics": (
                Some(
                    0.0,
                ),
                Some(
                    "bug",
                ),
            ),
            "refuses": (
                Some(
                    0.0,
                ),
                Some(
                    "connect",
                ),
            ),
        }
    "#]]
    .assert_debug_eq(&seen);
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_leaves_no_half_families() {
    let schedule = schedule(&[("refuses", Act::Refuse, None)]);
    let outcomes = scrape(&schedule, LONGEST_SCRAPE).await;
    assert_eq!(number(&outcomes[0], "stub_runs"), None);
}

#[tokio::test(start_paused = true)]
async fn scrapes_join_a_run_under_way_and_a_finished_run_is_not_reused() {
    let schedule = schedule(&[("slow", Act::AnswerAfter(Duration::from_secs(1)), None)]);
    let (first, second) = tokio::join!(scrape(&schedule, LONGEST_SCRAPE), scrape(&schedule, LONGEST_SCRAPE));
    assert_eq!(first[0].id, second[0].id);
    let third = scrape(&schedule, LONGEST_SCRAPE).await;
    assert_eq!(number(&third[0], "stub_runs"), Some(2.0));
}

#[tokio::test(start_paused = true)]
async fn a_scrape_with_more_time_gets_what_a_hurried_one_gave_up_on() {
    let schedule = schedule(&[("slow", Act::AnswerAfter(Duration::from_secs(3)), None)]);
    let (hurried, patient) =
        tokio::join!(scrape(&schedule, Duration::from_secs(1)), scrape(&schedule, Duration::from_secs(9)));
    assert_eq!((reason(&hurried[0]), reason(&patient[0])), (Some("timeout"), None));
}

#[tokio::test(start_paused = true)]
async fn how_long_a_run_took_is_counted_once_it_has_ended_however_many_waited_for_it() {
    let schedule = schedule(&[("slow", Act::AnswerAfter(Duration::from_secs(3)), None)]);
    let waits = [1, 9, 9].map(|seconds| scrape(&schedule, Duration::from_secs(seconds)));
    join_all(waits).await;
    let runs = schedule.jobs()[0].last().unwrap().tally.runs.clone();
    assert_eq!((runs.count(), runs.sum), (1, 3.0));
}

#[tokio::test(start_paused = true)]
async fn a_run_knows_how_long_it_is_waited_for() {
    let schedule = schedule(&[("a", Act::Answer, None)]);
    let short = Duration::from_secs(1);
    for (patience, told) in [(short, short), (2 * BUDGET, BUDGET)] {
        let outcomes = scrape(&schedule, patience).await;
        assert_eq!(number(&outcomes[0], "stub_time_seconds"), Some(told.as_secs_f64()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_scraper_that_goes_away_cancels_nothing_for_the_others() {
    let schedule = schedule(&[("slow", Act::AnswerAfter(Duration::from_secs(3)), None)]);
    tokio::select! {
        _ = scrape(&schedule, LONGEST_SCRAPE) => panic!("too fast"),
        () = sleep(Duration::from_secs(1)) => {}
    }
    let begun = Instant::now();
    let outcomes = scrape(&schedule, LONGEST_SCRAPE).await;
    assert_eq!((begun.elapsed(), reason(&outcomes[0])), (Duration::from_secs(2), None));
}

#[tokio::test(start_paused = true)]
async fn a_hung_run_is_counted_once_however_many_scrapes_give_up_on_it() {
    let schedule = schedule(&[("hangs", Act::Hang, None)]);
    for _ in 0..10 {
        scrape(&schedule, Duration::from_millis(100)).await;
    }
    sleep(Duration::from_secs(40)).await;
    let last = schedule.jobs()[0].last().unwrap();
    assert_eq!(last.tally.failures[Reason::Timeout as usize], 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_while_a_scrape_gives_up_on_it_is_what_the_scrape_gets() {
    let schedule = schedule(&[("answers", Act::Answer, None)]);
    let Asked::Running(job, run) = schedule.jobs()[0].begin(Instant::now() + LONGEST_SCRAPE) else { unreachable!() };
    sleep(Duration::from_secs(1)).await;
    let outcome = job.give_up(&run);
    assert!(outcome.failure.is_none());
    assert_eq!(outcome.tally.failures[Reason::Timeout as usize], 0);
}

#[tokio::test(start_paused = true)]
async fn a_scrape_runs_only_the_jobs_it_asks_for() {
    let schedule = schedule(&[("one", Act::Answer, None), ("two", Act::Answer, None)]);
    let two = Selection::One { collector: "stub".to_owned(), target: "two".to_owned() };
    let outcomes = schedule.scrape(&two, LONGEST_SCRAPE).await;
    assert_eq!(outcomes.iter().map(|outcome| &*outcome.target).collect::<Vec<_>>(), ["two"]);
    assert!(schedule.jobs()[0].last().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_successor_keeps_the_jobs_it_is_given_and_ends_the_timers_of_those_it_is_not() {
    let every = Some(Duration::from_mins(1));
    let before = schedule(&[("stays", Act::Answer, every), ("goes", Act::Answer, every)]);
    sleep(Duration::from_secs(61)).await;
    let (stays, goes) = (before.jobs()[0].clone(), before.jobs()[1].clone());
    let name = "stays".parse().unwrap();
    let (same, other) = (Some(Duration::from_secs(30)), Some(Duration::from_secs(31)));
    assert!(stays.is::<Stub>(&name, &(Act::Answer, every), same));
    assert!(!stays.is::<Stub>(&name, &(Act::Answer, every), other), "another budget");
    assert!(!stays.is::<Stub>(&name, &(Act::Answer, None), same), "another configuration");
    assert!(!goes.is::<Stub>(&name, &(Act::Answer, every), same), "another target");

    let after = before.succeeded_by(vec![stays]);
    sleep(Duration::from_mins(5)).await;
    assert_eq!(number(&after.jobs()[0].last().unwrap(), "stub_runs"), Some(7.0));
    assert_eq!(number(&goes.last().unwrap(), "stub_runs"), Some(2.0));
}

#[tokio::test(start_paused = true)]
async fn a_scrape_that_began_before_a_reload_still_gets_its_answer() {
    let before = schedule(&[("slow", Act::AnswerAfter(Duration::from_secs(3)), None)]);
    let (outcomes, _after) = tokio::join!(scrape(&before, LONGEST_SCRAPE), async {
        sleep(Duration::from_secs(1)).await;
        before.succeeded_by(Vec::new())
    });
    assert_eq!(reason(&outcomes[0]), None);
}

#[tokio::test(start_paused = true)]
async fn a_timer_runs_at_once_then_every_period_and_a_scrape_reads_its_last_outcome() {
    let schedule = schedule(&[("timer", Act::Answer, Some(Duration::from_mins(1)))]);
    let first = scrape(&schedule, LONGEST_SCRAPE).await;
    let again = scrape(&schedule, LONGEST_SCRAPE).await;
    assert_eq!(first[0].id, again[0].id);
    sleep(Duration::from_secs(61)).await;
    let later = scrape(&schedule, LONGEST_SCRAPE).await;
    assert_eq!(number(&later[0], "stub_runs"), Some(2.0), "one run a period, and none for a scrape");
}

#[tokio::test(start_paused = true)]
async fn timers_that_start_together_do_not_run_together() {
    let every = Duration::from_mins(1);
    let names: Vec<_> = (0..20).map(|number| format!("timer{number}")).collect();
    let stubs: Vec<_> = names.iter().map(|name| (name.as_str(), Act::Answer, Some(every))).collect();
    let schedule = schedule(&stubs);
    let runs = || -> f64 { schedule.jobs().iter().filter_map(|job| number(job.last()?.as_ref(), "stub_runs")).sum() };
    let mut began = Vec::new();
    for _ in 0..4 {
        sleep(every / 4).await;
        began.push(runs());
    }
    assert!(began[..2] == [20.0, 20.0] && began[2] > 24.0 && began[2] < 36.0 && began[3] == 40.0, "{began:?}");
}

#[tokio::test(start_paused = true)]
async fn a_timers_outcome_is_withheld_after_three_periods_without_another() {
    let every = Duration::from_secs(5);
    let schedule = schedule(&[("timer", Act::AnswerOnceThenHang, Some(every))]);
    scrape(&schedule, LONGEST_SCRAPE).await;
    sleep(3 * every).await;
    let fresh = scrape(&schedule, LONGEST_SCRAPE).await;
    assert_eq!((reason(&fresh[0]), number(&fresh[0], "stub_runs")), (None, Some(1.0)));
    sleep(every).await;
    let stale = scrape(&schedule, LONGEST_SCRAPE).await;
    assert_eq!((reason(&stale[0]), number(&stale[0], "stub_runs")), (Some("stale"), None));
    assert_eq!(stale[0].tally.failures[Reason::Stale as usize], 1);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_stays_hung_is_told_of_once() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber());
    let schedule = schedule(&[("hangs", Act::Hang, None)]);
    for _ in 0..3 {
        scrape(&schedule, Duration::from_secs(1)).await;
        // The run has a budget of its own, and ends after the scrape has given up on it.
        sleep(Duration::from_mins(1)).await;
    }
    assert_eq!(log.text().matches("down: ").count(), 1, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn gaps_are_counted_while_the_target_is_up() {
    let schedule = schedule(&[("half", Act::Gap, None)]);
    let outcomes = scrape(&schedule, LONGEST_SCRAPE).await;
    let mut out = Snapshot::default();
    report(&outcomes, &mut out);
    let (findings, _, _) = out.finish();
    let (_, group) = findings.families().find(|(f, _)| f.name == "vitrin_collect_failures_total").unwrap();
    let counts: Vec<_> = group
        .samples()
        .filter(|(_, value)| **value != Value::Number(0.0))
        .map(|(labels, _)| labels.collect::<Vec<_>>())
        .collect();
    assert_eq!(counts, [["stub", "half", "permission"]]);
}

#[test]
fn a_scrape_waits_half_a_second_less_than_it_may_and_never_longer_than_the_cap() {
    let ms = Duration::from_millis;
    for (limit, waits) in [
        (None, ms(9_500)),
        (Some(10.0), ms(9_500)),
        (Some(60.0), ms(9_500)),
        (Some(3.0), ms(2_500)),
        (Some(0.6), ms(100)),
        (Some(0.1), ms(50)),
        (Some(0.0), ms(9_500)),
        (Some(-1.0), ms(9_500)),
        (Some(f64::NAN), ms(9_500)),
        (Some(f64::INFINITY), ms(9_500)),
    ] {
        assert_eq!(patience(limit), waits, "{limit:?}");
    }
}
