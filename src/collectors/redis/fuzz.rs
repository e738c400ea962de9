//! What must hold whatever a Redis says.

use redis::Value;

use super::connection::{Answers, Mode, Question};
use super::frame::{Frame, REPLY_BYTES, Size};
use super::info::{self, Info};
use super::refusal::{login_refusal, refusal, server_failure, text};
use super::{
    CLUSTER_INFO, LATENCY_HISTOGRAM, LATENCY_LATEST, SLOWLOG_LAST, SLOWLOG_LENGTH, report, sentinel, settings,
};
use crate::fuzz::judge;
use crate::snapshot::Snapshot;

/// Unix time, for servers that do not tell theirs.
const NOW: f64 = 1.8e9;

/// An `INFO` for the replies that are read beside one.
const INFO: &str = "redis_version:7.0.15\r\ncmdstat_get:calls=7,usec=90\r\ncmdstat_set:calls=1,usec=9\r\n";

/// An `INFO` of any text.
pub(crate) fn info(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut out = Snapshot::default();
    report(&Info::parse(&text), &Answers::new(), Mode::Standalone, NOW, &mut out);
    info::report_cluster(&text, &mut out);
    judge(out, bytes);
}

/// A reply of any bytes: measured alike however it arrives, decoded without waiting for more, and reported.
pub(crate) fn reply(bytes: &[u8]) {
    let mut whole = Frame::new();
    let length = whole.length(bytes);
    let mut pieces = Frame::new();
    for end in [bytes.len() / 3, bytes.len() / 2] {
        match pieces.length(&bytes[..end]) {
            Ok(None) => {}
            Ok(Some(early)) => {
                assert!(matches!(length, Ok(Some(length)) if length == early), "{early}, {length:?}");
                break;
            }
            Err(failure) => {
                assert_eq!(length.as_ref().err().map(|whole| whole.reason), Some(failure.reason));
                return;
            }
        }
    }
    match (&length, pieces.length(bytes)) {
        (Ok(whole), Ok(pieces)) => assert_eq!(*whole, pieces),
        (Err(whole), Err(pieces)) => assert_eq!(whole.reason, pieces.reason),
        (whole, pieces) => panic!("{whole:?} at once, {pieces:?} in pieces"),
    }
    let Ok(Some(length)) = length else { return };
    assert!(length <= bytes.len() && length <= REPLY_BYTES);
    Size::default().add(length, &whole).expect("a single reply is never too many");
    match redis::parse_redis_value(&bytes[..length]) {
        Ok(value) => reported(&value, bytes),
        Err(error) => assert!(!error.is_io_error(), "a reply that was measured is not waited for: {error}"),
    }
}

fn reported(value: &Value, bytes: &[u8]) {
    if let Value::ServerError(error) = value {
        assert!(!login_refusal(error).contains(error.details().filter(|text| text.len() > 20).unwrap_or("\0")));
        assert!(server_failure(error).to_string().len() < 1_000);
        refusal(Question { command: "SLOWLOG LEN", argument: None }, error);
    }
    text(value).ok();
    let mut out = Snapshot::default();
    let questions = [SLOWLOG_LENGTH, SLOWLOG_LAST, LATENCY_LATEST, LATENCY_HISTOGRAM, CLUSTER_INFO];
    let answers: Answers =
        settings::questions(false).chain(questions).map(|question| (question, value.clone())).collect();
    report(&Info::parse(INFO), &answers, Mode::Standalone, NOW, &mut out);
    sentinel::report_any(value, &mut out);
    judge(out, bytes);
}
