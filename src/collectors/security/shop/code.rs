//! Who may write to the shop's code, by what `stat` tells of a bounded part of it: all folders to a depth of four, and
//! 2,000 files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::host::{Host, unseen};
use super::walk::{Bounds, nothing, walk};
use super::{Cause, Layout, Mode, Unknown};

/// How far it is looked. Entries are cheap; looking at the files is what costs.
const BOUNDS: Bounds = Bounds { depth: 5, entries: 200_000, passed_over: nothing, time: Duration::from_secs(10) };

/// How deep folders are looked at.
const FOLDER_DEPTH: usize = 4;

/// How many files are looked at.
const FILES: usize = 2_000;

/// How names of code end: what PHP runs, and what it makes pages of.
const ENDS: [&str; 9] = [".php", ".phtml", ".inc", ".phar", ".twig", ".tpl", ".js", ".htaccess", ".user.ini"];

/// Which part of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// The shop itself.
    Core,
    /// What the shop's own installer puts there: OpenCart's `extension/`, `vendor/`.
    Extension,
}

/// Some of the code, all with the same owner, group and mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owned {
    /// Which part it belongs to.
    pub(crate) part: Part,
    /// One of them, with the mode, owner and group that all have.
    pub(crate) example: Mode,
    /// How many they are.
    pub(crate) count: usize,
}

/// What was seen of the code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Code {
    /// Its files and folders by owner, group and mode.
    pub(crate) owned: Vec<Owned>,
    /// How many were looked at.
    pub(crate) looked: usize,
    /// Why some folder could not be looked into.
    pub(crate) unseen: Option<Unknown>,
}

/// Looks at the code below the base, not at what is written to, and not at the configurations, which are looked at
/// by themselves.
pub(super) fn look(host: Host<'_>, layout: &Layout, written: &[PathBuf]) -> Code {
    let base = &layout.base;
    let mut found = BTreeMap::<(Part, u32, u32, u32), Owned>::new();
    let (mut looked, mut files, mut unseen_one) = (0, 0, None);
    let mut look = |path: &Path, part| {
        // Without the dot of the base itself.
        let on_host: PathBuf = base.join(path).components().collect();
        match fs::symlink_metadata(host.inside(&on_host)) {
            Ok(metadata) => {
                looked += 1;
                let example =
                    Mode { path: on_host, mode: metadata.mode() & 0o7777, uid: metadata.uid(), gid: metadata.gid() };
                if unseen_one.is_none() {
                    unseen_one = host.hidden_writers(&example);
                }
                let key = (part, example.uid, example.gid, example.mode);
                found.entry(key).or_insert(Owned { part, example, count: 0 }).count += 1;
            }
            // It went between the look at its folder and the look at it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => unseen_one = Some(unseen(&on_host, &error)),
        }
    };
    look(Path::new("."), Part::Core);
    let part_of = |path: &Path| {
        let is_extension = layout.extensions.iter().any(|extension| path.starts_with(extension));
        if is_extension { Part::Extension } else { Part::Core }
    };
    let walked = walk(&host.inside(base), BOUNDS, &mut |entry| {
        let on_host = base.join(entry.path);
        if entry.kind.is_dir() {
            if written.contains(&on_host) || entry.name == ".git" || entry.depth > FOLDER_DEPTH {
                return false;
            }
            look(entry.path, part_of(entry.path));
            return true;
        }
        let is_code = ENDS.iter().any(|end| entry.name.to_string_lossy().ends_with(end));
        if entry.kind.is_file() && is_code && files < FILES && !layout.configurations.contains(&on_host) {
            files += 1;
            look(entry.path, part_of(entry.path));
        }
        false
    });
    let unseen = match walked.closed.first() {
        Some((folder, error)) => Some(unseen(&base.join(folder), error)),
        None if !walked.is_complete => Some(Unknown::new(
            Cause::Unsupported,
            format!("{} holds more than the {} entries that are looked at", base.display(), BOUNDS.entries),
        )),
        None => unseen_one,
    };
    Code { owned: found.into_values().collect(), looked, unseen }
}
