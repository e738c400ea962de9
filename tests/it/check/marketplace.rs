//! A check of marketplaces: what is sent, by whom, and how often.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::{Check, Checked, is_root, vitrin};
use crate::support::simulator::Simulator;

/// An account at N11 that the service may use; and more of a configuration.
fn check(simulator: &Simulator, more: &str) -> Check {
    let folder = simulator.folder();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(0o644)).unwrap();
    }
    let all = simulator.configuration();
    let targets = all.split("\n\n").filter(|table| table.starts_with("[marketplace.targets.n11]"));
    Check::of(&(targets.collect::<String>() + "\n" + more))
}

/// How often N11 was asked for what a path begins with.
fn asked(simulator: &Simulator, path: &str) -> usize {
    let requests = simulator.requests("n11");
    requests.iter().filter(|one| one["path"].as_str().unwrap().starts_with(path)).count()
}

#[test]
fn a_marketplace_is_asked_once_also_when_something_else_is_asked_a_second_time() {
    let simulator = Simulator::start("");
    let checked = check(&simulator, "[redis.targets.main]\nurl = 'redis://127.0.0.1:1'\n").run();
    let of = |target: &str| checked.text.lines().find(|line| line.starts_with(target)).unwrap().to_owned();
    assert!(of("redis/main").contains(" no "), "{}", checked.text);
    assert!(of("marketplace/n11").contains(" yes "), "{}", checked.text);
    assert_eq!((asked(&simulator, "/ms/"), asked(&simulator, "/rest/")), (1, 1));
}

#[test]
fn once_says_step_by_step_what_an_answer_was_taken_for() {
    let simulator = Simulator::start("");
    let check = check(&simulator, "");
    let Checked { code, text } = check.run_with(&["--once", "marketplace/n11"]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!((asked(&simulator, "/ms/"), asked(&simulator, "/rest/")), (1, 1));
    for line in ["marketplace/n11: n11, production", "  the probe `products`: ok", "  the probe `orders`: ok"] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.contains("marketplace_listings{status=\"all\"}"), "{text}");

    simulator.script("[[step]]\nmarketplace = 'n11'\nscenario = 'wrong_key'\n");
    let Checked { code, text } = check.run_with(&["--once"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("  the probe `products`: auth_error\n"), "{text}");
}

#[test]
fn once_sees_what_the_service_may_see() {
    let simulator = Simulator::start("");
    let check = check(&simulator, "");
    let key = simulator.folder().join("n11-app_key");
    fs::set_permissions(&key, Permissions::from_mode(0o000)).unwrap();
    let Checked { code, text } = check.run_with(&["--once"]);
    assert_eq!(code, Some(1), "{text}");
    let why = format!("reading the secret file {}: Permission denied (os error 13)", key.display());
    assert!(text.contains(&why), "{text}");
    assert_eq!(simulator.requests("n11").len(), 0);

    // Where there is no service yet, whoever asks is who sees.
    let config = check.file("vitrin.toml").display().to_string();
    let output = vitrin(&["check", "--once", "--user=nobody-at-all", "--config.file", &config]);
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("As you see it: "), "{words}");
    assert_eq!(output.status.code(), Some(i32::from(!is_root())), "{words}");
}

#[test]
fn an_account_that_is_not_there_is_an_error_that_names_those_that_are() {
    let simulator = Simulator::start("");
    let check = check(&simulator, "");
    let config = check.file("vitrin.toml").display().to_string();
    for flag in ["--once", "--dry-run"] {
        let output = vitrin(&["check", flag, "marketplace/n12", "--config.file", &config]);
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(words.contains("`marketplace/n12` is not configured\n  hint: there are marketplace/n11"), "{words}");
    }
    assert_eq!(simulator.requests("n11").len(), 0);
}
