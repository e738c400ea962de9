//! What is behind nginx: PHP-FPM, the database, Redis.

mod cache;
mod database;
mod eol;
mod folder;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod judge;
#[cfg(test)]
mod live;
mod package;
mod php;
mod pool;
pub(crate) mod views;
mod workers;

use std::time::Duration;

use tokio::time::timeout;

use super::verdict::{Cause, Known, Unknown};
use crate::collector::{Failure, Reason};
use crate::net::threads::Threads;
pub(crate) use cache::Cache;
pub(crate) use database::Database;
pub(super) use judge::judge;
pub(crate) use php::Php;
pub(crate) use pool::Pool;

/// What the collector asks, and the date of what is known of PHP's branches.
pub(super) mod ask {
    pub(in crate::collectors::security) use super::cache::ask_caches;
    pub(in crate::collectors::security) use super::database::ask_databases;
    pub(in crate::collectors::security) use super::eol::dated;
    pub(in crate::collectors::security) use super::php::ask_php;
    pub(in crate::collectors::security) use super::pool::pools;
}

/// What a failure leaves unknown. Failures hold no password and no hash: clients take care of that.
fn unknown(failure: &Failure) -> Unknown {
    let cause = match failure.reason {
        Reason::Auth | Reason::Permission => Cause::Permission,
        Reason::Connect | Reason::Tls => Cause::Unreachable,
        Reason::Stale => Cause::Stale,
        Reason::Timeout => Cause::Timeout,
        Reason::Bug | Reason::Limit | Reason::Protocol => Cause::Unparsable,
    };
    Unknown::new(cause, failure.to_string())
}

/// How long a look at files and processes may take. A mount that hangs keeps its thread; the next look waits for that one.
const LOOK: Duration = Duration::from_secs(5);

/// Runs what blocks where it holds nobody up.
async fn blocking<T: Send + 'static>(threads: &Threads, look: impl FnOnce() -> T + Send + 'static) -> Known<T> {
    blocking_for(LOOK, threads, look).await
}

async fn blocking_for<T: Send + 'static>(
    time: Duration,
    threads: &Threads,
    look: impl FnOnce() -> T + Send + 'static,
) -> Known<T> {
    let why = || Unknown::new(Cause::Timeout, format!("a look at this machine's files takes more than {time:?}"));
    let looked = timeout(time, threads.run(look)).await.map_err(|_| why())?;
    looked.map_err(|failure| unknown(&failure))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex, mpsc};

    use super::*;

    #[tokio::test]
    async fn a_mount_that_hangs_takes_no_thread_more_with_each_look() {
        let (release, hangs) = mpsc::channel::<()>();
        let hangs = Arc::new(Mutex::new(hangs));
        let threads = Threads::default();
        let begun = Arc::new(AtomicUsize::new(0));
        for _ in 0..6 {
            let (hangs, begun) = (hangs.clone(), begun.clone());
            let look = move || {
                begun.fetch_add(1, Ordering::Relaxed);
                hangs.lock().map(|hangs| hangs.recv().is_err()).is_ok()
            };
            let unknown = blocking_for(Duration::from_millis(50), &threads, look).await.unwrap_err();
            assert_eq!(unknown.cause, Cause::Timeout);
        }
        assert!(begun.load(Ordering::Relaxed) <= 2, "each look began a thread");
        drop(release);
    }
}
