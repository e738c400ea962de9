//! The log: lines on standard output, written by a thread of its own, so that a slow reader holds nobody up.

use std::fmt;
use std::io::Write;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How many lines wait to be written; what comes then is not.
const WAITING: usize = 1_000;

/// How long the last lines may take.
const LAST: Duration = Duration::from_secs(1);

/// Where lines are said.
#[derive(Clone)]
pub(super) struct Lines(mpsc::Sender<String>);

/// The end of the log.
pub(super) struct End(oneshot::Receiver<()>);

impl Lines {
    /// Starts writing to `out`, until all copies of this are gone or nobody reads.
    pub(super) fn to(mut out: impl Write + Send + 'static) -> (Self, End) {
        let (lines, mut said) = mpsc::channel::<String>(WAITING);
        let (written, end) = oneshot::channel();
        thread::spawn(move || {
            while let Some(line) = said.blocking_recv() {
                if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                    break;
                }
            }
            // Nobody may be waiting.
            written.send(()).ok();
        });
        (Self(lines), End(end))
    }

    /// Lines that nobody reads.
    #[cfg(any(test, fuzzing))]
    pub(super) fn unheard() -> Self {
        Self(mpsc::channel(1).0)
    }

    /// Says a line. Control characters in it, which a request may hold, are written as what they are.
    pub(super) fn say(&self, line: impl fmt::Display) {
        let line = line.to_string();
        let plain =
            |letter: char| if letter.is_control() { letter.escape_default().to_string() } else { letter.into() };
        // With too many lines waiting, or nobody to read them, this one is lost.
        drop(self.0.try_send(line.chars().map(plain).collect()));
    }
}

impl End {
    /// Waits for the last line, but not for a reader that does not read.
    pub(super) async fn wait(self) {
        drop(timeout(LAST, self.0).await);
    }
}
