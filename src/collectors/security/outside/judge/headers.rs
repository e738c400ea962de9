//! What pages say: API-09 to API-13.

use std::collections::BTreeMap;

use super::{each, known_of, looked_at, no_answer, page, unseen};
use crate::collectors::security::outside::answer::Answer;
use crate::collectors::security::outside::cookie::Cookie;
use crate::collectors::security::outside::pages::{Crossing, Pages, Visit};
use crate::collectors::security::outside::policy::{Framing, Held};
use crate::collectors::security::verdict::{Cause, State, Unknown, Verdict};
use crate::tls::certificate::excerpt;

/// The most of a header's value that is repeated.
const VALUE_CHARS: usize = 60;

/// What is written instead of a policy that has nothing to go by: it tells of what it would forbid, and forbids nothing.
const POLICY_FIX: &str = "add_header Content-Security-Policy-Report-Only \"script-src 'self'; object-src 'none'; base-uri 'self'\" always;\n\
    # and once nothing is reported that the shop needs:\n\
    add_header Content-Security-Policy \"script-src 'self'; object-src 'none'; base-uri 'self'\" always;";

/// API-09. The cookies of all answers on the way count, since each of them is kept. PHP's settings are not asked: OpenCart
/// sets its cookie without them.
///
/// MDN's HTTP Observatory, cookies; ASVS 5.0, 3.3.1, 3.3.2, 3.3.4.
pub(super) fn session(pages: &Pages) -> Verdict {
    let set = |visit: &Visit| -> Vec<Cookie> {
        visit.answers.iter().flat_map(|answer| &answer.cookies).filter(|cookie| cookie.is_session()).cloned().collect()
    };
    let mut found = Vec::new();
    for visit in [pages.shop.as_ref().ok(), pages.admin.as_ref().ok().and_then(Option::as_ref)].into_iter().flatten() {
        found.extend(set(visit).into_iter().map(|cookie| (visit.path.as_str(), cookie)));
    }
    let bad: Vec<_> = found.iter().filter(|(_, cookie)| protection(cookie) == State::Fail).collect();
    let told = |found: &[&(&str, Cookie)]| {
        let one = |(path, cookie): &&(&str, Cookie)| format!("`{}` of {path} has {}", cookie.name, cookie.flags());
        found.iter().map(one).collect::<Vec<_>>().join("; ")
    };
    if !bad.is_empty() {
        return Verdict::fail(told(&bad), cookie_fix(&bad[0].1));
    }
    let (pages_seen, but) = looked_at(pages);
    if let Err(unknown) = pages_seen {
        return unseen(&unknown, pages);
    }
    if pages.shop.as_ref().is_ok_and(|visit| set(visit).is_empty()) {
        let why = "the shop's first page sets no cookie that is a session's by its name (…sess…, …login…)";
        return Unknown::new(Cause::Unsupported, why).into();
    }
    let half: Vec<_> = found.iter().filter(|(_, cookie)| protection(cookie) == State::Partial).collect();
    if half.is_empty() {
        Verdict::pass(told(&found.iter().collect::<Vec<_>>()) + &but)
    } else {
        Verdict::partial(told(&half) + &but, cookie_fix(&half[0].1))
    }
}

fn protection(cookie: &Cookie) -> State {
    match (cookie.is_secure, cookie.is_http_only, cookie.same_site.protects()) {
        (true, true, true) => State::Pass,
        (true, true, false) | (true, false, true) => State::Partial,
        _ => State::Fail,
    }
}

fn cookie_fix(cookie: &Cookie) -> String {
    format!(
        "# OpenCart sets it in catalog/controller/startup/session.php and system/framework.php, and ignores PHP's\n\
         # session.cookie_*. OpenCart 4, among the options there:\n\
         'secure' => true, 'httponly' => true, 'SameSite' => 'Lax'\n\
         # OpenCart 3, in place of all that follows getId(),\n\
         ['path' => '/', 'secure' => true, 'httponly' => true, 'samesite' => 'Lax']\n\
         # or with snuffleupagus, without a change of the shop's code:\n\
         sp.cookie.name(\"{}\").samesite(\"lax\");\nsp.auto_cookie_secure.enable();",
        cookie.name
    )
}

