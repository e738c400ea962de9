//! What following has counted, and how it is shown.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::schedule::unix_seconds;
use crate::snapshot::Snapshot;

crate::metrics! {
    Own as METRICS;

    /// Bytes read from log files.
    BYTES = Counter("vitrin_log_read_bytes_total", Bytes, ["log"]);
    /// Lines of log files, by what became of them: parsed, or unparsed because they are not of the format they should have.
    LINES = Counter("vitrin_log_lines_total", None, ["log", "result"]);
    /// Lines left out because they were longer than Vitrin reads.
    TOO_LONG = Counter("vitrin_log_lines_too_long_total", None, ["log"]);
    /// Log files that were renamed away and followed to their end while a new one took their place.
    ROTATIONS = Counter("vitrin_log_rotations_total", None, ["log"]);
    /// Log files that were emptied while in use, as copytruncate does; lines written just then may be lost.
    TRUNCATIONS = Counter("vitrin_log_truncations_total", None, ["log"]);
    /// Log files that were compressed or removed before Vitrin could read them to their end.
    LOST = Counter("vitrin_log_files_lost_total", None, ["log"]);
    /// Log files that are followed, those just rotated out included.
    FILES = Gauge("vitrin_log_files", None, ["log"]);
    /// Bytes that are written and not yet read: a backlog, or the beginning of a line without its end.
    BEHIND = Gauge("vitrin_log_behind_bytes", Bytes, ["log"]);
    /// When a line was last read, as Unix time; absent before the first.
    LAST_LINE = Gauge("vitrin_log_last_line_timestamp_seconds", Seconds, ["log"]);
}

/// What following has counted since the first start: part of [`Positions`](super::Positions), so it goes on over restarts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Bytes read and done with.
    pub bytes: u64,
    /// Lines given to the caller.
    pub lines: u64,
    /// Lines left out because of their length.
    pub too_long: u64,
    /// Files renamed away for a new one.
    pub rotations: u64,
    /// Files emptied in place.
    pub truncations: u64,
    /// Files that could not be read to their end.
    pub lost: u64,
    /// When a line was last read.
    pub last_line: Option<SystemTime>,
    /// Files followed now.
    #[serde(skip)]
    pub files: u64,
    /// Bytes not read yet.
    #[serde(skip)]
    pub behind: u64,
}

/// Pushes what following has counted for logs of a kind; `lines` are for the caller to show, by what became of them.
pub fn report(log: &'static str, counts: &Counts, out: &mut Snapshot) {
    let labels = [log];
    out.push(&BYTES, labels, counts.bytes);
    out.push(&TOO_LONG, labels, counts.too_long);
    out.push(&ROTATIONS, labels, counts.rotations);
    out.push(&TRUNCATIONS, labels, counts.truncations);
    out.push(&LOST, labels, counts.lost);
    out.push(&FILES, labels, counts.files);
    out.push(&BEHIND, labels, counts.behind);
    if let Some(time) = counts.last_line {
        out.push(&LAST_LINE, labels, unix_seconds(time));
    }
}

/// Pushes what became of the lines of logs of a kind.
pub fn report_lines<const N: usize>(log: &'static str, results: [(&'static str, u64); N], out: &mut Snapshot) {
    for (result, lines) in results {
        out.push(&LINES, [log, result], lines);
    }
}
