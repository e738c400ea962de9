//! The status page of a pool (`?json&full`), however broken.

use serde::Deserialize;

use super::fastcgi::Answer;
use crate::collector::{Failure, Reason};

/// The state of a child that waits for a request.
pub(super) const IDLE: &str = "Idle";

/// A pool's status.
#[derive(Debug, PartialEq)]
pub(super) struct Status {
    pub(super) head: Head,
    /// The children; `None` when their part cannot be parsed.
    pub(super) processes: Option<Vec<Process>>,
}

/// The part about the pool as a whole. Numbers are floating point because FPM has printed some larger than 64 bits.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub(super) struct Head {
    /// The pool's name, as FPM says it.
    #[serde(default)]
    pub(super) pool: String,
    #[serde(rename = "start since")]
    pub(super) start_since: Option<f64>,
    #[serde(rename = "accepted conn")]
    pub(super) accepted: Option<f64>,
    #[serde(rename = "listen queue")]
    pub(super) queue: Option<f64>,
    #[serde(rename = "max listen queue")]
    pub(super) max_queue: Option<f64>,
    #[serde(rename = "listen queue len")]
    pub(super) queue_length: Option<f64>,
    #[serde(rename = "idle processes")]
    pub(super) idle: Option<f64>,
    #[serde(rename = "active processes")]
    pub(super) active: Option<f64>,
    #[serde(rename = "total processes")]
    pub(super) total: Option<f64>,
    #[serde(rename = "max active processes")]
    pub(super) max_active: Option<f64>,
    #[serde(rename = "max children reached")]
    pub(super) max_children_reached: Option<f64>,
    #[serde(rename = "slow requests")]
    pub(super) slow: Option<f64>,
    #[serde(rename = "memory peak")]
    pub(super) memory_peak: Option<f64>,
}

/// One child.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Process {
    pub(super) state: String,
    pub(super) requests: f64,
    #[serde(rename = "request duration")]
    pub(super) duration: f64,
    #[serde(rename = "last request cpu")]
    pub(super) cpu: f64,
    #[serde(rename = "last request memory")]
    pub(super) memory: f64,
}

/// Parses a status page, or says what came instead.
pub(super) fn parse(answer: &Answer) -> Result<Status, Failure> {
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim();
    if text.is_empty() {
        // FPM answers 200 with an empty body while it reloads.
        return Err(Failure::message(Reason::Protocol, "an empty answer, as FPM gives while it reloads"));
    }
    if !text.starts_with('{') {
        return Err(not_a_status(answer, text));
    }
    // Until 2023 FPM did not escape the request's URI and user (php-src PR 11050), and it still does not escape the
    // script (issue 11464): a child's part may be any text. What comes before it is FPM's alone.
    let (head, children) = match text.find("\"processes\":") {
        Some(at) => (&text[..at], Some(&text[at + "\"processes\":".len()..])),
        None => (text, None),
    };
    let object = format!("{}}}", head.trim_end_matches([' ', ',', '}', '\n']));
    let head = serde_json::from_str(&object).unwrap_or_else(|_| scan(head));
    if head == (Head { pool: head.pool.clone(), ..Head::default() }) {
        return Err(Failure::message(Reason::Protocol, "the answer is not a status page: it has none of its numbers"));
    }
    let children = children.map_or("[]", |text| text.strip_suffix('}').unwrap_or(text));
    Ok(Status { head, processes: serde_json::from_str(children).ok() })
}

/// The numbers of a head that is not JSON.
fn scan(text: &str) -> Head {
    let number = |key: &str| -> Option<f64> {
        let start = text.find(&format!("\"{key}\":"))? + key.len() + 3;
        let value = &text[start..];
        value[..value.find([',', '}']).unwrap_or(value.len())]
            .trim()
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite())
    };
    Head {
        pool: String::new(),
        start_since: number("start since"),
        accepted: number("accepted conn"),
        queue: number("listen queue"),
        max_queue: number("max listen queue"),
        queue_length: number("listen queue len"),
        idle: number("idle processes"),
        active: number("active processes"),
        total: number("total processes"),
        max_active: number("max active processes"),
        max_children_reached: number("max children reached"),
        slow: number("slow requests"),
        memory_peak: number("memory peak"),
    }
}

/// What to do about an answer that is a page or a message.
fn not_a_status(answer: &Answer, text: &str) -> Failure {
    let message = if text.starts_with("File not found") || text.starts_with("Access denied") {
        "FPM knows no such status page: set `pm.status_path` of the pool to this path and reload FPM".to_owned()
    } else if text.starts_with('<') {
        format!(
            "an HTML page with status {}, so a script has answered: set `pm.status_path` and reload FPM",
            answer.status
        )
    } else {
        format!("neither JSON nor a message of FPM, with status {}", answer.status)
    };
    Failure::message(Reason::Protocol, message)
}

