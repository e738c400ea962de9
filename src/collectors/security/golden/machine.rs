//! A machine in a folder, made of layers: files as git keeps them, and beside them what git does not.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::NOW;

/// How old a file is of which nothing else is said.
const AGE: u64 = 90 * 86_400;

/// Lays one layer over the other below `folder`.
pub(super) fn make(layers: &[PathBuf], folder: &Path) {
    for layer in layers {
        remove(layer, &folder.join("root"));
        for tree in ["root", "proc"] {
            if layer.join(tree).is_dir() {
                copy(&layer.join(tree), &folder.join(tree));
            }
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    each(folder, &mut |path, is_folder| give(path, Some(if is_folder { 0o755 } else { 0o644 }), 0, 0, Some(AGE)));
    for layer in layers {
        for rule in lines(&layer.join("modes.tsv")) {
            apply(&rule, &folder.join("root"));
        }
    }
}

/// The lines of a table, without comments; none where there is no such file.
pub(super) fn lines(file: &Path) -> Vec<Vec<String>> {
    let text = if file.exists() { fs::read_to_string(file).unwrap() } else { String::new() };
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// What a layer takes away of those below it.
fn remove(layer: &Path, root: &Path) {
    for line in lines(&layer.join("removed.txt")) {
        let path = inside(root, &line[0]);
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (kind, to) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &to);
            continue;
        }
        if to.is_symlink() || to.exists() {
            fs::remove_file(&to).unwrap();
        }
        if kind.is_symlink() {
            symlink(fs::read_link(entry.path()).unwrap(), &to).unwrap();
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// A line of a layer's `modes.tsv`: a path, `/**` after it for all below, too; a mode, `g+w`, or `-` for as it is; owner,
/// group; and an age in seconds, or `-`.
fn apply(rule: &[String], root: &Path) {
    let [path, mode, uid, gid, age] = rule else { panic!("{rule:?} has not five columns") };
    let (uid, gid) = (uid.parse().unwrap(), gid.parse().unwrap());
    let age = (age != "-").then(|| age.parse().unwrap());
    let one = |path: &Path| {
        let mode = match mode.as_str() {
            "-" => None,
            "g+w" => Some(fs::metadata(path).unwrap().mode() & 0o7777 | 0o020),
            mode => Some(u32::from_str_radix(mode, 8).unwrap()),
        };
        give(path, mode, uid, gid, age);
    };
    match path.strip_suffix("/**") {
        Some(folder) => each(&inside(root, folder), &mut |path, _| one(path)),
        None => one(&inside(root, path)),
    }
}

fn inside(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// A folder, and all below it, the deepest first; links are passed by.
fn each(path: &Path, what: &mut dyn FnMut(&Path, bool)) {
    if path.is_symlink() {
        return;
    }
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            each(&entry.unwrap().path(), what);
        }
    }
    what(path, path.is_dir());
}

fn give(path: &Path, mode: Option<u32>, uid: u32, gid: u32, age: Option<u64>) {
    chown(path, Some(uid), Some(gid)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if let Some(mode) = mode {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    if let Some(age) = age {
        let at = UNIX_EPOCH + Duration::from_secs(u64::try_from(NOW).unwrap() - age);
        touch(path, at);
    }
}

fn touch(path: &Path, at: SystemTime) {
    File::open(path).unwrap().set_modified(at).unwrap();
}
