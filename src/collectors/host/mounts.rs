//! Asking file systems for their space, one of which may never answer.
//!
//! `statvfs` of a mount whose server is gone (NFS, CIFS, a dead FUSE program) blocks in the kernel, possibly for ever,
//! and nothing can end it. So it is asked on threads of its own; one that is stuck stays with its mount, which is not
//! asked again before that thread returns: a dead mount costs one thread, once.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

/// Threads for one scrape once a mount has not answered in time.
const WALKERS: usize = 32;

/// What a file system says about its space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Space {
    /// Bytes in all.
    pub(super) size: u64,
    /// Bytes not in use.
    pub(super) free: u64,
    /// Bytes not in use that ordinary users may take.
    pub(super) available: u64,
    /// Inodes in all.
    pub(super) files: u64,
    /// Inodes not in use.
    pub(super) files_free: u64,
}

/// The answer of one file system.
#[derive(Debug)]
pub(super) enum Answer {
    /// Its space.
    Space(Space),
    /// It answered with an error.
    Error(io::Error),
    /// It has not answered, now or to an earlier scrape.
    Silence,
}

/// Asks the kernel; may block for ever.
pub(super) fn statvfs(mount_point: &Path) -> io::Result<Space> {
    let found = rustix::fs::statvfs(mount_point)?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Ok(Space {
        size: bytes(found.f_blocks),
        free: bytes(found.f_bfree),
        available: bytes(found.f_bavail),
        files: found.f_files,
        files_free: found.f_ffree,
    })
}

/// How a mount point is asked: [`statvfs`], or a test's own.
pub(super) type Ask = Arc<dyn Fn(&Path) -> io::Result<Space> + Send + Sync>;

/// Asks, and remembers who has not answered.
pub(super) struct Mounts {
    ask: Ask,
    /// The mount points that a thread is asking now.
    asking: Arc<Mutex<HashSet<PathBuf>>>,
}

type Queue = Arc<Mutex<VecDeque<(usize, PathBuf)>>>;

impl Mounts {
    pub(super) fn new(ask: Ask) -> Self {
        Self { ask, asking: Arc::default() }
    }

    /// The answers of the mount points, in their order, after twice the limit at most.
    ///
    /// One thread asks all in turn. If it is not through in time, several share what is left.
    pub(super) async fn ask(&self, mount_points: &[PathBuf], limit: Duration) -> Vec<Answer> {
        let mut found: Vec<_> = mount_points.iter().map(|_| Answer::Silence).collect();
        let free: VecDeque<_> = {
            let asking = locked(&self.asking);
            mount_points.iter().cloned().enumerate().filter(|(_, point)| !asking.contains(point)).collect()
        };
        let mut waiting = free.len();
        let queue: Queue = Arc::new(Mutex::new(free));
        // At most one message for each mount point.
        let (answers, mut inbox) = unbounded_channel();
        for walkers in [1, WALKERS] {
            let walkers = walkers.min(locked(&queue).len());
            if (0..walkers).filter(|_| self.start_walker(&queue, &answers).is_ok()).count() == 0 {
                break;
            }
            let deadline = Instant::now() + limit;
            while waiting > 0 {
                let Ok(Some((index, answer))) = timeout_at(deadline, inbox.recv()).await else { break };
                found[index] = answer;
                waiting -= 1;
            }
        }
        found
    }

    /// Starts a thread that asks what is in the queue until it is empty or nobody listens.
    fn start_walker(&self, queue: &Queue, answers: &UnboundedSender<(usize, Answer)>) -> io::Result<()> {
        let (ask, asking, queue, answers) = (self.ask.clone(), self.asking.clone(), queue.clone(), answers.clone());
        let walk = move || {
            while !answers.is_closed() {
                let Some((index, mount_point)) = locked(&queue).pop_front() else { return };
                if !locked(&asking).insert(mount_point.clone()) {
                    continue;
                }
                let answer = ask(&mount_point);
                locked(&asking).remove(&mount_point);
                let answer = answer.map_or_else(Answer::Error, Answer::Space);
                if answers.send((index, answer)).is_err() {
                    return;
                }
            }
        };
        // Not tokio's blocking threads: those are waited for when the program ends.
        thread::Builder::new().name("host-statvfs".to_owned()).spawn(walk).map(drop)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Condvar;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(50);

    /// Mounts below `/dead` answer when the server comes back; `calls` counts all who asked.
    #[derive(Default)]
    struct Server {
        back: Mutex<bool>,
        came_back: Condvar,
        calls: AtomicUsize,
    }

    impl Server {
        fn mounts(self: &Arc<Self>) -> Mounts {
            let server = self.clone();
            Mounts::new(Arc::new(move |point: &Path| {
                server.calls.fetch_add(1, Ordering::SeqCst);
                if point.starts_with("/dead") {
                    drop(server.came_back.wait_while(locked(&server.back), |back| !*back).unwrap());
                }
                if point.starts_with("/closed") {
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                Ok(Space { size: 7, ..Space::default() })
            }))
        }

        fn comes_back(&self) {
            *locked(&self.back) = true;
            self.came_back.notify_all();
        }
    }

    fn points(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    fn words(answers: &[Answer]) -> Vec<&'static str> {
        let word = |answer: &Answer| match answer {
            Answer::Space(_) => "space",
            Answer::Error(_) => "error",
            Answer::Silence => "silence",
        };
        answers.iter().map(word).collect()
    }

    #[tokio::test]
    async fn dead_mounts_are_silent_and_the_others_answer_in_order() {
        let server = Arc::new(Server::default());
        let mounts = server.mounts();
        let points = points(&["/", "/dead/1", "/closed", "/dead/2", "/srv"]);
        let answers = mounts.ask(&points, LIMIT).await;
        assert_eq!(words(&answers), ["space", "silence", "error", "silence", "space"]);
        server.comes_back();
    }

    #[tokio::test]
    async fn a_dead_mount_keeps_one_thread_however_often_it_is_asked() {
        let server = Arc::new(Server::default());
        let mounts = server.mounts();
        let points = points(&["/dead/1", "/srv"]);
        for _ in 0..100 {
            assert_eq!(words(&mounts.ask(&points, LIMIT).await), ["silence", "space"]);
        }
        // 100 times the living one, once the dead one.
        assert_eq!(server.calls.load(Ordering::SeqCst), 101);
        server.comes_back();
    }

    #[tokio::test]
    async fn a_mount_that_comes_back_is_asked_again() {
        let server = Arc::new(Server::default());
        let mounts = server.mounts();
        let points = points(&["/dead/1"]);
        assert_eq!(words(&mounts.ask(&points, LIMIT).await), ["silence"]);
        server.comes_back();
        while !locked(&mounts.asking).is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(words(&mounts.ask(&points, LIMIT).await), ["space"]);
    }

    #[tokio::test]
    async fn a_run_that_is_given_up_leaves_nothing_behind_but_the_stuck_thread() {
        let server = Arc::new(Server::default());
        let mounts = server.mounts();
        let points = points(&["/dead/1", "/srv"]);
        let given_up = tokio::time::timeout(LIMIT / 5, mounts.ask(&points, LIMIT)).await;
        assert!(given_up.is_err());
        assert_eq!(words(&mounts.ask(&points, LIMIT).await), ["silence", "space"]);
        server.comes_back();
    }
}
