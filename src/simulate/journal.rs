//! The requests that came, as far as they may be told: of headers the names, and values only of credentials that are ours.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::{Duration, SystemTime};

use hyper::header::HeaderMap;
use serde::Serialize;

use super::ask::{Ask, basic};
use super::manners::{ALL, Manners};
use super::tokens;

/// The most requests that are kept; the oldest make room.
pub(super) const KEPT: usize = 10_000;

/// The longest path and query that are kept; the rest is cut off.
const LONGEST: usize = 2_000;

/// A request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Seen {
    /// Which it was since the start, from 1.
    pub(super) number: u64,
    /// Which connection it came on.
    pub(super) connection: u64,
    /// Seconds since the start, when it was read whole.
    pub(super) at: f64,
    /// The same, when the answer began; `None` before that, and when there was none.
    pub(super) answered: Option<f64>,
    /// What time it was.
    pub(super) time: String,
    pub(super) marketplace: &'static str,
    pub(super) host: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    /// Names in lower case; a value is null unless it is one of the credentials that are made up.
    pub(super) headers: BTreeMap<String, Option<String>>,
    pub(super) body_bytes: usize,
    /// The status that it was answered with; 0 when nothing was said that is HTTP.
    pub(super) status: u16,
    /// The scenario that was on, or why the request is none that a preset may send; empty when neither.
    pub(super) because: String,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Journal {
    seen: VecDeque<Seen>,
    count: u64,
}

impl Journal {
    /// Keeps a request, and gives it its number.
    pub(super) fn add(&mut self, mut seen: Seen) -> Seen {
        self.count += 1;
        seen.number = self.count;
        if self.seen.len() == KEPT {
            self.seen.pop_front();
        }
        self.seen.push_back(seen.clone());
        seen
    }

    /// Says when the answer to a request began.
    pub(super) fn answered(&mut self, number: u64, at: Duration) {
        // What has made room is the oldest, so the numbers that are left follow each other.
        let index = self.seen.front().and_then(|first| number.checked_sub(first.number));
        let seen = index.and_then(|index| self.seen.get_mut(usize::try_from(index).ok()?));
        if let Some(seen) = seen {
            seen.answered = Some(at.as_secs_f64());
        }
    }

    /// Those of one marketplace, or of all, that came after a number.
    pub(super) fn after<'a>(&'a self, number: u64, marketplace: Option<&'a str>) -> impl Iterator<Item = &'a Seen> {
        let wanted = move |seen: &&Seen| marketplace.is_none_or(|name| seen.marketplace == name);
        self.seen.iter().filter(move |seen| seen.number > number).filter(wanted)
    }
}

impl Seen {
    /// A request, before its number is known.
    pub(super) fn new(ask: &Ask, manners: &Manners, connection: u64, at: Duration, date: SystemTime) -> Self {
        Self {
            number: 0,
            connection,
            at: at.as_secs_f64(),
            answered: None,
            time: humantime::format_rfc3339_millis(date).to_string(),
            marketplace: manners.name,
            host: ask.host.clone(),
            method: ask.method.clone(),
            path: cut(&ask.path),
            query: cut(&ask.query),
            headers: headers(&ask.headers),
            body_bytes: ask.body.len(),
            status: 0,
            because: String::new(),
        }
    }
}

/// One line for the log: no query and no header, where somebody's real credentials may be.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, connection, marketplace, method, path, status, because, .. } = self;
        write!(f, "{time} {marketplace} #{connection} {method} {path} ")?;
        match status {
            0 => f.write_str("no answer")?,
            status => write!(f, "{status}")?,
        }
        if because.is_empty() { Ok(()) } else { write!(f, " {because}") }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

fn headers(headers: &HeaderMap) -> BTreeMap<String, Option<String>> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().ok().filter(|value| is_made_up(value))))
        .map(|(name, value)| (name, value.map(str::to_owned)))
        .collect()
}

/// Whether a header's value is a credential of ours, and nothing else.
fn is_made_up(value: &str) -> bool {
    if let Some((user, password)) = basic(value) {
        return is_known(&user) && is_known(&password);
    }
    is_known(value.strip_prefix("Bearer ").unwrap_or(value))
}

fn is_known(value: &str) -> bool {
    let known = |one: &&Manners| one.secrets.iter().chain(one.vars).any(|(_, ours)| *ours == value);
    tokens::is_ours(value) || ALL.iter().any(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(headers: &[(&'static str, &'static str)]) -> Seen {
        let mut ask = Ask { method: "GET".to_owned(), path: "/v1".to_owned(), ..Ask::default() };
        for (name, value) in headers {
            ask.headers.insert(*name, value.parse().unwrap());
        }
        Seen::new(&ask, ALL[0], 7, Duration::ZERO, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_value_is_told_only_when_it_is_a_credential_that_is_made_up() {
        let seen = seen(&[
            ("api-key", "a real one"),
            ("appkey", "simulated-n11-app-key"),
            // simulated-ebay-app-id:simulated-ebay-cert-id, and the same with another password.
            ("authorization", "Basic c2ltdWxhdGVkLWViYXktYXBwLWlkOnNpbXVsYXRlZC1lYmF5LWNlcnQtaWQ="),
            ("proxy-authorization", "Basic c2ltdWxhdGVkLWViYXktYXBwLWlkOnJlYWw="),
            ("x-amz-access-token", "simulated-token-seller-1"),
            ("x-token", "Bearer real simulated-n11-app-key"),
        ]);
        let told: Vec<_> = seen.headers.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name).collect();
        assert_eq!(told, ["appkey", "authorization", "x-amz-access-token"]);
        assert_eq!(seen.headers.len(), 6);
    }

    #[test]
    fn the_oldest_requests_make_room_and_answers_find_theirs() {
        let mut journal = Journal::default();
        for _ in 0..KEPT + 2 {
            journal.add(seen(&[]));
        }
        let newest = KEPT as u64 + 2;
        journal.answered(1, Duration::from_secs(1));
        journal.answered(newest, Duration::from_secs(2));
        assert_eq!((journal.seen.len(), journal.seen[0].number), (KEPT, 3));
        let last: Vec<_> = journal.after(newest - 1, Some("trendyol")).map(|seen| seen.answered).collect();
        assert_eq!(last, [Some(2.0)]);
        assert_eq!(journal.after(0, Some("ebay")).count(), 0);
    }

    #[test]
    fn a_line_of_the_log_has_no_query_and_no_header() {
        let mut seen = seen(&[("api-key", "canary")]);
        seen.query = "key=canary".to_owned();
        (seen.status, seen.because) = (429, "rate_limited".to_owned());
        assert_eq!(seen.to_string(), "1970-01-01T00:00:00.000Z trendyol #7 GET /v1 429 rate_limited");
    }
}
