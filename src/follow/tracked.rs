//! One log file: how far it has been read, and reading on.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Instant, SystemTime};

use memchr::{memchr, memrchr};
use rustix::fs::{OFlags, SeekFrom, seek};
use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::lines::{give, split};
use super::{Counts, Limits, Start};

/// Which file it is, for as long as the machine runs: numbers of devices may change when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    device: u64,
    pub(super) inode: u64,
}

impl Id {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// When a file was last written to, in seconds and nanoseconds since 1970, by the clock of its file system.
pub(super) type Stamp = (i64, i64);

pub(super) fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.mtime(), metadata.mtime_nsec())
}

/// A file that is open.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) metadata: Metadata,
}

impl Opened {
    pub(super) fn id(&self) -> Id {
        Id::of(&self.metadata)
    }
}

/// Opens a file for reading, and nothing but a file: a pipe would have us wait for its other end.
pub(super) fn open(path: &Path) -> io::Result<Opened> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    is_file(&metadata)?;
    Ok(Opened { file, metadata })
}

/// Refuses what is not a file.
pub(super) fn is_file(metadata: &Metadata) -> io::Result<()> {
    let what = match metadata.file_type() {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "a folder, not a file",
        _ => "not a file that can be followed, but a pipe, a socket or a device",
    };
    Err(io::Error::new(io::ErrorKind::InvalidData, what))
}

/// How far a file has been read; what is saved of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) inode: u64,
    /// Where the first line begins that was not given yet.
    pub(super) at: u64,
    pub(super) print: Fingerprint,
    /// Whether `at` is in the middle of a line that is too long.
    skipping: bool,
    /// What was known of the file when it was last looked at.
    pub(super) size: u64,
    pub(super) modified: Stamp,
}

/// A log file that is read.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) place: Place,
    /// `None` until it was found after a restart.
    pub(super) id: Option<Id>,
    /// `None` also when it has not changed for long.
    handle: Option<File>,
    /// When it last gave something.
    pub(super) active: Instant,
}

/// How reading has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// There is no more for now.
    End,
    /// There was no time for the rest.
    Late,
    /// It is not what it was: emptied, and maybe filled again.
    Replaced,
}

impl Tracked {
    /// A file to be read from its beginning.
    pub(super) fn new(opened: Opened) -> Self {
        let Opened { file, metadata } = opened;
        let place = Place {
            inode: metadata.ino(),
            at: 0,
            // Taken when it is first read.
            print: Fingerprint::default(),
            skipping: false,
            size: 0,
            modified: stamp(&metadata),
        };
        Self { place, id: Some(Id::of(&metadata)), handle: Some(file), active: Instant::now() }
    }

    /// A file that was read before the program started.
    pub(super) fn resumed(place: Place) -> Self {
        Self { place, id: None, handle: None, active: Instant::now() }
    }

    /// A file to be read from where `start` says.
    pub(super) fn from(opened: Opened, start: Start, buffer: &mut [u8], limits: &Limits) -> io::Result<Self> {
        let mut tracked = Self::new(opened);
        let Some(file) = &tracked.handle else { return Ok(tracked) };
        tracked.place.print = Fingerprint::of(file)?;
        let size = file.metadata()?.len();
        let begin = match start {
            Start::Beginning => return Ok(tracked),
            Start::Sample(bytes) => size.saturating_sub(bytes),
            Start::End => size,
        };
        if begin == 0 {
            return Ok(tracked);
        }
        // After the first line's end from there on, else after the last one before: never in the middle of a line.
        let length = file.read_at(buffer, begin - 1)?;
        if let Some(end) = memchr(b'\n', &buffer[..length]) {
            tracked.place.at = begin + end as u64;
            return Ok(tracked);
        }
        let back = size.saturating_sub(limits.line as u64);
        let length = file.read_at(&mut buffer[..limits.line], back)?;
        match memrchr(b'\n', &buffer[..length]) {
            Some(end) => tracked.place.at = back + end as u64 + 1,
            None if back == 0 => {}
            None => (tracked.place.at, tracked.place.skipping) = (size, true),
        }
        Ok(tracked)
    }

