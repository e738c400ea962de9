//! What a file begins with, by which it is known again whatever its name and inode are by then.
//!
//! A log's first lines hold the time to the second, so two logs that begin alike are one, or a copy of it. Inodes alone
//! would not do: file systems give those of removed files away again at once, and a truncated file keeps its own.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// How much of a file is looked at: some four lines.
const BYTES: usize = 1024;

/// Below this a beginning says little: two logs may both have begun with the same short line.
const TELLING: u16 = 64;

/// The digest of a file's first bytes; of as many as there have been so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    length: u16,
    digest: u64,
}

/// What a file began with at one moment.
pub(super) struct Beginning(Vec<u8>);

impl Beginning {
    /// That of a file as it is now; of one that cannot be read, none.
    pub(super) fn of(file: &File) -> Self {
        let mut bytes = vec![0; BYTES];
        let length = fill(file, &mut bytes).unwrap_or(0);
        bytes.truncate(length);
        Self(bytes)
    }

    /// The digest of it.
    pub(super) fn print(&self) -> Fingerprint {
        Fingerprint::of_bytes(&self.0)
    }

    /// Whether a file has this beginning, or as much of it as was copied so far.
    pub(super) fn is_copied_to(&self, file: &File) -> bool {
        self.0.starts_with(&Self::of(file).0)
    }
}

impl Fingerprint {
    /// That of a file as it is now.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let mut bytes = [0; BYTES];
        let length = fill(file, &mut bytes)?;
        Ok(Self::of_bytes(&bytes[..length]))
    }

    /// Whether the file still begins as it did; if so, what it has grown by counts from now on.
    pub(super) fn is_of(&mut self, file: &File) -> io::Result<bool> {
        let mut bytes = [0; BYTES];
        let length = fill(file, &mut bytes)?;
        let Some(before) = bytes[..length].get(..usize::from(self.length)) else { return Ok(false) };
        let same = self.length == 0 || Self::of_bytes(before) == *self;
        if same && length > before.len() {
            *self = Self::of_bytes(&bytes[..length]);
        }
        Ok(same)
    }

    /// Whether there is anything to know a file by.
    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }

    /// Whether a file of another inode that begins like this is the same log.
    pub(super) fn is_telling(self) -> bool {
        self.length >= TELLING
    }

    /// Whether it is of as much as is ever looked at.
    pub(super) fn is_whole(self) -> bool {
        usize::from(self.length) == BYTES
    }

    /// That of a file that begins with these bytes.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::default();
        }
        let bytes = &bytes[..bytes.len().min(BYTES)];
        let digest = digest(&SHA256, bytes);
        let first = digest.as_ref()[..8].try_into().expect("SHA-256 has more than eight bytes");
        let length = u16::try_from(bytes.len()).expect("at most BYTES");
        Self { length, digest: u64::from_be_bytes(first) }
    }
}

/// Reads from the file's beginning until the buffer is full or the file over.
fn fill(file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < bytes.len() {
        match file.read_at(&mut bytes[length..], length as u64) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
