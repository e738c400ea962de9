//! twelve logins of somebody who does not exist. Whoever lets all of them pass lets a million pass.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Method;
use hyper::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};

use crate::collectors::security::config;
use crate::collectors::security::outside::agent::word;
use crate::collectors::security::outside::visitor::Visitor;
use crate::collectors::security::shop::Engine;
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// How many: more than the ten that OpenCart allows at most, and fewer than anybody would notice.
const LOGINS: usize = 12;

/// How many that are not answered end it: each is asked again, and who loses more has learned nothing.
const LOST: usize = 3;

/// What came of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logins {
    /// Where, as the path of a request without its query.
    pub(crate) path: String,
    /// How many were answered.
    pub(crate) sent: usize,
    /// How many of these were turned away, or the visitor banned.
    pub(crate) refused: usize,
}

impl Logins {
    /// Whether nothing stood in the way.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.sent == LOGINS && self.refused == 0
    }
}

/// Logs in twelve times at the administration, once a week, as somebody with a name that nobody can have. No two attempts
/// have a password in common, and none is anybody's.
///
/// A login that is not answered was neither let in nor refused: a network that loses it looks like a ban.
///
/// # Errors
/// `not_configured` unless it is understood that the machine may ban itself; `unsupported` for a shop whose logins are not
/// known; why there was no answer when too few came to tell.
pub(crate) async fn ask_logins(
    visitor: &Visitor,
    wanted: &config::Active,
    admin: &Known<Option<String>>,
    engine: &Engine,
) -> Known<Logins> {
    if !wanted.logins || !wanted.ack_self_ban {
        return Err(Unknown::new(
            Cause::NotConfigured,
            "logins are tried with logins = true and ack_self_ban = true alone",
        ));
    }
    let unsupported = |why: &str| Unknown::new(Cause::Unsupported, why);
    let path = admin.clone()?.ok_or_else(|| unsupported("there is no administration to log in at"))?;
    let (user, password, place) = match engine {
        Engine::OpenCart(Some((..=3, ..))) => ("username", "password", "index.php?route=common/login"),
        Engine::OpenCart(Some((4, 0, 0..=1))) => ("username", "password", "index.php?route=common/login|login"),
        Engine::OpenCart(Some(_)) => ("username", "password", "index.php?route=common/login.login"),
        Engine::WordPress => ("log", "pwd", "/wp-login.php"),
        // Each version of OpenCart takes another one for a page that it does not know.
        Engine::OpenCart(None) | Engine::Magento | Engine::Other => {
            return Err(unsupported("how one logs in at this shop is not known"));
        }
    };
    let mut logins = Logins { path: path.clone(), ..Logins::default() };
    let base = visitor.home.join(&path).map_err(|_| unsupported("the administration's path is none"))?;
    let name = format!("vitrin-{}", word());
    let url = base.join(place).map_err(|_| unsupported("the administration's path is none"))?;
    let mut lost = 0;
    while logins.sent < LOGINS {
        let form = format!("{user}={name}&{password}={}", word());
        let build = |request: hyper::http::request::Builder| {
            let request = request.method(Method::POST).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            request.body(Full::new(Bytes::from(form)))
        };
        let missed = match visitor.ask(&url, build, 0).await {
            Ok((head, _)) => {
                let status = head.status.as_u16();
                // Of an administration that strangers do not reach nothing is learned.
                if logins.sent == 0 && !matches!(status, 200..=399) {
                    return Err(unsupported(&format!("the login answers {status}")));
                }
                logins.sent += 1;
                logins.refused += usize::from(status >= 400);
                continue;
            }
            Err(missed) => missed.unknown(),
        };
        lost += 1;
        match (lost, logins.refused) {
            (..LOST, _) if logins.sent > 0 => {}
            (_, 1..) => break,
            _ => {
                let why = format!("{lost} logins were not answered, and {} were: {}", logins.sent, missed.why);
                return Err(Unknown::new(missed.cause, why));
            }
        }
    }
    Ok(logins)
}
