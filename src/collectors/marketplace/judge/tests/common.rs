//! What holds for all marketplaces alike.

use std::time::Duration;

use expect_test::expect;
use hyper::StatusCode;

use super::abroad::{AMAZON, EBAY, EBAY_TRADING, GENERIC, OZON};
use super::turkey::{CICEKSEPETI, HEPSIBURADA, N11, N11_SOAP, PAZARAMA, TRENDYOL};
use super::{Probe, Verdict, now};
use crate::collector::{Failure, Reason};
use crate::collectors::marketplace::exchange::{Answer, Fault};
use crate::collectors::marketplace::result::Outcome;

/// Probes that expect JSON, and with that something particular.
const JSON: [&Probe; 8] = [&TRENDYOL, &EBAY, &AMAZON, &N11, &HEPSIBURADA, &OZON, &PAZARAMA, &CICEKSEPETI];

/// Those that expect XML.
const XML: [&Probe; 2] = [&EBAY_TRADING, &N11_SOAP];

#[test]
fn what_stands_in_the_way_is_told_from_what_answers() {
    let page = "content-type: text/html; charset=utf-8\n\n<!DOCTYPE html><html><body>canary</body></html>";
    for probe in JSON.into_iter().chain(XML) {
        probe.expect(&[
            (&format!("403\n{page}"), Outcome::Blocked, None),
            (&format!("503\n{page}"), Outcome::ServerError, None),
            // A page that says it is JSON is a page.
            ("403\ncontent-type: application/json\n\n<html>canary</html>", Outcome::Blocked, None),
            // Maintenance with a smile.
            (&format!("200\n{page}"), Outcome::InvalidResponse, None),
            (&format!("500\n{page}"), Outcome::ServerError, None),
            (&format!("502\n{page}"), Outcome::ServerError, None),
            (&format!("404\n{page}"), Outcome::ClientError, None),
            (&format!("401\n{page}"), Outcome::AuthError, None),
            (&format!("429\n{page}"), Outcome::RateLimited, None),
            // A login: what is behind it is no answer.
            ("302\nlocation: https://login.example/?next=canary\n\n", Outcome::ClientError, None),
            ("301\n\n", Outcome::ClientError, None),
            ("304\n\n", Outcome::ClientError, None),
            ("418\n\n", Outcome::ClientError, None),
            ("426\n\n", Outcome::ServerError, None),
            ("500\n\n", Outcome::ServerError, None),
            ("599\n\n", Outcome::ServerError, None),
            ("999\n\n", Outcome::ServerError, None),
            ("202\n\n", Outcome::InvalidResponse, None),
            ("101\n\n", Outcome::InvalidResponse, None),
        ]);
    }
}

#[test]
fn what_is_expected_is_a_matter_of_the_body_not_of_its_type() {
    for probe in JSON.into_iter().chain(XML) {
        let (head, body) = probe.good.split_once("\n\n").unwrap();
        let status = head.lines().next().unwrap();
        for content_type in ["text/html", "text/plain", "application/octet-stream", "\u{1}"] {
            let answer = format!("{status}\nX-Nothing: 1\n\n{body}");
            let answer = if content_type == "\u{1}" {
                answer
            } else {
                answer.replace("X-Nothing: 1", &format!("content-type: {content_type}"))
            };
            probe.expect(&[(&answer, Outcome::Ok, None)]);
        }
        // With the mark that some put before UTF-8.
        probe.expect(&[(&format!("{status}\n\n\u{feff}{body}"), Outcome::Ok, None)]);
    }
}

#[test]
fn an_answer_that_breaks_off_anywhere_is_none() {
    for probe in JSON.into_iter().chain(XML) {
        let (head, body) = probe.good.split_once("\n\n").unwrap();
        for end in (0..body.len()).filter(|end| body.is_char_boundary(*end)) {
            probe.expect(&[(&format!("{head}\n\n{}", &body[..end]), Outcome::InvalidResponse, None)]);
        }
    }
}

