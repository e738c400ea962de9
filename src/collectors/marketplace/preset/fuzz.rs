//! What must hold for any text of a preset, and for any answer to a request for an access token.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use super::{AccessToken, Account, AuthKind, Library, Moment, OAuth2, Preset, Token, Wishes};
use crate::collectors::marketplace::judge::fuzz::{now, read};
use crate::collectors::marketplace::judge::judge;
use crate::collectors::marketplace::result::Outcome;
use crate::config::secret::{Secret, with_environment};
use crate::config::types::Period;
use crate::net::connect::Family;

/// What every secret is. No input has it.
const SECRET: &str = "cAnArY-8f1d2c";

/// A preset of any text: refused with a way out, or made an account of, whose requests keep its secrets.
pub(crate) fn preset(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if text.contains(SECRET) {
        return;
    }
    match Preset::parse(Path::new("any.toml"), text) {
        Ok(preset) => preset.written.environments.keys().for_each(|environment| account(&preset, environment)),
        Err(problem) => is_complaint(&problem),
    }
}

/// Every account of one of its environments that has all names and secrets.
fn account(preset: &Preset, environment: &str) {
    let about = &preset.written.preset;
    let value = |name: &String| about.allowed.get(name).and_then(|allowed| allowed.first()).cloned();
    let vars = about.required_vars.iter().map(|name| (name.clone(), value(name).unwrap_or_else(|| "1".to_owned())));
    let secrets = about.secrets().into_iter().map(|name| (name.to_owned(), SHOWN.clone()));
    let wishes = Wishes { vars: vars.collect(), secrets: secrets.collect(), ..wishes(environment) };
    match preset.account(&wishes) {
        Ok(account) => check(&account),
        Err(problem) => is_complaint(&problem),
    }
}

/// The secret that all are.
static SHOWN: LazyLock<Secret> = LazyLock::new(|| {
    let environment = [("SECRET".to_owned(), SECRET.to_owned())].into_iter().collect();
    let read = || toml::from_str::<BTreeMap<String, Secret>>("a = { env = 'SECRET' }");
    let (secrets, _) = with_environment(environment, false, read);
    secrets.expect("it is one").remove("a").expect("it is there")
});

/// What an account says that says nothing but where it is.
fn wishes(environment: &str) -> Wishes {
    Wishes {
        environment: environment.to_owned(),
        vars: BTreeMap::default(),
        secrets: BTreeMap::default(),
        probes: BTreeMap::default(),
        interval: Duration::from_mins(1),
        timeout: Duration::from_secs(10),
        budget_share: 0.01,
        objective: Duration::from_millis(100),
        ip: Family::default(),
        resolve: BTreeMap::default(),
        ca_file: None,
    }
}

fn is_complaint(problem: &str) {
    let (what, way_out) = problem.split_once('\n').unwrap_or((problem, ""));
    assert!(!what.is_empty() && !way_out.is_empty(), "{problem}");
    assert!(!problem.contains(SECRET), "{problem}");
}

fn check(account: &Account) {
    let token = AccessToken::new(SECRET.to_owned()).expect("it can be sent");
    let moment = Moment { now: now(), turn: 7 };
    let mut shown = format!("{account:?}");
    for probe in &account.probes {
        assert!(probe.pace.every > Duration::ZERO && probe.pace.every <= Period::LONGEST, "{:?}", probe.pace);
        assert!(probe.pace.budget.is_none_or(|budget| budget.is_finite() && budget > 0.0), "{:?}", probe.pace);
        assert!(probe.rules.check().is_ok(), "{:?}", probe.rules);
        shown += &probe.shown(&moment);
        match probe.question(Some(&token), &moment) {
            Ok(question) => {
                let uri = question.uri();
                assert!(uri.host().is_some_and(|host| !host.is_empty()), "{uri}");
                assert!(matches!(uri.scheme_str(), Some("http" | "https")), "{uri}");
                shown.extend([format!("{:?}", question.headers())]);
            }
            Err(failure) => shown += &failure.to_string(),
        }
    }
    for auth in &account.auths {
        if let AuthKind::OAuth2(oauth2) = &auth.kind {
            shown += &oauth2.shown(&moment);
            shown += &oauth2.question(&moment).map_or_else(|failure| failure.to_string(), |_| String::new());
        }
    }
    assert!(!shown.contains(SECRET), "{shown}");
}

/// Those that ask for tokens, of the presets that Vitrin brings.
static ASKED: LazyLock<Vec<OAuth2>> = LazyLock::new(|| {
    let library = Library::default();
    let mut asked = Vec::new();
    for name in library.names() {
        let preset = library.preset(name).expect("it is one of them");
        if preset.written.preset.open {
            continue;
        }
        let about = &preset.written.preset;
        let value = |name: &String| about.allowed.get(name).map_or("1", |allowed| allowed[0].as_str()).to_owned();
        let vars = about.required_vars.iter().map(|name| (name.clone(), value(name))).collect();
        let secrets = about.required_secrets.iter().map(|name| (name.clone(), SHOWN.clone())).collect();
        let account = preset.account(&Wishes { vars, secrets, ..wishes("production") }).expect("it is good");
        asked.extend(account.auths.into_iter().filter_map(|auth| match auth.kind {
            AuthKind::OAuth2(oauth2) => Some(*oauth2),
            _ => None,
        }));
    }
    asked
});

/// An answer of any bytes, written as those to probes are: a token is taken that can be sent and ends, or none.
pub(crate) fn token(bytes: &[u8]) {
    let Some(answer) = read(bytes) else { return };
    for oauth2 in &*ASKED {
        let verdict = judge(&oauth2.rules, "production", &answer, now());
        assert!(verdict.outcome != Outcome::Ok || answer.status.is_success(), "{verdict:?}");
        match oauth2.read(&answer.body) {
            Ok(token) => is_good(&token, oauth2),
            Err(failure) => {
                let said = failure.to_string();
                assert!(said.starts_with("reading the answer to the request for a token: "), "{said}");
                let ours = "reading the answer to the request for a token: there is no text at /access_token or /data/accessToken";
                let body = String::from_utf8_lossy(&answer.body);
                let mut words = body.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
                assert!(!words.any(|word| word.len() >= 11 && said.contains(word) && !ours.contains(word)), "{said}");
            }
        }
    }
}

fn is_good(token: &Token, oauth2: &OAuth2) {
    let text = token.access_token.reveal();
    assert!((1..=16 << 10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(token.expires_in > Duration::ZERO && token.expires_in <= Period::LONGEST, "{:?}", token.expires_in);
    let replaced = oauth2.refresh_after(token.expires_in);
    assert!(replaced <= token.expires_in && replaced * 2 >= token.expires_in, "{replaced:?}");
    // Shorter ones are a part of any word.
    assert!(text.len() < 16 || !format!("{token:?}").contains(text));
}
