//! A slot in use: what was saved there, and saving.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use super::file::{self, Digest};
use super::{Folder, NO_PANIC};

/// A slot that nobody else has, until this is dropped.
#[derive(Debug)]
pub struct Claim {
    folder: Arc<Folder>,
    name: String,
    path: PathBuf,
    /// What is in the file.
    saved: Mutex<Option<Digest>>,
}

impl Claim {
    pub(super) fn new(folder: Arc<Folder>, name: &str) -> Self {
        let path = folder.path.join(format!("{name}.state"));
        Self { folder, name: name.to_owned(), path, saved: Mutex::default() }
    }

    /// What was saved last; `None` before the first time.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged (`InvalidData`); start anew then, the next save mends it.
    pub fn load(&self) -> io::Result<Option<Vec<u8>>> {
        file::read(&self.path)
            .map_err(|error| io::Error::new(error.kind(), format!("reading {}: {error}", self.path.display())))
    }

    /// Keeps these bytes, at most 16 MiB, in place of those before. Cheap when they are the same.
    ///
    /// A failure is told to the log, once, and counted; what was saved before stays.
    pub fn save(&self, bytes: &[u8]) {
        let mut saved = self.saved.lock().expect(NO_PANIC);
        let digest = file::digest_of(bytes);
        if *saved == Some(digest) {
            return;
        }
        let written = file::write(&self.path, bytes);
        let trouble = written.as_ref().err().map(|error| {
            let folder = self.folder.path.display();
            format!("state cannot be saved in {folder}: {error}: a restart now would go back to what was saved before")
        });
        if trouble.is_none() {
            *saved = Some(digest);
        } else {
            self.folder.failures.fetch_add(1, Ordering::Relaxed);
        }
        self.folder.tell(&self.name, trouble);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut inner = self.folder.inner();
        inner.claimed.remove(&self.name);
        // Whoever comes next will say so, if it is still so; there need not be anybody.
        inner.troubles.remove(&self.name);
        drop(inner);
        self.folder.freed.notify_all();
    }
}
