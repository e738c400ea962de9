//! What each preset asks, to the letter.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use expect_test::expect_file;
use http_body_util::BodyExt as _;
use tokio::runtime;

use super::super::{Account, AuthKind, Library, Moment};
use super::{MOMENT, SECRETS, account, complete, loaded, presets};
use crate::collectors::marketplace::exchange::Question;

/// Everything that an account asks, as `vitrin check --dry-run` shows it.
fn asked(account: &Account) -> String {
    let mut text = String::new();
    for auth in &account.auths {
        if let AuthKind::OAuth2(oauth2) = &auth.kind {
            write!(text, "--- token `{}`\n{}", auth.name, oauth2.shown(&MOMENT)).unwrap();
        }
    }
    for probe in &account.probes {
        let auth = probe.auth.as_deref().unwrap_or("none");
        let every = humantime::format_duration(probe.pace.every);
        let budget = probe.pace.budget.map_or("of no documented limit".to_owned(), |budget| {
            format!("{} % of the limit `{}`", (budget * 1e5).round() / 1e3, probe.documented.as_ref().unwrap().bucket)
        });
        let shown = probe.shown(&MOMENT);
        write!(text, "--- {} every {every}, {budget}, auth {auth}\n{shown}", probe.name).unwrap();
    }
    text.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

/// All environments of a preset.
fn asked_everywhere(preset: &str) -> String {
    let environments = Library::default().preset(preset).unwrap().written.environments;
    let mut text = String::new();
    for environment in environments.keys() {
        let asked = asked(&account(&complete(preset, environment)));
        write!(text, "=== {environment}\n{asked}\n").unwrap();
    }
    text
}

#[test]
fn each_preset_asks_what_is_known_of_its_marketplace() {
    for preset in presets() {
        let file: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "src/collectors/marketplace/preset/tests/requests"].iter().collect();
        expect_file![file.join(format!("{preset}.txt"))].assert_eq(&asked_everywhere(preset));
    }
}

/// A request as text, as it goes over the wire but for the protocol's own words.
fn sent(question: Question) -> String {
    let (head, body) = question.into_parts();
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    let body = runtime.block_on(body.collect()).unwrap().to_bytes();
    let mut headers: Vec<_> =
        head.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    headers.sort_unstable();
    let mut text = format!("{} {}\n", head.method, head.uri);
    for (name, value) in headers {
        text.extend([name, ": ", value, "\n"]);
    }
    if !body.is_empty() {
        text.extend(["\n", std::str::from_utf8(&body).unwrap(), "\n"]);
    }
    text
}

/// What is shown, with what is a secret in it.
fn revealed(shown: &str) -> String {
    let mut text = shown.to_owned();
    while let Some((before, rest)) = text.split_once("[secret ") {
        text = format!("{before}canary{}", rest.split_once(']').unwrap().1);
    }
    text = text.replace("[token]", "t0ken");
    while let Some((before, rest)) = text.split_once("base64(") {
        let (login, after) = rest.split_once(')').unwrap();
        text = format!("{before}{}{after}", BASE64_STANDARD.encode(login));
    }
    text
}

#[test]
fn what_is_sent_is_what_is_shown_with_secrets_in_their_places() {
    let token = super::super::AccessToken::new("t0ken".to_owned()).unwrap();
    for preset in presets() {
        let account = account(&complete(preset, "production"));
        for probe in &account.probes {
            let kind = account.auth(probe).map(|auth| &account.auths[auth].kind);
            let token = matches!(kind, Some(AuthKind::OAuth2(_))).then_some(&token);
            let question = probe.question(token, &MOMENT).unwrap();
            // A path in brackets is what a test calls a variable, which is encoded in both.
            assert_eq!(sent(question), revealed(&probe.shown(&MOMENT)), "{preset} {}", probe.name);
        }
        for auth in &account.auths {
            if let AuthKind::OAuth2(oauth2) = &auth.kind {
                assert_eq!(sent(oauth2.question(&MOMENT).unwrap()), revealed(&oauth2.shown(&MOMENT)), "{preset}");
            }
        }
    }
}

#[test]
fn no_preset_is_slower_than_it_says_or_takes_more_than_it_may() {
    for preset in presets() {
        let (account, notices) = loaded(&complete(preset, "production"), SECRETS);
        assert_eq!(notices, [""; 0]);
        for probe in account.unwrap().probes {
            let share =
                probe.documented.and_then(|documented| documented.limit.budget_share).map_or(0.01, |share| share.0);
            assert!(
                probe.pace.clamped.is_none() && probe.pace.budget.unwrap_or(0.0) <= share,
                "{preset} {}",
                probe.name
            );
        }
    }
}

#[test]
fn the_examples_of_the_documentation_are_presets() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/marketplaces");
    let kept = tempfile::NamedTempFile::new().unwrap();
    fs::write(kept.path(), "canary\n").unwrap();
    let library = Library::open(std::slice::from_ref(&folder)).unwrap();
    let mut text = String::new();
    for preset in ["allegro", "etsy", "shopify", "walmart"] {
        let written = library.preset(preset).unwrap().written;
        let mut configuration =
            format!("preset_dirs = ['{}']\n[targets.main]\npreset = '{preset}'\n", folder.display());
        configuration.extend(written.preset.required_vars.iter().map(|name| format!("vars.{name} = '{name}'\n")));
        let secrets = written.preset.secrets().into_iter();
        configuration
            .extend(secrets.map(|name| format!("secrets.{name} = {{ file = '{}' }}\n", kept.path().display())));
        configuration.extend(written.probe.iter().map(|probe| format!("probes.{}.enabled = true\n", probe.name)));
        let (account, _) = loaded(&configuration, SECRETS);
        write!(text, "=== {preset}\n{}\n", asked(&account.unwrap())).unwrap();
    }
    expect_file!["requests/examples.txt"].assert_eq(&text);
}

#[test]
fn what_must_differ_each_time_does() {
    let account = account(&complete("ciceksepeti", "production"));
    let asked = |turn| account.probes[0].shown(&Moment { turn, ..*MOMENT }).lines().next().unwrap().to_owned();
    let all: std::collections::BTreeSet<_> = (0..8).map(asked).collect();
    assert_eq!((all.len(), asked(8) == asked(0)), (8, true));
    assert!(asked(9).ends_with("SortMethod=2"), "{}", asked(9));
}

#[test]
fn a_uuid_is_new_each_time() {
    let account = account(
        "[targets.main]\npreset = 'generic'\nvars = { base_url = 'https://shop.example', path = '/' }\n\
         probes.http.headers.X-Id = '{{uuid}}'",
    );
    let ids: Vec<_> = (0..2)
        .map(|_| account.probes[0].question(None, &MOMENT).unwrap().headers()["x-id"].to_str().unwrap().to_owned())
        .collect();
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        let parts: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        assert!(&id[14..15] == "4" && "89ab".contains(&id[19..20]), "{id}");
    }
}
