//! Work that blocks, in threads of its own: looking up a name, reading a file.
//!
//! A thread cannot be called back. When the system's resolver or a file system hangs it outlives its probe, and the next
//! probe would start another, until there is none left for anybody.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::collector::{Failure, Reason};

/// How many threads there are at a time, all targets together.
static ALL: Semaphore = Semaphore::const_new(128);

/// How many of these are one target's. What hangs keeps its target's next probes waiting, and nobody else's.
const OF_ONE: usize = 2;

/// The threads of one target.
#[derive(Clone, Debug)]
pub struct Threads(Arc<Semaphore>);

impl Default for Threads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(OF_ONE)))
    }
}

impl Threads {
    /// Does this, once one is free.
    ///
    /// # Errors
    /// `bug`, when it panics.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let own = self.0.clone().acquire_owned().await.map_err(|closed| Failure::new(Reason::Bug, closed))?;
        let all = ALL.acquire().await.map_err(|closed| Failure::new(Reason::Bug, closed))?;
        let done = spawn_blocking(move || {
            let done = work();
            // Not before, also when nobody waits for it any more.
            drop((own, all));
            done
        });
        done.await.map_err(|error| Failure::new(Reason::Bug, error))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_target_whose_work_hangs_keeps_no_other_waiting() {
        let (release, hangs) = mpsc::channel::<()>();
        let hangs = Arc::new(Mutex::new(hangs));
        let hung = Threads::default();
        for _ in 0..200 {
            let hangs = hangs.clone();
            let given_up = hung.run(move || hangs.lock().map(|hangs| hangs.recv().is_err()).is_ok());
            assert!(given_up.now_or_never().is_none());
        }
        // Those who never had their turn have let go of theirs.
        assert_eq!(Arc::strong_count(&hangs), 1 + OF_ONE);
        let other = timeout(Duration::from_secs(30), Threads::default().run(|| 7)).await;
        drop(release);
        assert_eq!(other.expect("its turn has come").unwrap(), 7);
    }
}
