//! How a saved state is written: a line that says what follows, then the bytes.
//!
//! The digest tells a file that a loss of power left half written, or full of zeros, from a whole one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ring::digest::{SHA256, digest};
use rustix::fs::OFlags;

/// The most that one slot may hold: far above what 200 followed logs and the counters of a shop need.
pub(super) const BYTES: usize = 16 << 20;

/// The first line's first words: what it is, and of which form.
const MAGIC: &str = "vitrin-state 1";

/// Of which bytes a file is.
pub(super) type Digest = [u8; 32];

/// The digest of these bytes.
pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn first_line(bytes: &[u8]) -> String {
    let digest = digest_of(bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    format!("{MAGIC} {digest} {}\n", bytes.len())
}

/// Reads what was saved; `None` when nothing was.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // Whatever lies there, a pipe for one, opening it does not block.
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a file"));
    }
    let mut bytes = Vec::new();
    file.take(BYTES as u64 + 200).read_to_end(&mut bytes)?;
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "not a whole saved state");
    let end = memchr::memchr(b'\n', &bytes).ok_or_else(damaged)? + 1;
    let saved = bytes.split_off(end);
    if bytes == first_line(&saved).as_bytes() { Ok(Some(saved)) } else { Err(damaged()) }
}

/// Puts these bytes in the place of what was saved before: at no time is there neither.
///
/// It waits for no disk: see `docs/reliability.md` for what a loss of power costs.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if bytes.len() > BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {BYTES} bytes to keep")));
    }
    let new = path.with_added_extension("new");
    super::remove(&new)?;
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).and_then(|file| fill(file, bytes));
    match written.and_then(|()| fs::rename(&new, path)) {
        Ok(()) => Ok(()),
        Err(error) => {
            // Half a file on a full disk is of no use to anybody; the error that counts is the first.
            drop(super::remove(&new));
            Err(error)
        }
    }
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(first_line(bytes).as_bytes())?;
    file.write_all(bytes)
}
