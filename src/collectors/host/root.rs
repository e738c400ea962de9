//! Files of the host's root file system, which a container sees below a folder.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the root file system. A symbolic link that begins with `/` means the host's root, not a container's.
pub(super) fn in_root(root: &Path, name: &str) -> PathBuf {
    let path = root.join(name);
    match fs::read_link(&path) {
        Ok(target) if target.is_absolute() => root.join(target.strip_prefix("/").unwrap_or(&target)),
        _ => path,
    }
}
