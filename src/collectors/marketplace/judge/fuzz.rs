//! What must hold whatever a marketplace answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::{StatusCode, header};

use super::rules::{Business, Rules};
use super::template::clean;
use super::{Verdict, judge};
use crate::collectors::marketplace::exchange::Answer;
use crate::collectors::marketplace::result::Outcome;
use crate::fuzz::message;

/// Rules that use everything there is, for JSON and for XML.
const RULES: [&str; 2] = [include_str!("fuzz/json.toml"), include_str!("fuzz/xml.toml")];

/// The same, read.
static READ: LazyLock<[Rules; 2]> = LazyLock::new(|| {
    RULES.map(|text| {
        let rules: Rules = toml::from_str(text).expect("they are committed");
        rules.check().expect("they are good");
        rules
    })
});

/// An answer of any bytes: its status in the first line, headers in the next ones, and after an empty line its body.
pub(crate) fn answer(bytes: &[u8]) {
    let Some(answer) = read(bytes) else { return };
    for (rules, text) in READ.iter().zip(RULES) {
        for environment in ["production", "sandbox"] {
            let verdict = judge(rules, environment, &answer, now());
            assert!(judge(rules, environment, &answer, now()) == verdict, "the same answer comes to something else");
            check(&verdict, rules, &answer);
            reveals_nothing(&verdict, text, &answer);
        }
    }
}

/// Rules of any text, and behind a form feed an answer: what is not refused keeps the same promises.
pub(crate) fn rules(bytes: &[u8]) {
    let Some(at) = memchr::memchr(b'\x0c', bytes) else { return };
    let Ok(text) = str::from_utf8(&bytes[..at]) else { return };
    let (Ok(rules), Some(answer)) = (toml::from_str::<Rules>(text), read(&bytes[at + 1..])) else { return };
    if rules.check().is_err() {
        return;
    }
    let verdict = judge(&rules, "production", &answer, now());
    check(&verdict, &rules, &answer);
    reveals_nothing(&verdict, text, &answer);
}

/// An answer as inputs have it.
pub(in crate::collectors::marketplace) fn read(bytes: &[u8]) -> Option<Answer> {
    let (status, headers, body) = message::read(bytes)?;
    Some(Answer { status: StatusCode::from_bytes(status).ok()?, headers, body: body.to_vec() })
}

/// Monday, 23 November 2026, 15:00:00 UTC.
pub(in crate::collectors::marketplace) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(498_735)
}

fn check(verdict: &Verdict, rules: &Rules, answer: &Answer) {
    let Verdict { outcome, error_code, because, retry_after, numbers, limits } = verdict;
    assert!(outcome.is_of_an_answer(), "{outcome}");
    assert!(because.len() >= 2 && because.iter().all(|step| (1..2_000).contains(&step.len())), "{because:?}");
    if *outcome == Outcome::Ok {
        assert!(rules.success.has(answer.status.as_u16()), "{because:?}");
    } else {
        assert!(numbers.is_empty());
    }
    if let Some(code) = error_code {
        assert!(code == "other" || rules.classify.iter().any(|rule| rule.codes.contains(code)), "{code}");
    }
    assert!(retry_after.is_none_or(|wait| !wait.is_zero() && wait <= Duration::from_hours(24)), "{retry_after:?}");
    let mut series: BTreeMap<Business, BTreeSet<&str>> = BTreeMap::new();
    for number in numbers {
        assert!(number.value.is_finite() && number.value.abs() <= 1e15, "{number:?}");
        assert_eq!(number.labels.keys().map(String::as_str).next(), number.metric.label());
        let of_metric = series.entry(number.metric).or_default();
        assert!(of_metric.insert(number.label()) && of_metric.len() <= 20, "{number:?}");
    }
    let mut buckets = BTreeSet::new();
    for limit in limits {
        assert!(buckets.insert((&limit.bucket, limit.is_api)), "{limit:?}");
        let said = [limit.limit, limit.remaining, limit.refill, limit.reset];
        assert!(said.iter().any(Option::is_some));
        assert!(said.iter().chain([&limit.window]).flatten().all(|said| (0.0..=1e15).contains(said)), "{limit:?}");
    }
    let labels = numbers.iter().map(super::Number::label).chain(limits.iter().map(|limit| limit.bucket.as_str()));
    for label in labels.filter(|label| !label.is_empty()) {
        assert!(label.len() <= 64 && !label.contains(char::is_control) && label.trim() == label, "{label:?}");
    }
    assert!(buckets.len() <= 2 + rules.rate_limit.iter().map(|rule| rule.max_buckets).sum::<usize>());
}

/// What is said of an answer holds no word of its body.
fn reveals_nothing(verdict: &Verdict, rules: &str, answer: &Answer) {
    // Of ten letters and more: shorter ones are words of any language.
    let body = String::from_utf8_lossy(&answer.body);
    let content_type = answer.headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let content_type = clean(&content_type.unwrap_or_default()).to_ascii_lowercase();
    let is_ours = |word: &str| {
        let words = ["environment", "milliseconds", "invalid_response", "client_error", "rate_limited", "server_error"];
        let names = Business::ALL.map(Business::name);
        [rules, &content_type].into_iter().chain(words).chain(names).any(|text| text.contains(word))
    };
    for word in body.split(|char: char| !char.is_alphanumeric() && char != '_').filter(|word| word.len() >= 10) {
        let is_said = verdict.because.iter().any(|step| step.contains(word));
        assert!(!is_said || is_ours(word), "{word} in {:?}", verdict.because);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_is_written() {
        let answer = read(b"403\ncontent-type: text/html\nretry-after:5\n\n<html>\n\nx").unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (403, &b"<html>\n\nx"[..]));
        assert_eq!(answer.headers["content-type"], "text/html");
        assert_eq!(answer.headers["retry-after"], "5");
        assert!(read(b"abc\n\n").is_none() && read(b"200\nx\n\n").is_none());
    }

    #[test]
    fn the_rules_use_every_key_there_is() {
        // The keys of all tables, as the types of `rules` have them.
        let keys = [
            "expect",
            "when",
            "result",
            "code_from",
            "codes",
            "status",
            "content_type",
            "body_contains",
            "environment",
            "json",
            "xml",
            "exists",
            "equals",
            "in",
            "type",
            "ignore_case",
            "require",
            "metric",
            "labels",
            "foreach",
            "value",
            "optional",
            "unit",
            "bucket",
            "source",
            "limit",
            "remaining",
            "rate",
            "reset",
            "from",
            "as",
            "window",
            "window_from",
            "allow",
            "max_buckets",
        ];
        let all = RULES.concat();
        for key in keys {
            let is_used = all.split(|char: char| !char.is_ascii_lowercase() && char != '_').any(|word| word == key);
            assert!(is_used, "{key}");
        }
        for unit in ["number", "bool", "epoch_seconds", "epoch_ms", "rfc3339"] {
            assert!(all.contains(&format!("unit = \"{unit}\"")), "{unit}");
        }
        for form in ["auto", "delta_seconds", "epoch_seconds", "epoch_ms", "rfc3339", "http_date"] {
            assert!(all.contains(&format!("as = \"{form}\"")), "{form}");
        }
        for business in Business::ALL {
            let name = business.name().strip_prefix("marketplace_").unwrap();
            assert!(all.contains(&format!("metric = \"{name}\"")), "{name}");
        }
    }
}
