//! Users and passwords: who gets in, what a guess costs, and that a flood of guesses keeps nobody out.

use std::thread;

use super::{Folder, TLS, hash, page};
use crate::support::exporter::Exporter;
use crate::support::http::ask;

const ALICE: &str = "--user alice:open-sesame";

fn with_alice() -> Folder {
    Folder::with(&format!("basic_auth_users:\n  alice: {}\n  bob: {}\n", hash("open-sesame"), hash("sésame:öffne")))
}

/// How many passwords were held against a hash so far.
fn verifications(folder: &Folder, exporter: &Exporter) -> f64 {
    page(&folder.http(exporter.address(), "/metrics", ALICE)).number("vitrin_web_password_verifications_total", &[])
}

#[test]
fn every_path_asks_for_a_password() {
    let folder = with_alice();
    let exporter = folder.exporter();
    for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/nowhere"] {
        let refused = folder.http(exporter.address(), path, "");
        assert!(refused.text.contains("\r\nwww-authenticate: Basic realm=\"vitrin\"\r\n"), "{refused:?}");
        assert_eq!(refused.status, 401, "{path}");
        assert_ne!(folder.http(exporter.address(), path, ALICE).status, 401, "{path}");
    }
    assert_eq!(folder.http(exporter.address(), "/-/reload", "--request POST").status, 401);
    assert_eq!(folder.http(exporter.address(), "/metrics", "--user bob:sésame:öffne").status, 200);
}

#[test]
fn an_unknown_user_costs_the_same_one_verification_as_a_wrong_password() {
    let folder = with_alice();
    let exporter = folder.exporter();
    let cost_of = |arguments: &str| {
        let before = verifications(&folder, &exporter);
        assert_eq!(folder.http(exporter.address(), "/metrics", arguments).status, 401, "{arguments}");
        verifications(&folder, &exporter) - before
    };
    assert_eq!(cost_of("--user alice:guess"), 1.0);
    assert_eq!(cost_of("--user alice:guess"), 1.0, "a wrong password is not remembered");
    assert_eq!(cost_of("--user mallory:guess"), 1.0);
    assert_eq!(cost_of("--user mallory:open-sesame"), 1.0);
    assert_eq!(cost_of(""), 0.0);
    let refused = page(&folder.http(exporter.address(), "/metrics", ALICE));
    assert_eq!(refused.number("vitrin_web_refused_total", &[("reason", "login")]), 5.0);
}

#[test]
fn a_login_that_was_verified_once_costs_nothing_until_the_file_changes() {
    let folder = with_alice();
    let exporter = folder.exporter();
    let asked = (0..5).map(|_| verifications(&folder, &exporter)).collect::<Vec<_>>();
    assert_eq!(asked, [1.0; 5]);
    folder.write(&format!("basic_auth_users: {{ alice: {} }}\n", hash("open-sesame")));
    assert_eq!(verifications(&folder, &exporter), 2.0);
}

#[test]
fn a_verified_login_gets_through_a_flood_of_guesses() {
    let folder = Folder::with(&format!("basic_auth_users:\n  alice: {}\n", bcrypt::hash("open-sesame", 10).unwrap()));
    let exporter = folder.exporter();
    verifications(&folder, &exporter);
    // Base64 of `alice:guess`.
    let guess = [("Authorization", "Basic YWxpY2U6Z3Vlc3M=")];
    let statuses: Vec<u16> = thread::scope(|scope| {
        let guessers: Vec<_> = (0..60)
            .map(|_| scope.spawn(|| ask(exporter.address(), "GET", "/metrics", &guess).unwrap().status))
            .collect();
        for _ in 0..5 {
            assert_eq!(folder.http(exporter.address(), "/metrics", ALICE).status, 200);
        }
        guessers.into_iter().map(|guesser| guesser.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
    let page = page(&folder.http(exporter.address(), "/metrics", ALICE));
    let refused = |reason| page.number("vitrin_web_refused_total", &[("reason", reason)]);
    assert_eq!(refused("login") + refused("busy"), 60.0);
    assert_eq!(page.number("vitrin_web_password_verifications_total", &[]), 1.0 + refused("login"));
}

#[test]
fn no_password_and_no_hash_is_ever_said() {
    let (right, wrong) = ("canary-right-7f3a", "canary-wrong-91bc");
    let hash = hash(right);
    let folder = Folder::with(&format!("basic_auth_users:\n  alice: {hash}\n"));
    let exporter = Exporter::start_with("", &[&folder.flag(), "--log.level=debug"]);
    for password in [right, wrong] {
        let answer = folder.http(exporter.address(), "/metrics", &format!("--user alice:{password}"));
        assert!(!answer.text.contains("canary") && !answer.text.contains(&hash), "{answer:?}");
    }
    // A hash that lost its end, and a password where a hash belongs.
    for bad in [&hash[..40], right] {
        folder.write(&format!("basic_auth_users:\n  alice: {bad}\n"));
        folder.http(exporter.address(), "/metrics", "");
        folder.write(&format!("basic_auth_users:\n  alice: [{bad}]\n"));
        folder.http(exporter.address(), "/metrics", "");
    }
    let (_, log) = exporter.stop();
    assert!(log.contains("not a bcrypt hash") && log.contains("is wrong, so the one before stays in use"), "{log}");
    assert!(!log.contains("canary") && !log.contains(&hash[..40]), "{log}");
}

#[test]
fn health_needs_no_password_and_no_certificate_of_its_own() {
    let users = format!("basic_auth_users:\n  alice: {}\n", hash("open-sesame"));
    let mutual = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";
    for config in [users.clone(), TLS.to_owned(), format!("{TLS}{users}"), format!("{TLS}{mutual}")] {
        let folder = Folder::with(&config);
        let exporter = folder.exporter();
        let health = |folder: &Folder| {
            let address = exporter.address().to_string();
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vitrin"));
            command.args(["health", "--web.listen-address", &address, &folder.flag()]).output().unwrap()
        };
        let output = health(&folder);
        assert_eq!(output.status.code(), Some(0), "{config}\n{output:?}");
        // Somebody else who listens there is no healthy Vitrin.
        if config.contains("tls") {
            let output = health(&Folder::with(TLS));
            let words = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(1), "{words}");
            assert!(words.contains("it shows another certificate than the web configuration"), "{words}");
        }
    }
}
