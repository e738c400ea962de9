//! Whether the OPcache script may be run: FPM runs it with the shop's rights, so nobody but root (or Vitrin's own user,
//! who could ask FPM for any script anyway) may be able to replace it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::collector::{Failure, Reason};

/// Write permission for the group or for others.
const WRITABLE: u32 = 0o022;

/// The sticky bit: in a folder like `/tmp` only the owner of an entry may replace it.
const STICKY: u32 = 0o1000;

/// Checks the script and every folder above it.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let refuse = |message: String| Err(Failure::message(Reason::Permission, message));
    let real = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) => {
            return refuse(format!("the OPcache script {shown}: {error}; install it, or set `opcache_script`"));
        }
    };
    let own = rustix::process::geteuid().as_raw();
    for (depth, place) in real.ancestors().enumerate() {
        let metadata = fs::metadata(place).map_err(Failure::io)?;
        let (mode, owner) = (metadata.permissions().mode(), metadata.uid());
        let place = place.display();
        if depth == 0 && !metadata.is_file() {
            return refuse(format!("the OPcache script {shown} is not a file"));
        }
        if owner != 0 && owner != own {
            return refuse(format!(
                "the OPcache script {shown} is not run: {place} belongs to user {owner}; give it to root: \
                 chown root {place}"
            ));
        }
        if mode & WRITABLE != 0 && (depth == 0 || mode & STICKY == 0) {
            return refuse(format!(
                "the OPcache script {shown} is not run: others may write to {place}; close it: chmod go-w {place}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_script_that_others_may_replace_is_refused() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let script = folder.path().join("opcache.php");
        fs::write(&script, "<?php").unwrap();
        chmod(folder.path(), 0o755);
        chmod(&script, 0o644);
        check(&script).unwrap();

        for mode in [0o666, 0o664, 0o646] {
            chmod(&script, mode);
            let failure = check(&script).unwrap_err();
            assert_eq!(failure.reason, Reason::Permission);
            assert!(failure.to_string().contains("chmod go-w"), "{failure}");
        }
        chmod(&script, 0o644);
        chmod(folder.path(), 0o777);
        assert!(check(&script).unwrap_err().to_string().contains(&format!("write to {}", folder.path().display())));
        chmod(folder.path(), 0o1777);
        check(&script).unwrap();
    }

    #[test]
    fn a_link_is_judged_by_what_it_leads_to() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let (script, link) = (folder.path().join("real.php"), folder.path().join("link.php"));
        fs::write(&script, "<?php").unwrap();
        chmod(&script, 0o666);
        std::os::unix::fs::symlink(&script, &link).unwrap();
        assert_eq!(check(&link).unwrap_err().reason, Reason::Permission);
    }

    #[test]
    fn what_is_no_script_is_refused() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        assert!(check(folder.path()).unwrap_err().to_string().contains("is not a file"));
        let failure = check(&folder.path().join("none.php")).unwrap_err();
        assert!(failure.to_string().contains("set `opcache_script`"), "{failure}");
    }
}
