//! What people write on one line of a configuration.

use std::fmt::Display;
use std::str::FromStr;

use crate::collectors::nginx::StatusUrl;
use crate::collectors::redis::RedisUrl;
use crate::config::types::{Address, MetricName, Period, TargetName};

/// One line: whatever takes it prints it so that it is read as the same.
pub(super) fn addresses(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    // Whether a socket can be used is asked of the file system, which is not the subject.
    if !text.contains("//") || text.contains("http://") {
        same_again::<Address>(text);
    }
    same_again::<StatusUrl>(text);
    if !text.starts_with("unix") {
        // The database is not printed: messages name the server.
        if let Some(url) = same_printed::<RedisUrl>(text) {
            assert!(url.address.socket().is_none());
        }
    }
    if let Ok(name) = text.parse::<TargetName>() {
        assert_eq!(name.as_str(), text);
    }
    if let Ok(name) = text.parse::<MetricName>() {
        assert_eq!(name.as_str(), text);
    }
    if let Ok(Period(length)) = text.parse() {
        assert!(!length.is_zero());
        let printed = humantime::format_duration(length).to_string();
        assert_eq!(printed.parse(), Ok(Period(length)), "{printed}");
    }
}

/// What is printed of it is read as the same value.
fn same_again<T: FromStr<Err = String> + Display + PartialEq + std::fmt::Debug>(text: &str) {
    match text.parse::<T>() {
        Ok(value) => assert_eq!(value.to_string().parse(), Ok(value)),
        Err(message) => way_out(&message),
    }
}

/// What is printed of it is printed of what is read from that.
fn same_printed<T: FromStr<Err = String> + Display>(text: &str) -> Option<T> {
    match text.parse::<T>() {
        Ok(value) => {
            let printed = value.to_string();
            assert_eq!(printed.parse::<T>().map(|again| again.to_string()), Ok(printed));
            Some(value)
        }
        Err(message) => {
            way_out(&message);
            None
        }
    }
}

/// A message has a second line that says what to do, and repeats nothing that may be a password.
fn way_out(message: &str) {
    assert!(message.contains('\n'), "{message}");
}
