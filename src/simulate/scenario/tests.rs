use std::fs;

use expect_test::{Expect, expect};

use super::*;

fn step(rest: &str) -> Result<Step, Problem> {
    let mut scenario = parse(Path::new("trouble.toml"), &format!("[[step]]\n{rest}\n"))?;
    Ok(scenario.steps.remove(0))
}

#[test]
fn a_step_does_what_it_says() {
    let latency = Latency { processing: Duration::from_millis(80), jitter: 0.2, ..Latency::default() };
    for (text, effect) in [
        ("latency = { processing = '80ms', jitter = 0.2 }", Effect::Latency(latency)),
        ("token_ttl = '3s'", Effect::TokenLife(Duration::from_secs(3))),
        ("key_ttl = '0s'", Effect::KeyLife(Duration::ZERO)),
    ] {
        let whole = Step { at: Duration::ZERO, lasts: None, times: None, whom: Whom(None), path: None, effect };
        assert_eq!(step(text).unwrap(), whole);
    }
    let answer = step("at = '1m'\nfor = '2m'\nstatus = 500\nheaders = { A = 'b' }\nbody = '{}'").unwrap();
    assert_eq!((answer.at, answer.lasts), (Duration::from_mins(1), Some(Duration::from_mins(2))));
    let Effect::Answer(canned) = answer.effect else { panic!("{answer:?}") };
    assert_eq!((canned.status.as_u16(), &canned.body[..]), (500, b"{}".as_slice()));
}

#[test]
fn every_scenario_has_a_word_that_is_read() {
    for scene in Scene::ALL {
        let step = step(&format!("scenario = '{}'", scene.word())).unwrap();
        let Effect::Scene(play) = step.effect else { panic!("{step:?}") };
        assert_eq!(play.scene, scene);
    }
}

#[test]
fn the_time_to_come_back_is_written_in_three_ways() {
    let written = |rest: &str| {
        let step = step(&format!("scenario = 'rate_limited'\n{rest}")).unwrap();
        let Effect::Scene(Play { retry_after: Some(after), .. }) = step.effect else { panic!("{step:?}") };
        after.written(std::time::SystemTime::UNIX_EPOCH)
    };
    assert_eq!(written("retry_after = '2500ms'"), "3");
    assert_eq!(written("retry_after = '2500ms'\nretry_after_as = 'decimal'"), "2.5");
    assert_eq!(written("retry_after = '2s'\nretry_after_as = 'decimal'"), "2.0");
    assert_eq!(written("retry_after = '1h'\nretry_after_as = 'date'"), "Thu, 01 Jan 1970 01:00:00 GMT");
}

/// A scenario that is wrong, and what is said of it.
#[track_caller]
fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&parse(Path::new("trouble.toml"), text).unwrap_err().to_string());
}

/// The same for one step.
#[track_caller]
fn check_step(text: &str, expected: &Expect) {
    check(&format!("[[step]]\n{text}\n"), expected);
}