#[test]
fn bodies_that_are_meant_to_hurt_are_no_answer() {
    let deep = format!("200\n\n{}", "[".repeat(30_000));
    let deep_objects = format!("200\n\n{}", "{\"content\":".repeat(20_000));
    let whole = format!("200\n\n{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let elements = format!("200\n\n{}", "<a>".repeat(30_000));
    let laughs = "200\n\n<!DOCTYPE a [<!ENTITY b \"canary\"><!ENTITY c \"&b;&b;\">]><a><Ack>&c;</Ack></a>";
    for probe in JSON.into_iter().chain(XML) {
        for answer in [&deep, &deep_objects, &whole, &elements, laughs, "200\n\n\u{0}\u{0}", "200\n\n   "] {
            let verdict = probe.judge("production", answer);
            assert_eq!(verdict.outcome, Outcome::InvalidResponse, "{}: {:?}", probe.whole_name(), verdict.because);
        }
    }
}

#[test]
fn text_that_is_not_utf_8_is_no_json() {
    let body = b"{\"success\":true,\"data\":\"\xc7i\xe7ek\"}".to_vec();
    let answer = Answer { status: StatusCode::OK, headers: hyper::HeaderMap::new(), body };
    let verdict = super::judge(PAZARAMA.rules(), "production", &answer, now());
    assert_eq!(verdict.outcome, Outcome::InvalidResponse);
    assert_eq!(verdict.because.last().unwrap(), "the body is no JSON: it is not UTF-8: invalid_response");
}

#[test]
fn whoever_has_enough_says_for_how_long() {
    for probe in JSON.into_iter().chain(XML).chain([&GENERIC]) {
        for (says, wait) in [
            ("Retry-After: 30", Some(30_000)),
            ("Retry-After: 2.5", Some(2_500)),
            ("Retry-After: Mon, 23 Nov 2026 15:00:45 GMT", Some(45_000)),
            ("Retry-After: Mon, 23 Nov 2026 15:00:45 GMT\nDate: Mon, 23 Nov 2026 15:00:40 GMT", Some(5_000)),
            ("Retry-After: 999999999", Some(86_400_000)),
            ("Retry-After: soon", None),
            ("X-Nothing: 1", None),
        ] {
            for status in [429, 503] {
                let verdict = probe.judge("production", &format!("{status}\n{says}\n\n"));
                let outcome = if status == 429 { Outcome::RateLimited } else { Outcome::ServerError };
                assert_eq!(
                    (verdict.outcome, verdict.retry_after),
                    (outcome, wait.map(Duration::from_millis)),
                    "{says}"
                );
            }
        }
        // Only who is asked too much is asked to wait.
        assert_eq!(probe.judge("production", "404\nRetry-After: 30\n\n").retry_after, None);
    }
}

#[test]
fn each_step_is_said_and_no_word_of_the_body() {
    let answer = "403\ncontent-type: text/html; canary\n\n<html>canary";
    let because = PAZARAMA.judge("production", answer).because;
    expect![[r#"
        [
            "the answer has status 403, content type `text/html` and a page of HTML",
            "rule 1 of 1 (status 200 and `/success` = false) does not hold: not status 200",
            "status 403 with a page of HTML, where JSON belongs: blocked",
        ]
    "#]]
    .assert_debug_eq(&because);
    let answer = "200\n\n{\"success\":false,\"messageCode\":\"validation\",\"message\":\"canary\"}";
    let because = PAZARAMA.judge("production", answer).because;
    expect![[r#"
        [
            "the answer has status 200, no content type and a body of JSON",
            "rule 1 of 1 (status 200 and `/success` = false) holds: app_error, the error `validation`",
        ]
    "#]]
    .assert_debug_eq(&because);
    let because = OZON.judge("production", "429\nretry-after: 5\n\n{\"code\":9}").because;
    expect![[r#"
        [
            "the answer has status 429, no content type and a body of JSON",
            "rule 1 of 3 (status 403 and `/code` = 7) does not hold: not status 403",
            "rule 2 of 3 (`/code` = 8) does not hold",
            "rule 3 of 3 (`/code` = 16) does not hold",
            "status 429 is no success: rate_limited",
            "it says for how long it wants to be left alone",
        ]
    "#]]
    .assert_debug_eq(&because);
    let because = TRENDYOL.judge("production", "200\n\n{\"content\":[]}").because;
    expect![[r#"
        [
            "the answer has status 200, no content type and a body of JSON",
            "rule 1 of 2 (status 401) does not hold",
            "rule 2 of 2 (status 503 and environment `sandbox`) does not hold: not status 503",
            "status 200 is a success, and all that is required is there: ok",
            "`marketplace_listings`: there is no `/totalElements`, which may be",
        ]
    "#]]
    .assert_debug_eq(&because);
}

#[test]
fn what_came_in_the_way_is_a_verdict_too() {
    let failure = Failure::message(Reason::Timeout, "no answer in 10 s").context("asking api.example");
    let fault = Fault { outcome: Outcome::Timeout, failure };
    let because = vec!["no answer: asking api.example: no answer in 10 s: timeout".to_owned()];
    let expected = Verdict { because, ..Verdict::of(Outcome::Timeout, String::new()) };
    assert_eq!(Verdict::without_answer(&fault), expected);
}