/// API-10. A policy that says nothing of where scripts come from (`upgrade-insecure-requests`, `frame-ancestors`) holds
/// none, and counts as if it were not there. What stands in a page's `<meta>` is not seen.
///
/// MDN's HTTP Observatory, csp; CSP Level 3; ASVS 5.0, 3.4.3.
pub(super) fn policy(pages: &Pages) -> Verdict {
    each(pages, |visit, answer| {
        let at = &visit.path;
        let held = Held::by(answer.values("content-security-policy"));
        if !held.concerns_scripts {
            let tells = answer.values("content-security-policy-report-only").next().is_some();
            let has_other = answer.values("content-security-policy").next().is_some();
            let what = match (has_other, tells) {
                (true, _) => "has a Content-Security-Policy that says nothing of scripts",
                (false, true) => "has a Content-Security-Policy that only reports",
                (false, false) => "has no Content-Security-Policy",
            };
            return Verdict::fail(format!("{at} {what}"), POLICY_FIX);
        }
        if held.is_safe() {
            return Verdict::pass(format!("{at} has a Content-Security-Policy that leaves nothing open"));
        }
        let open = [
            (held.inline, "scripts in the page or of any server"),
            (held.eval, "eval()"),
            (held.objects, "plugins (object-src)"),
            (held.base, "another base (base-uri)"),
        ];
        let open: Vec<_> = open.iter().filter(|(open, _)| *open).map(|(_, word)| *word).collect();
        let fix = "in Content-Security-Policy: a nonce or hash for each script instead of 'unsafe-inline', no \
                   'unsafe-eval', named servers instead of https:; and object-src 'none'; base-uri 'self'";
        Verdict::partial(format!("the Content-Security-Policy of {at} allows {}", open.join(", ")), fix)
    })
}

/// How far a page is kept from being framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framed {
    Closed,
    Half,
    Open,
}

/// API-11. Where `frame-ancestors` is there, browsers leave `X-Frame-Options` unread. Named hosts beside its own are a
/// decision, as at MDN; all hosts are none.
///
/// MDN's HTTP Observatory, x-frame-options; HTML, section 7.5.1; ASVS 5.0, 3.4.6.
pub(super) fn framing(pages: &Pages) -> Verdict {
    const FIX: &str = "add_header Content-Security-Policy \"frame-ancestors 'self'\" always;";
    let told = |found: &[(&Visit, &Answer)]| {
        found
            .iter()
            .map(|(visit, answer)| format!("{}: {}", visit.path, framed(answer).1))
            .collect::<Vec<_>>()
            .join("; ")
    };
    let (looked_at, but) = looked_at(pages);
    let found = match looked_at {
        Ok(found) => found,
        // Which may be a half or nothing, with what is not known.
        Err(unknown) => return unseen(&unknown, pages),
    };
    let states: Vec<_> = found.iter().map(|(_, answer)| framed(answer).0).collect();
    let seen = told(&found) + &but;
    if states.iter().all(|state| *state == Framed::Closed) {
        Verdict::pass(seen)
    } else if states.iter().all(|state| *state == Framed::Open) {
        Verdict::fail(seen, FIX)
    } else {
        Verdict::partial(seen, FIX)
    }
}