#[test]
fn mistakes_are_told_with_their_place_and_the_way_out() {
    check(
        "[[steps]]\n",
        &expect![[r#"
        trouble.toml:1:3: unknown key `steps`
          hint: did you mean `step`?"#]],
    );
    check(
        "speed = 0\n",
        &expect![[r#"
        trouble.toml:1:9: speed: `0` is no speed
          hint: write a number from 1 to 100000, for example 60: a minute is a second"#]],
    );
    check(
        "repeat = '1m'\n[[step]]\nat = '1m'\nscenario = 'slow'\n",
        &expect![[r#"
        trouble.toml:1:1: the step at 1m never comes: the scenario begins anew after 1m
          hint: let `repeat` be longer, or the step be earlier"#]],
    );
    check_step(
        "scenaro = 'slow'",
        &expect![[r#"
        trouble.toml:2:1: step[0]: unknown key `scenaro`
          hint: did you mean `scenario`?"#]],
    );
    check_step(
        "scenario = 'slwo'",
        &expect![[r#"
        trouble.toml:2:12: step[0].scenario: `slwo` is no scenario
          hint: did you mean `slow`?"#]],
    );
    check_step(
        "marketplace = 'trendjol'\nscenario = 'slow'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: marketplace: `trendjol` is not known
          hint: did you mean `trendyol`?; `*` is all of them"#]],
    );
    check_step(
        "at = 'soon'\nscenario = 'slow'",
        &expect![[r#"
        trouble.toml:2:6: step[0].at: `soon` is not a length of time
          hint: write "0s", "250ms", "30s" or "5m""#]],
    );
    check_step(
        "status = 'many'",
        &expect![[r#"
        trouble.toml:2:10: step[0].status: invalid type: string "many", expected u16
          hint: a step is written [[step]], a key scenario = "slow""#]],
    );
    check_step(
        "status = 99",
        &expect![[r#"
        trouble.toml:1:1: step[0]: status: `99` is none of an answer
          hint: write a number from 200 to 999"#]],
    );
    check_step(
        "headers = { 'a b' = 'c' }",
        &expect![[r#"
        trouble.toml:1:1: step[0]: headers: `a b` cannot be sent
          hint: a name has no spaces, a value no line ends"#]],
    );
    check_step(
        "headers = { Content-Length = '5' }",
        &expect![[r#"
        trouble.toml:1:1: step[0]: headers: `Content-Length` is the server's own
          hint: for an answer that breaks off write scenario = "truncated""#]],
    );
    check_step(
        "at = '1s'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: the step does nothing
          hint: write one of latency, scenario, status, limit, token_ttl, key_ttl"#]],
    );
}

#[test]
fn what_cannot_be_is_told_with_the_way_out() {
    check_step(
        "status = 500\nscenario = 'slow'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: the step does several things: scenario, status
          hint: write a step for each; they may overlap"#]],
    );
    check_step(
        "latency = { processing = '11m' }",
        &expect![[r#"
        trouble.toml:1:1: step[0]: latency: more than 10 minutes
          hint: for no answer at all write scenario = "stall""#]],
    );
    check_step(
        "latency = { jitter = 2 }",
        &expect![[r#"
        trouble.toml:1:1: step[0]: latency.jitter: `2` is no share
          hint: write a number from 0 to 1: 0.2 is 20 % either way"#]],
    );
    check_step(
        "times = 0\nscenario = 'slow'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: times: a step that happens 0 times does nothing
          hint: write at least 1"#]],
    );
    check_step(
        "path = 'orders'\nscenario = 'slow'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: path: `orders` is not one
          hint: write "/v1/orders", or "/v1/*" for all that begin so"#]],
    );
}

#[test]
fn what_means_nothing_is_told_too() {
    check_step(
        "for = '1s'\nscenario = 'revoke_tokens'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: `revoke_tokens` happens at one moment, to all tokens
          hint: leave out `for`, `times` and `path`"#]],
    );
    check_step(
        "path = '/'\nscenario = 'garbage_tls'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: `garbage_tls` is over before there is a path
          hint: leave out `path`"#]],
    );
    check_step(
        "retry_after = '1s'\nscenario = 'slow'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: `retry_after` means nothing here
          hint: it belongs to rate_limited or html_503"#]],
    );
    check_step(
        "scenario = 'date_skew'\nskew = 'late'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: skew: `late` is not a length of time
          hint: write "5m" for a clock that is ahead, "-5m" for one that is behind"#]],
    );
    check_step(
        "marketplace = 'trendyol'\nscenario = 'app_error'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: trendyol has no `app_error`: its errors have their status
          hint: known for it: ebay, n11, pazarama, generic"#]],
    );
    check_step(
        "marketplace = 'n11'\nscenario = 'token_expired'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: n11 has no tokens
          hint: known for it: ebay, amazon-sp-api, pazarama"#]],
    );
    check_step(
        "marketplace = 'n11'\nkey_ttl = '1h'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: n11 has no keys that end
          hint: known for it: ozon"#]],
    );
    check_step(
        "marketplace = 'hepsiburada'\nscenario = 'no_orders'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: hepsiburada has no answer that tells of orders
          hint: known for it: trendyol, amazon-sp-api, n11, ozon, ciceksepeti"#]],
    );
    check_step(
        "marketplace = 'ozon'\nscenario = 'wrong_key'\nvariant = 'deactivate'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: variant: `wrong_key` at ozon has no `deactivate`
          hint: did you mean `deactivated`?"#]],
    );
    check_step(
        "scenario = 'slow'\nvariant = 'very'",
        &expect![[r#"
        trouble.toml:1:1: step[0]: variant: `slow` at * has no `very`
          hint: leave out `variant`"#]],
    );
}

#[test]
fn a_scenario_has_an_end() {
    let text = "[[step]]\nscenario = 'slow'\n".repeat(STEPS + 1);
    let problem = parse(Path::new("trouble.toml"), &text).unwrap_err().to_string();
    assert!(problem.contains("1001 steps are too many"), "{problem}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.toml");
    fs::write(&file, " ".repeat(usize::try_from(SCENARIO_BYTES).unwrap() + 1)).unwrap();
    for (path, says) in
        [(file.as_path(), "larger than 1 MiB"), (folder.path(), "not a file"), (Path::new("/no/where"), "No such file")]
    {
        let problem = load(path).unwrap_err().to_string();
        assert!(problem.contains(says) && problem.contains("--scenario"), "{problem}");
    }
}
