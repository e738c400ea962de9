//! Work that may block, on a thread of its own, and never on two.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::collector::{Failure, Reason};

/// Sends work out on a thread. As long as it has not come back, no other is sent after it.
pub(in crate::collectors) struct Errand {
    name: &'static str,
    away: Arc<AtomicBool>,
}

/// Says that the work has ended, by return or by panic.
struct Back(Arc<AtomicBool>);

impl Drop for Back {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Errand {
    /// `name` is the thread's.
    pub(in crate::collectors) fn new(name: &'static str) -> Self {
        Self { name, away: Arc::default() }
    }

    /// Runs the work; fails when it takes longer than the limit, or when what was sent before is still away.
    ///
    /// Not one of tokio's blocking threads: those are waited for when the program ends.
    pub(in crate::collectors) async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        if self.away.swap(true, Ordering::Acquire) {
            return Err(Failure::message(Reason::Timeout, "an earlier scrape still waits for an answer"));
        }
        let back = Back(self.away.clone());
        let (answer, answered) = oneshot::channel();
        let work = move || {
            let result = work();
            drop(back);
            // Nobody listens any more if it took too long.
            answer.send(result).ok();
        };
        let started = thread::Builder::new().name(self.name.to_owned()).spawn(work);
        started.map_err(|error| Failure::new(Reason::Limit, error).context("starting a thread"))?;
        match tokio::time::timeout(limit, answered).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err(Failure::message(Reason::Bug, "the thread has panicked")),
            Err(_) => Err(Failure::message(Reason::Timeout, format!("no answer in {limit:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn work_that_hangs_keeps_one_thread_until_it_returns() {
        let errand = Errand::new("test");
        let (release, released) = mpsc::channel::<()>();
        let late = errand.run(LIMIT, move || released.recv()).await.unwrap_err();
        assert_eq!(late.reason, Reason::Timeout);
        // The second one is not even started.
        let refused = errand.run(LIMIT, || panic!("must not run")).await.map(|()| "ran").unwrap_err();
        assert_eq!(refused.to_string(), "an earlier scrape still waits for an answer");
        release.send(()).unwrap();
        while errand.away.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
        assert_eq!(errand.run(LIMIT * 50, || 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_panic_is_a_bug_and_the_next_one_runs() {
        let errand = Errand::new("test");
        let failure = errand.run(LIMIT * 50, || panic!("on purpose")).await.map(|()| "ran").unwrap_err();
        assert_eq!(failure.reason, Reason::Bug);
        assert_eq!(errand.run(LIMIT * 50, || 7).await.unwrap(), 7);
    }
}
