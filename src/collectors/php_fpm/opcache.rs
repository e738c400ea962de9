//! OPcache, as `packaging/vitrin-opcache.php` tells of it.

use std::collections::HashMap;

use serde::Deserialize;

use super::fastcgi::Answer;
use crate::collector::{Failure, Reason};

/// What the script prints.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    pub(super) php: String,
    pub(super) loaded: bool,
    pub(super) callable: bool,
    pub(super) restricted: bool,
    #[serde(default)]
    /// Names without `opcache.`, values as `ini_get()` gives them.
    pub(super) settings: HashMap<String, String>,
    pub(super) status: Option<Status>,
}

/// The parts of `opcache_get_status()`; absent when OPcache is off.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) opcache_enabled: bool,
    pub(super) cache_full: Option<bool>,
    pub(super) restart_pending: Option<bool>,
    pub(super) restart_in_progress: Option<bool>,
    #[serde(default)]
    pub(super) memory_usage: HashMap<String, f64>,
    #[serde(default)]
    pub(super) interned_strings_usage: HashMap<String, f64>,
    #[serde(default)]
    pub(super) opcache_statistics: HashMap<String, f64>,
    pub(super) jit: Option<Jit>,
    #[serde(default)]
    pub(super) preload: HashMap<String, f64>,
}

/// The just-in-time compiler, since PHP 8.0.
#[derive(Debug, Deserialize)]
pub(super) struct Jit {
    pub(super) enabled: bool,
    pub(super) on: bool,
    pub(super) buffer_size: f64,
    pub(super) buffer_free: f64,
}

/// Parses what the script printed, or says why it did not run.
pub(super) fn parse(answer: &Answer) -> Result<Told, Failure> {
    let refuse = |message: String| Err(Failure::message(Reason::Permission, message));
    if answer.status != 200 || answer.body.starts_with(b"No input file") {
        let complaint = if answer.stderr.is_empty() { "no complaint" } else { &answer.stderr };
        return refuse(format!(
            "FPM did not run the script (status {}, {complaint}): its user must be able to read it, and \
             `open_basedir`, `chroot` and `PrivateTmp` must not hide it",
            answer.status
        ));
    }
    let told: Told = serde_json::from_slice(&answer.body)
        .map_err(|error| Failure::new(Reason::Protocol, error).context("the answer is not what the script prints"))?;
    if told.restricted {
        return refuse("`opcache.restrict_api` does not allow it; set it to a folder that holds the script".to_owned());
    }
    if told.loaded && !told.callable {
        return refuse("`disable_functions` names opcache_get_status".to_owned());
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16, body: &[u8]) -> Answer {
        Answer { status, body: body.to_vec(), stderr: "Primary script unknown".to_owned() }
    }

    #[test]
    fn recorded_answers_are_read() {
        for (body, php) in [
            (include_str!("../../../tests/fixtures/php_fpm/php-8.2-opcache.json"), "8.2."),
            (include_str!("../../../tests/fixtures/php_fpm/php-8.4-opcache.json"), "8.4."),
        ] {
            let told = parse(&answer(200, body.as_bytes())).unwrap();
            assert!(told.php.starts_with(php));
            assert!(told.status.unwrap().opcache_enabled);
        }
    }

    #[test]
    fn what_keeps_the_script_from_running_is_told() {
        let restricted = br#"{"vitrin":1,"php":"8.2","loaded":true,"callable":true,"restricted":true}"#;
        let disabled = br#"{"vitrin":1,"php":"8.2","loaded":true,"callable":false,"restricted":false}"#;
        for (status, body, reason, says) in [
            (404, &b"File not found."[..], Reason::Permission, "status 404, Primary script unknown"),
            (200, b"No input file specified.", Reason::Permission, "open_basedir"),
            (200, restricted, Reason::Permission, "opcache.restrict_api"),
            (200, disabled, Reason::Permission, "disable_functions"),
            (200, b"<b>Warning</b>", Reason::Protocol, "not what the script prints"),
            (200, b"", Reason::Protocol, "not what the script prints"),
        ] {
            let failure = parse(&answer(status, body)).unwrap_err();
            assert_eq!(failure.reason, reason);
            assert!(failure.to_string().contains(says), "{failure}");
        }
    }

    #[test]
    fn without_the_extension_there_is_an_answer() {
        let told = br#"{"vitrin":1,"php":"8.2.1","loaded":false,"callable":false,"restricted":false}"#;
        assert!(parse(&answer(200, told)).unwrap().status.is_none());
    }

    proptest! {
        #[test]
        fn no_answer_panics(status: u16, body: Vec<u8>) {
            parse(&answer(status, &body)).ok();
        }
    }
}
