//! What must hold whatever the shop's server answers, and whatever cron is told.

use futures_util::FutureExt as _;
use hyper::header::{HeaderName, HeaderValue, LOCATION, SET_COOKIE};
use hyper::{Response, StatusCode};
use url::Url;

use super::answer::Answer;
use super::encryption::Offers;
use super::groups::Group;
use super::offers::{Reply, reply};
use super::policy::Held;
use super::renewal;
use super::transport::max_age;
use super::visitor::unknown;
use crate::collectors::security::verdict::Known;
use crate::tls::flight::{Wanted, read};

/// A session, which nothing may keep.
const SECRET: &str = "canary-8f1d2c";

/// A policy that leaves nothing open.
const STRICT: &str = "script-src 'none'; object-src 'none'; base-uri 'none'";

/// Headers of an answer, each in a line: no session is kept of it, and another policy never opens anything.
pub(crate) fn page(bytes: &[u8]) {
    let mut response = Response::builder().status(StatusCode::FOUND);
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&line[colon + 1..])) {
            response = response.header(name, value);
        }
    }
    response = response
        .header(SET_COOKIE, format!("OCSESSID={SECRET}; path=/; HttpOnly"))
        .header(LOCATION, format!("/index.php?sid={SECRET}"));
    let Ok((head, ())) = response.body(()).map(Response::into_parts) else { return };
    let asked = Url::parse("https://shop.example/").expect("an address");
    let (answer, _) = Answer::of(&head, &asked);
    let kept = serde_json::to_string(&answer).expect("an answer can be written");
    assert!(kept.contains("OCSESSID") || answer.cookies.len() == 50, "{kept}");
    assert!(!kept.contains(SECRET) || bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "{kept}");
    assert_eq!(serde_json::from_str::<Answer>(&kept).ok().as_ref(), Some(&answer));
    let policies: Vec<_> = answer.values("content-security-policy").collect();
    assert!(Held::by(policies.iter().copied().chain([STRICT])).is_safe(), "{policies:?}");
    for text in answer.values("strict-transport-security") {
        // What stands there twice makes all of it void.
        assert!(max_age(text).is_none() || max_age(&format!("{text};max-age=1")).is_none(), "{text}");
    }
}

/// The server's answers to the questions for versions and suites, each behind its length: it has agreed to what it said
/// yes to, and to nothing else.
pub(crate) fn offers(mut bytes: &[u8]) {
    let mut next = |suites: &[u16]| -> Known<Reply> {
        let Some((length, rest)) = bytes.split_first() else { return Ok(Reply::HangsUp) };
        let (mut said, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        bytes = rest;
        if said.is_empty() {
            return Ok(Reply::HangsUp);
        }
        let answer = read(&mut said, Wanted::Choice).now_or_never().expect("nothing is waited for");
        answer.and_then(|answer| reply(answer, suites)).map_err(|failure| unknown(&failure))
    };
    let all: Vec<u16> = Group::ALL.iter().flat_map(|group| group.suites()).copied().collect();
    let old = [(); 3].map(|()| next(&all));
    let groups: Vec<_> = Group::ALL.iter().map(|group| next(group.suites())).collect();
    let newest = next(&[0x1301]);
    let offers = Offers::of(&old, &groups, &newest);
    let asked = old.iter().zip(&offers.versions).chain(groups.iter().zip(&offers.suites));
    for (reply, said) in asked.chain([(&newest, &offers.versions[4])]) {
        assert_eq!(matches!(reply, Ok(Reply::Agrees(_))), *said == Ok(true), "{reply:?}");
        assert!(reply.is_ok() || reply.as_ref().err() == said.as_ref().err(), "{reply:?} and {said:?}");
    }
    assert_eq!(offers.clone().held(Some(&offers)), offers);
}

/// A table of cron: what a line runs stands in it.
pub(crate) fn cron(text: &str) {
    for (line, has_users) in text.lines().flat_map(|line| [(line, true), (line, false)]) {
        let Some(command) = renewal::command(line, has_users) else { continue };
        assert!(line.contains(command) && command.len() < line.len(), "{line:?}");
        // Where systemd runs, no line does more than where it does not.
        assert!(renewal::renews(command, false) || !renewal::renews(command, true), "{line:?}");
    }
}
