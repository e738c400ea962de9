//! What must hold whatever is in a log.

use super::counts::Counts;
use super::line::entries;
use crate::fuzz::judge;
use crate::snapshot::Snapshot;

/// Lines of any bytes.
pub(crate) fn lines(bytes: &[u8]) {
    let mut counts = Counts::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut found = 0;
        entries(line, |entry| {
            found += 1;
            counts.add(entry);
        });
        // Only what nginx has joined is more than one: a beginning, and a separator before each other one.
        assert!(found <= 1 + line.len() / "; PHP message: ".len(), "{found} entries");
    }
    assert_eq!(Counts::restored(&counts.saved()), counts);
    let mut out = Snapshot::default();
    counts.report(&mut out);
    judge(out, bytes);
}
