//! The shop's pages, as any visitor gets them: by HTTPS and by HTTP, and as another origin's script would.

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::ORIGIN;
use serde::{Deserialize, Serialize};
use url::Url;

use super::agent::word;
use super::answer::{Answer, values};
use super::visitor::{Missed, Visitor};
use crate::collectors::security::verdict::{Known, Unknown};
use crate::tls::certificate::shown;

/// How many redirects are followed, on the shop's own host.
const REDIRECTS: usize = 3;

/// How much of a page is read before it is dropped: so much that its server need not note a visitor who went away.
const BODY_BYTES: usize = 64 << 10;

/// Pages, as any visitor gets them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pages {
    /// The shop's host.
    pub(crate) host: String,
    /// Its first page by HTTPS.
    pub(crate) shop: Known<Visit>,
    /// Its administration by HTTPS; `None` when it was seen that there is none.
    pub(crate) admin: Known<Option<Visit>>,
    /// Its first page by HTTP.
    pub(crate) plain_shop: Known<Plain>,
    /// Its administration by HTTP.
    pub(crate) plain_admin: Known<Option<Plain>>,
    /// What another origin is told.
    pub(crate) crossings: Vec<Known<Crossing>>,
}

/// What a visitor met on the way to a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Visit {
    /// What was asked for first, as the path of a request.
    pub(crate) path: String,
    /// The answers, one after the other: at least one.
    pub(crate) answers: Vec<Answer>,
}

/// What comes of a visit without encryption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Plain {
    /// Nobody listens there.
    Closed,
    /// Somebody answers.
    Open(Visit),
}

/// A request that another origin's script sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crossing {
    /// The path.
    pub(crate) path: String,
    /// The origin, which nobody can know of before.
    pub(crate) origin: String,
    /// The status of the answer.
    pub(crate) status: u16,
    /// `Access-Control-Allow-Origin`.
    pub(crate) allow_origin: Vec<String>,
    /// Whether `Access-Control-Allow-Credentials` is `true`.
    pub(crate) allows_credentials: bool,
    /// Whether a refusal is the shop's own, by its words, and not that of whoever stands before it.
    #[serde(default)]
    pub(crate) is_own_refusal: bool,
}

impl Pages {
    /// Whether some of it did not come, and may the next time.
    pub(crate) fn is_silent(&self) -> bool {
        fn silence<T>(known: &Known<T>) -> bool {
            known.as_ref().is_err_and(Unknown::is_silence)
        }
        silence(&self.shop)
            || silence(&self.admin)
            || silence(&self.plain_shop)
            || silence(&self.plain_admin)
            || self.crossings.iter().any(silence)
    }

    /// The same, with what was known before of all that nobody answered now. For how long that holds is the caller's to
    /// say.
    pub(crate) fn held(mut self, before: Option<&Self>) -> Self {
        let Some(before) = before.filter(|before| before.host == self.host) else { return self };
        hold(&mut self.shop, &before.shop);
        hold(&mut self.plain_shop, &before.plain_shop);
        // An administration that does not answer is one: that there was none before says nothing of it.
        if before.admin.as_ref().is_ok_and(Option::is_some) {
            hold(&mut self.admin, &before.admin);
        }
        if before.plain_admin.as_ref().is_ok_and(Option::is_some) {
            hold(&mut self.plain_admin, &before.plain_admin);
        }
        for (now, before) in self.crossings.iter_mut().zip(&before.crossings) {
            hold(now, before);
        }
        self
    }
}

/// Keeps what was known where nobody answered now.
fn hold<T: Clone>(now: &mut Known<T>, before: &Known<T>) {
    if now.as_ref().is_err_and(Unknown::is_silence) && before.is_ok() {
        now.clone_from(before);
    }
}

impl Visit {
    /// The last answer.
    pub(crate) fn last(&self) -> Option<&Answer> {
        self.answers.last()
    }
}

/// Asks for the shop's pages, at most once an hour. `admin` is [where the administration is](super::administration),
/// and `interface` [what stands for the API](super::interface).
pub(crate) async fn ask_pages(visitor: &Visitor, admin: &Known<Option<String>>, interface: &str) -> Pages {
    let at = |base: &Url, path: &str| base.join(path).unwrap_or_else(|_| base.clone());
    let shop = visitor.visit(visitor.home.clone()).await.map_err(Missed::unknown);
    let plain_shop = plain(visitor.visit(visitor.plain.clone()).await);
    let (mut encrypted_admin, mut plain_admin) = (admin.clone().map(|_| None), admin.clone().map(|_| None));
    if let Ok(Some(path)) = admin {
        encrypted_admin = visitor.visit(at(&visitor.home, path)).await.map(Some).map_err(Missed::unknown);
        plain_admin = plain(visitor.visit(at(&visitor.plain, path)).await).map(Some);
    }
    let mut crossings = Vec::new();
    for path in ["", interface] {
        crossings.push(visitor.cross(&at(&visitor.home, path)).await.map_err(Missed::unknown));
    }
    let host = shown(visitor.host());
    Pages { host, shop, admin: encrypted_admin, plain_shop, plain_admin, crossings }
}

fn plain(visited: Result<Visit, Missed>) -> Known<Plain> {
    match visited {
        Ok(visit) => Ok(Plain::Open(visit)),
        Err(Missed::Closed(_)) => Ok(Plain::Closed),
        Err(Missed::Unknown(unknown)) => Err(unknown),
    }
}

