//! The manners of each marketplace, as docs/simulate.md has them.

mod headers;
mod tokens;

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{HeaderName, HeaderValue};
use url::Url;

use crate::simulate::ask::Ask;
use crate::simulate::manners::{ALL, Manners, Till, Visit};
use crate::simulate::reply::{OBJECTION, Reply};
use crate::simulate::scenario::{Play, Scene};
use crate::simulate::script::Plot;

/// A marketplace, and a moment.
pub(super) struct At {
    manners: &'static Manners,
    till: Till,
    plot: Plot,
    now: Duration,
    is_listed: bool,
}

/// 2026-11-23, 12:34:56.
const DATE: Duration = Duration::from_secs(1_795_437_296);

impl At {
    fn new(name: &str) -> Self {
        let manners = ALL.into_iter().find(|one| one.name == name).unwrap();
        Self { manners, till: Till::default(), plot: Plot::default(), now: Duration::ZERO, is_listed: false }
    }

    /// A secret of its.
    fn secret(&self, name: &str) -> &'static str {
        self.manners.secrets.iter().chain(self.manners.vars).find(|(known, _)| *known == name).unwrap().1
    }

    fn plays(&mut self, scene: Scene, variant: Option<&'static str>) {
        self.plot.play = Some(Play { scene, variant, retry_after: None, skew: 0.0 });
    }

    fn ask(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let url = Url::parse(url).unwrap();
        let mut ask = Ask {
            method: method.to_owned(),
            host: url.host_str().unwrap().to_owned(),
            path: url.path().to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
            body: body.to_owned().into(),
            ..Ask::default()
        };
        for (name, value) in headers {
            ask.headers.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        assert_eq!(Manners::of(&ask.host).name, self.manners.name);
        let mut visit = Visit {
            ask: &ask,
            till: &mut self.till,
            plot: &self.plot,
            now: self.now,
            date: SystemTime::UNIX_EPOCH + DATE + self.now,
            speed: 1.0,
            is_listed: self.is_listed,
            left: None,
        };
        self.manners.answer(&mut visit)
    }

    fn get(&mut self, url: &str, headers: &[(&str, &str)]) -> Reply {
        self.ask("GET", url, headers, "")
    }
}

/// The header of Basic authentication.
fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A place in a body of JSON.
fn at(reply: &Reply, pointer: &str) -> String {
    let value = reply.value();
    let value = value.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {reply:?}"));
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The statuses of so many times the same.
fn statuses(times: usize, mut ask: impl FnMut() -> Reply) -> Vec<u16> {
    let mut seen: Vec<_> = (0..times).map(|_| ask().status.as_u16()).collect();
    seen.dedup();
    seen
}

#[test]
fn no_marketplace_answers_what_no_preset_may_send() {
    for one in ALL.into_iter().filter(|one| one.name != "generic") {
        let mut at = At::new(one.name);
        let url = format!("https://{}/", one.hosts[0]);
        for (method, path) in [("POST", "products"), ("DELETE", ""), ("GET", "products/delete"), ("PUT", "v1/roles")] {
            let reply = at.ask(method, &format!("{url}{path}"), &[], "");
            assert_eq!(reply.status, OBJECTION, "{method} {url}{path}");
            assert!(reply.objection.unwrap().contains(one.name));
        }
        // Whoever asks only whether it is there, hears something.
        assert_eq!(at.get(&url, &[]).status, 404);
    }
}

#[test]
fn every_host_has_one_marketplace_and_every_other_name_is_generic() {
    let mut hosts: Vec<_> = ALL.iter().flat_map(|one| one.hosts).collect();
    hosts.sort_unstable();
    let count = hosts.len();
    hosts.dedup();
    assert_eq!(hosts.len(), count);
    assert_eq!(Manners::of("api.etsy.example").name, "generic");
}

#[test]
fn all_credentials_are_obviously_made_up() {
    for (name, secret) in ALL.iter().flat_map(|one| one.secrets) {
        assert!(secret.contains("simulated"), "{name}: {secret}");
    }
}
