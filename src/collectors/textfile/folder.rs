//! The files of the folder, as they are at one moment. Blocks.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::OFlags;

use super::config::Config;
use super::text::{self, Families};
use crate::collector::{Failure, Reason};

/// The most files that are read.
pub(super) const FILES: usize = 100;

/// The most entries of a folder that are looked at: more is no folder for this.
const ENTRIES: usize = 10_000;

/// The most bytes of a file.
const FILE_BYTES: u64 = 1 << 20;

/// The most bytes of all files together that one scrape reads.
const ALL_BYTES: u64 = 4 << 20;

/// The most samples of all files together: in memory a sample with labels takes a hundred times its line.
const ALL_SAMPLES: usize = 10_000;

/// A file: its name, and what it says or why it could not be read.
pub(super) struct File {
    pub(super) name: String,
    pub(super) content: Result<Content, Failure>,
}

/// When a file was written, and what is in it.
pub(super) struct Content {
    pub(super) written: SystemTime,
    /// `None` when it is too old to be read.
    pub(super) families: Option<Families>,
}

/// What a scrape may still read.
struct Left {
    bytes: u64,
    samples: usize,
}

/// The files `*.prom` of the configured folder, in the order of their names; `now` is the time that their age is told by.
/// One after the other, so that no more than one text is in memory.
///
/// # Errors
/// When the folder cannot be read, or holds more than we are ready to.
pub(super) fn files(folder: &Path, config: &Config, now: SystemTime) -> Result<Vec<File>, Failure> {
    let mut left = Left { bytes: ALL_BYTES, samples: ALL_SAMPLES };
    let file = |name: String| File { content: content(&folder.join(&name), &name, config, now, &mut left), name };
    Ok(names(folder)?.into_iter().map(file).collect())
}

/// The names of the files, sorted.
fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for (count, entry) in fs::read_dir(folder).map_err(Failure::io)?.enumerate() {
        if count == ENTRIES {
            return Err(Failure::message(Reason::Limit, format!("it has more than {ENTRIES} entries")));
        }
        // What was written beside a file, to be renamed, has another ending.
        let name = entry.map_err(Failure::io)?.file_name();
        let is_ours = Path::new(&name).extension().is_some_and(|ending| ending == "prom");
        if let Some(name) = name.to_str().filter(|name| is_ours && !name.contains(char::is_control)) {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    if names.len() > FILES {
        return Err(Failure::message(Reason::Limit, format!("it has more than {FILES} files with the ending .prom")));
    }
    Ok(names)
}

/// What a file says, if it is young enough.
fn content(path: &Path, name: &str, config: &Config, now: SystemTime, left: &mut Left) -> Result<Content, Failure> {
    // Whoever may write here may put a pipe that nobody writes to in a file's place.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(Failure::io)?;
    let metadata = file.metadata().map_err(Failure::io)?;
    if !metadata.is_file() {
        return Err(Failure::message(Reason::Protocol, "it is no file"));
    }
    let written = metadata.modified().map_err(Failure::io)?;
    // One from the future is as young as can be: the clock was set back.
    if now.duration_since(written).unwrap_or_default() > config.max_age(name) {
        return Ok(Content { written, families: None });
    }
    let text = text(file, metadata.len(), left)?;
    let families = text::families(&text).map_err(|problem| Failure::message(Reason::Protocol, problem))?;
    let samples = families.values().map(|family| family.samples.len()).sum();
    left.samples = left.samples.checked_sub(samples).ok_or_else(|| {
        let message = format!("with it there are more than {ALL_SAMPLES} samples in the files, by their names");
        Failure::message(Reason::Limit, message)
    })?;
    Ok(Content { written, families: Some(families) })
}

/// The text of a file that says to be so long: a longer one than may be is not begun, and one that grows is cut off.
fn text(file: fs::File, length: u64, left: &mut Left) -> Result<String, Failure> {
    let most = FILE_BYTES.min(left.bytes);
    let mut bytes = Vec::new();
    if length <= most {
        file.take(most + 1).read_to_end(&mut bytes).map_err(Failure::io)?;
    }
    let length = length.max(bytes.len() as u64);
    if length > FILE_BYTES {
        return Err(Failure::message(Reason::Limit, format!("it has more than {FILE_BYTES} bytes")));
    }
    left.bytes = left.bytes.checked_sub(length).ok_or_else(|| {
        let message = format!("with it there are more than {ALL_BYTES} bytes in the files, by their names");
        Failure::message(Reason::Limit, message)
    })?;
    let text = String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"));
    text.map_err(Failure::io)
}
