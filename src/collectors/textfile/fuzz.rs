//! What must hold for any text in a file.

use std::time::{Duration, SystemTime};

use super::config::Config;
use super::folder::{Content, File};
use super::{report, text};
use crate::collector::{Failure, Reason};
use crate::fuzz::judge;
use crate::snapshot::Snapshot;

/// Two files of the folder: the text up to the first form feed, and the rest.
pub(crate) fn files(bytes: &[u8]) {
    let all = String::from_utf8_lossy(bytes);
    let written = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    let parts: Vec<_> = all.splitn(2, '\x0c').collect();
    let file = |(index, part): (usize, &&str)| {
        let families = text::families(part).map_err(|problem| {
            assert!(problem.len() < 300 && !problem.contains(char::is_control), "{problem}");
            Failure::message(Reason::Protocol, problem)
        });
        let content = families.map(|families| Content { written, families: Some(families) });
        File { name: format!("{index}.prom"), content }
    };
    let mut out = Snapshot::default();
    report::report(parts.iter().enumerate().map(file).collect(), &Config::default(), &mut out);
    judge(out, bytes);
}
