//! Whether the shop's files are as the manifest has them. Names, sizes and times are looked at every time; contents are
//! read when these have changed, and once a day, a bounded part at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::host::{Host, unseen};
use super::manifest::{Listing, MANIFEST_BYTES, Manifest, is_known_behind, is_listed, link_sum, sum};
use super::{Cause, Known, Mode, Shop, Unknown};

/// How many files are read in one look at most, and about how many bytes of them: half a second's work.
const FILES: usize = 10_000;
const BYTES: u64 = 128 << 20;

/// How long one look walks through folders, and how long it compares files, on a disk that is slow: the next goes on.
const WALKING: Duration = Duration::from_secs(10);
const COMPARING: Duration = Duration::from_secs(10);

/// How long contents are believed to be what they were while size and times are, in seconds.
const DAY: i64 = 24 * 60 * 60;

/// How many files are named.
const NAMED: usize = 5;

/// How the shop's files differ from the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drift {
    /// The manifest.
    pub(crate) manifest: Mode,
    /// The folder that it is in.
    pub(crate) folder: Mode,
    /// How many files it has.
    pub(crate) listed: usize,
    /// How many of them have other contents.
    pub(crate) changed: usize,
    /// How many are there that it does not have.
    pub(crate) added: usize,
    /// How many of it are not there.
    pub(crate) missing: usize,
    /// The first of these, below the shop's base.
    pub(crate) examples: Vec<String>,
    /// How many could not be read, and have not been touched since the manifest was written.
    pub(crate) unread: usize,
    /// How many have never been compared as they are now.
    pub(crate) behind: usize,
    /// Why some could not be compared at all.
    pub(crate) unseen: Option<Unknown>,
}

/// What a file looks like from outside. Its `ctime` nobody can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A file whose contents were read.
#[derive(Clone, Copy, Debug)]
struct Read {
    mark: Mark,
    at: i64,
    is_same: bool,
}

/// Compares a shop with its manifest, time and again.
#[derive(Debug)]
pub(crate) struct Watch {
    /// How many files are read in one look.
    pub(super) files: usize,
    /// How long one look walks through folders.
    pub(super) walking: Duration,
    /// The walk that is still going on, in this folder.
    begun: Option<(PathBuf, Listing)>,
    /// What the last walk found that came to its end, in this folder.
    found: Option<(PathBuf, Listing)>,
    /// The manifest as it was read last.
    manifest: Option<(Mark, Manifest)>,
    read: BTreeMap<PathBuf, Read>,
    is_behind: bool,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            files: FILES,
            walking: WALKING,
            begun: None,
            found: None,
            manifest: None,
            read: BTreeMap::new(),
            is_behind: false,
        }
    }
}

impl Watch {
    /// Whether it did not get to all files: then it is to look again before the hour is over.
    pub(crate) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// How the shop differs from the manifest, a file of the host; `None` when there is none. Blocks, for half a second on
    /// a disk that answers, and for 20 seconds on a slow one.
    pub(crate) fn look(&mut self, host: &Path, shop: &Shop, manifest: Option<&Path>, now: i64) -> Known<Option<Drift>> {
        self.is_behind = false;
        manifest.map(|file| self.compare(Host::new(host), shop, file, now)).transpose()
    }