    /// Whether it is open.
    pub(super) fn is_open(&self) -> bool {
        self.handle.is_some()
    }

    /// Lets go of the file; what is known of it stays.
    pub(super) fn close(&mut self) {
        self.handle = None;
    }

    /// Takes this file for the one that is tracked.
    pub(super) fn attach(&mut self, opened: Opened) {
        self.locate(&opened.metadata);
        self.handle = Some(opened.file);
        self.active = Instant::now();
    }

    /// Notes where the file is.
    pub(super) fn locate(&mut self, metadata: &Metadata) {
        (self.id, self.place.inode) = (Some(Id::of(metadata)), metadata.ino());
    }

    /// The file's metadata now, if it is open.
    pub(super) fn metadata(&self) -> Option<Metadata> {
        self.handle.as_ref()?.metadata().ok()
    }

    /// Whether a file is this one, by what it begins with.
    pub(super) fn is_like(&self, file: &File) -> bool {
        let mut print = self.place.print;
        print.is_of(file).unwrap_or(false)
    }

    /// Whether nothing has been written since it was last looked at.
    pub(super) fn is_as_before(&self, metadata: &Metadata) -> bool {
        (self.place.inode, self.place.size, self.place.modified) == (metadata.ino(), metadata.len(), stamp(metadata))
    }

    /// Reads what there is, until then, and gives each complete line to `each`.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        until: Instant,
        limits: &Limits,
        counts: &mut Counts,
        each: &mut impl FnMut(&[u8]),
    ) -> io::Result<Reading> {
        let Some(file) = &self.handle else { return Ok(Reading::End) };
        let metadata = file.metadata()?;
        if self.is_as_before(&metadata) {
            return Ok(Reading::End);
        }
        loop {
            let length = match file.read_at(buffer, self.place.at) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if self.place.at == 0 && self.place.print.is_empty() {
                self.place.print = Fingerprint::of_bytes(&buffer[..length]);
            }
            // Looked at after reading: what was read is of the file we know, however soon it is emptied.
            if !self.place.print.is_of(file)? {
                return Ok(Reading::Replaced);
            }
            let bytes = &buffer[..length];
            let before = counts.lines;
            let used = split(bytes, limits.line, &mut self.place.skipping, counts, each);
            self.place.at += used as u64;
            counts.bytes += used as u64;
            if counts.lines > before {
                counts.last_line = Some(SystemTime::now());
            }
            if length > 0 {
                self.active = Instant::now();
            }
            if length < buffer.len() {
                if length == 0 && metadata.len() < self.place.at {
                    // Cut off in the middle, as a loss of power does: what is left was counted already.
                    self.place.at = file.metadata()?.len().min(self.place.at);
                    counts.truncations += 1;
                }
                (self.place.size, self.place.modified) = (self.place.at + (length - used) as u64, stamp(&metadata));
                return Ok(Reading::End);
            }
            if counts.lines == before && bytes.first() == Some(&0) && bytes.last() == Some(&0) {
                // A hole may be as large as the log ever was.
                self.place.at = seek(file, SeekFrom::Data(self.place.at)).unwrap_or(self.place.at);
            }
            if Instant::now() >= until {
                self.place.size = self.place.at;
                return Ok(Reading::Late);
            }
        }
    }

    /// Gives what is left of a file that is finished: a line whose end never came.
    pub(super) fn finish(
        &mut self,
        buffer: &mut [u8],
        limits: &Limits,
        counts: &mut Counts,
        each: &mut impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let Some(file) = &self.handle else { return Ok(()) };
        let length = file.read_at(buffer, self.place.at)?;
        let used = split(&buffer[..length], limits.line, &mut self.place.skipping, counts, each);
        if used < length {
            give(&buffer[used..length], limits.line, counts, each);
        }
        self.place.at += length as u64;
        self.place.size = self.place.at;
        counts.bytes += length as u64;
        self.place.skipping = false;
        Ok(())
    }

    /// How many bytes are written and not read.
    pub(super) fn behind(&self) -> u64 {
        let size = self.metadata().map_or(self.place.size, |metadata| metadata.len());
        size.saturating_sub(self.place.at)
    }
}
