//! What outlives the program: one small file for each collector that keeps something, all in one folder.
//!
//! A collector is given a [`Slot`], claims it for as long as it runs, and finds there what it saved before. Whatever is
//! wrong with the folder, it is told to the log once, and everything but the memory goes on.

mod claim;
mod file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::config::types::TargetName;
use crate::snapshot::Snapshot;

pub use claim::Claim;

crate::metrics! {
    Own as METRICS;

    /// 1 when all that must outlive the program was saved the last time, 0 when a restart would lose some of it; absent
    /// when there is nothing to keep.
    WRITABLE = Gauge("vitrin_state_writable", None, []);
    /// How often what must outlive the program could not be written.
    SAVE_FAILURES = Counter("vitrin_state_save_failures_total", None, []);
}

/// Where state is kept when neither the configuration nor systemd says.
pub const DEFAULT_FOLDER: &str = "/var/lib/vitrin";

/// How long a claim waits for whoever has the slot to let go of it, as the collector does that a reload replaces, or
/// another Vitrin that is about to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether another Vitrin has let go of the folder; what this one lets go of is told at once.
const LOOK: Duration = Duration::from_millis(250);

/// Held for as long as a Vitrin uses the folder; the kernel lets go of it however the program ends.
const LOCK: &str = "lock";

/// The folder of all state. Nothing is touched before the first claim.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    inner: Mutex<Inner>,
    freed: Condvar,
    failures: AtomicU64,
}

#[derive(Debug, Default)]
struct Inner {
    /// Ours for as long as it is open.
    lock: Option<File>,
    claimed: BTreeSet<String>,
    /// Whether anybody has wanted to keep something.
    wanted: bool,
    /// What is wrong, by slot.
    troubles: BTreeMap<String, String>,
}

impl Folder {
    /// The folder at this path, which is made when it is needed and its parent is there.
    #[must_use]
    pub fn new(path: PathBuf) -> Arc<Self> {
        Arc::new(Self { path, inner: Mutex::default(), freed: Condvar::new(), failures: AtomicU64::new(0) })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until nobody has a claim any more; false when that takes longer than `patience`.
    pub fn wait_until_free(&self, patience: Duration) -> bool {
        let busy = |inner: &mut Inner| !inner.claimed.is_empty();
        let waited = self.freed.wait_timeout_while(self.inner(), patience, busy).expect(NO_PANIC);
        !waited.1.timed_out()
    }

    /// Pushes whether state is kept.
    pub fn report(&self, out: &mut Snapshot) {
        let inner = self.inner();
        if inner.wanted {
            out.push(&WRITABLE, [], inner.troubles.is_empty());
        }
        out.push(&SAVE_FAILURES, [], self.failures.load(Ordering::Relaxed));
    }

    /// Makes the folder where there is none and locks it; at once, whoever has it.
    fn take(&self) -> Result<File, Refused> {
        if !self.path.is_dir() {
            DirBuilder::new().mode(0o700).create(&self.path).map_err(Refused::Io)?;
        }
        let mut options = OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true).mode(0o600).open(self.path.join(LOCK));
        let lock = lock.map_err(Refused::Io)?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(Refused::Locked),
            Err(TryLockError::Error(error)) => Err(Refused::Io(error)),
        }
    }

    /// Notes what is wrong with a slot, and tells the log when nobody has told it yet; or that all is well again.
    fn tell(&self, slot: &str, trouble: Option<String>) {
        let mut inner = self.inner();
        match trouble {
            Some(trouble) => {
                if !inner.troubles.values().any(|told| *told == trouble) {
                    warn!("{trouble}");
                }
                inner.troubles.insert(slot.to_owned(), trouble);
            }
            None => {
                if inner.troubles.remove(slot).is_some() && inner.troubles.is_empty() {
                    info!("state is kept in {} again", self.path.display());
                }
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "no code panics while it holds this lock";

/// Why a slot could not be had.
enum Refused {
    /// Another Vitrin has the folder.
    Locked,
    /// A collector has the slot.
    Held,
    /// The folder cannot be used.
    Io(io::Error),
}

/// What a collector and its target have saved in a folder, for whoever does not serve; `None` when nothing was.
///
/// # Errors
/// When it cannot be read, or is damaged.
pub(crate) fn peek(folder: &Path, collector: &str, target: &TargetName) -> io::Result<Option<Vec<u8>>> {
    file::read(&folder.join(format!("{collector}@{}.state", target.as_str())))
}

/// The place of one collector and target in the folder.
#[derive(Clone, Debug)]
pub struct Slot {
    folder: Arc<Folder>,
    name: String,
}

impl Slot {
    /// The slot of a collector and its target. Both are made of what every file system takes for a name.
    #[must_use]
    pub fn new(folder: Arc<Folder>, collector: &str, target: &TargetName) -> Self {
        Self { folder, name: format!("{collector}@{}", target.as_str()) }
    }

    /// Takes the slot, waiting at most ten seconds for whoever has it; blocks the thread meanwhile.
    ///
    /// `None` when it cannot be had or written: the log was told why, and what is lost by it.
    #[must_use]
    pub fn claim(&self) -> Option<Claim> {
        self.claim_within(PATIENCE)
    }

    fn claim_within(&self, patience: Duration) -> Option<Claim> {
        let until = Instant::now() + patience;
        let folder = &self.folder;
        let mut inner = folder.inner();
        inner.wanted = true;
        let refused = loop {
            let refused = match self.try_claim(&mut inner) {
                Ok(()) => return Some(Claim::new(folder.clone(), &self.name)),
                Err(refused) => refused,
            };
            let left = until.saturating_duration_since(Instant::now());
            if matches!(refused, Refused::Io(_)) || left.is_zero() {
                break refused;
            }
            (inner, _) = folder.freed.wait_timeout(inner, left.min(LOOK)).expect(NO_PANIC);
        };
        drop(inner);
        folder.tell(&self.name, Some(self.what_is_lost(&refused)));
        None
    }

    fn try_claim(&self, inner: &mut Inner) -> Result<(), Refused> {
        if inner.lock.is_none() {
            inner.lock = Some(self.folder.take()?);
        }
        if inner.claimed.insert(self.name.clone()) { Ok(()) } else { Err(Refused::Held) }
    }

    fn what_is_lost(&self, refused: &Refused) -> String {
        const LOSS: &str = "after a restart, counters that come from logs start at zero, lines written meanwhile are not \
                            counted, accounts at marketplaces ask for new tokens, and the security score has no first \
                            one to be compared with";
        let folder = self.folder.path.display();
        match refused {
            Refused::Locked => format!(
                "another Vitrin keeps its state in {folder}, so this one keeps none: {LOSS}\n  hint: give each Vitrin \
                 a folder of its own: state_dir = \"...\""
            ),
            Refused::Held => format!("the state of {} is still in use, so none is kept: {LOSS}", self.name),
            Refused::Io(error) => format!(
                "no state can be kept in {folder}: {error}: {LOSS}\n  hint: make the folder and give it to the user \
                 that serves: install -d -m 0700 -o vitrin -g vitrin {folder}; or name another: state_dir = \"...\""
            ),
        }
    }
}

/// The path in `state_dir`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The path, which is absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl TryFrom<String> for StateDir {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') && !text.contains('\0') {
            return Ok(Self(text.into()));
        }
        Err(format!("`{text}` is not the whole path of a folder\nit begins with /, for example \"{DEFAULT_FOLDER}\""))
    }
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