    fn compare(&mut self, host: Host<'_>, shop: &Shop, file: &Path, now: i64) -> Known<Drift> {
        let not_seen = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => {
                Unknown::new(Cause::NotConfigured, format!("the manifest {} is not there", file.display()))
            }
            _ => unseen(file, &error),
        };
        let mode = host.mode(file).map_err(not_seen)?;
        let folder = host.mode(mode.path.parent().unwrap_or(&mode.path)).map_err(not_seen)?;
        let written = self.refresh(host, &mode.path).map_err(not_seen)?;
        let Some((_, manifest)) = self.manifest.take() else {
            return Err(Unknown::new(Cause::Unparsable, format!("{} is no manifest", file.display())));
        };
        let mut drift = Drift {
            manifest: mode,
            folder,
            listed: manifest.files.len(),
            changed: 0,
            added: 0,
            missing: 0,
            examples: Vec::new(),
            unread: 0,
            behind: 0,
            unseen: None,
        };
        // Either can be later than the writing: by `chmod`, by `touch`. Hardly both.
        let since = written.changed.min(written.modified);
        self.contents(host, shop, &manifest, since, now, &mut drift);
        self.manifest = Some((written, manifest));
        Ok(drift)
    }

    /// Reads the manifest, unless it is the one that was read last.
    fn refresh(&mut self, host: Host<'_>, file: &Path) -> io::Result<Mark> {
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let opened = fs::OpenOptions::new().read(true).custom_flags(flags).open(host.inside(file))?;
        let metadata = opened.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no file"));
        }
        let mark = Mark::of(&metadata);
        if self.manifest.as_ref().is_some_and(|(last, _)| *last == mark) {
            return Ok(mark);
        }
        let mut text = Vec::new();
        opened.take(MANIFEST_BYTES).read_to_end(&mut text)?;
        self.read.clear();
        self.manifest = Manifest::parse(&text).map(|manifest| (mark, manifest));
        Ok(mark)
    }

    /// Compares names, and contents as far as it goes.
    fn contents(
        &mut self,
        host: Host<'_>,
        shop: &Shop,
        manifest: &Manifest,
        since: (i64, i64),
        now: i64,
        drift: &mut Drift,
    ) {
        self.walk(host, shop);
        // Until the first walk is over nothing can be said; later, what the last one found is compared in the meantime.
        let Some((_, found)) = self.found.take_if(|(base, _)| *base == shop.base) else {
            let why = format!("{} is still being walked through", shop.base.display());
            drift.unseen = Some(Unknown::new(Cause::Stale, why));
            return;
        };
        drift.unseen = found.missed(shop);
        links(host, shop, manifest, &found, drift);
        let (mut files, mut bytes, start) = (self.files, BYTES, Instant::now());
        let present: BTreeSet<&PathBuf> = found.files.iter().chain(&found.links).collect();
        self.read.retain(|path, _| present.contains(path));
        for path in &found.files {
            let Some(expected) = manifest.files.get(path) else {
                drift.added += 1;
                drift.name(path, "added");
                continue;
            };
            if start.elapsed() > COMPARING {
                self.is_behind = true;
                drift.behind += 1;
                continue;
            }
            let on_host = shop.base.join(path);
            // Of a link, that which it leads to.
            let metadata = match host.metadata(&on_host) {
                Ok(metadata) => metadata,
                // It went while we looked; the next look says that it is missing.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    drift.unseen = Some(unseen(&on_host, &error));
                    continue;
                }
            };
            let mark = Mark::of(&metadata);
            let last = self.read.get(path).copied().filter(|last| last.mark == mark);
            let is_due = last.is_none_or(|last| !(0..DAY).contains(&(now - last.at)));
            let mut is_same = last.map(|last| last.is_same);
            if is_due && files > 0 && bytes > 0 {
                files -= 1;
                match sum(host, &on_host) {
                    Ok((sum, size)) => {
                        bytes = bytes.saturating_sub(size);
                        is_same = Some(sum == *expected);
                        self.read.insert(path.clone(), Read { mark, at: now, is_same: sum == *expected });
                    }
                    // `config.php` is closed to us where it should be. Nothing about it has changed since the manifest was
                    // written, which is as good.
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied && mark.changed < since => {
                        drift.unread += 1;
                        continue;
                    }
                    Err(error) => {
                        drift.unseen = Some(unseen(&on_host, &error));
                        continue;
                    }
                }
            } else if is_due {
                self.is_behind = true;
                drift.behind += usize::from(last.is_none());
            }
            if is_same == Some(false) {
                drift.changed += 1;
                drift.name(path, "changed");
            }
        }
        missing(host, shop, manifest, &present, drift);
        self.found = Some((shop.base.clone(), found));
    }

    /// Walks through the shop, or goes on where it was.
    fn walk(&mut self, host: Host<'_>, shop: &Shop) {
        let begun = self.begun.take().filter(|(base, _)| *base == shop.base);
        let (base, mut listing) = begun.unwrap_or_else(|| (shop.base.clone(), Listing::new()));
        if listing.go_on(host, shop, self.walking) {
            self.found = Some((base, listing));
        } else {
            self.begun = Some((base, listing));
            self.is_behind = true;
        }
    }
}

/// Compares links to folders. One that was there when the manifest was made is as it was while it leads to the same place;
/// but of a place that is not walked through, the manifest knows no file.
fn links(host: Host<'_>, shop: &Shop, manifest: &Manifest, found: &Listing, drift: &mut Drift) {
    for path in &found.links {
        let on_host = shop.base.join(path);
        let Some(expected) = manifest.links.get(path) else {
            drift.added += 1;
            drift.name(path, "added");
            continue;
        };
        match link_sum(host, &on_host).and_then(|sum| Ok((sum, is_known_behind(host, shop, path)?))) {
            Ok((sum, _)) if sum != *expected => {
                drift.changed += 1;
                drift.name(path, "changed");
            }
            Ok((_, true)) => {}
            Ok((_, false)) => {
                let why = format!("{} leads to a folder that is not looked at", on_host.display());
                drift.unseen = drift.unseen.take().or(Some(Unknown::new(Cause::Unsupported, why)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => drift.unseen = drift.unseen.take().or(Some(unseen(&on_host, &error))),
        }
    }
}

/// What the manifest has and nobody found.
fn missing(host: Host<'_>, shop: &Shop, manifest: &Manifest, present: &BTreeSet<&PathBuf>, drift: &mut Drift) {
    let files = manifest.files.keys().filter(|path| is_listed(path));
    for path in files.chain(manifest.links.keys()).filter(|path| !present.contains(path)) {
        let on_host = shop.base.join(path);
        let is_written = shop.written_folders.iter().any(|folder| on_host.starts_with(folder));
        // What is closed to us may be there.
        if !is_written && host.has(&on_host).is_ok_and(|is_there| !is_there) {
            drift.missing += 1;
            drift.name(path, "missing");
        }
    }
}

impl Drift {
    fn name(&mut self, path: &Path, what: &str) {
        if self.examples.len() < NAMED {
            // Whoever put it there chose its name.
            let name: String = path.to_string_lossy().chars().map(|c| if c.is_control() { '?' } else { c }).collect();
            self.examples.push(format!("{name} ({what})"));
        }
    }

    /// How many files are not as they were deployed.
    pub(crate) fn count(&self) -> usize {
        self.changed + self.added + self.missing
    }
}
