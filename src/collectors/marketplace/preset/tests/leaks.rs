//! No secret is in anything that is printed, whatever the template and whatever the secret.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;

use super::super::{AccessToken, Account, AuthKind};
use super::{MOMENT, complete, loaded, presets};
use crate::collector::Failure;
use crate::collectors::marketplace::exchange::Question;

/// All that is ever printed of an account, its errors included.
fn printed(account: &Account, token: Option<&AccessToken>) -> String {
    let mut text = format!("{account:?}{token:?}");
    let mut note = |shown: String, question: Result<Question, Failure>| match question {
        Ok(question) => text.extend([shown, format!("{:?}", question.headers())]),
        Err(failure) => text.extend([shown, format!("{failure} {failure:?}")]),
    };
    for probe in &account.probes {
        note(probe.shown(&MOMENT), probe.question(token, &MOMENT));
    }
    for auth in &account.auths {
        if let AuthKind::OAuth2(oauth2) = &auth.kind {
            note(oauth2.shown(&MOMENT), oauth2.question(&MOMENT));
            for body in [r#"{"access_token":"cAnArY"}"#, r#"{"access_token":"cAnArY "}"#, "cAnArY", r#"{"a":"cAnArY"}"#]
            {
                note(format!("{:?}", oauth2.read(body.as_bytes())), oauth2.question(&MOMENT));
            }
        }
    }
    text
}

/// A part of a template, as TOML's literal text can have it.
fn piece() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("{{secret.key}}"),
        Just("{{var.shop}}"),
        Just("{{uuid}}"),
        Just("{{time:ms:-1d}}"),
        Just("{{cycle:1..8}}"),
        Just("text"),
        Just("{{"),
        Just("}}"),
        Just("{{secret.nokey}}"),
        Just("{{token}}"),
        Just(" "),
    ]
}

/// Of the bytes that a secret can be of, with a word in it that is in nothing else.
fn secret() -> impl Strategy<Value = String> {
    ("[ -~\r\n\u{7f}ş]{0,6}", "[ -~\r\n\u{7f}ş]{0,6}").prop_map(|(before, after)| format!("{before}cAnArY{after}"))
}

proptest! {
    #[test]
    fn no_template_shows_a_secret(
        path in proptest::collection::vec(piece(), 0..4),
        value in proptest::collection::vec(piece(), 0..4),
        escape in prop_oneof![Just("xml:"), Just("json:"), Just("")],
        auth in prop_oneof![Just("none"), Just("basic"), Just("bearer"), Just("oauth2")],
        secret in secret(),
    ) {
        let value = value.concat();
        let configuration = format!(
            "[targets.main]\npreset = 'generic'\n\
             vars = {{ base_url = 'https://shop.example', path = '/', shop = 'a', username = 'u', token_url = 'https://t.example' }}\n\
             secrets = {{ key = {{ env = 'KEY' }}, password = {{ env = 'KEY' }}, token = {{ env = 'KEY' }}, client_id = {{ env = 'KEY' }}, client_secret = {{ env = 'KEY' }} }}\n\
             [marketplace.targets.main.probes.own]\nrole = 'auth'\nauth = '{auth}'\nmethod = 'POST'\nread_only = true\n\
             path = '/{}'\nquery.q = '{value}'\nheaders.X-Value = '{value}'\n\
             body.text = '{}{{{{secret.key}}}}{{{{var.shop}}}}'\n",
            path.concat(),
            value.replace("{{secret.key}}", &format!("{{{{{escape}secret.key}}}}")),
        );
        let (account, notices) = loaded(&configuration, &[("KEY", &secret)]);
        let token = AccessToken::new("cAnArY".to_owned()).unwrap();
        let mut text = notices.concat();
        text += &match account {
            Ok(account) => printed(&account, Some(&token)) + &printed(&account, None),
            Err(problem) => problem,
        };
        prop_assert!(!text.contains("cAnArY"), "{text}");
        prop_assert!(!text.contains(&BASE64_STANDARD.encode(format!("u:{secret}"))), "{text}");
    }
}

#[test]
fn no_preset_shows_a_secret() {
    let token = AccessToken::new("cAnArY".to_owned()).unwrap();
    for preset in presets() {
        for secret in ["cAnArY", "cAnArY\r\n", "cAnArY:\u{7f}"] {
            let account = loaded(&complete(preset, "production"), &[("SECRET", secret)]).0.unwrap();
            let text = printed(&account, Some(&token));
            assert!(!text.contains("cAnArY") && !text.contains(&BASE64_STANDARD.encode(secret)), "{preset}: {text}");
        }
    }
}