fn framed(answer: &Answer) -> (Framed, String) {
    match Held::by(answer.values("content-security-policy")).framing {
        Some(Framing::Own) => return (Framed::Closed, "frame-ancestors allows its own pages at most".to_owned()),
        Some(Framing::Named) => return (Framed::Closed, "frame-ancestors names who may".to_owned()),
        Some(Framing::Anybody) => return (Framed::Open, "frame-ancestors allows anybody".to_owned()),
        None => {}
    }
    let text: Vec<_> = answer.values("x-frame-options").collect();
    let mut values: Vec<_> =
        text.iter().flat_map(|value| value.split(',')).map(|value| value.trim().to_ascii_lowercase()).collect();
    values.sort();
    values.dedup();
    let is = |word: &str| values.iter().any(|value| value == word);
    let shown = excerpt(&text.join(", "), VALUE_CHARS);
    match values.as_slice() {
        [] => (Framed::Open, "nothing says who may frame it".to_owned()),
        // Of several that differ browsers refuse all, if there is one among them that they know.
        [_, _, ..] if is("deny") || is("sameorigin") || is("allowall") => {
            (Framed::Closed, format!("X-Frame-Options: {shown}, which contradicts itself: browsers refuse all frames"))
        }
        [value] if value == "deny" || value == "sameorigin" => (Framed::Closed, format!("X-Frame-Options: {shown}")),
        values if values.iter().any(|value| value.starts_with("allow-from")) => {
            (Framed::Half, format!("X-Frame-Options: {shown}, which only old browsers know"))
        }
        _ => (Framed::Open, format!("X-Frame-Options: {shown}, which browsers ignore")),
    }
}

/// API-12.
///
/// MDN's HTTP Observatory; OWASP Secure Headers Project, headers to add and to remove; ASVS 5.0, 3.4.4, 3.4.5, 13.4.6; CIS
/// NGINX, 2.5.1.
pub(super) fn hygiene(pages: &Pages) -> Verdict {
    let certain = Lacks::of(&known_of(pages));
    if certain.count() > 2 {
        return Verdict::fail(certain.told(), certain.fix());
    }
    let (looked_at, but) = looked_at(pages);
    let found = match looked_at {
        Ok(found) => Lacks::of(&found),
        Err(unknown) => return unseen(&unknown, pages),
    };
    match found.count() {
        0 => Verdict::pass(format!("types are not guessed, referrers are short, versions are kept{but}")),
        1 | 2 => Verdict::partial(found.told() + &but, found.fix()),
        _ => Verdict::fail(found.told() + &but, found.fix()),
    }
}

/// What pages lack of each of the four, each with where: all must hold wherever somebody looks.
struct Lacks([BTreeMap<String, Vec<String>>; 4]);

impl Lacks {
    fn of(found: &[(&Visit, &Answer)]) -> Self {
        let mut all = Self(Default::default());
        for (visit, answer) in found {
            for (kind, lack) in all.0.iter_mut().zip(lacks(answer)) {
                if let Some(lack) = lack {
                    kind.entry(lack).or_default().push(visit.path.clone());
                }
            }
        }
        all
    }

    fn count(&self) -> usize {
        self.0.iter().filter(|kind| !kind.is_empty()).count()
    }

    fn told(&self) -> String {
        let one = |(lack, at): (&String, &Vec<String>)| format!("{lack} ({})", at.join(", "));
        self.0.iter().flatten().map(one).collect::<Vec<_>>().join("; ")
    }

    fn fix(&self) -> String {
        const LINES: [&str; 4] = [
            "add_header X-Content-Type-Options nosniff always;",
            "add_header Referrer-Policy strict-origin-when-cross-origin always;",
            "server_tokens off;",
            "expose_php = Off",
        ];
        let lines: Vec<_> =
            LINES.iter().zip(&self.0).filter(|(_, kind)| !kind.is_empty()).map(|(line, _)| *line).collect();
        // A location with an add_header of its own has none of those around it.
        format!("# nginx: inside of the location that serves PHP; expose_php: in php.ini\n{}", lines.join("\n"))
    }
}