impl Visitor {
    /// Goes to a page, by as many redirects as stay on its host and lead from HTTP to HTTPS at most, never back.
    async fn visit(&self, first: Url) -> Result<Visit, Missed> {
        let mut visit = Visit { path: shown(first.path()), answers: Vec::new() };
        let mut url = first;
        loop {
            let (head, _) = self.ask(&url, |request| request.body(Full::<Bytes>::default()), BODY_BYTES).await?;
            let (answer, next) = Answer::of(&head, &url);
            visit.answers.push(answer);
            let at_home = |next: &Url| {
                let own = if next.scheme() == "https" { &self.home } else { &self.plain };
                (next.scheme(), next.host(), next.port()) == (own.scheme(), own.host(), own.port())
                    && next.scheme() == url.scheme()
            };
            match next {
                Some(next) if visit.answers.len() <= REDIRECTS && at_home(&next) => url = next,
                _ => return Ok(visit),
            }
        }
    }

    async fn cross(&self, url: &Url) -> Result<Crossing, Missed> {
        let origin = format!("https://{}.invalid", word());
        let ask = self.ask(url, |request| request.header(ORIGIN, &origin).body(Full::<Bytes>::default()), BODY_BYTES);
        let (head, body) = ask.await?;
        let path = shown(&url[url::Position::BeforePath..url::Position::AfterQuery]);
        Ok(Crossing::of(path, origin, &head, &body))
    }
}

impl Crossing {
    fn of(path: String, origin: String, head: &hyper::http::response::Parts, body: &[u8]) -> Self {
        Self {
            is_own_refusal: head.status == 403 && is_refusal(body),
            path,
            origin,
            status: head.status.as_u16(),
            allow_origin: values(&head.headers, "access-control-allow-origin").collect(),
            // Browsers want it exactly so (Fetch, section 3.3.2).
            allows_credentials: values(&head.headers, "access-control-allow-credentials").any(|value| value == "true"),
        }
    }
}

/// Whether a body is OpenCart's who misses a signature, `{"error":"…"}`, which it sends as `text/html`
/// (`startup/api.permission` since 4.1). nginx and firewalls before it refuse with a page.
fn is_refusal(body: &[u8]) -> bool {
    let told: Option<BTreeMap<String, String>> = serde_json::from_slice(body).ok();
    told.is_some_and(|told| told.keys().eq(["error"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::security::verdict::Cause;

    fn unknown<T>(cause: Cause) -> Known<T> {
        Err(Unknown::new(cause, "x"))
    }

    /// Pages that were visited, each with this path.
    fn visited(path: &str) -> Pages {
        let visit = || Visit { path: path.to_owned(), answers: Vec::new() };
        let crossing = Crossing {
            path: path.to_owned(),
            origin: String::new(),
            status: 200,
            allow_origin: Vec::new(),
            allows_credentials: false,
            is_own_refusal: false,
        };
        Pages {
            host: "shop.example".to_owned(),
            shop: Ok(visit()),
            admin: Ok(Some(visit())),
            plain_shop: Ok(Plain::Open(visit())),
            plain_admin: Ok(Some(Plain::Open(visit()))),
            crossings: vec![Ok(crossing.clone()), Ok(crossing)],
        }
    }

    /// Pages of which nothing is known.
    fn missed(cause: Cause) -> Pages {
        Pages {
            shop: unknown(cause),
            admin: unknown(cause),
            plain_shop: unknown(cause),
            plain_admin: unknown(cause),
            crossings: vec![unknown(cause), unknown(cause)],
            ..visited("")
        }
    }

    #[test]
    fn silence_takes_back_no_page_and_an_answer_does() {
        let before = visited("/before");
        for cause in [Cause::Timeout, Cause::Unreachable] {
            assert_eq!(missed(cause).held(Some(&before)), before);
        }
        assert_eq!(missed(Cause::Unparsable).held(Some(&before)), missed(Cause::Unparsable));
        assert_eq!(visited("/now").held(Some(&before)), visited("/now"));
        assert_eq!(missed(Cause::Timeout).held(None), missed(Cause::Timeout));
        // Each by itself.
        let half = Pages { plain_admin: unknown(Cause::Timeout), ..visited("/now") };
        let held = half.held(Some(&before));
        assert_eq!(held, Pages { plain_admin: before.plain_admin.clone(), ..visited("/now") });
    }

    #[test]
    fn the_shops_own_refusal_is_told_from_any_other() {
        for (body, is_own) in [
            (r#"{"error":"You do not have permission to access the API!"}"#, true),
            (r#"{"error":"x","cloudflare_error":"1020"}"#, false),
            (r#"{"error":{"code":403}}"#, false),
            ("<html><head><title>403 Forbidden</title></head>", false),
            ("", false),
        ] {
            assert_eq!(is_refusal(body.as_bytes()), is_own, "{body}");
        }
    }

    #[test]
    fn an_administration_that_is_silent_is_not_gone() {
        let before = Pages { admin: Ok(None), plain_admin: Ok(None), ..visited("/") };
        let held = missed(Cause::Timeout).held(Some(&before));
        assert_eq!((held.admin, held.plain_admin), (unknown(Cause::Timeout), unknown(Cause::Timeout)));
        let elsewhere = Pages { host: "www.shop.example".to_owned(), ..visited("/") };
        assert_eq!(missed(Cause::Timeout).held(Some(&elsewhere)), missed(Cause::Timeout));
    }
}
