//! Reading procfs and sysfs: small, bounded, without allocating for each file.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use rustix::fs::{Dir, Mode, OFlags, openat};

use super::config::Config;
use super::cpu::Shown;
use crate::collector::{Failure, Paths, Reason};

/// The largest file we read: `/proc/net/udp` of a machine with 100,000 sockets.
const FILE_BYTES: usize = 16 << 20;

/// How many entries of a folder we look at: more interfaces or sensors than that are not a shop's machine.
const FOLDER_ENTRIES: usize = 4096;

/// Why a part gives no data.
#[derive(Debug)]
pub(super) enum Hole {
    /// This kernel or machine does not have it: no sensors, a module that is not loaded. Nothing is wrong.
    Missing,
    /// It is there, and could not be read or understood.
    Failed(Failure),
}

impl Hole {
    /// The text of `file` is not what the kernel writes there; `text` is the place.
    pub(super) fn garbled(file: &str, text: &str) -> Self {
        let text: String = text.chars().take(80).collect();
        let message = format!("reading `{file}`: `{}` is not what the kernel writes there", text.trim_end());
        Self::Failed(Failure::message(Reason::Protocol, message))
    }

    /// A failed read of `what`.
    pub(super) fn io(error: io::Error, what: impl fmt::Display) -> Self {
        use io::ErrorKind as Kind;
        let reason = match error.kind() {
            // A feature that is compiled in and switched off (PSI), or a device that has no such property.
            Kind::NotFound | Kind::NotADirectory | Kind::Unsupported => return Self::Missing,
            Kind::PermissionDenied => Reason::Permission,
            Kind::FileTooLarge => Reason::Limit,
            _ => Reason::Protocol,
        };
        Self::Failed(Failure::new(reason, error).context(format!("reading `{what}`")))
    }
}

/// Where the parts read from.
pub(super) struct Source {
    /// procfs.
    pub(super) proc: Folder,
    /// sysfs.
    pub(super) sys: Folder,
    /// The root file system.
    pub(super) root: PathBuf,
    /// What is left out.
    pub(super) config: Arc<Config>,
    /// The CPU seconds shown before.
    pub(super) cpu_shown: Shown,
    /// Holds the file being read.
    pub(super) buffer: Buffer,
}

impl Source {
    /// Opens the places; a machine without sysfs (a container) has no hardware, one without procfs nothing.
    pub(super) fn open(paths: &Paths, config: Arc<Config>) -> Result<Self, Failure> {
        let proc = Folder::open(&paths.proc).map_err(|hole| match hole {
            Hole::Missing => Failure::message(Reason::Connect, format!("`{}` is not there", paths.proc.display())),
            Hole::Failed(failure) => failure,
        })?;
        Ok(Self {
            proc,
            sys: Folder::at(&paths.sys),
            root: paths.root.clone(),
            config,
            cpu_shown: Shown::default(),
            buffer: Buffer::default(),
        })
    }
}

/// A buffer that is used for one file after another.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    lossy: String,
}

impl Default for Buffer {
    /// 16 KiB: all files of an ordinary machine fit.
    fn default() -> Self {
        Self { bytes: vec![0; 16 << 10], lossy: String::new() }
    }
}