impl Status {
    /// Idle and active processes. FPM's own counts lose those between two states (php-src issue 18956), so ours come
    /// first.
    pub(super) fn counts(&self) -> Option<(f64, f64)> {
        let own = self.processes.as_ref().filter(|processes| !processes.is_empty() || self.head.total == Some(0.0));
        if let Some(processes) = own {
            let idle = processes.iter().filter(|process| process.state == IDLE).count();
            return Some((count(idle), count(processes.len() - idle)));
        }
        Some((self.head.idle?, self.head.active?))
    }
}

fn count(number: usize) -> f64 {
    crate::snapshot::Number::number(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRANSITIONS: &str = include_str!("../../../tests/fixtures/php_fpm/php-fpm-8.2-status-transitions.json");
    const MEMORY_PEAK: &str = include_str!("../../../tests/fixtures/php_fpm/php-fpm-8.4-status.json");

    fn answer(body: impl AsRef<[u8]>) -> Answer {
        Answer { status: 200, body: body.as_ref().to_vec(), stderr: String::new() }
    }

    fn counts(body: &str) -> Option<(f64, f64)> {
        parse(&answer(body)).unwrap().counts()
    }

    #[test]
    fn a_recorded_status_is_read_whole() {
        let status = parse(&answer(MEMORY_PEAK)).unwrap();
        assert_eq!((status.head.pool.as_str(), status.head.total), ("shop", Some(2.0)));
        assert!(status.head.memory_peak.is_some() && status.head.start_since.is_some());
        assert_eq!(status.processes.unwrap().len(), 2);
    }

    #[test]
    fn children_between_two_states_are_active() {
        let status = parse(&answer(TRANSITIONS)).unwrap();
        let children: Vec<_> = status.processes.iter().flatten().map(|process| process.state.as_str()).collect();
        assert_eq!(children, ["Reading headers", "Running", "Idle"]);
        assert_eq!((status.head.idle, status.head.active), (Some(1.0), Some(1.0)), "FPM misses one of three");
        assert_eq!(status.counts(), Some((1.0, 2.0)));
    }

    #[test]
    fn a_broken_child_costs_no_number_of_the_pool() {
        for broken in ["\"", "\n", "\\", "\",\"state\":\"Idle", "]}", "\u{0}"] {
            let body = TRANSITIONS.replacen("\"request uri\":\"", &format!("\"request uri\":\"/a{broken}b"), 1);
            let whole = parse(&answer(TRANSITIONS)).unwrap();
            let status = parse(&answer(&body)).unwrap();
            assert_eq!(status.head, whole.head, "{broken:?}");
            assert!(status.counts().is_some(), "{broken:?}");
        }
    }

    #[test]
    fn numbers_may_be_larger_than_64_bits() {
        let body = TRANSITIONS
            .replacen("\"request duration\":", "\"request duration\":99999999999999999999999", 1)
            .replacen("\"slow requests\":", "\"slow requests\":36893488147419103232", 1);
        let status = parse(&answer(body)).unwrap();
        assert!(status.head.slow.unwrap() > 3e19);
        assert!(status.processes.unwrap()[0].duration > 9e22);
    }

    #[test]
    fn without_children_fpms_own_counts_are_taken() {
        assert_eq!(counts(r#"{"pool":"a","idle processes":3,"active processes":1}"#), Some((3.0, 1.0)));
        assert_eq!(
            counts(r#"{"pool":"a"b","idle processes":3,"active processes":1, "processes":[]}"#),
            Some((3.0, 1.0))
        );
    }

    #[test]
    fn a_page_instead_of_a_status_says_what_to_do() {
        for (body, says) in [
            ("File not found.\n", "set `pm.status_path`"),
            ("<html><body>404</body></html>", "a script has answered"),
            ("", "while it reloads"),
            ("pong", "neither JSON"),
            ("{\"error\":1}", "none of its numbers"),
        ] {
            let failure = parse(&answer(body)).unwrap_err();
            assert_eq!(failure.reason, Reason::Protocol);
            assert!(failure.to_string().contains(says), "{body}: {failure}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body: Vec<u8>, at in 0_usize..2_000) {
            parse(&answer(&body)).ok();
            let cut = at.min(TRANSITIONS.len());
            if let Ok(status) = parse(&answer(&TRANSITIONS.as_bytes()[..cut])) {
                status.counts();
            }
        }

        #[test]
        fn any_uri_leaves_the_head_whole(uri: String) {
            let body = TRANSITIONS.replacen("\"request uri\":\"", &format!("\"request uri\":\"{uri}"), 1);
            prop_assert_eq!(parse(&answer(&body)).unwrap().head, parse(&answer(TRANSITIONS)).unwrap().head);
        }
    }
}