/// What an answer lacks of each of the four.
fn lacks(answer: &Answer) -> [Option<String>; 4] {
    const SHORT: [&str; 4] = ["no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"];
    const LONG: [&str; 4] = ["no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "unsafe-url"];
    let values = |name: &str| {
        answer
            .values(name)
            .flat_map(|value| value.split(','))
            .map(|value| value.trim().to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    // Browsers look at the first alone (Fetch, section 3.6).
    let is_kept = values("x-content-type-options").first().is_some_and(|value| value == "nosniff");
    // Of several the last counts that they know (Referrer Policy, section 11.1).
    let policies = values("referrer-policy");
    let policy = policies.iter().rev().find(|value| SHORT.contains(&value.as_str()) || LONG.contains(&value.as_str()));
    let versioned = |name: &str| {
        let value = answer.values(name).find(|value| has_version(value))?;
        Some(format!("a version is told: {}", excerpt(value, VALUE_CHARS)))
    };
    [
        (!is_kept).then(|| "no X-Content-Type-Options: nosniff".to_owned()),
        match policy {
            Some(policy) if SHORT.contains(&policy.as_str()) => None,
            Some(policy) => Some(format!("Referrer-Policy: {policy}, which tells other sites too much")),
            None => Some("no Referrer-Policy".to_owned()),
        },
        versioned("server"),
        versioned("x-powered-by"),
    ]
}

/// Whether a product's version is told: `nginx/1.22.1`, `PHP/8`, `Apache 2.4`.
fn has_version(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    (0..bytes.len()).any(|at| match bytes[at] {
        b'/' => {
            digit(at + 1) || (bytes.get(at + 1).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'v')) && digit(at + 2))
        }
        b'.' => at > 0 && digit(at - 1) && digit(at + 1),
        _ => false,
    })
}

/// API-13. `null` is an origin that anybody can have: a page in a sandbox does.
///
/// Who refuses what a visitor gets has refused the request, and said nothing of origins, least of all nginx, whose
/// `add_header` leaves a 403 alone without `always`. One refusal is an answer all the same: the one that OpenCart's API
/// has for whoever comes without a signature, in its own words, by the same `index.php` as the first page, which was
/// served. What nginx adds would have been seen there, and what the shop's code adds to all answers, here.
///
/// MDN's HTTP Observatory, cors; ASVS 5.0, 3.4.2.
pub(super) fn crossing(pages: &Pages) -> Verdict {
    const FIX: &str = "# only origins that are known, by their whole names:\n\
        map $http_origin $allowed_origin { default \"\"; https://app.shop.example $http_origin; }\n\
        add_header Access-Control-Allow-Origin $allowed_origin always;";
    let told = |one: &Crossing| {
        let allowed = one.allow_origin.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        if allowed.is_empty() && one.status == 403 {
            format!("{} refuses strangers, in the shop's own words, and allows no other origin", one.path)
        } else if allowed.is_empty() {
            format!("{} allows no other origin", one.path)
        } else if allowed.contains(&one.origin) {
            format!(
                "{} allows whoever asks{}",
                one.path,
                if one.allows_credentials { ", with credentials" } else { "" }
            )
        } else {
            format!("{} allows {}", one.path, excerpt(&allowed, VALUE_CHARS))
        }
    };
    let gives_away = |one: &&Crossing| {
        one.allows_credentials && one.allow_origin.iter().any(|origin| *origin == one.origin || origin == "null")
    };
    if let Some(one) = pages.crossings.iter().flatten().find(gives_away) {
        return Verdict::fail(told(one), FIX);
    }
    if let Some(unknown) = pages.crossings.iter().find_map(|one| one.as_ref().err()) {
        return unknown.into();
    }
    if pages.crossings.is_empty() {
        return Unknown::new(Cause::Unparsable, "nothing was asked as another origin").into();
    }
    let first = pages.shop.as_ref().map_err(Clone::clone).and_then(page);
    let is_served = pages.crossings.iter().flatten().any(|one| (200..300).contains(&one.status));
    let refused = |one: &Crossing| {
        let is_answer = one.is_own_refusal && one.path.contains("index.php?") && is_served;
        let is_turned_away = (one.status == 403 && !is_answer).then(|| {
            Unknown::new(Cause::Unreachable, format!("{} answers 403 to a request of another origin", one.path))
        });
        no_answer(&one.path, one.status).or(is_turned_away)
    };
    match (pages.crossings.iter().flatten().find_map(refused), first) {
        (_, Err(unknown)) => unseen(&unknown, pages),
        (Some(unknown), _) => unknown.into(),
        _ => Verdict::pass(pages.crossings.iter().flatten().map(told).collect::<Vec<_>>().join("; ")),
    }
}
