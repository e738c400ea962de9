//! How a probe ended that was answered: the preset's rules in their order, then the table that holds for all.

use serde_json::Value;

use super::rules::{Classify, CodeFrom, Expect, Rules, Success};
use super::seen::Seen;
use crate::collectors::marketplace::result::Outcome;

/// What an error is called that the preset does not list.
pub(super) const OTHER: &str = "other";

/// The outcome, and the error's name; each step is said.
pub(super) fn decide(rules: &Rules, seen: &Seen<'_>, because: &mut Vec<String>) -> (Outcome, Option<String>) {
    let count = rules.classify.len();
    for (n, rule) in rules.classify.iter().enumerate() {
        let name = format!("rule {} of {count} ({})", n + 1, rule.when);
        let Some(part) = rule.when.unmet(seen) else {
            let code = error_code(rule, seen);
            let named = code.as_ref().map_or_else(String::new, |code| format!(", the error `{code}`"));
            because.push(format!("{name} holds: {}{named}", rule.result));
            return (rule.result, code);
        };
        because.push(match rule.when.parts().len() {
            1 => format!("{name} does not hold"),
            _ => format!("{name} does not hold: not {part}"),
        });
    }
    let (outcome, why) = by_status(rules, seen)
        .or_else(|| unexpected(rules.expect, seen))
        .or_else(|| missing(&rules.success, seen))
        .unwrap_or_else(|| {
            (Outcome::Ok, format!("status {} is a success, and all that is required is there", seen.status()))
        });
    because.push(format!("{why}: {outcome}"));
    (outcome, None)
}

/// What a status means that the preset does not call a success, and what an error means under any status.
fn by_status(rules: &Rules, seen: &Seen<'_>) -> Option<(Outcome, String)> {
    let status = seen.status();
    let is_success = rules.success.has(status);
    let expected = match rules.expect {
        Expect::Any => None,
        Expect::Json => Some("JSON"),
        Expect::Xml => Some("XML"),
    };
    let outcome = match status {
        429 if !rules.success.names(429) => Outcome::RateLimited,
        401 if !is_success => Outcome::AuthError,
        403 if !is_success => match expected.filter(|_| seen.is_page()) {
            Some(expected) => {
                let why = format!("status {status} with a page of HTML, where {expected} belongs");
                return Some((Outcome::Blocked, why));
            }
            None => Outcome::Forbidden,
        },
        _ if seen.is_fault() => return Some((Outcome::AppError, "the body is a fault of SOAP".to_owned())),
        _ if is_success => return None,
        426 | 500.. => Outcome::ServerError,
        // Redirects too: none is followed, since what is behind a login is no answer, and our credentials are not for it.
        300..=499 => Outcome::ClientError,
        _ => Outcome::InvalidResponse,
    };
    Some((outcome, format!("status {status} is no success")))
}

/// A success that is not what is expected; one whose status says that there is no body is.
fn unexpected(expect: Expect, seen: &Seen<'_>) -> Option<(Outcome, String)> {
    let why = match expect {
        _ if seen.has_no_body() => return None,
        Expect::Any => return None,
        Expect::Json => format!("the body is no JSON: {}", seen.json().err()?),
        Expect::Xml if seen.is_page() => "the body is no XML: it is a page of HTML".to_owned(),
        Expect::Xml => format!("the body is no XML: it is {}", seen.xml().err()?),
    };
    Some((Outcome::InvalidResponse, why))
}

/// A success without something that is required.
fn missing(success: &Success, seen: &Seen<'_>) -> Option<(Outcome, String)> {
    let part = success.require.iter().find_map(|condition| condition.unmet(seen))?;
    Some((Outcome::InvalidResponse, format!("required, and not so: {part}")))
}

impl Success {
    /// Whether this status is called a success.
    pub(super) fn has(&self, status: u16) -> bool {
        match (&self.status, self.status_below, self.status_range) {
            (Some(statuses), _, _) => statuses.contains(&status),
            (None, Some(below), _) => status < below,
            (None, None, Some([first, last])) => (first..=last).contains(&status),
            (None, None, None) => status == 200,
        }
    }

    /// Whether it is called so by itself, not as one of many.
    fn names(&self, status: u16) -> bool {
        self.status.as_ref().is_some_and(|statuses| statuses.contains(&status))
    }
}

/// The name of the error: the first of those in the answer that is listed, or [`OTHER`]; `None` when there is none.
fn error_code(rule: &Classify, seen: &Seen<'_>) -> Option<String> {
    let named = match rule.code_from.as_ref()? {
        CodeFrom::Xml(path) => seen.xml().ok()?.find(path),
        CodeFrom::Json(pointer) => match pointer.find(seen.json().ok()?, rule.when.ignore_case)? {
            Value::String(text) => vec![text.trim().to_owned()],
            Value::Number(number) => vec![number.to_string()],
            _ => return None,
        },
    };
    let listed = named.iter().find(|code| rule.codes.contains(code));
    let is_named = named.iter().any(|code| !code.is_empty());
    listed.cloned().or_else(|| is_named.then(|| OTHER.to_owned()))
}
