use std::path::Path;

use super::*;
use crate::simulate::manners::ALL;
use crate::simulate::scenario::parse;

fn script(text: &str) -> Script {
    Script::new(&parse(Path::new("scenario"), text).unwrap())
}

/// What a request to Trendyol's orders is in for after so many seconds.
fn scene(script: &mut Script, seconds: u64) -> Option<Scene> {
    script.plot(ALL[0], "/orders", Duration::from_secs(seconds)).scene()
}

fn step(rest: &str) -> String {
    format!("[[step]]\n{rest}\n")
}

#[test]
fn a_step_begins_ends_and_is_about_its_marketplace() {
    let text = step("at = '30s'\nfor = '2m'\nmarketplace = 'trendyol'\nscenario = 'html_503'");
    let mut script = script(&text);
    let seen = [29, 30, 149, 150].map(|seconds| scene(&mut script, seconds));
    assert_eq!(seen, [None, Some(Scene::Html503), Some(Scene::Html503), None]);
    assert_eq!(script.plot(ALL[1], "/orders", Duration::from_secs(30)), Plot::default());
}

#[test]
fn of_steps_that_overlap_the_last_counts_and_different_things_add_up() {
    let text = [
        step("scenario = 'slow'"),
        step("at = '10s'\nfor = '10s'\nscenario = 'stall'"),
        step("at = '15s'\nfor = '1s'\nscenario = 'ok'"),
        step("limit = { requests = 3, per = '1s' }"),
    ];
    let mut script = script(&text.concat());
    let seen = [9, 10, 15, 16, 20].map(|seconds| scene(&mut script, seconds));
    assert_eq!(seen, [Some(Scene::Slow), Some(Scene::Stall), None, Some(Scene::Stall), Some(Scene::Slow)]);
    let limit = script.plot(ALL[0], "/", Duration::ZERO).limit;
    assert_eq!(limit, Some(Limit::Window { requests: 3, per: Duration::from_secs(1) }));
}

#[test]
fn a_step_can_be_for_some_requests_and_some_paths() {
    let mut script = script(&step("times = 2\npath = '/orders*'\nscenario = 'reset'"));
    let now = Duration::ZERO;
    assert_eq!(script.plot(ALL[0], "/products", now).scene(), None);
    let seen = ["/orders", "/orders/1", "/orders"].map(|path| script.plot(ALL[0], path, now).scene());
    assert_eq!(seen, [Some(Scene::Reset), Some(Scene::Reset), None]);
}

#[test]
fn turns_are_counted_by_the_step() {
    let mut script = script(&step("scenario = 'brown_out'"));
    let turns = [0, 0, 0].map(|_| script.plot(ALL[0], "/", Duration::ZERO).turn);
    assert_eq!(turns, [0, 1, 2]);
}

#[test]
fn a_scenario_that_repeats_begins_anew_but_not_for_steps_that_were_added() {
    let text = format!(
        "repeat = '1m'\n{}",
        step("at = '10s'\ntimes = 1\nscenario = 'token_expired'").replace("times = 1\n", "")
    );
    let mut script = script(&text);
    let mut ended = |seconds| {
        let plot = script.plot(ALL[0], "/", Duration::from_secs(seconds));
        plot.tokens_ended.map(|(when, _)| when.as_secs())
    };
    assert_eq!([ended(9), ended(10), ended(59), ended(69), ended(70)], [None, Some(10), Some(10), None, Some(70)]);
    let added = parse(Path::new("script"), &step("at = '1s'\nfor = '1s'\nscenario = 'slow'")).unwrap();
    script.add(&added.steps, Duration::from_secs(100));
    let seen = [100, 101, 102, 161].map(|seconds| scene(&mut script, seconds));
    assert_eq!(seen, [None, Some(Scene::Slow), None, None]);
    assert_eq!(script.len(), 2);
}

#[test]
fn times_are_counted_anew_in_each_round() {
    let mut script = script(&format!("repeat = '10s'\n{}", step("times = 1\nscenario = 'stall'")));
    let seen = [0, 1, 10, 11].map(|seconds| scene(&mut script, seconds));
    assert_eq!(seen, [Some(Scene::Stall), None, Some(Scene::Stall), None]);
}

#[test]
fn connections_have_scenarios_of_their_own() {
    let text = [
        step("times = 1\nmarketplace = 'ozon'\nscenario = 'garbage_tls'"),
        step("latency = { tls = '20ms', processing = '80ms', jitter = 0.5 }"),
    ];
    let mut script = script(&text.concat());
    let (ozon, now) = (ALL[5], Duration::ZERO);
    // A request is no connection.
    assert_eq!(script.plot(ozon, "/", now).scene(), None);
    let delay = (Duration::from_millis(20), 0.5);
    assert_eq!(script.greeting(ozon, now), Greeting { delay, scene: Some(Scene::GarbageTls) });
    assert_eq!(script.greeting(ozon, now), Greeting { delay, scene: None });
    assert_eq!(script.greeting(ALL[0], now), Greeting { delay, scene: None });
}