impl Buffer {
    /// Reads to the end; bytes that are not UTF-8 (a disk's model, an interface's alias) become `U+FFFD`.
    ///
    /// A property of sysfs is at most one page and comes whole: it needs no second read to see the end.
    fn fill(&mut self, file: &OwnedFd, is_property: bool) -> io::Result<&str> {
        let mut length = 0;
        loop {
            if length == self.bytes.len() {
                if length >= FILE_BYTES {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                self.bytes.resize(length * 2, 0);
            }
            match rustix::io::read(file, &mut self.bytes[length..]) {
                Ok(0) => break,
                Ok(count) => {
                    length += count;
                    if is_property {
                        break;
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        if let Ok(text) = str::from_utf8(&self.bytes[..length]) {
            return Ok(text);
        }
        self.lossy = String::from_utf8_lossy(&self.bytes[..length]).into_owned();
        Ok(&self.lossy)
    }
}

/// A folder; what is in it is named relative to it, so that the kernel does not walk long paths again and again.
pub(super) struct Folder {
    handle: Option<OwnedFd>,
    path: PathBuf,
}

impl Folder {
    fn open(path: &Path) -> Result<Self, Hole> {
        let handle = rustix::fs::open(path, FOLDER, Mode::empty()).map_err(|e| Hole::io(e.into(), path.display()))?;
        Ok(Self { handle: Some(handle), path: path.to_owned() })
    }

    /// A folder that need not be there: then nothing is in it.
    pub(super) fn at(path: &Path) -> Self {
        Self::open(path).unwrap_or_else(|_| Self { handle: None, path: path.to_owned() })
    }

    /// A folder in this one.
    pub(super) fn folder(&self, name: &str) -> Result<Self, Hole> {
        let parent = self.handle.as_ref().ok_or(Hole::Missing)?;
        let path = self.path.join(name);
        match openat(parent, name, FOLDER, Mode::empty()) {
            Ok(handle) => Ok(Self { handle: Some(handle), path }),
            Err(errno) => Err(Hole::io(errno.into(), path.display())),
        }
    }

    /// The names in it, in order.
    pub(super) fn names(&self) -> Result<Vec<String>, Hole> {
        let failed = |errno: rustix::io::Errno| Hole::io(errno.into(), self.path.display());
        let entries = Dir::read_from(self.handle.as_ref().ok_or(Hole::Missing)?).map_err(failed)?;
        let mut names = Vec::new();
        for entry in entries.take(FOLDER_ENTRIES) {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy();
            if !name.starts_with('.') {
                names.push(name.into_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Whether a file in it is there and ours to read.
    pub(super) fn can_open(&self, name: &str) -> bool {
        self.handle.as_ref().is_some_and(|parent| openat(parent, name, FILE, Mode::empty()).is_ok())
    }

    /// The text of a file in it.
    pub(super) fn read<'buffer>(&self, name: &str, buffer: &'buffer mut Buffer) -> Result<&'buffer str, Hole> {
        self.fill(name, buffer, false).map_err(|error| Hole::io(error, self.path.join(name).display()))
    }

    fn fill<'buffer>(&self, name: &str, buffer: &'buffer mut Buffer, is_property: bool) -> io::Result<&'buffer str> {
        let parent = self.handle.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let file = openat(parent, name, FILE, Mode::empty())?;
        buffer.fill(&file, is_property)
    }

    /// A property, without the white space around it; none when the file is not there, empty, or answers with an
    /// error: drivers do that for what a device does not have (`speed` of an interface that is down).
    pub(super) fn property<'buffer>(&self, name: &str, buffer: &'buffer mut Buffer) -> Option<&'buffer str> {
        let text = self.fill(name, buffer, true).ok()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// A property that is a number, decimal.
    pub(super) fn number<T: FromStr>(&self, name: &str, buffer: &mut Buffer) -> Option<T> {
        self.property(name, buffer)?.parse().ok()
    }

    /// Where a symbolic link in it leads, resolved to the end.
    pub(super) fn link(&self, name: &str) -> Option<PathBuf> {
        fs::canonicalize(self.path.join(name)).ok()
    }
}

const FILE: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::snapshot::{Snapshot, Value};

    /// Every series of a snapshot as a line of text, in order; gaps and drops fail.
    pub(crate) fn text(out: Snapshot) -> String {
        use std::fmt::Write as _;
        let (findings, gaps, dropped) = out.finish();
        assert!(gaps.is_empty() && dropped.is_empty(), "{gaps:?} {dropped:?}");
        let mut text = String::new();
        for (family, group) in findings.families() {
            for (values, value) in group.samples() {
                let labels: Vec<_> = family.labels.iter().zip(values).map(|(n, v)| format!("{n}={v:?}")).collect();
                let Value::Number(number) = value else { panic!("{value:?}") };
                writeln!(text, "{}{{{}}} {number}", family.name, labels.join(",")).unwrap();
            }
        }
        text
    }

    /// A machine made of files, for the parts that walk sysfs.
    pub(crate) struct Machine(pub(crate) tempfile::TempDir);

    impl Machine {
        pub(crate) fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for root in ["proc", "sys", "root"] {
                fs::create_dir(folder.path().join(root)).unwrap();
            }
            for (name, content) in files {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            Self(folder)
        }

        pub(crate) fn source(&self) -> Source {
            let place = |name| self.0.path().join(name);
            let paths = Paths { proc: place("proc"), sys: place("sys"), root: place("root") };
            Source::open(&paths, Arc::default()).unwrap()
        }

        /// What a part finds on this machine.
        pub(crate) fn found_by(&self, part: fn(&mut Source, &mut Snapshot) -> Result<(), Hole>) -> String {
            let mut out = Snapshot::default();
            part(&mut self.source(), &mut out).unwrap();
            text(out)
        }
    }

    #[test]
    fn a_file_is_read_to_its_end_and_bad_bytes_are_replaced() {
        let machine = Machine::new(&[("proc/long", &"x".repeat(100_000)), ("proc/name", " eth0\n")]);
        fs::write(machine.0.path().join("proc/bad"), b"a\xffb").unwrap();
        let mut source = machine.source();
        assert_eq!(source.proc.read("long", &mut source.buffer).unwrap().len(), 100_000);
        assert_eq!(source.proc.property("name", &mut source.buffer), Some("eth0"));
        assert_eq!(source.proc.read("bad", &mut source.buffer).unwrap(), "a\u{fffd}b");
    }

    #[test]
    fn what_is_not_there_is_missing_and_what_is_too_large_is_a_limit() {
        let machine = Machine::new(&[]);
        let large = fs::File::create(machine.0.path().join("proc/large")).unwrap();
        large.set_len(FILE_BYTES as u64 + 1).unwrap();
        let mut source = machine.source();
        assert!(matches!(source.proc.read("none", &mut source.buffer), Err(Hole::Missing)));
        assert!(matches!(source.sys.folder("class/none"), Err(Hole::Missing)));
        match source.proc.read("large", &mut source.buffer) {
            Err(Hole::Failed(failure)) => assert_eq!(failure.reason, Reason::Limit),
            other => panic!("{other:?}"),
        }
    }
}
