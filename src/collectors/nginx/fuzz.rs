//! What must hold for any page, and any configuration.

pub(crate) use super::configuration::fuzz as configuration;

use super::parse;
use crate::fuzz::judge;
use crate::snapshot::Snapshot;

/// A page of any text.
pub(crate) fn status(bytes: &[u8]) {
    let Some(status) = parse(&String::from_utf8_lossy(bytes)) else { return };
    let page = format!(
        "Active connections: {} \nserver accepts handled requests\n {} {} {} \nReading: {} Writing: {} Waiting: {} \n",
        status.active, status.accepted, status.handled, status.requests, status.reading, status.writing, status.waiting
    );
    let mut out = Snapshot::default();
    status.report(&mut out);
    assert_eq!(out.len(), 7);
    assert_eq!(parse(&page), Some(status));
    judge(out, bytes);
}
