//! The whole way, from a server's configuration to the verdicts: against nginx and OpenSSL as they are, and against
//! servers that behave as none should.

mod active;
mod authority;
mod headers;
mod hostile;
mod manners;
mod matrix;
mod nginx;
mod scripted;

use super::encryption::Encryption;
use super::renewal::Renewal;
use super::visitor::Visitor;
use crate::collectors::security::check::Check;
use crate::collectors::security::judge;
use crate::collectors::security::outside::certificate::look_at_certificate;
use crate::collectors::security::outside::offers::ask_versions_and_suites;
use crate::collectors::security::outside::pages::ask_pages;
use crate::collectors::security::outside::sample;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{State, Verdict};

/// What a round sees of the shop that `[security]` names, with a timer that renews its certificate.
async fn visited(config: &str, admin: Option<&str>) -> Seen {
    let mut seen = sample::seen(config);
    let visitor = Visitor::of(&seen.config).unwrap();
    seen.now = now();
    seen.pages = Ok(ask_pages(&visitor, &Ok(admin.map(str::to_owned)), "index.php?route=api/order").await);
    seen.encryption = Ok(Encryption {
        certificate: look_at_certificate(&visitor).await,
        offers: ask_versions_and_suites(&visitor).await,
        renewal: Ok(Renewal { found: vec!["certbot.timer".to_owned()], closed: Vec::new() }),
    });
    seen
}

fn now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed()
}

/// What came of these checks, in a line: `01 pass, 04 fail (legacy_tls)`.
fn told(seen: &Seen, checks: &[Check]) -> String {
    let verdicts = judge(seen);
    let told: Vec<_> = checks.iter().map(|check| format!("{} {}", &check.id()[4..], word(&verdicts[check]))).collect();
    told.join(", ")
}

/// What came of one, in a word.
fn word(verdict: &Verdict) -> String {
    let state = match verdict.state {
        State::Fail => "fail".to_owned(),
        State::Partial => "half".to_owned(),
        State::Pass => "pass".to_owned(),
        State::Unknown(cause) => cause.as_str().to_owned(),
        State::NotApplicable => "none".to_owned(),
    };
    match verdict.state {
        State::Fail | State::Partial => assert!(!verdict.fix.is_empty(), "{verdict:?}"),
        State::Pass => assert!(verdict.fix.is_empty() && verdict.cap.is_none(), "{verdict:?}"),
        State::Unknown(_) | State::NotApplicable => assert_eq!(verdict.cap, None, "{verdict:?}"),
    }
    assert!(!verdict.seen.is_empty(), "{verdict:?}");
    verdict.cap.map_or(state.clone(), |cap| format!("{state} ({})", cap.as_str()))
}
